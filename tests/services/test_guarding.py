"""That somebody took the guard of the audit trail away is told, and mended."""

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError

from sop_server.services.library.indexing import rebuild_index
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.services.conftest import NOW

ALL = ("audit_event_no_update", "audit_event_no_delete", "audit_event_no_replace")
FORGERY = "UPDATE audit_event SET actor = 'mallory'"
FORGERIES = (FORGERY, "DELETE FROM audit_event", "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event")


@pytest.fixture
def stores(stores: Stores) -> Stores:
    rebuild_index(stores)
    return stores


def alter(stores: Stores, *statements: str) -> None:
    with stores.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sql(statement))


def record(stores: Stores) -> None:
    with stores.database.write() as session:
        audit.record(session, at=NOW, actor="asha", action="test.done", subject="1")


def actions(stores: Stores) -> list[str]:
    with stores.database.read() as session:
        return [one.action for one in audit.events(session)]


@pytest.mark.parametrize("names", [ALL, *((name,) for name in ALL)])
def test_triggers_that_somebody_dropped_are_told_by_name_and_put_back(stores: Stores, names: tuple[str, ...]) -> None:
    record(stores)
    assert check(stores, now=NOW).problems == ()
    alter(stores, *(f"DROP TRIGGER {name}" for name in names))

    (told,) = check(stores, now=NOW).problems
    repaired = check(stores, now=NOW, repair=True)

    assert [name for name in ALL if name in told] == [name for name in ALL if name in names]
    assert repaired.problems == ()
    assert "refuses again" in repaired.mended[0]
    assert actions(stores)[0] == "audit.guarded_again"
    for statement in (
        FORGERY,
        "DELETE FROM audit_event",
        "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event",
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            alter(stores, statement)
    assert check(stores, now=NOW, repair=True).mended == ()


def test_a_trigger_that_does_nothing_any_more_is_no_guard(stores: Stores) -> None:
    record(stores)
    alter(
        stores,
        "DROP TRIGGER audit_event_no_update",
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN SELECT 1; END",
    )
    assert "audit_event_no_update" in check(stores, now=NOW).problems[0]
    assert check(stores, now=NOW, repair=True).problems == ()


def test_a_forgery_behind_the_missing_guard_is_told_beside_it_and_not_mended(stores: Stores) -> None:
    record(stores)
    alter(stores, "DROP TRIGGER audit_event_no_update", FORGERY)
    assert len(check(stores, now=NOW).problems) == 2
    (left,) = check(stores, now=NOW, repair=True).problems
    assert "audit chain does not hold" in left
