"""What may be said of a business change, and what a ticket says after something new was said of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.facts import TicketStatus
from sop_server.domain.free_text import clean_text
from sop_server.domain.given import ABSENT, MAX_NAME, MAX_NAMES, Absent, Fields, clean_names
from sop_server.domain.instants import check_go_live
from sop_server.errors import InvalidInputError

MAX_SOURCE = 40
MAX_KEY = 200
MAX_TITLE = 300
MAX_URL = 2000
MAX_REASON = 2000

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketInput:
    """What somebody, or a source, says of a ticket. An absent field keeps its value, None clears it."""

    title: str | Absent = ABSENT
    status: str | Absent | None = ABSENT
    effective_at: datetime | Absent | None = ABSENT
    planned_end: datetime | Absent | None = ABSENT
    actual_end: datetime | Absent | None = ABSENT
    announced_at: datetime | Absent | None = ABSENT
    created_at: datetime | Absent | None = ABSENT
    systems: Sequence[str] | Absent | None = ABSENT
    processes: Sequence[str] | Absent | None = ABSENT
    sops: Sequence[str] | Absent | None = ABSENT
    url: str | Absent | None = ABSENT


@dataclass(frozen=True, slots=True)
class TicketContent:
    """All that one version of a ticket says."""

    title: str
    status: TicketStatus
    effective_at: datetime | None
    planned_end: datetime | None
    actual_end: datetime | None
    announced_at: datetime | None
    created_at: datetime
    systems: tuple[str, ...]
    processes: tuple[str, ...]
    url: str | None


def revise(former: TicketContent | None, given: TicketInput, *, first_known: datetime, now: datetime) -> TicketContent:
    """Return what the ticket says now; raises one InvalidInputError for all fields that cannot be used.

    `first_known` is when the ticket was first heard of: its creation, where nobody says otherwise.
    """
    said = Fields()
    systems, processes = (None, None) if former is None else (former.systems, former.processes)

    def instant(field: str) -> datetime | None:
        value: datetime | Absent | None = getattr(given, field)
        if isinstance(value, Absent):
            return None if former is None else getattr(former, field)
        return said.read(lambda: None if value is None else check_go_live(value, now=now, field=field), None)

    content = TicketContent(
        title=said.read(lambda: _title(given.title, former), ""),
        status=said.read(lambda: _status(given.status, former), TicketStatus.PLANNED),
        effective_at=instant("effective_at"),
        planned_end=instant("planned_end"),
        actual_end=instant("actual_end"),
        announced_at=instant("announced_at"),
        created_at=instant("created_at") or first_known,
        systems=said.read(lambda: clean_names(given.systems, systems, field="systems"), ()),
        processes=said.read(lambda: _processes(given.processes, processes), ()),
        url=said.read(lambda: _url(given.url, former), None),
    )
    said.require_sound()
    return content


def clean_reference(source: str, key: str) -> tuple[str, str]:
    """Return the source and the key by which a ticket is known; raises InvalidInputError."""
    clean_source, clean_key = source.strip(), key.strip()
    if _SOURCE.fullmatch(clean_source) is None or len(clean_source) > MAX_SOURCE:
        raise InvalidInputError(
            f"“{source[:MAX_SOURCE]}” cannot name a source of tickets. Use letters, digits, dots and hyphens, "
            "such as “jira” or “manual”.",
            fields={"source": f"1 to {MAX_SOURCE} letters, digits, dots and hyphens"},
        )
    if not clean_key or len(clean_key) > MAX_KEY or not clean_key.isprintable():
        raise InvalidInputError(
            f"A ticket's key is what its source calls it: 1 to {MAX_KEY} printable characters.",
            fields={"key": f"1 to {MAX_KEY} printable characters"},
        )
    return clean_source, clean_key


def clean_sop_ids(sops: Sequence[str] | Absent | None) -> tuple[str, ...]:
    """Return the SOPs that a ticket names, in their one spelling and each once; raises InvalidInputError."""
    if sops is None or isinstance(sops, Absent):
        return ()
    typed = [name.strip() for name in sops if name.strip()]
    wrong = [name[:MAX_NAME] for name in typed if identifiers.parse_sop_id(name.upper()) is None]
    if wrong or len(typed) > MAX_NAMES:
        named = ", ".join(wrong[:5]) or f"{len(typed)} names"
        raise InvalidInputError(
            f"{named} cannot be used: a SOP is named like SOP-0042, and a ticket names at most {MAX_NAMES}.",
            fields={"sops": f"not the id of a SOP: {named}"},
        )
    return tuple(dict.fromkeys(name.upper() for name in typed))


def clean_reason(reason: str, *, what: str) -> str:
    """Return the reason that somebody gives, in answer to `what`; raises InvalidInputError where there is none."""
    kept = clean_text(reason, field="reason", most=MAX_REASON, what="The reason", required=False)
    if not kept:
        raise InvalidInputError(f"Say why, in a sentence or two: {what}", fields={"reason": "is required"})
    return kept


def _title(given: str | Absent, former: TicketContent | None) -> str:
    if isinstance(given, Absent):
        if former is None:
            raise InvalidInputError(
                "A new ticket needs a title: what changes, in a few words.", fields={"title": "is required"}
            )
        return former.title
    title = " ".join(given.split())
    if not title or len(title) > MAX_TITLE or not title.isprintable():
        raise InvalidInputError(
            f"A ticket's title has 1 to {MAX_TITLE} printable characters.",
            fields={"title": f"1 to {MAX_TITLE} printable characters"},
        )
    return title


def _status(given: str | Absent | None, former: TicketContent | None) -> TicketStatus:
    if isinstance(given, Absent):
        return TicketStatus.PLANNED if former is None else former.status
    try:
        return TicketStatus.PLANNED if given is None else TicketStatus(given.strip().lower())
    except ValueError as error:
        known = ", ".join(status.value for status in TicketStatus)
        raise InvalidInputError(
            f"“{str(given)[:40]}” is no status of a ticket. The statuses are {known}.",
            fields={"status": f"must be one of {known}"},
        ) from error


def _processes(given: Sequence[str] | Absent | None, former: tuple[str, ...] | None) -> tuple[str, ...]:
    names = tuple(name.upper() for name in clean_names(given, former, field="processes"))
    wrong = [name for name in names if identifiers.parse_process_id(name) is None]
    if wrong:
        raise InvalidInputError(
            f"{', '.join(wrong[:5])} cannot be used: a process is named like PROC-017.",
            fields={"processes": f"not the id of a process: {', '.join(wrong[:5])}"},
        )
    return names


def _url(given: str | Absent | None, former: TicketContent | None) -> str | None:
    if isinstance(given, Absent):
        return None if former is None else former.url
    url = (given or "").strip()
    if not url:
        return None
    # Shown as a link to everybody: nothing but a web address may become one.
    if len(url) > MAX_URL or not url.isprintable() or " " in url or not url.startswith(("https://", "http://")):
        raise InvalidInputError(
            f"A ticket's address starts with https:// and has at most {MAX_URL} characters.",
            fields={"url": "must be a web address"},
        )
    return url
