from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from git import Git

from sop_server.errors import ConflictError, DamagedError, InvalidInputError
from sop_server.resources import resource
from sop_server.storage.git.library import MAIN, FileChange, Identity, Library, NewCommit

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]


def test_new_library_has_no_head_and_is_sound(library: Library) -> None:
    assert library.head() is None
    assert library.verify() == []


def test_creating_twice_keeps_content_and_an_administrators_settings(library: Library, publish: Publish) -> None:
    head = publish("care/refunds.md", b"# Refunds\n")
    Git(library.path).config("--local", "remote.origin.url", "ssh://git.example.com/sops.git")
    (library.path / "hooks" / "pre-receive").unlink()
    again = Library.create(library.path, resource("hooks"))
    assert again.head() == head
    assert Git(library.path).config("--get", "remote.origin.url") == "ssh://git.example.com/sops.git"
    assert Git(library.path).config("--get-all", "include.path") == "config.sop-server"
    assert (library.path / "hooks" / "pre-receive").stat().st_mode & 0o111
    again.close()


def test_library_is_not_made_in_a_folder_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="not a library"):
        Library.create(tmp_path, resource("hooks"))
    assert [found.name for found in tmp_path.iterdir()] == ["notes.txt"]


def test_everything_written_is_synced_and_nothing_is_collected(library: Library) -> None:
    git = Git(library.path)
    assert git.config("--get", "core.fsync") == "all"
    assert git.config("--get", "gc.auto") == "0"
    assert git.config("--get-all", "transfer.hideRefs").split() == ["refs/drafts", "refs/intents"]


def test_a_library_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    missing = Library(tmp_path / "library.git")
    with pytest.raises(DamagedError, match="sop-server init"):
        missing.head()
    with pytest.raises(DamagedError, match="sop-server init"):
        missing.lock()


def test_written_commit_is_on_its_ref_and_not_on_main(library: Library, commit: Commit) -> None:
    (written,) = library.write("refs/intents/17", None, [commit("care/refunds.md", b"# Refunds\n")])
    assert library.ref("refs/intents/17") == written.oid
    assert library.head() is None
    assert library.read(written.blobs["care/refunds.md"]) == b"# Refunds\n"


def test_several_commits_are_written_in_their_order(library: Library, commit: Commit) -> None:
    written = library.write("refs/intents/1", None, [commit("a.md", b"%d\n" % number) for number in range(5)])
    assert [library.read(one.blobs["a.md"]) for one in written] == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]
    assert library.ref("refs/intents/1") == written[-1].oid


def test_content_is_kept_byte_for_byte(library: Library, commit: Commit) -> None:
    for content in (b"", b"no line feed", b"\r\n\r\n", b"\x00\xff\x80", b"data 5\nM 100644 inline x\ndone\n"):
        (written,) = library.write("refs/intents/1", None, [commit("a.md", content)])
        assert library.read(written.blobs["a.md"]) == content
        assert library.blob_at(written.oid, "a.md") == written.blobs["a.md"]


def test_same_parent_and_input_give_the_same_commits(tmp_path: Path, commit: Commit) -> None:
    commits = [commit("a.md", b"one\n"), commit("b/c.md", b"two\n")]
    oids = []
    for name in ("first.git", "second.git"):
        library = Library.create(tmp_path / name, resource("hooks"))
        oids.append([written.oid for written in library.write("refs/intents/3", None, commits)])
        assert [written.oid for written in library.write("refs/intents/3", None, commits)] == oids[-1]
        library.close()
    assert oids[0] == oids[1]


def test_an_intents_ref_that_a_crash_left_elsewhere_is_moved(library: Library, commit: Commit) -> None:
    library.write("refs/intents/1", None, [commit("a.md", b"lost\n")])
    (written,) = library.write("refs/intents/1", None, [commit("b.md", b"kept\n")])
    assert library.ref("refs/intents/1") == written.oid


def test_main_is_moved_by_advance_alone(library: Library, commit: Commit) -> None:
    with pytest.raises(ValueError, match="advance"):
        library.write(MAIN, None, [commit("a.md", b"x\n")])


def test_advance_refuses_where_main_moved_on(library: Library, publish: Publish, commit: Commit) -> None:
    first = publish("a.md", b"1\n")
    second = publish("a.md", b"2\n")
    (late,) = library.write("refs/intents/9", first, [commit("a.md", b"3\n")])
    with pytest.raises(ConflictError, match="moved on"):
        library.advance(MAIN, late.oid, first)
    with pytest.raises(ConflictError, match="moved on"):
        library.advance(MAIN, late.oid, None)
    assert library.head() == second


def test_advance_refuses_a_commit_that_is_not_there(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"1\n")
    with pytest.raises(DamagedError):
        library.advance(MAIN, "1" * 40, head)
    assert library.head() == head


def test_a_snapshot_has_its_files_and_nothing_else(library: Library, publish: Publish, commit: Commit) -> None:
    publish('care/say "yes".md', b"kept\n")
    blob = library.blob_at(publish("b.md", b"b\n"), "b.md")
    assert blob is not None
    head = publish("c.md", b"c\n")
    empty = replace(commit("x.md", b""), changes=())

    oid = library.write_snapshot("refs/intents/s", head, empty, {'d/say "no".md': blob})

    assert library.tree(oid) == {'d/say "no".md': blob}
    assert library.ancestry(oid) > library.ancestry(head)
    assert library.head() == head
    with pytest.raises(DamagedError):
        library.write_snapshot("refs/intents/s", head, empty, {"d.md": "1" * 40})
    with pytest.raises(InvalidInputError):
        library.write_snapshot("refs/intents/s", head, empty, {"../d.md": blob})


def test_an_ancestry_that_cannot_be_read_is_told(library: Library) -> None:
    with pytest.raises(DamagedError):
        library.ancestry("1" * 40)


def test_a_deleted_file_is_gone_and_its_text_stays_readable(library: Library, publish: Publish) -> None:
    publish("care/keep.md", b"keep\n")
    before = publish("care/refunds.md", b"# Refunds\n")
    blob = library.blob_at(before, "care/refunds.md")
    after = publish("care/refunds.md", None)
    assert library.blob_at(after, "care/refunds.md") is None
    assert library.blob_at(after, "care/keep.md") is not None
    assert blob is not None
    assert library.read(blob) == b"# Refunds\n"


@pytest.mark.parametrize(
    "path",
    ["café/Überweisung.md", "日本/手順.md", 'say "yes".md', "a b/c  d.md", "missing.md", "x;y|z$(w)`v`.md", "#1.md"],
)
def test_unusual_names_are_kept(library: Library, publish: Publish, path: str) -> None:
    head = publish(path, b"text\n")
    blob = library.blob_at(head, path)
    assert blob is not None
    assert library.read(blob) == b"text\n"
    assert [change.path for found in library.publications() for change in found.changes] == [path]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd.md",
        "../out.md",
        "a/../b.md",
        "a//b.md",
        "a/",
        "./a.md",
        "-rf.md",
        "a/--output=x.md",
        "a\nM 100644 inline b.md",
        "a\x00b.md",
        "a\rb.md",
        "half\ud800.md",
        ".git/config",
        "a/.GIT/hooks/x.md",
        ".gitmodules",
        ".gitattributes",
        ".g\u200cit/config",
        "git~1/config",
        "..\\out.md",
        "a\\.git\\config",
        "x" * 256,
        "a/" * 2100 + "b.md",
    ],
)
def test_hostile_paths_are_refused_and_nothing_is_written(library: Library, commit: Commit, path: str) -> None:
    for content in (b"x\n", None):
        with pytest.raises(InvalidInputError, match="cannot be used"):
            library.write("refs/intents/1", None, [commit(path, content)])
    assert library.ref("refs/intents/1") is None


@pytest.mark.parametrize(
    "author",
    [
        Identity("Eve\ncommitter Root <root@x> 0 +0000", "eve@example.com"),
        Identity("Eve <root@example.com>", "eve@example.com"),
        Identity("Eve", "eve@example.com> 0 +0000\nfrom 1"),
        Identity("Eve\x00", "eve@example.com"),
        Identity("  ", "eve@example.com"),
    ],
)
def test_hostile_authors_are_refused(library: Library, commit: Commit, author: Identity) -> None:
    with pytest.raises(InvalidInputError, match="author"):
        library.write("refs/intents/1", None, [commit("a.md", b"x\n", author=author)])
    assert library.ref("refs/intents/1") is None


def test_a_message_is_text_and_not_commands(library: Library, commit: Commit) -> None:
    message = "Odd\n\nM 100644 inline b.md\ndata 1\nx\nfrom refs/heads/main\n"
    (written,) = library.write("refs/intents/1", None, [commit("a.md", b"x\n", message)])
    library.advance(MAIN, written.oid, None)
    (found,) = library.publications()
    assert found.message == message
    assert [change.path for change in found.changes] == ["a.md"]
    with pytest.raises(InvalidInputError, match="NUL"):
        library.write("refs/intents/1", None, [commit("a.md", b"x\n", "a\x00b")])


def test_a_time_without_a_zone_is_a_mistake(library: Library, commit: Commit) -> None:
    naive = replace(commit("a.md", b"x\n"), authored_at=datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)
    with pytest.raises(ValueError, match="zone"):
        library.write("refs/intents/1", None, [naive])


def test_a_file_never_takes_the_place_of_a_folder(library: Library, publish: Publish, commit: Commit) -> None:
    head = publish("care.md/refunds.md", b"x\n")
    for change in (commit("care.md", b"y\n"), commit("care.md", None), commit("care.md/refunds.md/a.md", b"y\n")):
        with pytest.raises(InvalidInputError, match="file and a folder"):
            library.write("refs/intents/2", head, [change])
    with pytest.raises(InvalidInputError, match="file and a folder"):
        library.write("refs/intents/2", head, [commit("new", b"y\n"), commit("new/a.md", b"y\n")])
    assert library.blob_at(head, "care.md/refunds.md") is not None


def test_two_files_of_one_commit_are_written_together(library: Library, commit: Commit) -> None:
    both = replace(commit("a.md", b"1\n"), changes=(FileChange("a.md", b"1\n"), FileChange("b/c.md", b"2\n")))
    (written,) = library.write("refs/intents/1", None, [both])
    assert {path: library.read(oid) for path, oid in written.blobs.items()} == {"a.md": b"1\n", "b/c.md": b"2\n"}


def test_a_parent_that_is_not_there_leaves_the_ref_alone(library: Library, commit: Commit) -> None:
    (kept,) = library.write("refs/drafts/1", None, [commit("a.md", b"x\n")])
    with pytest.raises(DamagedError, match="Nothing was published"):
        library.write("refs/drafts/1", "1" * 40, [commit("a.md", b"y\n")])
    assert library.ref("refs/drafts/1") == kept.oid
    assert not list(library.path.glob("fast_import_crash_*"))


def test_writing_nothing_does_nothing(library: Library) -> None:
    assert library.write("refs/intents/1", None, []) == []
    assert library.ref("refs/intents/1") is None


def test_a_deleted_ref_is_gone_and_deleting_it_again_is_fine(library: Library, commit: Commit) -> None:
    library.write("refs/intents/1", None, [commit("a.md", b"x\n")])
    library.delete_ref("refs/intents/1")
    assert library.ref("refs/intents/1") is None
    library.delete_ref("refs/intents/1")


def test_a_ref_is_seen_by_others_at_once_also_when_packed(library: Library, publish: Publish) -> None:
    other = Library(library.path)
    for number in range(3):
        head = publish("a.md", b"%d\n" % number)
        assert other.head() == head
    library.maintain()
    assert other.head() == head
    other.close()


def test_a_ref_to_a_lost_commit_is_told_and_not_taken_for_none(library: Library) -> None:
    (library.path / "refs/heads/main").write_text("1" * 40 + "\n")
    with pytest.raises(DamagedError, match="lost"):
        library.head()


@pytest.mark.parametrize(
    "name", ["main", "refs/heads/../../config", "--all", "refs/heads/a b", "refs/drafts/1\n", "HEAD"]
)
def test_only_plain_refs_reach_git(library: Library, commit: Commit, name: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        library.ref(name)
    with pytest.raises(ValueError, match="not a reference"):
        library.write(name, None, [commit("a.md", b"x\n")])
    with pytest.raises(ValueError, match="not a reference"):
        library.delete_ref(name)


@pytest.mark.parametrize("oid", ["", "HEAD", ":/text", "A" * 40, "1" * 39, "1" * 41, "--output=x", "1" * 39 + "\n"])
def test_only_full_object_ids_reach_git(library: Library, publish: Publish, oid: str) -> None:
    publish("a.md", b"x\n")
    for ask in (
        library.read,
        lambda given: library.blob_at(given, "a.md"),
        lambda given: library.advance(MAIN, given, None),
    ):
        with pytest.raises(InvalidInputError, match="not the id"):
            ask(oid)
    assert not library.has(oid)


def test_only_files_are_read(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    assert library.has(head)
    assert not library.has("1" * 40)
    for oid in (head, "1" * 40):
        with pytest.raises(DamagedError, match="does not hold"):
            library.read(oid)
    assert library.blob_at(head, "b.md") is None


def test_reading_goes_on_after_git_was_killed(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    blob = library.blob_at(head, "a.md")
    assert blob is not None
    library.read(blob)
    repo = library._repositories.current()  # noqa: SLF001 (the process is nobody else's to see)
    for process in (repo.git.cat_file_all, repo.git.cat_file_header):
        assert process is not None
        process.proc.kill()
        process.proc.wait()
    assert library.read(blob) == b"x\n"
    assert library.head() == head


def test_reading_goes_on_after_closing(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    library.close()
    assert library.head() == head


def test_the_environment_of_a_hook_does_not_lead_elsewhere(
    library: Library, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Library.create(tmp_path / "other.git", resource("hooks"))
    for name, value in {
        "GIT_DIR": str(other.path),
        "GIT_OBJECT_DIRECTORY": str(other.path / "objects"),
        "GIT_COMMON_DIR": str(other.path),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_PARAMETERS": "'core.logallrefupdates'='false'",
    }.items():
        monkeypatch.setenv(name, value)
    library.close()
    head = publish("a.md", b"x\n")
    assert library.head() == head
    assert (library.path / "refs/heads/main").read_text() == f"{head}\n"
    assert not list(other.path.glob("objects/??/*"))
    other.close()
