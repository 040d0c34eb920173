"""The example library, loaded once: its registers, and its SOPs in force."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.resources import resource
from sop_server.services.demonstration.example_registers import load_registers
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.stores import Stores
from sop_server.storage import drafts

SOURCE = "example library"
_MARK = "example"


@dataclass(frozen=True, slots=True)
class ExampleLoaded:
    """How much came in."""

    sops: int
    people: int
    processes: int


def load_example(stores: Stores, *, actor: Actor, now: datetime) -> ExampleLoaded | None:
    """Load `sops/`, approved by `actor`; None where it was loaded before, whatever became of it since."""
    with stores.database.read() as session:
        if drafts.mark(session, _MARK) is not None:
            return None
    root = resource("sops")
    registers = load_registers(stores, actor=OPERATOR, root=root, now=now)
    request = ImportRequest(root=root, source=SOURCE, leaves_out=is_material)
    report = import_tree(stores, actor=actor, request=request, now=now)
    with stores.database.write() as session:
        drafts.set_mark(session, _MARK, now.isoformat())
    return ExampleLoaded(len(report.imported) + report.unchanged, registers.people, registers.processes)


def is_material(path: str) -> bool:
    """Whether a file of `sops/` is no SOP of the library: folders that begin with “_” hold what belongs to it."""
    return any(part.startswith("_") for part in path.split("/")[:-1])
