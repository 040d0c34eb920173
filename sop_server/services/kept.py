"""What is dear to make and stays the same is kept, for the threads of one process."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """At most `most` values by their keys; the longest unused go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def held(self, key: Key) -> Value | None:
        """Return what is kept under `key`; None where there is nothing."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def several(
        self, keys: Collection[Key], make: Callable[[Collection[Key]], Mapping[Key, Value]]
    ) -> dict[Key, Value]:
        """Return what is kept under many keys; `make` gives at once those that are missing, as far as they exist."""
        found = {key: held for key in keys if (held := self.held(key)) is not None}
        missing = [key for key in keys if key not in found]
        made = make(missing) if missing else {}
        for key, value in made.items():
            self.put(key, value)
        return found | dict(made)

    def get(self, key: Key, make: Callable[[], Value], *, worth: Callable[[Value], bool] = lambda _: True) -> Value:
        """Return what is kept under `key`, making it the first time; what is not `worth` keeping is made each time."""
        held = self.held(key)
        if held is not None:
            return held
        value = make()
        if worth(value):
            self.put(key, value)
        return value
