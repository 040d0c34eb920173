"""A call of the API as a value: where it is, who may make it, what goes in, what comes out.

The order of every call is the same: who (`door`), then whether they may at all (`action`), then the view, which
resolves what the call is about before it reads the body. So a stranger gets 401, a wrong role 403, and only then
does anybody learn what was wrong with what they sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response
from pydantic import BaseModel

from sop_server.api import door
from sop_server.api.reading import read_body, read_query
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import InvalidInputError
from sop_server.services.stores import Stores

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """What a view works with. The body and the query are read when the view asks for them, and not before."""

    stores: Stores
    actor: Actor
    now: datetime

    def body(self, kind: type[Model], *, sight: Callable[[], object] | None = None) -> Model:
        """Return the body; raises InvalidInputError with every field that is wrong.

        `sight` looks at what the call is about and raises where that is not the caller's: it is asked before
        anything is told about the body, and left out where the body is good, since the service looks itself.
        """
        return _after_sight(read_body, kind, sight)

    def query(self, kind: type[Model], *, sight: Callable[[], object] | None = None) -> Model:
        """Return the query string as `body` does the body."""
        return _after_sight(read_query, kind, sight)


def _after_sight(read: Callable[[type[Model]], Model], kind: type[Model], sight: Callable[[], object] | None) -> Model:
    try:
        return read(kind)
    except InvalidInputError:
        if sight is not None:
            sight()
        raise


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that needs more than its content: another status, an ETag."""

    content: BaseModel
    status: int = HTTPStatus.OK
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One call. `action` is what the caller must be allowed to do somewhere; the service decides where."""

    method: str
    path: str
    view: Callable[..., BaseModel | Reply | Response]
    answer: type[BaseModel]
    action: Action | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = HTTPStatus.OK
    also: Mapping[int, str] = field(default_factory=dict)


def mount(blueprint: Blueprint, routes: tuple[Route, ...]) -> None:
    """Add calls to the blueprint."""
    for route in routes:
        blueprint.add_url_rule(route.path, route.view.__name__, _endpoint(route), methods=[route.method])


def _endpoint(route: Route) -> Callable[..., Response]:
    def endpoint(**names: Any) -> Response:
        actor = door.actor()
        if route.action is not None:
            actor.require_anywhere(route.action)
        result = route.view(Call(door.stores(), actor, door.now()), **names)
        if isinstance(result, Response):
            # A file that is made while it is sent.
            return result
        reply = result if isinstance(result, Reply) else Reply(result, status=route.status)
        return _response(reply)

    return endpoint


def _response(reply: Reply) -> Response:
    response = Response(reply.content.model_dump_json(), status=reply.status, content_type="application/json")
    if reply.tag is not None:
        response.set_etag(reply.tag)
        # The tag guards edits with If-Match. It is no tag of the answer, which tells more than what is edited.
        response.headers["Cache-Control"] = "no-store"
    return response
