"""Asking one door for one thing as one of the cast, and what of the answer can be compared."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from sop_server.views.visitor import COOKIE
from tests.matrix.cast import Player
from tests.matrix.things import NOTHING, Kind, Thing

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_FORM = re.compile(r'name="csrf_token" value="([^"]+)"')
_SIZE = re.compile(r'="\d+"')
_FORM_COOKIE = "sop_form"
_REST: Mapping[str, str] = {"number": "1", "name": "drift", "token": "no-such-link", "key": "no-such-session"}
"""The parts of addresses that are not about whose something is."""

_ASKED: Mapping[str, str] = {"taking_back.undo": "?revision=1"}


def kind_of(rule: Rule) -> Kind | None:
    """Return of what kind the things are that a rule's addresses name; an address about two names the smaller one."""
    return next((kind for kind in (Kind.OBLIGATION, Kind.TOKEN, *Kind) if kind.value in rule.arguments), None)


def things_for(rule: Rule, things: Iterable[Thing]) -> Iterator[Thing | None]:
    """Return everything that a rule can be asked for, with what does not exist as the first; None where it is one."""
    kind = kind_of(rule)
    if kind is None:
        yield None
        return
    yield NOTHING[kind]
    yield from (thing for thing in things if thing.kind is kind)


def address(app: Flask, rule: Rule, thing: Thing | None) -> str:
    """Return the address of a thing under a rule."""
    given = {**_REST, **({} if thing is None else thing.address)}
    if rule.endpoint == "assets.file":
        given |= {"digest": "0", "name": "app.css"}
    with app.test_request_context():
        found = app.url_map.bind("localhost").build(
            rule.endpoint, {name: given[name] for name in rule.arguments}, method=_own(rule)
        )
    return f"{found}{_ASKED.get(rule.endpoint, '')}"


def _own(rule: Rule) -> str:
    return next(iter(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})))


class Asking:
    """Sends what the cast asks for. No answer changes what the next one is sent with: cookies are given each time."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._client: FlaskClient = app.test_client(use_cookies=False)
        self._forms: dict[str, tuple[str, str]] = {}

    def ask(
        self, player: Player, method: str, path: str, *, form: bool = True, json: object | None = None
    ) -> TestResponse:
        """Ask; a form comes with its token unless it is left out, a call with an empty body unless there is one."""
        machine = path.startswith(("/api/", "/webhooks/"))
        if machine:
            headers = {"Authorization": f"Bearer {player.token}"} if player.token else {}
            body = {} if json is None else json
            if method in SAFE:
                return self._client.open(path, method=method, headers=headers, buffered=True)
            return self._client.open(path, method=method, headers=headers, json=body, buffered=True)
        cookies = f"{COOKIE}={player.cookie}" if player.cookie else ""
        data: dict[str, str] = dict(json) if isinstance(json, Mapping) else {}
        if method not in SAFE and form:
            form_cookie, token = self._form(player)
            cookies += f"; {_FORM_COOKIE}={form_cookie}"
            data["csrf_token"] = token
        headers = {"Cookie": cookies} if cookies else {}
        sent = None if method in SAFE else data
        return self._client.open(path, method=method, headers=headers, data=sent, buffered=True)

    def _form(self, player: Player) -> tuple[str, str]:
        """Return the cookie and the token of a form, which are not bound to who sends them before they sign in."""
        if player.name not in self._forms:
            answer = self._client.get("/login")
            token = _FORM.search(answer.text)
            cookie = next(
                one.partition("=")[2].partition(";")[0]
                for one in answer.headers.getlist("Set-Cookie")
                if one.startswith(_FORM_COOKIE)
            )
            assert token is not None
            self._forms[player.name] = cookie, html.unescape(token.group(1))
        return self._forms[player.name]


def told(answer: TestResponse, thing: Thing | None) -> str:
    """Return what an answer says, with the parts of the address that was asked for, and of forms, taken out."""
    text = _SIZE.sub("", _FORM.sub("", answer.text))
    for value in () if thing is None else thing.address.values():
        text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", "…", text)
    return f"{answer.status_code} {answer.headers.get('Location', '')} {text}"
