"""`serve`: the production server."""

import click

from sop_server.serving import serve
from sop_server.settings import load_settings


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="The address to listen on; SOP_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; SOP_PORT, else 8000.")
@click.option("--workers", type=click.IntRange(1, 64), help="Server processes; SOP_WORKERS, else 2.")
def serve_command(*, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the library until it is told to stop."""
    serve(load_settings().with_changes(host=host, port=port, workers=workers))
