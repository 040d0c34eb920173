"""Who may what in the demonstration: a role that is lent, somebody away, a re-certification over and one that runs."""

from collections.abc import Iterator
from functools import partial

from sop_server.services.accounts.absences import say_away
from sop_server.services.accounts.people import grant_role
from sop_server.services.accounts.recertification_views import ItemFilter, ItemView, list_items, list_recertifications
from sop_server.services.accounts.recertifications import decide, open_recertification
from sop_server.services.demonstration.demo_stage import Event, Stage

_ADMINISTRATOR = "lena.fischer@example.com"
_MANAGER, _OTHER_MANAGER = "grace.holloway@example.com", "tomasz.wilk@example.com"
_AWAY, _STANDS_IN = "rohan.mehta@example.com", "priya.nair@example.com"
_HELPED = "sanjay.patil@example.com"


def access_events(stage: Stage) -> Iterator[Event]:
    """Yield what was given, lent, confirmed and removed."""
    yield Event(
        stage.ago(200),
        partial(_give, stage, 200, email=_HELPED, role="editor@payments", until=None, reason="Helps with the move"),
    )
    yield Event(stage.ago(100), partial(_open, stage, 100, "claims", 14, "Autumn, all of claims."))
    yield Event(stage.ago(97), partial(_keep_all, stage, 97))
    yield Event(
        stage.ago(9),
        partial(_give, stage, 9, email=_STANDS_IN, role="approver@payments", until=-5, reason="Rohan is on leave"),
    )
    yield Event(stage.ago(9), partial(_leave, stage, 9, -5))
    yield Event(stage.ago(4), partial(_open, stage, 4, "payments", 14, "After the move to the new ledger."))
    yield Event(stage.ago(2), partial(_decide_some, stage, 2))


def _give(stage: Stage, days: float, *, email: str, role: str, until: float | None, reason: str) -> None:
    at = stage.ago(days)
    grant_role(
        stage.stores_at(at),
        actor=stage.person(_ADMINISTRATOR, at),
        now=at,
        email=email,
        role=role,
        until=None if until is None else stage.ago(until),
        reason=reason,
    )


def _leave(stage: Stage, days: float, until: float) -> None:
    at = stage.ago(days)
    say_away(
        stage.stores_at(at),
        actor=stage.person(_AWAY, at),
        now=at,
        begins_at=at,
        ends_at=stage.ago(until),
        note="on leave",
    )


def _open(stage: Stage, days: float, department: str, due_after: float, note: str) -> None:
    at = stage.ago(days)
    open_recertification(
        stage.stores_at(at),
        actor=stage.person(_ADMINISTRATOR, at),
        now=at,
        department=department,
        due_at=stage.ago(days - due_after),
        note=note,
    )


def _keep_all(stage: Stage, days: float) -> None:
    number, items = _newest(stage, days, _OTHER_MANAGER)
    at = stage.ago(days)
    decide(
        stage.stores_at(at),
        actor=stage.person(_OTHER_MANAGER, at),
        now=at,
        recertification_id=number,
        items=[one.id for one in items],
        verdict="keep",
        note="All of them work on claims; held against the rota.",
    )


def _decide_some(stage: Stage, days: float) -> None:
    """Keep one role and remove the one that was given for a move that is over."""
    number, items = _newest(stage, days, _MANAGER)
    at = stage.ago(days)
    for one in items:
        removed = one.email == _HELPED
        if removed or one.email == "asha.kulkarni@example.com":
            decide(
                stage.stores_at(at),
                actor=stage.person(_MANAGER, at),
                now=at,
                recertification_id=number,
                items=[one.id],
                verdict="remove" if removed else "keep",
                note="The move is over." if removed else None,
            )


def _newest(stage: Stage, days: float, email: str) -> tuple[str, tuple[ItemView, ...]]:
    at = stage.ago(days)
    stores, actor = stage.stores_at(at), stage.person(email, at)
    number = list_recertifications(stores, actor=actor, now=at)[0].id
    page = list_items(stores, actor=actor, now=at, recertification_id=number, wanted=ItemFilter(), limit=200)
    return number, page.items
