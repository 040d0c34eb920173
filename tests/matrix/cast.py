"""Who plays in the matrix: each role for all departments and for one, and those who are let in to less."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sop_server.domain.permissions import Actor, Role


class Place(StrEnum):
    """Where things are, with a word that stands in everything that is there."""

    OWN = "pangolin"
    OTHER = "quokka"
    NONE = "axolotl"

    @property
    def department(self) -> str | None:
        """The department of the place, None where it is in none."""
        return {Place.OWN: "payments", Place.OTHER: "customer-care", Place.NONE: None}[self]


STRANGER = "stranger"
GONE = "gone"
"""Somebody who was deactivated, whose session and token are still sent."""
LOOKING_ON = "looking on"
"""A token for reading alone, of somebody who may do everything; pages know no such scope."""
AUTHOR = "author"
"""Somebody who may approve everything, and wrote some of the drafts and proposals."""
MIXED = "mixed"
"""Somebody who reads everything and has the other roles in one department: what they know and may not do is 403."""

ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{role.value: (role.value,) for role in Role},
        **{f"{role.value} of payments": (f"{role.value}@payments",) for role in Role},
        "nobody": (),
        GONE: tuple(role.value for role in Role),
        LOOKING_ON: tuple(role.value for role in Role),
        AUTHOR: ("editor", "approver", "manager"),
        MIXED: ("reader", *(f"{role.value}@payments" for role in Role)),
    }
)


@dataclass(frozen=True, slots=True)
class Player:
    """One of the cast as the doors know them: by a cookie, and by a token."""

    name: str
    actor: Actor | None = None
    cookie: str = ""
    token: str = ""

    @property
    def known(self) -> bool:
        """Whether the doors let them in as somebody."""
        return self.name not in {STRANGER, GONE}

    @property
    def looks_on(self) -> bool:
        """Whether their token may only read."""
        return self.name == LOOKING_ON
