from pathlib import Path

import pytest

from sop_server.errors import DamagedError
from sop_server.storage.git.library import merge

LABELS = ("this draft", "r3", "r4, in force")
BASE = b"# Refunds\n\n1. Open.\n2. Check.\n3. Pay.\n4. Close.\n"


def test_changes_of_other_lines_merge_cleanly() -> None:
    merged = merge(BASE, BASE.replace(b"Open.", b"Open it."), BASE.replace(b"Close.", b"Close it."), labels=LABELS)
    assert not merged.conflicted
    assert merged.content == BASE.replace(b"Open.", b"Open it.").replace(b"Close.", b"Close it.")


def test_changes_of_the_same_line_are_marked_with_plain_labels() -> None:
    merged = merge(BASE, BASE.replace(b"Pay.", b"Pay now."), BASE.replace(b"Pay.", b"Pay later."), labels=LABELS)
    assert merged.conflicted
    expected = b"<<<<<<< this draft\n3. Pay now.\n=======\n3. Pay later.\n>>>>>>> r4, in force\n"
    assert expected in merged.content


def test_many_conflicts_are_no_failure() -> None:
    base = b"".join(b"%d\nsame\nsame\nsame\n" % number for number in range(300))
    merged = merge(base, base.replace(b"5\n", b"5a\n"), base.replace(b"5\n", b"5b\n"), labels=LABELS)
    assert merged.conflicted
    assert merged.content.count(b"<<<<<<<") == 30


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(BASE, b"new\n", b"new\n"), (b"new\n", BASE, b"new\n"), (b"new\n", b"new\n", b"new\n")],
)
def test_a_change_of_one_side_is_taken_as_it_is(ours: bytes, theirs: bytes, expected: bytes) -> None:
    merged = merge(BASE, ours, theirs, labels=LABELS)
    assert (merged.content, merged.conflicted) == (expected, False)


def test_a_persons_settings_do_not_change_the_markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[merge]\n\tconflictStyle = diff3\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    merged = merge(b"a\n", b"b\n", b"c\n", labels=("-p", "r1", "r2\nr3"))
    assert merged.content == b"<<<<<<< -p\nb\n=======\nc\n>>>>>>> r2 r3\n"


def test_content_that_is_no_text_is_told() -> None:
    with pytest.raises(DamagedError, match="could not be merged"):
        merge(b"\x00a", b"\x00b", b"\x00c", labels=LABELS)
