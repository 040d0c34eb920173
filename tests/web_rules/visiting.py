"""A person who comes in through the pages, over TLS or without it, as a browser does."""

import html
import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts import people
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.stores import Stores

EMAIL = "asha@example.com"
PASSWORD = "a long walk before breakfast"
TLS, PLAIN = "https://sops.example.com", "http://127.0.0.1:8000"

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visit:
    """One browser; `base` is the address under which it reaches the server."""

    def __init__(self, app: Flask, base: str = TLS) -> None:
        self.client: FlaskClient = app.test_client()
        self.base = base
        self._app = app

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=self.base)

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form with the token of the sign-in page, or of the first page."""
        found = _TOKEN.search(self.get("/login").text) or _TOKEN.search(self.get("/me").text)
        assert found is not None
        data = {"csrf_token": html.unescape(found.group(1)), **fields}
        # A browser over TLS says where it comes from, which is held against the address.
        return self.client.post(path, base_url=self.base, data=data, headers={"Referer": f"{self.base}/"})

    def come_in(self) -> TestResponse:
        """Add a person and use their link; returns the answer that lets them in."""
        stores: Stores = self._app.extensions["stores"]
        now = stores.clock()
        people.add_person(stores, actor=OPERATOR, now=now, email=EMAIL, name="Asha Rao", roles=["admin", "reader"])
        link = create_sign_in_link(stores, actor=OPERATOR, now=now, email=EMAIL)
        return self.post(f"/sign-in/{link}", password=PASSWORD, again=PASSWORD)
