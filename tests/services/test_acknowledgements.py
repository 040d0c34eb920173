import threading
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.errors import ConflictError, ForbiddenError, NotFoundError
from sop_server.services.accounts.people import join_team
from sop_server.services.library.recorded import record_in_sight
from sop_server.services.participation.acknowledgements import Reading, acknowledge, audience_size, reading_of, to_read
from sop_server.services.stores import Stores
from sop_server.storage import audit, people
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TIER1 = ("payments-tier1",)


def reload(stores: Stores, actor: Actor, now: datetime) -> Actor:
    with stores.database.read() as session:
        found = people.load_actor(session, actor.person_id, now)
    assert found is not None
    return found


def test_acknowledging_twice_is_once(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    first = acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", revision=1)
    second = acknowledge(stores, actor=cast.reader, now=NOW + DAY, sop_id="SOP-0001", revision=1)

    assert (first.new, second.new) == (True, False)
    assert second.acknowledged_at == NOW
    with stores.database.read() as session:
        assert len([one for one in audit.events(session) if one.action == "sop.acknowledged"]) == 1


def test_only_the_revision_in_force_is_acknowledged(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - DAY)
    publish("SOP-0001")
    publish("SOP-0001", at=NOW + DAY)
    publish("SOP-0002", at=NOW - DAY)
    publish("SOP-0002", kind="retire")

    for revision in (0, 1, 3, 4):
        with pytest.raises(ConflictError, match="r2"):
            acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", revision=revision)
    with pytest.raises(ConflictError):
        acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0002", revision=1)


def test_who_may_acknowledge(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002", department="customer-care")
    publish("SOP-0003", department=None)

    for sop_id in ("SOP-0002", "SOP-0003", "SOP-0099"):
        with pytest.raises(NotFoundError):
            acknowledge(stores, actor=cast.reader, now=NOW, sop_id=sop_id, revision=1)
    for actor in (cast.admin, cast.nobody):
        with pytest.raises(ForbiddenError):
            acknowledge(stores, actor=actor, now=NOW, sop_id="SOP-0001", revision=1)
    for actor in (cast.editor, cast.approver, cast.manager):
        assert acknowledge(stores, actor=actor, now=NOW, sop_id="SOP-0001", revision=1).new


def test_to_read_is_what_my_teams_have_to_know_and_i_do_not(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - 3 * DAY, audience=TIER1)
    publish("SOP-0002", at=NOW - 2 * DAY, audience=("payments-tier10",))
    publish("SOP-0003", at=NOW - 2 * DAY, audience=("other", *TIER1))
    publish("SOP-0004", department="customer-care", audience=TIER1)
    publish("SOP-0005", at=NOW - DAY, audience=TIER1)
    publish("SOP-0005", kind="retire")
    publish("SOP-0006", at=NOW + DAY, audience=TIER1)
    acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0003", revision=1)

    assert [one.sop_id for one in to_read(stores, actor=cast.reader, now=NOW)] == ["SOP-0001"]
    assert to_read(stores, actor=cast.editor, now=NOW) == ()


def test_a_minor_revision_asks_nobody_to_read_again_and_a_major_one_does(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", audience=TIER1)
    acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", revision=1)
    publish("SOP-0001", at=NOW + DAY, significance="minor", audience=TIER1)
    assert to_read(stores, actor=cast.reader, now=NOW + DAY) == ()

    publish("SOP-0001", at=NOW + 2 * DAY, audience=TIER1)
    publish("SOP-0001", at=NOW + 3 * DAY, significance="minor", audience=TIER1)
    (due,) = to_read(stores, actor=cast.reader, now=NOW + 3 * DAY)
    assert (due.revision, due.major, due.last_read) == (4, 3, 1)
    assert due.due_at == NOW + 9 * DAY
    assert not due.overdue
    assert to_read(stores, actor=cast.reader, now=NOW + 10 * DAY)[0].overdue

    acknowledge(stores, actor=cast.reader, now=NOW + 3 * DAY, sop_id="SOP-0001", revision=4)
    assert to_read(stores, actor=cast.reader, now=NOW + 3 * DAY) == ()


def test_a_newcomer_has_seven_days_from_joining(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - 30 * DAY, audience=("late-shift", *TIER1))
    join_team(stores, actor=OPERATOR, now=NOW + 5 * DAY, email=cast.reader.email, team="late-shift")
    reader = reload(stores, cast.reader, NOW + 5 * DAY)

    (due,) = to_read(stores, actor=reader, now=NOW + 5 * DAY)
    assert due.due_at == NOW + 7 * DAY, "from the first of the teams on"


def my_reading(stores: Stores, *, actor: Actor, now: datetime, sop_id: str) -> Reading | None:
    with stores.database.read() as session:
        return reading_of(session, actor, record_in_sight(stores, session, actor, sop_id, now=now), now=now)


def test_my_reading_tells_what_i_knew_last(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", audience=TIER1)
    acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", revision=1)
    publish("SOP-0001", at=NOW + DAY, audience=TIER1)

    before = my_reading(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001")
    after = my_reading(stores, actor=cast.reader, now=NOW + DAY, sop_id="SOP-0001")
    outside = my_reading(stores, actor=cast.editor, now=NOW + DAY, sop_id="SOP-0001")

    assert before is not None
    assert after is not None
    assert outside is not None
    assert (before.last_read, before.last_read_at, before.must_read, before.due_at) == (1, NOW, False, None)
    assert (after.revision, after.last_read, after.must_read, after.due_at) == (2, 1, True, NOW + 8 * DAY)
    assert (outside.last_read, outside.must_read, outside.due_at) == (None, False, None)
    with pytest.raises(NotFoundError):
        my_reading(stores, actor=cast.reader, now=NOW, sop_id="SOP-0009")


def test_the_audience_counts_active_people_once(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", audience=("late-shift", *TIER1))
    for actor in (cast.reader, cast.editor):
        join_team(stores, actor=OPERATOR, now=NOW, email=actor.email, team="late-shift")

    assert audience_size(stores, actor=cast.editor, now=NOW, sop_id="SOP-0001") == 2


def test_the_same_person_on_two_devices_acknowledges_once(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    start = threading.Barrier(4)
    new: list[bool] = []

    def press() -> None:
        start.wait()
        new.append(acknowledge(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001", revision=1).new)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(new) == [False, False, False, True]
