"""The message of a published commit: a clone alone proves who approved what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.identifiers import MAX_DIGITS
from sop_server.domain.instants import format_instant


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """Who published alone in an emergency, why, and the record of it in the database; `reason` is one line."""

    record_id: int
    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class Publication:
    """What a published revision says of itself in the library."""

    intent_id: int
    sop_id: str
    revision: int
    kind: str
    significance: str
    change_summary: str
    tickets: tuple[str, ...]
    effective_from: datetime
    approved_by: tuple[str, ...]
    approval_ids: tuple[int, ...]
    content_hash: str
    reverts: int | None
    broken_by: BrokenGlass | None = None


def message(publication: Publication) -> str:
    """Return the commit message: the summary, then the trailers as the last paragraph."""
    subject, _, rest = publication.change_summary.partition("\n")
    verb = "retire: " if publication.kind == "retire" else ""
    head = f"{publication.sop_id} r{publication.revision}: {verb}{subject}"
    trailers = [
        f"SOP-Id: {publication.sop_id}",
        f"Revision: {publication.revision}",
        f"Significance: {publication.significance}",
        *(f"Ticket: {ticket}" for ticket in publication.tickets),
        f"Effective-From: {format_instant(publication.effective_from)}",
        *(f"Approved-By: {person}" for person in publication.approved_by),
        *(f"Approval-Id: {number}" for number in publication.approval_ids),
        *([] if publication.broken_by is None else _broken(publication.broken_by)),
        f"Content-Hash: {publication.content_hash}",
        f"Intent-Id: {publication.intent_id}",
    ]
    if publication.kind == "retire":
        trailers.append("Retires: yes")
    if publication.reverts is not None:
        trailers.append(f"Reverts: {publication.reverts}")
    paragraphs = [head, rest.strip(), "\n".join(trailers)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _broken(glass: BrokenGlass) -> list[str]:
    # A second line would be read as a trailer of its own.
    reason = " ".join(glass.reason.split())
    return [f"Break-Glass: {reason}", f"Break-Glass-By: {glass.person}", f"Break-Glass-Id: {glass.record_id}"]


def restoration(files: int) -> str:
    """Return the message of a commit that publishes nothing: it puts the approved text of so many files back."""
    return (
        "Put the approved texts back\n\n"
        "What was written to main past the server stays in its history and is not served.\n\n"
        f"Restores: {files} {'file' if files == 1 else 'files'}\n"
    )


def intent_id(trailers: Mapping[str, Sequence[str]]) -> int | None:
    """Return the intent that a commit says it carries out; None where it names none."""
    values = trailers.get("Intent-Id", ())
    written = values[0] if len(values) == 1 else ""
    # Anybody can write a commit: neither a digit of another script nor a number past the database's may stop us.
    return int(written) if written.isascii() and written.isdigit() and len(written) <= MAX_DIGITS else None
