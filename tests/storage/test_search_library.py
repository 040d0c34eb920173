"""What every search engine must keep: facets, who may see what, instants, updates and rebuilds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sop_server.storage.search.protocol import SearchDocument, SearchEngine
from tests.storage.search_cast import ENGINES, INVOICES, LAPTOPS, LIBRARY, LONG_AGO, NOW, find, ids, sop


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    made = ENGINES[request.param](tmp_path)
    made.rebuild(LIBRARY, stamp="one")
    yield made
    made.close()


def test_facets_count_all_hits_not_the_page(engine: SearchEngine) -> None:
    result = find(engine, "", limit=1)
    facets = result.facets
    assert facets["department"] == (("Customer Care", 1), ("Finance", 1), ("IT", 1))
    assert facets["system"] == (("SAP", 2), ("Jira", 1), ("Zendesk", 1))
    assert facets["process"] == (("PROC-002", 2), ("PROC-001", 1), ("PROC-003", 1))
    assert facets["tag"] == (("money", 2), ("urgent", 1))
    assert len(result.hits) == 1
    assert find(engine, "within 30 days", limit=1).facets["tag"] == (("money", 2), ("urgent", 1))


@pytest.mark.parametrize(
    ("facet", "value", "expected"),
    [
        ("department", "finance", ["SOP-0002"]),
        ("system", "SAP", ["SOP-0002", "SOP-0042"]),
        ("process", "PROC-001", ["SOP-0001"]),
        ("tag", "Money", ["SOP-0001", "SOP-0002"]),
        ("tag", "mone", []),
    ],
)
def test_facet_keeps_whole_values_only(engine: SearchEngine, facet: str, value: str, expected: list[str]) -> None:
    result = find(engine, "", **{facet: value})
    assert sorted(hit.sop_id for hit in result.hits) == expected
    assert result.total == len(expected)


def test_only_visible_sops_are_found_and_counted(engine: SearchEngine) -> None:
    result = find(engine, "refund", among=frozenset({"SOP-0002", "SOP-9999"}))
    assert [hit.sop_id for hit in result.hits] == ["SOP-0002"]
    assert result.facets["department"] == (("Finance", 1),)
    assert ids(engine, "refund", excluding=frozenset({"SOP-0001"})) == ["SOP-0002"]
    assert find(engine, "refund", among=frozenset()).total == 0


def test_pages_follow_each_other(engine: SearchEngine) -> None:
    engine.update([sop(f"SOP-1{n:03}", f"Parcel number {n}", "A parcel.") for n in range(25)], [])
    pages = [ids(engine, "parcel", limit=10, offset=offset) for offset in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({sop_id for page in pages for sop_id in page}) == 25


def test_scheduled_revision_appears_when_its_time_comes(engine: SearchEngine) -> None:
    tomorrow = NOW + timedelta(days=1)
    old = replace(LAPTOPS, served_until=tomorrow)
    new = sop("SOP-0042", "Setting up a tablet", "Charge it.", revision=2, served_from=tomorrow)
    engine.update([old, new], [])
    assert [(hit.sop_id, hit.revision) for hit in find(engine, "compiler").hits] == [("SOP-0042", 1)]
    assert not find(engine, "tablet").total
    later = tomorrow
    assert [(hit.sop_id, hit.revision) for hit in find(engine, "tablet", at=later).hits] == [("SOP-0042", 2)]
    assert not find(engine, "compiler", at=later).total
    assert find(engine, "tablet", at=later - timedelta(microseconds=1)).total == 0


def test_past_instant_searches_what_was_in_force_then(engine: SearchEngine) -> None:
    first, second = LONG_AGO + timedelta(days=100), LONG_AGO + timedelta(days=200)
    engine.update(
        [
            sop("SOP-0300", "Fax machine", "Dial nine.", revision=1, served_until=first),
            sop("SOP-0300", "Fax gateway", "Dial eight.", revision=2, served_from=first, served_until=second),
            sop("SOP-0300", "Scanner", "Press start.", revision=3, served_from=second),
        ],
        [],
    )
    assert not find(engine, "fax").total
    then = find(engine, "fax", at=first + timedelta(days=1), as_of=True)
    assert [(hit.revision, hit.title) for hit in then.hits] == [(2, "Fax gateway")]
    assert [hit.revision for hit in find(engine, "dial nine", at=LONG_AGO, as_of=True).hits] == [1]
    assert [hit.revision for hit in find(engine, "scanner").hits] == [3]
    assert find(engine, "", at=LONG_AGO - timedelta(days=1), as_of=True).total == 0


def test_retired_sop_is_found_before_its_end_alone(engine: SearchEngine) -> None:
    end = NOW - timedelta(days=3)
    engine.update([replace(LAPTOPS, served_until=end)], [])
    assert not find(engine, "laptop").total
    assert find(engine, "laptop", at=end - timedelta(days=1), as_of=True).total == 1


def test_update_replaces_and_removes(engine: SearchEngine) -> None:
    engine.update([replace(LAPTOPS, title="Setting up a tablet")], ["SOP-0001"], stamp="two")
    assert not ids(engine, "title:laptop")
    assert ids(engine, "title:tablet") == ["SOP-0042"]
    assert ids(engine, "refund") == ["SOP-0002"]
    assert find(engine, "").total == 2
    assert engine.stamp() == "two"


def test_update_without_a_stamp_keeps_the_old_one(engine: SearchEngine) -> None:
    engine.update([], ["SOP-0001"])
    assert engine.stamp() == "one"


def test_many_small_updates_lose_nothing(engine: SearchEngine) -> None:
    for number in range(40):
        past = sop(f"SOP-2{number:03}", "Older tale", "Dragons.", served_until=NOW - timedelta(days=400))
        now = sop(f"SOP-2{number:03}", "Newer tale", "Wizards.", revision=2, served_from=NOW - timedelta(days=400))
        engine.update([past, now], [], stamp=str(number))
    assert find(engine, "wizards").total == 40
    assert find(engine, "dragons").total == 0
    assert find(engine, "dragons", at=NOW - timedelta(days=401), as_of=True).total == 40
    assert engine.stamp() == "39"


def test_rebuild_replaces_everything(engine: SearchEngine) -> None:
    engine.rebuild(iter([INVOICES]), stamp="three")
    assert ids(engine, "") == ["SOP-0002"]
    assert engine.stamp() == "three"
    engine.rebuild([], stamp="four")
    assert find(engine, "refund").total == find(engine, "").total == 0
    assert engine.ready()


def test_failing_rebuild_leaves_the_old_index(engine: SearchEngine) -> None:
    def interrupted() -> Iterator[SearchDocument]:
        yield INVOICES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.rebuild(interrupted(), stamp="never")
    assert find(engine, "").total == 3
    assert engine.stamp() == "one"


def test_closed_engine_opens_again(engine: SearchEngine) -> None:
    engine.close()
    engine.close()
    assert ids(engine, "laptop") == ["SOP-0042"]
    engine.warm()
    assert engine.ready()


def test_a_facet_of_very_many_values_is_counted_as_one_of_few(tmp_path: Path) -> None:
    many = [
        sop(f"SOP-{number:04}", "Refunds", processes=(f"PROC-{number:04}", "PROC-9999"), tags=("odd",) * (number % 2))
        for number in range(1, 1501)
    ]
    for name, make in ENGINES.items():
        made = make(tmp_path / name)
        made.rebuild(many, stamp="one")
        facets = find(made, "refunds", limit=1).facets
        made.close()

        assert facets["process"][0] == ("PROC-9999", 1500)
        assert dict(facets["process"])["PROC-0007"] == 1
        assert len(facets["process"]) == 1501
        assert facets["tag"] == (("odd", 750),)
