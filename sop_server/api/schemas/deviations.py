"""Deviations from SOPs."""

from typing import Annotated

from pydantic import Field, field_validator

from sop_server.api.schemas.base import Input, Instant, Names, Output, Paging, ShortText, Text
from sop_server.domain.identifiers import deviation_id

Hash = Annotated[str, Field(max_length=200)]


class DeviationPropose(Input):
    """What is to be done otherwise; without `begins_at` it begins once it is approved, without `teams` all may."""

    step: Text = ""
    instead: Text
    why: Text
    reference: Text = ""
    teams: Names = Field(default_factory=list)
    control: Text = ""
    begins_at: Instant | None = None
    ends_at: Instant
    follows: ShortText | None = None


class DeviationEdit(Input):
    """The whole wording anew; `content_hash` is that of the one that was read."""

    content_hash: Hash
    step: Text = ""
    instead: Text
    why: Text
    reference: Text = ""
    teams: Names = Field(default_factory=list)
    control: Text = ""
    begins_at: Instant | None = None
    ends_at: Instant


class DeviationApprove(Input):
    """What is approved: the hash of exactly what was read."""

    content_hash: Hash


class DeviationReason(Input):
    """Why it is refused, or ended before its time."""

    reason: Text


class DeviationsOfSopQuery(Paging):
    """Which deviations from one SOP."""

    state: ShortText | None = None


class DeviationQuery(DeviationsOfSopQuery):
    """Which deviations."""

    department: ShortText | None = None
    sop: ShortText | None = None


class DeviationMark(Output):
    """A deviation as its SOP shows it: in force, or still to come."""

    id: str
    state: str
    step: str
    instead: str
    control: str
    teams: list[str]
    starts_at: Instant
    ends_at: Instant
    approved_by: str | None
    approved_at: Instant
    changed_by: int | None

    @field_validator("id", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return deviation_id(value) if isinstance(value, int) else value


class DeviationWording(Output):
    """What a proposal said from when on, and who wrote it."""

    number: int
    person: str
    person_name: str
    at: Instant
    content_hash: str


class Deviation(Output):
    """A permission to do for a time something else than a SOP says."""

    id: str
    sop_id: str
    sop_title: str | None
    department: str | None
    state: str
    revision: int
    step: str
    instead: str
    why: str
    reference: str
    teams: list[str]
    control: str
    begins_at: Instant
    starts_at: Instant
    ends_at: Instant
    stops_at: Instant
    follows: str | None
    in_row: int
    changed_by: int | None
    content_hash: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: Instant
    wordings: list[DeviationWording]
    decided_by: str | None
    decided_by_name: str | None
    decided_at: Instant | None
    decided_because: str | None
    ended_by: str | None
    ended_by_name: str | None
    ended_at: Instant | None
    ended_because: str | None
