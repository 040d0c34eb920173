"""Requests as they should not be: smuggled, malformed, for another host, too long, with other methods."""

import re

import pytest
from flask import Flask

from benchmarks.measuring import counted
from sop_server.app import create_app
from sop_server.home import close_stores, open_stores
from sop_server.settings import Settings, load_settings
from tests.matrix.asking import Asking, address, things_for
from tests.matrix.cast import Player
from tests.matrix.seeding import Operation
from tests.web_rules.conftest import Served
from tests.web_rules.test_headers import faults
from tests.web_rules.visiting import PLAIN, TLS, Visit

# Anything but that somebody was here, was refused or took a file, or found nothing.
_CHANGES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (?!audit_event|web_session|missed_search)\w+")

_HOST = b"Host: 127.0.0.1\r\n"
_HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

SMUGGLED = {
    "both lengths": b"POST /login HTTP/1.1\r\n"
    + _HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + _HIDDEN,
    "two lengths": b"POST /login HTTP/1.1\r\n" + _HOST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + _HIDDEN,
    "a length with a sign": b"POST /login HTTP/1.1\r\n" + _HOST + b"Content-Length: +0\r\n\r\n" + _HIDDEN,
    "a length of words": b"POST /login HTTP/1.1\r\n" + _HOST + b"Content-Length: 0x2c\r\n\r\n" + _HIDDEN,
    "chunked twice": b"POST /login HTTP/1.1\r\n"
    + _HOST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"
    + _HIDDEN,
    "almost chunked": b"POST /login HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "a blank before the colon": b"POST /login HTTP/1.1\r\n"
    + _HOST
    + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
    + _HIDDEN,
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: a\r\n b\r\n\r\n",
    "a null in a header": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: a\0b\r\n\r\n",
    "a bare carriage return": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: a\rb: c\r\n\r\n",
    "a method in lower case": b"get /healthz HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a version of tomorrow": b"GET /healthz HTTP/9.9\r\n" + _HOST + b"\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "a long address": b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: a\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_what_could_be_read_in_two_ways_is_refused_once_and_the_connection_ends(served: Served, raw: bytes) -> None:
    answer = served.send(raw)
    assert answer.count(b"HTTP/1.1 ") == 1
    head = answer.partition(b"\r\n\r\n")[0]
    assert head.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert b"content-security-policy: default-src 'self'" in head.lower()
    assert b"gunicorn" not in answer.lower().replace(b"server: gunicorn", b"")


def test_nobody_says_from_outside_which_scheme_path_or_address_it_is(served: Served) -> None:
    forged = (
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-For: 10.0.0.1\r\n"
        b"X-Forwarded-Host: evil.test\r\n"
        b"X-Forwarded-Prefix: //evil.test\r\nScript-Name: /evil\r\nSCRIPT_NAME: //evil.test\r\nPATH_INFO: /metrics\r\n"
    )
    answer = served.send(b"GET /sops/ HTTP/1.1\r\n" + _HOST + forged + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 303 ")
    assert b"Location: /login?next=%2Fsops%2F\r\n" in answer
    assert b"evil" not in answer
    assert b"Strict-Transport-Security" not in answer


def test_a_proxy_that_is_trusted_says_it(app: Flask, settings: Settings) -> None:
    stores = open_stores(settings)
    behind = create_app(settings.with_changes(trusted_proxies=1), stores=stores)
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "sops.example.com", "X-Forwarded-For": "10.0.0.1"}
    assert "Strict-Transport-Security" in behind.test_client().get("/login", headers=told).headers
    assert "Strict-Transport-Security" not in app.test_client().get("/login", headers=told).headers
    close_stores(stores)


@pytest.mark.parametrize(
    "host",
    ["evil.test", "sops.example.com.evil.test", "evil.test:443", "a b", "x@y", "sops.example.com@evil.test", "[::"],
)
def test_another_host_is_answered_400_and_stands_in_no_link(app: Flask, host: str) -> None:
    for path in ("/login", "/", "/api/v1/sops", "/static/x/app.css"):
        answer = app.test_client().get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil.test" not in answer.text
        assert faults(answer) == []


@pytest.mark.parametrize(
    "host", ["sops.example.com", "SOPS.example.com:443", "localhost:8000", "127.0.0.1", "[::1]:8000"]
)
def test_the_names_of_the_installation_and_the_machine_are_known(app: Flask, host: str) -> None:
    assert app.test_client().get("/login", headers={"Host": host}).status_code == 200


def test_probes_answer_under_any_name(app: Flask) -> None:
    assert app.test_client().get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_names_are_a_setting() -> None:
    assert load_settings(hosts="a.example, B.example", public_url=TLS).known_hosts >= {"a.example", "b.example"}
    assert "sops.example.com" not in load_settings(hosts="a.example", public_url=TLS).known_hosts
    assert load_settings().known_hosts == frozenset()


def test_two_hosts_are_none(served: Served) -> None:
    answer = served.send(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n")
    assert b"evil.test" not in answer


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG", "PUT", "DELETE"])
def test_methods_that_a_page_does_not_have_do_nothing(served: Served, method: str) -> None:
    answer = served.send(
        f"{method} /login HTTP/1.1\r\n".encode() + _HOST + b"Cookie: a=secret\r\nConnection: close\r\n\r\n"
    )
    # A stranger is sent to the sign-in, whatever they try.
    assert answer[:12] in {b"HTTP/1.1 303", b"HTTP/1.1 405", b"HTTP/1.1 400", b"HTTP/1.1 501"}
    assert b"secret" not in answer


def test_head_is_answered_like_get_and_has_no_body(served: Served) -> None:
    head = served.send(b"HEAD /login HTTP/1.1\r\n" + _HOST + b"Connection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_cannot_be_overridden(app: Flask, name: str) -> None:
    visit = Visit(app)
    visit.come_in()
    answer = visit.client.get("/logout?_method=POST", base_url=TLS, headers={name: "POST"})
    assert answer.status_code == 405
    assert visit.get("/me").status_code == 200


@pytest.mark.parametrize("name", ["author", "admin"])
def test_no_safe_method_changes_anything(
    matrix: Operation, asking: Asking, players: dict[str, Player], name: str
) -> None:
    written: list[str] = []
    with counted(asking.app.extensions["stores"].database) as count:
        for rule in asking.app.url_map.iter_rules():
            for thing in [*things_for(rule, matrix.things)][:2] if "GET" in (rule.methods or ()) else ():
                path = address(asking.app, rule, thing)
                count.statements.clear()
                asking.ask(players[name], "GET", path)
                written += [f"{path}: {one}" for one in count.statements if _CHANGES.match(one)]
    assert written == []


@pytest.mark.parametrize(
    "path",
    [
        "/sops/%00",
        "/sops/SOP-0001%00",
        "/sops/%2e%2e%2f",
        "/static/x/%2e%2e/%2e%2e/app.py",
        "/%ff%fe",
        "/sops/..%5c..%5c",
        "/sops/SOP-\u0660\u0660\u0660\u0661",
        "/.git/config",
        "/.env",
        "/static/",
    ],
)
def test_odd_addresses_find_nothing(app: Flask, path: str) -> None:
    visit = Visit(app)
    visit.come_in()
    answer = visit.get(path)
    assert answer.status_code in {400, 404}
    assert faults(answer) == []


def test_a_form_of_too_many_parts_or_bytes_is_refused(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    many = {f"x{number}": "1" for number in range(1_100)}
    parts = visit.client.post("/login", base_url=TLS, data=many, content_type="multipart/form-data")
    large = visit.client.post("/login", base_url=TLS, data={"x": "y" * 7_000_000})
    for answer in (parts, large):
        assert answer.status_code == 413
        assert faults(answer) == []


def test_a_form_of_another_browser_is_refused(app: Flask) -> None:
    mine, theirs = Visit(app), Visit(app)
    mine.come_in()
    planted = theirs.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = mine.client.post("/logout", base_url=TLS, data={"csrf_token": planted}, headers={"Referer": f"{TLS}/"})
    assert answer.status_code == 400
    assert mine.get("/me").status_code == 200


def test_a_form_sent_from_another_site_is_refused_over_tls(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    token = visit.get("/me").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    for referer in ("https://evil.test/", "http://sops.example.com/", ""):
        headers = {"Referer": referer} if referer else {}
        answer = visit.client.post("/logout", base_url=TLS, data={"csrf_token": token}, headers=headers)
        assert answer.status_code == 400
    assert visit.get("/me").status_code == 200


def test_a_link_for_somebody_else_is_built_from_a_known_name(app: Flask) -> None:
    visit = Visit(app, PLAIN)
    visit.come_in()
    answer = visit.client.get("/admin/people/asha@example.com", headers={"Host": "evil.test"})
    assert answer.status_code == 400
