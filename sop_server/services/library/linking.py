"""Where the links of a SOP's text lead, within the library."""

import posixpath
from datetime import datetime

from sop_server.domain.identifiers import parse_sop_id
from sop_server.domain.permissions import Action, Actor
from sop_server.rendering.links import Link, Resolve
from sop_server.storage import sops
from sop_server.storage.database import Session


def resolver(session: Session, *, path: str, at: datetime, reader: Actor | None = None) -> Resolve:
    """Return a function that leads `SOP-0007`, or a file beside the one at `path`, to a SOP; None leads nowhere.

    It tells no titles: who follows a link into a department that is not theirs finds nothing there. For a `reader` who
    wrote the links themselves, what they may not read is not known at all: else they would learn what there is.
    """

    def resolve(target: str) -> Link | None:
        sop_id = target if parse_sop_id(target) else _behind(session, library_path(path, target))
        if sop_id is None:
            return None
        newest = sops.latest_row(session, sop_id, at)
        if newest is not None and reader is not None and not reader.may(Action.READ, newest.department):
            return None
        return None if newest is None or newest.kind == "retire" else Link(f"/sops/{sop_id}", sop_id)

    return resolve


def library_path(source: str, target: str) -> str:
    """Return the path in the library of a file that is linked from `source` by a relative `target`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _behind(session: Session, path: str) -> str | None:
    return sops.sop_ids_by_path(session, [path]).get(path)
