"""The text that a draft begins with: a new SOP's, a revision's, or that of the one before an undone one."""

from sop_server.domain import front_matter
from sop_server.domain.content import normalise
from sop_server.domain.drafts import DraftKind
from sop_server.errors import InvalidInputError
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Revision


def text_of_new(content: str | None, kind: DraftKind) -> str:
    """Return the text of a new SOP as it is kept; InvalidInputError where it cannot be one."""
    if kind is DraftKind.RETIRE:
        raise InvalidInputError("Say which SOP is to be retired.", fields={"sop_id": "is required to retire"})
    if content is None:
        raise InvalidInputError("A new SOP needs its text.", fields={"content": "is required"})
    text = normalise(content)
    parsed = readable(text)
    if parsed.front.id is not None:
        raise InvalidInputError(
            f"The front matter names the id {parsed.front.id}, but a new SOP is given its id here. "
            f"Leave “id” out, or name the SOP that you want to change as sop_id.",
            fields={"content": "must not carry an id when sop_id is absent"},
        )
    if not parsed.front.title:
        raise InvalidInputError(
            "A SOP needs a title: write “title: …” into the front matter.", fields={"content": "title is missing"}
        )
    return text


def text_on(
    stores: Stores, session: Session, base: Revision, content: str | None, *, kind: DraftKind, reverts: int | None
) -> str:
    """Return the text that a draft on `base` begins with; an undo has that of the revision before the undone one."""
    if kind is DraftKind.RETIRE:
        return normalise(stores.library.read(base.blob_oid))
    if reverts is not None:
        undone = sops.revision_row(session, base.sop_id, reverts)
        before = sops.revision_row(session, base.sop_id, reverts - 1)
        if undone is None or before is None or reverts > base.number:
            raise InvalidInputError(
                f"r{reverts} of {base.sop_id} cannot be taken back: name a revision from r2 to r{base.number}.",
                fields={"reverts": "no such revision, or nothing before it"},
            )
        if content is None:
            return normalise(stores.library.read(before.blob_oid))
    if content is None:
        raise InvalidInputError("The draft has no text.", fields={"content": "is required"})
    return with_id(normalise(content), base.sop_id)


def with_id(text: str, sop_id: str) -> str:
    """Return the text with its SOP's id in it; InvalidInputError where it carries another one."""
    parsed = readable(text)
    if parsed.front.id not in {None, sop_id}:
        raise InvalidInputError(
            f"The front matter says {parsed.front.id}, but this draft is of {sop_id}. Nothing was stored; "
            "correct the id or open a draft of the other SOP.",
            fields={"content": f"id must be {sop_id}"},
        )
    return text if parsed.front.id == sop_id else front_matter.with_values(text, {"id": sop_id})


def readable(text: str) -> front_matter.SopFile:
    """Return the text taken apart; InvalidInputError where its front matter cannot be read."""
    parsed = front_matter.parse(text)
    if parsed.errors:
        told = "; ".join(f"line {problem.line}: {problem.message}" for problem in parsed.errors[:5])
        raise InvalidInputError(
            f"The front matter cannot be used: {told}. Nothing was stored; your text is still yours to mend.",
            fields={"content": told},
        )
    return parsed
