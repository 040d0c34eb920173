"""Instants and intervals as people and machines write them; inside they are UTC datetimes and whole days."""

import re
from datetime import UTC, datetime, timedelta

from sop_server.errors import InvalidInputError

EARLIEST_GO_LIVE = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_GO_LIVE_AHEAD = timedelta(days=1826)

_MAX_INSTANT_LENGTH = 40
_MAX_INTERVAL_DAYS = 36_500

# A form or an address that nobody encoded turns the plus sign of an offset into a blank.
_BLANK_FOR_PLUS = re.compile(r"(?<=\d) (?=\d{2}(?::?\d{2})?$)")
_INTERVAL = re.compile(r"(\d{1,6})\s*(day|week|month|year)s?", re.IGNORECASE | re.ASCII)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def parse_instant(text: str, *, field: str) -> datetime:
    """Return an ISO 8601 instant as a UTC datetime; its offset (`Z`, `+02:00`, `+0200`) is required.

    InvalidInputError, with what is wrong under `field`, where it cannot be read or names no offset.
    """
    cleaned = text.strip().upper()
    if "T" in cleaned:
        cleaned = _BLANK_FOR_PLUS.sub("+", cleaned)
    if not cleaned.isascii() or len(cleaned) > _MAX_INSTANT_LENGTH:
        raise _unreadable(text, field)
    try:
        instant = datetime.fromisoformat(cleaned)
    except ValueError:
        raise _unreadable(text, field) from None
    if instant.utcoffset() is None:
        raise InvalidInputError(
            f"“{text.strip()}” does not say in which time zone. Write the offset too, for example "
            "2026-11-03T09:30:00+01:00, or Z for UTC. Nothing was changed.",
            fields={field: "needs an offset, such as +01:00 or Z"},
        )
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise _unreadable(text, field) from None


def _unreadable(text: str, field: str) -> InvalidInputError:
    shown = text.strip()[:_MAX_INSTANT_LENGTH]
    return InvalidInputError(
        f"“{shown}” is not an instant that can be read. Write date, time and offset, for example "
        "2026-11-03T09:30:00+01:00 or 2026-11-03T08:30:00Z. Nothing was changed.",
        fields={field: "must be an ISO 8601 date and time with an offset"},
    )


def format_instant(instant: datetime) -> str:
    """Return the instant in UTC as `2026-11-03T08:30:00Z`; microseconds only where there are some.

    ValueError for a datetime without an offset, which is a mistake of the caller.
    """
    if instant.utcoffset() is None:
        raise ValueError("an instant has an offset")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def check_go_live(instant: datetime, *, now: datetime, field: str) -> datetime:
    """Return the go-live as it is where it can be meant: from 2000 on, at most five years (1,826 days) ahead.

    InvalidInputError otherwise, such as for the year 9999 that some tools write for "never".
    """
    if instant < EARLIEST_GO_LIVE:
        raise InvalidInputError(
            f"The instant {format_instant(instant)} in “{field}” lies before the year 2000. "
            "Correct it where it was entered. Nothing was changed.",
            fields={field: "must not lie before 2000-01-01"},
        )
    if instant - now > LATEST_GO_LIVE_AHEAD:
        raise InvalidInputError(
            f"The instant {format_instant(instant)} in “{field}” lies more than five years ahead. Some tools write "
            "such a date for “not known yet”: leave it out in that case, or correct it. Nothing was changed.",
            fields={field: "must not lie more than five years ahead"},
        )
    return instant


def hours(duration: timedelta) -> float:
    """Return the duration in hours."""
    return duration.total_seconds() / 3600


def parse_interval(text: str) -> int:
    """Return "N days|weeks|months|years" in days; a month is 30 days and a year 365, whatever the calendar says.

    InvalidInputError where it cannot be read, is zero, or passes 100 years.
    """
    match = _INTERVAL.fullmatch(text.strip())
    days = int(match[1]) * _DAYS[match[2].lower()] if match else 0
    if not 1 <= days <= _MAX_INTERVAL_DAYS:
        raise InvalidInputError(
            f"“{text.strip()[:40]}” is not an interval that can be used. Write a number and days, weeks, months or "
            "years, for example “180 days” or “6 months”.",
            fields={"review_every": "must be like “180 days” or “6 months”"},
        )
    return days
