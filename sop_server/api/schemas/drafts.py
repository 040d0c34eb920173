"""Drafts, and what is decided on them."""

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from sop_server.api.schemas.base import Input, Instant, LongText, Names, Number, Output, Paging, ShortText, Text
from sop_server.api.schemas.references import TicketIds, TicketLabels
from sop_server.api.schemas.signatures import Sign, Signature


class DraftCreate(Input):
    """A new draft; without `sop_id` it is one of a new SOP. `tickets` are ids or `source:key`."""

    sop_id: ShortText | None = None
    path: ShortText | None = None
    kind: Literal["edit", "retire"] = "edit"
    reverts: Number | None = None
    content: LongText | None = None
    base_revision: Number | None = None
    change_summary: Text
    significance: Literal["major", "minor"]
    tickets: Names = Field(default_factory=list)
    effective_from: Instant | None = None


class DraftChange(Input):
    """What changes of a draft; a key that is absent stays as it is."""

    content: LongText | None = None
    base_revision: Number | None = None
    change_summary: Text | None = None
    significance: Literal["major", "minor"] | None = None
    tickets: Names | None = None
    effective_from: Instant | None = None


class Approve(Input):
    """What is approved: the hash of the exact text. `signature` is required where a department asks for it."""

    content_hash: Annotated[str, Field(max_length=200)]
    effective_from: Instant | None = None
    comment: Text = ""
    signature: Sign | None = None


class BreakGlass(Input):
    """What one person publishes alone, and why, in a sentence of 20 characters or more.

    `signature` is required where a department asks for it.
    """

    content_hash: Annotated[str, Field(max_length=200)]
    reason: Text = ""
    signature: Sign | None = None


class Broken(Output):
    """What came into force without an approval; a second person has to confirm it by `confirm_by`."""

    id: str = Field(validation_alias="draft_id")
    sop_id: str
    state: str
    revision: int
    effective_from: Instant
    in_force: bool
    confirm_by: Instant


class RequestChanges(Input):
    """What has to change."""

    comment: Annotated[Text, Field(validation_alias=AliasChoices("comment", "note", "reason"))] = ""
    content_hash: Annotated[str, Field(max_length=200)] | None = None


class DraftQuery(Paging):
    """Which drafts."""

    state: ShortText | None = None
    sop_id: ShortText | None = None


class DraftApproval(Output):
    """One decision; `standing` is false once an edit or a merge made it void.

    `decision` is `approve` or `request_changes`; of what one person published alone also `break_glass`, which is no
    approval, and `confirm` or `object`, which a second person said of it.
    """

    person: str
    name: str
    decision: str
    comment: str
    content_hash: str
    decided_at: Instant
    standing: bool
    signature: Signature | None


class Draft(Output):
    """A draft with its text."""

    id: str
    sop_id: str
    kind: str
    state: str
    title: str
    department: str | None
    content: str
    content_hash: str
    base_revision: int | None
    reverts: int | None
    author: str | None
    author_name: str | None
    authors: list[str]
    tickets: TicketIds
    ticket_labels: TicketLabels
    significance: str
    change_summary: str
    approvals: list[DraftApproval]
    effective_from: Instant | None
    conflicted: bool
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None
    published_revision: int | None
    version: int


class Approved(Output):
    """What an approval brought about; `revision` is null while further approvals are needed."""

    id: str = Field(validation_alias="draft_id")
    sop_id: str
    state: str
    revision: int | None
    effective_from: Instant
    in_force: bool
    approvals_missing: bool
