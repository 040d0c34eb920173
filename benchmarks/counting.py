"""What one request costs besides time: SQL statements, and processes that it starts."""

from collections.abc import Iterator

from benchmarks import texts
from benchmarks.doors import application, browser, caller, inside
from benchmarks.libraries import Library
from benchmarks.making import LONG_HISTORY, LONG_HISTORY_SOP
from benchmarks.measuring import Figure, counted

_PAGES = {
    "SOP page": f"/sops/{texts.sop_id(2)}",
    "library list page": "/sops/",
    "search page": "/search?q=refund",
    "history page": f"/sops/{texts.sop_id(LONG_HISTORY_SOP)}/revisions",
    "diff page": f"/sops/{texts.sop_id(LONG_HISTORY_SOP)}/diff?from={LONG_HISTORY - 1}&to={LONG_HISTORY}",
}
_CALLS = {
    "SOP, API": f"/api/v1/sops/{texts.sop_id(2)}",
    "search, API": "/api/v1/search?q=refund",
    "drift report, API": "/api/v1/reports/drift",
}


def figures(library: Library) -> Iterator[Figure]:
    """Count for each page and each call, warm."""
    app = application(library)
    doors = [
        (inside(app, browser(library, "reader")), _PAGES),
        (inside(app, caller(library, "manager")), _CALLS),
    ]
    for get, addresses in doors:
        for name, address in addresses.items():
            get(address)
            with counted(library.stores.database) as count:
                get(address)
            yield Figure(name, library.sops, len(count.statements), "SQL statements")
            yield Figure(name, library.sops, count.processes, "processes started")
