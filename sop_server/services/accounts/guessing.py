"""Which passwords are guessed soon: those on the lists that are tried first, and what is built from them."""

import re
import threading
from collections.abc import Iterable

from zxcvbn import zxcvbn

from sop_server.errors import InvalidInputError

BY_PERSON = 3
"""The score that a password of a person's own choice needs: more than 10^8 guesses."""
BY_OPERATOR = 1
"""The score for one that the command line sets, to be replaced by its person: more than 10^3 guesses.

Programs set such passwords for trials and for other programs: only what everybody tries first is refused to them.
"""

_LOOKED_AT = 32
_PARTS = re.compile(r"[^\W_]{3,}")
_REASONS = {
    "repeat": "it repeats itself",
    "sequence": "it is a row of letters or figures",
    "spatial": "it is a row of keys",
    "date": "it is built around a date",
    "regex": "it is built around a year",
}

# The library keeps the words of the one call among its lists, where another thread would find them.
_ONE_AT_A_TIME = threading.Lock()


def refuse_guessable(password: str, *, known: Iterable[str], least: int = BY_PERSON, field: str = "password") -> None:
    """Raise InvalidInputError where a password that `clean_password` gave scores under `least`, of 4 by zxcvbn.

    `known` is what a stranger would try first for this person: name, address, the name of the library.
    """
    inputs = _inputs(known)
    # One end that is hard to guess is enough, and the time that zxcvbn takes grows faster than what it looks at.
    for end in dict.fromkeys((password[:_LOOKED_AT], password[-_LOOKED_AT:])):
        with _ONE_AT_A_TIME:
            found = zxcvbn(end, user_inputs=inputs)
        if found["score"] >= least:
            break
    else:
        raise InvalidInputError(
            f"This password would be guessed soon: {_reason(found['sequence'])}. Nothing was changed. "
            "Take four words or more that mean something to you alone, in an order that nobody else would use.",
            fields={field: "would be guessed soon"},
        )


def _inputs(known: Iterable[str]) -> list[str]:
    """Return what is known about a person, in lower case: whole, in its parts, and the parts run together."""
    whole = [text.lower() for text in known]
    parts = [_PARTS.findall(text) for text in whole]
    return list(dict.fromkeys([*whole, *(part for some in parts for part in some), *map("".join, parts)]))


def _reason(sequence: list[dict[str, object]]) -> str:
    lists = {match.get("dictionary_name") for match in sequence}
    if "user_inputs" in lists:
        return "it is built from your name, your address or the name of this library"
    if lists & {"passwords"}:
        return "it is one of the most used passwords, or built around one"
    patterns = [str(match["pattern"]) for match in sequence]
    return next((_REASONS[pattern] for pattern in patterns if pattern in _REASONS), "it is a common word or name")
