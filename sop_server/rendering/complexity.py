"""How dear a text is to render, estimated without parsing it, so that hostile input costs no more than honest input."""

import re

# Microseconds on the machine of the README's figures, rounded up; measured on texts made of one thing alone.
_PER_CHARACTER = 1.0
_PER_LINE = 30.0
_PER_CELL = 25.0
_PER_BRACKET = 18.0
_PER_MARK = 7.0
_PER_FOOTNOTE = 60.0
_PER_ADDRESS = 80.0
_PER_ID = 40.0
BUDGET = 600_000.0

# The link finder takes quadratic time on addresses that are not separated by white space.
_MAX_ADDRESSES_IN_A_RUN = 20

_DELIMITERS = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_MARKS = '*_~`<>&"\\'


def too_complex(body: str) -> bool:
    """Tell whether `body` would take unreasonably long to render."""
    return cost(body) > BUDGET or _run_together(body)


def cost(body: str) -> float:
    """Return an upper estimate of the rendering time in microseconds."""
    return (
        len(body) * _PER_CHARACTER
        + body.count("\n") * _PER_LINE
        + body.count("[") * _PER_BRACKET
        + body.count("[^") * _PER_FOOTNOTE
        + (body.count("://") + body.count("@")) * _PER_ADDRESS
        + body.count("SOP-") * _PER_ID
        + sum(body.count(mark) for mark in _MARKS) * _PER_MARK
        + _cells(body) * _PER_CELL
    )


def _cells(body: str) -> int:
    """Count the cells of the tables, with those that a short row is filled up with."""
    cells = columns = 0
    for line in body.split("\n"):
        row = line.strip(" >\t")
        if not row:
            columns = 0
        elif row[0] in "|:-" and _DELIMITERS.fullmatch(row):
            columns = max(row.count("|") + 1, columns)
        cells += columns
    return cells


def _run_together(body: str) -> bool:
    if body.count("://") <= _MAX_ADDRESSES_IN_A_RUN:
        return False
    return any(run.count("://") > _MAX_ADDRESSES_IN_A_RUN for run in body.split())
