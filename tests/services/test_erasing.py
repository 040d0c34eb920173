"""Erasing a person: who they are is gone, what they did and every report stays, and the chain holds."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import (
    deactivate_person,
    get_person,
    reactivate_person,
    rename_person,
)
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.sign_in import create_sign_in_link, use_sign_in_link
from sop_server.services.accounts.signing import Attempt
from sop_server.services.accounts.tokens import create_token
from sop_server.services.drafts.approving import approve
from sop_server.services.leaving.approving_together import approve_together
from sop_server.services.leaving.departing import leave
from sop_server.services.leaving.planning import Successors
from sop_server.services.library.reading import list_revisions
from sop_server.services.participation.acknowledgements import acknowledge
from sop_server.services.participation.feedback import give_feedback
from sop_server.services.privacy.erasing import erase, erase_again, forgotten_keys, look
from sop_server.services.reports.reporting import (
    ReportRequest,
    coverage_report,
    drift_report,
    knowledge_report,
    staleness_report,
)
from sop_server.services.stores import Stores
from sop_server.services.trail.events import AuditFilter, list_audit_events
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import audit, person_keys
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.missed_searches import keep_missed_search, missed_searches
from sop_server.storage.tables import Acknowledgement, Feedback, Person, SignInFailure, Table
from tests.services.leaver import ASHA, Play, made
from tests.services.story import Story, text

STAYS = {"publish_intent", "revision", "former_owner"}
"""What the database keeps of a text or a commit of the library, which holds it anyway."""


@pytest.fixture
def play(stores: Stores) -> Play:
    """Asha acknowledged, reported, came in and left; what she held is handed over."""
    play = made(stores)
    asha, now = play.story.asha, play.story.now
    acknowledge(stores, actor=asha, now=now, sop_id="SOP-0003", revision=1)
    give_feedback(stores, actor=asha, now=now, sop_id="SOP-0003", kind="unclear", what_happened="Which screen?")
    give_feedback(
        stores, actor=play.story.rita, now=now, sop_id="SOP-0001", kind="outdated", what_happened="Ask Asha about it."
    )
    link = create_sign_in_link(stores, actor=OPERATOR, now=now, email=ASHA)
    use_sign_in_link(stores, token=link, now=now, address="203.0.113.7", user_agent="Mozilla/5.0 Firefox/140.0")
    create_token(stores, actor=play.story.ada, now=now, email=ASHA)
    with stores.database.write() as session:
        session.add(SignInFailure(email=f"code {ASHA}", address="203.0.113.0", at=now))
    play.leave()
    approve_together(stores, actor=play.story.ben, now=play.story.now, chosen=play.together())
    play.story.later(hours=1)
    return play


def erase_asha(play: Play) -> str:
    found = erase(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA, typed=ASHA)
    return found.key


def reports(stores: Stores, at: datetime, now: datetime) -> list[str]:
    """Return what the reports that depend on people say as of an instant."""
    asked = ReportRequest(at=at)
    return [
        repr(report(stores, actor=OPERATOR, request=asked, now=now).body)
        for report in (staleness_report, knowledge_report, coverage_report, drift_report)
    ]


def holding(stores: Stores, *words: str) -> set[str]:
    """Return the tables in which any of the words stands anywhere."""
    found: set[str] = set()
    with stores.database.read() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(select(table)):
                if any(word in json.dumps(list(row), default=str).lower() for word in words):
                    found.add(table.name)
    return found


def test_a_name_is_looked_for_as_a_word_and_however_it_is_stored(play: Play) -> None:
    story, stores = play.story, play.stores
    story.person("zoe")
    rename_person(stores, actor=OPERATOR, now=story.now, email="zoe@example.com", name="Zoë")
    deactivate_person(stores, actor=OPERATOR, now=story.now, email="zoe@example.com")
    with stores.database.write() as session:
        for words in ("zoë", "zoës", "ask zoë"):
            keep_missed_search(session, words, now=story.now)
        for reason in ("Zoë is away.", "Zoës."):
            audit.record(
                session, at=story.now, actor="scan", action="x", subject="SOP-0001", details={"reason": reason}
            )

    found = erase(stores, actor=story.ada, now=story.now, email="zoe@example.com", typed="zoe@example.com")

    assert [one.table for one in found.mentions] == ["audit_event"]
    with stores.database.read() as session:
        assert [one.words for one in missed_searches(session)] == ["zoës"]


def test_nothing_says_who_it_was_but_what_the_library_holds_and_what_is_told(play: Play) -> None:
    told = look(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA)
    assert {(one.table, one.column) for one in told.mentions} == {
        ("draft", "change_summary"),
        ("feedback", "what_happened"),
    }
    assert told.in_texts

    key = erase_asha(play)

    assert holding(play.stores, ASHA) == STAYS
    assert holding(play.stores, "asha") == STAYS | {"feedback"}
    assert holding(play.stores, "203.0.113") == set()
    with play.stores.database.read() as session:
        person = session.scalars(select(Person).where(Person.erased_at.is_not(None))).one()
        assert (person.name, person.password_hash) == (f"former colleague {key}", None)
        assert session.scalars(select(Feedback).where(Feedback.reporter_id == person.id)).one()
        assert session.scalars(select(Acknowledgement).where(Acknowledgement.person_id == person.id)).one()


def test_the_chain_holds_and_tells_of_somebody_forgotten(play: Play) -> None:
    before = list_audit_events(
        play.stores, actor=play.story.ada, wanted=AuditFilter(actor=ASHA, action="sop."), limit=200
    )
    assert before.items

    key = erase_asha(play)

    assert prove_trail(play.stores).broken is None
    after = list_audit_events(
        play.stores, actor=play.story.ada, wanted=AuditFilter(actor=key, action="sop."), limit=200
    )
    assert [one.hash for one in after.items] == [one.hash for one in before.items]
    assert {one.actor for one in after.items} == {f"somebody forgotten ({key})"}
    with play.stores.database.read() as session:
        newest = next(audit.events(session, action="person."))
    assert (newest.action, newest.subject) == ("person.erased", f"somebody forgotten ({key})")


def test_reports_of_any_instant_say_what_they_said(play: Play, tmp_path: Path) -> None:
    now = play.story.now
    instants = [*(now.replace(hour=hour, minute=30) for hour in (9, 10)), now]
    before = [reports(play.stores, at, now) for at in instants]
    assert len({several[0] for several in before}) > 1

    key = erase_asha(play)

    def told(stores: Stores) -> list[list[str]]:
        # The register calls her by the pseudonym; nothing else is another.
        found = [reports(stores, at, now) for at in instants]
        return [[text.replace(f"{key.lower()}@erased.invalid", ASHA) for text in several] for several in found]

    assert told(play.stores) == before
    # And in a process that has read nothing yet.
    anew = Database(sqlite_url(play.stores.home / "sop.db"), clock=lambda: now)
    fresh = Stores(
        home=play.stores.home,
        database=anew,
        library=play.stores.library,
        search=play.stores.search,
        policy=play.stores.policy,
        clock=play.stores.clock,
    )
    assert told(fresh) == before
    anew.close()


def test_nobody_is_erased_by_a_slip_or_too_early(play: Play) -> None:
    given = {"actor": play.story.ada, "now": play.story.now}
    with pytest.raises(InvalidInputError) as refused:
        erase(play.stores, **given, email=ASHA, typed="ben@example.com")  # type: ignore[arg-type]
    assert set(refused.value.fields) == {"typed"}
    with pytest.raises(ConflictError, match="still active"):
        erase(play.stores, **given, email="ben@example.com", typed="ben@example.com")  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        erase(play.stores, **given, email="nobody@example.com", typed="nobody@example.com")  # type: ignore[arg-type]
    with pytest.raises(ForbiddenError):
        erase(play.stores, actor=play.story.mia, now=play.story.now, email=ASHA, typed=ASHA)
    assert get_person(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA).name == "Asha"


def test_somebody_whom_a_sop_in_force_names_is_handed_over_first(stores: Stores) -> None:
    play = made(stores)
    play.leave()

    with pytest.raises(ConflictError, match="SOP-0001, SOP-0002 still name Asha"):
        erase_asha(play)


def test_the_history_of_a_sop_calls_its_author_by_the_pseudonym(play: Play) -> None:
    key = erase_asha(play)

    shown = list_revisions(play.stores, actor=play.story.rita, sop_id=play.sops[0], now=play.story.now)
    # The hand-over is the server's doing.
    assert [one.author_name for one in shown] == ["sop-server", f"former colleague {key}"]


def test_an_erased_person_stays_erased_and_their_address_is_free(play: Play) -> None:
    key = erase_asha(play)
    address = f"{key.lower()}@erased.invalid"

    with pytest.raises(ConflictError, match="was erased"):
        reactivate_person(play.stores, actor=play.story.ada, now=play.story.now, email=address)
    with pytest.raises(ConflictError, match="erased already"):
        erase(play.stores, actor=play.story.ada, now=play.story.now, email=address, typed=address)
    again = play.story.person("asha", "reader@payments")
    with play.stores.database.read() as session:
        assert person_keys.key_of(session, again.person_id) != key


def test_who_was_erased_is_erased_again_in_a_restored_backup(play: Play) -> None:
    with play.stores.database.read() as session:
        person = session.scalars(select(Person).where(Person.email == ASHA)).one()
        key = person_keys.key_of(session, person.id)
    # An older backup knows her still; the list of keys was kept outside of it.
    kept = f"{key} 2026-03-02T12:00:00Z\nP-AAAAAAAAAAAAAAAA 2026-01-01T00:00:00Z\n"

    done = erase_again(
        play.stores, actor=OPERATOR, now=play.story.now, keys=list(dict.fromkeys(kept.replace("\n", " ").split()))
    )

    assert done.erased == (key,)
    assert [one for one, _ in forgotten_keys(play.stores, actor=OPERATOR)] == [key]
    assert holding(play.stores, ASHA) == STAYS
    assert erase_again(play.stores, actor=OPERATOR, now=play.story.now, keys=[key]).erased == ()


def test_who_is_active_in_a_restored_backup_is_named(stores: Stores) -> None:
    play = made(stores)
    with stores.database.read() as session:
        key = person_keys.key_of(session, play.story.asha.person_id)

    done = erase_again(stores, actor=OPERATOR, now=play.story.now, keys=[key])

    assert done.erased == ()
    assert [email for email, _ in done.waiting] == [ASHA]


def test_pages_call_whom_a_commit_names_by_the_pseudonym(stores: Stores) -> None:
    story = Story(stores)
    story.person("ada", "admin", "approver@payments")
    set_rules(stores, actor=OPERATOR, now=story.now, slug="payments", signature=True)
    draft = story.draft(text("Refunds"))
    sop_id = draft.sop_id
    words = "four quiet green parrots"
    set_password(stores, actor=OPERATOR, now=story.now, email="ben@example.com", password=words)
    approve(
        stores,
        actor=story.ben,
        draft_id=draft.id,
        content_hash=draft.content_hash,
        now=story.now,
        attempt=Attempt(Seal("a key"), "203.0.113.7", password=words),
    )
    ada, ben = story.people["ada"], "ben@example.com"
    leave(stores, actor=ada, now=story.now, email=ben, successors=Successors())

    key = erase(stores, actor=ada, now=story.now, email=ben, typed=ben).key

    (told,) = list_revisions(stores, actor=story.rita, sop_id=sop_id, now=story.now)
    (approval,) = told.approvals
    assert approval.signature is not None
    assert approval.name == approval.signature.name == f"former colleague {key}"
    assert approval.person == f"{key.lower()}@erased.invalid"
    assert told.author == "asha@example.com"
    assert "ben" not in str(told).lower()
