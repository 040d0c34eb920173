"""A figure that was once reported never changes, whatever comes to be known later."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.facts import Facts
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts.people import deactivate_person, join_team, leave_team
from sop_server.services.changes.obligations import confirm_not_needed, obligations_of_ticket, propose_not_needed
from sop_server.services.changes.tickets import change_ticket, confirm_go_live, upsert_ticket
from sop_server.services.participation.acknowledgements import acknowledge
from sop_server.services.participation.feedback import give_feedback, triage_feedback
from sop_server.services.participation.reviews import review_sop
from sop_server.services.publication.checking import synchronise
from sop_server.services.register.processes import change_process, register_process, retire_process
from sop_server.services.reports import reporting
from sop_server.services.reports.reporting import ReportRequest
from sop_server.services.stores import Stores
from sop_server.storage import facts
from sop_server.storage.database import Database
from sop_server.storage.tables import Acknowledgement, Membership, Review
from tests.services.story import Story, step, text

REPORTS: dict[str, Callable[..., reporting.Report[Any]]] = {
    "drift": reporting.drift_report,
    "window": reporting.window_report,
    "staleness": reporting.staleness_report,
    "coverage": reporting.coverage_report,
    "knowledge": reporting.knowledge_report,
    "feedback": reporting.feedback_report,
}


@pytest.fixture
def story(stores: Stores) -> Story:
    made = Story(stores)
    made.person("mia", "manager")
    made.person("max", "manager")
    made.person("tess", "reader@payments", teams=("tier1",))
    return made


def bodies(story: Story, at: datetime) -> dict[str, object]:
    return {
        name: report(story.stores, actor=OPERATOR, request=ReportRequest(at=at), now=story.now).body
        for name, report in REPORTS.items()
    }


def snapshot(story: Story, database: Database, at: datetime) -> Facts:
    with database.read() as session:
        return facts.load_facts(session, at)


def first_half(story: Story) -> dict[str, str]:
    """Let some of everything happen."""
    stores = story.stores
    process = register_process(
        stores,
        actor=OPERATOR,
        now=story.now,
        given=ProcessInput(name="Refunding", department="payments", criticality="critical"),
    ).id
    bare = register_process(
        stores, actor=OPERATOR, now=story.now, given=ProcessInput(name="Chasing", department="payments")
    ).id
    first = story.published(
        text("Refunds", extra=f"process: {process}\naudience: [tier1]\nsystems: [SAP]\nreview_every: 30 days\n")
    )
    linking = story.published(text("Returns", extra=f"links: [{first}]\n") + "\nSee [it](chargebacks.md).\n")
    story.later(days=20)
    ticket = story.ticket("CHG-1", sops=[first, linking], effective_at=story.now)
    triage = story.ticket("CHG-2", systems=["SAP"], effective_at=story.now)
    report = give_feedback(
        stores, actor=story.tess, now=story.now, sop_id=first, kind="outdated", what_happened="It is wrong."
    ).id
    story.later(days=12)
    acknowledge(stores, actor=story.tess, now=story.now, sop_id=first, revision=1)
    return {
        "process": process,
        "bare": bare,
        "first": first,
        "linking": linking,
        "ticket": ticket,
        "triage": triage,
        "report": report,
    }


def second_half(story: Story, made: dict[str, str], before: datetime) -> None:
    """Let facts of every kind come, late ones among them, which happened before `before`."""
    stores, now = story.stores, story.later(hours=1)
    confirm_go_live(
        stores, actor=story.mia, now=now, ticket_id=made["ticket"], t0=before - timedelta(days=40), reason="The log."
    )
    change_ticket(stores, actor=OPERATOR, now=now, ticket_id=made["triage"], given=TicketInput(sops=[made["first"]]))
    upsert_ticket(
        stores,
        actor=OPERATOR,
        now=now,
        source="jira",
        key="OLD-1",
        given=TicketInput(
            title="Old", sops=[made["linking"]], created_at=before - timedelta(days=9), effective_at=before
        ),
    )
    triage_feedback(stores, actor=story.asha, now=now, feedback_id=made["report"], outcome="rejected", reason="No.")
    review_sop(stores, actor=story.asha, now=now, sop_id=made["linking"], outcome="confirmed", note="Read it all.")
    change_process(
        stores, actor=OPERATOR, now=now, process_id=made["process"], given=ProcessInput(criticality="normal")
    )
    retire_process(stores, actor=OPERATOR, now=now, process_id=made["bare"])
    register_process(
        stores,
        actor=OPERATOR,
        now=now,
        given=ProcessInput(name="Forgotten", department="payments"),
        registered_at=before - timedelta(days=60),
    )
    leave_team(stores, actor=OPERATOR, now=now, email="tess@example.com", team="tier1")
    join_team(stores, actor=OPERATOR, now=now, email="rita@example.com", team="tier1")
    deactivate_person(stores, actor=OPERATOR, now=now, email="asha@example.com")
    (obligation, *_) = [
        one
        for one in obligations_of_ticket(stores, actor=OPERATOR, now=now, ticket_id=made["ticket"])
        if one.sop_id == made["linking"]
    ]
    propose_not_needed(stores, actor=story.mia, now=now, obligation_id=obligation.id, reason="It says so already.")
    confirm_not_needed(stores, actor=story.max, now=story.later(hours=1), obligation_id=obligation.id)
    story.published(text("Chargebacks"), by="bela")
    story.published(text("Refunds", steps=step(1, "New")), sop_id=made["first"], tickets=[made["ticket"]], by="bela")
    with stores.database.write() as session:
        early = before - timedelta(days=3)
        session.add_all(
            [
                Acknowledgement(
                    sop_id=made["linking"], revision=1, person_id=1, happened_at=early, recorded_at=story.now
                ),
                Review(
                    sop_id=made["first"],
                    revision=1,
                    outcome="confirmed",
                    note="On paper.",
                    person_id=1,
                    bulk=False,
                    happened_at=early,
                    recorded_at=story.now,
                ),
                Membership(person_id=1, team="tier1", joined_at=early, recorded_at=story.now),
            ]
        )


def test_a_report_says_of_the_past_what_it_said_then_to_the_last_digit(story: Story) -> None:
    made = first_half(story)
    then = story.now
    said = bodies(story, then)
    untouched = bodies(story, then - timedelta(days=15))

    second_half(story, made, then)
    story.later(days=30)

    assert bodies(story, then) == said
    assert bodies(story, then - timedelta(days=15)) == untouched
    now_said = bodies(story, story.now)
    assert all(now_said[name] != said[name] for name in REPORTS)


def test_facts_that_came_late_are_counted_by_kind(story: Story) -> None:
    made = first_half(story)
    then = story.now
    second_half(story, made, then)
    story.later(days=1)

    report = reporting.drift_report(story.stores, actor=OPERATOR, request=ReportRequest(at=then), now=story.now)
    now = reporting.drift_report(story.stores, actor=OPERATOR, request=ReportRequest(), now=story.now)

    assert report.late == {
        "tickets": 1,
        "go-lives confirmed": 1,
        "reviews": 1,
        "acknowledgements": 1,
        "team memberships": 1,
        "process changes": 1,
    }
    assert now.late == {}


def test_a_ticket_that_was_registered_after_it_went_live_came_late(story: Story) -> None:
    story.published()
    known = story.ticket("CHG-1", effective_at=story.now + timedelta(days=9))
    steady = story.ticket("CHG-2", effective_at=story.now - timedelta(days=1))
    then = story.now
    said = bodies(story, then)

    def late() -> dict[str, int]:
        request = ReportRequest(at=then)
        report = reporting.window_report(story.stores, actor=OPERATOR, request=request, now=story.now)
        return dict(report.late)

    def told(ticket_id: str, **given: Any) -> None:
        now = story.later(hours=1)
        change_ticket(story.stores, actor=OPERATOR, now=now, ticket_id=ticket_id, given=TicketInput(**given))

    story.later(hours=1)
    story.ticket("CHG-3", sops=["SOP-0001"], effective_at=then - timedelta(hours=200))
    assert late() == {"tickets": 1}
    story.ticket("CHG-4")
    story.ticket("CHG-5", created_at=then - timedelta(days=3), effective_at=then + timedelta(days=3))
    told(steady, title="Said again", systems=["SAP"])
    assert late() == {"tickets": 1}, "what went live after then did not come late, nor what says no other go-live"

    told(known, effective_at=then - timedelta(hours=3))
    told(known, effective_at=None, status="done", actual_end=then - timedelta(hours=2))
    told(known, title="Said again")
    told("TKT-0003", effective_at=then + timedelta(days=1))
    assert late() == {"tickets": 1, "go-lives moved": 2}
    confirm_go_live(
        story.stores, actor=story.mia, now=story.later(hours=1), ticket_id=known, t0=then, reason="Seen in the log."
    )
    told(known, actual_end=then - timedelta(hours=9))
    assert late() == {"tickets": 1, "go-lives moved": 2, "go-lives confirmed": 1}
    assert bodies(story, then) == said


def test_what_a_process_keeps_of_the_facts_is_what_a_new_one_reads(story: Story) -> None:
    made = first_half(story)
    then = story.now
    snapshot(story, story.stores.database, then)
    second_half(story, made, then)
    story.later(days=1)
    new = Database(story.stores.database.url)

    for at in (story.now, then, then - timedelta(days=15), story.now + timedelta(days=90)):
        assert snapshot(story, story.stores.database, at) == snapshot(story, new, at)
        assert snapshot(story, story.stores.database, at) == snapshot(story, Database(new.url), at)
    new.close()


def test_what_was_projected_again_is_read_again(story: Story) -> None:
    made = first_half(story)
    right = snapshot(story, story.stores.database, story.now)
    with story.stores.database.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE revision SET title = 'Forged' WHERE id = (SELECT max(id) FROM revision)"
        )
    forged = Database(story.stores.database.url)
    assert snapshot(story, forged, story.now).revisions[made["linking"]][-1].title == "Forged"

    synchronise(story.stores, now=story.now)

    assert snapshot(story, forged, story.now) == right
    assert snapshot(story, story.stores.database, story.now) == right
    forged.close()
