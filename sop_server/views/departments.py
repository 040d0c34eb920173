"""The quiet row of departments on the library's pages."""

from flask import url_for

from sop_server.services.accounts.departments import list_departments
from sop_server.services.library.reading import departments_to_read
from sop_server.views import visitor


def row(*, at: str | None = None) -> list[tuple[str, str, str]]:
    """Return (slug, name, address) of each department in which the visitor may read something in force."""
    readable = departments_to_read(visitor.stores(), actor=visitor.actor(), now=visitor.now())
    return [
        (one.slug, one.name, url_for("library.index", department=one.slug, at=at))
        for one in list_departments(visitor.stores(), now=visitor.now())
        if one.slug in readable
    ]


def named() -> dict[str, str]:
    """Return the name of each department by its slug."""
    return {one.slug: one.name for one in list_departments(visitor.stores(), now=visitor.now())}
