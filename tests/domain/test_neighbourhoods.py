"""Facts taken apart SOP by SOP say together what they said before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sop_server.domain.facts import Facts
from sop_server.domain.neighbourhoods import neighbourhood, together
from sop_server.domain.staleness import StaleKind, staleness, unreflected
from sop_server.domain.standing import standing
from tests.domain.library_facts import (
    MAJOR,
    after,
    library,
    obligation,
    person,
    report,
    review,
    revision,
    ticket,
    version,
)

GONE = person(103, "gone@example.com", left_at=after(days=1))


@pytest.fixture
def facts() -> Facts:
    """Five SOPs that name each other, with every reason to be stale among them."""
    return library(
        after(days=10),
        revisions=(
            revision(sop="SOP-0001", links=("SOP-0002", "SOP-0005"), broken_links=("lost.md",), owner=GONE.email),
            revision(sop="SOP-0002", links=("SOP-0001",), systems=("SAP",)),
            revision(2, after(days=2), sop="SOP-0002", links=("SOP-0001",), systems=("SAP",), significance=MAJOR),
            revision(sop="SOP-0003", review_every_days=10),
            revision(sop="SOP-0004", systems=("sap", "Zendesk")),
            revision(sop="SOP-0005"),
        ),
        tickets=(
            ticket(number=1),
            ticket(version(effective_at=after(days=5), systems=("SAP",)), number=2),
            ticket(number=3),
        ),
        obligations=(
            obligation(1, ticket=1, sop="SOP-0003"),
            obligation(2, ticket=2, sop=None),
            obligation(3, ticket=3, sop="SOP-0004"),
            obligation(4, ticket=1, sop="SOP-0002"),
        ),
        reviews=(review(after(days=-20), sop="SOP-0003"), review(after(days=-30), sop="SOP-0004")),
        feedback=(report(1, after(days=3), sop="SOP-0004"), report(2, after(days=4), sop="SOP-0001")),
        people=(person(101, "asha@example.com"), GONE),
    )


@pytest.mark.parametrize("hours_later", [0, 24 * 40])
def test_taken_apart_and_put_together_they_give_the_same_reasons(facts: Facts, hours_later: int) -> None:
    ids = sorted(facts.revisions)
    at = facts.at + timedelta(hours=hours_later)
    whole = standing(replace(facts, at=at))

    joined = standing(together([neighbourhood(facts, one) for one in reversed(ids)], at))

    expected = staleness(whole, among=ids)
    assert {reason.kind for item in expected for reason in item.reasons} == set(StaleKind)
    assert staleness(joined, among=ids) == expected
    assert [unreflected(joined, one) for one in ids] == [unreflected(whole, one) for one in ids]


def test_each_one_alone_gives_its_own_reasons(facts: Facts) -> None:
    whole = {item.sop_id: item for item in staleness(standing(facts))}

    for sop_id in facts.revisions:
        alone = standing(together([neighbourhood(facts, sop_id)], facts.at))
        assert list(staleness(alone, among=[sop_id])) == [item for item in [whole.get(sop_id)] if item is not None]


def test_a_sop_that_nothing_is_known_of_adds_nothing(facts: Facts) -> None:
    assert "SOP-0099" not in together([neighbourhood(facts, "SOP-0099")], facts.at).revisions
