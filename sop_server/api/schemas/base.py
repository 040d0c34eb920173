"""What all schemas share: how text, numbers and instants are read and written."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from sop_server.domain.identifiers import MAX_DIGITS
from sop_server.domain.instants import format_instant, parse_instant
from sop_server.errors import InvalidInputError
from sop_server.services.paging import DEFAULT_LIMIT, MAX_LIMIT


def _instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_instant(value, field="at")
    except InvalidInputError as exc:
        raise PydanticCustomError("instant", "must be an ISO 8601 date and time with an offset") from exc


def _only_text(value: object) -> object:
    # Numbers would be taken for seconds since 1970.
    if not isinstance(value, str | datetime):
        raise PydanticCustomError("instant", "must be an ISO 8601 date and time with an offset")
    return value


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    BeforeValidator(_only_text),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant with its offset, answered in UTC."""

Text = Annotated[str, Field(max_length=10_000)]
ShortText = Annotated[str, Field(max_length=300)]
LongText = Annotated[str, Field(max_length=2_200_000)]
Names = Annotated[list[ShortText], Field(max_length=500)]
Number = Annotated[int, Strict(), Field(ge=1, lt=10**MAX_DIGITS)]
"""The number of a revision."""


class Input(BaseModel):
    """What a caller sends; a key that is not known is refused, so that a slip of the pen is not lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Nothing(Input):
    """No more than the call itself."""


class Output(BaseModel):
    """What the server answers, read from what a service returns."""

    model_config = ConfigDict(from_attributes=True, frozen=True, populate_by_name=True)


class Filter(BaseModel):
    """What stands behind the question mark of an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(Filter):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: Annotated[str, Field(max_length=300)] | None = None


Item = TypeVar("Item")


class Listing(Output, Generic[Item]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[Item]
    next: str | None


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it; `errors` names the fields."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, str] = {}
    content_hash: str | None = None
    reference: str | None = None
