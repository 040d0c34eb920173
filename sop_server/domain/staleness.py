"""Why a SOP may no longer say how things are done: the reasons, worst first."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sop_server.domain.facts import (
    FeedbackFact,
    FeedbackKind,
    PersonFact,
    ReviewFact,
    RevisionFact,
    RevisionKind,
    Significance,
)
from sop_server.domain.feedback import triaged
from sop_server.domain.golive import current_version
from sop_server.domain.obligations import ObligationState, ObligationStatus
from sop_server.domain.reviews import last_confirmed, review_due_at
from sop_server.domain.revisions import in_force, latest, served
from sop_server.domain.standing import Standing


class StaleKind(StrEnum):
    """The kinds of reason; the order is the order of severity."""

    OBLIGATION = "obligation"
    OUTDATED = "outdated"
    REVIEW = "review"
    SYSTEM = "system"
    LINK = "link"
    OWNER = "owner"
    BROKEN_LINK = "broken_link"


_RANK = {kind: rank for rank, kind in enumerate(StaleKind)}


@dataclass(frozen=True, slots=True)
class StaleReason:
    """One reason, since when it holds, and what it is in a sentence."""

    kind: StaleKind
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class StaleItem:
    """A SOP in force with its reasons, worst first."""

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    reasons: tuple[StaleReason, ...]


@dataclass(frozen=True, slots=True)
class _Untriaged:
    """That a system changed and nobody has said which SOPs are touched, with the ticket and without it.

    A ticket belongs to the departments of the `processes` that it names, and whoever reads a SOP need not be let in
    there: it is named on SOPs that document one of them, or where it names none and so is everybody's.
    """

    open: StaleReason
    discreet: StaleReason
    processes: frozenset[str]

    def on(self, serving: RevisionFact) -> StaleReason:
        """Return the reason as it stands on a SOP."""
        told = not self.processes or not self.processes.isdisjoint(serving.processes)
        return self.open if told else self.discreet


@dataclass(frozen=True, slots=True)
class _Index:
    """What the reasons are looked up in, by SOP, by system in lower case, by e-mail."""

    outdated: Mapping[str, list[FeedbackFact]]
    confirmed: Mapping[str, ReviewFact]
    untriaged: Mapping[str, _Untriaged]
    people: Mapping[str, PersonFact]


def unreflected(of: Standing, sop_id: str) -> tuple[ObligationStatus, ...]:
    """Return the changes that are live and that the SOP does not reflect yet, the oldest first: its banner."""
    return of.exposed.get(sop_id, ())


def stale_reasons(of: Standing, sop_id: str) -> tuple[StaleReason, ...]:
    """Return why one SOP is stale, worst first; nothing for one that is not in force."""
    serving = of.in_force.get(sop_id)
    return () if serving is None else _reasons(of, _index(of), serving)


def staleness(of: Standing, *, among: Collection[str] | None = None) -> tuple[StaleItem, ...]:
    """Return every stale SOP, the one with the worst reason first, among those the one that has had it longest.

    With `among` only those of its ids are looked at, out of facts that hold their neighbours too.
    """
    index = _index(of)
    looked_at = of.in_force if among is None else {one: of.in_force[one] for one in among if one in of.in_force}
    items = [
        StaleItem(
            sop_id=sop_id,
            title=serving.title,
            department=serving.department,
            owner=serving.owner,
            reasons=reasons,
        )
        for sop_id, serving in looked_at.items()
        if (reasons := _reasons(of, index, serving))
    ]
    return tuple(sorted(items, key=lambda item: (*_severity(item.reasons[0])[:2], item.sop_id)))


def _severity(reason: StaleReason) -> tuple[int, datetime, str]:
    return _RANK[reason.kind], reason.since, reason.detail


def _index(of: Standing) -> _Index:
    outdated: dict[str, list[FeedbackFact]] = {}
    for fact in of.facts.feedback:
        reported = fact.kind == FeedbackKind.OUTDATED and fact.happened_at <= of.at
        if reported and fact.sop_id is not None and not triaged(fact, of.at):
            outdated.setdefault(fact.sop_id, []).append(fact)
    return _Index(
        outdated=outdated,
        confirmed=last_confirmed(of.facts.reviews, of.at),
        untriaged=_untriaged_by_system(of),
        people={person.email: person for person in of.facts.people.values()},
    )


def _untriaged_by_system(of: Standing) -> dict[str, _Untriaged]:
    """Return by system, in lower case, the tickets that touch it and whose triage is open past their go-live."""
    tickets: dict[str, list[ObligationStatus]] = {}
    names: dict[str, str] = {}
    for status in sorted(of.open_triage, key=lambda status: (status.t0, status.ticket.id)):
        for name in current_version(status.ticket, of.at).systems:
            names.setdefault(name.casefold(), name)
        for system in {name.casefold() for name in current_version(status.ticket, of.at).systems}:
            tickets.setdefault(system, []).append(status)
    reasons: dict[str, _Untriaged] = {}
    for system, found in tickets.items():
        first = found[0]
        others = f" and {_count(len(found) - 1, 'more ticket')} since" if len(found) > 1 else ""
        what = f"changed {names[system]} on {_day(first.t0)}{others}, and nobody has said which SOPs are touched."
        known_as, titled = "A ticket of another department", f"{first.ticket.reference} “{first.ticket.title}”"
        reasons[system] = _Untriaged(
            open=StaleReason(StaleKind.SYSTEM, first.t0, f"{titled} {what}"),
            discreet=StaleReason(StaleKind.SYSTEM, first.t0, f"{known_as} {what}"),
            processes=frozenset(current_version(first.ticket, of.at).processes),
        )
    return reasons


def _reasons(of: Standing, index: _Index, serving: RevisionFact) -> tuple[StaleReason, ...]:
    reasons: list[StaleReason] = []
    sop_id = serving.sop_id
    if sop_id in of.exposed:
        reasons.extend(_past_window(of.exposed[sop_id]))
    if sop_id in index.outdated:
        reasons.append(_outdated(index.outdated[sop_id]))
    confirmed = index.confirmed.get(sop_id)
    due_at = review_due_at(of.orders[sop_id], serving, confirmed, of.at)
    if due_at < of.at:
        days = (of.at - due_at).days
        overdue = f"for {_count(days, 'day')}" if days else "since today"
        # A review that looked at nothing in particular is one all the same, and is told as what it was.
        last = (
            f" The last one, on {_day(confirmed.happened_at)}, was one of many or a date alone."
            if (confirmed is not None and confirmed.bulk)
            else ""
        )
        reasons.append(
            StaleReason(
                StaleKind.REVIEW, due_at, f"Its review was due on {_day(due_at)}; it has been overdue {overdue}.{last}"
            )
        )
    if index.untriaged and serving.systems:
        touched = {system.casefold() for system in serving.systems} & index.untriaged.keys()
        reasons.extend(index.untriaged[system].on(serving) for system in touched)
    if serving.links:
        reasons.extend(_changed_links(of, serving, confirmed))
    ownerless = _ownerless(of, index, serving)
    if ownerless is not None:
        reasons.append(ownerless)
    if serving.links or serving.broken_links:
        reasons.extend(_broken_links(of, serving))
    if len(reasons) > 1:
        reasons.sort(key=_severity)
    return tuple(reasons)


def _past_window(exposed: Iterable[ObligationStatus]) -> Iterable[StaleReason]:
    for status in exposed:
        if status.state is ObligationState.BREACHED:
            ticket = status.ticket
            yield StaleReason(
                StaleKind.OBLIGATION,
                status.due_at,
                f"It does not reflect {ticket.reference} “{ticket.title}”, live since {_day(status.t0)}; "
                f"it was due on {_day(status.due_at)}.",
            )


def _outdated(reports: list[FeedbackFact]) -> StaleReason:
    since = min(fact.happened_at for fact in reports)
    what = "A reader reports" if len(reports) == 1 else f"{len(reports)} readers report"
    return StaleReason(StaleKind.OUTDATED, since, f"{what} that it is out of date, and nobody has looked at it yet.")


def _changed_links(of: Standing, serving: RevisionFact, confirmed: ReviewFact | None) -> Iterable[StaleReason]:
    """Yield the SOPs that it builds on and that changed since it was last confirmed, by a review or its own revision.

    The first revision of a SOP is no change of it.
    """
    since = serving.effective_from
    if confirmed is not None and confirmed.happened_at > since:
        since = confirmed.happened_at
    for target in serving.links:
        revisions = of.facts.revisions.get(target, ())
        if target == serving.sop_id or len(revisions) < 2 or in_force(revisions, of.at) is None:  # noqa: PLR2004 - a change needs a before
            continue
        for revision in served(revisions)[1:]:
            if since < revision.effective_from <= of.at and revision.significance == Significance.MAJOR:
                # Whoever reads this SOP need not be let into another department: its titles are not told.
                named = f"{target} “{revision.title}”" if revision.department == serving.department else target
                yield StaleReason(
                    StaleKind.LINK,
                    revision.effective_from,
                    f"{named}, which it builds on, changed with r{revision.number} on {_day(revision.effective_from)}.",
                )
                break


def _ownerless(of: Standing, index: _Index, serving: RevisionFact) -> StaleReason | None:
    since = serving.effective_from
    if not serving.owner:
        return StaleReason(StaleKind.OWNER, since, "It names no owner.")
    person = index.people.get(serving.owner.lower())
    state = None if person is None else person.state(of.at)
    if state is None:
        return StaleReason(StaleKind.OWNER, since, f"Its owner {serving.owner} has no account here.")
    if state.active:
        return None
    return StaleReason(
        StaleKind.OWNER, max(since, state.happened_at), f"Its owner {serving.owner} is no longer active."
    )


def _broken_links(of: Standing, serving: RevisionFact) -> Iterable[StaleReason]:
    since = serving.effective_from
    for reference in serving.broken_links:
        yield StaleReason(StaleKind.BROKEN_LINK, since, f"Its link to {reference} leads nowhere.")
    for target in serving.links:
        if target in serving.broken_links:
            continue
        last = latest(of.facts.revisions.get(target, ()), of.at)
        if last is None:
            yield StaleReason(StaleKind.BROKEN_LINK, since, f"Its link to {target} leads to no SOP in force.")
        elif last.kind == RevisionKind.RETIRE:
            yield StaleReason(
                StaleKind.BROKEN_LINK,
                max(since, last.effective_from),
                f"Its link leads to {target}, which was retired.",
            )


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
