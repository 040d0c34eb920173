"""The permission check: the question itself, and finding out who asks."""

from collections.abc import Iterator

from benchmarks.libraries import Library
from benchmarks.measuring import Act, Figure, Taken, milliseconds, taken_by
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Action, Actor, Grant, Role
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.storage.people import load_actor

AIM = 0.2

_AT_ONCE = 200
_ROUNDS = 40
_GRANTS = [Grant(role, f"department-{number}") for number in range(4) for role in Role]


def figures(library: Library) -> Iterator[Figure]:
    """Measure what each request asks: may they, who are they, and whose token this is."""
    stores, reader = library.stores, library.cast["reader"]
    now = stores.clock()
    actor = Actor(1, "a@example.com", "A", frozenset(_GRANTS))

    def ask() -> None:
        for _ in range(_AT_ONCE):
            actor.require(Action.READ, "department-3")

    yield milliseconds("permission check", library.sops, _each(ask, _AT_ONCE), aim=AIM)

    with stores.database.read() as session:

        def load() -> None:
            for _ in range(_AT_ONCE):
                found = load_actor(session, reader.person_id, now)
                assert found is not None
                found.require(Action.READ, None)

        yield milliseconds("load of a person, two queries, and the check", library.sops, _each(load, _AT_ONCE))

    token = create_token(stores, actor=OPERATOR, now=now, email=reader.email)
    yield milliseconds(
        "token to person, with its transaction",
        library.sops,
        _each(lambda: actor_for_token(stores, token=token, now=now), 1),
    )


def _each(act: Act, times: int) -> list[Taken]:
    """Return how long one of so many takes that `act` does at once: one alone is shorter than the clock can tell."""
    act()
    return [Taken(*(seconds / times for seconds in taken_by(act))) for _ in range(_ROUNDS)]
