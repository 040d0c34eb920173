"""Role, route, ownership, method: every rule of the application, asked for by everybody about everything."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import SecretStr
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from sop_server.app import create_app
from sop_server.domain.permissions import Action
from sop_server.domain.policy import Policy
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from tests.matrix.asking import SAFE, Asking, address, things_for, told
from tests.matrix.cast import Player
from tests.matrix.needs import Door, Need
from tests.matrix.oracle import Answer, expected
from tests.matrix.secrets import ids_hidden, told_of, words_hidden
from tests.matrix.seeding import Operation
from tests.matrix.table import rows
from tests.matrix.things import Thing

_ANSWERED = frozenset(range(200, 500))
_REFUSED = frozenset({401, 403, 404})
_RIGHT = {
    Answer.FORBIDDEN: frozenset({403}),
    Answer.UNKNOWN: frozenset({404}),
    Answer.UNKNOWN_OR_FORBIDDEN: frozenset({403, 404}),
    Answer.ALLOWED: _ANSWERED - _REFUSED,
    Answer.UNPROVEN: _ANSWERED - {401},
}
_SAID_FIRST = {"retired": frozenset({410}), "scheduled": frozenset({404})}
"""What whoever may read of a SOP is told before anything else: that it is retired, that it is still to come."""


@dataclass(frozen=True)
class _Cell:
    player: Player
    need: Need
    method: str
    path: str
    thing: Thing | None

    @property
    def machine(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def wanted(self) -> Answer:
        return expected(self.player, self.need, self.thing)

    def __str__(self) -> str:
        about = "" if self.thing is None else f" ({self.thing.state}, of {set(self.thing.departments)})"
        return f"{self.player.name}: {self.method} {self.path}{about}"


def _rules() -> list[tuple[Rule, str]]:
    """Return every rule with each method that it allows, from an application that was put together like any other."""
    settings = Settings(home=Path("nowhere"), secret_key=SecretStr("for the addresses alone"))
    app = create_app(settings, stores=cast("Stores", SimpleNamespace(policy=Policy())))
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted(rule.methods or ())]


RULES = _rules()
TABLE = rows()


@pytest.mark.parametrize(("rule", "method"), RULES, ids=[f"{method} {rule.rule}" for rule, method in RULES])
def test_everybody_gets_from_each_route_what_the_table_says(
    matrix: Operation, asking: Asking, rule: Rule, method: str
) -> None:
    wrong = []
    things = [*things_for(rule, matrix.things)]
    if method in {"HEAD", "OPTIONS"}:
        # HEAD is answered by what answers GET, and OPTIONS by no view: what does not exist and one thing tell it all.
        things = things[:2]
    for player in matrix.players:
        if player.looks_on and not rule.rule.startswith("/api/"):
            continue  # pages know no scope
        nothing, words, ids = "", words_hidden(player), ids_hidden(player, matrix.things)
        for thing in things:
            # A route without a row is told by `test_rows.py`; here it is closed to everybody.
            need = TABLE.get(rule.endpoint, Need(Door.SIGNED))
            cell = _Cell(player, need, method, address(asking.app, rule, thing), thing)
            answer = asking.ask(player, method, cell.path)
            if thing is not None and thing.nothing:
                nothing = told(answer, thing)
            problem = _problem(cell, answer, nothing)
            if problem:
                wrong.append(f"{cell} is answered {answer.status_code}: {problem}")
            # The audit trail names all that anybody did: it is for those alone who may see everything that was done.
            leaked = told_of(answer.text, cell.path, words=words, ids=ids)
            if leaked and need.door is not Door.OPEN and need.action is not Action.SEE_AUDIT:
                wrong.append(f"{cell} is answered {answer.status_code} and tells of {leaked}")
    assert not wrong, "\n".join(wrong)


_FORMS = [rule for rule, method in RULES if method not in SAFE and not rule.rule.startswith(("/api/", "/webhooks/"))]


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.rule) for rule in _FORMS])
def test_a_form_without_its_token_is_refused_to_whoever_may_send_it(
    matrix: Operation, asking: Asking, players: dict[str, Player], rule: Rule
) -> None:
    for name in ("editor", "admin", "reader of payments", "nobody"):
        for thing in [*things_for(rule, matrix.things)][:2]:
            answer = asking.ask(players[name], "POST", address(asking.app, rule, thing), form=False)
            assert answer.status_code == 400
            assert "The form has expired" in answer.text


def _problem(cell: _Cell, answer: TestResponse, nothing: str) -> str:
    """Say what is wrong with the answer to one cell; nothing where it is right."""
    right = _right(cell)
    if answer.status_code not in right:
        return "it failed" if answer.status_code not in _ANSWERED else cell.wanted.value
    if cell.wanted is Answer.STRANGE and not cell.machine:
        return "" if answer.headers["Location"].startswith("/login") else "it leads elsewhere than to the sign-in"
    hidden = cell.wanted in {Answer.UNKNOWN, Answer.UNKNOWN_OR_FORBIDDEN}
    if hidden and told(answer, cell.thing) != nothing:
        return f"it does not look like nothing, which is {nothing!r}"
    return ""


def _right(cell: _Cell) -> frozenset[int]:
    wanted = cell.wanted
    if cell.need.door is Door.SIGNED:
        return _REFUSED
    if wanted is Answer.STRANGE:
        return frozenset({401 if cell.machine else 303})
    if cell.method == "OPTIONS":
        return frozenset({200, 403, 404})
    if cell.machine and cell.player.looks_on and cell.method not in SAFE:
        return frozenset({403})
    if cell.need.door is Door.OPEN:
        # A sign-in that fails is 401.
        return _ANSWERED - {403, 404}
    said = _SAID_FIRST.get(cell.thing.state, frozenset()) if cell.thing is not None else frozenset()
    return _RIGHT[wanted] | (said if wanted in {Answer.ALLOWED, Answer.FORBIDDEN} else frozenset())
