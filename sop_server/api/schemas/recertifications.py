"""Campaigns in which every role is confirmed or removed."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from sop_server.api.schemas.base import Input, Instant, Output, Paging, ShortText
from sop_server.services.paging import MAX_LIMIT

Note = Annotated[str, Field(max_length=500)]


class RecertificationWrite(Input):
    """A campaign about the roles of a department, or of all where none is named."""

    department: ShortText | None = None
    due_at: Instant
    note: Note | None = None


class Figures(Output):
    """Numbers of roles; `bulk` are those among the kept that were kept many at a time, `decided` is a share."""

    total: int
    kept: int
    bulk: int
    removed: int
    ended: int
    gone: int
    spared: int
    left: int
    decided: float | None


class OfDepartment(Output):
    """The figures of one department; null is for all departments."""

    department: str | None
    figures: Figures


class Asked(Output):
    """Who was asked to decide about the roles of a department, and as what: manager or admin."""

    department: str | None
    role: str
    names: list[str]


class Recertification(Output):
    """A campaign: opened, due, closed, and how far it is, in the departments that you decide about."""

    id: str
    department: str | None
    note: str | None
    period: str | None
    opened_at: Instant
    opened_by_name: str | None
    due_at: Instant
    closed_at: Instant | None
    figures: Figures
    departments: list[OfDepartment]
    asked: list[Asked]


class ItemQuery(Paging):
    """Which roles of a campaign."""

    department: ShortText | None = None
    q: ShortText | None = None
    undecided: bool = False


class RecertificationItem(Output):
    """A role as it was held when the campaign was opened, and what became of it.

    `outcome` is kept, removed, ended (nobody decided), gone (it ended otherwise), spared (the last administrator's), or
    null; `refusal` says why you may not decide about it, null where you may.
    """

    id: int
    email: str
    name: str
    role: str
    department: str | None
    since: Instant
    until: Instant | None
    granted_by_name: str | None
    outcome: str | None
    decided_at: Instant | None
    decided_by_name: str | None
    note: str | None
    bulk: bool
    refusal: str | None


class DecisionWrite(Input):
    """Keep roles, or remove one; several are kept at once with one note, and reported as that."""

    items: Annotated[list[Annotated[int, Strict()]], Field(min_length=1, max_length=MAX_LIMIT)]
    decision: Literal["keep", "remove"]
    note: Note | None = None


class Decisions(Output):
    """Of how many roles the decision holds, and what was passed over and why."""

    done: int
    passed_over: list[str]
