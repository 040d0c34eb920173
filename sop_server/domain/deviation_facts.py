"""What is known of a deviation by an instant: a permission to do for a time something other than a SOP says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeviationDecision(StrEnum):
    """What became of a proposal."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class DeviationFact:
    """A deviation as its last wording says it; what was decided later than the snapshot is None.

    `revision` is the text that it was written against, `step` empty where it is about the whole of it, `teams` empty
    where everybody may do so. `follows` is the deviation that it takes up. `content_hash` covers all of this.
    """

    id: int
    sop_id: str
    revision: int
    step: str
    instead: str
    why: str
    reference: str
    teams: tuple[str, ...]
    control: str
    begins_at: datetime
    ends_at: datetime
    follows: int | None
    content_hash: str
    proposed_at: datetime
    decision: DeviationDecision | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    ended_at: datetime | None = None
