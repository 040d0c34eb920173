"""Signing in over HTTP, on a server as in production: the password is hashed, a session opened, and the trail told."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlencode

from benchmarks.doors import served
from benchmarks.libraries import Library
from benchmarks.measuring import Figure, milliseconds, times_of
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.passwords import set_password

AIM = 300.0

_EMAIL, _PASSWORD = "reader@example.com", "seven green parrots at noon"
_CAME_IN = 303
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def figures(library: Library) -> Iterator[Figure]:
    """Measure `POST /login` with the right password, one at a time over one connection."""
    stores = library.stores
    set_password(stores, actor=OPERATOR, now=stores.clock(), email=_EMAIL, password=_PASSWORD)
    with served(library) as server, closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("GET", "/login")
        page = connection.getresponse()
        cookie = str(page.getheader("Set-Cookie")).partition(";")[0]
        found = _TOKEN.search(page.read().decode())
        assert found is not None
        form = urlencode({"csrf_token": found.group(1), "email": _EMAIL, "password": _PASSWORD})

        def sign_in() -> None:
            connection.request("POST", "/login", body=form, headers={**_FORM, "Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == _CAME_IN, f"the sign-in answers {answer.status}"

        yield milliseconds("sign-in, HTTP", library.sops, times_of([sign_in] * 40), aim=AIM, elsewhere=True)
