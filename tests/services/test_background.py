import os
from datetime import timedelta

import pytest

from sop_server.errors import DamagedError
from sop_server.services.background import MAINTAIN_EVERY, begin, run_due
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from sop_server.storage.git.library import FileChange, Identity, NewCommit
from tests.services.conftest import NOW


def loose_objects(stores: Stores) -> int:
    return len(list((stores.library.path / "objects").glob("??/*")))


def save(stores: Stores, number: int) -> None:
    change = FileChange(f"payments/{number}.md", f"text {number}\n".encode())
    commit = NewCommit("x\n", Identity("A", "a@example.com"), NOW, NOW, (change,))
    with stores.library.lock():
        stores.library.write("refs/drafts/1", stores.library.ref("refs/drafts/1"), [commit])


def packs(stores: Stores) -> int:
    return len(list((stores.library.path / "objects" / "pack").glob("*.pack")))


def test_the_library_is_packed_once_a_day_and_not_more_often(stores: Stores) -> None:
    for number in range(3):
        save(stores, number)
    run_due(stores, now=NOW)
    assert (loose_objects(stores), packs(stores)) == (0, 1)

    save(stores, 3)
    before = (loose_objects(stores), packs(stores))
    assert before[0] > 0
    run_due(stores, now=NOW + timedelta(hours=1))
    assert (loose_objects(stores), packs(stores)) == before

    run_due(stores, now=NOW + MAINTAIN_EVERY)
    assert loose_objects(stores) == 0


def test_a_lock_file_that_no_living_git_keeps_so_long_is_removed_by_a_round(stores: Stores) -> None:
    save(stores, 1)
    run_due(stores, now=NOW)
    left = stores.library.path / "refs/drafts/2.lock"
    left.touch()
    # It may be the lock of a git that an administrator runs, which does not take ours.
    assert run_due(stores, now=NOW) == []
    os.utime(left, (left.stat().st_mtime - 11,) * 2)

    assert run_due(stores, now=NOW) == ["Removed a lock file that a dead git left: refs/drafts/2.lock."]
    assert stores.library.locks() == []


def test_a_part_that_fails_holds_up_no_other(stores: Stores) -> None:
    save(stores, 1)
    (stores.library.path / "refs/heads").mkdir(exist_ok=True)
    (stores.library.path / "refs/heads/main").write_bytes(b"")

    with pytest.raises(DamagedError, match="refs/heads/main"):
        run_due(stores, now=NOW)

    with stores.database.read() as session:
        assert drafts.mark(session, "scanned") is not None


def test_the_start_removes_what_a_round_does_not_look_for(stores: Stores) -> None:
    save(stores, 1)
    run_due(stores, now=NOW)
    half = stores.library.path / "objects/pack/tmp_pack_x1"
    half.touch()
    run_due(stores, now=NOW)
    assert half.exists()

    begin(stores, now=NOW)

    assert not half.exists()
