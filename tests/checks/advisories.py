"""Asks whether a vulnerability is known of what is installed: `python -m tests.checks.advisories`.

What could not be asked is told as not checked, and never as good news.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib.metadata import distributions

_SECONDS = 300
_ABOUT_A_LIST = ("--strict", "--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json")


class Outcome(IntEnum):
    """How it went; the value is the exit code."""

    CLEAN = 0
    VULNERABLE = 1
    NOT_CHECKED = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went, in words."""

    outcome: Outcome
    told: str


def ask(*options: str) -> Verdict:
    """Run pip-audit on what is installed beside this program; `options` name another source."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.writelines(f"{name}=={version}\n" for name, version in installed())
        listed.flush()
        command = [sys.executable, "-m", "pip_audit", *_ABOUT_A_LIST, f"--requirement={listed.name}", *options]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return _not_checked(f"no answer within {_SECONDS} s")
    return verdict(done.returncode, done.stdout, done.stderr)


def installed() -> list[tuple[str, str]]:
    """Return what is installed, with its version, but for the program itself, of which no list tells."""
    found = {one.metadata["Name"].lower(): one.version for one in distributions()}
    return sorted((name, version) for name, version in found.items() if name != "sop-server")


def verdict(code: int, output: str, errors: str) -> Verdict:
    """Judge by what was said about each package, since pip-audit is content with having asked about none."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _not_checked(_last(errors.splitlines()))
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    bad = [one for one in packages if one.get("vulns")]
    if bad:
        told = [f"{one['name']} {one['version']}: {', '.join(v['id'] for v in one['vulns'])}" for one in bad]
        return Verdict(Outcome.VULNERABLE, "Vulnerable: " + "; ".join(told))
    if code != 0 or skipped or not packages:
        return _not_checked(f"nothing was said about {', '.join(skipped)}" if skipped else _last(errors.splitlines()))
    return Verdict(Outcome.CLEAN, f"No vulnerability is known of the {len(packages)} packages that were asked about.")


def _not_checked(why: str) -> Verdict:
    return Verdict(Outcome.NOT_CHECKED, f"NOT CHECKED for known vulnerabilities: the source cannot be reached ({why}).")


def _last(lines: Sequence[str]) -> str:
    return lines[-1][:300] if lines else "it said nothing"


def main() -> int:
    """Ask, and tell."""
    found = ask()
    print(found.told)
    return found.outcome


if __name__ == "__main__":
    sys.exit(main())
