"""What the demonstration does otherwise than its SOPs say: one that is over, one in force, one that waits."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sop_server.domain.deviations import DeviationInput
from sop_server.services.demonstration.demo_stage import Event, Stage
from sop_server.services.demonstration.example_registers import Row, split_cell
from sop_server.services.deviations.deciding import approve_deviation
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.deviations.proposing import propose_deviation


def deviation_events(stage: Stage) -> Iterator[Event]:
    """Yield who proposed a deviation, and who approved it."""
    for row in stage.history("deviations.csv"):
        play = _Play(stage, row)
        proposed = stage.ago(row["proposed_days_ago"])
        yield Event(proposed, partial(play.propose, proposed))
        if row["approved_by"]:
            approved = stage.ago(row["approved_days_ago"])
            yield Event(approved, partial(play.approve, approved))


class _Play:
    """The life of one deviation."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._stage = stage
        self._row = row
        self._made: DeviationView | None = None

    def propose(self, at: datetime) -> None:
        stage, row = self._stage, self._row
        self._made = propose_deviation(
            stage.stores_at(at),
            actor=stage.person(row["proposed_by"], at),
            now=at,
            sop_id=row["sop_id"],
            given=DeviationInput(
                step=row["step"],
                instead=row["instead"],
                why=row["why"],
                control=row["control"],
                reference=row["reference"],
                teams=split_cell(row["teams"]),
                begins_at=stage.ago(row["begins_days_ago"]),
                ends_at=stage.ago(row["ends_days_ago"]),
            ),
        )

    def approve(self, at: datetime) -> None:
        if self._made is not None:
            approve_deviation(
                self._stage.stores_at(at),
                actor=self._stage.person(self._row["approved_by"], at),
                now=at,
                deviation_id=self._made.id,
                content_hash=self._made.content_hash,
            )
