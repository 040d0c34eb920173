"""What people do in these tests, alone and at the same instant."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import func, select

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.errors import SopError
from sop_server.services.accounts.people import add_person
from sop_server.services.drafts.approving import Approved, approve
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.stores import Stores
from sop_server.storage import people
from sop_server.storage.tables import (
    Table,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = (
    "---\ntitle: Refunds\ndepartment: payments\nowner: asha@example.com\ndeputy: ben@example.com\n"
    "audience: [tier1]\n---\n"
    "## Steps\n\n1. Pay {amount} USD.\n"
)
REPORTS = ("drift", "window", "staleness", "coverage", "knowledge", "feedback")

Result = TypeVar("Result")


def person(stores: Stores, name: str, *roles: str, teams: tuple[str, ...] = ()) -> Actor:
    email = f"{name}@example.com"
    added = add_person(stores, actor=OPERATOR, now=NOW, email=email, name=name.title(), roles=roles, teams=teams)
    with stores.database.read() as session:
        actor = people.load_actor(session, added.person.id, NOW)
    assert actor is not None
    return actor


def submitted(stores: Stores, editor: Actor, *, amount: int = 100, sop_id: str | None = None) -> DraftView:
    given = DraftInput(content=TEXT.format(amount=amount), change_summary=f"Pay {amount}.", significance="major")
    draft = create_draft(stores, actor=editor, given=given, sop_id=sop_id, now=NOW)
    return submit_draft(stores, actor=editor, draft_id=draft.id, now=NOW)


def approved(stores: Stores, approver: Actor, draft: DraftView, *, now: datetime = NOW) -> Approved:
    return approve(stores, actor=approver, draft_id=draft.id, content_hash=draft.content_hash, now=now)


def at_once(*acts: Callable[[], Result]) -> list[Result | SopError]:
    """Do several things in threads that start together; returns what each gave, or was refused with."""
    start = threading.Barrier(len(acts))
    given: list[Result | SopError] = []

    def do(act: Callable[[], Result]) -> None:
        start.wait()
        try:
            given.append(act())
        except SopError as error:
            given.append(error)

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == len(acts)
    return given


def count(stores: Stores, table: type[Table]) -> int:
    with stores.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
