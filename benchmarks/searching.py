"""Searching: as people type, at the service and as a page."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import quote_plus

from benchmarks import texts
from benchmarks.doors import application, browser, inside
from benchmarks.libraries import Library
from benchmarks.measuring import Figure, milliseconds, times_of
from sop_server.domain.permissions import Actor
from sop_server.services.library.searching import Query, search

SEARCH_AIM = 15.0

_EACH = 40
_SHORTEST = 5
_WORDS = re.compile(r"[a-z]+(?: [a-z]+)+")


def figures(library: Library) -> Iterator[Figure]:
    """Measure each kind of search."""
    asked = questions(library)
    page = inside(application(library), browser(library, "reader"))
    for kind, typed in asked.items():
        yield _service(library, kind, [Query(text=one) for one in typed], library.cast["reader"], aim=SEARCH_AIM)
    for kind, typed in asked.items():
        pages = times_of([partial(page, f"/search?q={quote_plus(one)}") for one in typed])
        yield milliseconds(f"search, {kind}, page", library.sops, pages, aim=SEARCH_AIM)
    words = asked["one word"]
    restricted = library.cast["payments_reader"]
    yield _service(library, "reader of one department", [Query(text=one) for one in words], restricted)
    stale = [Query(text=one, stale=True) for one in words[:10]]
    yield _service(library, "stale only", stale, library.cast["reader"])


def questions(library: Library) -> Mapping[str, list[str]]:
    """Return what is typed, by kind: out of the texts, so that there is something to find."""
    random = texts.seeded("questions")
    asked: dict[str, list[str]] = {
        "one word": [],
        "two words": [],
        "phrase": [],
        "prefix": [],
        "typo": [],
    }
    for _ in range(library.samples(_EACH)):
        body = texts.sop_text(random.randint(1, library.sops), sops=library.sops).split("---", 2)[2]
        words = [word for word in re.findall(r"[a-z]+", body) if len(word) >= _SHORTEST]
        first, second, third = random.sample(words, 3)
        asked["one word"].append(first)
        asked["two words"].append(f"{second} {third}")
        asked["phrase"].append('"{}"'.format(" ".join(random.choice(_WORDS.findall(body)).split()[:3])))
        asked["prefix"].append(f"{second[:4]}*")
        place = random.randrange(1, len(third) - 2)
        asked["typo"].append(third[:place] + third[place + 1] + third[place] + third[place + 2 :])
    return asked


def _service(library: Library, kind: str, queries: list[Query], actor: Actor, *, aim: float | None = None) -> Figure:
    stores = library.stores
    acts = [partial(search, stores, actor=actor, query=query, now=stores.clock()) for query in queries]
    return milliseconds(f"search, {kind}, service", library.sops, times_of(acts), aim=aim)
