"""Campaigns about roles, as the tests ask about them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import get_person
from sop_server.services.accounts.recertification_views import (
    ItemFilter,
    ItemView,
    RecertificationView,
    get_recertification,
    list_items,
)
from sop_server.services.accounts.recertifications import Decided, decide, open_recertification
from sop_server.services.stores import Stores
from sop_server.storage import audit, person_keys

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(days=14)
DAY = timedelta(days=1)


def begin(stores: Stores, department: str | None = "payments", *, now: datetime = NOW) -> str:
    return open_recertification(stores, actor=OPERATOR, now=now, department=department, due_at=now + (DUE - NOW)).id


def rows(stores: Stores, number: str, *, actor: Actor, now: datetime = NOW, **wanted: Any) -> dict[str, ItemView]:
    page = list_items(stores, actor=actor, now=now, recertification_id=number, wanted=ItemFilter(**wanted), limit=200)
    return {f"{one.email.partition('@')[0]} {one.role}": one for one in page.items}


def settle(
    stores: Stores, number: str, actor: Actor, *items: int, verdict: str = "keep", note: str | None = None, **more: Any
) -> Decided:
    given = {"now": NOW + DAY, **more}
    return decide(stores, actor=actor, recertification_id=number, items=items, verdict=verdict, note=note, **given)


def report(stores: Stores, number: str, actor: Actor, now: datetime) -> tuple[RecertificationView, list[ItemView]]:
    found = get_recertification(stores, actor=actor, now=now, recertification_id=number)
    return found, list(rows(stores, number, actor=actor, now=now).values())


def told(stores: Stores, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The events of an action, the oldest first: by whom, about whom, what more."""
    with stores.database.read() as session:
        found = [one for one in audit.events(session, limit=500) if one.action == action]
        known = person_keys.emails_by_key(session, [key for one in found for key in (one.actor, one.subject)])
        return [
            (known.get(one.actor) or one.actor, known.get(one.subject) or one.subject, dict(one.details))
            for one in found
        ][::-1]


def held(stores: Stores, name: str, at: datetime) -> tuple[str, ...]:
    return get_person(stores, actor=OPERATOR, now=at, email=f"{name}@example.com").roles
