from datetime import timedelta

import pytest

from sop_server.domain.facts import (
    FeedbackKind,
    ObligationFact,
    ReviewOutcome,
    RevisionFact,
    RevisionKind,
    TicketFact,
)
from sop_server.domain.staleness import StaleKind, StaleReason, stale_reasons, staleness, unreflected
from sop_server.domain.standing import narrow, standing
from tests.domain.library_facts import (
    ASHA,
    BEN,
    MAJOR,
    MINOR,
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

NOW = after(days=10)


def reasons(*revisions: RevisionFact, **facts: object) -> list[tuple[StaleKind, object]]:
    return [(reason.kind, reason.since) for reason in found_for(*revisions, **facts)]


def found_for(*revisions: RevisionFact, **facts: object) -> tuple[StaleReason, ...]:
    known = library(NOW, revisions=revisions or [revision()], **facts)  # type: ignore[arg-type]
    return stale_reasons(standing(known), "SOP-0001")


def test_a_sop_that_nothing_speaks_against_is_not_stale() -> None:
    assert reasons() == []


def test_an_obligation_past_its_window_makes_it_stale_from_its_due_instant() -> None:
    found = found_for(tickets=[ticket()], obligations=[obligation()])
    assert [(reason.kind, reason.since) for reason in found] == [(StaleKind.OBLIGATION, after(48))]
    assert "jira:CHG-1 “Change 1”, live since 3 Nov 2026; it was due on 5 Nov 2026" in found[0].detail


def test_an_obligation_within_its_window_does_not_but_is_told_on_the_banner() -> None:
    live = NOW - timedelta(hours=5)
    known = standing(
        library(
            NOW,
            revisions=[revision()],
            tickets=[
                ticket(version(effective_at=live)),
                ticket(number=2),
                ticket(version(effective_at=NOW + timedelta(hours=1)), number=3),
            ],
            obligations=[obligation(1), obligation(2, ticket=2), obligation(3, ticket=3)],
        )
    )
    assert [reason.kind for reason in stale_reasons(known, "SOP-0001")] == [StaleKind.OBLIGATION]
    assert [status.ticket.id for status in unreflected(known, "SOP-0001")] == [2, 1]
    assert unreflected(known, "SOP-0002") == ()


def test_reported_outdated_it_is_stale_until_somebody_has_triaged_it() -> None:
    untriaged = [report(1, after(5)), report(2, after(9))]
    assert reasons(feedback=untriaged) == [(StaleKind.OUTDATED, after(5))]
    assert found_for(feedback=untriaged)[0].detail.startswith("2 readers report")
    assert reasons(feedback=[report(1, after(5), triaged_at=after(6))]) == []
    assert reasons(feedback=[report(1, after(5), triaged_at=NOW + timedelta(hours=1))]) != []


@pytest.mark.parametrize("kind", [FeedbackKind.UNCLEAR, FeedbackKind.EDGE_CASE, FeedbackKind.AI_BYPASSED])
def test_other_feedback_does_not_make_it_stale(kind: FeedbackKind) -> None:
    assert reasons(feedback=[report(1, after(5), kind=kind)]) == []


class TestReviews:
    old = revision(1, NOW - timedelta(days=400))

    def test_a_review_overdue_makes_it_stale(self) -> None:
        assert reasons(self.old) == [(StaleKind.REVIEW, NOW - timedelta(days=35))]

    def test_a_confirmed_review_renews_it(self) -> None:
        assert reasons(self.old, reviews=[review(NOW - timedelta(days=364))]) == []
        assert reasons(self.old, reviews=[review(NOW - timedelta(days=380))]) == [
            (StaleKind.REVIEW, NOW - timedelta(days=15))
        ]

    @pytest.mark.parametrize("bulk", [True, False])
    def test_a_review_that_was_one_of_many_is_told_as_such(self, bulk: bool) -> None:  # noqa: FBT001 - a parameter
        (reason,) = found_for(self.old, reviews=[review(NOW - timedelta(days=380), bulk=bulk)])
        assert ("one of many or a date alone" in reason.detail) is bulk

    @pytest.mark.parametrize("outcome", [ReviewOutcome.NEEDS_REVISION, ReviewOutcome.RETIRE])
    def test_a_review_that_does_not_confirm_renews_nothing(self, outcome: ReviewOutcome) -> None:
        assert reasons(self.old, reviews=[review(NOW - timedelta(days=3), outcome=outcome)]) != []

    def test_a_later_major_renews_it_and_a_minor_does_not(self) -> None:
        recent = NOW - timedelta(days=10)
        assert reasons(self.old, revision(2, recent, significance=MAJOR)) == []
        assert reasons(self.old, revision(2, recent, significance=MINOR)) != []


class TestSystems:
    names_sap = revision(systems=("Zendesk", "SAP"))
    change = ticket(version(effective_at=after(), systems=("sap",)))

    def test_an_untriaged_ticket_that_touches_its_system_makes_it_stale_from_go_live(self) -> None:
        facts = {"tickets": [self.change], "obligations": [obligation(sop=None)]}
        assert reasons(self.names_sap, **facts) == [(StaleKind.SYSTEM, after())]
        assert reasons(revision(systems=("Oracle",)), **facts) == []

    def test_a_triaged_one_does_not(self) -> None:
        replaced: list[ObligationFact] = [obligation(sop=None, uncounted_from=after(3))]
        assert reasons(self.names_sap, tickets=[self.change], obligations=replaced) == []

    def test_an_upcoming_one_does_not(self) -> None:
        upcoming: list[TicketFact] = [ticket(version(effective_at=NOW + timedelta(days=1), systems=("SAP",)))]
        assert reasons(self.names_sap, tickets=upcoming, obligations=[obligation(sop=None)]) == []

    def test_several_tickets_on_a_system_are_one_reason(self) -> None:
        other = ticket(version(effective_at=after(5), systems=("SAP",)), number=2)
        found = found_for(
            self.names_sap,
            tickets=[self.change, other],
            obligations=[obligation(1, sop=None), obligation(2, ticket=2, sop=None)],
        )
        assert [(reason.kind, reason.since) for reason in found] == [(StaleKind.SYSTEM, after())]
        assert "1 more ticket" in found[0].detail

    def test_a_ticket_is_named_where_it_is_everybodys_or_the_sop_documents_its_process(self) -> None:
        of_a_process = ticket(version(effective_at=after(), systems=("SAP",), processes=("PROC-001",)))
        triage = [obligation(sop=None)]
        documenting = self.names_sap._replace(processes=("PROC-001",))

        (told,) = found_for(self.names_sap, tickets=[self.change], obligations=triage)
        (also,) = found_for(documenting, tickets=[of_a_process], obligations=triage)
        (not_told,) = found_for(self.names_sap, tickets=[of_a_process], obligations=triage)

        assert told.detail.startswith("jira:CHG-1 “Change 1” changed sap on 3 Nov 2026, and nobody")
        assert also.detail.startswith("jira:CHG-1 “Change 1” changed SAP on 3 Nov 2026, and nobody")
        assert not_told.detail.startswith("A ticket of another department changed SAP on 3 Nov 2026, and nobody")
        assert "CHG-1" not in not_told.detail


class TestLinks:
    linking = revision(1, after(days=-20), links=("SOP-0002",))
    target = revision(1, after(days=-30), sop="SOP-0002")
    changed = revision(2, after(), sop="SOP-0002", significance=MAJOR)

    def test_a_major_change_of_what_it_links_to_makes_it_stale(self) -> None:
        assert reasons(self.linking, self.target, self.changed) == [(StaleKind.LINK, after())]

    def test_a_minor_change_does_not(self) -> None:
        assert reasons(self.linking, self.target, self.changed._replace(significance=MINOR)) == []

    def test_a_change_before_its_own_revision_or_its_last_confirmed_review_does_not(self) -> None:
        assert reasons(self.linking, self.target, self.changed, reviews=[review(after(1))]) == []
        own = self.linking._replace(number=2, effective_from=after(2))
        assert reasons(self.linking, own, self.target, self.changed) == []

    def test_a_change_to_come_does_not(self) -> None:
        coming = self.changed._replace(effective_from=NOW + timedelta(days=1))
        assert reasons(self.linking, self.target, coming) == []

    def test_the_first_revision_of_what_it_links_to_is_no_change(self) -> None:
        first = self.target._replace(effective_from=after(days=1))
        assert reasons(self.linking, first) == []
        assert reasons(self.linking, first, revision(2, after(days=2), sop="SOP-0002")) == []

    def test_a_link_to_a_retired_sop_is_broken_since_then(self) -> None:
        retired = revision(2, after(3), sop="SOP-0002", kind=RevisionKind.RETIRE)
        assert reasons(self.linking, self.target, retired) == [(StaleKind.BROKEN_LINK, after(3))]

    def test_a_link_to_nothing_is_broken_and_told_once(self) -> None:
        assert reasons(self.linking) == [(StaleKind.BROKEN_LINK, self.linking.effective_from)]
        twice = self.linking._replace(broken_links=("SOP-0002", "images/gone.png"))
        assert reasons(twice) == [(StaleKind.BROKEN_LINK, self.linking.effective_from)] * 2


class TestOwner:
    def test_without_owner_it_is_stale(self) -> None:
        assert reasons(revision(owner=None))[0][0] is StaleKind.OWNER

    def test_with_an_owner_nobody_knows_it_is_stale(self) -> None:
        assert "no account" in found_for(revision(owner="gone@example.com"))[0].detail

    def test_with_an_inactive_owner_it_is_stale_since_then(self) -> None:
        gone = person(7, "gone@example.com", left_at=after(4))
        assert reasons(revision(owner="Gone@example.com"), people=[gone]) == [(StaleKind.OWNER, after(4))]

    def test_an_owner_who_leaves_later_is_still_there(self) -> None:
        leaving = person(7, "gone@example.com", left_at=NOW + timedelta(days=1))
        assert reasons(revision(owner="gone@example.com"), people=[leaving]) == []


def test_reasons_come_worst_first_and_items_by_their_worst_reason_then_the_oldest() -> None:
    everything = revision(
        1,
        NOW - timedelta(days=400),
        systems=("SAP",),
        links=("SOP-0002",),
        broken_links=("gone.md",),
        owner=None,
    )
    known = library(
        NOW,
        revisions=[
            everything,
            revision(1, after(days=-30), sop="SOP-0002", owner=None),
            revision(2, after(), sop="SOP-0002", significance=MAJOR),
            revision(1, NOW - timedelta(days=390), sop="SOP-0003"),
            revision(1, NOW - timedelta(days=380), sop="SOP-0004"),
            revision(1, NOW - timedelta(days=1), sop="SOP-0005", kind=RevisionKind.RETIRE, owner=None),
        ],
        tickets=[ticket(), ticket(version(effective_at=after(), systems=("SAP",)), number=2)],
        obligations=[obligation(), obligation(2, ticket=2, sop=None)],
        feedback=[report(1, after(5))],
    )
    items = staleness(standing(known))
    assert [reason.kind for reason in items[0].reasons] == list(StaleKind)
    assert [item.sop_id for item in items] == ["SOP-0001", "SOP-0003", "SOP-0004"]
    assert (items[0].title, items[0].owner, items[0].department) == ("Title of SOP-0001", None, "payments")


def test_a_retired_or_unknown_sop_has_no_reasons() -> None:
    assert reasons(revision(), revision(2, after(), kind=RevisionKind.RETIRE, owner=None)) == []
    assert stale_reasons(standing(library(NOW)), "SOP-0001") == ()


def test_a_department_sees_its_own_and_its_links_are_judged_by_the_whole_library() -> None:
    ours = revision(links=("SOP-0002",), owner=None)
    theirs = revision(sop="SOP-0002", department="claims", owner=None)
    found = staleness(narrow(standing(library(NOW, revisions=[ours, theirs])), departments={"payments"}))
    assert [(item.sop_id, [reason.kind for reason in item.reasons]) for item in found] == [
        ("SOP-0001", [StaleKind.OWNER])
    ]


def test_the_page_of_one_sop_and_the_report_say_the_same() -> None:
    known = standing(library(NOW, revisions=[revision(owner=None)], people=[ASHA, BEN]))
    assert staleness(known)[0].reasons == stale_reasons(known, "SOP-0001")
