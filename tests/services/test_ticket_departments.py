from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ForbiddenError
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import change_ticket, get_ticket, upsert_ticket
from sop_server.services.stores import Stores
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def keep(stores: Stores, actor: Actor, key: str = "CHG-1", now: datetime = NOW, **said: object) -> TicketView:
    given = TicketInput(**{"title": "New refund limit", **said})  # type: ignore[arg-type]
    return upsert_ticket(stores, actor=actor, now=now, source="jira", key=key, given=given).ticket


def test_a_refused_upsert_tells_nothing_of_a_ticket_that_one_may_not_see(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    publish("SOP-0002", department="customer-care")
    before = keep(stores, cast.editor, title="A secret change", sops=["SOP-0001"])

    told = set()
    for said in ({}, {"title": "A secret change"}, {"status": "never heard of"}, {"effective_at": NOW + 9 * HOUR}):
        with pytest.raises(ForbiddenError) as refused:
            keep(stores, cast.care_editor, **said)
        told.add((refused.value.message, str(refused.value.fields)))
    (one,) = told
    assert not any(word in str(one) for word in ("payments", "SOP-0001", "secret"))
    assert get_ticket(stores, actor=cast.editor, now=NOW + HOUR, ticket_id="TKT-0001").versions == before.versions
    keep(stores, cast.manager, title="A secret change", sops=["SOP-0002"])
    with pytest.raises(ForbiddenError) as refused:
        change_ticket(stores, actor=cast.care_editor, now=NOW, ticket_id="TKT-0001", given=TicketInput(title="Mine"))
    assert "payments" not in refused.value.message
