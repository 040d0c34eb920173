"""What the demonstration's people did with SOPs in force: joined teams, acknowledged, reported, triaged, reviewed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sop_server.domain.doers import OPERATOR
from sop_server.domain.revisions import current_major, in_force
from sop_server.services.accounts.people import join_team
from sop_server.services.demonstration.demo_stage import Event, Stage
from sop_server.services.demonstration.example_registers import REGISTERS, Row, read_table, split_cell
from sop_server.services.participation.acknowledgements import acknowledge
from sop_server.services.participation.feedback import give_feedback, triage_feedback
from sop_server.services.participation.reviews import review_sop
from sop_server.storage import sops

_EARLIEST_SHARE = 0.1
_HEX_DIGITS = 8


@dataclass(frozen=True, slots=True)
class _Text:
    """A revision of the past, as far as acknowledging it goes."""

    number: int
    kind: str
    significance: str
    effective_from: datetime


def late_joiners(stage: Stage) -> frozenset[tuple[str, str]]:
    """Return (e-mail, team) of those who joined during the year."""
    return frozenset((row["email"], row["team"]) for row in stage.history("memberships.csv"))


def membership_events(stage: Stage) -> Iterator[Event]:
    """Yield who joined a team during the year."""
    for row in stage.history("memberships.csv"):
        at = stage.ago(row["joined_days_ago"])
        yield Event(at, partial(_join, stage, row, at))


def review_events(stage: Stage) -> Iterator[Event]:
    """Yield the periodic reviews."""
    for row in stage.history("reviews.csv"):
        at = stage.ago(row["days_ago"])
        yield Event(at, partial(_review, stage, row, at))


def feedback_events(stage: Stage) -> Iterator[Event]:
    """Yield what readers reported, and what became of it."""
    for row in stage.history("feedback.csv"):
        report = _Report(stage, row)
        at = stage.ago(row["days_ago"])
        yield Event(at, partial(report.give, at))
        if row["triaged_days_ago"]:
            triaged = stage.ago(row["triaged_days_ago"])
            yield Event(triaged, partial(report.triage, triaged))


def acknowledgement_events(stage: Stage) -> Iterator[Event]:
    """Yield who acknowledged what: for each rule, its share of the team, drawn alike in every demonstration."""
    members = _members(stage)
    texts = _texts(stage)
    for rule in stage.history("acknowledgements.csv"):
        team, sop_id = rule["team"], rule["sop_id"]
        for text in texts[sop_id]:
            if current_major(texts[sop_id], text.effective_from) is not text:
                continue
            there = [email for email, since in members[team] if since <= text.effective_from]
            yield from _drawn(stage, rule, there, since=text.effective_from, about=f"{sop_id} {text.number}")
        for email, since in members[team]:
            if in_force(texts[sop_id], since) is not None and since > stage.ago(365):
                yield from _drawn(stage, rule, [email], since=since, about=f"{sop_id} joined")


def _drawn(stage: Stage, rule: Row, people: Sequence[str], *, since: datetime, about: str) -> Iterator[Event]:
    """Yield the acknowledgements of the rule's share of `people`, spread over the days that it allows."""
    order = sorted(people, key=lambda email: _share(f"{about} {email} who"))
    for email in order[: round(len(order) * float(rule["share"]))]:
        spread = _EARLIEST_SHARE + (1 - _EARLIEST_SHARE) * _share(f"{about} {email} when")
        at = since + timedelta(days=float(rule["within_days"])) * spread
        if at < stage.now:
            yield Event(at, partial(_acknowledge, stage, rule["sop_id"], email, at))


def _acknowledge(stage: Stage, sop_id: str, email: str, at: datetime) -> None:
    with stage.stores.database.read() as session:
        row = sops.in_force_row(session, sop_id, at)
    if row is not None:
        actor = stage.person(email, at)
        acknowledge(stage.stores_at(at), actor=actor, now=at, sop_id=sop_id, revision=row.number)


def _join(stage: Stage, row: Row, at: datetime) -> None:
    join_team(stage.stores_at(at), actor=OPERATOR, now=at, email=row["email"], team=row["team"])


def _review(stage: Stage, row: Row, at: datetime) -> None:
    actor = stage.person(row["person"], at)
    review_sop(stage.stores_at(at), actor=actor, now=at, sop_id=row["sop_id"], outcome=row["outcome"], note=row["note"])


class _Report:
    """One report of a reader."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._stage = stage
        self._row = row
        self._id = ""

    def give(self, at: datetime) -> None:
        row = self._row
        self._id = give_feedback(
            self._stage.stores_at(at),
            actor=self._stage.person(row["reporter"], at),
            now=at,
            sop_id=row["sop_id"] or None,
            kind=row["kind"],
            what_happened=row["what_happened"],
            what_was_done=row["what_was_done"],
            case_reference=row["case_ref"],
        ).id

    def triage(self, at: datetime) -> None:
        row = self._row
        triage_feedback(
            self._stage.stores_at(at),
            actor=self._stage.person(row["triaged_by"], at),
            now=at,
            feedback_id=self._id,
            outcome=row["triage_outcome"],
            reason=row["triage_reason"],
        )


def _members(stage: Stage) -> dict[str, list[tuple[str, datetime]]]:
    joined = {
        (row["email"], row["team"]): stage.ago(row["joined_days_ago"]) for row in stage.history("memberships.csv")
    }
    always = stage.ago(10_000)
    found: dict[str, list[tuple[str, datetime]]] = {}
    for row in read_table(stage.root / REGISTERS, "people.csv"):
        for team in split_cell(row["teams"]):
            found.setdefault(team, []).append((row["email"], joined.get((row["email"], team), always)))
    return found


def _texts(stage: Stage) -> dict[str, list[_Text]]:
    found: dict[str, list[_Text]] = {}
    for row in stage.history("revisions.csv"):
        number = int(row["revision"].removeprefix("r"))
        text = _Text(number, "edit", row["significance"], stage.ago(row["days_ago"]))
        found.setdefault(row["sop_id"], []).append(text)
    return found


def _share(text: str) -> float:
    """Return a number from 0 to 1 that only the text decides."""
    digits = hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]
    return int(digits, 16) / float(16**_HEX_DIGITS)
