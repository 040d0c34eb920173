"""The demonstration's business changes: registered, gone live or cancelled, and what was not needed for them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from sop_server.domain.doers import OPERATOR, Doer, System
from sop_server.domain.facts import TicketStatus
from sop_server.domain.tickets import TicketInput
from sop_server.errors import DamagedError
from sop_server.services.changes.obligations import confirm_not_needed, propose_not_needed
from sop_server.services.changes.tickets import get_ticket, upsert_ticket
from sop_server.services.demonstration.demo_stage import Event, Stage
from sop_server.services.demonstration.example_registers import Row, split_cell

_BY_HAND = "manual"


def known_from(stage: Stage) -> Mapping[str, datetime]:
    """Return since when each ticket is known here, by `source:key`."""
    return {_reference(row): stage.ago(row["recorded_days_ago"]) for row in stage.history("tickets.csv")}


def ticket_events(stage: Stage) -> Iterator[Event]:
    """Yield the tickets: planned when they are registered before their time, and what became of them afterwards."""
    for row in stage.history("tickets.csv"):
        recorded, live = stage.ago(row["recorded_days_ago"]), stage.ago(row["effective_days_ago"])
        after = stage.ago(row["cancelled_days_ago"]) if row["cancelled_days_ago"] else live
        status = TicketStatus(row["status"])
        if status is TicketStatus.PLANNED or after > recorded:
            yield Event(recorded, partial(_register, stage, row, TicketStatus.PLANNED, recorded))
            if status is not TicketStatus.PLANNED:
                yield Event(after, partial(_change, stage, row, status, after))
        else:
            yield Event(recorded, partial(_register, stage, row, status, recorded))


def not_needed_events(stage: Stage) -> Iterator[Event]:
    """Yield the proposals that an obligation is not needed, and their confirmations."""
    for row in stage.history("not_needed.csv"):
        proposed, confirmed = stage.ago(row["proposed_days_ago"]), stage.ago(row["confirmed_days_ago"])
        yield Event(proposed, partial(_propose, stage, row, proposed))
        yield Event(confirmed, partial(_confirm, stage, row, confirmed))


def _register(stage: Stage, row: Row, status: TicketStatus, at: datetime) -> None:
    given = TicketInput(
        title=row["title"],
        status=status.value,
        announced_at=stage.ago(row["announced_days_ago"]),
        effective_at=stage.ago(row["effective_days_ago"]),
        systems=split_cell(row["systems"]),
        processes=split_cell(row["processes"]),
        sops=split_cell(row["sops"]),
    )
    upsert_ticket(stage.stores_at(at), actor=_doer(row), now=at, source=row["source"], key=row["key"], given=given)


def _change(stage: Stage, row: Row, status: TicketStatus, at: datetime) -> None:
    given = TicketInput(status=status.value)
    upsert_ticket(stage.stores_at(at), actor=_doer(row), now=at, source=row["source"], key=row["key"], given=given)


def _propose(stage: Stage, row: Row, at: datetime) -> None:
    propose_not_needed(
        stage.stores_at(at),
        actor=stage.person(row["proposed_by"], at),
        now=at,
        obligation_id=_obligation(stage, row, at),
        reason=row["reason"],
    )


def _confirm(stage: Stage, row: Row, at: datetime) -> None:
    confirm_not_needed(
        stage.stores_at(at),
        actor=stage.person(row["confirmed_by"], at),
        now=at,
        obligation_id=_obligation(stage, row, at),
    )


def _obligation(stage: Stage, row: Row, at: datetime) -> str:
    ticket = get_ticket(stage.stores_at(at), actor=OPERATOR, now=at, ticket_id=row["ticket"])
    for obligation in ticket.obligations:
        if obligation.sop_id == (row["sop"] or None):
            return obligation.id
    raise DamagedError(f"The example library is not whole: {row['ticket']} has no obligation for “{row['sop']}”.")


def _reference(row: Row) -> str:
    return f"{row['source']}:{row['key']}"


def _doer(row: Row) -> Doer:
    return OPERATOR if row["source"] == _BY_HAND else System(row["source"])
