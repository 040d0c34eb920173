from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sop_server.domain.doers import OPERATOR
from sop_server.domain.policy import Policy
from sop_server.services.accounts.people import grant_role
from sop_server.services.accounts.recertification_scan import find
from sop_server.services.accounts.recertification_views import get_recertification, list_recertifications
from sop_server.services.accounts.recertifications import close_due
from sop_server.services.background import run_due
from sop_server.services.mailing import Mailer
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.storage import audit, people, recertifications
from sop_server.storage.tables import Person as PersonRow
from sop_server.storage.tables import RoleGrant
from tests.mail_server import mail_server
from tests.services.conftest import Cast
from tests.services.recertifying import DAY, DUE, NOW, begin, rows, settle


def test_a_schedule_opens_one_campaign_a_quarter(stores: Stores, cast: Cast) -> None:
    quarterly = replace(stores, policy=Policy(recertification="quarterly", recertification_days=10))
    for at in (NOW, NOW + DAY, NOW + 2 * DAY):
        scan(quarterly, now=at)
    (first,) = list_recertifications(quarterly, actor=cast.admin, now=NOW)
    assert (first.period, first.department, first.due_at, first.opened_by_name) == (
        "2026-Q1",
        None,
        NOW + 10 * DAY,
        None,
    )
    for name in ("mia", "max"):
        grant_role(stores, actor=OPERATOR, now=NOW + DAY, email=f"{name}@example.com", role="reader")
    scan(quarterly, now=datetime(2026, 4, 1, tzinfo=UTC))
    assert [one.period for one in list_recertifications(quarterly, actor=cast.admin, now=NOW)] == ["2026-Q2", "2026-Q1"]
    scan(stores, now=datetime(2026, 7, 1, tzinfo=UTC))
    assert len(list_recertifications(stores, actor=cast.admin, now=NOW)) == 2, "nothing is scheduled there"


def test_a_department_that_is_not_certified_in_time_is_a_finding_where_there_is_a_schedule(
    stores: Stores, cast: Cast
) -> None:
    def due(policy: Policy, at: datetime) -> set[str]:
        with stores.database.read() as session:
            found = find(session, schedule=policy.recertification, now=at)
        return {one.subject for one in found}

    quarterly = Policy(recertification="quarterly")
    assert due(quarterly, NOW + timedelta(days=100)) == set()
    assert due(quarterly, NOW + timedelta(days=101)) == {"payments", "customer-care", "all departments"}
    assert due(Policy(), NOW + timedelta(days=101)) == set()
    number = begin(stores)
    decide_all = rows(stores, number, actor=cast.manager)
    settle(stores, number, cast.manager, *(one.id for one in decide_all.values()), note="All known")
    close_due(stores, now=DUE)
    assert due(quarterly, NOW + timedelta(days=101)) == {"customer-care", "all departments"}


def test_a_thousand_people_are_closed_in_parts_and_none_is_left(stores: Stores, cast: Cast) -> None:
    with stores.database.write() as session:
        people.ensure_departments(session, ["claims"], now=NOW)
        for number in range(450):
            row = PersonRow(email=f"p{number}@example.com", name=f"P {number}", password_hash=None, created_at=NOW)
            session.add(row)
            session.flush()
            session.add(
                RoleGrant(person_id=row.id, role="reader", department="claims", happened_at=NOW, recorded_at=NOW)
            )
    campaign = begin(stores, "claims")
    close_due(stores, now=DUE)
    found = get_recertification(stores, actor=cast.manager, now=DUE, recertification_id=campaign)
    assert (found.figures.ended, found.figures.left) == (450, 0)
    with stores.database.read() as session:
        assert recertifications.grants_to_decide(session, "claims", DUE) == []
        assert audit.first_broken_link(session) is None


def test_whoever_is_asked_gets_a_mail_and_another_before_it_is_due(stores: Stores, cast: Cast) -> None:
    with mail_server() as post:
        mailer = Mailer(
            url=post.url,
            sender="sop-server@sops.example.com",
            public_url="https://sops.example.com",
            library_name="Northwind",
        )
        mailing = replace(stores, mailer=mailer)
        number = begin(mailing)
        for at in (NOW, NOW + DAY, NOW + 2 * DAY):
            run_due(mailing, now=at)
        assert sorted(message["To"] for message in post.messages) == ["max@example.com", "mia@example.com"]
        text = post.messages[0].get_content()
        assert f"https://sops.example.com/admin/recertifications/{number}" in text
        assert "asha" not in text.lower()
        for at in (DUE - 2 * DAY, DUE - DAY):
            run_due(mailing, now=at)
        assert len(post.messages) == 4
        run_due(mailing, now=DUE + DAY)
        assert len(post.messages) == 4
