"""The audit trail on PostgreSQL: what the database itself refuses, and that the chain is proven there as well."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from sop_server.domain.audit_chain import Anchor, Head
from sop_server.services.stores import Stores
from sop_server.services.trail.anchoring import anchor_head
from sop_server.services.trail.guarding import guard_again, unguarded
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import audit
from tests.storage.postgresql.play import NOW

_TOOTHLESS = (
    "CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
)


def record(stores: Stores, number: int) -> None:
    with stores.database.write() as session:
        audit.record(session, at=NOW, actor="asha", action="test.done", subject=str(number), details={"n": [number]})


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET actor = 'mallory'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_the_database_refuses_to_change_an_audit_event(stores: Stores, statement: str) -> None:
    record(stores, 1)

    with pytest.raises(ProgrammingError, match="append-only"), stores.database.engine.begin() as connection:
        connection.execute(text(statement))

    assert prove_trail(stores).broken is None


def test_an_anchor_tells_that_the_newest_events_were_cut_off(stores: Stores) -> None:
    for number in range(5):
        record(stores, number)
    anchored = anchor_head(stores, now=NOW)
    assert anchored is not None
    assert isinstance(anchored, Anchor)
    assert prove_trail(stores).verified == anchored.head
    with stores.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
        connection.execute(text(f"DELETE FROM audit_event WHERE id > {anchored.head.id - 2}"))  # noqa: S608 - a number

    proof = prove_trail(stores)

    assert proof.broken is not None
    assert f"audit event {anchored.head.id}, which is gone" in proof.broken
    assert isinstance(proof.verified, Head)
    assert proof.verified.id == anchored.head.id - 2


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER audit_event_no_change ON audit_event",
        "DROP FUNCTION audit_event_refuse() CASCADE",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "ALTER TABLE audit_event ENABLE REPLICA TRIGGER audit_event_no_truncate",
        _TOOTHLESS,
    ],
)
def test_a_guard_that_somebody_took_away_is_told_and_put_back(stores: Stores, statement: str) -> None:
    record(stores, 1)
    assert unguarded(stores) == []
    with stores.database.engine.begin() as connection:
        connection.execute(text(statement))

    (told,) = unguarded(stores)
    (mended,) = guard_again(stores, now=NOW)

    assert "audit_event_no_" in told
    assert "was put back" in mended
    assert unguarded(stores) == []
    for forgery in ("UPDATE audit_event SET actor = 'mallory'", "DELETE FROM audit_event", "TRUNCATE audit_event"):
        with pytest.raises(ProgrammingError, match="append-only"), stores.database.engine.begin() as connection:
            connection.execute(text(forgery))
    assert prove_trail(stores).broken is None
