"""The rooms of the program, held against their plan by walking the imports."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "sop_server"
LONGEST_FILE = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "data", "info", "misc"}

# What each room may import of this package. `app` puts everything together; nothing but the entries import it.
_APPLICATION = {
    "app",
    "home",
    "settings",
    "resources",
    "services",
    "storage",
    "rendering",
    "views",
    "api",
    "domain",
    "errors",
    "",
}
ARROWS = {
    "errors": set[str](),
    "resources": set[str](),
    "": set[str](),
    "domain": {"errors"},
    "rendering": {"domain", "errors"},
    "storage": {"domain", "errors"},
    "services": {"storage", "rendering", "domain", "errors", "resources"},
    "views": {"services", "domain", "errors", ""},
    "api": {"services", "domain", "errors", ""},
    "settings": {"domain", "errors", "storage"},
    "home": {"settings", "resources", "services", "storage", "errors"},
    "app": _APPLICATION - {"app"},
    "serving": _APPLICATION,
    "wsgi": {"serving", "settings"},
    "cli": {"services", "domain", "errors", "app", "home", "serving", "settings", "resources", ""},
    "__main__": {"cli"},
}
HOMES_OF_LIBRARIES = {
    "git": {"storage"},
    "sqlalchemy": {"storage"},
    "alembic": {"storage"},
    "whoosh": {"storage"},
    "flask": {"app", "views", "api", "cli", "serving", "wsgi"},
    "flask_wtf": {"app", "views"},
    "gunicorn": {"serving"},
    "click": {"cli"},
    "markdown_it": {"rendering"},
    "nh3": {"rendering"},
    "pyotp": {"services"},
    "segno": {"views"},
    "zxcvbn": {"services"},
}


def sources() -> list[Path]:
    return sorted((ROOT / PACKAGE).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return f"{module}.".split(".")[1]


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each imported module, and the names that are taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrow"
            yield node.module or "", tuple(alias.name for alias in node.names)


def targets(tree: ast.AST, modules: set[str]) -> set[str]:
    """Return the modules of this package that a file imports; `from room import module` names the module."""
    found: set[str] = set()
    for module, names in imported(tree):
        if module.split(".")[0] != PACKAGE:
            continue
        submodules = {f"{module}.{name}" for name in names if f"{module}.{name}" in modules}
        found |= submodules
        if not names or len(submodules) < len(names):
            found.add(module)
    return found


def room_of(target: str) -> str:
    return "" if target == PACKAGE else room(target)


def test_every_import_follows_an_arrow_of_the_plan() -> None:
    modules = {module_name(path) for path in sources()}
    wrong = [
        f"{module_name(path)} imports {target}"
        for path in sources()
        for target in targets(parsed(path), modules)
        if room_of(target) != room(module_name(path))
        and room_of(target) not in ARROWS.get(room(module_name(path)), set())
    ]
    assert wrong == []


def test_every_room_has_its_arrows() -> None:
    assert {room(module_name(path)) for path in sources()} <= ARROWS.keys()


def test_no_module_is_imported_in_a_circle() -> None:
    modules = {module_name(path) for path in sources()}
    graph = {module_name(path): targets(parsed(path), modules) & modules for path in sources()}
    assert circle(graph) is None


def circle(graph: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str] | None:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return None
        for target in sorted(graph[module]):
            found = walk(target, [*way, module])
            if found is not None:
                return found
        done.add(module)
        return None

    return next((found for module in sorted(graph) if (found := walk(module, [])) is not None), None)


def test_a_circle_would_be_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize(("library", "rooms"), HOMES_OF_LIBRARIES.items())
def test_each_library_is_imported_in_its_home_alone(library: str, rooms: set[str]) -> None:
    strangers = [
        module_name(path)
        for path in sources()
        if room(module_name(path)) not in rooms
        and any(module.split(".")[0] == library for module, _names in imported(parsed(path)))
    ]
    assert strangers == []


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        f"{module_name(path)}:{inner.lineno}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_file_is_two_concepts_long() -> None:
    # The first migration is every table once: it grows no further.
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
        if "migrations" not in path.parts
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = [module_name(path) for path in sources() if FORBIDDEN_NAMES & set(path.stem.split("_"))]
    assert empty == []


def test_no_module_opens_anything_when_it_is_imported() -> None:
    openers = {"create_app", "create_engine", "open_stores", "Database", "Library", "Flask", "SpecTree", "Settings"}
    opened = [
        f"{module_name(path)}:{node.lineno}"
        for path in sources()
        for node in parsed(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in openers
    ]
    assert opened == []
