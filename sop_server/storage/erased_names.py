"""What those are called now who were erased, where a record that is never changed still has their name and address."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage import drafts
from sop_server.storage.tables import Approval, Person, PublishIntent

Called = tuple[str, str]
"""An address and a name."""


def erased_names(session: Session, intents: Iterable[PublishIntent]) -> Mapping[tuple[int, str], Called]:
    """Return what to call those who were erased, by the number of an intent and the address that it has for them."""
    gone = session.scalars(select(Person).where(Person.erased_at.is_not(None))).all()
    if not gone:
        return {}
    called: dict[int, Called] = {row.id: (row.email, row.name) for row in gone}
    kept = list(intents)
    ids = [one["id"] for intent in kept for one in intent.approvals if one.get("id") is not None]
    approved = select(Approval.id, Approval.person_id).where(Approval.id.in_(ids), Approval.person_id.in_(called))
    approvers = dict(session.execute(approved).all())
    authors = drafts.authors_by_draft(session, [one.draft_id for one in kept if one.draft_id is not None])
    found: dict[tuple[int, str], Called] = {}
    for intent in kept:
        who = [(one["email"], approvers.get(one.get("id", 0))) for one in intent.approvals]
        # An intent has its draft's authors in their order.
        who += zip(intent.authors, authors.get(intent.draft_id or 0, []), strict=False)
        found |= {(intent.id, str(email)): called[number] for email, number in who if number in called}
    return found
