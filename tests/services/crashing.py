"""Publish a draft in a process of its own, and be killed at one step of it: `HOME DRAFT HASH EMAIL STEP HOW`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event

from sop_server.domain.policy import Policy
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.breaking_glass import break_glass
from sop_server.services.stores import Stores
from sop_server.storage import people
from sop_server.storage.database import Database, Session, sqlite_url
from sop_server.storage.git import library as library_module
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine

STEPS = (
    "before the intent is committed",
    "after the intent is committed",
    "inside fast-import",
    "after the commit is written",
    "inside update-ref",
    "after main moved",
    "before the projection is committed",
    "after the projection is committed",
)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


def around(name: str, *, before: Callable[..., None] | None = None, after: Callable[[], None] | None = None) -> None:
    original = getattr(Library, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            before(*args)
        result = original(*args, **kwargs)
        if after is not None:
            after()
        return result

    setattr(Library, name, wrapped)


def on_commit(number: int) -> None:
    """Die at the nth commit of a writing transaction, before it is made."""
    seen = 0

    def count(session: Session) -> None:
        nonlocal seen
        if session.connection().get_execution_options().get("sop_writing"):
            seen += 1
            if seen == number:
                die()

    event.listen(Session, "before_commit", count)


def cut_the_stream(_git: object, arguments: list[str], **kwargs: Any) -> NoReturn:
    stdin: bytes = kwargs["stdin"]
    process = subprocess.Popen(["git", *arguments], stdin=subprocess.PIPE, cwd=HOME / "library.git")
    assert process.stdin is not None
    process.stdin.write(stdin[: len(stdin) // 2])
    process.stdin.flush()
    process.kill()
    die()


def leave_a_lock_file(*_args: object) -> None:
    (HOME / "library.git" / "refs" / "heads" / "main.lock").touch()
    die()


def prepare(step: str) -> None:
    match step:
        case "before the intent is committed":
            on_commit(1)
        case "after the intent is committed":
            around("write", before=lambda *_: die())
        case "inside fast-import":
            vars(library_module)["run"] = cut_the_stream
        case "after the commit is written":
            around("write", after=die)
        case "inside update-ref":
            around("advance", before=leave_a_lock_file)
        case "after main moved":
            around("advance", after=die)
        case "before the projection is committed":
            on_commit(2)
        case "after the projection is committed":
            around("delete_ref", before=lambda *_: die())
        case _:
            raise ValueError(step)


if __name__ == "__main__":
    HOME = Path(sys.argv[1])
    draft_id, content_hash, email, wanted_step, how = sys.argv[2:]
    database = Database(sqlite_url(HOME / "sop.db"))
    stores = Stores(
        home=HOME,
        database=database,
        library=Library(HOME / "library.git"),
        search=WhooshEngine(HOME / "index"),
        policy=Policy(),
    )
    now = datetime.now(UTC)
    with database.read() as opened:
        person = people.person_by_email(opened, email)
        assert person is not None
        approver = people.load_actor(opened, person.id, now)
    assert approver is not None
    prepare(wanted_step)
    if how == "alone":
        why = "The only procedure sends money to a closed account."
        break_glass(stores, actor=approver, draft_id=draft_id, content_hash=content_hash, reason=why, now=now)
    else:
        approve(stores, actor=approver, draft_id=draft_id, content_hash=content_hash, now=now)
    sys.stdout.write("acknowledged")
