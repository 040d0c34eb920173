"""The names that things go by: `SOP-0042`, `PROC-017`, `DRF-0012`, and the ASCII slug of a title."""

import re
import unicodedata
from dataclasses import dataclass

MAX_SLUG = 80
MAX_DIGITS = 9  # what every database's integer holds

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
    }
)
# A clone on Windows cannot hold a file of these names.
_RESERVED = frozenset(["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))])


@dataclass(frozen=True, slots=True)
class Series:
    """A series of numbered names: a prefix, and the least number of digits."""

    prefix: str
    width: int

    def name(self, number: int) -> str:
        """Return the canonical name of `number` (1 or more)."""
        if number < 1:
            raise ValueError(f"{self.prefix} numbers start at 1, not {number}")
        return f"{self.prefix}-{number:0{self.width}d}"

    def parse(self, text: str) -> int | None:
        """Return the number of a canonical name, None for anything else."""
        number = self._number(text, prefix=f"{self.prefix}-")
        return number if number is not None and self.name(number) == text else None

    def normalise(self, typed: str) -> str | None:
        """Return the canonical name of what a person typed (`sop-42`, `SOP 42`, `sop42`, `42`), else None."""
        text = typed.strip().upper()
        text = text.removeprefix(self.prefix).lstrip(" -_#")
        number = self._number(text, prefix="")
        return None if number is None else self.name(number)

    @staticmethod
    def _number(text: str, *, prefix: str) -> int | None:
        digits = text[len(prefix) :]
        if not text.startswith(prefix) or not digits.isascii() or not digits.isdigit():
            return None
        if len(digits) > MAX_DIGITS:
            return None
        return int(digits) or None


SOP = Series("SOP", 4)
PROCESS = Series("PROC", 3)
DRAFT = Series("DRF", 4)
TICKET = Series("TKT", 4)
OBLIGATION = Series("OBL", 4)
FEEDBACK = Series("FB", 4)
DEVIATION = Series("DEV", 4)
RECERTIFICATION = Series("REC", 4)

sop_id, parse_sop_id, normalise_sop_id = SOP.name, SOP.parse, SOP.normalise
process_id, parse_process_id = PROCESS.name, PROCESS.parse
draft_id, parse_draft_id = DRAFT.name, DRAFT.parse
ticket_id, parse_ticket_id = TICKET.name, TICKET.parse
obligation_id, parse_obligation_id = OBLIGATION.name, OBLIGATION.parse
feedback_id, parse_feedback_id = FEEDBACK.name, FEEDBACK.parse
deviation_id, parse_deviation_id = DEVIATION.name, DEVIATION.parse
recertification_id, parse_recertification_id = RECERTIFICATION.name, RECERTIFICATION.parse


def is_slug(text: str) -> bool:
    """Tell whether `text` is lower-case ASCII letters, digits and hyphens, with no hyphen first."""
    return _SLUG.fullmatch(text) is not None


def slugify(title: str, *, fallback: str = "sop") -> str:
    """Return a slug of `title`: ASCII, at most 80 characters, a safe file name, `fallback` where nothing is left."""
    decomposed = unicodedata.normalize("NFKD", title.casefold().translate(_LETTERS))
    ascii_only = decomposed.translate(_LETTERS).encode("ascii", "ignore").decode("ascii")
    words = re.findall(r"[a-z0-9]+", ascii_only.lower().replace("'", ""))
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:MAX_SLUG]
        if len(longer) > MAX_SLUG:
            break
        slug = longer
    slug = slug or fallback
    return f"{slug}-{fallback}" if slug in _RESERVED else slug
