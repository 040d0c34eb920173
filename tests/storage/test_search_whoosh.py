"""What the Whoosh index adds to the contract: its folder, damage, and many processes at once."""

import json
import multiprocessing
import os
import shutil
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.errors import BusyError
from sop_server.storage.search import writing
from sop_server.storage.search.manifest import NAME
from sop_server.storage.search.protocol import IndexUnavailableError, SearchDocument, SearchRequest
from sop_server.storage.search.whoosh_engine import WhooshEngine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def sop(number: int, words: str = "refund the customer", *, revision: int = 1) -> SearchDocument:
    return SearchDocument(
        sop_id=f"SOP-{number:04}",
        revision=revision,
        title=f"Procedure number {number}",
        headings="Steps",
        body=f"{words} " * 5,
        tags=(),
        systems=(),
        processes=(),
        department=None,
        owner=None,
        served_from=LONG_AGO,
        served_until=None,
    )


def request(text: str = "refund") -> SearchRequest:
    return SearchRequest(text, NOW)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(root: Path) -> Iterator[WhooshEngine]:
    made = WhooshEngine(root)
    made.rebuild([sop(number) for number in range(20)], stamp="one")
    yield made
    made.close()


def files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("segments-*/*") if path.is_file())


def test_folder_is_for_its_owner_alone(engine: WhooshEngine, root: Path) -> None:
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in root.glob("segments-*"))


def test_nothing_is_left_over_by_writing(engine: WhooshEngine, root: Path) -> None:
    for number in range(30):
        engine.update([sop(number)], [])
    engine.rebuild([sop(1)], stamp="two")
    engine.update([sop(2)], [])
    manifest = json.loads((root / NAME).read_bytes().partition(b"\n")[2])
    named = {file[0] for segment in manifest["segments"] for file in segment[4]}
    assert {path.name for path in files_of(root)} == named
    assert sorted(path.name for path in root.iterdir()) == ["LOCK", NAME, manifest["directory"]]
    assert len(list((root / manifest["directory"]).iterdir())) == len(named)


def test_index_that_was_never_built_is_unavailable(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "nothing")
    with pytest.raises(IndexUnavailableError, match="reindex"):
        engine.search(request())
    with pytest.raises(IndexUnavailableError):
        engine.update([sop(1)], [])
    with pytest.raises(IndexUnavailableError):
        engine.warm()
    assert not engine.ready()
    assert engine.stamp() is None


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8] = bytes(sign ^ 0xFF for sign in content[middle : middle + 8])
    path.write_bytes(content)


def overwrite(path: Path) -> None:
    path.write_bytes(b"\x80\x04cposix\nsystem\n(S'false'\ntR." + b"\xff" * path.stat().st_size)


def delete(path: Path) -> None:
    path.unlink()


DAMAGES: list[Callable[[Path], None]] = [truncate, empty, garble, overwrite, delete]
KINDS = [NAME, ".trm", ".pst", ".tab", ".par", "_stored.col", "stream.col"]


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "opened after"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_makes_the_index_unavailable_until_it_is_rebuilt(
    engine: WhooshEngine, root: Path, damage: Callable[[Path], None], kind: str, *, is_open: bool
) -> None:
    if not is_open:
        engine.close()
    victim = root / NAME if kind == NAME else next(path for path in files_of(root) if path.name.endswith(kind))
    damage(victim)
    with pytest.raises(IndexUnavailableError, match="reindex"):
        engine.search(request())
    with pytest.raises(IndexUnavailableError):
        engine.update([sop(1)], [])
    assert not engine.ready()
    assert engine.stamp() is None
    engine.rebuild([sop(1)], stamp="two")
    assert engine.search(request()).total == 1
    assert engine.stamp() == "two"


def test_deleted_folder_makes_the_index_unavailable(engine: WhooshEngine, root: Path) -> None:
    shutil.rmtree(root)
    with pytest.raises(IndexUnavailableError):
        engine.search(request())
    engine.rebuild([sop(1)], stamp="two")
    assert engine.search(request()).total == 1


def test_index_of_another_format_is_unavailable(engine: WhooshEngine, root: Path) -> None:
    content = json.loads((root / NAME).read_bytes().partition(b"\n")[2])
    body = json.dumps(content | {"format": "older"}).encode()
    (root / NAME).write_bytes(b"%08x\n" % zlib.crc32(body) + body)
    with pytest.raises(IndexUnavailableError, match="another version"):
        engine.search(request())


def test_folder_that_cannot_be_written_leaves_the_index_as_it_was(engine: WhooshEngine, root: Path) -> None:
    # A file where Whoosh wants its scratch folder stops a writer whoever runs it.
    directory = next(root.glob("segments-*"))
    (directory / "SOP.tmp").write_text("in the way")
    with pytest.raises(IndexUnavailableError, match="as it was"):
        engine.update([sop(1, "something else")], [], stamp="two")
    assert engine.search(request()).total == 20
    assert engine.stamp() == "one"


def test_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("in the way")
    engine = WhooshEngine(tmp_path / "index")
    with pytest.raises(IndexUnavailableError, match="Nothing was changed"):
        engine.rebuild([sop(1)], stamp="one")
    assert not engine.ready()


def test_second_writer_waits_and_then_says_that_it_is_busy(engine: WhooshEngine, root: Path) -> None:
    hasty = WhooshEngine(root, timeout=0.05)
    with writing.write_lock(root, timeout=1), pytest.raises(BusyError, match="Nothing was changed"):
        hasty.update([sop(1)], [])
    hasty.update([sop(1, "parcels")], [])
    assert hasty.search(request("parcels")).total == 1
    hasty.close()


def test_other_engine_notices_every_change(engine: WhooshEngine, root: Path) -> None:
    other = WhooshEngine(root)
    assert other.search(request("parcels")).total == 0
    engine.update([sop(3, "parcels")], [], stamp="two")
    assert other.search(request("parcels")).total == 1
    assert other.stamp() == "two"
    engine.rebuild([sop(4, "parcels"), sop(5, "parcels")], stamp="three")
    assert other.search(request("parcels")).total == 2
    other.close()


def test_small_segments_are_merged(engine: WhooshEngine, root: Path) -> None:
    for number in range(100):
        engine.update([sop(100 + number, "parcels")], [])
    assert engine.search(request("parcels")).total == 100
    assert len(list(root.glob("segments-*/*.trm"))) < 20


def test_where_a_revision_is_kept_does_not_change_what_is_found(tmp_path: Path) -> None:
    """The clock of the machine sorts revisions into segments; with any clock the answers are the same."""
    first, second = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    spans = [(LONG_AGO, first), (first, second), (second, None)]
    documents = [
        SearchDocument(
            "SOP-0001", number, f"Edition {number}", "", "text", (), (), (), None, None, served_from, served_until
        )
        for number, (served_from, served_until) in enumerate(spans, 1)
    ]
    answers = []
    for year in (2024, 2026, 2030):
        made = WhooshEngine(tmp_path / str(year), clock=lambda year=year: datetime(year, 1, 1, tzinfo=UTC))  # type: ignore[misc]
        made.rebuild(documents, stamp="one")
        answers.append(
            [
                [hit.revision for hit in made.search(SearchRequest("edition", at)).hits]
                for at in (LONG_AGO, first, NOW, second)
            ]
        )
        made.close()
    assert answers == [[[1], [2], [2], [3]]] * 3


def test_engine_works_in_a_forked_process(engine: WhooshEngine) -> None:
    assert engine.search(request()).total == 20
    context = multiprocessing.get_context("fork")
    totals = context.Queue()
    child = context.Process(target=lambda: totals.put(engine.search(request()).total))
    child.start()
    assert totals.get(timeout=30) == 20
    child.join(30)
    assert engine.search(request()).total == 20


def _write_a_lot(root: str, rounds: int) -> None:
    engine = WhooshEngine(Path(root), timeout=30)
    for number in range(rounds):
        if number % 6 == 5:
            engine.rebuild([sop(each) for each in range(20)], stamp=f"rebuilt {number}")
        else:
            engine.update([sop(number % 20, revision=number + 1), sop(100 + number, "parcels")], [], stamp=str(number))
    engine.update([sop(999, "finished")], [], stamp="last")
    engine.close()


def test_four_threads_search_while_another_process_writes(engine: WhooshEngine, root: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_a_lot, args=(str(root), 40))
    problems: list[BaseException] = []
    searches: list[int] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                result = engine.search(request())
                # Every state of the index that was ever swapped in holds these twenty.
                assert result.total == 20
                assert all("<mark>refund</mark>" in hit.snippet for hit in result.hits)
                searches.append(engine.search(request('"refund the customer" proc*')).total)
        except BaseException as exc:  # noqa: BLE001 - whatever ends a thread is the test's result
            problems.append(exc)

    threads = [threading.Thread(target=search) for _ in range(4)]
    writer.start()
    for thread in threads:
        thread.start()
    writer.join(120)
    done.set()
    for thread in threads:
        thread.join(30)
    assert not problems
    assert writer.exitcode == 0
    assert set(searches) == {20}
    assert engine.search(request("finished")).total == 1
    assert engine.stamp() == "last"


def test_searches_go_on_while_a_damaged_index_is_rebuilt(engine: WhooshEngine, root: Path) -> None:
    garble(next(path for path in files_of(root) if path.suffix == ".pst"))
    other = WhooshEngine(root)
    seen: list[str] = []

    def slowly() -> Iterator[SearchDocument]:
        for number in range(3):
            with pytest.raises(IndexUnavailableError):
                other.search(request())
            seen.append("unavailable")
            yield sop(number)

    engine.rebuild(slowly(), stamp="two")
    assert other.search(request()).total == 3
    assert len(seen) == 3
    other.close()


def test_files_are_closed_when_nobody_searches_in_them(engine: WhooshEngine, root: Path) -> None:
    def open_files() -> int:
        opened = Path("/proc/self/fd").iterdir()
        return sum(str(root) in str(entry.readlink()) for entry in opened if entry.is_symlink())

    engine.search(request())
    few = open_files()
    for number in range(5):
        engine.rebuild([sop(number)], stamp=str(number))
        engine.search(request())
    assert open_files() <= few
    engine.close()
    assert open_files() == 0
