"""What may be said of a process of the operation, and what the register says after something new was said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from sop_server.domain.facts import Criticality, ProcessStatus
from sop_server.domain.people import clean_email
from sop_server.domain.roles import clean_slug
from sop_server.domain.tickets import ABSENT, MAX_NAME, MAX_NAMES, Absent
from sop_server.errors import InvalidInputError

MAX_PROCESS_NAME = 200

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInput:
    """What somebody says of a process. An absent field keeps its value, None clears it."""

    name: str | Absent = ABSENT
    department: str | Absent | None = ABSENT
    criticality: str | Absent | None = ABSENT
    owner: str | Absent | None = ABSENT
    deputy: str | Absent | None = ABSENT
    systems: Sequence[str] | Absent | None = ABSENT


@dataclass(frozen=True, slots=True)
class ProcessContent:
    """All that one version of an entry of the register says."""

    name: str
    department: str | None
    criticality: Criticality
    owner: str | None
    deputy: str | None
    systems: tuple[str, ...]
    status: ProcessStatus


def revise(former: ProcessContent | None, given: ProcessInput) -> ProcessContent:
    """Return what the register says now; raises one InvalidInputError for all fields that cannot be used."""
    problems: dict[str, str] = {}
    messages: list[str] = []

    def read(clean: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return clean()
        except InvalidInputError as error:
            problems.update(error.fields)
            messages.append(error.message)
            return otherwise

    content = ProcessContent(
        name=read(lambda: _name(given.name, former), ""),
        department=read(lambda: _department(given.department, former), None),
        criticality=read(lambda: _criticality(given.criticality, former), Criticality.NORMAL),
        owner=read(lambda: _person(given.owner, None if former is None else former.owner, field="owner"), None),
        deputy=read(lambda: _person(given.deputy, None if former is None else former.deputy, field="deputy"), None),
        systems=read(lambda: _systems(given.systems, former), ()),
        status=ProcessStatus.ACTIVE if former is None else former.status,
    )
    if messages:
        raise InvalidInputError(" ".join(messages), fields=problems)
    return content


def differs(former: ProcessContent, content: ProcessContent) -> list[str]:
    """Name the fields in which two versions differ."""
    return [
        field.name for field in fields(ProcessContent) if getattr(former, field.name) != getattr(content, field.name)
    ]


def _name(given: str | Absent, former: ProcessContent | None) -> str:
    if isinstance(given, Absent):
        if former is None:
            raise InvalidInputError(
                "A process needs a name: what the operation does, in a few words.", fields={"name": "is required"}
            )
        return former.name
    name = " ".join(given.split())
    if not name or len(name) > MAX_PROCESS_NAME or not name.isprintable():
        raise InvalidInputError(
            f"The name of a process has 1 to {MAX_PROCESS_NAME} printable characters.",
            fields={"name": f"1 to {MAX_PROCESS_NAME} printable characters"},
        )
    return name


def _department(given: str | Absent | None, former: ProcessContent | None) -> str | None:
    if isinstance(given, Absent):
        return None if former is None else former.department
    if given is None or not given.strip():
        return None
    return clean_slug(given, what="department", field="department")


def _criticality(given: str | Absent | None, former: ProcessContent | None) -> Criticality:
    if isinstance(given, Absent):
        return Criticality.NORMAL if former is None else former.criticality
    try:
        return Criticality.NORMAL if given is None else Criticality(given.strip().lower())
    except ValueError as error:
        raise InvalidInputError(
            f"A process is “critical” or “normal”, not “{str(given)[:40]}”.",
            fields={"criticality": "must be critical or normal"},
        ) from error


def _person(given: str | Absent | None, former: str | None, *, field: str) -> str | None:
    if isinstance(given, Absent):
        return former
    if given is None or not given.strip():
        return None
    return clean_email(given, field=field)


def _systems(given: Sequence[str] | Absent | None, former: ProcessContent | None) -> tuple[str, ...]:
    if isinstance(given, Absent):
        return () if former is None else former.systems
    names = tuple(dict.fromkeys(" ".join(name.split()) for name in given or () if name.strip()))
    if len(names) > MAX_NAMES or any(len(name) > MAX_NAME or not name.isprintable() for name in names):
        raise InvalidInputError(
            f"“systems” holds at most {MAX_NAMES} names of at most {MAX_NAME} printable characters each.",
            fields={"systems": f"at most {MAX_NAMES} names of {MAX_NAME} characters"},
        )
    return names
