"""What the table says of one cell: who asks for which thing, and what has to be answered."""

from enum import Enum

from sop_server.domain.permissions import Action, Actor
from tests.matrix.cast import Player
from tests.matrix.needs import Door, Need, Where, takes
from tests.matrix.things import APPROVED, Kind, Thing


class Answer(Enum):
    """How a cell has to be answered."""

    STRANGE = "not signed in: 401, and for pages the way to the sign-in"
    FORBIDDEN = "403"
    UNKNOWN = "404, word for word as what does not exist"
    UNKNOWN_OR_FORBIDDEN = "403 or 404, word for word as what does not exist"
    ALLOWED = "anything but 401, 403, 404 and 5xx"
    UNPROVEN = "403 or 404, or what is allowed: it takes a proof that was not given"


def expected(player: Player, need: Need, thing: Thing | None) -> Answer:
    """Return how a page or a call has to answer somebody, about a thing if it is about any."""
    if need.door is Door.OPEN:
        return Answer.ALLOWED
    if not player.known or player.actor is None:
        return Answer.STRANGE
    if need.own:
        return Answer.UNPROVEN
    actor = player.actor
    able = need.action is None or _holds(actor, need)
    if thing is not None and (thing.nothing or not sees(actor, thing)):
        return Answer.UNKNOWN if able else Answer.UNKNOWN_OR_FORBIDDEN
    if not able or not _may(actor, need, thing):
        return Answer.FORBIDDEN
    return Answer.ALLOWED


def sees(actor: Actor, thing: Thing) -> bool:
    """Whether something exists for somebody."""
    match thing.kind:
        case Kind.SOP | Kind.PROCESS | Kind.DEVIATION:
            # What nobody approved is seen like a draft, an approved deviation with its SOP.
            proposed = thing.kind is Kind.DEVIATION and thing.state not in APPROVED
            return _in_one(actor, Action.SEE_DRAFTS if proposed else Action.READ, thing)
        case Kind.RECERTIFICATION:
            return _in_one(actor, Action.RECERTIFY, thing)
        case Kind.DRAFT:
            wrote = actor.name in thing.people and actor.may_anywhere(Action.SEE_DRAFTS)
            return wrote or _in_one(actor, Action.SEE_DRAFTS, thing)
        case Kind.TICKET | Kind.OBLIGATION:
            return actor.may_anywhere(Action.SEE_REPORTS) and _in_one(actor, Action.READ, thing)
        case Kind.FEEDBACK:
            return actor.name in thing.people or _in_one(actor, Action.SEE_REPORTS, thing)
        case Kind.PERSON | Kind.TOKEN:
            return _holds(actor, takes(Action.ADMINISTER, Where.ALL if thing.kind is Kind.TOKEN else Where.ANYWHERE))


def _holds(actor: Actor, need: Need) -> bool:
    assert need.action is not None
    return actor.may(need.action, None) if need.where is Where.ALL else actor.may_anywhere(need.action)


def _may(actor: Actor, need: Need, thing: Thing | None) -> bool:
    if thing is None or need.action is None or need.where in {Where.ANYWHERE, Where.ALL}:
        return True
    if need.second and actor.name in thing.people:
        return False
    if need.where is Where.EACH:
        # What is nobody's yet is decided by those who hold the role for all.
        whose = thing.departments or frozenset({None})
        return all(actor.may(need.action, department) for department in whose)
    return _in_one(actor, need.action, thing)


def _in_one(actor: Actor, action: Action, thing: Thing) -> bool:
    if not thing.departments:
        return actor.may_anywhere(action)
    return any(actor.may(action, department) for department in thing.departments)
