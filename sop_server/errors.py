"""The kinds of error a person can be told about: a message in plain words, and no HTTP.

A message says what happened, what was kept, and what to do. One place per door (`api`, `views`, `cli`)
turns a kind into a status.
"""

from collections.abc import Mapping


class SopError(Exception):
    """Something a person should be told. `fields` names what is wrong with which input."""

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})


class InvalidInputError(SopError):
    """What was sent cannot be used as it is (422)."""


class NotSignedInError(SopError):
    """Nobody is signed in, or the token is not known (401)."""


class ForbiddenError(SopError):
    """The person may know of the thing, but not do this to it (403)."""


class NotFoundError(SopError):
    """There is no such thing, or it is not this person's to know of (404)."""


class NotYetError(NotFoundError):
    """What was asked for is approved and not in force yet; `revision` is the one that comes."""

    def __init__(self, message: str, *, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class GoneError(SopError):
    """The thing existed and was retired for ever (410)."""


class ConflictError(SopError):
    """The thing moved on meanwhile (409)."""

    def __init__(
        self, message: str, *, fields: Mapping[str, str] | None = None, content_hash: str | None = None
    ) -> None:
        super().__init__(message, fields=fields)
        self.content_hash = content_hash


class StaleEditError(SopError):
    """An edit was made on content that somebody changed meanwhile (412)."""


class BusyError(SopError):
    """Another process holds what is needed; trying again shortly will do (503)."""


class DamagedError(SopError):
    """A store does not hold what it should; an administrator must look (500)."""
