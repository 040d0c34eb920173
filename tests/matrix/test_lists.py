"""What lists, searches, counts, exports and forms tell: nothing of what is not theirs, however it is asked for."""

from collections.abc import Mapping

import pytest

from tests.matrix.asking import Asking
from tests.matrix.cast import ROLES, Place, Player
from tests.matrix.secrets import ids_hidden, told_of, words_hidden
from tests.matrix.seeding import Operation

OTHERS = "customer-care"
SEARCHES = (
    "q=screen",
    "q=",
    "q=quoka",
    "q=axolotol",
    "q=quo*",
    "q=sam",
    "q=SOP-0004",
    "q=title:refunds",
    f"q=screen&department={OTHERS}",
    "q=&process=PROC-003",
    "q=&system=quokkabase",
    "q=&tag=quokkatag",
    "q=screen&at=2026-10-30T00:00:00Z",
    "q=screen&stale=true",
    "q=screen&stale=yes",
)
FILTERS = (
    "",
    f"department={OTHERS}",
    "limit=200",
    "state=breached",
    "status=planned",
    "q=form",
    "source=quokka-source",
)
QUERIES: Mapping[str, tuple[str, ...]] = {
    "/search": SEARCHES,
    "/api/v1/search": SEARCHES,
    "/sops/": (f"department={OTHERS}", "at=2026-10-30T00:00:00Z", "limit=200"),
    "/api/v1/sops": (f"department={OTHERS}", "at=2026-10-30T00:00:00Z", "limit=200", "cursor=SOP-0002"),
    "/drafts/": ("state=draft", "state=in_review", "state=withdrawn", "state=published", "state=changes_requested"),
    "/api/v1/drafts": ("state=draft,in_review,withdrawn,published", "limit=200", "sop_id=SOP-0005"),
    "/tickets/": FILTERS,
    "/api/v1/tickets": (*FILTERS, "sop_id=SOP-0005"),
    "/processes/": (f"department={OTHERS}", "status=all", "q=handling", "written=no", "written=yes"),
    "/api/v1/processes": (f"department={OTHERS}", "q=handling", "documented=true", "documented=false", "limit=200"),
    "/feedback/": ("triaged=no", "kind=outdated", "sop=SOP-0005"),
    "/api/v1/feedback": ("triaged=false", "kind=outdated", "limit=200"),
    **dict.fromkeys(
        ("/deviations/", "/deviations/deviations.csv", "/api/v1/deviations"),
        ("", "state=proposed", "state=in_force", f"department={OTHERS}", "sop=SOP-0004", "sop=SOP-0005"),
    ),
    "/findings/": ("kind=breach", "kind=missed_search", f"department={OTHERS}"),
    "/api/v1/findings": ("kind=breach", "kind=missed_search", "limit=200"),
    "/admin/people/": ("q=sam", "q=example.com"),
    "/sops/new": ("process=PROC-003", "ticket=TKT-0004"),
    **{
        f"{path}{name}{ending}": (
            "days=365",
            f"department={OTHERS}",
            "owner=sam@example.com",
            "source=quokka-source",
            "at=2026-11-02T00:00:00Z",
        )
        for path, ending in (("/reports/", ""), ("/reports/", ".csv"), ("/reports/", ".json"), ("/api/v1/reports/", ""))
        for name in ("drift", "window", "staleness", "coverage", "knowledge", "feedback")
    },
    "/reports/window-rows.csv": ("", "days=365", f"department={OTHERS}"),
}
LIMITED = (*(name for name in ROLES if name.endswith("of payments")), "nobody", "reader", "mixed")
NAMED: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    ("POST", "/api/v1/drafts", {"sop_id": "{}", "content": "x", "change_summary": "x", "significance": "major"}),
    ("POST", "/api/v1/tickets", {"source": "manual", "key": "new", "title": "x", "sops": ["{}"]}),
    ("PATCH", "/api/v1/tickets/TKT-0001", {"sops": ["{}"]}),
    ("POST", "/api/v1/tickets/TKT-0001/obligations", {"sop_id": "{}"}),
    ("POST", "/tickets/TKT-0001/sops", {"sops": "{}"}),
    ("POST", "/tickets/new", {"source": "manual", "key": "new", "title": "x", "sops": "{}"}),
    ("POST", "/drafts/preview", {"sop_id": "{}", "content": "x"}),
)
"""What names a SOP in its body, and not in its address."""


_TELLING = (
    *("/search?q=screen", "/sops/", "/tickets/", "/processes/", "/drafts/", "/reports/window", "/findings/"),
    *("/deviations/", "/deviations/deviations.csv"),
)


@pytest.mark.parametrize(("path", "query"), [(path, query) for path, queries in QUERIES.items() for query in queries])
def test_a_list_tells_nothing_of_what_is_not_theirs(matrix: Operation, asking: Asking, path: str, query: str) -> None:
    wrong = []
    for player in matrix.players:
        if player.name not in LIMITED:
            continue
        answer = asking.ask(player, "GET", f"{path}?{query}")
        assert answer.status_code < 500
        told = told_of(answer.text, query, words=words_hidden(player), ids=ids_hidden(player, matrix.things))
        if told:
            wrong.append(f"{player.name}: {path}?{query} is answered {answer.status_code} and tells of {told}")
    assert not wrong, "\n".join(wrong)


def test_whoever_stands_in_for_somebody_away_is_told_what_they_may_see_and_gets_no_right(
    asking: Asking, players: dict[str, Player]
) -> None:
    """The deputy of every SOP has a role in one department: the others stay as closed as to anybody."""
    deputy = players["editor of payments"]
    home = asking.ask(deputy, "GET", "/").text
    assert "as deputy of sam, away until" in home
    assert Place.OWN.value in home.lower()
    for place in (Place.OTHER, Place.NONE):
        assert place.value not in home.lower()
    assert asking.ask(deputy, "GET", "/sops/SOP-0001").status_code == 200
    for sop_id in ("SOP-0004", "SOP-0007"):
        assert asking.ask(deputy, "GET", f"/sops/{sop_id}").status_code == 404
        assert asking.ask(deputy, "GET", f"/sops/{sop_id}/edit").status_code == 404
        assert asking.ask(deputy, "POST", f"/api/v1/sops/{sop_id}/reviews").status_code == 404


def test_counts_and_facets_count_what_is_theirs_alone(asking: Asking, players: dict[str, Player]) -> None:
    # Each place has what was approved, and what one person published alone.
    for name, places in (("reader", list(Place)), ("reader of payments", [Place.OWN]), ("mixed", list(Place))):
        found = asking.ask(players[name], "GET", "/api/v1/search?q=screen").get_json()
        assert found["total"] == 2 * len(places)
        facets = {facet: {one["value"] for one in values} for facet, values in found["facets"].items()}
        assert facets["system"] == {f"{place.value}base" for place in places}
        assert sum(one["count"] for one in found["facets"]["tag"]) == 2 * len(places)
        listed = asking.ask(players[name], "GET", "/api/v1/sops").get_json()
        assert len(listed["items"]) == 2 * len(places)


def test_a_list_tells_its_own_people_what_it_holds(asking: Asking, players: dict[str, Player]) -> None:
    """Or the words that are looked for above would be found nowhere, and prove nothing."""
    for path in _TELLING:
        assert Place.OWN.value in asking.ask(players["editor of payments"], "GET", path).text.lower(), path
        assert Place.OTHER.value in asking.ask(players["editor"], "GET", path).text.lower(), path


@pytest.mark.parametrize("named", [pytest.param(one, id=one[1]) for one in NAMED])
def test_a_body_that_names_what_is_not_theirs_is_answered_like_one_that_names_nothing(
    matrix: Operation, asking: Asking, named: tuple[str, str, Mapping[str, object]]
) -> None:
    method, path, body = named
    player = next(one for one in matrix.players if one.name == "editor of payments")

    def answered(sop_id: str) -> str:
        filled = {
            key: [sop_id] if value == ["{}"] else sop_id if value == "{}" else value for key, value in body.items()
        }
        answer = asking.ask(player, method, path, json=filled)
        return f"{answer.status_code} {answer.text.replace(sop_id, '…')}".partition("csrf_token")[0]

    hidden = ids_hidden(player, matrix.things)
    for sop_id in sorted(one for one in hidden if one.startswith("SOP-")):
        assert answered(sop_id) == answered("SOP-9999"), sop_id
