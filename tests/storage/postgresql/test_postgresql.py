"""What is promised holds on PostgreSQL too, on a real server."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import delete, inspect, text

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.errors import BusyError, DamagedError, InvalidInputError, SopError
from sop_server.services.accounts.people import list_people
from sop_server.services.background import run_due
from sop_server.services.changes.tickets import get_ticket, upsert_ticket
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.library.reading import get_sop
from sop_server.services.library.searching import Query, search
from sop_server.services.participation.acknowledgements import acknowledge
from sop_server.services.participation.feedback import give_feedback, triage_feedback
from sop_server.services.participation.reviews import review_sop
from sop_server.services.publication.checking import check, synchronise
from sop_server.services.reports import reporting
from sop_server.services.reports.reporting import ReportRequest
from sop_server.services.stores import Stores
from sop_server.storage import counters, migrations, schema
from sop_server.storage.database import Database
from sop_server.storage.tables import (
    Revision,
    Table,
)
from tests.storage.postgresql.play import NOW, REPORTS, TEXT, approved, count, person, submitted
from tests.storage.postgresql.server import Server


def test_the_steps_lead_up_down_and_up_again(server: Server) -> None:
    database = Database(server.create(tables=False))
    assert not schema.is_current(database)

    schema.upgrade(database)
    schema.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]

    schema.upgrade(database)
    assert schema.is_current(database)
    database.close()


def test_the_main_job_from_a_draft_to_the_reports(stores: Stores, editor: Actor, approver: Actor) -> None:
    manager = person(stores, "mia", "manager")
    draft = submitted(stores, editor)
    first = approved(stores, approver, draft)
    assert (first.sop_id, first.revision, first.in_force) == ("SOP-0001", 1, True)

    said = TicketInput(title="A new limit", effective_at=NOW - timedelta(hours=1), sops=["SOP-0001"])
    kept = upsert_ticket(stores, actor=editor, now=NOW, source="jira", key="CHG-1", given=said)
    assert [one.state for one in kept.ticket.obligations] == ["pending"]
    given = DraftInput(
        content=TEXT.format(amount=500), change_summary="Pay 500.", significance="major", tickets=["jira:CHG-1"]
    )
    second = create_draft(stores, actor=editor, given=given, sop_id="SOP-0001", now=NOW)
    approved(stores, approver, submit_draft(stores, actor=editor, draft_id=second.id, now=NOW))
    ticket = get_ticket(stores, actor=editor, now=NOW, ticket_id=kept.ticket.id)
    assert [one.state for one in ticket.obligations] == ["met"]

    assert acknowledge(stores, actor=editor, now=NOW, sop_id="SOP-0001", revision=2).new
    told = give_feedback(
        stores, actor=editor, now=NOW, sop_id="SOP-0001", kind="unclear", what_happened="Step 1 is unclear."
    )
    triage_feedback(stores, actor=editor, now=NOW, feedback_id=told.id, outcome="sop_change")
    review_sop(stores, actor=editor, now=NOW, sop_id="SOP-0001", outcome="confirmed", note="Still so.")
    run_due(stores, now=NOW)
    assert [one.sop.sop_id for one in search(stores, actor=editor, query=Query(text="refund"), now=NOW).items] == [
        "SOP-0001"
    ]
    assert get_sop(stores, actor=editor, sop_id="SOP-0001", now=NOW).summary.revision == 2

    later = NOW + timedelta(days=20)
    asked = ReportRequest(at=later)
    made = {
        name: getattr(reporting, f"{name}_report")(stores, actor=manager, request=asked, now=later).body
        for name in REPORTS
    }
    assert (made["window"].whole.n, made["window"].whole.met) == (1, 1)
    assert made["staleness"] == ()
    assert made["knowledge"].knowledge == 1.0
    assert [item.done for item in made["knowledge"].items] == [1]
    assert (made["feedback"].due, made["feedback"].in_time) == (1, 1)
    assert made["coverage"].active == 0
    assert made["drift"].score >= 0
    assert check(stores, now=NOW).problems == ()


def test_people_are_found_in_any_case(stores: Stores, editor: Actor) -> None:
    found = list_people(stores, actor=OPERATOR, now=NOW, words="ASHA@Ex").items

    assert [one.email for one in found] == [editor.email]


def test_an_intent_that_never_reached_the_library_is_carried_out(
    stores: Stores, editor: Actor, approver: Actor
) -> None:
    draft = submitted(stores, editor)
    in_the_way = stores.home / "library.git" / "refs" / "intents"
    in_the_way.write_text("not a folder")
    with pytest.raises(SopError):
        approved(stores, approver, draft)
    in_the_way.unlink()
    assert count(stores, Revision) == 0

    told = run_due(stores, now=NOW)

    assert told[0] == "Published SOP-0001 r1, which had been approved."
    assert check(stores, now=NOW).problems == ()


def test_a_commit_that_was_never_recorded_is_recorded(stores: Stores, editor: Actor, approver: Actor) -> None:
    draft = submitted(stores, editor)
    with stores.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE revision ADD CONSTRAINT nothing CHECK (false) NOT VALID"))
    with pytest.raises(BusyError, match="approval is kept"):
        approved(stores, approver, draft)
    with stores.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE revision DROP CONSTRAINT nothing"))

    told = run_due(stores, now=NOW)

    assert told[0] == "Recorded SOP-0001 r1, which was on main already."
    assert check(stores, now=NOW).problems == ()


def test_a_projection_that_was_lost_is_made_again(stores: Stores, editor: Actor, approver: Actor) -> None:
    for amount in (1, 2):
        approved(stores, approver, submitted(stores, editor, amount=amount))
    rebuild_index(stores)
    before = get_sop(stores, actor=editor, sop_id="SOP-0001", now=NOW)
    with stores.database.write() as session:
        session.execute(delete(Revision))
    assert check(stores, now=NOW).problems

    told = synchronise(stores, now=NOW)

    assert sorted(told) == [f"The projection of SOP-000{number} r1 was made again." for number in (1, 2)]
    assert get_sop(stores, actor=editor, sop_id="SOP-0001", now=NOW) == before
    assert check(stores, now=NOW).problems == ()


def test_what_the_database_cannot_hold_is_told_to_who_sent_it(stores: Stores) -> None:
    with pytest.raises(InvalidInputError, match="cannot be stored"):
        list_people(stores, actor=OPERATOR, now=NOW, words="a\0b")


def test_a_server_that_cannot_be_reached_is_told(server: Server) -> None:
    database = Database(server.url("nowhere"))

    with pytest.raises(BusyError, match="SOP_DATABASE_URL"):
        schema.is_current(database)
    assert not database.ready()
    database.close()


def test_an_address_that_cannot_be_read_is_told() -> None:
    with pytest.raises(InvalidInputError, match="SOP_DATABASE_URL"):
        Database("postgresql+psycopg://localhost:port/sop")


def test_a_connection_that_the_server_ends_is_told_and_replaced(stores: Stores) -> None:
    end = text("SELECT pg_terminate_backend(:pid)")

    def write() -> None:
        with stores.database.write() as session:
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            with stores.database.read() as other:
                other.execute(end, {"pid": pid})
            counters.next_number(session, "sop")

    with pytest.raises(DamagedError):
        write()

    with stores.database.write() as session:
        assert counters.next_number(session, "sop") == 1
