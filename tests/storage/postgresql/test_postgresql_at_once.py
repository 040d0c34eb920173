"""What several do at the same instant on PostgreSQL: nothing is lost, and nothing is done twice."""

from datetime import timedelta

from sqlalchemy import func, select, text

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.errors import SopError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.sign_in import sign_in
from sop_server.services.changes.tickets import get_ticket, upsert_ticket
from sop_server.services.drafts.approving import Approved
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.library.reading import list_revisions
from sop_server.services.library.searching import Query, search
from sop_server.services.participation.acknowledgements import acknowledge
from sop_server.services.publication.checking import check
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.storage import audit, counters, schema
from sop_server.storage.database import Database
from sop_server.storage.tables import (
    Acknowledgement,
    AuditEvent,
    Finding,
    MissedSearch,
    Person,
    SignInFailure,
    TicketVersion,
)
from tests.storage.postgresql.play import NOW, approved, at_once, count, person, submitted
from tests.storage.postgresql.server import Server


def test_who_writes_is_alone_and_leaves_nothing_behind(stores: Stores) -> None:
    held = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with stores.database.write() as writer:
        assert writer.scalar(text("SHOW lock_timeout")) == "15s"
        assert writer.scalar(text("SHOW transaction_isolation")) == "read committed"
        with stores.database.read() as reader:
            assert reader.scalar(held) == 1

    with stores.database.read() as reader:
        assert reader.scalar(held) == 0
        assert reader.scalar(text("SHOW lock_timeout")) == "0"
        assert reader.scalar(text("SHOW transaction_isolation")) == "repeatable read"


def test_who_reads_sees_one_state_while_others_write(stores: Stores) -> None:
    with stores.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
        person(stores, "asha", "editor")
        assert session.scalar(select(func.count()).select_from(Person)) == 0

    assert count(stores, Person) == 1


def test_the_audit_chain_holds_when_four_write_at_once(stores: Stores) -> None:
    def write(name: str) -> None:
        for number in range(10):
            with stores.database.write() as session:
                audit.record(session, at=NOW, actor=name, action="test.done", subject=str(number))

    at_once(*[lambda name=name: write(name) for name in "abcd"])

    with stores.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 40
        assert audit.first_broken_link(session) is None


def test_no_number_is_given_twice_and_none_is_lost(stores: Stores) -> None:
    numbers: list[int] = []

    def take() -> None:
        for _ in range(10):
            with stores.database.write() as session:
                numbers.append(counters.next_number(session, "sop"))

    assert at_once(take, take, take, take) == [None] * 4

    assert sorted(numbers) == list(range(1, 41))


def test_of_two_who_approve_at_one_instant_one_publishes(stores: Stores, editor: Actor, approver: Actor) -> None:
    other = person(stores, "bela", "approver")
    draft = submitted(stores, editor)

    told = at_once(lambda: approved(stores, approver, draft), lambda: approved(stores, other, draft))

    assert sorted(type(one).__name__ for one in told) == ["Approved", "ConflictError"]
    assert [one.revision for one in list_revisions(stores, actor=editor, sop_id=draft.sop_id, now=NOW)] == [1]


def test_two_approvals_that_are_needed_publish_once(stores: Stores, editor: Actor, approver: Actor) -> None:
    other = person(stores, "bela", "approver")
    set_rules(stores, actor=OPERATOR, now=NOW, slug="payments", approvals_needed=2)
    draft = submitted(stores, editor)

    told = at_once(lambda: approved(stores, approver, draft), lambda: approved(stores, other, draft))

    assert sorted(one.approvals_missing for one in told if isinstance(one, Approved)) == [False, True]
    assert [one.revision for one in list_revisions(stores, actor=editor, sop_id=draft.sop_id, now=NOW)] == [1]
    assert check(stores, now=NOW).notes == ("1 items wait in the outbox; the server works them off.",)


def test_one_ticket_that_is_sent_four_times_at_once_is_one(stores: Stores, editor: Actor, approver: Actor) -> None:
    sops = [approved(stores, approver, submitted(stores, editor, amount=amount)).sop_id for amount in (1, 2)]

    def send(sop_id: str) -> str:
        said = TicketInput(title="A new limit", effective_at=NOW, sops=[sop_id])
        return upsert_ticket(stores, actor=editor, now=NOW, source="jira", key="CHG-1", given=said).ticket.id

    told = at_once(*[lambda sop_id=sop_id: send(sop_id) for sop_id in (*sops, *sops)])

    assert told == ["TKT-0001"] * 4
    ticket = get_ticket(stores, actor=editor, now=NOW, ticket_id="TKT-0001")
    assert sorted(one.sop_id or "" for one in ticket.obligations) == sops
    assert count(stores, TicketVersion) == 1


def test_what_two_say_for_the_first_time_at_once_is_kept_once(stores: Stores, editor: Actor, approver: Actor) -> None:
    sop_id = approved(stores, approver, submitted(stores, editor)).sop_id
    rebuild_index(stores)
    nothing = Query(text="zeppelin")

    def read() -> bool:
        return acknowledge(stores, actor=editor, now=NOW, sop_id=sop_id, revision=1).new

    def miss() -> int:
        return search(stores, actor=editor, query=nothing, now=NOW).total

    def join() -> str:
        return person(stores, "new", "reader@brand-new", teams=("brand-new",)).email

    assert sorted(map(str, at_once(read, read, read, read))) == ["False", "False", "False", "True"]
    assert at_once(miss, miss, miss, miss) == [0] * 4
    assert at_once(join, join, join) == ["new@example.com"] * 3
    assert count(stores, Acknowledgement) == 1
    with stores.database.read() as session:
        assert [(row.words, row.times) for row in session.scalars(select(MissedSearch))] == [("zeppelin", 4)]


def test_a_burst_of_sign_ins_does_not_slip_under_the_limit(stores: Stores, editor: Actor) -> None:
    def guess() -> str:
        return sign_in(stores, email=editor.email, password="wrong", address="192.0.2.1", now=NOW)

    told = at_once(*[guess] * 12)

    assert all(isinstance(one, SopError) for one in told)
    assert count(stores, SignInFailure) == 10


def test_two_scans_at_once_open_each_finding_once(stores: Stores, editor: Actor, approver: Actor) -> None:
    approved(stores, approver, submitted(stores, editor))
    later = NOW + timedelta(days=400)

    told = at_once(lambda: scan(stores, now=later), lambda: scan(stores, now=later))

    with stores.database.read() as session:
        keys = list(session.scalars(select(Finding.key)))
    assert keys
    assert len(keys) == len(set(keys))
    assert sorted(told, key=str) == [(0, 0), (len(keys), 0)]


def test_two_that_move_a_database_up_at_once_do_no_harm(server: Server) -> None:
    url = server.create(tables=False)
    databases = [Database(url) for _ in range(3)]

    told = at_once(*[lambda database=database: schema.upgrade(database) for database in databases])

    assert told == [None] * 3
    assert all(schema.is_current(database) for database in databases)
    for database in databases:
        database.close()
