"""A browser that is signed in as somebody, and the people who play in the tests of the pages."""

import html
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import requests
from flask import Flask
from werkzeug.test import TestResponse

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.sign_in import create_sign_in_link, use_sign_in_link
from sop_server.services.stores import Stores
from sop_server.views.visitor import COOKIE

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Clock:
    """The present of a test: it stands still until the test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class Browser:
    """Asks for pages and sends forms as one person, or as a stranger."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self._stores: Stores = app.extensions["stores"]

    def sign_in(self, actor: Actor) -> "Browser":
        now = self._stores.clock()
        link = create_sign_in_link(self._stores, actor=OPERATOR, now=now, email=actor.email)
        self._client.set_cookie(COOKIE, use_sign_in_link(self._stores, token=link, now=now))
        return self

    def get(self, path: str, *, accept: str | None = None, etag: str | None = None) -> TestResponse:
        headers = {} if etag is None else {"If-None-Match": etag}
        if accept is not None:
            headers["Accept"] = accept
        return self._client.get(path, headers=headers)

    def post(self, path: str, **fields: object) -> TestResponse:
        """Send a form with the token that the sign-in page, or any other page, carries."""
        found = _TOKEN.search(self._client.get("/login").text) or _TOKEN.search(self._client.get("/").text)
        assert found is not None
        data = {name: str(value) if not isinstance(value, list) else value for name, value in fields.items()}
        return self._client.post(path, data={"csrf_token": html.unescape(found.group(1)), **data})

    def go_through(self, *, wanted: str = "/") -> TestResponse:
        """Sign in at the identity provider, and come back."""
        return self.come_back(self.begin(wanted=wanted))

    def begin(self, *, wanted: str = "/") -> str:
        """Begin to sign in at the identity provider; returns the address that it sends the browser back to."""
        there = self.get("/login/provider?" + urlencode({"next": wanted}))
        assert there.status_code == 303, words(there)
        sent = requests.get(str(there.location), allow_redirects=False, timeout=10)
        return sent.headers["Location"].removeprefix("http://localhost")

    def come_back(self, address: str) -> TestResponse:
        """Bring back what the identity provider sent the browser with."""
        return self._client.get(address)

    def cookie(self, name: str = COOKIE) -> str | None:
        found = self._client.get_cookie(name)
        return None if found is None else found.value


def words(response: TestResponse) -> str:
    """Return what a person reads on a page: no marks, one space between words."""
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", response.text, flags=re.DOTALL)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
    return re.sub(r" (?=[,.;:])", "", text)
