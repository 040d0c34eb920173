"""The threats of SECURITY.md: each has tests, and they are there."""

from tests.checks.documents import ROOT, known_tests, named_in, rows

_THREATS = rows(ROOT / "SECURITY.md")


def test_every_threat_names_tests_that_are_there() -> None:
    there = known_tests()
    for who, door, stops, shown, not_covered in _THREATS:
        named = named_in(shown)
        assert named, f"{who}: no test is named"
        assert [f"{path}::{name}" for path, name in named if (path, name) not in there] == [], who
        assert door, who
        assert stops, who
        assert not_covered, who


def test_the_table_is_of_one_page() -> None:
    assert 10 <= len(_THREATS) <= 20
    assert len({row[0] for row in _THREATS}) == len(_THREATS)


def test_a_test_that_is_not_there_would_be_missed() -> None:
    ((path, name),) = named_in("`checks/test_threats.py::test_that_nobody_wrote`")
    assert (path, name) not in known_tests()
    assert ("checks/test_threats.py", "test_the_table_is_of_one_page") in known_tests()
