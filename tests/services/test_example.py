from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.deviations import state
from sop_server.domain.doers import OPERATOR
from sop_server.domain.policy import Policy
from sop_server.domain.standing import standing
from sop_server.resources import resource
from sop_server.services.accounts.people import end_role
from sop_server.services.accounts.sign_in import sign_in
from sop_server.services.demonstration.demo import DemoPerson, play_demo
from sop_server.services.demonstration.demo_stage import PASSWORD
from sop_server.services.demonstration.example import load_example
from sop_server.services.library.indexing import index_due
from sop_server.services.publication.checking import check
from sop_server.services.reports.report_shapes import REPORTS, shape_of
from sop_server.services.reports.reporting import ReportRequest
from sop_server.services.stores import Stores
from sop_server.storage import audit, broken_glass, deviations, drafts, people, schema, sops
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.facts import load_facts
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine
from tests.services.conftest import NOW, Cast

PLAYED_TO = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LONG_AGO = timedelta(days=366)


@dataclass(frozen=True)
class Demo:
    stores: Stores
    cast: tuple[DemoPerson, ...]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo")
    (home / "index").mkdir()
    database = Database(sqlite_url(home / "sop.db"))
    schema.upgrade(database)
    library = Library.create(home / "library.git", resource("hooks"))
    search = WhooshEngine(home / "index")
    stores = Stores(
        home=home, database=database, library=library, search=search, policy=Policy(), clock=lambda: PLAYED_TO
    )
    yield Demo(stores, play_demo(stores, now=PLAYED_TO))
    search.close()
    library.close()
    database.close()


def test_the_example_library_comes_in_force_with_its_registers(stores: Stores, cast: Cast) -> None:
    loaded = load_example(stores, actor=cast.admin, now=NOW)
    assert loaded is not None
    assert loaded.sops == len(list(resource("sops").glob("[!_]*/*.md"))) >= 28
    with stores.database.read() as session:
        rows = sops.in_force_rows(session, NOW)
        known = {facts.row.email for facts in people.people(session, NOW)}
    assert len(rows) == loaded.sops
    assert {row.owner for row in rows} | {row.deputy for row in rows} <= known
    assert all(not row.path.startswith("_") for row in rows)
    index_due(stores, now=NOW)
    assert check(stores, now=NOW).problems == ()


def test_loading_the_example_again_changes_nothing_even_what_people_undid(stores: Stores, cast: Cast) -> None:
    load_example(stores, actor=cast.admin, now=NOW)
    end_role(stores, actor=OPERATOR, now=NOW, email="asha.kulkarni@example.com", role="editor@payments")
    head = stores.library.head()
    assert load_example(stores, actor=cast.admin, now=NOW + timedelta(days=1)) is None
    with stores.database.read() as session:
        newest = next(audit.events(session, limit=1))
    assert (stores.library.head(), newest.action) == (head, "role.ended")


def test_the_demonstration_has_obligations_in_every_state(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        found = standing(load_facts(session, PLAYED_TO)).obligations
    assert Counter(status.state.value for status in found) == {
        "met": 31,
        "late": 3,
        "breached": 2,
        "pending": 3,
        "upcoming": 2,
        "not_needed": 2,
        "void": 1,
    }


def test_the_demonstration_has_open_drafts_in_every_state_and_one_revision_to_come(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        states = Counter(draft.state for draft in drafts.draft_rows(session))
        coming = [row for row in sops.all_rows(session) if row.effective_from > PLAYED_TO]
    assert {state: count for state, count in states.items() if state != "published"} == {
        "draft": 1,
        "in_review": 2,
        "changes_requested": 1,
    }
    assert [(row.sop_id, row.effective_from - PLAYED_TO) for row in coming] == [("SOP-0007", timedelta(days=3))]


def test_everything_in_the_demonstration_was_recorded_when_it_happened(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        rows = sops.all_rows(session)
        times = [event.at for event in audit.events(session, limit=100_000)]
    assert all(row.recorded_at == row.approved_at for row in rows)
    assert times == sorted(times, reverse=True)
    assert times[-1] == PLAYED_TO - LONG_AGO


def test_authors_never_approved_their_own_texts_in_the_demonstration(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        intents = drafts.done_intents(session)
    assert len(intents) > 70
    for intent in intents:
        assert not set(intent.authors) & {str(approval["email"]) for approval in intent.approvals}


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_answers_at_any_instant_of_the_demonstration(demo: Demo, name: str) -> None:
    for days in (400, 366, 350, 200, 90, 30, 3, 0):
        at = PLAYED_TO - timedelta(days=days)
        shape = shape_of(demo.stores, name=name, actor=OPERATOR, request=ReportRequest(at=at), now=PLAYED_TO)
        assert shape["at"].startswith(f"{at:%Y-%m-%dT%H}")
    if name == "drift":
        assert shape["score"] == 7.0
        assert {cap["limit"] for cap in shape["caps"]} == {7.0}


def test_everybody_in_the_demonstration_signs_in_with_the_printed_password(demo: Demo) -> None:
    assert {person.roles for person in demo.cast} >= {"reader", "manager", "admin"}
    for person in demo.cast[:2]:
        assert sign_in(demo.stores, email=person.email, password=PASSWORD, address="127.0.0.1", now=PLAYED_TO)


def test_the_demonstration_proves_whole(demo: Demo) -> None:
    while index_due(demo.stores, now=PLAYED_TO):
        pass
    assert check(demo.stores, now=PLAYED_TO).problems == ()


def test_one_deviation_is_over_one_in_force_and_one_waits(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        states = {fact.sop_id: state(fact, PLAYED_TO).value for fact in deviations.facts(session, PLAYED_TO)}
    assert states == {"SOP-0018": "ended", "SOP-0005": "in_force", "SOP-0010": "proposed"}


def test_one_person_published_alone_this_day_and_a_department_signs(demo: Demo) -> None:
    with demo.stores.database.read() as session:
        (glass,) = broken_glass.facts(session, PLAYED_TO)
        signed = {
            intent.sop_id
            for intent in drafts.done_intents(session)
            if any(one["signature"] for one in intent.approvals)
        }
    assert (glass.sop_id, glass.revision, glass.state(PLAYED_TO).value) == ("SOP-0029", 5, "waiting")
    assert signed == {"SOP-0027", "SOP-0028"}
