"""Anchors: the head of the audit chain in the library's tags, and what a forger cannot hide from them."""

import sqlite3
import subprocess
from datetime import timedelta

import pytest

from sop_server.domain.audit_chain import GENESIS, TrailEvent, link_hash
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.people import add_person
from sop_server.services.background import ANCHOR_EVERY, run_due
from sop_server.services.publication.backing_up import back_up
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.services.trail.anchoring import anchor_head, anchors, head_now
from sop_server.services.trail.proving import WHOLE_EVERY, prove_trail, recent_proof
from sop_server.storage import audit
from tests.services.conftest import NOW
from tests.services.story import Story, text


@pytest.fixture
def story(stores: Stores) -> Story:
    made = Story(stores)
    made.published(text("Refunds"))
    run_due(made.stores, now=made.now)
    return made


def tags(stores: Stores) -> list[str]:
    return sorted(stores.library.tags("audit-"))


def events(story: Story) -> list[TrailEvent]:
    with story.stores.database.read() as session:
        return list(audit.events(session, limit=1000))[::-1]


def happen(story: Story, name: str) -> None:
    add_person(story.stores, actor=OPERATOR, now=story.now, email=f"{name}@example.com", name=name, roles=("reader",))


def forge(story: Story, *statements: tuple[str, tuple[object, ...]]) -> None:
    with sqlite3.connect(story.stores.home / "sop.db") as connection:
        for name in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_event_no_{name}")
        for statement, values in statements:
            connection.execute(statement, values)
    connection.close()


def write_anew(story: Story, *, changed: int, actor: str) -> None:
    """Change one event, and make every hash anew, so that the chain holds in itself."""
    previous, statements = GENESIS, []
    for event in events(story):
        told = event.hashed
        who = actor if event.id == changed else told.actor
        made = link_hash(previous, event.at, who, event.action, told.subject, told.details)
        statement = "UPDATE audit_event SET actor = ?, previous_hash = ?, hash = ? WHERE id = ?"
        statements.append((statement, (who, previous, made, event.id)))
        previous = made
    forge(story, *statements)


def test_the_head_is_anchored_once_an_hour_where_it_moved(story: Story) -> None:
    (first,) = tags(story.stores)
    run_due(story.stores, now=story.now + ANCHOR_EVERY)
    assert tags(story.stores) == [first]

    happen(story, "nora")
    run_due(story.stores, now=story.now + ANCHOR_EVERY + timedelta(minutes=59))
    assert tags(story.stores) == [first]
    run_due(story.stores, now=story.now + 2 * ANCHOR_EVERY)

    assert len(tags(story.stores)) == 2
    newest = anchors(story.stores).held[-1]
    assert newest.head.id == events(story)[-1].id
    assert newest.head.hash == events(story)[-1].hash
    assert newest.at == story.now + 2 * ANCHOR_EVERY


def test_an_anchor_is_an_annotated_tag_of_main_that_git_itself_shows_and_a_clone_carries_away(story: Story) -> None:
    clone = story.stores.home / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(clone)], check=True)

    def told(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=clone, check=True, capture_output=True, text=True).stdout

    (name,) = tags(story.stores)
    assert told("cat-file", "-t", name).strip() == "tag"
    assert told("rev-parse", f"{name}^{{commit}}") == told("rev-parse", "main")
    head = events(story)[-1]
    assert told("for-each-ref", "--format=%(contents)", f"refs/tags/{name}").splitlines()[2] == (
        f"{head.id} {head.hash} 2026-03-02T09:00:00Z"
    )
    assert story.stores.library.verify() == []


def test_anchoring_twice_and_an_anchoring_that_was_cut_off_do_no_harm(story: Story) -> None:
    happen(story, "nora")
    head = head_now(story.stores, now=story.now)
    assert head is not None
    # Killed after the tag was written and before the database was told.
    story.stores.library.tag(
        f"audit-{head.head.id}", f"x\n\n{head.head.id} {head.head.hash} {NOW.isoformat()}\n", at=NOW
    )

    assert anchor_head(story.stores, now=story.now) is None
    assert prove_trail(story.stores).broken is None
    assert anchor_head(story.stores, now=story.now + ANCHOR_EVERY) is None


def test_a_library_without_a_commit_is_anchored_too(stores: Stores) -> None:
    assert anchor_head(stores, now=NOW) is None
    add_person(stores, actor=OPERATOR, now=NOW, email="a@example.com", name="A", roles=("admin",))

    anchor = anchor_head(stores, now=NOW)

    assert anchor is not None
    assert anchors(stores).held == (anchor,)
    assert stores.library.verify() == []


def test_a_push_cannot_take_an_anchor_away_or_put_one_there(story: Story) -> None:
    clone = story.stores.home / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(clone)], check=True)
    (name,) = tags(story.stores)

    for target in (f":refs/tags/{name}", f"main:refs/tags/{name}", "main:refs/tags/audit-999999"):
        pushed = subprocess.run(
            ["git", "push", "-q", "-f", "origin", target], cwd=clone, capture_output=True, check=False
        )
        assert pushed.returncode != 0
    assert tags(story.stores) == [name]
    assert check(story.stores, now=story.now).problems == ()


def test_a_chain_that_was_written_anew_is_found_by_the_anchor(story: Story) -> None:
    happen(story, "nora")
    anchored = anchors(story.stores).held[0]
    write_anew(story, changed=2, actor="mallory@example.com")
    with story.stores.database.read() as session:
        assert audit.first_broken_link(session) is None

    # That the guard was taken away is told, too, before it.
    *_, problem = check(story.stores, now=story.now).problems

    assert f"audit event {anchored.head.id}, which is not the one that was anchored" in problem


def test_a_chain_whose_newest_events_were_cut_off_is_found_by_the_anchor(story: Story) -> None:
    anchored = anchors(story.stores).held[0]
    forge(story, ("DELETE FROM audit_event WHERE id > ?", (anchored.head.id - 3,)))
    with story.stores.database.read() as session:
        assert audit.first_broken_link(session) is None

    # That the guard was taken away is told, too, before it.
    *_, problem = check(story.stores, now=story.now).problems
    assert f"audit event {anchored.head.id}, which is gone" in problem

    # Going on writing does not heal it: other events take the places of those that are gone.
    for number in range(5):
        happen(story, f"nora{number}")
    *_, problem = check(story.stores, now=story.now).problems
    assert f"audit event {anchored.head.id}, which is not the one" in problem


def test_an_anchor_that_was_taken_away_or_forged_is_found(story: Story) -> None:
    happen(story, "nora")
    anchor_head(story.stores, now=story.now)
    first, second = tags(story.stores)
    git = ["git", "-C", str(story.stores.library.path)]

    subprocess.run([*git, "tag", "-d", second], check=True, capture_output=True)
    assert f"the anchor {second} of the library, which is gone" in (prove_trail(story.stores).broken or "")

    subprocess.run([*git, "tag", second, "main"], check=True)
    assert f"the anchor {second} of the library, which does not say" in (prove_trail(story.stores).broken or "")
    assert tags(story.stores) == [first, second]


def test_a_head_that_was_carried_off_the_machine_proves_what_came_before_it(story: Story) -> None:
    happen(story, "nora")
    mailed = head_now(story.stores, now=story.now)
    assert mailed is not None
    assert prove_trail(story.stores, also=[mailed]).broken is None
    write_anew(story, changed=mailed.head.id, actor="mallory@example.com")
    assert prove_trail(story.stores).broken is None

    assert f"audit event {mailed.head.id}" in (prove_trail(story.stores, also=[mailed]).broken or "")


def test_a_page_verifies_what_is_new_and_everything_again_after_ten_minutes(story: Story) -> None:
    assert recent_proof(story.stores, now=story.now).broken is None
    happen(story, "nora")
    newest = events(story)[-1].id
    shown = recent_proof(story.stores, now=story.now)
    assert shown.broken is None
    assert shown.verified is not None
    assert shown.verified.id == newest
    forge(story, ("UPDATE audit_event SET actor = 'mallory' WHERE id = 2", ()))

    later = recent_proof(story.stores, now=story.now + WHOLE_EVERY)

    assert "audit event 2" in (later.broken or "")


def test_a_page_that_knew_the_head_misses_it_once_it_is_cut_off(story: Story) -> None:
    happen(story, "nora")
    recent_proof(story.stores, now=story.now)
    anchor_head(story.stores, now=story.now)
    forge(story, ("DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)", ()))

    assert "which is gone" in (recent_proof(story.stores, now=story.now).broken or "")


def test_a_backup_holds_the_anchors_with_the_events_that_they_name(story: Story) -> None:
    back_up(story.stores, story.stores.home / "backup.tgz")

    assert prove_trail(story.stores).broken is None
    assert check(story.stores, now=story.now).problems == ()
