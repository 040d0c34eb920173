"""The audit chain names people by keys: what stands in it, what is read, and what forgetting leaves."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select

from sop_server.domain.audit_chain import canonical, link_hash
from sop_server.domain.doers import OPERATOR
from sop_server.domain.person_keys import UNKNOWN
from sop_server.services.accounts.people import add_person, rename_person
from sop_server.services.demonstration.demo import play_demo
from sop_server.services.stores import Stores
from sop_server.services.trail.denials import record_denial
from sop_server.services.trail.events import AuditFilter, list_audit_events
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import audit, person_keys
from sop_server.storage.tables import AuditEvent, Person
from tests.services.conftest import NOW, Cast

_ROLE = re.compile(r"\b(?:reader|editor|approver|manager|admin)@[a-z0-9-]+(?![\w.-])")


def chain(stores: Stores) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return what the chain itself holds: actor, action, subject, details of every event."""
    with stores.database.read() as session:
        rows = session.execute(
            select(AuditEvent.actor, AuditEvent.action, AuditEvent.subject, AuditEvent.details).order_by(AuditEvent.id)
        )
        return [(row.actor, row.action, row.subject, row.details) for row in rows]


def happened(stores: Stores, *, actor: str = "x", subject: str = "s", details: dict[str, Any] | None = None) -> None:
    with stores.database.write() as session:
        audit.record(session, at=NOW, actor=actor, action="test.done", subject=subject, details=details)


def forget(stores: Stores, email: str) -> str:
    with stores.database.write() as session:
        person = session.scalars(select(Person).where(Person.email == email)).one()
        key = person_keys.key_of(session, person.id)
        person_keys.forget(session, key, now=NOW)
        person.email = "gone@gone.invalid"
    return key


def test_no_event_of_a_whole_year_holds_an_address_or_a_name_of_the_cast(stores: Stores) -> None:
    play_demo(stores, now=datetime(2026, 11, 3, 9, tzinfo=UTC))
    with stores.database.read() as session:
        names = list(session.scalars(select(Person.name)))

    held = [
        (action, canonical({"actor": actor, "subject": subject, **details}))
        for actor, action, subject, details in chain(stores)
    ]

    assert len(held) > 500
    for action, told in held:
        assert "@" not in _ROLE.sub("", told), (action, told)
        assert not any(name in told for name in names), (action, told)
    assert prove_trail(stores).broken is None


def test_a_person_is_named_by_one_key_everywhere_and_read_by_their_address(stores: Stores, cast: Cast) -> None:
    happened(
        stores,
        actor=cast.editor.email,
        subject=cast.reader.email,
        details={"to": [cast.editor.email, "nobody@example.org"], "role": "editor@payments"},
    )

    actor, _, subject, details = chain(stores)[-1]
    assert actor.startswith("P-")
    assert subject.startswith("P-")
    assert actor != subject
    assert details == {"to": [actor, UNKNOWN], "role": "editor@payments"}
    with stores.database.read() as session:
        read = next(audit.events(session))
    assert (read.actor, read.subject) == (cast.editor.email, cast.reader.email)
    assert read.details == {"to": [cast.editor.email, UNKNOWN], "role": "editor@payments"}
    assert (read.hashed.actor, read.hashed.subject, read.hashed.details) == (actor, subject, details)


def test_adding_and_renaming_a_person_tell_no_name(stores: Stores) -> None:
    add_person(stores, actor=OPERATOR, now=NOW, email="zoe@example.com", name="Zoe Quixote", roles=("reader",))
    rename_person(stores, actor=OPERATOR, now=NOW, email="zoe@example.com", name="Zoe Panza")

    assert not any("Quixote" in str(one) or "Panza" in str(one) for one in chain(stores))


def test_events_are_found_by_address_by_key_and_by_what_is_shown_of_somebody_forgotten(
    stores: Stores, cast: Cast
) -> None:
    happened(stores, actor=cast.editor.email, subject=cast.reader.email)
    key, _, reader_key, _ = chain(stores)[-1]

    def found(**wanted: Any) -> list[str]:
        page = list_audit_events(stores, actor=cast.admin, wanted=AuditFilter(action="test.", **wanted))
        return [one.actor for one in page.items]

    assert found(actor=cast.editor.email) == found(actor=key) == found(subject=reader_key) == [cast.editor.email]
    assert found(subject="unknown@example.org") == []

    assert forget(stores, cast.editor.email) == key
    shown = f"somebody forgotten ({key})"
    assert found(subject=cast.reader.email) == found(actor=shown) == found(actor=key) == [shown]
    assert found(actor=cast.editor.email) == []
    assert prove_trail(stores).broken is None


def test_a_new_person_of_a_forgotten_address_is_somebody_else(stores: Stores, cast: Cast) -> None:
    happened(stores, actor=cast.editor.email)
    former = forget(stores, cast.editor.email)
    add_person(stores, actor=OPERATOR, now=NOW, email=cast.editor.email, name="Another")
    happened(stores, actor=cast.editor.email)

    assert chain(stores)[-1][0] != former


def test_events_of_before_there_were_keys_hold_and_are_found_by_address(stores: Stores, cast: Cast) -> None:
    with stores.database.write() as session:
        previous = audit.head(session)
        assert previous is not None
        details = {"name": "Edda"}
        made = link_hash(previous.hash, NOW, cast.editor.email, "test.old", cast.editor.email, details)
        session.add(
            AuditEvent(
                at=NOW,
                actor=cast.editor.email,
                action="test.old",
                subject=cast.editor.email,
                details=details,
                previous_hash=previous.hash,
                hash=made,
            )
        )
    happened(stores, actor=cast.editor.email)

    assert prove_trail(stores).broken is None
    wanted = AuditFilter(actor=cast.editor.email, action="test.")
    page = list_audit_events(stores, actor=cast.admin, wanted=wanted)
    assert [one.action for one in page.items] == ["test.done", "test.old"]


def test_a_refusal_is_told_once_a_minute_where_its_subject_is_a_person_too(stores: Stores, cast: Cast) -> None:
    for subject in (cast.reader.email, "nobody@example.org"):
        tell = {"actor": cast.editor, "now": NOW, "did": f"see {subject}", "subject": subject, "why": "no"}
        assert record_denial(stores, **tell)  # type: ignore[arg-type]
        assert not record_denial(stores, **tell)  # type: ignore[arg-type]


@pytest.mark.parametrize("told", [{}, {"to": ["ben@example.com", "asha@example.com"], "why": "said rita@example.com"}])
def test_telling_an_event_costs_one_indexed_query_more(stores: Stores, cast: Cast, told: dict[str, Any]) -> None:
    happened(stores, actor=cast.editor.email, subject=cast.reader.email, details=told)

    def cost(actor: str, subject: str, details: dict[str, Any]) -> list[str]:
        asked: list[str] = []
        with stores.database.write() as session:
            connection = session.connection()
            event.listen(connection, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
            audit.record(session, at=NOW, actor=actor, action="test.done", subject=subject, details=details)
        return asked

    without = cost("x", "s", {})
    with_people = cost(cast.editor.email, cast.reader.email, told)
    more = [one for one in with_people if "person_key" in one]
    assert len(with_people) == len(without) + 1
    with stores.database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {more[0]}", ("a",) * more[0].count("?")).all()
    assert all("SEARCH" in row[3] for row in plan), plan
