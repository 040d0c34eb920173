from datetime import timedelta

from sop_server.services.background import MAINTAIN_EVERY, run_due
from sop_server.services.stores import Stores
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
