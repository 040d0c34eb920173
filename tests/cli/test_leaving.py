"""`user leave`: previewed, carried out, and harmless to run twice."""

from pathlib import Path

from tests.cli.conftest import Run, run

TEXT = """---
title: Refunds
department: payments
owner: asha@example.com
---
## Steps

1. Open the order.
"""


def people(ready: Run, tmp_path: Path) -> None:
    for name, role in (("asha", "editor@payments"), ("bela", "editor@payments"), ("ben", "approver@payments")):
        added = ready("user", "add", f"{name}@example.com", "--name", name.title(), "--role", role)
        assert added.exit_code == 0, added.output
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "refunds.md").write_text(TEXT, encoding="utf-8")
    assert ready("import", str(tmp_path / "in")).exit_code == 0


def test_leaving_is_previewed_carried_out_and_harmless_twice(ready: Run, tmp_path: Path) -> None:
    people(ready, tmp_path)
    refused = ready("user", "leave", "asha@example.com")
    assert refused.exit_code == 1
    assert "Name who takes over" in refused.output

    before = ready("user", "leave", "asha@example.com", "--to", "bela@example.com", "--preview")
    assert before.exit_code == 0, before.output
    assert "SOP-0001 Refunds: owner bela@example.com, deputy nobody" in before.output
    assert "would be ended" in before.output

    done = ready("user", "leave", "asha@example.com", "--to", "bela@example.com", "--reason", "moves")
    assert done.exit_code == 0, done.output
    assert "1 SOPs wait" not in done.output
    assert "1 SOP waits for an approver" in done.output
    assert "Without a deputy: SOP-0001." in done.output

    again = ready("user", "leave", "asha@example.com", "--to", "bela@example.com")
    assert again.exit_code == 0
    assert ready("check").exit_code == 0


def test_leaving_names_what_it_could_not_read(ready: Run, tmp_path: Path) -> None:
    people(ready, tmp_path)
    for arguments, words in [
        (("nobody@example.com", "--to", "bela@example.com"), "Nobody is known"),
        (("asha@example.com", "--to", "ben@example.com"), "may not write drafts"),
        (("asha@example.com", "--in", "payments"), "does not say who takes over where"),
        (("ada@example.com",), "only administrator"),
    ]:
        told = ready("user", "leave", *arguments)
        assert told.exit_code == 1
        assert words in told.output


def test_who_has_left_is_erased_and_the_key_is_printed_for_keeping(ready: Run, tmp_path: Path) -> None:
    people(ready, tmp_path)
    early = ready("user", "erase", "ben@example.com", "--yes", "ben@example.com")
    assert early.exit_code == 1
    assert "still active" in early.output
    assert ready("user", "leave", "ben@example.com").exit_code == 0
    assert '"email": "ben@example.com"' in ready("user", "held", "ben@example.com").stdout
    assert "Commits of the library" in ready("user", "erase", "ben@example.com", "--preview").output
    slip = ready("user", "erase", "ben@example.com", "--yes", "bela@example.com")
    assert slip.exit_code == 1
    assert "Nobody was erased" in slip.output

    done = ready("user", "erase", "ben@example.com", "--yes", "ben@example.com")
    assert done.exit_code == 0, done.output
    kept = ready("user", "forgotten").stdout
    assert kept.startswith("P-")
    assert kept.split()[0] in done.output
    assert "ben@" not in ready("audit", "export").stdout
    assert ready("audit", "verify").exit_code == 0
    assert ready("check").exit_code == 0
    again = ready("user", "erase-again", "-", stdin=kept)
    assert again.exit_code == 0
    assert "Erased again: 0." in again.output


def test_who_was_erased_is_erased_again_in_an_older_backup_that_was_restored(ready: Run, tmp_path: Path) -> None:
    people(ready, tmp_path)
    assert ready("user", "leave", "ben@example.com").exit_code == 0
    assert ready("backup", str(tmp_path / "older.backup")).exit_code == 0
    assert ready("user", "erase", "ben@example.com", "--yes", "ben@example.com").exit_code == 0
    kept = ready("user", "forgotten").stdout

    restored = run(tmp_path / "elsewhere", "restore", str(tmp_path / "older.backup"))
    assert restored.exit_code == 0, restored.output
    assert "sop-server user erase-again" in restored.output
    assert '"name": "Ben"' in run(tmp_path / "elsewhere", "user", "held", "ben@example.com").stdout

    again = run(tmp_path / "elsewhere", "user", "erase-again", "-", stdin=kept)
    assert "Erased again: 1." in again.output
    assert run(tmp_path / "elsewhere", "user", "held", "ben@example.com").exit_code == 1
    assert run(tmp_path / "elsewhere", "user", "forgotten").stdout.split()[0] == kept.split()[0]
    assert run(tmp_path / "elsewhere", "check").exit_code == 0
