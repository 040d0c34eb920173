import subprocess

import pytest

from sop_server.errors import BusyError
from sop_server.services.background import run_due
from sop_server.services.library.reading import get_sop
from sop_server.services.publication.approved_files import approved_files
from sop_server.services.publication.checking import check, synchronise
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts
from tests.services.story import Story, step, text
from tests.services.test_lost_revisions import MALLORY, force, git, intents_on_main, texts_on_main


@pytest.fixture
def story(stores: Stores) -> Story:
    made = Story(stores)
    made.published(text("Refunds"))
    made.published(text("Returns"))
    run_due(made.stores, now=made.now)
    return made


def stray(story: Story, *commands: str) -> None:
    """Run shell commands in a clone of `main`, commit whatever they did, and put that on `main`."""
    work = story.stores.home / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(work)], check=True)
    for command in commands:
        subprocess.run(["sh", "-ec", command], cwd=work, check=True)
    subprocess.run(["git", "add", "-A"], cwd=work, check=True)
    subprocess.run(["git", *MALLORY, "commit", "-q", "-m", "Mine"], cwd=work, check=True)
    git(story, "fetch", "-q", str(work), "main:main")


def events(story: Story) -> list[tuple[str, str]]:
    with story.stores.database.read() as session:
        return [(event.action, event.actor) for event in audit.events(session, subject="main")]


STRAYS = {
    "another text": "echo forged > payments/refunds.md",
    "a file more": "echo mine > README.md",
    "a file less": "git rm -q payments/returns.md",
    "a name of other bytes": "printf x > \"$(printf 'caf\\351.md')\"",
    "a name of git's own": "echo x > .gitmodules",
    "a file in the place of a folder": "git rm -rq payments; echo x > payments",
    "a folder in the place of a file": (
        "git rm -q payments/refunds.md; mkdir -p payments/refunds.md; echo x > payments/refunds.md/x"
    ),
    "a link": "ln -sf /etc/passwd payments/refunds.md",
}


@pytest.mark.parametrize("what", STRAYS)
def test_the_approved_texts_are_put_back_on_top_of_a_stray_commit(story: Story, what: str) -> None:
    before = texts_on_main(story)
    stray(story, STRAYS[what])
    synchronise(story.stores, now=story.now)
    told = check(story.stores, now=story.now).problems
    assert any("not approved here" in problem and "is not served" in problem for problem in told)

    report = check(story.stores, now=story.now, repair=True)

    assert report.problems == ()
    assert any("put back on it what was approved" in line for line in report.mended)
    assert any("set aside" in note and "history" in note for note in report.notes)
    assert texts_on_main(story) == before
    assert events(story) == [("main.restored", "system")]
    assert story.stores.library.verify() == []


def test_putting_back_is_done_once_and_set_aside_by_nobody(story: Story) -> None:
    stray(story, "echo forged > payments/refunds.md")
    assert check(story.stores, now=story.now, repair=True).problems == ()
    head = story.stores.library.head()

    assert run_due(story.stores, now=story.now) == []
    assert check(story.stores, now=story.now, repair=True).mended == ()
    assert story.stores.library.head() == head
    assert "Restores: 1 file" in git(story, "show", "-s", "--format=%B", "main")
    with story.stores.database.read() as session:
        assert len(drafts.quarantined(session)) == 1
    story.published(text("Refunds", steps=step(1, "Second")), sop_id="SOP-0001")
    assert check(story.stores, now=story.now).problems == ()


def test_putting_back_that_died_before_it_was_recorded_is_recorded_and_not_set_aside(story: Story) -> None:
    stray(story, "echo forged > payments/refunds.md")
    synchronise(story.stores, now=story.now)
    before = story.stores.library.head()
    check(story.stores, now=story.now, repair=True)
    restored = story.stores.library.head()
    assert before is not None
    with story.stores.database.write() as session:
        drafts.set_mark(session, drafts.MAIN, before)
        drafts.set_mark(session, f"restoration:{restored}", "written")

    run_due(story.stores, now=story.now)

    assert check(story.stores, now=story.now).problems == ()
    with story.stores.database.read() as session:
        assert len(drafts.quarantined(session)) == 1
    assert events(story) == [("main.restored", "system")] * 2


def test_a_commit_that_says_of_itself_that_it_restores_is_set_aside(story: Story) -> None:
    force(story, "main", message="Put the approved texts back\n\nRestores: 1 file\n")

    assert any("set aside" in line for line in run_due(story.stores, now=story.now))
    assert "forged" not in get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now).markdown


def test_syncing_alone_writes_nothing_on_main(story: Story) -> None:
    stray(story, "echo forged > payments/refunds.md")
    head = story.stores.library.head()

    synchronise(story.stores, now=story.now)
    run_due(story.stores, now=story.now)

    assert story.stores.library.head() == head


def test_the_next_revision_of_the_file_makes_whole_what_a_stray_commit_changed(story: Story) -> None:
    stray(story, "echo forged > payments/refunds.md")
    run_due(story.stores, now=story.now)

    story.published(text("Refunds", steps=step(1, "Second")), sop_id="SOP-0001")

    report = check(story.stores, now=story.now)
    assert report.problems == ()
    assert any("history" in note for note in report.notes)


def test_an_approval_on_top_of_a_file_in_the_place_of_a_folder_is_published_by_the_server(story: Story) -> None:
    draft = story.draft(text("Refunds", steps=step(1, "Second")), sop_id="SOP-0001")
    stray(story, STRAYS["a file in the place of a folder"])

    with pytest.raises(BusyError, match="approval is kept"):
        story.approve(draft)
    run_due(story.stores, now=story.now)

    assert story.look(draft).state == "published"
    assert intents_on_main(story) == ["1", "2", "3"]
    assert check(story.stores, now=story.now).problems == ()


def test_a_retired_procedure_that_came_back_is_taken_out_again(story: Story) -> None:
    story.approve(story.draft(sop_id="SOP-0002", kind="retire"))
    stray(story, "echo back > payments/returns.md")
    run_due(story.stores, now=story.now)
    assert any("was retired" in problem for problem in check(story.stores, now=story.now).problems)

    assert check(story.stores, now=story.now, repair=True).problems == ()
    assert set(texts_on_main(story)) == {"payments/refunds.md"}


def test_nothing_is_put_back_where_a_text_is_lost(story: Story) -> None:
    stray(story, "echo forged > payments/refunds.md")
    synchronise(story.stores, now=story.now)
    with story.stores.database.read() as session:
        oid = approved_files(session)["payments/returns.md"]
    objects = story.stores.library.path / "objects"
    for pack in objects.glob("pack/*.pack"):
        # git unpacks only what it does not hold already.
        aside = pack.rename(story.stores.home / pack.name)
        with aside.open("rb") as stream:
            subprocess.run(["git", "unpack-objects", "-q"], cwd=story.stores.library.path, stdin=stream, check=True)
    (objects / oid[:2] / oid[2:]).unlink()
    story.stores.library.close()
    head = story.stores.library.head()

    told = check(story.stores, now=story.now, repair=True).problems

    assert story.stores.library.head() == head
    assert any("text of SOP-0002 r1 is lost" in problem for problem in told)
