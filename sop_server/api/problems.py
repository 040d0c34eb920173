"""An error as RFC 9457 problem JSON."""

from flask import Response, json

from sop_server.errors import ConflictError, SopError

MEDIA_TYPE = "application/problem+json"


def problem(status: int, title: str, error: SopError, *, reference: str | None = None) -> Response:
    """Return the answer that says what is wrong; `errors` names the fields where there are any."""
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": error.message}
    if error.fields:
        body["errors"] = error.fields
    if reference is not None:
        body["reference"] = reference
    if isinstance(error, ConflictError) and error.content_hash is not None:
        body["content_hash"] = error.content_hash
    return Response(json.dumps(body), status=status, content_type=MEDIA_TYPE)
