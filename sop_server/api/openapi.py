"""The OpenAPI document, made from the very schemas that validate."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, json
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from sop_server import __version__
from sop_server.api import door
from sop_server.api.problems import MEDIA_TYPE
from sop_server.api.routes import Route
from sop_server.api.schemas.base import Problem

Families = Mapping[str, tuple[Route, ...]]

_FIRST_ERROR = 400

_DESCRIPTION = (
    "Everything the pages can do, for scripts and integrations. Send a token as `Authorization: Bearer <token>`. "
    "Instants are ISO 8601 with an offset and are answered in UTC. Lists are paged by `limit` and `cursor`; "
    "`next` is the cursor of the next part or null. Errors are RFC 9457 problem JSON."
)


def serve_document(blueprint: Blueprint, families: Families) -> None:
    """Add the document itself, which is public."""

    # Made when it is first asked for: it takes ten times as long as everything else that a start does.
    @functools.cache
    def document() -> str:
        return json.dumps(describe(families))

    def openapi() -> Response:
        return Response(document(), content_type="application/json")

    blueprint.add_url_rule(door.SCHEMA_PATH.removeprefix(door.PREFIX), "openapi", openapi)


def describe(families: Families) -> dict[str, Any]:
    """Return the document of the calls."""
    # spectree reads the routes of an application, so the calls get one that does nothing else.
    app = Flask("openapi", static_folder=None)
    blueprint = Blueprint("api", __name__, url_prefix=door.PREFIX)
    spec = SpecTree(
        "flask",
        title="sop-server",
        version=__version__,
        description=_DESCRIPTION,
        mode="strict",
        annotations=False,
        security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
        security={"token": []},
        naming_strategy=_name,
        nested_naming_strategy=_nested_name,
    )
    for family, routes in families.items():
        for route in routes:
            name = route.view.__name__
            blueprint.add_url_rule(route.path, name, _declared(spec, family, route), methods=[route.method])
    app.register_blueprint(blueprint)
    with app.app_context():
        return _with_problems(spec.spec)


def _declared(spec: SpecTree, family: str, route: Route) -> Callable[..., Any]:
    declare = spec.validate(
        json=route.body,
        query=route.query,
        resp=_answers(route),
        tags=(family,),
        operation_id=route.view.__name__,
        skip_validation=True,
    )
    declared: Callable[..., Any] = declare(route.view)
    return declared


def _answers(route: Route) -> Answers:
    problems = {401: "No token, or an unknown one", 403: "Not allowed"}
    if "<" in route.path:
        problems[404] = "No such thing, or not yours to know of"
    if route.body is not None or route.query is not None:
        problems[422] = "What was sent cannot be used"
    problems |= {status: words for status, words in route.also.items() if status >= _FIRST_ERROR}
    models: dict[str, Any] = {f"HTTP_{status}": (Problem, words) for status, words in problems.items()}
    for status, words in route.also.items():
        if status < _FIRST_ERROR:
            models[f"HTTP_{status}"] = (route.answer, words)
    return Answers(**{f"HTTP_{int(route.status)}": route.answer}, **models)


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Say that errors come as problem JSON, which spectree has no word for."""
    calls = [call for path in document["paths"].values() for call in path.values()]
    answers = [answer for call in calls for status, answer in call["responses"].items() if int(status) >= _FIRST_ERROR]
    for answer in answers:
        if "content" in answer:
            answer["content"] = {MEDIA_TYPE: next(iter(answer["content"].values()))}
    return document


def _name(model: type) -> str:
    return model.__name__.replace("[", "Of").replace("]", "")


def _nested_name(_parent: str, child: str) -> str:
    return child
