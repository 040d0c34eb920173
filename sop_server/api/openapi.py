"""The OpenAPI document, made from the very schemas that validate."""

from typing import Any

from flask import Blueprint, Response, json
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from sop_server import __version__
from sop_server.api.problems import MEDIA_TYPE

_FIRST_ERROR = 400

_DESCRIPTION = (
    "Everything the pages can do, for scripts and integrations. Send a token as `Authorization: Bearer <token>`. "
    "Instants are ISO 8601 with an offset and are answered in UTC. Lists are paged by `limit` and `cursor`; "
    "`next` is the cursor of the next part or null. Errors are RFC 9457 problem JSON."
)


def new_spec() -> SpecTree:
    """Return a document without calls."""
    return SpecTree(
        "flask",
        title="sop-server",
        version=__version__,
        description=_DESCRIPTION,
        mode="strict",
        annotations=False,
        page_templates={},
        security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
        security={"token": []},
        naming_strategy=_name,
        nested_naming_strategy=_nested_name,
    )


def serve_document(blueprint: Blueprint, spec: SpecTree) -> None:
    """Add the document itself, which is public."""

    def document() -> Response:
        return Response(json.dumps(_with_problems(spec.spec)), content_type="application/json")

    blueprint.add_url_rule("/openapi.json", "openapi", document)


def _name(model: type) -> str:
    return model.__name__.replace("[", "Of").replace("]", "")


def _nested_name(_parent: str, child: str) -> str:
    return child


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Say that errors come as problem JSON, which spectree has no word for."""
    calls = [call for path in document["paths"].values() for call in path.values()]
    answers = [answer for call in calls for status, answer in call["responses"].items() if int(status) >= _FIRST_ERROR]
    for answer in answers:
        answer["content"] = {MEDIA_TYPE: next(iter(answer["content"].values()))}
    return document
