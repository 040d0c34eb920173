"""Where the server sends a browser: to itself, whatever it is asked for."""

import shutil
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from sop_server.views.fields import local_address
from tests.web_rules.visiting import EMAIL, PASSWORD, TLS, Visit

ELSEWHERE = [
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "\x01//evil.test",
    " //evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https://sops.example.com@evil.test",
    "///evil.test",
    "/%09/evil.test",
    "/..//evil.test",
    "/./\\evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\u2028/evil.test",
    "/\uff0fevil.test",
    "/x\r\nLocation: //evil.test",
    "//[::1]",
    "/\\/evil.test",
    "evil.test",
    "?next=//evil.test",
    "#//evil.test",
    "",
]
_PIECES = st.sampled_from(
    [*"/\\:@?#%&=. \t\r\n\x00\x01\x7f", "//", "https:", "evil.test", "%2f", "%5c", "..", "\u2028", "\uff0f"]
)
addresses = st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join)


def as_a_browser_reads(address: str) -> str:
    """Return the host that a browser would go to from a page of this server."""
    cleaned = address.strip("".join(map(chr, range(33))))
    for dropped in "\t\r\n":
        cleaned = cleaned.replace(dropped, "")
    path, mark, rest = cleaned.partition("?")
    return urlsplit(urljoin(f"{TLS}/login", path.replace("\\", "/") + mark + rest)).netloc


@settings(max_examples=500)
@example("/\\evil.test")
@example("/\t/evil.test")
@given(addresses)
def test_whatever_is_asked_for_next_lies_on_this_server(address: str) -> None:
    after = local_address(address, otherwise="/")
    assert after.startswith("/")
    assert as_a_browser_reads(after) == "sops.example.com"


def test_the_sign_in_goes_on_to_this_server_alone(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    for address in ELSEWHERE:
        answer = visit.get(f"/login?{urlencode({'next': address})}")
        assert answer.status_code == 303
        assert as_a_browser_reads(answer.headers["Location"]) == "sops.example.com", address
    visit.post("/logout")
    answer = visit.post("/login", email=EMAIL, password=PASSWORD, next="//evil.test")
    assert answer.headers["Location"] == "/"


def test_a_real_browser_reads_them_the_same_way() -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("There is no Chromium here.")
    kept = [local_address(address, otherwise="/") for address in ELSEWHERE]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        script = "(all) => all.map((one) => new URL(one, 'https://sops.example.com/login').host)"
        read, unread = (browser.new_page().evaluate(script, given) for given in (kept, ELSEWHERE[:4]))
        browser.close()
    assert set(read) == {"sops.example.com"}
    assert set(unread) == {"evil.test"}
