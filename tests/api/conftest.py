"""A small operation behind the API: a cast with tokens, and procedures made through the API itself."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from sop_server import home
from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts import people, tokens
from sop_server.services.stores import Stores
from sop_server.settings import load_settings
from tests.api.operation import START, As, Caller, Clock, Make

CAST = {
    "rita": (["reader@payments"], ["payments-tier1"]),
    "asha": (["editor@payments"], []),
    "ben": (["approver@payments"], []),
    "both": (["editor@payments", "approver@payments"], []),
    "cora": (["editor@customer-care"], []),
    "carl": (["approver@customer-care"], []),
    "mia": (["manager"], []),
    "max": (["manager@payments"], []),
    "ada": (["admin"], []),
    "nils": ([], []),
}

TEXT = """---
title: {title}
department: {department}
owner: asha@example.com
deputy: ben@example.com
audience: [payments-tier1]
systems: [SAP]
---
## Steps

1. {step}
"""


@pytest.fixture(scope="session")
def peopled_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with the cast; each test gets a copy. Also the tokens, by name."""
    path = tmp_path_factory.mktemp("peopled") / "home"
    stores = home.create_home(load_settings(home=path))
    given: dict[str, str] = {}
    for name, (roles, teams) in CAST.items():
        email = f"{name}@example.com"
        people.add_person(stores, actor=OPERATOR, now=START, email=email, name=name.title(), roles=roles, teams=teams)
        given[name] = tokens.create_token(stores, actor=OPERATOR, now=START, email=email)
    given["asha-reading"] = tokens.create_token(
        stores, actor=OPERATOR, now=START, email="asha@example.com", scope="read"
    )
    home.close_stores(stores)
    return path, given


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path, peopled_home: tuple[Path, dict[str, str]], clock: Clock) -> Iterator[Stores]:
    shutil.copytree(peopled_home[0], tmp_path / "home")
    opened = home.open_stores(load_settings(home=tmp_path / "home"), clock=clock)
    yield opened
    home.close_stores(opened)


@pytest.fixture
def client(stores: Stores) -> FlaskClient:
    return create_app(load_settings(home=stores.home), stores=stores).test_client()


@pytest.fixture
def caller(client: FlaskClient, peopled_home: tuple[Path, dict[str, str]]) -> As:
    """Somebody of the cast by name; `stranger` has no token."""

    def found(name: str) -> Caller:
        if name == "stranger":
            return Caller(client)
        return Caller(client, {"Authorization": f"Bearer {peopled_home[1][name]}"})

    return found


@pytest.fixture
def text() -> Callable[..., str]:
    def written(step: str = "Open SAP.", *, title: str = "Refunds over 500 USD", department: str = "payments") -> str:
        return TEXT.format(title=title, department=department, step=step)

    return written


@pytest.fixture
def draft(caller: As, text: Callable[..., str]) -> Make:
    """A draft by asha, or by whoever is named."""

    def started(step: str = "Open SAP.", *, by: str = "asha", submitted: bool = False, **given: Any) -> dict[str, Any]:
        body = {"content": text(step), "change_summary": "Says how.", "significance": "major", **given}
        answer = caller(by).post("/drafts", **body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        if submitted:
            answer = caller(by).post(f"/drafts/{made['id']}/submit")
            assert answer.status_code == 200, answer.text
            made = answer.get_json()
        return made

    return started


@pytest.fixture
def publish(caller: As, draft: Make) -> Make:
    """A revision by asha that ben approved; what the approval answered."""

    def published(step: str = "Open SAP.", **given: Any) -> dict[str, Any]:
        made = draft(step, submitted=True, **given)
        answer = caller("ben").post(f"/drafts/{made['id']}/approve", content_hash=made["content_hash"])
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.get_json()
        return outcome

    return published
