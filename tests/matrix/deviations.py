"""The deviations of the matrix: one in each state, in each place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.deviations import DeviationInput
from sop_server.domain.permissions import Actor
from sop_server.services.deviations import deciding, proposing
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.stores import Stores
from tests.matrix.cast import AUTHOR, Place
from tests.matrix.secrets import OF_DRAFTS
from tests.matrix.things import APPROVED, Kind, Thing

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DeviationSeeder:
    """Makes the deviations from one SOP, through the services, as people would; ann decides on them."""

    stores: Stores
    people: Mapping[str, Actor]
    now: datetime
    place: Place
    sop_id: str

    def seed(self) -> list[Thing]:
        """Propose one in each state, and those of the author."""
        states = (*sorted(APPROVED), "proposed", "refused", "withdrawn")
        wanted = [*(("sam", state) for state in states), (AUTHOR, "proposed"), (AUTHOR, "approved")]
        return [self._thing(by, state) for by, state in wanted]

    def _thing(self, by: str, state: str) -> Thing:
        made = self._proposed(by, state)
        stores, ann, now = self.stores, self.people["ann"], self.now
        if state in APPROVED:
            deciding.approve_deviation(stores, actor=ann, now=now, deviation_id=made.id, content_hash=made.content_hash)
        elif state == "refused":
            why = f"Not so, {self.place.value} {OF_DRAFTS}."
            deciding.refuse_deviation(stores, actor=ann, now=now, deviation_id=made.id, reason=why)
        elif state == "withdrawn":
            proposing.withdraw_deviation(stores, actor=self.people[by], now=now, deviation_id=made.id)
        departments = frozenset({self.place.department})
        return Thing(Kind.DEVIATION, state, departments, {"deviation_id": made.id}, frozenset({by}))

    def _proposed(self, by: str, state: str) -> DeviationView:
        word, secret = self.place.value, "" if state in APPROVED else f" {OF_DRAFTS}"
        # What is asked for is asked for five days after it was seeded.
        lasts = 3 * _DAY if state == "ended" else 40 * _DAY
        given = DeviationInput(
            step=f"The {word} step",
            instead=f"Use the {word} list{secret}.",
            why=f"The {word} screen is down{secret}.",
            control=f"A second {word} person looks{secret}.",
            reference=f"{word}:1",
            begins_at=self.now + 20 * _DAY if state == "to come" else None,
            ends_at=self.now + lasts,
        )
        return proposing.propose_deviation(
            self.stores, actor=self.people[by], now=self.now, sop_id=self.sop_id, given=given
        )
