"""A story with a SOP that is deviated from, and everybody who proposes, decides, reads and manages."""

from datetime import timedelta
from typing import Any

from sop_server.domain.deviations import DeviationInput
from sop_server.domain.findings import FindingKind
from sop_server.services.deviations import deciding, proposing, register
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.deviations.register import DeviationFilter
from sop_server.services.reports.findings import list_findings, scan
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.services.story import Story, text

DAY = timedelta(days=1)


class Play(Story):
    """A story with a SOP that is deviated from."""

    def sop(self) -> str:
        return self.published(text(extra="audience: [tier1, tier2]\n"))

    def propose(self, sop_id: str, *, by: str = "asha", follows: str | None = None, **said: Any) -> DeviationView:
        given = {"instead": "Ask the team lead.", "why": "SAP is down.", "ends_at": self.now + 10 * DAY, **said}
        return proposing.propose_deviation(
            self.stores,
            actor=self.people[by],
            now=self.now,
            sop_id=sop_id,
            given=DeviationInput(**given),
            follows=follows,
        )

    def rewrite(self, one: DeviationView, *, by: str = "asha", **said: Any) -> DeviationView:
        given = {"instead": one.instead, "why": one.why, "ends_at": one.ends_at, "begins_at": one.begins_at, **said}
        return proposing.edit_deviation(
            self.stores,
            actor=self.people[by],
            now=self.now,
            deviation_id=one.id,
            content_hash=one.content_hash,
            given=DeviationInput(**given),
        )

    def permit(self, one: DeviationView, *, by: str = "ben") -> DeviationView:
        return deciding.approve_deviation(
            self.stores, actor=self.people[by], now=self.now, deviation_id=one.id, content_hash=one.content_hash
        )

    def refuse(self, one: DeviationView, *, by: str = "ben", reason: str = "Not safe.") -> DeviationView:
        return deciding.refuse_deviation(
            self.stores, actor=self.people[by], now=self.now, deviation_id=one.id, reason=reason
        )

    def end(self, one: DeviationView, *, by: str = "asha", reason: str = "SAP is back.") -> DeviationView:
        return deciding.end_deviation(
            self.stores, actor=self.people[by], now=self.now, deviation_id=one.id, reason=reason
        )

    def see(self, one: DeviationView, *, by: str = "asha") -> DeviationView:
        return register.get_deviation(self.stores, actor=self.people[by], now=self.now, deviation_id=one.id)

    def listed(self, by: str, **wanted: str) -> list[str]:
        page = register.list_deviations(
            self.stores, actor=self.people[by], now=self.now, wanted=DeviationFilter(**wanted)
        )
        return [one.id for one in page.items]

    def events(self) -> list[str]:
        with self.stores.database.read() as session:
            return [one.action for one in audit.events(session, action="deviation.")][::-1]

    def found(self) -> list[FindingKind]:
        scan(self.stores, now=self.now)
        kinds = [one.kind for one in list_findings(self.stores, actor=self.people["asha"])]
        return [kind for kind in kinds if kind.value.startswith("deviation")]


def play_in(stores: Stores) -> Play:
    """Return the beginning: nothing is written yet, and everybody is there."""
    story = Play(stores)
    story.person("paul", "approver@payments")
    story.person("cora", "reader@customer-care", "editor@customer-care", "approver@customer-care")
    story.person("mia", "manager")
    story.person("tia", "reader@payments", teams=("tier1",))
    story.person("tom", "reader@payments", teams=("tier2",))
    return story
