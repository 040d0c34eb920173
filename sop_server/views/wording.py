"""Instants and counts as people say them."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import Flask

from sop_server.services.stores import Stores
from sop_server.views import visitor

_NBSP = "\N{NO-BREAK SPACE}"
"""Stands between a number and its unit: an amount is never broken across lines."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_HOURS_UP_TO = 2 * _DAY
_DAYS_UP_TO = 60 * _DAY
_MONTH = 30 * _DAY
_MONTHS_UP_TO = 730 * _DAY
_YEAR = 365 * _DAY


def span(elapsed: timedelta) -> str:
    """Return a length of time, the roundest unit that says enough: `40 min`, `5 h`, `12 days`, `3 months`."""
    seconds = abs(int(elapsed.total_seconds()))
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}{_NBSP}min"
    if seconds < _HOURS_UP_TO:
        return f"{seconds // _HOUR}{_NBSP}h"
    if seconds < _DAYS_UP_TO:
        return f"{seconds // _DAY}{_NBSP}days"
    if seconds < _MONTHS_UP_TO:
        return f"{seconds // _MONTH}{_NBSP}months"
    return f"{seconds // _YEAR}{_NBSP}years"


def exactly(elapsed: timedelta) -> str:
    """Return a length of time to the minute: `2 days 3 h 4 min`."""
    minutes = abs(int(elapsed.total_seconds())) // _MINUTE
    days, hours, rest = minutes // (24 * 60), minutes // 60 % 24, minutes % 60
    named = ((days, "day" if days == 1 else "days"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number}{_NBSP}{unit}" for number, unit in named if number) or f"0{_NBSP}min"


def from_now(instant: datetime, *, now: datetime) -> str:
    """Return where an instant lies seen from `now`: `in 5 h`, `5 h ago`, `now`."""
    elapsed = instant - now
    if abs(elapsed) < timedelta(minutes=1):
        return "now"
    return f"in {span(elapsed)}" if elapsed > timedelta(0) else f"{span(elapsed)} ago"


def day(instant: datetime, *, zone: ZoneInfo) -> str:
    """Return the day: `3 Nov 2026`."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def last_day(end: datetime, *, zone: ZoneInfo) -> str:
    """Return the last day of what ends at an instant: one that ends at midnight does not reach into the next."""
    return day(end - timedelta(microseconds=1), zone=zone)


def moment(instant: datetime, *, zone: ZoneInfo) -> str:
    """Return the exact instant with its zone: `Tue 3 Nov 2026, 14:05 UTC`."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def machine(instant: datetime) -> str:
    """Return an instant as a `<time datetime>` holds it, in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 SOP`, `1,204 SOPs`."""
    return f"{number:,}{_NBSP}{one if number == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    """Return a share as a percentage with one decimal, a dash where there is none."""
    return "\N{EN DASH}" if value is None else f"{100 * value:.1f}{_NBSP}%"


def register(app: Flask) -> None:
    """Give templates the filters `span`, `exactly`, `from_now`, `day`, `moment`, `machine`, `count` and `share`."""
    stores: Stores = app.extensions["stores"]
    zone = ZoneInfo(stores.policy.timezone)
    app.jinja_env.filters.update(
        span=span,
        exactly=exactly,
        from_now=_from_now,
        day=partial(day, zone=zone),
        last_day=partial(last_day, zone=zone),
        moment=partial(moment, zone=zone),
        machine=machine,
        count=count,
        share=share,
    )


def _from_now(instant: datetime) -> str:
    return from_now(instant, now=visitor.now())
