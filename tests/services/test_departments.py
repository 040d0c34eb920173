from datetime import UTC, datetime

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ForbiddenError, InvalidInputError
from sop_server.services.accounts.departments import (
    list_departments,
    list_teams,
    name_department,
    name_team,
    set_rules,
)
from sop_server.services.accounts.people import add_person
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from tests.services.conftest import Cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_department_gets_a_name_and_asks_for_approvals(stores: Stores) -> None:
    assert name_department(stores, actor=OPERATOR, now=NOW, slug="kyc", name="Know your customer").approvals_needed == 1
    assert set_rules(stores, actor=OPERATOR, now=NOW, slug="kyc", approvals_needed=2).name == "Know your customer"
    set_rules(stores, actor=OPERATOR, now=NOW, slug="claims", approvals_needed=3)

    assert [(one.slug, one.name, one.approvals_needed) for one in list_departments(stores, now=NOW)] == [
        ("claims", "Claims", 3),
        ("kyc", "Know your customer", 2),
    ]
    with stores.database.read() as session:
        assert drafts.approvals_needed(session, ["kyc", None], at=NOW) == 2


@pytest.mark.parametrize("needed", [0, -1, 6])
def test_the_number_of_approvals_is_within_reason(stores: Stores, needed: int) -> None:
    with pytest.raises(InvalidInputError):
        set_rules(stores, actor=OPERATOR, now=NOW, slug="kyc", approvals_needed=needed)


def test_a_team_gets_a_name_and_a_department(stores: Stores) -> None:
    name_team(stores, actor=OPERATOR, now=NOW, slug="tier-1", name="First line", department="payments")

    assert [(one.slug, one.name, one.department) for one in list_teams(stores, actor=OPERATOR)] == [
        ("tier-1", "First line", "payments")
    ]


def test_only_administrators_of_the_department_name_it(stores: Stores, cast: Cast) -> None:
    local = add_person(stores, actor=OPERATOR, now=NOW, email="l@example.com", name="L", roles=["admin@payments"])

    assert local.created
    for actor in (cast.reader, cast.editor, cast.approver, cast.manager):
        with pytest.raises(ForbiddenError):
            name_department(stores, actor=actor, now=NOW, slug="payments", name="Pay")
        with pytest.raises(ForbiddenError):
            name_team(stores, actor=actor, now=NOW, slug="tier-1", name="First line")
        with pytest.raises(ForbiddenError):
            set_rules(stores, actor=actor, now=NOW, slug="payments", approvals_needed=1)
    assert name_department(stores, actor=cast.admin, now=NOW, slug="payments", name="Pay").name == "Pay"
