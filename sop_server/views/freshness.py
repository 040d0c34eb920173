"""Pages that a browser need not load again: an ETag decided before anything is rendered."""

import hashlib

from flask import Response, g, request

_TAG = "page_tag"


def unchanged(*parts: object) -> Response | None:
    """Return the 304 where the browser holds the page that `parts` make, else None and remember the tag.

    `parts` are all that the page shows: the thing's content hash, the person, states, the day, the assets.
    """
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:32]
    g.setdefault(_TAG, digest)
    if request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(digest):
        return tagged(Response(status=304))
    return None


def tagged(response: Response) -> Response:
    """Put the remembered tag on a page: kept by this person's browser alone, asked about each time."""
    tag = g.get(_TAG)
    if tag is not None and response.status_code in {200, 304}:
        response.set_etag(tag, weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
    return response
