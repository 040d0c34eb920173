"""A form that was refused: shown again with everything that was typed, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, SopError, StaleEditError
from sop_server.views import denials

REFUSED = (InvalidInputError, ConflictError, StaleEditError, ForbiddenError)
"""The errors after which a person mends what they typed; every other one has a page of its own."""

_STATUSES: Mapping[type[SopError], int] = {
    InvalidInputError: 422,
    ConflictError: 409,
    StaleEditError: 412,
    ForbiddenError: 403,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a form says on its top and beside its fields; `status` is that of the answer."""

    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


NONE = Refusal()


def refusal(error: SopError) -> Refusal:
    """Return how a form tells an error."""
    denials.remember(error)
    return Refusal(
        error.message, error.fields, next(code for kind, code in _STATUSES.items() if isinstance(error, kind))
    )
