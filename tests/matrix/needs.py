"""What a page or a call needs of whoever asks for it: the words in which the table is written."""

from dataclasses import dataclass
from enum import Enum

from sop_server.domain.permissions import Action


class Where(Enum):
    """Where the role for an action has to be held."""

    ANYWHERE = "in any department; what it is about has to be in sight"
    THERE = "in the department of what it is about, or in one of them"
    EACH = "in each department of what it is about"
    ALL = "for all departments"


class Door(Enum):
    """Who comes through at all."""

    OPEN = "everybody, strangers too"
    SIGNED_IN = "whoever is signed in"
    SIGNED = "a machine that signs what it sends"


@dataclass(frozen=True, slots=True)
class Need:
    """One row. `second` is for what takes a second person: not the author of the draft, not who proposed it.

    `own` is for what is a person's own and takes a proof or a key that the cell does not have.
    """

    door: Door = Door.SIGNED_IN
    action: Action | None = None
    where: Where = Where.THERE
    second: bool = False
    own: bool = False


def takes(action: Action, where: Where = Where.THERE, *, second: bool = False) -> Need:
    """Return a row for whoever may do something somewhere."""
    return Need(action=action, where=where, second=second)


OPEN = Need(Door.OPEN)
SIGNED_IN = Need(Door.SIGNED_IN)
OWN = Need(Door.SIGNED_IN, own=True)
SIGNED = Need(Door.SIGNED)
