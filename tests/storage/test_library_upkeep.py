from collections.abc import Callable

import pytest

from sop_server.errors import DamagedError
from sop_server.storage.git.library import MAIN, Library, NewCommit

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]


def test_what_a_killed_git_left_is_removed_and_nothing_else(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    left = [
        "HEAD.lock",
        "objects/0a/tmp_obj_x1",
        "objects/pack/pack-1.keep",
        "objects/pack/tmp_pack_x1",
        "packed-refs.lock",
        "packed-refs.new",
        "refs/drafts/3.lock",
        "refs/heads/main.lock",
    ]
    for name in left:
        (library.path / name).parent.mkdir(parents=True, exist_ok=True)
        (library.path / name).write_text("fast-import\n" if name.endswith(".keep") else "")
    (library.path / "objects/pack/pack-2.keep").write_text("kept by an administrator\n")
    with library.lock():
        assert library.remove_stale_locks() == left
        assert library.remove_stale_locks() == []
    assert (library.path / "objects/pack/pack-2.keep").exists()
    assert library.head() == head


def test_only_the_holder_of_the_lock_removes_lock_files(library: Library) -> None:
    (library.path / "refs/heads/main.lock").touch()
    with pytest.raises(ValueError, match="holder"):
        library.remove_stale_locks()
    assert (library.path / "refs/heads/main.lock").exists()


def test_maintenance_packs_and_keeps_what_no_ref_reaches(library: Library, publish: Publish, commit: Commit) -> None:
    (replaced,) = library.write("refs/drafts/1", None, [commit("d.md", b"typed by a person\n")])
    library.delete_ref("refs/drafts/1")
    heads = [publish("a.md", b"%d\n" % number) for number in range(12)]
    assert len(list(library.path.glob("objects/[0-9a-f][0-9a-f]/*"))) > 30
    library.maintain()
    library.maintain()
    library.close()
    assert list(library.path.glob("objects/[0-9a-f][0-9a-f]/*")) == []
    assert list(library.path.glob("objects/info/commit-graphs/*.graph"))
    assert library.read(replaced.blobs["d.md"]) == b"typed by a person\n"
    assert [found.oid for found in library.publications()] == heads
    assert library.verify() == []


def test_maintenance_clears_what_would_stop_it(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    (library.path / "packed-refs.new").touch()
    (library.path / "packed-refs.lock").touch()
    library.maintain()
    assert f"{head} {MAIN}" in (library.path / "packed-refs").read_text()


def test_publishing_goes_on_after_maintenance(library: Library, publish: Publish) -> None:
    publish("a.md", b"1\n")
    library.maintain()
    second = publish("a.md", b"2\n")
    library.maintain()
    assert library.head() == second
    assert len(list(library.publications())) == 2


def test_damage_is_told(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    blob = library.blob_at(head, "a.md")
    assert blob is not None
    loose = library.path / "objects" / blob[:2] / blob[2:]
    loose.unlink()
    library.close()
    problems = library.verify()
    assert any("missing" in problem and blob in problem for problem in problems)
    with pytest.raises(DamagedError, match="sop-server check"):
        library.read(blob)


def test_a_file_with_other_bytes_is_not_served(library: Library, publish: Publish) -> None:
    first, second = publish("a.md", b"right\n"), publish("b.md", b"wrong\n")
    right, wrong = library.blob_at(first, "a.md"), library.blob_at(second, "b.md")
    assert right is not None
    assert wrong is not None
    library.close()
    place = library.path / "objects" / right[:2] / right[2:]
    place.chmod(0o644)
    place.write_bytes((library.path / "objects" / wrong[:2] / wrong[2:]).read_bytes())
    with pytest.raises(DamagedError):
        library.read(right)
