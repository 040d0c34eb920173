"""Files that people send."""

from dataclasses import dataclass
from pathlib import PurePath

from werkzeug.datastructures import FileStorage, MultiDict

from sop_server.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with its name, as the browser gives it, for telling people which one it was."""

    name: str
    content: bytes

    @property
    def is_json(self) -> bool:
        """Whether it is JSON, by its name or else by how it begins."""
        suffix = PurePath(self.name).suffix.lower()
        return suffix == ".json" or (
            suffix != ".csv" and self.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"[", b"{"}
        )


def file(files: MultiDict[str, FileStorage], field: str) -> Upload:
    """Return the file of a form; raises InvalidInputError where none was chosen or it is empty."""
    sent = files.get(field)
    content = b"" if sent is None else sent.read()
    if sent is None or not content.strip():
        raise InvalidInputError("Choose a file that is not empty. Nothing was imported.", fields={field: "is missing"})
    return Upload(PurePath(sent.filename or "the file").name[:120], content)
