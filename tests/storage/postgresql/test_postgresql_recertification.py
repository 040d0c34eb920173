"""Roles on PostgreSQL: they end, are confirmed by one of many at the same instant, and end undecided once."""

from datetime import timedelta
from functools import partial

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.recertification import Outcome
from sop_server.errors import ConflictError
from sop_server.services.accounts.absences import my_absence, say_away
from sop_server.services.accounts.expiring import tell_expired
from sop_server.services.accounts.people import get_person, grant_role
from sop_server.services.accounts.recertification_views import (
    ItemFilter,
    get_recertification,
    list_items,
    list_recertifications,
)
from sop_server.services.accounts.recertifications import Decided, close_due, decide, open_recertification
from sop_server.services.reports.findings import scan
from sop_server.services.reports.needs import owner_home
from sop_server.services.stores import Stores
from tests.storage.postgresql.play import NOW, at_once, person

DUE = NOW + timedelta(days=7)


def test_of_many_who_decide_at_the_same_instant_the_first_stands(stores: Stores) -> None:
    managers = [person(stores, f"mia{number}", "manager") for number in range(4)]
    person(stores, "asha", "editor@payments")
    number = open_recertification(stores, actor=OPERATOR, now=NOW, department="payments", due_at=DUE).id
    (one,) = list_items(
        stores,
        actor=managers[0],
        now=NOW,
        recertification_id=number,
        wanted=ItemFilter("payments", "ASHA", undecided=True),
    ).items

    def settle(actor: Actor, verdict: str) -> Decided:
        return decide(
            stores, actor=actor, now=NOW, recertification_id=number, items=[one.id], verdict=verdict, note="Known"
        )

    keep, remove = (partial(settle, verdict=verdict) for verdict in ("keep", "remove"))
    answers = at_once(*(partial(keep if n % 2 else remove, actor) for n, actor in enumerate(managers)))
    assert sum(isinstance(answer, Decided) for answer in answers) == 1
    assert all(isinstance(answer, ConflictError) for answer in answers if not isinstance(answer, Decided))
    found = get_recertification(stores, actor=managers[0], now=NOW, recertification_id=number)
    assert found.figures.kept + found.figures.removed == 1
    assert found.closed_at == NOW


def test_what_nobody_confirms_ends_once_and_the_last_administrator_is_spared(stores: Stores) -> None:
    ada = person(stores, "ada", "admin")
    mia = person(stores, "mia", "manager")
    person(stores, "asha", "editor@payments")
    until = NOW + timedelta(days=2)
    grant_role(
        stores, actor=OPERATOR, now=NOW, email="asha@example.com", role="reader@payments", until=until, reason="A while"
    )
    number = open_recertification(stores, actor=OPERATOR, now=NOW, department=None, due_at=DUE).id
    assert any(one.about for one in owner_home(stores, actor=mia, now=NOW).needs)
    assert tell_expired(stores, now=until) == 1
    at_once(*[partial(close_due, stores, now=DUE)] * 3)
    scan(stores, now=DUE)
    found = get_recertification(stores, actor=ada, now=DUE, recertification_id=number)
    assert (found.figures.ended, found.figures.gone, found.figures.spared, found.figures.left) == (2, 1, 1, 0)
    items = list_items(stores, actor=ada, now=DUE, recertification_id=number, wanted=ItemFilter()).items
    assert {one.role for one in items if one.outcome is Outcome.SPARED} == {"admin"}
    assert get_person(stores, actor=OPERATOR, now=DUE, email="asha@example.com").roles == ()
    assert [one.id for one in list_recertifications(stores, actor=ada, now=DUE)] == [number]
    say_away(stores, actor=ada, now=DUE, begins_at=DUE, ends_at=DUE + timedelta(days=1))
    assert my_absence(stores, actor=ada, now=DUE) is not None
