"""What is dear to make is made once."""

from collections.abc import Collection

from sop_server.services.kept import Kept


def test_of_many_only_what_is_missing_is_made_and_what_does_not_exist_is_left_out() -> None:
    kept: Kept[str, int] = Kept(8)
    asked: list[list[str]] = []

    def read(missing: Collection[str]) -> dict[str, int]:
        asked.append(list(missing))
        return {key: len(key) for key in missing if key != "nothing"}

    assert kept.several(["a", "bb"], read) == {"a": 1, "bb": 2}
    assert kept.several(["bb", "ccc", "nothing"], read) == {"bb": 2, "ccc": 3}
    assert kept.several(["a", "ccc"], read) == {"a": 1, "ccc": 3}
    assert asked == [["a", "bb"], ["ccc", "nothing"]]


def test_what_was_unused_the_longest_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    for key in ("a", "b"):
        kept.put(key, 1)
    kept.held("a")
    kept.put("c", 1)

    assert [kept.held(key) for key in ("a", "b", "c")] == [1, None, 1]
