"""A whole sign-in through an identity provider: a real server, a real provider by other people, a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from sop_server.domain.doers import OPERATOR
from sop_server.home import close_stores, create_home
from sop_server.services.accounts.people import add_person
from sop_server.settings import load_settings

PATIENCE = 60.0
WHO = "rita@example.com"


@contextmanager
def running(arguments: list[str], *, log: Path, until: str, **settings: str) -> Iterator[None]:
    """Run a program of this environment until the end, from the moment on when it answers."""
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **settings},
            stdout=written,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(until):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[str]:
    """A provider that is not ours, in a process of its own: its libraries warn of what they do."""
    pytest.importorskip("uvicorn", reason="There is no oidc-provider-mock here.")
    port = free_port()
    address = f"http://localhost:{port}"
    discovery = f"{address}/.well-known/openid-configuration"
    with running(["oidc_provider_mock", "--port", str(port)], log=tmp_path / "provider.log", until=discovery):
        claims = {"email": WHO, "email_verified": True, "name": "Rita Lopez", "groups": ["payments"]}
        requests.put(f"{address}/users/rita-at-work", json=claims, timeout=10).raise_for_status()
        yield address


@pytest.fixture
def library(tmp_path: Path, issuer: str) -> Iterator[str]:
    """A served library, whose people come in through the provider."""
    settings = load_settings(home=tmp_path / "home")
    stores = create_home(settings)
    add_person(stores, actor=OPERATOR, now=stores.clock(), email=WHO, name="Rita Lopez", roles=["reader"])
    close_stores(stores)
    port = free_port()
    address = f"http://localhost:{port}"
    told = {
        "SOP_HOME": str(settings.home),
        "SOP_PORT": str(port),
        "SOP_PUBLIC_URL": address,
        "SOP_OIDC_ISSUER": issuer,
        "SOP_OIDC_CLIENT_ID": "sops",
        "SOP_OIDC_CLIENT_SECRET": "a secret between two servers",
        "SOP_OIDC_NAME": "Contoso",
        "SOP_OIDC_MAP": '{"payments": ["editor@payments"]}',
    }
    with running(["sop_server", "serve"], log=tmp_path / "serve.log", until=f"{address}/healthz", **told):
        yield address


@pytest.fixture
def page() -> Iterator[Page]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("There is no Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


def test_a_header_with_underscores_is_not_the_one_that_the_proxy_writes(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    stores = create_home(settings)
    add_person(stores, actor=OPERATOR, now=stores.clock(), email=WHO, name="Rita Lopez", roles=["reader"])
    close_stores(stores)
    port = free_port()
    told = {
        "SOP_HOME": str(settings.home),
        "SOP_PORT": str(port),
        "SOP_PROXY_AUTH_HEADER": "X-Forwarded-Email",
        "SOP_PROXY_AUTH_FROM": "127.0.0.1",
    }
    address = f"http://127.0.0.1:{port}"
    with running(["sop_server", "serve"], log=tmp_path / "serve.log", until=f"{address}/healthz", **told):

        def answered(header: str) -> int:
            sent = requests.get(f"{address}/login", headers={header: WHO}, allow_redirects=False, timeout=PATIENCE)
            return sent.status_code

        assert answered("X_Forwarded_Email") == 200
        assert answered("X-Forwarded-Email") == 303


def test_a_person_comes_in_with_the_account_of_their_work_and_leaves_both(page: Page, library: str) -> None:
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{library}/me")
    page.get_by_role("link", name="Sign in with Contoso").click()
    page.get_by_placeholder("sub").fill("rita-at-work")
    page.get_by_role("button", name="Authorize").click()

    expect(page).to_have_url(f"{library}/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rita Lopez")
    expect(page.locator("main")).to_contain_text("editor@payments")
    expect(page.locator("main")).to_contain_text("My account is linked with mine at Contoso")

    page.locator("details.menu summary").click()
    page.get_by_role("navigation", name="You").get_by_role("button", name="Sign out").click()

    page.wait_for_url(lambda url: not url.startswith(library))
    page.goto(f"{library}/me")
    expect(page).to_have_url(f"{library}/login?next=%2Fme")
