"""What plain words hold that a reader must see whole: ids of SOPs, and limits and amounts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_CURRENCY = (
    "USD|EUR|GBP|INR|PHP|PLN|COP|AUD|CAD|CHF|CZK|DKK|HUF|JPY|MXN|MYR|NOK|NZD|RON|SEK|SGD|THB|TRY|VND|ZAR|AED"
    "|BRL|CNY|HKD|IDR|ILS|KRW|SAR|UAH"
)
_UNIT = (
    r"%|percent|‰|°C|°F|pp|[kKMGT]i?B|"
    r"(?:(?:business|working|calendar|full)[ \u00a0])?(?:hours?|hrs?|minutes?|mins?|seconds?|secs?|days?|weeks?"
    r"|months?|quarters?|years?)|h|ms|s|min"
)
_NUMBER = r"[0-9]{1,15}(?:[.,][0-9]{1,9}){0,6}"
_RANGE = rf"{_NUMBER}(?:[ \u00a0]?[\u2013-][ \u00a0]?{_NUMBER})?"
_SPACE = r"[ \u00a0\u202f]?"
_PATTERN = re.compile(
    rf"(?<![\w.,-])(?P<id>SOP-[0-9]{{4,9}})(?![\w-])"
    rf"|(?<![\w.,])(?P<amount>(?:{_CURRENCY}){_SPACE}{_RANGE}(?![\w])"
    rf"|[$€£₹₱¥]{_SPACE}{_RANGE}(?:[kKmM](?!\w))?"
    rf"|{_RANGE}(?:{_SPACE}(?:{_CURRENCY})(?!\w)|{_SPACE}(?:{_UNIT})(?!\w)|[ \u00a0]?[€£₱₹]))"
)


class Part(StrEnum):
    """What a stretch of text is."""

    WORDS = "words"
    SOP_ID = "sop_id"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text of one kind."""

    part: Part
    text: str


def stretches(text: str) -> Iterator[Stretch]:
    """Cut `text` into ids, amounts and the words between them; together they are `text`."""
    done = 0
    for match in _PATTERN.finditer(text):
        if match.start() > done:
            yield Stretch(Part.WORDS, text[done : match.start()])
        yield Stretch(Part.SOP_ID if match.lastgroup == "id" else Part.AMOUNT, match.group())
        done = match.end()
    if done < len(text):
        yield Stretch(Part.WORDS, text[done:])
