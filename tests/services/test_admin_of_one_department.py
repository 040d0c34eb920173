"""What an administrator of one department sees and changes: nothing of what lies in another."""

from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor, Grant, Role
from sop_server.domain.processes import ProcessInput
from sop_server.errors import ForbiddenError, NotFoundError
from sop_server.services.accounts.departments import list_teams, name_team
from sop_server.services.accounts.people import add_person, get_person, join_team, leave_team, list_people
from sop_server.services.accounts.tokens import create_token, revoke_token
from sop_server.services.drafts.previewing import preview
from sop_server.services.register.processes import register_process
from sop_server.services.reports.reporting import ReportRequest, coverage_report
from sop_server.services.stores import Stores
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIA = Actor(97, "lia@example.com", "Lia", frozenset({Grant(Role.ADMIN, "payments")}))
BOTH = Actor(96, "bo@example.com", "Bo", LIA.grants | {Grant(Role.ADMIN, "customer-care")})
CORA, RITA = "cora@example.com", "rita@example.com"


def test_a_team_of_no_department_is_touched_by_administrators_of_all_alone(stores: Stores, cast: Cast) -> None:
    """SOPs of every department may name it as their audience."""
    join_team(stores, actor=OPERATOR, now=NOW, email=RITA, team="everybody")
    for attempt in (
        lambda: name_team(stores, actor=LIA, now=NOW, slug="everybody", name="Mine", department="payments"),
        lambda: join_team(stores, actor=LIA, now=NOW, email=CORA, team="everybody"),
        lambda: leave_team(stores, actor=LIA, now=NOW, email=RITA, team="everybody"),
        lambda: add_person(stores, actor=LIA, now=NOW, email="ben@example.com", name="Ben", teams=["everybody"]),
        lambda: name_team(stores, actor=LIA, now=NOW, slug="payments-tier1", name="Mine", department="customer-care"),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    assert next(one for one in list_teams(stores, actor=OPERATOR) if one.slug == "everybody").department is None
    name_team(stores, actor=cast.admin, now=NOW, slug="everybody", name="All", department="payments")
    assert join_team(stores, actor=LIA, now=NOW, email=CORA, team="everybody").teams == ("everybody",)


def test_a_team_that_is_new_belongs_to_the_department_of_who_names_it_first(stores: Stores, cast: Cast) -> None:
    join_team(stores, actor=LIA, now=NOW, email=RITA, team="payments-late")
    found = {one.slug: one.department for one in list_teams(stores, actor=OPERATOR)}
    assert found["payments-late"] == "payments"
    with pytest.raises(ForbiddenError, match="several departments"):
        join_team(stores, actor=BOTH, now=NOW, email=RITA, team="of-whom")
    assert "of-whom" not in {one.slug for one in list_teams(stores, actor=OPERATOR)}


def test_what_people_hold_in_other_departments_is_not_told(stores: Stores, cast: Cast) -> None:
    name_team(stores, actor=OPERATOR, now=NOW, slug="care-night", name="Night", department="customer-care")
    join_team(stores, actor=OPERATOR, now=NOW, email=CORA, team="care-night")
    cora = get_person(stores, actor=LIA, now=NOW, email=CORA)
    assert (cora.roles, cora.teams, cora.grants) == ((), (), ())
    listed = {one.email: one for one in list_people(stores, actor=LIA, now=NOW).items}
    assert (listed[CORA].roles, listed[CORA].teams) == ((), ())
    assert listed["asha@example.com"].roles == ("editor@payments",)
    assert listed["mia@example.com"].roles == ("manager",), "what holds for all departments holds in this one, too"
    assert "care-night" not in {one.slug for one in list_teams(stores, actor=LIA)}
    assert get_person(stores, actor=cast.care_editor, now=NOW, email=CORA).roles == ("editor@customer-care",)
    assert get_person(stores, actor=cast.admin, now=NOW, email=CORA).teams == ("care-night",)


def test_somebody_elses_token_is_as_unknown_as_none(stores: Stores, cast: Cast) -> None:
    create_token(stores, actor=OPERATOR, now=NOW, email=CORA)
    for actor in (cast.reader, LIA):
        told = []
        for token_id in (1, 99):
            with pytest.raises(NotFoundError) as refused:
                revoke_token(stores, actor=actor, now=NOW, token_id=token_id)
            told.append(str(refused.value).replace(str(token_id), "…"))
        assert told[0] == told[1]
    assert revoke_token(stores, actor=cast.care_editor, now=NOW, token_id=1).revoked_at == NOW


def test_late_facts_are_counted_where_the_asker_may_look(stores: Stores, cast: Cast, publish: Publish) -> None:
    at = NOW + timedelta(days=2)
    for department in ("payments", "customer-care"):
        given = ProcessInput(name=f"Work of {department}", department=department)
        register_process(stores, actor=OPERATOR, now=at, given=given, registered_at=NOW)
    publish("SOP-0001", at=NOW)
    later = at + timedelta(days=1)

    def late(actor: Actor) -> dict[str, int]:
        asked = ReportRequest(at=NOW + timedelta(days=1))
        return dict(coverage_report(stores, actor=actor, request=asked, now=later).late)

    assert late(cast.manager) == {"process changes": 2}
    assert late(cast.editor) == {"process changes": 1}
    assert late(cast.care_editor) == {"process changes": 1}
    elsewhere = Actor(95, "x@example.com", "X", frozenset({Grant(Role.EDITOR, "claims")}))
    assert late(elsewhere) == {}


def test_a_preview_knows_no_sop_that_its_author_may_not_read(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="payments")
    text = "---\ntitle: T\n---\n\nSee [[SOP-0001]] and [this](sop-0001.md).\n"
    shown = preview(stores, actor=cast.care_editor, content=text, now=NOW).html
    unknown = preview(stores, actor=cast.care_editor, content=text.replace("0001", "0099"), now=NOW).html
    assert shown == unknown.replace("0099", "0001")
    assert 'href="/sops/SOP-0001"' not in shown
    assert 'href="/sops/SOP-0001"' in preview(stores, actor=cast.editor, content=text, now=NOW).html
