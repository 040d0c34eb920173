"""What machines ask about the server: is it alive, can it work, how does it do."""

import time

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from sop_server import __version__
from sop_server.errors import SopError
from sop_server.views import visitor
from sop_server.views.meter import BOUNDS, STATUSES, Meter

BLUEPRINT = Blueprint("probes", __name__)

_METER = "meter"


def measure(app: Flask, meter: Meter) -> None:
    """Count every request of the application."""
    app.extensions[_METER] = meter

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _count(response: Response) -> Response:
        meter.count(_door(), response.status_code, time.perf_counter() - g.get("started", time.perf_counter()))
        return response


@BLUEPRINT.get("/healthz")
def alive() -> ResponseReturnValue:
    """Answer that the process is alive, whatever its stores do."""
    return jsonify(status="ok", version=__version__)


@BLUEPRINT.get("/readyz")
def ready() -> ResponseReturnValue:
    """Tell whether the stores answer; without the search index there is a plainer search, so it is no reason."""
    found = {"database": _database_answers(), "library": _library_answers(), "search": visitor.stores().search.ready()}
    works = found["database"] and found["library"]
    told = {name: "ok" if answers else "failing" for name, answers in found.items()}
    return jsonify(status="ok" if works else "failing", **told), 200 if works else 503


@BLUEPRINT.get("/metrics")
def metrics() -> Response:
    """Give the figures of this server in Prometheus' text format; none of them tells what the library holds."""
    meter: Meter = current_app.extensions[_METER]
    lines = [
        "# HELP sop_server_info The version that runs.",
        "# TYPE sop_server_info gauge",
        f'sop_server_info{{version="{__version__}"}} 1',
        "# HELP sop_server_store_up Whether a store answers.",
        "# TYPE sop_server_store_up gauge",
        f'sop_server_store_up{{store="database"}} {int(_database_answers())}',
        f'sop_server_store_up{{store="library"}} {int(_library_answers())}',
        f'sop_server_store_up{{store="search"}} {int(visitor.stores().search.ready())}',
        "# HELP sop_server_requests_total Requests that were answered.",
        "# TYPE sop_server_requests_total counter",
    ]
    totals = list(meter.totals())
    for door in totals:
        lines += [
            f'sop_server_requests_total{{door="{door.door}",status="{status}"}} {number}'
            for status, number in zip(STATUSES, door.by_status, strict=True)
        ]
    lines += [
        "# HELP sop_server_request_seconds How long answers took.",
        "# TYPE sop_server_request_seconds histogram",
    ]
    for door in totals:
        lines += [
            f'sop_server_request_seconds_bucket{{door="{door.door}",le="{bound}"}} {number}'
            for bound, number in zip((*BOUNDS, "+Inf"), door.up_to, strict=True)
        ]
        lines.append(f'sop_server_request_seconds_sum{{door="{door.door}"}} {door.seconds:.6f}')
        lines.append(f'sop_server_request_seconds_count{{door="{door.door}"}} {door.up_to[-1]}')
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _database_answers() -> bool:
    return visitor.stores().database.ready()


def _library_answers() -> bool:
    try:
        visitor.stores().library.head()
    except SopError:
        return False
    return True


def _door() -> str:
    if request.path.startswith("/api/"):
        return "api"
    if request.path.startswith("/webhooks/"):
        return "webhook"
    return {"assets": "asset", "probes": "probe"}.get(request.blueprint or "", "page")
