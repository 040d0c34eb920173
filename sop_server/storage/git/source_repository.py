"""Somebody else's git repository, read for an import, without trusting anything of it but its objects."""

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git import Git

from sop_server.domain.content import MAX_BYTES
from sop_server.errors import DamagedError, InvalidInputError
from sop_server.storage.git.commits import Identity
from sop_server.storage.git.git_process import is_oid, isolate, require_oid, run, tokens
from sop_server.storage.git.log_stream import RawCommit, read_log
from sop_server.storage.git.publications import instant
from sop_server.storage.git.source_history import State, trace

_PLACEHOLDERS = ("%an", "%ae", "%at", "%s")
_REF = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")
_MOST_HOPS = 5
_PROBLEMS = {
    "120000": "is a symbolic link; import what it points to instead",
    "160000": "is another repository (a submodule); import that one instead",
}


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One `*.md` of HEAD; its `blob_oid` is of no use where there is a `problem`."""

    path: str
    blob_oid: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class SourceRevision:
    """One past state of a file: who made it, when, and where the file was then."""

    commit_oid: str
    author: Identity
    authored_at: datetime
    subject: str
    path: str
    blob_oid: str


@dataclass(frozen=True, slots=True)
class SourceHistory:
    """A file of HEAD and its states, oldest first, the last one being HEAD's; none where there is a `problem`."""

    path: str
    revisions: tuple[SourceRevision, ...]
    problem: str | None


def find_git_dir(root: Path) -> Path | None:
    """Return the git directory of a work tree or bare repository with its top at `root`, else None."""
    dot_git = root / ".git"
    if dot_git.is_file():
        found = re.fullmatch(rb"gitdir: ([^\0\n]+)\n?", dot_git.read_bytes()[:4096])
        return None if found is None else root / found[1].decode("utf-8", "surrogateescape")
    git_dir = dot_git if dot_git.is_dir() else root
    return git_dir if (git_dir / "HEAD").is_file() and (_common(git_dir) / "objects").is_dir() else None


class SourceRepository:
    """The objects of a repository as seen from an empty repository of our own, which borrows them.

    The source's configuration, hooks, attributes and remotes are never read: none of them can start a program,
    whoever owns the folder. For one thread.
    """

    def __init__(self, git_dir: Path) -> None:
        self._source = git_dir.absolute()
        self.head = _head(self._source)
        self._folder = tempfile.TemporaryDirectory(prefix="sop-import-")
        home = Path(self._folder.name)
        self._git = Git(home)
        try:
            self._borrow(home)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the git processes and remove the folder."""
        self._git.clear_cache()
        self._folder.cleanup()

    def files(self) -> Iterator[SourceEntry]:
        """Yield the `*.md` of HEAD, by path, with what keeps each from being imported."""
        if self.head is None:
            return
        for entry in tokens(self._git, ["ls-tree", "-r", "-l", "-z", "--full-tree", self.head]):
            facts, _, path = entry.partition(b"\t")
            mode, _, oid, size = facts.decode("ascii").split()
            if path.lower().endswith(b".md"):
                problem = _PROBLEMS.get(mode)
                if problem is None and size.isdigit() and int(size) > MAX_BYTES:
                    problem = f"has {int(size):,} bytes and the limit is {MAX_BYTES:,} (1 MiB)"
                yield SourceEntry(_shown(path), oid, problem)

    def histories(self) -> Iterator[SourceHistory]:
        """Yield the `*.md` of HEAD with their past states, oldest first, through renames: one pass over all commits.

        Merges are left out but where their text is that of none of their sides.
        """
        if self.head is None:
            return
        entries = list(self.files())
        commits: dict[str, RawCommit] = {}
        states = trace(
            self._remember(commits), [entry.path for entry in entries if entry.problem is None], shown=_shown
        )
        newest = next(read_log(self._git, ["-1", self.head, "--"], placeholders=_PLACEHOLDERS))
        for entry in entries:
            if entry.problem is not None:
                yield SourceHistory(entry.path, (), entry.problem)
                continue
            found = states.pop(entry.path)
            if not found or found[-1].blob_oid != entry.blob_oid:
                # The sides of a merge had other texts, and one of them won: HEAD vouches for what it has.
                commits[newest.oid] = newest
                found.append(State(newest.oid, entry.path, entry.blob_oid))
            yield SourceHistory(entry.path, tuple(_revision(state, commits) for state in found), None)

    def read(self, blob_oid: str) -> bytes:
        """Return the bytes of a file; raises InvalidInputError where it is too large or is not in the source."""
        require_oid(blob_oid)
        try:
            _, _, size = self._git.get_object_header(blob_oid)
            if size > MAX_BYTES:
                raise InvalidInputError(f"has {size:,} bytes and the limit is {MAX_BYTES:,} (1 MiB)")
            _, _, _, content = self._git.get_object_data(blob_oid)
        except (ValueError, OSError) as exc:
            raise InvalidInputError(
                "is not in the repository: the clone is partial, or damaged. Fetch it whole and import it again"
            ) from exc
        return content

    def _remember(self, commits: dict[str, RawCommit]) -> Iterator[RawCommit]:
        arguments = ["--date-order", "-c", "--root", "-M", str(self.head), "--", ":(icase)*.md"]
        for commit in read_log(self._git, arguments, placeholders=_PLACEHOLDERS):
            commits[commit.oid] = RawCommit(commit.oid, commit.fields, ())
            yield commit

    def _borrow(self, home: Path) -> None:
        objects = str(_common(self._source) / "objects")
        if "\n" in objects:
            raise InvalidInputError(
                "The path of the repository holds a line feed. Rename its folder; nothing was read."
            )
        shallow = _common(self._source) / "shallow"
        isolate(self._git, home, shallow=shallow.absolute() if shallow.is_file() else None)
        made = run(self._git, ["init", "--quiet", "--bare", "--object-format=sha1", "--template="])
        if made.status != 0:
            raise DamagedError(f"git could not prepare to read {self._source}: {made.errors}.")
        (home / "objects" / "info").mkdir(exist_ok=True)
        (home / "objects" / "info" / "alternates").write_bytes(objects.encode("utf-8", "surrogateescape") + b"\n")


def _common(git_dir: Path) -> Path:
    """Return where a linked work tree's repository keeps what all its work trees share."""
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return (git_dir / pointer.read_bytes().strip().decode("utf-8", "surrogateescape")).resolve()


def _head(git_dir: Path) -> str | None:
    """Return the commit that HEAD stands at; None before the first one.

    Raises InvalidInputError for a repository whose references or ids are of another form.
    """
    common = _common(git_dir)
    if (common / "reftable").is_dir():
        raise InvalidInputError(
            f"{git_dir} keeps its references as “reftable”, which cannot be read. Import from a fresh clone of it."
        )
    target = _line(git_dir / "HEAD")
    for _ in range(_MOST_HOPS):
        if is_oid(target):
            return target
        if not target.startswith("ref:"):
            break
        name = target.removeprefix("ref:").strip()
        if _REF.fullmatch(name) is None or ".." in name:
            break
        loose = _line(git_dir / name) or _line(common / name)
        target = loose or _packed(common, name)
        if not target:
            return None
    raise InvalidInputError(
        f"The HEAD of {git_dir} cannot be read: it names neither a branch nor a commit by a 40-character id. "
        "Import from a fresh clone; nothing was read."
    )


def _line(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as opened:
        return opened.read(1024).split(b"\n")[0].strip().decode("utf-8", "replace")


def _packed(common: Path, name: str) -> str:
    packed = common / "packed-refs"
    if not packed.is_file():
        return ""
    with packed.open(encoding="utf-8", errors="replace") as opened:
        return next((line[:40] for line in opened if line[40:].strip() == name and is_oid(line[:40])), "")


def _revision(state: State, commits: Mapping[str, RawCommit]) -> SourceRevision:
    name, email, seconds, subject = (field.decode("utf-8", "replace") for field in commits[state.commit_oid].fields)
    email = _clean(email)
    return SourceRevision(
        commit_oid=state.commit_oid,
        author=Identity(_clean(name) or email or "unknown", email),
        authored_at=instant(seconds),
        subject=_clean(subject, keep="<>"),
        path=state.path,
        blob_oid=state.blob_oid,
    )


def _clean(text: str, *, keep: str = "") -> str:
    """Return what can stand in a commit of the library."""
    return "".join(
        character
        for character in text
        if (character not in "<>" or character in keep) and unicodedata.category(character) not in {"Cc", "Cs"}
    ).strip()


def _shown(path: bytes) -> str:
    # A name that is no UTF-8 is shown with its odd bytes as `\\xe9`: it stays known, and can be stored.
    return path.decode("utf-8", "backslashreplace")
