"""The quiet row of departments, the second level of the library's pages."""

from flask import g, url_for

from sop_server.services.library.places import places
from sop_server.services.library.sop_records import Places
from sop_server.views import visitor


def row(*, at: str | None = None) -> list[tuple[str, str, str]]:
    """Return slug, name and address of each department in which the visitor may read something in force."""
    found = _found()
    return [
        (slug, name, url_for("library.index", department=slug, at=at))
        for slug, name in found.names.items()
        if slug in found.to_read
    ]


def named() -> dict[str, str]:
    """Return the name of each department by its slug, in the order of the names."""
    return dict(_found().names)


def _found() -> Places:
    # Asked for once in a request, however many parts of the page name departments.
    if "places" not in g:
        g.places = places(visitor.stores(), actor=visitor.actor(), now=visitor.now())
    found: Places = g.places
    return found
