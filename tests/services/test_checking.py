import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sop_server.domain.policy import Policy
from sop_server.errors import InvalidInputError
from sop_server.resources import resource
from sop_server.services.background import run_due
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.library.searching import Query, search
from sop_server.services.publication.backing_up import back_up
from sop_server.services.publication.checking import check, synchronise
from sop_server.services.publication.restoring import restore
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    """A library with a SOP of two revisions that references a ticket, one that links to it, and an index."""
    made = Story(stores)
    first = made.published(text("Refunds"))
    ticket = made.ticket("CHG-1", sops=[first])
    made.later(days=1)
    made.published(text("Refunds", steps=step(1, "Second")), sop_id=first, tickets=[ticket])
    made.published(text("Returns", extra=f"links: [{first}]\n"))
    run_due(made.stores, now=made.now)
    return made


def sql(story: Story, statement: str) -> None:
    with sqlite3.connect(story.stores.home / "sop.db") as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(statement)
    connection.close()


def behind(story: Story, statement: str) -> None:
    """Change audit events as somebody can who has the file: without the guard that the database has against it."""
    with sqlite3.connect(story.stores.home / "sop.db") as connection:
        for name in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_event_no_{name}")
    connection.close()
    sql(story, statement)


def problems(story: Story) -> tuple[str, ...]:
    return check(story.stores, now=story.now).problems


def rows(story: Story) -> list[tuple[object, ...]]:
    with story.stores.database.read() as session:
        tickets, targets = sops.all_references(session)
        return [
            (
                *(getattr(row, name) for name in sops.DERIVED),
                tickets.get(row.id),
                targets.get(row.id),
            )
            for row in sops.all_rows(session)
        ]


def test_a_sound_library_has_no_problems(story: Story) -> None:
    assert problems(story) == ()


@pytest.mark.parametrize(
    "change",
    [
        "title = 'Forged'",
        "department = 'customer-care'",
        "owner = 'mallory@example.com'",
        "effective_from = '2020-01-01 00:00:00.000000'",
        "recorded_at = '2020-01-01 00:00:00.000000'",
        "significance = 'minor'",
        "kind = 'retire'",
        "content_hash = 'f'",
        "commit_oid = 'f'",
        "review_every_days = 9999",
    ],
)
def test_an_edited_row_of_the_projection_is_found_and_made_again(story: Story, change: str) -> None:
    before = rows(story)
    sql(story, f"UPDATE revision SET {change} WHERE sop_id = 'SOP-0001' AND number = 2")  # noqa: S608 - the test's own

    assert any("SOP-0001 r2" in problem for problem in problems(story))
    assert check(story.stores, now=story.now, repair=True).problems == ()
    assert rows(story) == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM revision_ticket",
        "DELETE FROM revision_link",
        "DELETE FROM revision WHERE sop_id = 'SOP-0002'",
        "DELETE FROM revision",
    ],
)
def test_what_is_missing_of_the_projection_comes_back_as_it_was(story: Story, statement: str) -> None:
    before = rows(story)
    sql(story, statement)

    assert problems(story)
    assert synchronise(story.stores, now=story.now)
    assert rows(story) == before
    assert synchronise(story.stores, now=story.now) == []
    assert check(story.stores, now=story.now, repair=True).problems == ()


def test_a_revision_that_nobody_approved_is_found_and_taken_out(story: Story) -> None:
    sql(story, "UPDATE publish_intent SET state = 'void' WHERE sop_id = 'SOP-0001' AND revision = 2")

    assert any("nobody approved" in problem for problem in problems(story))
    check(story.stores, now=story.now, repair=True)
    shown = list_revisions(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now)
    assert [one.revision for one in shown] == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approval SET content_hash = 'f' WHERE id = 1",
        "UPDATE approval SET voided_at = decided_at WHERE id = 1",
        "UPDATE publish_intent SET approvals = '[]' WHERE id = 1",
    ],
)
def test_a_revision_without_its_approval_is_found(story: Story, statement: str) -> None:
    sql(story, statement)

    assert any("No standing approval" in problem for problem in problems(story))


def test_a_changed_approval_of_the_text_is_found_even_where_everything_agrees(story: Story) -> None:
    for table in ("publish_intent", "revision", "approval"):
        sql(story, f"UPDATE {table} SET content_hash = '{'a' * 64}' WHERE id = 1")  # noqa: S608 - the test's own

    assert any("does not have the hash" in problem for problem in problems(story))


@pytest.mark.parametrize(
    "change", ["actor = 'mallory'", "details = '{\"x\": 1}'", "at = '2020-01-01 00:00:00.000000'", "hash = 'f'"]
)
def test_an_edited_audit_event_is_found(story: Story, change: str) -> None:
    behind(story, f"UPDATE audit_event SET {change} WHERE id = 3")  # noqa: S608 - the test's own

    assert any("audit event 3" in problem for problem in problems(story))


def test_an_audit_event_that_was_taken_out_is_found(story: Story) -> None:
    behind(story, "DELETE FROM audit_event WHERE id = 3")

    assert any("audit chain" in problem for problem in problems(story))


def commit_behind(story: Story, message: str, change: str) -> None:
    work = story.stores.home / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(work)], check=True)
    (work / "payments" / "refunds.md").write_text(change)
    identity = ["-c", "user.name=Mallory", "-c", "user.email=m@example.com"]
    subprocess.run(["git", *identity, "commit", "-q", "-a", "-m", message], cwd=work, check=True)
    subprocess.run(["git", "fetch", "-q", str(work), "main:main"], cwd=story.stores.library.path, check=True)


def test_a_file_that_was_changed_on_main_behind_the_server_is_found_and_not_served(story: Story) -> None:
    commit_behind(story, "Pay more", "forged")

    assert any("head of main" in problem for problem in problems(story))
    synchronise(story.stores, now=story.now)
    found = problems(story)
    assert any("not approved here" in problem and "check --repair" in problem for problem in found)
    assert any("payments/refunds.md on main is not the approved text" in problem for problem in found)
    assert "forged" not in get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now).markdown


@pytest.mark.parametrize("number", ["1", "2", "99", "9" * 40, "²"])
def test_a_commit_that_names_an_approval_of_another_one_is_set_aside(story: Story, number: str) -> None:
    """Put the text of r1 back on main under the very approval that r1 had."""
    old = story.stores.library
    (first, *_) = list(old.publications())
    blob = first.changes[0].blob_oid
    assert blob is not None
    commit_behind(story, f"SOP-0001 r1: as before\n\nIntent-Id: {number}\n", old.read(blob).decode())

    assert any("set aside" in told for told in run_due(story.stores, now=story.now))
    assert "Second" in get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now).markdown


def test_a_commit_that_nobody_looked_at_is_not_passed_over_by_the_next_publication(story: Story) -> None:
    commit_behind(story, "Pay more", "forged")

    story.published(text("Refunds", steps=step(2, "Third")), sop_id="SOP-0001")

    report = check(story.stores, now=story.now)
    assert report.problems == ()
    assert any("set aside" in note and "no approval here names it" in note for note in report.notes)
    page = get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now)
    assert ("Third" in page.markdown, page.summary.revision) == (True, 3)


@pytest.mark.parametrize("content", [b"\xff\xfe not text", b"x" * 1_100_000])
def test_a_commit_of_what_is_no_text_stops_nothing(story: Story, content: bytes) -> None:
    commit_behind(story, "SOP-0001 r2\n\nIntent-Id: 2\n", "x")
    work = story.stores.home / "clone"
    (work / "payments" / "refunds.md").write_bytes(content)
    identity = ["-c", "user.name=Mallory", "-c", "user.email=m@example.com"]
    subprocess.run(["git", *identity, "commit", "-qam", "y\n\nIntent-Id: 2\n"], cwd=work, check=True)
    subprocess.run(["git", "fetch", "-q", str(work), "main:main"], cwd=story.stores.library.path, check=True)

    run_due(story.stores, now=story.now)

    assert story.published(text("Another")) == "SOP-0003"


def test_an_index_of_another_state_is_found_and_built_anew(story: Story, tmp_path: Path) -> None:
    shutil.copytree(story.stores.home / "index", tmp_path / "old-index")
    story.published(text("Chargebacks"))
    run_due(story.stores, now=story.now)
    story.stores.search.close()
    shutil.rmtree(story.stores.home / "index")
    shutil.copytree(tmp_path / "old-index", story.stores.home / "index")
    engine = WhooshEngine(story.stores.home / "index")
    stores = replace(story.stores, search=engine)

    found = check(stores, now=story.now).problems
    assert any("search index" in problem for problem in found)
    run_due(stores, now=story.now)
    assert check(stores, now=story.now).problems == ()
    assert search(stores, actor=story.rita, query=Query("chargebacks"), now=story.now).total == 1
    engine.close()


@pytest.mark.parametrize("left", ["refs/drafts/99.lock", "refs/heads/main.lock", "packed-refs.lock", "config.lock"])
def test_a_left_lock_file_is_told_and_removed(story: Story, left: str) -> None:
    (story.stores.library.path / left).touch()

    assert any(left in problem and "check --repair" in problem for problem in problems(story))
    report = check(story.stores, now=story.now, repair=True)

    assert report.problems == ()
    assert any(left in told for told in report.mended)


def test_a_left_lock_file_stops_neither_the_next_draft_nor_its_approval(story: Story) -> None:
    refs = story.stores.library.path / "refs"
    (refs / "drafts/4.lock").touch()
    draft = story.draft(text("Chargebacks"))
    assert draft.id.endswith("4")
    (refs / "heads/main.lock").touch()

    assert story.approve(draft).revision == 1
    assert problems(story) == ()


def test_a_lost_index_is_found_and_built_anew(story: Story) -> None:
    shutil.rmtree(story.stores.home / "index")
    (story.stores.home / "index").mkdir()

    assert any("search index" in problem for problem in problems(story))
    assert check(story.stores, now=story.now, repair=True).problems == ()


def test_a_revision_that_was_approved_and_not_published_is_found_and_published(story: Story) -> None:
    story.published(text("Refunds", steps=step(2, "Third")), sop_id="SOP-0001")
    sql(
        story,
        """INSERT INTO publish_intent (state, sop_id, revision, kind, significance, path, blob_oid, content_hash,
        change_summary, author_name, author_email, authors, approvals, tickets, authored_at, approved_at,
        effective_from, created_at) SELECT 'pending', sop_id, 4, kind, significance, path, blob_oid, content_hash,
        'Again', author_name, author_email, authors, approvals, tickets, authored_at, approved_at, effective_from,
        created_at FROM publish_intent WHERE sop_id = 'SOP-0001' AND revision = 3""",
    )

    assert any("not on main yet" in problem for problem in problems(story))
    assert check(story.stores, now=story.now, repair=True).problems == ()
    shown = list_revisions(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now)
    assert shown[0].revision == 4


@pytest.fixture
def restored(story: Story, tmp_path: Path) -> Iterator[Stores]:
    (story.stores.home / "secret_key").write_text("a secret")
    back_up(story.stores, tmp_path / "all.backup")
    home = tmp_path / "elsewhere" / "home"
    restore(tmp_path / "all.backup", home)
    (home / "index").mkdir(exist_ok=True)
    database = Database(sqlite_url(home / "sop.db"))
    library = Library.create(home / "library.git", resource("hooks"))
    engine = WhooshEngine(home / "index")
    yield Stores(home=home, database=database, library=library, search=engine, policy=Policy(), clock=lambda: story.now)
    engine.close()
    library.close()
    database.close()


def test_a_restored_backup_is_whole_and_goes_on(story: Story, restored: Stores) -> None:
    report = check(restored, now=story.now, repair=True)

    assert report.problems == ()
    assert (restored.home / "secret_key").read_text() == "a secret"
    assert search(restored, actor=story.rita, query=Query("refunds"), now=story.now).total == 1
    again = Story.__new__(Story)
    again.__dict__.update(story.__dict__, stores=restored)
    assert again.published(text("Chargebacks")) == "SOP-0003"
    assert check(restored, now=story.now, repair=True).problems == ()


def test_a_backup_is_never_restored_over_anything(story: Story, tmp_path: Path) -> None:
    back_up(story.stores, tmp_path / "all.backup")

    with pytest.raises(InvalidInputError):
        restore(tmp_path / "all.backup", story.stores.home)

    assert problems(story) == ()


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_cut_backup_restores_nothing(story: Story, tmp_path: Path, cut: float) -> None:
    back_up(story.stores, tmp_path / "all.backup")
    whole = (tmp_path / "all.backup").read_bytes()
    (tmp_path / "cut.backup").write_bytes(whole[: int(len(whole) * cut)])

    with pytest.raises(InvalidInputError):
        restore(tmp_path / "cut.backup", tmp_path / "new-home")

    assert not (tmp_path / "new-home").exists()
    assert (tmp_path / "all.backup").stat().st_mode & 0o077 == 0
