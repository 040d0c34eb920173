"""Rendered texts, kept while they are the same: by content, path and the state of the library that links lead into."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from sop_server.rendering.markdown import Rendered

_KEPT = 512

Key = tuple[str, str, str]


class Renderings:
    """The texts rendered last, for the threads of one process. Holds at most 512, the longest unused go first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Key, Rendered] = OrderedDict()

    def get(self, key: Key, render: Callable[[], Rendered]) -> Rendered:
        """Return what is kept under `key`, rendering it the first time."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        rendered = render()
        with self._lock:
            self._kept[key] = rendered
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return rendered
