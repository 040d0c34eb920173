"""The box that says what changed since a person last read a SOP."""

from collections.abc import Sequence
from dataclasses import dataclass

from sop_server.domain.permissions import Action, Actor
from sop_server.services.library.sop_views import RevisionView, SopSummary
from sop_server.services.participation.acknowledgements import Reading
from sop_server.views.addresses import comparison


@dataclass(frozen=True, slots=True)
class Unread:
    """The revision that the person read last, what the authors said of each since, and where to compare."""

    last: int | None
    sentences: list[str]
    compare: str | None


def unread(actor: Actor, sop: SopSummary, reading: Reading | None, history: Sequence[RevisionView]) -> Unread | None:
    """Return what the box says; None where the person read the revision in force, or cannot acknowledge it."""
    if reading is None or not actor.may(Action.ACKNOWLEDGE, sop.department):
        return None
    last = reading.last_read
    if last is None:
        return Unread(None, [], None)
    if last >= sop.revision:
        return None
    since = [one for one in reversed(history) if last < one.revision <= sop.revision and one.state != "overtaken"]
    address = comparison(sop.sop_id, last, sop.revision)
    return Unread(last, [one.change_summary for one in since], address)
