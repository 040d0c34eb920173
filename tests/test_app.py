"""The application put together: who gets in, how errors are told, what every answer carries."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from sop_server import home
from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.errors import (
    BusyError,
    ConflictError,
    DamagedError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    SopError,
    StaleEditError,
)
from sop_server.services.accounts import people, sign_in, tokens
from sop_server.services.stores import Stores
from sop_server.settings import Settings, load_settings
from sop_server.views import visitor


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "home"
    home.close_stores(home.create_home(load_settings(home=path)))
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_home: Path) -> Settings:
    shutil.copytree(empty_home, tmp_path / "home")
    return load_settings(home=tmp_path / "home", library_name="Meridian procedures")


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    opened = home.open_stores(settings)
    yield opened
    home.close_stores(opened)


@pytest.fixture
def app(settings: Settings, stores: Stores) -> Flask:
    return create_app(settings, stores=stores)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(stores: Stores) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(stores, scope='write')}"}


def token_of(stores: Stores, *, scope: str) -> str:
    now = stores.clock()
    people.add_person(stores, actor=OPERATOR, now=now, email="asha@example.com", name="Asha Rao", roles=["reader"])
    return tokens.create_token(stores, actor=OPERATOR, now=now, email="asha@example.com", scope=scope)


def raising(app: Flask, error: Exception) -> None:
    def page() -> Response:
        raise error

    app.add_url_rule("/broken", "probes.broken", page)
    app.add_url_rule("/api/v1/broken", "broken", page)


def test_stranger_is_sent_to_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/sops/SOP-0001?at=2026-01-01")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=%2Fsops%2FSOP-0001%3Fat%3D2026-01-01"


def test_stranger_does_not_learn_which_pages_there_are(client: FlaskClient) -> None:
    assert client.get("/no-such-page").status_code == 303


@pytest.mark.parametrize("path", ["/api/v1/sops", "/api/v1/no-such-call", "/api/", "/api/v2/sops"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_stranger_gets_401_at_every_address_of_the_api(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method, json={})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer sop_wrong", "Bearer", "Basic YTpi", "Token x", "Bearer \u00e9"])
def test_another_kind_of_authorization_is_none(client: FlaskClient, header: str) -> None:
    assert client.get("/api/v1/sops", headers={"Authorization": header}).status_code == 401


def test_a_cookie_never_opens_the_api(client: FlaskClient, stores: Stores) -> None:
    token_of(stores, scope="write")
    link = sign_in.create_sign_in_link(stores, actor=OPERATOR, now=stores.clock(), email="asha@example.com")
    client.set_cookie(visitor.COOKIE, sign_in.use_sign_in_link(stores, token=link, now=stores.clock()))
    assert client.get("/api/v1/sops").status_code == 401


def test_a_token_never_opens_a_page(client: FlaskClient, bearer: dict[str, str]) -> None:
    assert client.get("/sops/", headers=bearer).status_code == 303


def test_read_token_may_not_change_anything(client: FlaskClient, stores: Stores) -> None:
    header = {"Authorization": f"Bearer {token_of(stores, scope='read')}"}
    assert client.get("/api/v1/sops", headers=header).status_code == 200
    assert client.post("/api/v1/drafts", json={}, headers=header).status_code == 403


def test_schema_is_public(client: FlaskClient) -> None:
    assert client.get("/api/v1/openapi.json").status_code == 200


ERRORS = [
    (InvalidInputError("no", fields={"title": "is required"}), 422),
    (ForbiddenError("no"), 403),
    (NotFoundError("no"), 404),
    (GoneError("no"), 410),
    (ConflictError("no"), 409),
    (StaleEditError("no"), 412),
    (BusyError("no"), 503),
    (DamagedError("no"), 500),
    (SopError("no"), 500),
    (RuntimeError("no"), 500),
]


@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_each_error_becomes_its_status(app: Flask, bearer: dict[str, str], error: Exception, status: int) -> None:
    raising(app, error)
    client = app.test_client()
    problem = client.get("/api/v1/broken", headers=bearer)
    assert problem.status_code == status
    assert problem.content_type == "application/problem+json"
    assert problem.json is not None
    assert problem.json["status"] == status
    assert {"type", "title", "detail"} <= problem.json.keys()


def test_problem_names_the_fields(app: Flask, bearer: dict[str, str]) -> None:
    raising(app, InvalidInputError("Say what it is called.", fields={"title": "is required"}))
    problem = app.test_client().get("/api/v1/broken", headers=bearer).json
    assert problem is not None
    assert problem["detail"] == "Say what it is called."
    assert problem["errors"] == {"title": "is required"}


def test_conflict_carries_the_hash_of_what_is_there_now(app: Flask, bearer: dict[str, str]) -> None:
    raising(app, ConflictError("moved", content_hash="ab" * 32))
    problem = app.test_client().get("/api/v1/broken", headers=bearer).json
    assert problem is not None
    assert problem["content_hash"] == "ab" * 32


def test_busy_says_when_to_try_again(app: Flask, bearer: dict[str, str]) -> None:
    raising(app, BusyError("busy"))
    assert app.test_client().get("/api/v1/broken", headers=bearer).headers["Retry-After"] == "2"


def test_unforeseen_error_shows_a_reference_and_never_its_text(
    app: Flask, bearer: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    raising(app, RuntimeError("the password is hunter2"))
    answer = app.test_client().get("/api/v1/broken", headers=bearer)
    assert "hunter2" not in answer.text
    assert answer.json is not None
    assert answer.json["reference"] in caplog.text


def test_person_gets_a_page_in_plain_words(app: Flask, client: FlaskClient, stores: Stores) -> None:
    raising(app, ForbiddenError("You may not do <this>. Ask a colleague."))
    token_of(stores, scope="read")
    link = sign_in.create_sign_in_link(stores, actor=OPERATOR, now=stores.clock(), email="asha@example.com")
    client.set_cookie(visitor.COOKIE, sign_in.use_sign_in_link(stores, token=link, now=stores.clock()))
    answer = client.get("/broken")
    assert answer.status_code == 403
    assert "You may not do &lt;this&gt;. Ask a colleague." in answer.text
    assert "Meridian procedures" in answer.text


def test_an_error_in_the_frame_does_not_hide_the_error(app: Flask, client: FlaskClient, stores: Stores) -> None:
    raising(app, ForbiddenError("You may not do this."))
    token_of(stores, scope="read")
    link = sign_in.create_sign_in_link(stores, actor=OPERATOR, now=stores.clock(), email="asha@example.com")
    client.set_cookie(visitor.COOKIE, sign_in.use_sign_in_link(stores, token=link, now=stores.clock()))
    del app.jinja_env.globals["asset"]
    answer = client.get("/broken")
    assert answer.status_code == 403
    assert "You may not do this." in answer.text


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/api/v1/sops", "/api/v1/openapi.json"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_assets_are_kept_for_ever_under_their_address(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = app.jinja_env.globals["asset"]("app.css")  # type: ignore[operator]  # a function of ours
    with client.get(address) as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with client.get("/static/older/app.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", ".hidden", "none.css"])
def test_nothing_outside_the_assets_is_sent(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/x/{name}").status_code in {303, 404}


def test_form_without_its_token_is_refused(app: Flask, client: FlaskClient, stores: Stores) -> None:
    app.add_url_rule("/change", "probes.change", lambda: "changed", methods=["POST"])
    answer = client.post("/change")
    assert answer.status_code == 400
    assert "The form has expired" in answer.text


def test_too_large_a_request_is_refused_in_words(app: Flask, bearer: dict[str, str]) -> None:
    def store() -> bytes:
        return request.get_data()

    app.add_url_rule("/api/v1/store", "store", store, methods=["POST"])
    answer = app.test_client().post("/api/v1/store", data=b"x" * (6 * 1024 * 1024 + 1), headers=bearer)
    assert answer.status_code == 413
    assert answer.json is not None
    assert "larger than 6 MiB" in answer.json["detail"]


def test_ready_tells_of_each_store(client: FlaskClient) -> None:
    told = client.get("/readyz").json
    assert told is not None
    assert told["database"] == told["library"] == "ok"


def test_not_ready_where_the_library_is_gone(settings: Settings, stores: Stores) -> None:
    elsewhere = replace(stores, library=type(stores.library)(stores.home / "gone.git"))
    assert create_app(settings, stores=elsewhere).test_client().get("/readyz").status_code == 503


def test_metrics_count_requests_by_door(client: FlaskClient) -> None:
    client.get("/api/v1/sops")
    client.get("/healthz")
    text = client.get("/metrics").text
    assert 'sop_server_requests_total{door="api",status="4xx"} 1' in text
    assert 'sop_server_requests_total{door="probe",status="2xx"} 1' in text
    assert 'sop_server_request_seconds_count{door="api"} 1' in text


def test_a_change_wakes_the_background_after_the_answer(settings: Settings, stores: Stores) -> None:
    woken: list[bool] = []
    app = create_app(settings, stores=stores, wake=lambda: woken.append(True))
    app.add_url_rule("/api/v1/change", "change", lambda: "done", methods=["GET", "POST"])
    header = {"Authorization": f"Bearer {token_of(stores, scope='write')}"}
    client = app.test_client()
    client.get("/api/v1/change", headers=header).close()
    client.post("/api/v1/change").close()
    assert woken == []
    client.post("/api/v1/change", headers=header).close()
    assert woken == [True]
