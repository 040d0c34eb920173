"""The process register."""

from sop_server.api.schemas.base import Input, Instant, Names, Output, Paging, ShortText


class ProcessChange(Input):
    """What is new of a process: an absent key keeps its value, null clears it."""

    name: ShortText = ""
    department: ShortText | None = None
    criticality: ShortText | None = None
    owner: ShortText | None = None
    deputy: ShortText | None = None
    systems: Names | None = None
    status: ShortText | None = None


class ProcessWrite(Input):
    """A new entry of the register; its id is given by the server."""

    name: ShortText
    department: ShortText | None = None
    criticality: ShortText | None = None
    owner: ShortText | None = None
    deputy: ShortText | None = None
    systems: Names | None = None
    registered_at: Instant | None = None


class ProcessQuery(Paging):
    """Which processes."""

    department: ShortText | None = None
    status: ShortText | None = None
    documented: bool | None = None
    q: ShortText | None = None


class Process(Output):
    """What the operation does, and the SOPs in force that say how."""

    id: str
    name: str
    department: str | None
    criticality: str
    owner: str | None
    deputy: str | None
    systems: list[str]
    status: str
    registered_at: Instant
    sops: list[str]
    documented: bool
