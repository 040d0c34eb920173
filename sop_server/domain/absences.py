"""Being away: for how long, and who stands in meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sop_server.domain.free_text import clean_line
from sop_server.errors import InvalidInputError

LONGEST = timedelta(days=366)
MAX_NOTE = 200


class Absence(NamedTuple):
    """Somebody is away from `begins_at` until `ends_at`, or until they called it off."""

    begins_at: datetime
    ends_at: datetime
    note: str | None = None
    called_off_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether they are away at an instant."""
        end = self.ends_at if self.called_off_at is None else min(self.ends_at, self.called_off_at)
        return self.begins_at <= at < end


def away(absences: Iterable[Absence], at: datetime) -> Absence | None:
    """Return the absence that holds at an instant, the longest of several; None where somebody is there."""
    found = [one for one in absences if one.holds(at)]
    return max(found, key=lambda one: one.ends_at) if found else None


def check_absence(begins_at: datetime, ends_at: datetime, *, now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when somebody is away, not from before now; raises InvalidInputError otherwise."""
    begins_at = max(begins_at, now)
    if ends_at <= begins_at:
        raise InvalidInputError(
            "The last day lies before the first, or in the past. Nothing was changed.",
            fields={"until": "must lie ahead, and after the first day"},
        )
    if ends_at - now > LONGEST:
        raise InvalidInputError(
            "An absence ends within a year. Have what is yours handed over for a longer one. Nothing was changed.",
            fields={"until": "must lie within a year"},
        )
    return begins_at, ends_at


def clean_note(text: str | None) -> str | None:
    """Return what colleagues may know of an absence, on one line; raises InvalidInputError for too much."""
    return clean_line(text or "", field="note", most=MAX_NOTE, what="The note") or None
