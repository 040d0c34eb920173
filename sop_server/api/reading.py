"""Reading what a caller sent: JSON bodies and query strings, into schemas, with every mistake named by its field."""

import json
from typing import NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from sop_server.errors import InvalidInputError

Model = TypeVar("Model", bound=BaseModel)

_DEEPEST = 20
_MOST_TOLD = 20


def read_body(kind: type[Model]) -> Model:
    """Return the JSON object of the request as a `kind`; an absent body is an empty object."""
    raw = request.get_data(cache=True)
    if not raw.strip():
        return _checked(kind, {}, where="body")
    if not request.is_json:
        _refuse("Send the body as JSON, with `Content-Type: application/json`.", "must be application/json")
    try:
        value = json.loads(raw, parse_constant=_no_constant, object_pairs_hook=_each_key_once)
    except UnicodeDecodeError:
        _refuse("The body is not UTF-8. Send JSON in UTF-8.", "is not UTF-8")
    except RecursionError:
        _refuse("The body is nested too deeply.", "is nested too deeply")
    except ValueError as exc:
        _refuse(f"The body is not JSON: {exc}. Nothing was changed.", "is not JSON")
    if not isinstance(value, dict):
        _refuse("The body must be a JSON object: `{…}`.", "must be an object")
    _check_plain(value, "", depth=0)
    return _checked(kind, value, where="body")


def read_query(kind: type[Model]) -> Model:
    """Return the query string as a `kind`; a key without a value is an absent one."""
    given: dict[str, object] = {name: value for name, value in request.args.items() if value}
    _check_plain(given, "", depth=0)
    return _checked(kind, given, where="query")


def _checked(kind: type[Model], given: dict[str, object], *, where: str) -> Model:
    try:
        return kind.model_validate(given)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)[:_MOST_TOLD]
        fields: dict[str, str] = {}
        for error in errors:
            name = ".".join(str(part)[:100] for part in error["loc"]) or where
            fields.setdefault(name, _in_words(error["type"], error["msg"]))
        told = "; ".join(f"“{name}” {problem}" for name, problem in fields.items())
        raise InvalidInputError(f"{told}. Nothing was changed.", fields=fields) from exc


def _in_words(kind: str, message: str) -> str:
    known = {"missing": "is required", "extra_forbidden": "is not known here"}
    plain = message.removeprefix("Value error, ").replace("Input should", "should")
    return known.get(kind, plain[:1].lower() + plain[1:])


def _check_plain(value: object, name: str, *, depth: int) -> None:
    """Refuse what no store can hold: NUL, halves of characters, depth without end."""
    if depth > _DEEPEST:
        _refuse("The body is nested too deeply.", "is nested too deeply")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInputError(
                f"“{name}” holds a character that no text has. Nothing was changed.",
                fields={name: "holds a character that no text has"},
            )
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_plain(key, name or "body", depth=depth + 1)
            _check_plain(inner, f"{name}.{key}" if name else str(key), depth=depth + 1)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _check_plain(inner, f"{name}.{position}", depth=depth + 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            # Which of the two was meant cannot be known, and the other would be lost silently.
            raise ValueError(f"the key “{key[:100]}” stands twice")
        found[key] = value
    return found


def _refuse(message: str, problem: str) -> NoReturn:
    raise InvalidInputError(message, fields={"body": problem})
