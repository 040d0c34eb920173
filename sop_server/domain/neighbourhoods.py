"""The part of a snapshot that one SOP's staleness follows from, and several such parts put together again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.facts import Facts, ObligationFact, ReviewFact, RevisionFact, TicketFact


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """One SOP with the SOPs that it links to, what is open against it, its reviews, feedback and deviations.

    `facts` hold the triage obligations too: a ticket that nobody triaged may touch any SOP.
    """

    sop_id: str
    facts: Facts


def neighbourhood(facts: Facts, sop_id: str) -> Neighbourhood:
    """Return what `facts`, which were read for several SOPs, say of one of them."""
    own = facts.revisions.get(sop_id, ())
    named = {sop_id, *(target for revision in own for target in revision.links)}
    obligations = tuple(one for one in facts.obligations if one.sop_id in {None, sop_id})
    return Neighbourhood(
        sop_id,
        Facts(
            at=facts.at,
            revisions={one: facts.revisions[one] for one in sorted(named) if one in facts.revisions},
            tickets={one.ticket_id: facts.tickets[one.ticket_id] for one in obligations},
            obligations=obligations,
            reviews=tuple(one for one in facts.reviews if one.sop_id == sop_id),
            feedback=tuple(one for one in facts.feedback if one.sop_id == sop_id),
            people=facts.people,
            deviations=tuple(one for one in facts.deviations if one.sop_id == sop_id),
        ),
    )


def together(several: Iterable[Neighbourhood], at: datetime) -> Facts:
    """Return the facts of several SOPs at an instant as if they had been read at once."""
    parts = list(several)
    revisions: dict[str, tuple[RevisionFact, ...]] = {}
    tickets: dict[int, TicketFact] = {}
    obligations: dict[int, ObligationFact] = {}
    reviews: list[ReviewFact] = []
    for part in parts:
        revisions |= part.facts.revisions
        tickets |= part.facts.tickets
        obligations |= {one.id: one for one in part.facts.obligations}
        reviews += part.facts.reviews
    # Only its own neighbourhood says where the links of a SOP lead.
    revisions |= {part.sop_id: part.facts.revisions[part.sop_id] for part in parts if part.facts.revisions}
    return Facts(
        at=at,
        revisions=revisions,
        tickets=tickets,
        obligations=tuple(obligations[number] for number in sorted(obligations)),
        reviews=tuple(sorted(reviews, key=lambda one: one.happened_at)),
        feedback=tuple(one for part in parts for one in part.facts.feedback),
        people={number: person for part in parts for number, person in part.facts.people.items()},
        deviations=tuple(one for part in parts for one in part.facts.deviations),
    )
