"""A text as it would be read, and what is wrong with it, while somebody writes it."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import front_matter
from sop_server.domain.content import UnreadableContentError, normalise
from sop_server.domain.front_matter import Problem
from sop_server.domain.lint import lint
from sop_server.domain.permissions import Action, Actor
from sop_server.rendering.markdown import render
from sop_server.services.library.linking import resolver
from sop_server.services.stores import Stores
from sop_server.storage import sops


@dataclass(frozen=True, slots=True)
class Preview:
    """The safe HTML of a text that is being written, its title, and its problems in the order of its lines."""

    title: str | None
    html: str
    problems: tuple[Problem, ...]


def preview(stores: Stores, *, actor: Actor, content: str, now: datetime, sop_id: str | None = None) -> Preview:
    """Render a text that is stored nowhere; a text that cannot be read at all is nothing but its problem."""
    actor.require_anywhere(Action.DRAFT)
    problems = tuple(lint(content, path=sop_id or ""))
    try:
        parsed = front_matter.parse(normalise(content))
    except UnreadableContentError:
        return Preview(None, "", problems)
    with stores.database.read() as session:
        sop = None if sop_id is None else sops.sop_row(session, sop_id)
        resolve = resolver(session, path="" if sop is None else sop.path, at=now, reader=actor)
        html = render(parsed.body, resolve=resolve).html
    return Preview(parsed.front.title, html, problems)
