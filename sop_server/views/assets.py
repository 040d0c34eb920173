"""Style sheets, scripts and icons, under an address that changes with their content, and so kept for ever."""

import hashlib
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory

from sop_server.errors import NotFoundError

BLUEPRINT = Blueprint("assets", __name__)
FOLDER = Path(__file__).resolve().parent.parent / "static"

_DIGEST = "asset_digest"
_ONE_YEAR = 365 * 24 * 3600


def register(app: Flask) -> None:
    """Serve the folder, and give templates `asset(name)`."""
    # One digest for the whole folder: files that name each other by relative addresses stay together.
    app.extensions[_DIGEST] = _digest(FOLDER)
    app.register_blueprint(BLUEPRINT)
    app.jinja_env.globals["asset"] = _address


@BLUEPRINT.get("/static/<digest>/<path:name>")
def file(digest: str, name: str) -> Response:
    """Send one file; what is asked for under an older address is sent, but not kept."""
    if any(part.startswith(".") for part in name.split("/")) or not (FOLDER / name).is_file():
        raise NotFoundError("There is no such file. Load the page again.")
    response = send_from_directory(FOLDER, name, conditional=True)
    if digest == current_app.extensions[_DIGEST]:
        response.headers["Cache-Control"] = f"public, max-age={_ONE_YEAR}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


def _address(name: str) -> str:
    # Put together by hand: a page names a dozen files and icons, and asking the map of addresses each time is felt.
    return f"{request.script_root}/static/{current_app.extensions[_DIGEST]}/{name}"


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:16]
