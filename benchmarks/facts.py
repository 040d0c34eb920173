"""The mass of facts around the SOPs, straight into the tables: people, processes, tickets, obligations and the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert

from benchmarks import texts
from sop_server.domain.facts import FeedbackKind, ReviewOutcome, TicketStatus
from sop_server.storage import people
from sop_server.storage.database import Database, Session
from sop_server.storage.tables import (
    Acknowledgement,
    Feedback,
    Membership,
    NotNeeded,
    Obligation,
    Person,
    PersonState,
    Process,
    ProcessVersion,
    Review,
    Table,
    Ticket,
    TicketVersion,
)

Row = dict[str, Any]

READERS_OF_TEAM = 16
WINDOW_HOURS = 48.0
TICKETS_OF_PAIR = 4

_FIRST_READER = 1_000
_FIRST_UNTRIAGED = 1_000_000
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Release:
    """What tickets asked of two SOPs: `at` is when the revision of each came into force, None where none did."""

    tickets: tuple[int, ...]
    go_lives: tuple[datetime, ...]
    sops: tuple[int, int]
    at: tuple[datetime | None, datetime | None]
    not_needed: bool = False


def releases(sops: int, *, now: datetime) -> list[Release]:
    """Return a year's releases: each SOP with an even number is in one, with four tickets and four obligations."""
    random = texts.seeded("releases")
    living = list(range(2, sops + 1, 2))
    random.shuffle(living)
    return [
        _release(number, (first, second), random=random, now=now)
        for number, (first, second) in enumerate(zip(living[::2], living[1::2], strict=False))
    ]


def _release(number: int, sops: tuple[int, int], *, random: Random, now: datetime) -> Release:
    at = now + timedelta(days=random.uniform(-400, 2))
    later = at + timedelta(hours=random.uniform(0, 20))
    kept = random.random() >= 0.02
    first = number * TICKETS_OF_PAIR + 1
    return Release(
        tickets=tuple(range(first, first + TICKETS_OF_PAIR)),
        go_lives=tuple(at - timedelta(hours=random.uniform(0, 50)) for _ in range(TICKETS_OF_PAIR)),
        sops=sops,
        at=(at if at < now else None, later if kept and later < now else None),
        not_needed=not kept and random.random() < 0.5,
    )


def store_people(database: Database, *, at: datetime) -> None:
    """Store the owners, and sixteen readers in each team."""
    owners = [
        {"id": _FIRST_READER - len(texts.OWNERS) + place, "email": email, "name": email.split("@")[0].title()}
        for place, email in enumerate(texts.OWNERS)
    ]
    readers = [
        {"id": number, "email": f"reader{number}@example.com", "name": f"Reader {number}"}
        for number in range(_FIRST_READER, _FIRST_READER + READERS_OF_TEAM * len(texts.TEAMS))
    ]
    everybody = [{**person, "password_hash": None, "created_at": at} for person in (*owners, *readers)]
    with database.write() as session:
        people.ensure_departments(session, texts.DEPARTMENTS, now=at)
        people.ensure_teams(session, texts.TEAMS, now=at)
        _add(session, Person, everybody)
        _add(
            session,
            PersonState,
            [
                {"person_id": person["id"], "active": True, "happened_at": at, "recorded_at": at, "recorded_by": None}
                for person in everybody
            ],
        )
        _add(
            session,
            Membership,
            [
                {"person_id": reader, "team": team, "joined_at": at, "recorded_at": at}
                for team in texts.TEAMS
                for reader in _readers(team)
            ],
        )


def store_processes(database: Database, *, sops: int, at: datetime) -> None:
    """Store a process for each 25 SOPs."""
    numbers = range(1, max(1, sops // texts.SOPS_PER_PROCESS) + 1)
    with database.write() as session:
        _add(
            session,
            Process,
            [{"id": texts.process_id(one), "number": one, "registered_at": at, "recorded_at": at} for one in numbers],
        )
        _add(
            session,
            ProcessVersion,
            [
                {
                    "process_id": texts.process_id(one),
                    "name": f"Process {one}",
                    "department": texts.department_of(one),
                    "criticality": "critical" if one % 5 == 0 else "normal",
                    "owner": texts.OWNERS[one % len(texts.OWNERS)],
                    "deputy": None,
                    "systems": texts.systems_of(one),
                    "status": "active",
                    "happened_at": at,
                    "recorded_at": at,
                    "recorded_by": None,
                }
                for one in numbers
            ],
        )


def store_tickets(database: Database, planned: Sequence[Release]) -> None:
    """Store the tickets of all releases with what each asks of its two SOPs."""
    with database.write() as session:
        _add(session, Ticket, [row for release in planned for row in _tickets(release)])
        _add(session, TicketVersion, [row for release in planned for row in _versions(release)])
        _add(session, Obligation, [row for release in planned for row in _obligations(release)])
        _add(session, NotNeeded, [row for release in planned if release.not_needed for row in _not_needed(release)])


def store_triage(database: Database, *, sops: int, now: datetime) -> None:
    """Store a few tickets that name no SOP, and that nobody has looked at yet."""
    untriaged = range(_FIRST_UNTRIAGED, _FIRST_UNTRIAGED + max(1, sops // 500))
    rows = [
        Release(
            (ticket,), (now - timedelta(hours=7 * (ticket - _FIRST_UNTRIAGED + 1)),), (ticket, ticket), (None, None)
        )
        for ticket in untriaged
    ]
    with database.write() as session:
        _add(session, Ticket, [row for one in rows for row in _tickets(one)])
        # One of them touches a system: more, and hardly any SOP would not be stale.
        versions = [row for one in rows for row in _versions(one)]
        _add(session, TicketVersion, versions[:1] + [{**row, "systems": []} for row in versions[1:]])
        triage = [row for one in rows for row in _obligations(one)][::2]
        _add(session, Obligation, [{**row, "sop_id": None, "origin": "triage"} for row in triage])


def store_participation(database: Database, *, sops: int, since: datetime, now: datetime) -> None:
    """Store what readers and owners did: acknowledgements, reviews and feedback."""
    random = texts.seeded("participation")
    everything = range(1, sops + 1)
    with database.write() as session:
        _add(session, Acknowledgement, [row for one in everything for row in _acknowledgements(one, random, since)])
        _add(session, Review, [_review(one, random, now) for one in everything if random.random() < 0.95])
        _add(session, Feedback, [_feedback(one, random, now) for one in everything if random.random() < 0.2])


def _add(session: Session, table: type[Table], rows: Sequence[Row]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _readers(team: str) -> range:
    first = _FIRST_READER + texts.TEAMS.index(team) * READERS_OF_TEAM
    return range(first, first + READERS_OF_TEAM)


def _tickets(release: Release) -> Iterator[Row]:
    for ticket, go_live in zip(release.tickets, release.go_lives, strict=True):
        yield {"id": ticket, "source": "jira", "key": f"CHG-{ticket}", "recorded_at": go_live - timedelta(days=3)}


def _versions(release: Release) -> Iterator[Row]:
    for ticket, go_live in zip(release.tickets, release.go_lives, strict=True):
        yield {
            "ticket_id": ticket,
            "title": f"Change number {ticket}",
            "status": TicketStatus.DONE,
            "effective_at": go_live,
            "planned_end": None,
            "actual_end": None,
            "announced_at": go_live - timedelta(days=5),
            "created_at": go_live - timedelta(days=6),
            "systems": texts.systems_of(release.sops[0])[:1],
            "processes": [],
            "url": None,
            "recorded_at": go_live - timedelta(days=3),
            "recorded_by": None,
        }


def _obligations(release: Release) -> Iterator[Row]:
    for ticket, go_live in zip(release.tickets, release.go_lives, strict=True):
        for place, sop in enumerate(release.sops):
            yield {
                "id": _obligation(ticket, place),
                "ticket_id": ticket,
                "sop_id": texts.sop_id(sop),
                "origin": "ticket",
                "window_hours": WINDOW_HOURS,
                "recorded_at": go_live - timedelta(days=2),
                "uncounted_from": None,
            }


def _not_needed(release: Release) -> Iterator[Row]:
    for ticket, go_live in zip(release.tickets, release.go_lives, strict=True):
        yield {
            "version": 1,
            "obligation_id": _obligation(ticket, 1),
            "reason": "The procedure does not name what changed.",
            "proposed_by": _FIRST_READER - 1,
            "proposed_at": go_live + timedelta(hours=5),
            "confirmed_by": _FIRST_READER - 2,
            "confirmed_at": go_live + timedelta(hours=9),
        }


def _obligation(ticket: int, place: int) -> int:
    return 2 * ticket - 1 + place


def _acknowledgements(number: int, random: Random, since: datetime) -> Iterator[Row]:
    for team in texts.audience_of(number):
        for reader in _readers(team):
            if random.random() < 0.8:
                at = since + timedelta(hours=random.uniform(1, 24 * 14))
                yield {
                    "sop_id": texts.sop_id(number),
                    "revision": 1,
                    "person_id": reader,
                    "happened_at": at,
                    "recorded_at": at,
                }


def _review(number: int, random: Random, now: datetime) -> Row:
    at = now - _YEAR / 2 * random.random()
    return {
        "sop_id": texts.sop_id(number),
        "revision": 1,
        "outcome": ReviewOutcome.CONFIRMED,
        "note": "Still what we do.",
        "person_id": _FIRST_READER - 1,
        "bulk": False,
        "happened_at": at,
        "recorded_at": at,
    }


def _feedback(number: int, random: Random, now: datetime) -> Row:
    at = now - _YEAR * random.random()
    triaged = at + timedelta(days=random.uniform(0, 9))
    done = triaged < now and random.random() < 0.95
    return {
        "version": 1,
        "sop_id": texts.sop_id(number),
        "revision": 1,
        "kind": random.choice(tuple(FeedbackKind)),
        "case_reference": f"CASE-{number}",
        "what_happened": "The screen has another button than the step says.",
        "what_was_done": "Asked the team lead.",
        "reporter_id": _FIRST_READER,
        "happened_at": at,
        "recorded_at": at,
        "triage_outcome": "sop_change" if done else None,
        "triage_reason": "Will be in the next revision." if done else None,
        "triaged_by": _FIRST_READER - 1 if done else None,
        "triaged_at": triaged if done else None,
        "triage_recorded_at": triaged if done else None,
    }
