"""How git is run: isolated from the caller's environment, without a shell, no person's text as an option."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE  # nosec B404 - the name of a constant
from typing import Any

from git import Git
from git.exc import GitCommandNotFound

from sop_server.errors import DamagedError, InvalidInputError

_HEX = frozenset("0123456789abcdef")
_OID_LENGTH = 40
_CHUNK = 1 << 16

# What the person or the hook that started us has set must not reach another repository. GitPython adds to the
# inherited environment and cannot take away, so each variable gets the value that means "not set".
_ISOLATED: Mapping[str, str] = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_NAMESPACE": "",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_SHALLOW_FILE": "",
    "GIT_TERMINAL_PROMPT": "0",
    # No transport at all: a repository that names missing objects cannot make git start a program to fetch them.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """What a git process left behind."""

    status: int
    output: bytes
    errors: str


def isolate(git: Git, git_dir: Path, *, shallow: Path | None = None) -> None:
    """Bind a command to one git directory, whatever the environment says; `shallow` names its list of cut-off commits.

    An explicit directory also spares git's search for one and its question of who owns it.
    """
    git.update_environment(
        **{
            **_ISOLATED,
            "GIT_DIR": str(git_dir),
            "GIT_COMMON_DIR": str(git_dir),
            "GIT_OBJECT_DIRECTORY": str(git_dir / "objects"),
            "GIT_SHALLOW_FILE": "" if shallow is None else str(shallow),
        }
    )


def start(git: Git, arguments: Sequence[str], *, descriptors: Sequence[int] = ()) -> Any:
    """Start git and return the process; it inherits `descriptors` and, as far as files go, nothing else.

    Raises DamagedError where git cannot be started.
    """
    command = [Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *arguments]
    try:
        return git.execute(command, istream=PIPE, as_process=True, pass_fds=tuple(descriptors))
    except (GitCommandNotFound, OSError) as exc:
        raise DamagedError(
            "git could not be started. Nothing was changed; install git 2.36 or newer and put it on PATH."
        ) from exc


def run(git: Git, arguments: Sequence[str], *, stdin: bytes = b"", descriptors: Sequence[int] = ()) -> Finished:
    """Run git to its end."""
    process = start(git, arguments, descriptors=descriptors)
    output, errors = process.communicate(stdin)
    return Finished(process.returncode, output, errors.decode("utf-8", "replace").strip())


def tokens(git: Git, arguments: Sequence[str]) -> Iterator[bytes]:
    """Yield what git prints between NULs, as it comes.

    Raises DamagedError, after what could be read, where git fails.
    """
    process = start(git, arguments)
    errors: list[bytes] = []
    # A reader of its own: a git that complains a lot would wait for ever on a full pipe.
    drain = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
    drain.start()
    finished = False
    try:
        process.stdin.close()
        rest = b""
        while chunk := process.stdout.read1(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole
        if rest:
            yield rest
        finished = True
    finally:
        if not finished:
            process.terminate()
        status = process.proc.wait()
        drain.join()
        process.stdout.close()
        process.stderr.close()
    if status != 0:
        said = b"".join(errors).decode("utf-8", "replace").strip().splitlines()
        raise DamagedError(f"git could not read the repository: {said[-1] if said else f'it ended with {status}'}.")


def is_oid(text: str) -> bool:
    """Tell whether `text` is a full object id: the only names of objects that reach git."""
    return len(text) == _OID_LENGTH and _HEX.issuperset(text)


def require_oid(text: str) -> str:
    """Return `text` where it is a full object id; raise InvalidInputError otherwise."""
    if not is_oid(text):
        raise InvalidInputError(f"{text[:60]!r} is not the id of an object: 40 characters 0-9 and a-f are.")
    return text
