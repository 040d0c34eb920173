"""When a role ends by itself: what may be said of it, and when people are told beforehand."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sop_server.domain.free_text import clean_line
from sop_server.domain.instants import parse_instant
from sop_server.errors import InvalidInputError

NOTICE = timedelta(days=7)
"""How long before its end a role is told of."""

LONGEST = timedelta(days=1826)
MAX_REASON = 500


def read_end(text: str, *, zone: str, field: str = "until") -> datetime:
    """Return the instant that “until” means: a date holds to its last moment in `zone`, an instant is one.

    Raises InvalidInputError where it can not be read.
    """
    typed = text.strip()
    try:
        day = date.fromisoformat(typed)
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        raise _unreadable(typed, field) from None
    except ValueError:
        pass
    try:
        return parse_instant(typed, field=field)
    except InvalidInputError as error:
        raise _unreadable(typed, field) from error


def read_begin(text: str, *, zone: str, field: str = "from") -> datetime:
    """Return the first moment of a date in `zone`; raises InvalidInputError where it is none."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable(text.strip(), field) from None


def check_end(until: datetime, *, now: datetime, field: str = "until") -> datetime:
    """Return an end that lies ahead, within five years; raises InvalidInputError for any other."""
    if until <= now:
        raise InvalidInputError(
            "The end lies in the past. Name a day to come, or end the role now. Nothing was changed.",
            fields={field: "must lie ahead"},
        )
    if until - now > LONGEST:
        raise InvalidInputError(
            "The end lies more than five years ahead. Leave it out for a role without an end. Nothing was changed.",
            fields={field: "must not lie more than five years ahead"},
        )
    return until


def check_reason(reason: str | None, *, field: str = "reason") -> str:
    """Return why a role ends, on one line; raises InvalidInputError where nobody says."""
    clean = clean_line(reason or "", field=field, most=MAX_REASON, what="The reason")
    if not clean:
        raise InvalidInputError(
            f"Say why, in at most {MAX_REASON} characters: whoever looks at it later reads this alone. "
            "Nothing was changed.",
            fields={field: f"1 to {MAX_REASON} characters"},
        )
    return clean


def _unreadable(text: str, field: str) -> InvalidInputError:
    return InvalidInputError(
        f"“{text[:40]}” is not a day that can be read. Write it as 2026-12-03, or an instant such as "
        "2026-12-03T17:00:00+01:00. Nothing was changed.",
        fields={field: "must be a date such as 2026-12-03"},
    )
