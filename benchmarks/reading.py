"""Reading: a SOP by every door, the library's list, a long history, what changed."""

from collections.abc import Iterator
from functools import partial

from benchmarks import texts
from benchmarks.doors import Get, application, browser, caller, inside
from benchmarks.libraries import Library
from benchmarks.making import LONG_HISTORY, LONG_HISTORY_SOP
from benchmarks.measuring import Figure, Taken, milliseconds, times_of
from sop_server.services.library import reading

SOP_PAGE_AIM = 5.0

_READ = 200
_ROUNDS = 20


def figures(library: Library) -> Iterator[Figure]:
    """Measure every way to read."""
    app = application(library)
    page, call = inside(app, browser(library, "reader")), inside(app, caller(library, "reader"))
    yield from _one_sop(library, page, call)
    yield from _lists(library, page)
    yield from _history(library, page)


def read_ids(library: Library, *, count: int = _READ, offset: int = 0) -> list[str]:
    """Return the ids of SOPs from all over the library."""
    step = max(2, library.sops // count)
    return [texts.sop_id(1 + (offset + number * step) % library.sops) for number in range(library.samples(count))]


def _one_sop(library: Library, page: Get, call: Get) -> Iterator[Figure]:
    stores, actor, ids = library.stores, library.cast["reader"], read_ids(library)
    unread = read_ids(library, count=50, offset=1)
    first = times_of([partial(page, f"/sops/{one}") for one in unread], warm=False)
    service = [partial(reading.get_sop, stores, actor=actor, sop_id=one, now=stores.clock()) for one in ids]
    yield milliseconds("SOP, service", library.sops, times_of(service))
    pages = times_of([partial(page, f"/sops/{one}") for one in ids])
    yield milliseconds("SOP page", library.sops, pages, aim=SOP_PAGE_AIM)
    yield milliseconds("SOP page, never rendered before", library.sops, first)
    yield milliseconds("SOP, API", library.sops, times_of([partial(call, f"/api/v1/sops/{one}") for one in ids]))


def _lists(library: Library, page: Get) -> Iterator[Figure]:
    middle = texts.sop_id(library.sops // 2)
    addresses = ["/sops/", f"/sops/?cursor={middle}", "/sops/?department=payments"]
    yield milliseconds("library list page", library.sops, _page_times(page, addresses * library.samples(_ROUNDS)))


def _history(library: Library, page: Get) -> Iterator[Figure]:
    stores, actor, sop_id = library.stores, library.cast["reader"], texts.sop_id(LONG_HISTORY_SOP)
    now = stores.clock()
    history = partial(reading.list_revisions, stores, actor=actor, sop_id=sop_id, now=now)
    yield milliseconds(
        f"history of {LONG_HISTORY} revisions, service", library.sops, times_of([history] * library.samples(_ROUNDS))
    )
    address = f"/sops/{sop_id}/revisions"
    yield milliseconds(
        f"history of {LONG_HISTORY} revisions, page",
        library.sops,
        _page_times(page, [address] * library.samples(_ROUNDS)),
    )
    compare = partial(reading.compare, stores, actor=actor, sop_id=sop_id, now=now)
    spans = {"one revision": (LONG_HISTORY - 1, LONG_HISTORY), f"{LONG_HISTORY - 1} revisions": (1, LONG_HISTORY)}
    for name, (before, after) in spans.items():
        compared = [partial(compare, before=before, after=after)] * library.samples(_ROUNDS)
        yield milliseconds(f"diff over {name}, service", library.sops, times_of(compared))
        address = f"/sops/{sop_id}/diff?from={before}&to={after}"
        yield milliseconds(
            f"diff over {name}, page", library.sops, _page_times(page, [address] * library.samples(_ROUNDS))
        )


def _page_times(page: Get, addresses: list[str]) -> list[Taken]:
    return times_of([partial(page, address) for address in addresses])
