"""The facets of a search: what a person can narrow it down by, and what they did already."""

from collections.abc import Mapping

from flask import request

from sop_server.services.library.searching import Query, SearchPage
from sop_server.views.addresses import to

_TITLES = {"department": "Department", "process": "Process", "system": "System", "tag": "Tag"}
_MOST = 8

Item = tuple[str, int | str, str, bool]


def groups(found: SearchPage, query: Query, departments: Mapping[str, str]) -> list[tuple[str, list[Item]]]:
    """Return the groups that divide the hits; a value that is chosen already takes itself away."""
    shown: list[tuple[str, list[Item]]] = []
    for name, title in _TITLES.items():
        chosen = getattr(query, name)
        values = list(found.facets.get(name, ()))[:_MOST]
        if chosen is not None and all(value.casefold() != chosen.casefold() for value, _ in values):
            values.insert(0, (chosen, 0))
        if chosen is None and not _divides([count for _, count in values]):
            continue
        shown.append((title, [_item(name, value, count, chosen, departments) for value, count in values]))
    states: list[Item] = [
        (words, "", _without("stale") if _chosen(query, value) else _with("stale", value), _chosen(query, value))
        for value, words in (("yes", "Stale"), ("no", "Not stale"))
    ]
    return [*shown, ("State", states)] if found.items or query.stale is not None else shown


def shown_filters(query: Query, departments: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (words, address without it) of each filter that is on."""
    found = [
        (departments.get(value, value) if name == "department" else value, _without(name))
        for name in _TITLES
        if (value := getattr(query, name)) is not None
    ]
    if query.stale is not None:
        found.append(("stale" if query.stale else "not stale", _without("stale")))
    return found


def _divides(counts: list[int]) -> bool:
    # One value keeps every hit; values with a hit each are the hits themselves, under a name that says less.
    return len(counts) > 1 and max(counts) > 1


def _item(name: str, value: str, count: int, chosen: str | None, departments: Mapping[str, str]) -> Item:
    current = chosen is not None and value.casefold() == chosen.casefold()
    words = departments.get(value, value) if name == "department" else value
    return words, count, _without(name) if current else _with(name, value), current


def _chosen(query: Query, value: str) -> bool:
    return query.stale is not None and query.stale is (value == "yes")


def _with(name: str, value: str) -> str:
    return to("search.results", {**_arguments(name), name: value})


def _without(name: str) -> str:
    return to("search.results", _arguments(name))


def _arguments(but: str) -> dict[str, str]:
    return {name: value for name, value in request.args.items() if name not in {but, "from"} and value}
