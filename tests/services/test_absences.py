from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.absences import Absence, away
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.absences import come_back, my_absence, say_away
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.library.recorded import record_of
from sop_server.services.participation.feedback import give_feedback
from sop_server.services.reports.needs import Need, NeedKind, owner_home
from sop_server.services.stores import Stores
from sop_server.storage.tables import Revision
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BACK = NOW + 5 * DAY

SetDeputy = Callable[[str, str], None]


@pytest.fixture
def set_deputy(stores: Stores) -> SetDeputy:
    """Make somebody the deputy of a SOP that asha owns."""

    def set_(sop_id: str, email: str) -> None:
        with stores.database.write() as session:
            for row in session.query(Revision).filter_by(sop_id=sop_id):
                row.deputy = email

    return set_


def needs(stores: Stores, actor: Actor, at: datetime = NOW) -> list[Need]:
    return [one for one in owner_home(stores, actor=actor, now=at).needs if one.sop_id]


def test_an_absence_holds_from_its_beginning_to_before_its_end() -> None:
    one = Absence(NOW, BACK)
    assert [one.holds(at) for at in (NOW - DAY, NOW, BACK - DAY, BACK)] == [False, True, True, False]
    assert not one._replace(called_off_at=NOW + DAY).holds(NOW + DAY)
    assert away([one, Absence(NOW, BACK + DAY)], NOW) == Absence(NOW, BACK + DAY)
    assert away([], NOW) is None


def test_a_person_says_that_they_are_away_and_comes_back(stores: Stores, cast: Cast) -> None:
    say_away(stores, actor=cast.editor, now=NOW, begins_at=NOW - DAY, ends_at=BACK, note=" On\nleave ")
    assert my_absence(stores, actor=cast.editor, now=NOW) == Absence(NOW, BACK, "On leave")
    say_away(stores, actor=cast.editor, now=NOW + DAY, begins_at=NOW + 2 * DAY, ends_at=BACK + DAY)
    assert my_absence(stores, actor=cast.editor, now=NOW + DAY) == Absence(NOW + 2 * DAY, BACK + DAY)
    assert come_back(stores, actor=cast.editor, now=NOW + 3 * DAY)
    assert not come_back(stores, actor=cast.editor, now=NOW + 3 * DAY)
    assert my_absence(stores, actor=cast.editor, now=NOW + 3 * DAY) is None


@pytest.mark.parametrize(
    ("days", "note", "field"),
    [((0, 0), None, "until"), ((-2, -1), None, "until"), ((0, 400), None, "until"), ((0, 5), "x" * 201, "note")],
)
def test_an_absence_that_makes_no_sense_is_refused(
    stores: Stores, cast: Cast, days: tuple[int, int], note: str | None, field: str
) -> None:
    begins_at, ends_at = (NOW + number * DAY for number in days)
    with pytest.raises(InvalidInputError) as refused:
        say_away(stores, actor=cast.editor, now=NOW, begins_at=begins_at, ends_at=ends_at, note=note)
    assert list(refused.value.fields) == [field]
    assert my_absence(stores, actor=cast.editor, now=NOW) is None


def test_the_page_of_a_sop_knows_that_its_owner_is_away_as_long_as_they_are(
    stores: Stores, cast: Cast, publish: Publish, set_deputy: SetDeputy
) -> None:
    publish("SOP-0001")
    set_deputy("SOP-0001", "ben@example.com")

    def gone(at: datetime) -> Absence | None:
        with stores.database.read() as session:
            record = record_of(stores, session, "SOP-0001", now=at)
        assert record is not None
        return record.away("Asha@example.com", at)

    assert gone(NOW) is None
    say_away(stores, actor=cast.editor, now=NOW, begins_at=NOW + DAY, ends_at=BACK)
    assert gone(NOW + timedelta(hours=1)) is None
    # Nothing is written when it begins and when it ends: what the process keeps has to know by itself.
    assert gone(NOW + DAY) == Absence(NOW + DAY, BACK)
    assert gone(BACK) is None


def test_a_deputy_gets_the_clocks_the_reports_and_the_reviews_of_the_owner(
    stores: Stores, cast: Cast, publish: Publish, set_deputy: SetDeputy
) -> None:
    publish("SOP-0001")
    set_deputy("SOP-0001", cast.care_editor.email)
    both = Actor(cast.care_editor.person_id, cast.care_editor.email, "Cora", cast.editor.grants)
    given = TicketInput(title="New form", effective_at=NOW, sops=["SOP-0001"])
    upsert_ticket(stores, actor=cast.manager, now=NOW, source="jira", key="1", given=given)
    give_feedback(
        stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", kind="outdated", what_happened="The form is new."
    )
    at = NOW + 340 * DAY
    found = needs(stores, both, at)
    assert {one.kind for one in found} == {NeedKind.DRAFT, NeedKind.ANSWER, NeedKind.REVIEW}
    assert {one.as_deputy for one in found} == {"as deputy of Asha"}
    assert {(one.kind, one.due_at) for one in needs(stores, cast.editor, at)} == {
        (one.kind, one.due_at) for one in found
    }
    assert {one.as_deputy for one in needs(stores, cast.editor, at)} == {None}


def test_what_a_deputy_has_for_somebody_away_comes_first(
    stores: Stores, cast: Cast, publish: Publish, set_deputy: SetDeputy
) -> None:
    publish("SOP-0001")
    publish("SOP-0002")
    set_deputy("SOP-0001", cast.care_editor.email)
    with stores.database.write() as session:
        for row in session.query(Revision).filter_by(sop_id="SOP-0002"):
            row.owner = cast.care_editor.email
    both = Actor(cast.care_editor.person_id, cast.care_editor.email, "Cora", cast.editor.grants)
    for key, sop_id, hours in (("1", "SOP-0001", 2), ("2", "SOP-0002", 1)):
        given = TicketInput(title="New form", effective_at=NOW - timedelta(hours=10 * hours), sops=[sop_id])
        upsert_ticket(stores, actor=cast.manager, now=NOW, source="jira", key=key, given=given)
    set_order = [one.sop_id for one in needs(stores, both)]
    assert set_order == ["SOP-0001", "SOP-0002"]
    given = TicketInput(title="New form", effective_at=NOW - timedelta(hours=40), sops=["SOP-0002"])
    upsert_ticket(stores, actor=cast.manager, now=NOW, source="jira", key="3", given=given)
    assert needs(stores, both)[0].sop_id == "SOP-0002"
    say_away(stores, actor=cast.editor, now=NOW, begins_at=NOW, ends_at=BACK)
    first = needs(stores, both)[0]
    assert (first.sop_id, first.as_deputy, first.stands_in) == ("SOP-0001", "as deputy of Asha, away until 7 Mar", True)
    assert needs(stores, both, BACK)[0].sop_id == "SOP-0002"


def test_a_deputy_gets_no_right_by_standing_in(
    stores: Stores, cast: Cast, publish: Publish, set_deputy: SetDeputy
) -> None:
    """Cora edits in customer care: a SOP of payments that names her as its deputy is none of hers to see."""
    publish("SOP-0001")
    set_deputy("SOP-0001", cast.care_editor.email)
    given = TicketInput(title="New form", effective_at=NOW, sops=["SOP-0001"])
    upsert_ticket(stores, actor=cast.manager, now=NOW, source="jira", key="1", given=given)
    give_feedback(
        stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", kind="outdated", what_happened="The form is new."
    )
    say_away(stores, actor=cast.editor, now=NOW, begins_at=NOW, ends_at=BACK)
    home = owner_home(stores, actor=cast.care_editor, now=NOW)
    assert home.needs == ()
    assert home.mine == ()
    # Whoever may read it sees it, and is not asked for what they may not do.
    set_deputy("SOP-0001", cast.approver.email)
    home = owner_home(stores, actor=cast.approver, now=NOW)
    assert home.needs == ()
    assert [one.sop_id for one in home.mine] == ["SOP-0001"]
