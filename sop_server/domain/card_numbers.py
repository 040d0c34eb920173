"""Numbers of payment cards in free text: they must not be stored, so they are found and refused."""

import re

LEAST_DIGITS = 13
MOST_DIGITS = 19

# Digits in one piece, or in groups as they are printed on a card (4-4-4-4, 4-6-5), by blanks or hyphens.
_IN_ONE_PIECE = re.compile(r"(?<![0-9])[1-9][0-9]{12,18}(?![0-9])")
_IN_GROUPS = re.compile(r"(?<![0-9])(?=[1-9])[0-9]{4}(?:[ \u00a0-][0-9]{3,6}){2,4}(?![0-9])")


def has_card_number(text: str) -> bool:
    """Whether a number of 13 to 19 digits in the text passes the check of card numbers (Luhn, ISO/IEC 7812-1)."""
    if any(_passes(found.group()) for found in _IN_ONE_PIECE.finditer(text)):
        return True
    return any(_grouped(found.group()) for found in _IN_GROUPS.finditer(text))


def _grouped(run: str) -> bool:
    # A year or a case number may follow: every run of leading groups is looked at.
    groups = re.split(r"[^0-9]", run)
    return any(
        LEAST_DIGITS <= len(digits) <= MOST_DIGITS and _passes(digits)
        for last in range(3, len(groups) + 1)
        for digits in ("".join(groups[:last]),)
    )


def _passes(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of the digits of a doubled digit
    return total % 10 == 0
