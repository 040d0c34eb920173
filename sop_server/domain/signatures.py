"""Electronic signatures: what a person declares with one, how it was given, and the words for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sop_server.domain.drafts import DraftKind


class SignedWith(StrEnum):
    """What a person proved with that it was them."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind of proof
    PHONE = "phone"
    RECOVERY_CODE = "recovery code"


class Meaning(StrEnum):
    """What a person declares by signing: a sentence fixed here, shown before and after."""

    APPROVE = "I have read this revision and approve it to come into force."
    RETIRE = "I have read this proposal and approve that the SOP is retired."
    BREAK_GLASS = "In an emergency I publish this revision alone and answer for it until a second person confirms it."
    CONFIRM = "I have read this revision, which was published by one person alone, and confirm it."


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: the person's name as it was then, what they declared, and of which text."""

    name: str
    signed_with: str
    meaning: str
    at: datetime
    content_hash: str


def approving(kind: str) -> Meaning:
    """Return what an approver declares of a draft of this kind."""
    return Meaning.RETIRE if kind == DraftKind.RETIRE else Meaning.APPROVE


def as_stored(signature: Signature) -> dict[str, Any]:
    """Return a signature as it is kept beside the decision."""
    return {
        "name": signature.name,
        "signed_with": signature.signed_with,
        "meaning": signature.meaning,
        "at": signature.at.isoformat(),
        "content_hash": signature.content_hash,
    }


def from_stored(kept: Mapping[str, Any] | None) -> Signature | None:
    """Return what `as_stored` gave; None where nobody signed."""
    if kept is None:
        return None
    return Signature(
        name=str(kept["name"]),
        signed_with=str(kept["signed_with"]),
        meaning=str(kept["meaning"]),
        at=datetime.fromisoformat(str(kept["at"])),
        content_hash=str(kept["content_hash"]),
    )
