"""What must not be told to whom: the words and the ids of what is not theirs to know of."""

import re
from collections.abc import Collection

from sop_server.domain.permissions import Action
from tests.matrix.cast import Place, Player
from tests.matrix.oracle import sees
from tests.matrix.things import Kind, Thing

OF_DRAFTS = "narwhal"
"""A word of drafts that were not published, and of deviations that nobody approved."""
OF_FEEDBACK = "gecko"
"""A word of reports that nobody of the cast gave."""

_EXAMPLES = frozenset({"SOP-0007", "TKT-0012", "PROC-017", "DEV-0001"})
"""The ids that forms and refusals show for what one looks like."""

_ID = re.compile(r"\b(?:SOP|DRF|TKT|OBL|FB|PROC|DEV|REC)-\d+")


def words_hidden(player: Player) -> frozenset[str]:
    """Return the words that somebody must never read, on whatever page."""
    actor = player.actor
    if actor is None or not player.known:
        return frozenset({*(place.value for place in Place), OF_DRAFTS, OF_FEEDBACK})
    hidden = {place.value for place in Place if not actor.may(Action.READ, place.department)}
    if not actor.may_anywhere(Action.SEE_DRAFTS):
        hidden.add(OF_DRAFTS)
    if not actor.may_anywhere(Action.SEE_REPORTS):
        hidden.add(OF_FEEDBACK)
    return frozenset(hidden)


def ids_hidden(player: Player, things: Collection[Thing]) -> frozenset[str]:
    """Return the ids that somebody must never read, but for those that a text of their own refers to."""
    known = player.actor if player.known else None
    return frozenset(
        thing.id
        for thing in things
        if thing.kind not in {Kind.PERSON, Kind.TOKEN} and not thing.named and (known is None or not sees(known, thing))
    )


def told_of(text: str, asked: str, *, words: Collection[str], ids: Collection[str]) -> list[str]:
    """Return the words and ids that an answer tells, but for those that were asked with."""
    lower = text.lower()
    found = [word for word in words if word in lower and word not in asked.lower()]
    return [*found, *sorted((set(_ID.findall(text)) & set(ids)) - set(_ID.findall(asked)) - _EXAMPLES)]
