"""One's own account: the browsers in which one is signed in, and one's password."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.permissions import Actor
from sop_server.errors import ForbiddenError
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import get_person
from sop_server.services.accounts.sign_in import confirm_password, session_key, token_hash
from sop_server.services.stores import Stores
from sop_server.storage import web_sessions


@dataclass(frozen=True, slots=True)
class SessionView:
    """A signed-in browser, named by `key`; `here` is the one that asks. `browser` and `address` may be unknown, "".

    `came_by` is the provider's issuer, or `proxy`, where it came in by neither password nor link.
    """

    key: str
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    here: bool
    came_by: str | None = None


def my_sessions(stores: Stores, *, actor: Actor, now: datetime, token: str) -> tuple[SessionView, ...]:
    """Return the browsers in which the actor is signed in, the one seen last first; `token` is that of this one."""
    here = token_hash(token)
    with stores.database.read() as session:
        rows = web_sessions.open_sessions(
            session,
            actor.person_id,
            created_after=now - stores.policy.session_longest,
            seen_after=now - stores.policy.session_idle,
        )
        return tuple(
            SessionView(
                key=session_key(row.token_hash),
                browser=row.browser,
                address=row.address,
                since=row.created_at,
                seen_at=row.seen_at,
                here=row.token_hash == here,
                came_by=row.came_by,
            )
            for row in rows
        )


def change_password(
    stores: Stores, *, actor: Actor, now: datetime, current: str, password: str, address: str, token: str
) -> None:
    """Set the actor's own password and end their other sessions, but that of `token`.

    The current password is counted and refused like a sign-in, so that whoever finds an open browser cannot guess on.
    Raises ForbiddenError (under `current`), InvalidInputError (under `password`).
    """
    if get_person(stores, actor=actor, now=now, email=actor.email).has_password:
        try:
            confirm_password(stores, actor=actor, password=current, address=address, now=now)
        except ForbiddenError as error:
            raise ForbiddenError(error.message, fields={"current": "is not your password"}) from error
    set_password(
        stores,
        actor=actor,
        now=now,
        email=actor.email,
        password=password,
        current=current,
        keep_session=token_hash(token),
    )
