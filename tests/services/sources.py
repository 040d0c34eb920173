"""A folder of Markdown that is imported, and what became of its files."""

from collections.abc import Callable
from pathlib import Path

from sop_server.services.imports.import_report import ImportReport
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.tables import Revision

Files = dict[str, str | bytes]
Import = Callable[..., ImportReport]


def write(root: Path, files: Files) -> None:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def revision(stores: Stores, sop_id: str, number: int = 1) -> Revision:
    with stores.database.read() as session:
        row = sops.revision_row(session, sop_id, number)
    assert row is not None
    return row


def text(stores: Stores, sop_id: str, number: int = 1) -> str:
    return stores.library.read(revision(stores, sop_id, number).blob_oid).decode()


def ids(report: ImportReport) -> dict[str, str]:
    return {sop.path: sop.sop_id for sop in report.imported}
