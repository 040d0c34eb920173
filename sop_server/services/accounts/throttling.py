"""Throttling of guesses: counted in the database before anything is checked, per account and per network."""

from datetime import datetime, timedelta

from sop_server.domain.networks import network_of
from sop_server.errors import ForbiddenError
from sop_server.services.stores import Stores
from sop_server.storage import credentials, people, web_sessions
from sop_server.storage.database import Session

WINDOW = timedelta(minutes=15)
MOST_FAILURES_BY_ACCOUNT = 10
MOST_FAILURES_BY_NETWORK = 50

_TOLD = {
    "password": "sign-ins with a wrong password",
    "code": "sign-ins with a wrong code",
    "link": "requests for a link",
    "provider": "sign-ins through the identity provider that came to nothing",
}


def count_attempt(stores: Stores, *, email: str, address: str, now: datetime, what: str = "password") -> None:
    """Count a guess as failed, before it is looked at: a burst of requests cannot slip under the limit.

    10 failures of an account, or 50 of a network, within 15 minutes refuse the next: ForbiddenError with the time to
    try again. A network from which the person came in lately has a count of its own for the account, so that whoever
    guesses elsewhere does not keep the person out. An account that nobody has is counted and refused the same way.
    Guesses of each kind of secret (`what`) are counted apart.
    """
    network, account = network_of(address), _account(email, what)
    with stores.database.write() as session:
        credentials.forget_failures(session, before=now - WINDOW)
        familiar = _is_familiar(session, stores, email=email, network=network, now=now)
        refused_until = _refused_until(session, account=account, network=network, familiar=familiar, now=now)
        if refused_until is None:
            credentials.add_failure(session, email=account, address=network, at=now)
    if refused_until is not None:
        minutes = max(1, -(-int((refused_until - now).total_seconds()) // 60))
        raise ForbiddenError(
            f"There were too many {_TOLD[what]}. Try again in {minutes} min, "
            f"at {refused_until:%H:%M} UTC, or ask an administrator for a sign-in link."
        )


def forget_attempts(session: Session, *, email: str, address: str, what: str = "password") -> None:
    """Forget what was counted from this network for this account: the guess was right."""
    credentials.forget_failures(session, email=_account(email, what), address=network_of(address))


def forget_attempts_of_network(stores: Stores, *, address: str, what: str) -> None:
    """Forget what was counted from a network, of a kind that belongs to no account: the last was right."""
    with stores.database.write() as session:
        forget_attempts(session, email=address, address=address, what=what)


def forget_all_attempts(session: Session, *, email: str) -> None:
    """Forget what was counted for an account from anywhere: its password is a new one."""
    credentials.forget_failures(session, email=email)


def _account(email: str, what: str) -> str:
    # No address has a space in it, so no account can be taken for another's second count.
    return email if what == "password" else f"{what} {email}"


def _is_familiar(session: Session, stores: Stores, *, email: str, network: str, now: datetime) -> bool:
    person = people.person_by_email(session, email)
    since = now - stores.policy.session_longest
    # Asked for nobody too: the time that an answer takes must not tell who has an account.
    used = web_sessions.addresses(session, 0 if person is None else person.id, since=since)
    return bool(network) and network in {network_of(address) for address in used}


def _refused_until(session: Session, *, account: str, network: str, familiar: bool, now: datetime) -> datetime | None:
    since = now - WINDOW
    by_account = credentials.failures(session, since=since, email=account, address=network if familiar else None)
    by_network = credentials.failures(session, since=since, address=network)
    ends = [
        found[most - 1] + WINDOW
        for found, most in ((by_account, MOST_FAILURES_BY_ACCOUNT), (by_network, MOST_FAILURES_BY_NETWORK))
        if len(found) >= most
    ]
    return max(ends, default=None)
