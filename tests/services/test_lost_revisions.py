import subprocess

import pytest

from sop_server.services.background import begin, run_due
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts
from tests.services.story import Story, step, text

MALLORY = ("-c", "user.name=Mallory", "-c", "user.email=m@example.com")


@pytest.fixture
def story(stores: Stores) -> Story:
    """A library with r1 and r2 of one SOP and r1 of another."""
    made = Story(stores)
    first = made.published(text("Refunds"))
    made.published(text("Refunds", steps=step(1, "Second")), sop_id=first)
    made.published(text("Returns"))
    run_due(made.stores, now=made.now)
    return made


def git(story: Story, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=story.stores.library.path, check=True, capture_output=True, text=True
    ).stdout.strip()


def force(
    story: Story, start: str, *, change: tuple[str, str] = ("payments/refunds.md", "forged"), message: str
) -> str:
    """Put a commit of somebody else on `start`, and `main` on that; returns its id."""
    work = story.stores.home / "clone"
    git(story, "branch", "-f", "base", start)
    subprocess.run(["git", "clone", "-q", "-b", "base", str(story.stores.library.path), str(work)], check=True)
    path, content = change
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_text(content)
    subprocess.run(["git", "add", "-A"], cwd=work, check=True)
    subprocess.run(["git", *MALLORY, "commit", "-q", "--allow-empty", "-m", message], cwd=work, check=True)
    git(story, "fetch", "-q", "--force", str(work), "base:main")
    git(story, "branch", "-D", "base")
    return git(story, "rev-parse", "main")


def texts_on_main(story: Story) -> dict[str, str]:
    head = story.stores.library.head()
    assert head is not None
    return {path: story.stores.library.read(oid).decode() for path, oid in story.stores.library.tree(head).items()}


def intents_on_main(story: Story) -> list[str]:
    return [number for found in story.stores.library.publications() for number in found.trailers.get("Intent-Id", [])]


def actions(story: Story) -> list[str]:
    with story.stores.database.read() as session:
        return [event.action for event in audit.events(session, subject="main")]


def assert_whole(story: Story) -> None:
    assert check(story.stores, now=story.now).problems == ()
    history = list_revisions(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now)
    assert [one.revision for one in history] == [2, 1]
    assert "Second" in get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now).markdown
    run_due(story.stores, now=story.now)
    assert check(story.stores, now=story.now, repair=True).mended == ()


@pytest.mark.parametrize("back", ["main~1", "main~2", "main~3"])
def test_a_main_that_was_set_back_is_told_and_moved_forward_again(story: Story, back: str) -> None:
    head = story.stores.library.head()
    if back == "main~3":
        git(story, "update-ref", "-d", "refs/heads/main")
    else:
        git(story, "update-ref", "refs/heads/main", back)

    told = check(story.stores, now=story.now).problems
    assert any("SOP-0002 r1" in problem and "check --repair" in problem for problem in told)
    report = check(story.stores, now=story.now, repair=True)

    assert (report.problems, story.stores.library.head()) == ((), head)
    assert any("moved forward again" in line and "SOP-0002 r1" in line for line in report.mended)
    assert actions(story) == ["main.brought_forward"]
    assert_whole(story)


@pytest.mark.parametrize("left", [b"", b"\0" * 41, b"nothing that git knows\n", b"12ab\n"])
def test_a_main_that_a_power_failure_left_unreadable_is_told_and_mended(story: Story, left: bytes) -> None:
    head = story.stores.library.head()
    reference = story.stores.library.path / "refs/heads/main"
    reference.write_bytes(left)

    told = " ".join(check(story.stores, now=story.now).problems)
    report = check(story.stores, now=story.now, repair=True)

    assert "refs/heads/main" in told
    assert "check --repair" in told
    assert (report.problems, story.stores.library.head()) == ((), head)
    (kept,) = story.stores.library.path.glob("damaged-*")
    assert kept.read_bytes() == left
    assert kept.name in report.mended[0]
    assert_whole(story)


def test_a_server_that_starts_mends_an_unreadable_main_and_goes_on_from_there(story: Story) -> None:
    (story.stores.library.path / "refs/heads/main").write_bytes(b"")

    begin(story.stores, now=story.now)
    story.published(text("Chargebacks"))

    assert intents_on_main(story) == ["1", "2", "3", "4"]
    assert_whole(story)


def test_the_server_moves_main_forward_by_itself_and_goes_on_from_there(story: Story) -> None:
    git(story, "update-ref", "refs/heads/main", "main~2")

    story.published(text("Chargebacks"))

    assert intents_on_main(story) == ["1", "2", "3", "4"]
    assert_whole(story)


def test_a_main_that_was_set_back_and_looked_at_by_an_older_version_is_moved_forward(story: Story) -> None:
    head = story.stores.library.head()
    git(story, "update-ref", "refs/heads/main", "main~1")
    with story.stores.database.write() as session:
        drafts.set_mark(session, drafts.MAIN, git(story, "rev-parse", "main"))

    assert check(story.stores, now=story.now, repair=True).problems == ()
    assert story.stores.library.head() == head
    assert_whole(story)


def test_setting_main_back_before_a_stray_commit_is_left_alone(story: Story) -> None:
    head = story.stores.library.head()
    force(story, "main", message="Pay more")
    run_due(story.stores, now=story.now)
    git(story, "update-ref", "refs/heads/main", "main~1")

    run_due(story.stores, now=story.now)

    assert story.stores.library.head() == head
    assert actions(story) == []


def test_what_another_line_left_out_is_published_on_it_again(story: Story) -> None:
    stray = force(story, "main~2", change=("payments/other.md", "other"), message="Mine")

    told = run_due(story.stores, now=story.now)

    assert any("set aside" in line and stray[:12] in line for line in told)
    assert any("SOP-0001 r2, SOP-0002 r1 was published on it again" in line for line in told)
    assert intents_on_main(story) == ["1", "2", "3"]
    assert actions(story) == ["main.published_again"]
    with story.stores.database.read() as session:
        commits = set(drafts.done_commits(session).values())
    assert commits <= story.stores.library.ancestry(git(story, "rev-parse", "main"))
    assert "Second" in texts_on_main(story)["payments/refunds.md"]
    assert run_due(story.stores, now=story.now) == []


def test_a_line_that_was_written_anew_with_the_approved_texts_is_taken_as_it_is(story: Story) -> None:
    """Somebody changes an author's name in the whole history, as `git filter-branch` does."""
    rewritten = ["git", "filter-branch", "--env-filter", "GIT_AUTHOR_NAME=X; export GIT_AUTHOR_NAME", "main"]
    subprocess.run(rewritten, cwd=story.stores.library.path, check=True, capture_output=True)
    git(story, "update-ref", "-d", "refs/original/refs/heads/main")

    report = check(story.stores, now=story.now, repair=True)

    assert report.problems == ()
    assert any("written anew" in line for line in report.mended)
    assert intents_on_main(story) == ["1", "2", "3"]
    assert_whole(story)


def test_publishing_again_that_died_after_main_moved_publishes_nothing_twice(story: Story) -> None:
    """The same line as a death between the move of `main` and its record leaves."""
    with story.stores.database.read() as session:
        before = drafts.done_commits(session)
        mark = drafts.mark(session, drafts.MAIN)
    second = texts_on_main(story)["payments/refunds.md"]
    force(story, "main~2", change=("payments/refunds.md", second), message="Mine")
    run_due(story.stores, now=story.now)
    head = story.stores.library.head()
    with story.stores.database.write() as session:
        for number, oid in before.items():
            intent = drafts.intent(session, number)
            assert intent is not None
            intent.commit_oid = oid
        assert mark is not None
        drafts.set_mark(session, drafts.MAIN, mark)

    check(story.stores, now=story.now, repair=True)

    assert story.stores.library.head() == head
    assert intents_on_main(story) == ["1", "2", "3"]
    with story.stores.database.read() as session:
        assert set(drafts.done_commits(session).values()) <= story.stores.library.ancestry(head or "")


def test_a_text_that_the_library_lost_is_told_and_stops_nothing(story: Story) -> None:
    """The library is an older copy of itself: its newest revision is nowhere in it."""
    with story.stores.database.write() as session:
        intent = drafts.intent(session, 3)
        assert intent is not None
        intent.commit_oid, intent.blob_oid = "1" * 40, "2" * 40
    git(story, "update-ref", "refs/heads/main", "main~1")

    told = run_due(story.stores, now=story.now)

    assert not any("again" in line for line in told)
    assert any(
        "SOP-0002 r1" in problem and "backup" in problem for problem in check(story.stores, now=story.now).problems
    )
    assert story.published(text("Chargebacks")) == "SOP-0003"


def test_a_lost_revision_never_covers_a_later_one(story: Story) -> None:
    """r3 was published on a `main` that had lost r2."""
    story.published(text("Refunds", steps=step(2, "Third")), sop_id="SOP-0001")
    third = git(story, "rev-parse", "main")
    message = git(story, "show", "-s", "--format=%B", third)
    approved = texts_on_main(story)["payments/refunds.md"]
    force(story, "main~3", change=("payments/refunds.md", approved), message=message)

    run_due(story.stores, now=story.now)

    page = get_sop(story.stores, actor=story.rita, sop_id="SOP-0001", now=story.now)
    assert page.markdown == texts_on_main(story)["payments/refunds.md"]
    assert "Third" in page.markdown
    assert sorted(intents_on_main(story)) == ["1", "2", "3", "4"]


def test_a_forced_line_with_a_file_in_the_place_of_a_folder_loses_nothing(story: Story) -> None:
    blob = git(story, "hash-object", "-w", "HEAD")
    tree = subprocess.run(
        ["git", "mktree"],
        cwd=story.stores.library.path,
        input=f"100644 blob {blob}\tpayments\n",
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    git(story, "update-ref", "refs/heads/main", git(story, *MALLORY, "commit-tree", "-m", "Mine", tree))

    run_due(story.stores, now=story.now)

    assert intents_on_main(story) == ["1", "2", "3"]
    assert check(story.stores, now=story.now).problems == ()
    assert_whole(story)
