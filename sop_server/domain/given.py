"""What somebody says of a record: fields that were left out, and all that cannot be used, told at once."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any, Final, TypeVar

from sop_server.errors import InvalidInputError

MAX_NAME = 100
MAX_NAMES = 200

Value = TypeVar("Value")
Content = TypeVar("Content", bound=Any)


class Absent(Enum):
    """The mark of a field of which nothing was said: it keeps what it had, where None would clear it."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Fields:
    """Reads fields one by one and gathers what is wrong with them, so that it is told in one answer."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}
        self._messages: list[str] = []

    def read(self, clean: Callable[[], Value], otherwise: Value) -> Value:
        """Return what `clean` makes of a field; `otherwise` where that cannot be used, which is kept for later."""
        try:
            return clean()
        except InvalidInputError as error:
            self._problems.update(error.fields)
            self._messages.append(error.message)
            return otherwise

    def require_sound(self) -> None:
        """Raise one InvalidInputError for all fields that could not be used; nothing where there is none."""
        if self._messages:
            raise InvalidInputError(" ".join(self._messages), fields=self._problems)


def clean_names(given: Sequence[str] | Absent | None, former: tuple[str, ...] | None, *, field: str) -> tuple[str, ...]:
    """Return a list of names, each once and without needless space; raises InvalidInputError."""
    if isinstance(given, Absent):
        return former or ()
    names = tuple(dict.fromkeys(" ".join(name.split()) for name in given or () if name.strip()))
    if len(names) > MAX_NAMES or any(len(name) > MAX_NAME or not name.isprintable() for name in names):
        raise InvalidInputError(
            f"“{field}” holds at most {MAX_NAMES} names of at most {MAX_NAME} printable characters each.",
            fields={field: f"at most {MAX_NAMES} names of {MAX_NAME} characters"},
        )
    return names


def differs(former: Content, content: Content) -> list[str]:
    """Name the fields in which two versions, dataclasses of one kind, differ."""
    return [field.name for field in fields(content) if getattr(former, field.name) != getattr(content, field.name)]
