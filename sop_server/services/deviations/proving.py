"""Whether what readers are shown of deviations is what was approved."""

from sop_server.domain import identifiers
from sop_server.domain.deviation_facts import DeviationDecision
from sop_server.domain.deviations import terms_hash
from sop_server.storage import deviations
from sop_server.storage.database import Session
from sop_server.storage.tables import Deviation, DeviationWording


def altered(session: Session) -> list[str]:
    """Say which approved deviations do not say what somebody approved, or name nobody who could."""
    rows = deviations.decided_rows(session, DeviationDecision.APPROVED)
    wordings = deviations.wordings(session, [row.id for row in rows])
    return [
        f"{identifiers.deviation_id(row.id)} from {row.sop_id} is not what was approved: it was changed behind the "
        "server. End it, and find out who may alter the database."
        for row in rows
        if not _holds(row, wordings.get(row.id, []))
    ]


def _holds(row: Deviation, written: list[DeviationWording]) -> bool:
    if not written or row.decided_by in {row.proposed_by, None, *(one.person_id for one in written)}:
        return False
    last = written[-1]
    said = terms_hash(deviations.terms_in(last), sop_id=row.sop_id, revision=last.revision, follows=row.follows_id)
    return said == last.content_hash == row.decided_hash
