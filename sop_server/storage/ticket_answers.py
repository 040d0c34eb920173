"""Which revisions reference a ticket, and which SOPs in force name what a ticket touches."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sop_server.storage import sops
from sop_server.storage.tables import Revision, RevisionTicket

_MOST_CANDIDATES = 500


def referencing(session: Session, ticket_id: int) -> Sequence[Revision]:
    """Return the revisions that reference a ticket, in the order in which they come into force."""
    return session.scalars(
        select(Revision)
        .join(RevisionTicket, RevisionTicket.revision_id == Revision.id)
        .where(RevisionTicket.ticket_id == ticket_id)
        .order_by(Revision.effective_from, Revision.id)
    ).all()


def naming(
    session: Session, at: datetime, *, systems: Collection[str], processes: Collection[str]
) -> Sequence[Revision]:
    """Return the revisions in force that name one of the systems, in any spelling of its case, or of the processes."""
    conditions = [_mentions(Revision.systems, name) for name in systems]
    conditions += [_mentions(Revision.processes, name) for name in processes]
    if not conditions:
        return []
    # The lists are JSON text to the database: it narrows them down, and what really names a thing is told here.
    ids = session.scalars(
        select(Revision.sop_id).where(or_(*conditions)).distinct().order_by(Revision.sop_id).limit(_MOST_CANDIDATES)
    ).all()
    wanted = {name.casefold() for name in systems}
    return [
        row
        for row in sops.in_force_rows(session, at, ids=ids)
        if wanted & {name.casefold() for name in row.systems} or set(processes) & set(row.processes)
    ]


def _mentions(column: InstrumentedAttribute[list[str]], name: str) -> ColumnElement[bool]:
    return cast(column, String).icontains(json.dumps(name), autoescape=True)
