"""The document that describes the API: valid, complete, and the same schemas that validate."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.operation import As


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
    return found


def calls(client: FlaskClient) -> list[tuple[str, str]]:
    return sorted(
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and rule.rule != "/api/v1/openapi.json"
    )


def test_document_is_valid(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_call_is_in_it_and_nothing_else(client: FlaskClient, document: dict[str, Any]) -> None:
    described = sorted((path, method) for path, methods in document["paths"].items() for method in methods)
    assert described == calls(client)


def test_every_call_says_what_it_does(document: dict[str, Any]) -> None:
    found = [call for methods in document["paths"].values() for call in methods.values()]
    assert all(call["summary"].endswith((".", ";")) or "." in call["summary"] for call in found)
    ids = [call["operationId"] for call in found]
    assert len(ids) == len(set(ids))


def test_errors_are_described_as_problem_json(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/v1/drafts"]["post"]["responses"]
    assert list(answers["422"]["content"]) == ["application/problem+json"]
    assert list(answers["201"]["content"]) == ["application/json"]


def test_body_schema_is_the_one_that_validates(document: dict[str, Any], caller: As) -> None:
    schema = document["components"]["schemas"]["DraftCreate"]
    assert set(schema["required"]) == {"change_summary", "significance"}
    assert schema["additionalProperties"] is False
    assert set(caller("asha").post("/drafts").get_json()["errors"]) == set(schema["required"])


def test_token_is_how_callers_are_known(document: dict[str, Any]) -> None:
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_a_stranger_gets_401_from_every_call(client: FlaskClient) -> None:
    for path, method in calls(client):
        answer = client.open(path, method=method, data=b"{", content_type="application/json")
        assert answer.status_code == 401, path


def test_somebody_without_a_role_gets_no_further_than_themselves(client: FlaskClient, caller: As) -> None:
    for path, method in calls(client):
        if "/me" not in path:
            answer = client.open(path, method=method, data=b"{", headers=caller("nils").headers)
            assert answer.status_code in {403, 404}, path


def test_a_reading_token_changes_nothing(client: FlaskClient, caller: As) -> None:
    for path, method in calls(client):
        if method != "get":
            answer = client.open(path, method=method, data=b"{", headers=caller("asha-reading").headers)
            assert answer.status_code == 403, path
