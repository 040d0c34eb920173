"""Somebody else's folder of Markdown, read for an import: one bad file never hides the others."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sop_server.domain.content import MAX_BYTES
from sop_server.errors import InvalidInputError
from sop_server.storage.git.source_repository import SourceHistory, SourceRepository, find_git_dir

_SUFFIX = ".md"
_TOO_LARGE = f"is larger than {MAX_BYTES:,} bytes (1 MiB); split it and import it again"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source: its path there, and its bytes or the reason why there are none."""

    path: str
    content: bytes | None
    problem: str | None = None


class SourceTree:
    """A folder, a single file, or a git repository (work tree or bare) to import from. A context manager.

    Nothing of a repository's own configuration is read, so that none of it can start a program.
    """

    def __init__(self, root: Path) -> None:
        if not root.exists():
            raise InvalidInputError(f"There is nothing at {root}. Check the path; nothing was imported.")
        self.root = root
        git_dir = find_git_dir(root) if root.is_dir() else None
        self._repository = None if git_dir is None else SourceRepository(git_dir)
        self._bare = git_dir is not None and git_dir == root

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the git processes that were started."""
        if self._repository is not None:
            self._repository.close()

    def files(self) -> Iterator[SourceFile]:
        """Yield every `*.md` as it lies there, by path, but those under `.git`; of a bare repository those of HEAD."""
        if self._repository is not None and self._bare:
            yield from _files_of_head(self._repository)
        elif self.root.is_dir():
            yield from _files_of_folder(self.root)
        else:
            yield _read(self.root, self.root.name)

    def histories(self) -> Iterator[SourceHistory]:
        """Yield every `*.md` of HEAD with its past states, oldest first, through its renames.

        Raises InvalidInputError where the source is no git repository.
        """
        return self._required().histories()

    def read(self, blob_oid: str) -> bytes:
        """Return the bytes of one past state; raises InvalidInputError where it is too large or not there."""
        return self._required().read(blob_oid)

    def _required(self) -> SourceRepository:
        if self._repository is None:
            raise InvalidInputError(
                f"{self.root} is not a git repository, so it has no history. Name the repository's top folder, "
                "or import without --history."
            )
        return self._repository


def _files_of_head(repository: SourceRepository) -> Iterator[SourceFile]:
    for entry in repository.files():
        content: bytes | None = None
        problem = entry.problem
        if problem is None:
            try:
                content = repository.read(entry.blob_oid)
            except InvalidInputError as error:
                problem = error.message
        yield SourceFile(entry.path, content, problem)


def _files_of_folder(root: Path) -> Iterator[SourceFile]:
    unreadable: list[SourceFile] = []

    def refuse(error: OSError) -> None:
        unreadable.append(SourceFile(_relative(root, error.filename), None, f"cannot be read: {error.strerror}"))

    for folder, folders, names in os.walk(root, onerror=refuse):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ".git" and name not in links)
        for name in sorted(links):
            yield SourceFile(
                _relative(root, os.path.join(folder, name)),  # noqa: PTH118 (names may be no UTF-8; kept as they are)
                None,
                "is a link to a folder; links are not followed, import the folder itself",
            )
        for name in sorted(names):
            if name.lower().endswith(_SUFFIX):
                path = Path(folder) / name
                yield _read(path, _relative(root, str(path)))
        yield from unreadable
        unreadable.clear()
    yield from unreadable


def _read(path: Path, shown: str) -> SourceFile:
    try:
        # O_NONBLOCK: opening a pipe that is named `x.md` would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            return SourceFile(shown, None, "is a symbolic link; import what it points to instead")
        return SourceFile(shown, None, f"cannot be read: {error.strerror}")
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return SourceFile(shown, None, "is not a regular file")
        try:
            content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            return SourceFile(shown, None, f"cannot be read: {error.strerror}")
    if len(content) > MAX_BYTES:
        return SourceFile(shown, None, _TOO_LARGE)
    return SourceFile(shown, content)


def _relative(root: Path, path: str) -> str:
    # A name that is no UTF-8 is shown with its odd bytes as `\\xe9`: it stays known, and can be stored.
    return os.fsencode(os.path.relpath(path, root)).decode("utf-8", "backslashreplace")
