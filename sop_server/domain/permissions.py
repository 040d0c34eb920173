"""Who may do what, where: the one table of permissions, and the questions asked of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sop_server.errors import ForbiddenError, NotFoundError


class Role(StrEnum):
    """What a person is to a department, or to all of them."""

    READER = "reader"
    EDITOR = "editor"
    APPROVER = "approver"
    MANAGER = "manager"
    ADMIN = "admin"


class Action(StrEnum):
    """Something a person may do to what belongs to a department."""

    READ = "read SOPs"
    ACKNOWLEDGE = "acknowledge SOPs"
    REPORT = "give feedback"
    DRAFT = "write drafts"
    SEE_DRAFTS = "see drafts"
    DECIDE = "approve drafts or request changes"
    WRITE_TICKETS = "register and change tickets"
    WRITE_PROCESSES = "change the process register"
    REVIEW = "review SOPs"
    TRIAGE = "triage feedback and tickets"
    PROPOSE_NOT_NEEDED = "propose that an obligation is not needed"
    CONFIRM_NOT_NEEDED = "confirm that an obligation is not needed"
    PROPOSE_DEVIATION = "propose deviations from SOPs"
    DECIDE_DEVIATION = "decide on deviations from SOPs"
    END_DEVIATION = "end deviations from SOPs"
    MOVE_LATE_GO_LIVE = "move a go-live later after a breach"
    SEE_REPORTS = "see tickets, findings and reports"
    SCORE = "enter scorecards"
    RECERTIFY = "confirm or remove the roles of people"
    ADMINISTER = "administer people, tokens, settings and imports"
    SEE_AUDIT = "see the audit trail"


_EVERYONE = frozenset({Action.READ, Action.ACKNOWLEDGE, Action.REPORT})

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.READER: _EVERYONE,
    Role.EDITOR: _EVERYONE
    | {
        Action.DRAFT,
        Action.SEE_DRAFTS,
        Action.WRITE_TICKETS,
        Action.REVIEW,
        Action.TRIAGE,
        Action.PROPOSE_NOT_NEEDED,
        Action.PROPOSE_DEVIATION,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
    },
    Role.APPROVER: _EVERYONE
    | {
        Action.SEE_DRAFTS,
        Action.DECIDE,
        Action.CONFIRM_NOT_NEEDED,
        Action.DECIDE_DEVIATION,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
    },
    Role.MANAGER: _EVERYONE
    | {
        Action.WRITE_TICKETS,
        Action.WRITE_PROCESSES,
        Action.PROPOSE_NOT_NEEDED,
        Action.CONFIRM_NOT_NEEDED,
        Action.MOVE_LATE_GO_LIVE,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
        Action.SCORE,
        Action.RECERTIFY,
    },
    Role.ADMIN: frozenset({Action.READ, Action.RECERTIFY, Action.ADMINISTER, Action.SEE_AUDIT}),
}


class Scope(StrEnum):
    """How far a token reaches."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for one department, or for all where `department` is None."""

    role: Role
    department: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The person for whom something is done, with the roles held at that instant."""

    person_id: int
    email: str
    name: str
    grants: frozenset[Grant]
    teams: frozenset[str] = frozenset()
    scope: Scope = Scope.WRITE

    def may(self, action: Action, department: str | None) -> bool:
        """Whether the actor may do `action` to what belongs to `department` (None: to none, so roles for all)."""
        return any(action in ALLOWED[grant.role] and grant.department in {None, department} for grant in self.grants)

    def may_anywhere(self, action: Action) -> bool:
        """Whether there is any department in which the actor may do `action`."""
        return any(action in ALLOWED[grant.role] for grant in self.grants)

    def reach(self, action: Action) -> frozenset[str] | None:
        """Return the departments in which the actor may do `action`; None: all, and what has none."""
        departments = {grant.department for grant in self.grants if action in ALLOWED[grant.role]}
        if None in departments:
            return None
        return frozenset(department for department in departments if department is not None)

    def require(self, action: Action, department: str | None) -> None:
        """Raise ForbiddenError unless the actor may do `action` in `department`."""
        if not self.may(action, department):
            where = f" in the department “{department}”" if department else " for all departments"
            raise ForbiddenError(
                f"You may not {action.value}{where}. Ask an administrator for the role, or a colleague who has it."
            )

    def require_anywhere(self, action: Action) -> None:
        """Raise ForbiddenError unless the actor may do `action` somewhere."""
        if not self.may_anywhere(action):
            raise ForbiddenError(
                f"You may not {action.value}. Ask an administrator for the role, or a colleague who has it."
            )

    def require_sight(self, department: str | None, what: str) -> None:
        """Raise NotFoundError unless the actor may read in `department`; what one may not read does not exist."""
        if not self.may(Action.READ, department):
            raise NotFoundError(f"There is no {what}. Check the address, or search for what you need.")


def may_cover_move(actors: Iterable[Actor], departments: Iterable[str | None]) -> bool:
    """Whether the approvers together reach every department that a draft touches (a move touches two)."""
    people = list(actors)
    return all(any(actor.may(Action.DECIDE, department) for actor in people) for department in departments)
