"""What may be said of a process of the operation, and what the register says after something new was said."""

from collections.abc import Sequence
from dataclasses import dataclass

from sop_server.domain.facts import Criticality, ProcessStatus
from sop_server.domain.given import ABSENT, Absent, Fields, clean_names
from sop_server.domain.people import clean_email
from sop_server.domain.roles import clean_slug
from sop_server.errors import InvalidInputError

MAX_PROCESS_NAME = 200


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
    said = Fields()
    owner, deputy, systems = (None, None, None) if former is None else (former.owner, former.deputy, former.systems)
    content = ProcessContent(
        name=said.read(lambda: _name(given.name, former), ""),
        department=said.read(lambda: _department(given.department, former), None),
        criticality=said.read(lambda: _criticality(given.criticality, former), Criticality.NORMAL),
        owner=said.read(lambda: _person(given.owner, owner, field="owner"), None),
        deputy=said.read(lambda: _person(given.deputy, deputy, field="deputy"), None),
        systems=said.read(lambda: clean_names(given.systems, systems, field="systems"), ()),
        status=ProcessStatus.ACTIVE if former is None else former.status,
    )
    said.require_sound()
    return content


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
