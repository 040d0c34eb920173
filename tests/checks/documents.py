"""Tables of documents, and the tests that they name."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows(path: Path) -> list[list[str]]:
    """Return the cells of every row of every table of a document, without the heads."""
    lines = path.read_text("utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        ruled = line.startswith("| ---")
        head = number + 1 < len(lines) and lines[number + 1].startswith("| ---")
        if line.startswith("|") and not ruled and not head:
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def named_in(text: str) -> list[tuple[str, str]]:
    """Return the files and functions of the tests that a text names."""
    return _TEST.findall(text)


def known_tests() -> set[tuple[str, str]]:
    """Return the files, below `tests`, and functions of all tests that pytest would collect."""
    folder = ROOT / "tests"
    return {
        (str(path.relative_to(folder)), node.name)
        for path in folder.rglob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
