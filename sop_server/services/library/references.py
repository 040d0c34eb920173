"""What a text refers to: SOPs by id, and files of the library by path."""

from dataclasses import dataclass

from sop_server.rendering.links import Link
from sop_server.rendering.markdown import render
from sop_server.services.library.linking import library_path


@dataclass(frozen=True, slots=True)
class References:
    """The SOPs and the library paths that a text refers to, each once."""

    sop_ids: tuple[str, ...]
    paths: tuple[str, ...]


def references(body: str, *, path: str) -> References:
    """Return what `body`, the text of the file at `path`, refers to."""

    def nowhere(_target: str) -> Link | None:
        return None

    rendered = render(body, resolve=nowhere)
    paths = dict.fromkeys(library_path(path, target) for target in rendered.relative_links)
    return References(tuple(rendered.links), tuple(paths))
