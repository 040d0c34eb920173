"""The register of deviations: one, many, and the figures over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.deviations import DeviationFigures, DeviationState, figures
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import InvalidInputError
from sop_server.services.deviations.deviation_views import DeviationView, as_seen, deviation_in_sight, may_see, views
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.paging import MAX_LIMIT, Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import deviations, tickets

_SCAN = 200


@dataclass(frozen=True, slots=True)
class DeviationFilter:
    """Which deviations: in one state, of one department, from one SOP; all of them where nothing is said."""

    state: str | None = None
    department: str | None = None
    sop_id: str | None = None


def get_deviation(stores: Stores, *, actor: Actor, now: datetime, deviation_id: str) -> DeviationView:
    """Return one deviation; NotFoundError where there is none for the actor."""
    actor.require_anywhere(Action.READ)
    with stores.database.read() as session:
        return as_seen(actor, views(session, [deviation_in_sight(session, actor, deviation_id, now)], now)[0])


def list_deviations(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    wanted: DeviationFilter,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[DeviationView]:
    """Return the deviations that the actor may see, the newest first; NotFoundError for a SOP that is not theirs."""
    actor.require_anywhere(Action.READ)
    check_limit(limit)
    before, in_state = number_after(cursor), _state(wanted.state)
    found: list[DeviationView] = []
    with stores.database.read() as session:
        if wanted.sop_id is not None:
            department_in_sight(session, actor, wanted.sop_id, now)
        while len(found) <= limit:
            rows = deviations.deviation_rows(session, before=before, limit=_SCAN, sop_id=wanted.sop_id)
            found += [
                as_seen(actor, one)
                for one in views(session, rows, now)
                if may_see(actor, one) and in_state in {None, one.state} and wanted.department in {None, one.department}
            ]
            if len(rows) < _SCAN:
                break
            before = rows[-1].id
    items = tuple(found[:limit])
    last = identifiers.parse_deviation_id(items[-1].id) if len(found) > limit else None
    return Page(items, None if last is None else str(last))


def every_deviation(stores: Stores, *, actor: Actor, now: datetime, wanted: DeviationFilter) -> Iterable[DeviationView]:
    """Yield all of them, for a file."""
    cursor: str | None = None
    while True:
        page = list_deviations(stores, actor=actor, now=now, wanted=wanted, limit=MAX_LIMIT, cursor=cursor)
        yield from page.items
        if page.next is None:
            return
        cursor = page.next


def deviation_figures(
    stores: Stores, *, actor: Actor, now: datetime, department: str | None = None
) -> DeviationFigures:
    """Return how much is done otherwise in what the actor may read, or in one department of it."""
    actor.require_anywhere(Action.READ)
    with stores.database.read() as session:
        facts = deviations.facts(session, now)
        standings = tickets.sop_standings(session, {fact.sop_id for fact in facts}, now)
    mine = [
        fact
        for fact in facts
        if (standing := standings.get(fact.sop_id)) is not None
        and actor.may(Action.READ, standing.department)
        and department in {None, standing.department}
    ]
    return figures(mine, at=now)


def _state(state: str | None) -> DeviationState | None:
    try:
        return None if state is None else DeviationState(state)
    except ValueError as error:
        known = ", ".join(one.value for one in DeviationState)
        raise InvalidInputError(
            f"“{state}” is no state of a deviation. The states are {known}.",
            fields={"state": f"must be one of {known}"},
        ) from error
