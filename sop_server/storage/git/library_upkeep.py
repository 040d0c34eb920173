"""Keeping the library's repository in order: its configuration, packing, proof."""

import os
import re
import shutil
from pathlib import Path

from git import Git, Repo

from sop_server.errors import DamagedError, InvalidInputError
from sop_server.storage.git import left_overs
from sop_server.storage.git.git_process import isolate, run
from sop_server.storage.git.library_lock import LibraryLock

_HOOKS = ("pre-receive",)
_CONFIG_NAME = "config.sop-server"
# A file of its own, included by git's, so that it can be written anew and an administrator's settings stay.
_CONFIG = """\
# Written by sop-server at each start; put settings of your own into `config`.
[core]
	fsync = all
	logAllRefUpdates = true
	fileMode = false
[gc]
	auto = 0
[maintenance]
	auto = false
[commitGraph]
	readChangedPaths = true
[transfer]
	hideRefs = refs/drafts
	hideRefs = refs/intents
	fsckObjects = true
[receive]
	denyNonFastForwards = true
	denyDeletes = true
	denyCurrentBranch = refuse
"""
_UNREACHABLE = re.compile(r"unreachable [a-z]+ ([0-9a-f]{40})")
_ILL_FORMED = re.compile(r"(?:warning|error) in [a-z]+ ([0-9a-f]{40}):")


def prepare(path: Path, hooks: Path, *, lock: LibraryLock, timeout: float) -> None:
    """Make the bare repository at `path`, or bring the hooks and settings of the one that is there up to date.

    The settings are written under the library's `lock`, waited for as long as `timeout` seconds. Raises
    InvalidInputError where something else is there, DamagedError where git cannot make it.
    """
    if path.exists() and not (path / "HEAD").is_file() and any(path.iterdir()):
        raise InvalidInputError(
            f"{path} holds something that is not a library. Nothing was changed there; choose another folder."
        )
    path.mkdir(parents=True, exist_ok=True)
    git = Git(path)
    isolate(git, path)
    if not (path / "HEAD").is_file():
        made = run(git, ["init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha1", "--template="])
        if made.status != 0:
            raise DamagedError(f"The library at {path} could not be made: {made.errors}.")
    with lock.hold(timeout=timeout) as descriptor:
        left_overs.remove_locks(path)
        _replace(path / _CONFIG_NAME, _CONFIG.encode(), mode=0o644)
        included = run(
            git,
            ["config", "--local", "--replace-all", "include.path", _CONFIG_NAME, f"^{_CONFIG_NAME}$"],
            descriptors=[descriptor],
        )
    if included.status != 0:
        raise DamagedError(f"The settings of the library at {path} could not be written: {included.errors}.")
    (path / "hooks").mkdir(exist_ok=True)
    for name in _HOOKS:
        # A wheel does not keep the executable bit, and git skips a hook that has none.
        _replace(path / "hooks" / name, (hooks / name).read_bytes(), mode=0o755)


def maintain(repo: Repo, path: Path, *, descriptor: int) -> None:
    """Pack refs and objects and write the commit graph. No object is ever dropped, reachable or not.

    Only for the holder of the library lock. Raises DamagedError with git's reason.
    """
    left_overs.remove_left_overs(path)
    for arguments in (
        ["pack-refs", "--all"],
        # Rolls small packs up, and takes all loose objects along: states of drafts that were replaced stay.
        ["repack", "--geometric=2", "-d", "-l", "-q"],
        ["commit-graph", "write", "--reachable", "--changed-paths", "--split=replace", "--no-progress"],
    ):
        finished = run(repo.git, arguments, descriptors=[descriptor])
        if finished.status != 0:
            raise DamagedError(
                f"The library could not be tidied up; it is whole. git {arguments[0]}: {finished.errors}"
            )


def verify(repo: Repo) -> list[str]:
    """Return what git finds wrong with its objects and references, a sentence each."""
    finished = run(repo.git, ["fsck", "--full", "--unreachable", "--no-dangling", "--no-progress"])
    lines = [*finished.output.decode("utf-8", "replace").splitlines(), *finished.errors.splitlines()]
    unreachable = {match[1] for line in lines if (match := _UNREACHABLE.match(line))}
    problems = [f"git fsck: {line.strip()}." for line in lines if _tells_damage(line, unreachable)]
    if finished.status != 0 and not problems and not unreachable:
        problems.append(f"git fsck: ended with status {finished.status} and no reason.")
    return problems


def _tells_damage(line: str, unreachable: set[str]) -> bool:
    # "notice" tells that a new library has no commit yet.
    if not line.strip() or line.startswith("notice:") or _UNREACHABLE.match(line):
        return False
    # The half-made tree of a write that was killed: nothing leads to it.
    ill_formed = _ILL_FORMED.match(line)
    return ill_formed is None or ill_formed[1] not in unreachable


def _replace(target: Path, content: bytes, *, mode: int) -> None:
    if target.is_file() and target.read_bytes() == content and target.stat().st_mode & 0o777 == mode:
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.chmod(mode)
        shutil.move(part, target)
    finally:
        part.unlink(missing_ok=True)
