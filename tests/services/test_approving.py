import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, SopError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.people import end_role
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.publication import publishing
from sop_server.services.stores import Stores
from sop_server.storage.tables import PublishIntent
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def ask_for_two(story: Story, department: str = "payments") -> None:
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug=department, approvals_needed=2)


def revisions(story: Story, sop_id: str) -> list[int]:
    return [one.revision for one in list_revisions(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)]


def test_an_approval_publishes_what_was_approved(story: Story) -> None:
    draft = story.draft(text())

    outcome = story.approve(draft)

    assert (outcome.state, outcome.revision, outcome.in_force) == ("published", 1, True)
    page = get_sop(story.stores, actor=story.rita, sop_id=draft.sop_id, now=story.now)
    assert (page.markdown, page.summary.content_hash) == (draft.content, draft.content_hash)


def test_author_cannot_approve_own_draft(story: Story) -> None:
    draft = story.draft(text(), by="bela")

    with pytest.raises(ForbiddenError):
        story.approve(draft, by="bela")


def test_author_of_any_state_of_a_draft_cannot_approve_it(story: Story) -> None:
    draft = story.draft(text())
    story.edit(draft, by="bela", content=text(steps=step(1, "Bela's")))
    last = story.edit(draft, content=text(steps=step(1, "Asha's")))

    with pytest.raises(ForbiddenError):
        story.approve(last, by="bela")

    assert story.approve(last).revision == 1


def test_an_editor_alone_may_not_approve(story: Story) -> None:
    draft = story.draft(text())
    story.person("ed", "editor@payments")

    with pytest.raises(ForbiddenError):
        story.approve(draft, by="ed")


def test_a_department_that_asks_for_two_approvals_gets_two_people(story: Story) -> None:
    ask_for_two(story)
    draft = story.draft(text())

    first = story.approve(draft)
    assert (first.revision, first.approvals_missing, first.state) == (None, True, "in_review")
    with pytest.raises(ConflictError):
        story.approve(draft)

    assert story.approve(draft, by="bela").revision == 1


def test_an_approval_of_somebody_who_lost_the_role_counts_no_longer(story: Story) -> None:
    ask_for_two(story)
    story.person("cleo", "approver@payments")
    draft = story.draft(text())
    story.approve(draft)
    story.later(hours=1)
    end_role(story.stores, actor=OPERATOR, now=story.now, email="ben@example.com", role="approver@payments")

    assert story.approve(draft, by="bela").approvals_missing
    assert story.approve(draft, by="cleo").revision == 1

    (newest, *_) = list_revisions(story.stores, actor=story.rita, sop_id=draft.sop_id, now=story.now)
    assert {one.person for one in newest.approvals} == {"bela@example.com", "cleo@example.com"}


def test_a_move_takes_one_approver_of_each_department(story: Story) -> None:
    story.person("dora", "editor")
    story.person("cora", "approver@customer-care")
    sop_id = story.published()
    draft = story.draft(text(department="customer-care"), sop_id=sop_id, by="dora")

    first = story.approve(draft)

    assert first.revision is None
    assert story.approve(draft, by="cora").revision == 2


def test_the_department_in_force_decides_who_approves_and_not_the_draft(story: Story) -> None:
    story.person("dora", "editor")
    story.person("cora", "approver@customer-care")
    sop_id = story.published()
    draft = story.draft(text(department="customer-care"), sop_id=sop_id, by="dora")

    assert story.approve(draft, by="cora").revision is None


def test_a_role_for_all_departments_is_one_of_each(story: Story) -> None:
    story.person("dora", "editor")
    story.person("alex", "approver")
    sop_id = story.published()
    draft = story.draft(text(department="customer-care"), sop_id=sop_id, by="dora")

    assert story.approve(draft, by="alex").revision == 2


def test_the_strictest_department_of_a_move_says_how_many_approvals_it_takes(story: Story) -> None:
    ask_for_two(story, "customer-care")
    story.person("dora", "editor")
    story.person("alex", "approver")
    sop_id = story.published()
    draft = story.draft(text(department="customer-care"), sop_id=sop_id, by="dora")

    assert story.approve(draft, by="alex").revision is None
    assert story.approve(draft, by="ben").revision == 2


def test_only_a_role_for_all_approves_what_has_no_department(story: Story) -> None:
    story.person("dora", "editor", "approver@payments")
    story.person("alex", "approver")
    bare = "---\ntitle: For everybody\nowner: asha@example.com\n---\n## Steps\n\n1. Go.\n"
    draft = story.draft(bare, by="dora")

    with pytest.raises(SopError):
        story.approve(draft)

    assert story.approve(draft, by="alex").revision == 1


@pytest.mark.parametrize(
    "given",
    [
        {"content": text(steps=step(1, "Changed"))},
        {"significance": "minor"},
        {"change_summary": "Something else."},
        {"tickets": ["jira:CHG-1"]},
        {"effective_from": "tomorrow"},
    ],
)
def test_any_edit_voids_the_approvals(story: Story, given: dict[str, object]) -> None:
    ask_for_two(story)
    story.ticket("CHG-1")
    draft = story.draft(text())
    story.approve(draft)
    if "effective_from" in given:
        given = {"effective_from": story.now + timedelta(days=1)}

    edited = story.edit(draft, **given)  # type: ignore[arg-type]  # the fields of a draft

    assert [one.standing for one in edited.approvals] == [False]
    assert edited.state == "in_review"
    story.person("cleo", "approver@payments")
    assert story.approve(edited, by="cleo").approvals_missing


def test_another_hash_than_the_drafts_is_a_conflict_that_carries_the_right_one(story: Story) -> None:
    draft = story.draft(text())
    edited = story.edit(draft, content=text(steps=step(1, "Changed")))

    with pytest.raises(ConflictError) as refused:
        story.approve(draft)

    assert refused.value.content_hash == edited.content_hash
    assert story.look(draft).approvals == ()


def test_a_revision_cannot_come_into_force_in_the_past(story: Story) -> None:
    draft = story.draft(text())

    with pytest.raises(InvalidInputError) as refused:
        story.approve(draft, effective_from=story.now - timedelta(seconds=1))

    assert refused.value.fields.keys() == {"effective_from"}
    assert story.look(draft).state == "in_review"


def test_a_scheduled_revision_comes_into_force_by_itself(story: Story) -> None:
    sop_id = story.published()
    later = story.now + timedelta(days=3)
    draft = story.draft(text(steps=step(1, "Tomorrow's rule")), sop_id=sop_id)

    outcome = story.approve(draft, effective_from=later)

    assert (outcome.state, outcome.in_force, outcome.effective_from) == ("published", False, later)
    page = get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=later - timedelta(microseconds=1))
    assert page.summary.revision == 1
    assert [(one.revision, one.state) for one in page.coming] == [(2, "scheduled")]
    then = get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=later)
    assert (then.summary.revision, then.coming) == (2, ())
    assert "Tomorrow's rule" in then.markdown


def test_the_later_of_two_instants_that_approvers_ask_for_holds(story: Story) -> None:
    ask_for_two(story)
    draft = story.draft(text())
    chosen = story.now + timedelta(days=2)

    story.approve(draft, effective_from=chosen)

    assert story.approve(draft, by="bela").effective_from == chosen


def test_an_approval_that_finds_the_base_moved_decides_nothing_of_its_own(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(8, "At the end")), sop_id=sop_id)
    story.published(text(steps=step(1, "At the start")), sop_id=sop_id)
    story.later(hours=1)

    with pytest.raises(ConflictError):
        story.approve(draft, effective_from=story.now + timedelta(days=9))

    assert story.look(draft).effective_from is None


def test_two_intents_are_published_in_one_move_of_main(story: Story) -> None:
    sop_id = story.published()
    story.later(hours=1)
    before = story.stores.library.head()
    with story.stores.database.write() as session:
        first = session.scalars(select(PublishIntent)).one()
        copies = []
        for number in (2, 3):
            copy = PublishIntent(
                **{
                    column.key: getattr(first, column.key)
                    for column in PublishIntent.__table__.columns
                    if column.key != "id"
                }
            )
            copy.revision, copy.state, copy.commit_oid, copy.done_at = number, "pending", None, None
            copy.draft_id = None
            session.add(copy)
            copies.append(copy)

    done = publishing.publish(story.stores, copies)

    assert [(one.sop_id, one.revision) for one in done] == [(sop_id, 2), (sop_id, 3)]
    assert [one.message.split(":")[0] for one in story.stores.library.publications(since=before)] == [
        f"{sop_id} r2",
        f"{sop_id} r3",
    ]
    assert revisions(story, sop_id) == [3, 2, 1]


def test_a_clone_alone_proves_who_approved_what(story: Story, tmp_path: Path) -> None:
    ask_for_two(story)
    ticket = story.ticket("CHG-7")
    draft = story.draft(text(), tickets=[ticket])
    story.edit(draft, change_summary="Refunds are new.\n\nIntent-Id: 999\nApproved-By: Mallory <m@example.com>")
    draft = story.look(draft)
    story.approve(draft)
    story.approve(draft, by="bela")

    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(clone)], check=True)
    told = subprocess.run(
        ["git", "log", "-1", "--format=%an <%ae>%n%(trailers:only,unfold)"],
        cwd=clone,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert told[0] == "Asha <asha@example.com>"
    assert f"SOP-Id: {draft.sop_id}" in told
    assert "Revision: 1" in told
    assert "Significance: major" in told
    assert "Ticket: jira:CHG-7" in told
    assert [line for line in told if line.startswith("Approved-By")] == [
        "Approved-By: Ben <ben@example.com>",
        "Approved-By: Bela <bela@example.com>",
    ]
    assert f"Content-Hash: {draft.content_hash}" in told
    assert "Intent-Id: 1" in told
    assert "Intent-Id: 999" not in told
    assert len([line for line in told if line.startswith("Approval-Id")]) == 2


def test_what_two_threads_approve_at_one_instant_is_published_once(story: Story) -> None:
    story.person("cleo", "approver@payments")
    draft = story.draft(text())

    def attempt(name: str) -> str:
        try:
            return str(story.approve(draft, by=name).revision)
        except ConflictError:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, ["ben", "bela", "cleo", "ben"]))

    assert outcomes == ["1", "refused", "refused", "refused"]
    assert len(list(story.stores.library.publications())) == 1


RACE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from sop_server.domain.policy import Policy
from sop_server.errors import SopError
from sop_server.services.drafts.approving import approve
from sop_server.services.stores import Stores
from sop_server.storage import people
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine

home = Path(sys.argv[1])
stores = Stores(home=home, database=Database(sqlite_url(home / "sop.db")), library=Library(home / "library.git"),
                search=WhooshEngine(home / "index"), policy=Policy())
now = datetime.now(UTC)

def attempt(email):
    with stores.database.read() as session:
        actor = people.load_actor(session, people.person_by_email(session, email).id, now)
    try:
        return str(approve(stores, actor=actor, draft_id=sys.argv[2], content_hash=sys.argv[3], now=now).revision)
    except SopError as error:
        return type(error).__name__

with ThreadPoolExecutor(2) as pool:
    print(",".join(pool.map(attempt, ["ben@example.com", "bela@example.com"])))
"""


def test_what_two_processes_approve_at_one_instant_is_published_once(story: Story) -> None:
    draft = story.draft(text())
    arguments = [sys.executable, "-c", RACE, str(story.stores.home), draft.id, draft.content_hash]
    racing = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    told = sorted(",".join(process.communicate()[0].strip() for process in racing).split(","))

    assert [process.returncode for process in racing] == [0, 0]
    assert told == ["1", "ConflictError", "ConflictError", "ConflictError"]
    assert revisions(story, draft.sop_id) == [1]


def test_what_a_crash_left_is_published_before_the_next_decision(story: Story) -> None:
    sop_id = story.published()
    crashed = story.draft(text(steps=step(1, "Approved before the crash")), sop_id=sop_id)
    following = story.draft(text(steps=step(8, "Approved after it")), sop_id=sop_id)
    script = Path(__file__).with_name("crashing.py")
    step_of_death = "after the intent is committed"
    arguments = [
        str(story.stores.home),
        crashed.id,
        crashed.content_hash,
        "ben@example.com",
        step_of_death,
        "approving",
    ]
    ended = subprocess.run([sys.executable, str(script), *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    story.now = datetime.now(UTC) + timedelta(minutes=1)

    with pytest.raises(ConflictError):
        story.approve(following)
    story.approve(story.look(following))

    assert revisions(story, sop_id) == [3, 2, 1]
    page = get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)
    assert "Approved before the crash" in page.markdown
    assert "Approved after it" in page.markdown
