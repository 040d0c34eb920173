"""The one condition under which a revision is what readers read, for queries that read a few columns of many."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from sop_server.storage.tables import Revision

# Made once: an alias works its columns out anew each time that it is made, which costs more than the query.
_LATER = aliased(Revision)


def is_served(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions, for a query on Revision, that it is in force at `at` and its SOP not retired."""
    overtaken = (
        select(_LATER.id)
        .where(_LATER.sop_id == Revision.sop_id, _LATER.number > Revision.number, _LATER.effective_from <= at)
        .exists()
    )
    return Revision.effective_from <= at, Revision.kind != "retire", ~overtaken
