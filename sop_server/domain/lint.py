"""What is wrong with an SOP's file: one set of rules for the command line, the git hooks and the editor."""

import html
import posixpath
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from sop_server.domain import identifiers
from sop_server.domain.content import UnreadableContentError, normalise
from sop_server.domain.front_matter import Problem, Severity, SopFile, parse

SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
UNSAFE_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob"})
MAX_PROBLEMS = 200

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})(?: |$)")
_TARGET = re.compile(r"\]\([ \t]*<?([^\s()<>]{1,2000})")
_DEFINITION = re.compile(r" {0,3}\[[^\[\]]{1,999}\]:[ \t]*<?([^\s<>]{1,2000})")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2000})>")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,31}):")
_CODE_SPAN = re.compile(r"(?<!`)(`{1,9})(?!`)[^\n]{1,500}?(?<!`)\1(?!`)")
_WIKI = re.compile(r"\[\[([^\[\]]{0,300})(\]\])?")
_BARE_ID = re.compile(r"(?<![\w-])SOP-[0-9]{4,9}(?![\w-])")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    code: bool


def lint(text: str | bytes, *, path: str) -> list[Problem]:
    """Return what is wrong with one file, in the order of its lines."""
    try:
        file = parse(normalise(text))
    except UnreadableContentError as exc:
        return [Problem(exc.line, None, exc.message, Severity.ERROR, path)]
    return _located(_problems(file), path)


def lint_tree(files: Iterable[tuple[str, bytes]]) -> list[Problem]:
    """Return what is wrong with each file and between them: one id twice, links to what is not there."""
    found: list[Problem] = []
    read: list[tuple[str, SopFile]] = []
    paths: set[str] = set()
    for path, raw in files:
        paths.add(posixpath.normpath(path))
        try:
            file = parse(normalise(raw))
        except UnreadableContentError as exc:
            found.append(Problem(exc.line, None, exc.message, Severity.ERROR, path))
            continue
        read.append((path, file))
        found.extend(_located(_problems(file), path))
    owners: dict[str, str] = {}
    for path, file in read:
        if file.front.id is not None:
            first = owners.setdefault(file.front.id, path)
            if first != path:
                message = f"id: {file.front.id} is also the id of {first}"
                found.append(Problem(file.lines.get("id", 1), "id", message, Severity.ERROR, path))
    for path, file in read:
        found.extend(_located(_missing(file, path, ids=owners.keys(), paths=paths), path))
    return sorted(found, key=lambda problem: (problem.path, problem.line))


def _located(problems: Iterable[Problem], path: str) -> list[Problem]:
    located = sorted((replace(problem, path=path) for problem in problems), key=lambda problem: problem.line)
    return located[:MAX_PROBLEMS]


def _problems(file: SopFile) -> Iterator[Problem]:
    yield from file.problems
    named = {problem.field for problem in file.problems}
    unreadable = any(problem.field is None for problem in file.problems)
    if file.front.title is None and "title" not in named and not unreadable:
        yield Problem(1, "title", "title: a SOP needs a title", Severity.ERROR)
    for key, value, effect in (
        ("department", file.front.department, "only people with a role for all departments can work on it"),
        ("owner", file.front.owner, "readers will not know whom to ask"),
    ):
        if value is None and key not in named and not unreadable:
            yield Problem(1, key, f"{key}: none is named; {effect}", Severity.WARNING)
    if not file.body.strip():
        yield Problem(file.body_line, None, "the SOP has no text", Severity.ERROR)
    lines = list(_lines(file))
    yield from _headings(lines)
    yield from _conflicts(lines)
    for line in lines:
        if not line.code:
            yield from _targets(line)
            yield from _wiki_links(line)
        if _DIRECTION.search(line.text):
            message = "a hidden mark changes the direction of the text, which can disguise what it says"
            yield Problem(line.number, None, message, Severity.WARNING)


def _headings(lines: Iterable[_Line]) -> Iterator[Problem]:
    # The SOP's title is the first level, whether or not the body repeats it.
    level = 1
    for line in lines:
        heading = None if line.code else _HEADING.match(line.text)
        if heading is None:
            continue
        depth = len(heading.group(1))
        if depth > level + 1:
            message = f"the heading jumps from level {level} to {depth}; use {'#' * (level + 1)}"
            yield Problem(line.number, None, message, Severity.WARNING)
        level = depth


def _conflicts(lines: Iterable[_Line]) -> Iterator[Problem]:
    for line in lines:
        if _CONFLICT.match(line.text):
            message = "a mark of an unresolved merge is left; choose one of the two texts"
            severity = Severity.WARNING if line.code else Severity.ERROR
            yield Problem(line.number, None, message, severity)


def _targets(line: _Line) -> Iterator[Problem]:
    for pattern in (_TARGET, _DEFINITION, _AUTOLINK):
        for match in pattern.finditer(line.text):
            target = html.unescape(match.group(1)).strip()
            scheme = _SCHEME.match(unquote(target))
            name = scheme.group(1).lower() if scheme else None
            if name in UNSAFE_SCHEMES:
                message = f"a link with “{name}:” is not safe and will not be shown as a link"
                yield Problem(line.number, None, message, Severity.ERROR)
            elif name is not None and name not in SAFE_SCHEMES:
                message = f"a link with “{name}:” will not be shown as a link"
                yield Problem(line.number, None, message, Severity.WARNING)


def _wiki_links(line: _Line) -> Iterator[Problem]:
    for match in _WIKI.finditer(line.text):
        target = match.group(1).partition("|")[0].strip()
        if match.group(2) is None:
            yield Problem(line.number, None, "“[[” is not closed by “]]”", Severity.WARNING)
            return
        if identifiers.parse_sop_id(target) is None:
            near = identifiers.normalise_sop_id(target)
            advice = f"did you mean [[{near}]]?" if near else "write for example [[SOP-0007]]"
            message = f"“[[{target}]]” names no SOP; {advice}"
            yield Problem(line.number, None, message, Severity.WARNING)


def _missing(file: SopFile, path: str, *, ids: Container[str], paths: Container[str]) -> Iterator[Problem]:
    for sop in file.front.links:
        if sop not in ids:
            message = f"links: {sop} is not in the library"
            yield Problem(file.lines.get("links", 1), "links", message, Severity.WARNING)
    folder = posixpath.dirname(path)
    for line in _lines(file):
        if line.code:
            continue
        for sop in dict.fromkeys(_BARE_ID.findall(line.text)):
            if identifiers.parse_sop_id(sop) is not None and sop not in ids:
                message = f"{sop} is not in the library"
                yield Problem(line.number, None, message, Severity.WARNING)
        for match in _TARGET.finditer(line.text):
            target = unquote(match.group(1).partition("#")[0].partition("?")[0])
            if not target.endswith(".md") or target.startswith("/") or _SCHEME.match(target):
                continue
            if posixpath.normpath(posixpath.join(folder, target)) not in paths:
                message = f"the link to {target} leads nowhere"
                yield Problem(line.number, None, message, Severity.WARNING)


def _lines(file: SopFile) -> Iterator[_Line]:
    """Yield the body's lines; `code` inside fences, code spans blanked outside them."""
    fence = ""
    for number, text in enumerate(file.body.split("\n"), start=file.body_line):
        mark = _FENCE.match(text)
        if fence:
            yield _Line(number, text, code=True)
            if mark and mark.group(1).startswith(fence) and not text[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark.group(1)
            yield _Line(number, text, code=True)
        else:
            yield _Line(number, _CODE_SPAN.sub("", text) if "`" in text else text, code=False)
