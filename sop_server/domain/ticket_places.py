"""Whose a ticket is, and what that takes of whoever does something to it: the one rule, for every door."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.errors import ForbiddenError


class Deed(Enum):
    """Something that is done to a ticket or to one of its obligations."""

    SEE = "see it"
    NAME_SOPS = "name SOPs in place of its triage"
    PROPOSE_NOT_NEEDED = "propose that it needs no change"
    CHANGE = "change it"
    MOVE_LATE_GO_LIVE = "move its go-live later after a breach"
    DECIDE_NOT_NEEDED = "decide that it needs no change"


class _Takes(NamedTuple):
    action: Action
    in_each: bool


_TAKES = MappingProxyType(
    {
        Deed.SEE: _Takes(Action.READ, in_each=False),
        Deed.NAME_SOPS: _Takes(Action.WRITE_TICKETS, in_each=False),
        Deed.PROPOSE_NOT_NEEDED: _Takes(Action.PROPOSE_NOT_NEEDED, in_each=False),
        Deed.CHANGE: _Takes(Action.WRITE_TICKETS, in_each=True),
        Deed.MOVE_LATE_GO_LIVE: _Takes(Action.MOVE_LATE_GO_LIVE, in_each=True),
        Deed.DECIDE_NOT_NEEDED: _Takes(Action.CONFIRM_NOT_NEEDED, in_each=True),
    }
)


@dataclass(frozen=True, slots=True)
class TicketPlace:
    """The departments that a ticket or an obligation belongs to: empty where it is no department's yet.

    A SOP or a process without a department is None among them: roles for all departments alone reach it.
    `registered_by` is the person who registered the ticket, None where its source did.
    """

    departments: frozenset[str | None]
    registered_by: int | None = None


def triage_departments(process_ids: Iterable[str], departments: Mapping[str, str | None]) -> frozenset[str | None]:
    """Return whose the triage of a ticket is: the departments of the processes that it names, of those that are known.

    `departments` are those of the processes in the register, by their ids.
    """
    return frozenset(departments[process_id] for process_id in process_ids if process_id in departments)


def permits(doer: Doer, deed: Deed, place: TicketPlace) -> bool:
    """Whether somebody may do this to what belongs there.

    Seeing it, naming SOPs of one's own in place of its triage and proposing that nothing is needed take the role in one
    of its departments: one of them has to begin. What is decided for all of them takes the role in each: changing it,
    moving its go-live, and confirming (or declining) that nothing is needed. Of a ticket that is no department's yet,
    everybody who has the role anywhere may do the former, or nobody would; the latter take a role for all departments,
    except that whoever registered the ticket may change it.
    """
    action, in_each = _TAKES[deed]
    if place.departments:
        able = (doer.may(action, department) for department in place.departments)
        return all(able) if in_each else any(able)
    if not in_each or doer.may(action, None):
        return doer.may_anywhere(action)
    registered = place.registered_by is not None and place.registered_by == doer.person_id
    return deed is Deed.CHANGE and registered and doer.may_anywhere(action)


def require(doer: Doer, deed: Deed, place: TicketPlace) -> None:
    """Raise ForbiddenError unless somebody may do this; it names a department to those alone who may read there."""
    action, _ = _TAKES[deed]
    doer.require_anywhere(action)
    if permits(doer, deed, place):
        return
    if not place.departments:
        otherwise = ", unless you registered it" if deed is Deed.CHANGE else ""
        raise ForbiddenError(
            f"This ticket names no SOP and no process, so it is no department's yet: to {deed.value} takes a role for "
            f"all departments{otherwise}. Nothing was changed; name the SOPs of yours that it makes wrong, or ask a "
            "colleague who has such a role."
        )
    for department in sorted(place.departments, key=str):
        if not doer.may(action, department) and doer.may(Action.READ, department):
            doer.require(action, department)
    raise out_of_reach()


def out_of_reach() -> ForbiddenError:
    """Return the refusal of what concerns departments that one may not read in; which ones, it does not tell."""
    return ForbiddenError(
        "This ticket concerns departments in which you have no role for that. Nothing was changed; "
        "name a SOP of yours that the change touches, or ask an owner there."
    )
