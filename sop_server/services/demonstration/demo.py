"""The demonstration: a year of an operation, played through the real services with a played clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sop_server.domain.doers import OPERATOR
from sop_server.resources import resource
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.passwords import set_password
from sop_server.services.demonstration.demo_access import access_events
from sop_server.services.demonstration.demo_deviations import deviation_events
from sop_server.services.demonstration.demo_drafts import open_draft_events, revision_events
from sop_server.services.demonstration.demo_participation import (
    acknowledgement_events,
    feedback_events,
    late_joiners,
    membership_events,
    review_events,
)
from sop_server.services.demonstration.demo_stage import PASSWORD, Event, Stage
from sop_server.services.demonstration.demo_tickets import known_from, not_needed_events, ticket_events
from sop_server.services.demonstration.example_registers import REGISTERS, load_registers, read_table
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores

BEGINNING_DAYS_AGO = 366
_SIGNED, _SIGNED_SINCE_DAYS_AGO = "security-access", 60
"""The department that asks for signatures, and since when."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as; `roles` as people write them."""

    email: str
    name: str
    roles: str
    teams: str


def play_demo(
    stores: Stores, *, now: datetime, watch: Callable[[int, int], None] = lambda _done, _total: None
) -> tuple[DemoPerson, ...]:
    """Play the twelve months before `now` into an empty home; returns the people, who all have one password.

    `watch` is told how many of how many events were played. The same `now` makes the same library.
    """
    stage = Stage(stores, resource("sops"), now)
    beginning = stage.ago(BEGINNING_DAYS_AGO)
    load_registers(
        stage.stores_at(beginning), actor=OPERATOR, root=stage.root, now=beginning, later=late_joiners(stage)
    )
    people = read_table(stage.root / REGISTERS, "people.csv")
    for row in people:
        set_password(stage.stores_at(beginning), actor=OPERATOR, now=beginning, email=row["email"], password=PASSWORD)
    events = _events(stage)
    for number, event in enumerate(events, start=1):
        event.play()
        watch(number, len(events))
    scan(stores, now=now)
    return tuple(DemoPerson(row["email"], row["name"], row["roles"], row["teams"]) for row in people)


def _events(stage: Stage) -> list[Event]:
    signed_since = stage.ago(_SIGNED_SINCE_DAYS_AGO)
    events = [
        Event(signed_since, partial(_sign, stage, signed_since)),
        *membership_events(stage),
        *ticket_events(stage),
        *revision_events(stage, known_tickets=known_from(stage)),
        *open_draft_events(stage),
        *not_needed_events(stage),
        *review_events(stage),
        *feedback_events(stage),
        *acknowledgement_events(stage),
        *deviation_events(stage),
        *access_events(stage),
    ]
    return sorted((event for event in events if event.at <= stage.now), key=lambda event: event.at)


def _sign(stage: Stage, at: datetime) -> None:
    set_rules(stage.stores_at(at), actor=OPERATOR, now=at, slug=_SIGNED, signature=True)
