"""What the pages and calls of the matrix are about: one of each kind and state, in each place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What something is, by the name that addresses have for its id."""

    SOP = "sop_id"
    DRAFT = "draft_id"
    TICKET = "ticket_id"
    OBLIGATION = "obligation_id"
    PROCESS = "process_id"
    FEEDBACK = "feedback_id"
    DEVIATION = "deviation_id"
    PERSON = "email"
    TOKEN = "token_id"
    RECERTIFICATION = "recertification_id"


APPROVED = frozenset({"approved", "to come", "ended"})
"""The states of deviations that somebody approved."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an address names; `departments` is whose it is, empty where it is everybody's.

    `state` tells which one of its kind it is. `people` wrote, proposed, reported or hold it. `address` are the parts of
    the addresses that lead to it. What is `nothing` does not exist; what is `named` stands as a link in the text of
    another department.
    """

    kind: Kind
    state: str
    departments: frozenset[str | None]
    address: Mapping[str, str]
    people: frozenset[str] = field(default_factory=frozenset)
    nothing: bool = False
    named: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return self.address[self.kind.value]


NOTHING: Mapping[Kind, Thing] = {
    kind: Thing(kind, "nothing", frozenset(), address, nothing=True)
    for kind, address in (
        (Kind.SOP, {"sop_id": "SOP-9999"}),
        (Kind.DRAFT, {"draft_id": "DRF-9999"}),
        (Kind.TICKET, {"ticket_id": "TKT-9999"}),
        (Kind.OBLIGATION, {"ticket_id": "TKT-9999", "obligation_id": "OBL-9999"}),
        (Kind.PROCESS, {"process_id": "PROC-999"}),
        (Kind.FEEDBACK, {"feedback_id": "FB-9999"}),
        (Kind.DEVIATION, {"deviation_id": "DEV-9999"}),
        (Kind.PERSON, {"email": "no-such@example.com"}),
        (Kind.TOKEN, {"email": "no-such@example.com", "token_id": "9999"}),
        (Kind.RECERTIFICATION, {"recertification_id": "REC-9999"}),
    )
}
