"""Who takes what over: the plan that is shown before, carried out by the departure, and told after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sop_server.domain.people import clean_email
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import InvalidInputError
from sop_server.services.leaving.holdings import Gap, Held, HeldDraft, Holdings, holdings
from sop_server.storage import people
from sop_server.storage.database import Session
from sop_server.storage.tables import Person


@dataclass(frozen=True, slots=True)
class Successors:
    """Who takes over, by address: `default`, and for some departments somebody else. None: nobody was named."""

    default: str | None = None
    by_department: Mapping[str, str] = field(default_factory=dict)

    def of(self, department: str | None) -> str | None:
        """Return who takes over in a department."""
        return self.by_department.get(department or "", self.default)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A SOP or process that goes to somebody, and whom it names then; `loses_deputy` where no deputy is left on it."""

    what: Held
    to: Actor
    owner: str | None
    deputy: str | None
    loses_deputy: bool = False


@dataclass(frozen=True, slots=True)
class DraftTransfer:
    """A draft that somebody else sees to."""

    what: HeldDraft
    to: Actor


@dataclass(frozen=True, slots=True)
class Plan:
    """What a departure does: what goes to whom, what ends, and what is left without anybody."""

    email: str
    name: str
    active: bool
    held: Holdings
    sops: tuple[Transfer, ...]
    processes: tuple[Transfer, ...]
    drafts: tuple[DraftTransfer, ...]

    @property
    def successors(self) -> frozenset[str]:
        """The addresses of everybody who takes something over."""
        taking = [one.to.email for one in (*self.sops, *self.processes)]
        return frozenset([*taking, *(one.to.email for one in self.drafts)])

    @property
    def without_deputy(self) -> tuple[str, ...]:
        """The SOPs and processes that have no deputy afterwards."""
        return tuple(one.what.id for one in (*self.sops, *self.processes) if one.loses_deputy)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The roles that nobody has afterwards."""
        return self.held.gaps


def plan(session: Session, person: Person, successors: Successors, now: datetime) -> Plan:
    """Return what it does that a person leaves; raises InvalidInputError for a successor who cannot take over."""
    held = holdings(session, person, now)
    taking = _Taking(session, person, successors, now)
    return Plan(
        email=person.email,
        name=person.name,
        active=people.is_active(session, person.id, now),
        held=held,
        sops=tuple(_transfer(one, taking.one_who_may(Action.DRAFT, one.department)) for one in held.sops),
        processes=tuple(_transfer(one, taking.one_who_may(Action.READ, one.department)) for one in held.processes),
        drafts=tuple(DraftTransfer(one, taking.one_who_may(Action.DRAFT, one.department)) for one in held.drafts),
    )


def _transfer(held: Held, to: Actor) -> Transfer:
    other = None if held.other is None else held.other.lower()
    if held.as_owner:
        # Who is deputy already moves up, and their place is empty then.
        deputy = None if other == to.email else held.other
        return Transfer(held, to, to.email, deputy, deputy is None)
    if other == to.email:
        return Transfer(held, to, held.other, None, loses_deputy=True)
    return Transfer(held, to, held.other, to.email)


class _Taking:
    """Finds who takes over in each department, and refuses who cannot."""

    def __init__(self, session: Session, person: Person, successors: Successors, now: datetime) -> None:
        self._session = session
        self._person = person
        self._successors = successors
        self._now = now
        self._known: dict[str, Actor] = {}

    def one_who_may(self, action: Action, department: str | None) -> Actor:
        email = self._successors.of(department)
        if not email:
            where = f"in “{department}”" if department else "where no department is named"
            raise InvalidInputError(
                f"{self._person.name} still holds something {where}. Name who takes over. Nothing was changed.",
                fields={"to": "is needed"},
            )
        actor = self._actor(email)
        if not actor.may(action, department):
            where = f"in “{department}”" if department else "for all departments, which what has none needs"
            wanted = "editor" if action is Action.DRAFT else "reader"
            raise InvalidInputError(
                f"{actor.name} may not {action.value} {where}. Give them the role {wanted} there first, or name "
                "somebody else for it. Nothing was changed.",
                fields={"to": f"{actor.email} may not {action.value} {where}"},
            )
        return actor

    def _actor(self, email: str) -> Actor:
        if email not in self._known:
            row = people.person_by_email(self._session, clean_email(email, field="to"))
            if row is None:
                raise InvalidInputError(
                    f"Nobody is known as “{email}”. Check the address, or add the person first. Nothing was changed.",
                    fields={"to": "nobody has this address"},
                )
            if row.id == self._person.id:
                raise InvalidInputError(
                    f"{row.name} leaves, so somebody else has to take over. Nothing was changed.",
                    fields={"to": "is who leaves"},
                )
            actor = people.load_actor(self._session, row.id, self._now)
            if actor is None:
                raise InvalidInputError(
                    f"{row.name} is not active, so nothing can go to them. Name somebody else. Nothing was changed.",
                    fields={"to": "is not active"},
                )
            self._known[email] = actor
        return self._known[email]
