import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.csv_rows import read_rows, split_list
from sop_server.errors import InvalidInputError

CELL = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.tuples(CELL.filter(str.strip), CELL), max_size=8))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([("a", "b"), *rows])

    found = read_rows(file.getvalue().encode(), required=["a"], optional=["b"])

    assert [(row.cells["a"], row.cells["b"]) for row in found] == [(a.strip(), b.strip()) for a, b in rows]


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_clear_refusal(content: bytes) -> None:
    try:
        read_rows(b"a,b\n" + content, required=["a"], optional=["b"])
    except InvalidInputError as error:
        assert "Nothing was imported" in error.message  # noqa: PT017 - either answer is right, both are checked


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    found = read_rows(b'a\n\n"1\n2"\n\n3\n', required=["a"], optional=[])

    assert [(row.line, row.cells["a"]) for row in found] == [(3, "1\n2"), (6, "3")]


@pytest.mark.parametrize(
    ("cell", "names"), [("", ()), (" a ; b,c ", ("a", "b", "c")), (";;", ()), ("SOP-0001", ("SOP-0001",))]
)
def test_lists_in_cells_are_split(cell: str, names: tuple[str, ...]) -> None:
    assert split_list(cell) == names
