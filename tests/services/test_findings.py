from datetime import timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ForbiddenError
from sop_server.services.accounts.people import deactivate_person
from sop_server.services.background import run_due
from sop_server.services.changes.tickets import change_ticket, confirm_go_live
from sop_server.services.participation.feedback import give_feedback, triage_feedback
from sop_server.services.participation.reviews import review_sop
from sop_server.services.register.processes import register_process
from sop_server.services.reports.findings import FindingView, list_findings, scan
from sop_server.services.stores import Stores
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    made = Story(stores)
    made.person("mia", "manager")
    made.person("cora", "editor@customer-care")
    return made


def found(story: Story, kind: str) -> list[FindingView]:
    scan(story.stores, now=story.now)
    return list_findings(story.stores, actor=OPERATOR, kind=kind)


def test_a_breach_is_found_when_its_window_has_passed_and_closed_by_the_revision_that_ends_it(story: Story) -> None:
    sop_id = story.published()
    ticket = story.ticket("CHG-1", sops=[sop_id], effective_at=story.now)
    story.later(hours=48)
    assert found(story, "breach") == []
    story.later(seconds=1)

    (breach,) = found(story, "breach")

    assert (breach.subject, breach.department, breach.href) == (sop_id, "payments", f"/sops/{sop_id}")
    assert "jira:CHG-1" in breach.why
    story.published(text(steps=step(1, "New")), sop_id=sop_id, tickets=[ticket])
    assert found(story, "breach") == []


def test_a_ticket_that_is_live_and_names_no_sop_waits_for_its_triage(story: Story) -> None:
    ticket = story.ticket("CHG-1", effective_at=story.now + timedelta(hours=1))
    assert found(story, "triage") == []
    story.later(hours=2)

    (triage,) = found(story, "triage")

    assert (triage.subject, triage.href) == (ticket, f"/tickets/{ticket}")


@pytest.mark.parametrize(("met", "expected"), [(False, 1), (True, 0)])
def test_a_go_live_that_a_source_moves_later_after_its_breach_is_found(
    story: Story, *, met: bool, expected: int
) -> None:
    sop_id = story.published()
    ticket = story.ticket("CHG-1", sops=[sop_id], effective_at=story.now)
    if met:
        story.later(hours=1)
        story.published(text(steps=step(1, "New")), sop_id=sop_id, tickets=[ticket])
    story.later(hours=72)
    moved = TicketInput(effective_at=story.now)
    change_ticket(story.stores, actor=OPERATOR, now=story.now, ticket_id=ticket, given=moved)

    assert len(found(story, "go_live_moved")) == expected

    story.later(hours=1)
    confirm_go_live(
        story.stores, actor=story.mia, now=story.now, ticket_id=ticket, t0=story.now, reason="The release notes."
    )
    assert found(story, "go_live_moved") == []


def test_an_undocumented_process_is_found_after_its_grace(story: Story) -> None:
    process = register_process(
        story.stores, actor=OPERATOR, now=story.now, given=ProcessInput(name="Refunding", department="payments")
    ).id
    story.later(days=13)
    assert found(story, "undocumented") == []
    story.later(days=1)
    assert [one.subject for one in found(story, "undocumented")] == [process]

    story.published(text(extra=f"process: {process}\n"))

    assert found(story, "undocumented") == []


def test_an_owner_who_left_and_a_review_that_is_due_are_found(story: Story) -> None:
    sop_id = story.published(text(extra="review_every: 30 days\n"))
    story.later(days=31)
    deactivate_person(story.stores, actor=OPERATOR, now=story.now, email="asha@example.com")

    assert [one.subject for one in found(story, "owner")] == [sop_id]
    assert [one.subject for one in found(story, "review")] == [sop_id]


def test_a_review_that_asks_for_a_revision_is_found_until_there_is_one(story: Story) -> None:
    sop_id = story.published()
    story.later(days=1)
    review_sop(
        story.stores, actor=story.asha, now=story.now, sop_id=sop_id, outcome="needs_revision", note="Step 3 is old."
    )
    assert [one.subject for one in found(story, "needs_revision")] == [sop_id]

    story.later(days=1)
    story.published(text(steps=step(3, "New")), sop_id=sop_id)

    assert found(story, "needs_revision") == []


def test_feedback_that_waits_for_more_than_a_week_is_found_with_a_sop_or_without(story: Story) -> None:
    sop_id = story.published()
    reports = [
        give_feedback(
            story.stores, actor=story.rita, now=story.now, sop_id=about, kind="edge_case", what_happened="Odd."
        ).id
        for about in (sop_id, None)
    ]
    story.later(days=7)
    assert found(story, "feedback") == []
    story.later(seconds=1)

    assert [one.subject for one in found(story, "feedback")] == [sop_id, "feedback"]
    triage_feedback(story.stores, actor=story.asha, now=story.now, feedback_id=reports[0], outcome="ai_tuning")
    assert [one.href for one in found(story, "feedback")] == ["/feedback/"]


def test_findings_are_for_those_who_see_reports_there(story: Story) -> None:
    sop_id = story.published(text(extra="review_every: 30 days\n"))
    story.later(days=40)
    scan(story.stores, now=story.now)

    assert [one.subject for one in list_findings(story.stores, actor=story.asha, kind="review")] == [sop_id]
    assert list_findings(story.stores, actor=story.cora, kind="review") == []
    with pytest.raises(ForbiddenError):
        list_findings(story.stores, actor=story.rita)


def test_a_scan_twice_changes_nothing_and_the_server_scans_every_five_minutes(story: Story) -> None:
    story.published(text(extra="review_every: 30 days\n"))
    story.later(days=40)

    assert any("opened 1" in told for told in run_due(story.stores, now=story.now))
    assert scan(story.stores, now=story.now) == (0, 0)
    story.published(text("Returns", extra="review_every: 30 days\n"))
    story.later(minutes=4)
    assert not any("scan" in told for told in run_due(story.stores, now=story.now))
    story.later(days=40)
    assert any("opened 1" in told for told in run_due(story.stores, now=story.now))
