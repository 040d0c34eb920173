"""Over HTTP, on a server as in production: two processes of four threads; and the memory that they take."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote_plus

from benchmarks.doors import browser, caller, served
from benchmarks.libraries import Library
from benchmarks.measuring import Figure, milliseconds, resident_mebibytes, times_of
from benchmarks.reading import SOP_PAGE_AIM, read_ids
from benchmarks.searching import SEARCH_AIM, questions

_MIXED = 200


def figures(library: Library) -> Iterator[Figure]:
    """Measure pages and calls over one connection, then the workers after 200 mixed requests over eight."""
    headers, token = browser(library, "reader"), caller(library, "reader")
    ids = read_ids(library)
    searches = [f"/search?q={quote_plus(one)}" for typed in questions(library).values() for one in typed[:20]]
    with served(library) as server:
        # A connection for each figure: the server closes one that is idle for longer than a figure takes.
        page, call = server.door(headers), server.door(token)
        times = times_of([partial(page, f"/sops/{one}") for one in ids])
        yield milliseconds("SOP page, HTTP", library.sops, times, aim=SOP_PAGE_AIM, elsewhere=True)
        times = times_of([partial(call, f"/api/v1/sops/{one}") for one in ids])
        yield milliseconds("SOP, API, HTTP", library.sops, times, elsewhere=True)
        page = server.door(headers)
        times = times_of([partial(page, address) for address in searches])
        yield milliseconds("search page, HTTP", library.sops, times, aim=SEARCH_AIM, elsewhere=True)
        times = times_of([partial(page, "/sops/")] * library.samples(20))
        yield milliseconds("library list page, HTTP", library.sops, times, elsewhere=True)
    with served(library) as server:
        pages = [server.door(headers) for _ in range(8)]
        addresses = [f"/sops/{one}" for one in ids] + searches + ["/sops/"] * 20
        for number in range(_MIXED):
            pages[number % len(pages)](addresses[number * 7 % len(addresses)])
        children = server.process.children()
        memory = max(resident_mebibytes(worker) for worker in children)
        git = [one for one in server.process.children(recursive=True) if one.name().startswith("git")]
        yield Figure(f"worker after {_MIXED} mixed requests", library.sops, memory, "MiB")
        yield Figure("git processes of the server", library.sops, len(git), "open")
