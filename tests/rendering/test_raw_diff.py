from hypothesis import given
from hypothesis import strategies as st

from sop_server.rendering.raw_diff import DiffLine, LineKind, SidePair, raw_diff, side_by_side

TEXTS = st.lists(st.sampled_from("abcd"), max_size=30).map(lambda lines: "".join(f"{line}\n" for line in lines))


def test_a_changed_line_stands_between_its_neighbours() -> None:
    assert raw_diff("a\nb\nc\n", "a\nx\nc\n") == (
        DiffLine(LineKind.SAME, 1, 1, "a"),
        DiffLine(LineKind.REMOVED, 2, None, "b"),
        DiffLine(LineKind.ADDED, None, 2, "x"),
        DiffLine(LineKind.SAME, 3, 3, "c"),
    )


def test_lines_far_from_a_change_are_left_out_and_counted() -> None:
    old = "".join(f"{n}\n" for n in range(20))
    lines = raw_diff(old, old.replace("10\n", "ten\n"), context=1)
    assert [line.kind for line in lines] == [
        LineKind.GAP,
        LineKind.SAME,
        LineKind.REMOVED,
        LineKind.ADDED,
        LineKind.SAME,
        LineKind.GAP,
    ]
    assert lines[0].text == "9 unchanged lines"


def test_equal_texts_have_nothing_to_show() -> None:
    assert raw_diff("a\nb\n", "a\nb\n") == ()
    assert raw_diff("", "") == ()


def test_two_columns_put_what_went_beside_what_came() -> None:
    removed, added = DiffLine(LineKind.REMOVED, 1, None, "a"), DiffLine(LineKind.ADDED, None, 1, "x")
    more = DiffLine(LineKind.ADDED, None, 2, "y")
    same = DiffLine(LineKind.SAME, 2, 3, "c")
    assert side_by_side("a\nc\n", "x\ny\nc\n") == (
        SidePair(removed, added),
        SidePair(None, more),
        SidePair(same, same),
    )


@given(TEXTS, TEXTS)
def test_the_columns_hold_both_texts(old: str, new: str) -> None:
    rows = side_by_side(old, new, context=None)
    assert "".join(f"{row.old.text}\n" for row in rows if row.old) == old
    assert "".join(f"{row.new.text}\n" for row in rows if row.new) == new
    lines = raw_diff(old, new, context=None)
    assert [line.old_no for line in lines if line.old_no] == list(range(1, old.count("\n") + 1))
    assert [line.new_no for line in lines if line.new_no] == list(range(1, new.count("\n") + 1))
