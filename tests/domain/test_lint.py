import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.front_matter import Severity
from sop_server.domain.lint import lint, lint_tree

HEAD = "---\ntitle: T\ndepartment: care\nowner: a@example.com\n---\n"


def told(body: str) -> list[str]:
    return [str(problem) for problem in lint(HEAD + body, path="a.md")]


def test_a_sound_sop_has_no_problems() -> None:
    assert told("\n## Steps\n\n1. Open [[SOP-0007]] and <https://example.com>.\n\n```sh\nif [[ -f x ]]\n```\n") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("## A\n#### B\n", "a.md:7: warning: the heading jumps from level 2 to 4"),
        ("x\n<<<<<<< ours\n", "a.md:7: a mark of an unresolved merge"),
        ("x\n>>>>>>> theirs\n", "a.md:7: a mark of an unresolved merge"),
        ("[x](javascript:alert(1))\n", "a.md:6: a link with “javascript:” is not safe"),
        ("[x](JAVA&#115;cript:alert(1))\n", "a.md:6: a link with “javascript:” is not safe"),
        ("[x]: data:text/html,x\n", "a.md:6: a link with “data:” is not safe"),
        ("<vbscript:x>\n", "a.md:6: a link with “vbscript:” is not safe"),
        ("[x](slack:x)\n", "a.md:6: warning: a link with “slack:” will not be shown"),
        ("see [[SOP-0007\n", "a.md:6: warning: “[[” is not closed"),
        ("see [[sop-7]]\n", "a.md:6: warning: “[[sop-7]]” names no SOP; did you mean [[SOP-0007]]?"),
        ("pay \u202e005\n", "a.md:6: warning: a hidden mark"),
        ("\n", "a.md:6: the SOP has no text"),
    ],
)
def test_each_rule_names_file_and_line(body: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in told(body)), told(body)


@pytest.mark.parametrize(
    "body", ["`[[` and `[x](javascript:y)`\n", "```\n# a\n#### b\n[x](javascript:y)\n```\n", "A\n=======\n"]
)
def test_code_and_underlines_are_left_alone(body: str) -> None:
    assert told(body) == []


def test_a_missing_title_is_an_error_and_a_missing_owner_is_advice() -> None:
    found = {problem.field: problem.severity for problem in lint("text\n", path="a.md")}
    assert found == {"title": Severity.ERROR, "department": Severity.WARNING, "owner": Severity.WARNING}


def test_broken_front_matter_is_told_once() -> None:
    (problem,) = lint("---\ntitle: [\n---\ntext\n", path="a.md")
    assert (problem.severity, problem.path) == (Severity.ERROR, "a.md")


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    (problem,) = lint(b"a\nb\xff", path="a.md")
    assert str(problem).startswith("a.md:2: The file is not UTF-8")


def test_a_tree_is_checked_across_its_files() -> None:
    head = HEAD.replace("title", "id: SOP-0001\ntitle")
    problems = lint_tree(
        [
            ("care/a.md", f"{head}See SOP-0009, [[SOP-0001]], [b](b.md), [c](../c.md#x).\n".encode()),
            ("care/b.md", head.encode() + b"x\n"),
            ("care/z.md", b"\xff"),
            ("care/l.md", HEAD.replace("owner", "links: [SOP-0008]\nowner").encode() + b"x\n"),
        ]
    )
    assert [str(problem) for problem in problems[:4]] == [
        "care/a.md:7: warning: SOP-0009 is not in the library",
        "care/a.md:7: warning: the link to ../c.md leads nowhere",
        "care/b.md:2: id: SOP-0001 is also the id of care/a.md",
        "care/l.md:4: warning: links: SOP-0008 is not in the library",
    ]
    assert problems[4].path == "care/z.md"
    assert len(problems) == 5


@pytest.mark.parametrize("piece", ["[", "`", "[[", "](", "<a:", "# ", "`a``", "[](x", "---\n"])
def test_hostile_repetition_ends(piece: str) -> None:
    assert len(lint(piece * 60_000, path="a.md")) <= 200


@given(st.text(alphabet="[]()<>`#-:|\n SOPjavscript07é\x00\ud800", max_size=120))
def test_no_text_makes_the_rules_fail(text: str) -> None:
    assert all(problem.line >= 1 for problem in lint(HEAD + text, path="a.md"))
