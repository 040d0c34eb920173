"""Who does something: a person (`Actor`), or the server for no person (`System`)."""

from dataclasses import dataclass
from typing import TypeAlias

from sop_server.domain.permissions import Action, Actor


@dataclass(frozen=True, slots=True)
class System:
    """The server itself: its command line, the demo, or a ticket source whose signature was checked.

    A value of its own and never None, so that somebody who is not signed in can not be taken for it.
    """

    name: str

    @property
    def email(self) -> str:
        """What the audit trail calls the doer."""
        return self.name

    @property
    def person_id(self) -> None:
        """No person did it."""
        return

    def may(self, _action: Action, _department: str | None) -> bool:
        """Whoever runs the server holds its database: nothing is forbidden."""
        return True

    def may_anywhere(self, _action: Action) -> bool:
        """Whoever runs the server may do everything."""
        return True

    def reach(self, _action: Action) -> frozenset[str] | None:
        """All departments, and what has none."""
        return None

    def require(self, action: Action, department: str | None) -> None:
        """Nothing is forbidden."""

    def require_anywhere(self, action: Action) -> None:
        """Nothing is forbidden."""

    def require_sight(self, department: str | None, what: str) -> None:
        """Nothing is hidden."""


Doer: TypeAlias = Actor | System

OPERATOR = System("command line")
