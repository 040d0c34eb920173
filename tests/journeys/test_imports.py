"""Folders, repositories and registers of others, bad files among good ones: everything comes in or is named."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import PASSWORD, Server, made, sop_server

GOOD = "---\ntitle: {title}\ndepartment: customer-care\nowner: editor@example.com\n---\n\n1. {step}\n"


def imported(server: Server, path: Path, *options: str) -> dict[str, Any]:
    told = server.run("import", str(path), "--format", "json", *options)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    report: dict[str, Any] = json.loads(told.stdout)
    return report


def reasons(report: dict[str, Any]) -> dict[str, str]:
    return {remark["path"]: remark["message"] for remark in report["skipped"]}


def git(repository: Path, *arguments: str, stdin: bytes | None = None, **variables: str) -> str:
    who = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@old.example", "GIT_COMMITTER_NAME": "Ann"}
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-C", str(repository), *arguments],
        env={**os.environ, **who, "GIT_COMMITTER_EMAIL": "ann@old.example", **variables},
        input=stdin,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode(errors="replace").strip()


def committed(repository: Path, day: int, message: bytes, **variables: str) -> None:
    when = f"2024-03-{day:02d}T10:00:00+00:00"
    git(repository, "add", "--all")
    git(
        repository,
        "commit",
        "--quiet",
        "--allow-empty-message",
        "--file=-",
        stdin=message,
        GIT_AUTHOR_DATE=when,
        GIT_COMMITTER_DATE=when,
        **variables,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as nobody would wish it."""
    root = tmp_path_factory.mktemp("old wiki")
    (root / "care").mkdir()
    (root / "care" / "refunds.md").write_text(GOOD.format(title="Refunds", step="Pay."))
    (root / "care" / "empty.md").write_bytes(b"")
    (root / "care" / "plain.md").write_text("Call the customer.\n")
    (root / "README.md").write_text("# About this wiki\n\nText.\n")
    (root / "SHOUTING.MD").write_text("# Shouting\n\nText.\n")
    (root / "notes.txt").write_text("no procedure\n")
    (root / "one.md").write_text(GOOD.format(title="One", step="A.").replace("title:", "id: SOP-0500\ntitle:"))
    (root / "two.md").write_text(GOOD.format(title="Two", step="B.").replace("title:", "id: SOP-0500\ntitle:"))
    (root / "latin.md").write_bytes(b"# Caf\xe9\n\nText.\n")
    (root / "utf16.md").write_bytes("# Wide\n".encode("utf-16"))
    (root / "binary.md").write_bytes(b"# Bell\n\n\x07\x00\n")
    (root / "huge.md").write_bytes(b"# Huge\n\n" + b"x" * 5 * 1024 * 1024)
    (root / "broken.md").write_text("---\ntitle: [a\n---\nText.\n")
    (root / "twice.md").write_text("---\ntitle: A\ntitle: B\n---\nText.\n")
    (root / "bomb.md").write_text("---\ntitle: T\na: &a [x, x]\nb: [*a, *a]\n---\nText.\n")
    (root / "tag.md").write_text("---\ntitle: !!python/object/apply:os.system [id]\n---\nText.\n")
    (root / "open.md").write_text("---\ntitle: T\nText.\n")
    (root / "long.md").write_text("---\ntitle: T\nx: " + "y" * 17_000 + "\n---\nText.\n")
    (root / "odd types.md").write_text("---\ntitle: Odd\nsystems: {a: b}\nreview_every: soon\n---\nText.\n")
    (root / "-rf.md").write_text("# Dash\n\nText.\n")
    (root / "..\\..\\up.md").write_text("# Up\n\nText.\n")
    (root / ".hidden.md").write_text("# Hidden\n\nText.\n")
    (root / 'it\'s "quoted" $(id) `id`.md').write_text("# Quoted\n\nText.\n")
    (root / "new\nline.md").write_text("# Newline\n\nText.\n")
    (root / "\u202egnp.md").write_text("# Backwards\n\nText.\n")
    (root / "Überweisung 付款 🙂.md").write_text("# Payment\n\nText.\n")
    (root / ("n" * 250 + ".md")).write_text("# Long name\n\nText.\n")
    (Path(os.fsdecode(bytes(root) + b"/caf\xe9.md"))).write_text("# Odd bytes\n\nText.\n")
    (root / "folder.md").mkdir()
    (root / "folder.md" / "inner.md").write_text("# Inner\n\nText.\n")
    (root / "link.md").symlink_to("/etc/passwd")
    (root / "broken link.md").symlink_to("nowhere")
    (root / "up").symlink_to(root)
    os.mkfifo(root / "pipe.md")
    deep = root.joinpath(*(f"level{number}" for number in range(20)))
    deep.mkdir(parents=True)
    (deep / "deep.md").write_text("# Deep\n\nText.\n")
    return root


def test_one_bad_file_never_hides_the_others_and_each_is_named(server: Server, folder: Path) -> None:
    report = imported(server, folder, "--department", "customer-care", "--owner", "editor@example.com")
    skipped = reasons(report)
    for name, words in {
        "latin.md": "UTF-8",
        "utf16.md": "UTF-16",
        "binary.md": "control character",
        "huge.md": "1 MiB",
        "broken.md": "broken YAML",
        "twice.md": "stands twice",
        "bomb.md": "anchor",
        "tag.md": "tag",
        "open.md": "closing",
        "long.md": "16,384",
        "link.md": "link",
        "broken link.md": "link",
        "up": "link",
        "pipe.md": "regular file",
        "two.md": "SOP-0500",
    }.items():
        assert words in skipped.pop(name), name
    assert skipped == {}
    sops = {one["path"]: one["sop_id"] for one in report["imported"]}
    assert sops["one.md"] == "SOP-0500"
    assert len(set(sops.values())) == len(sops)
    assert {
        "care/refunds.md",
        "care/empty.md",
        "care/plain.md",
        "README.md",
        "SHOUTING.MD",
        "-rf.md",
        "..\\..\\up.md",
        ".hidden.md",
        "new\nline.md",
        "odd types.md",
        "folder.md/inner.md",
        "caf\\xe9.md",
    } <= set(sops)
    assert len(sops) == 18
    for one in report["imported"]:
        parts = one["library_path"].split("/")
        assert not any(part.startswith((".", "-")) or "\\" in part or not part.isprintable() for part in parts)
        shown = server.doors["reader"]("GET", f"/sops/{one['sop_id']}")
        assert shown["revision"] == 1
        assert shown["path"] == one["library_path"]
    assert "odd types.md" in {remark["path"] for remark in report["warnings"]}
    assert server.doors["reader"]("GET", f"/sops/{sops['care/plain.md']}")["title"] == "Plain"


def test_a_second_run_changes_nothing_and_drafts_only_what_changed(server: Server, folder: Path) -> None:
    before = imported(server, folder)
    assert (before["imported"], before["drafted"]) == ([], [])
    assert before["unchanged"] == 18
    (folder / "care" / "refunds.md").write_text(GOOD.format(title="Refunds", step="Pay twice."))
    (folder / "broken.md").write_text(GOOD.format(title="Mended", step="Mend."))
    (folder / "care" / "plain.md").unlink()
    after = imported(server, folder, "--department", "customer-care")
    assert [one["path"] for one in after["imported"]] == ["broken.md"]
    assert [one["path"] for one in after["drafted"]] == ["care/refunds.md"]
    assert after["unchanged"] == 16
    draft = server.doors["editor"]("GET", f"/drafts/{after['drafted'][0]['draft_id']}")
    assert (draft["state"], draft["sop_id"]) == ("draft", after["drafted"][0]["sop_id"])
    assert "Pay twice." in draft["content"]
    assert "Pay twice." not in server.doors["reader"]("GET", f"/sops/{draft['sop_id']}")["markdown"]
    again = imported(server, folder)
    assert (again["imported"], again["drafted"]) == ([], [])


def test_a_source_that_is_not_there_is_said_and_nothing_is_imported(server: Server, tmp_path: Path) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text("no_such_key: x\n")
    for arguments, words in (
        ((str(tmp_path / "nowhere"),), "nothing at"),
        ((str(tmp_path), "--history"), "not a git repository"),
        ((str(tmp_path), "--map", str(mapping)), "no_such_key"),
        ((str(tmp_path), "--map", str(tmp_path / "none.yaml")), "cannot be read"),
        ((str(tmp_path), "--owner", "nobody"), "e-mail"),
        ((str(tmp_path), "--department", "Customer Care!"), "department"),
    ):
        told = server.run("import", *arguments)
        assert told.returncode == 1, told.stdout
        assert words in told.stderr, told.stderr
        assert "Traceback" not in told.stderr


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a past: renames, a merge, a deletion, names and messages in bytes of long ago."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet")
    (root / "refunds.md").write_text(GOOD.format(title="Refunds", step="Pay.") + "\nKept.\n" * 10)
    (root / "gone.md").write_text(GOOD.format(title="Gone", step="Go."))
    committed(root, 1, b"first")
    (root / "refunds.md").write_text(GOOD.format(title="Refunds", step="Pay later.") + "\nKept.\n" * 10)
    committed(root, 2, b"second \xe9\xff", GIT_AUTHOR_NAME=os.fsdecode(b"Ren\xe9"))
    (root / "care").mkdir()
    git(root, "mv", "refunds.md", "care/refunds.md")
    git(root, "rm", "--quiet", "gone.md")
    committed(root, 3, b"")
    git(root, "checkout", "--quiet", "-b", "side")
    (root / "side.md").write_text(GOOD.format(title="Side", step="Step aside."))
    committed(root, 4, b"side\n\nSOP-Id: SOP-9999\nApproved-By: nobody")
    git(root, "checkout", "--quiet", "main")
    (root / "care" / "refunds.md").write_text(GOOD.format(title="Refunds", step="Pay at once.") + "\nKept.\n" * 10)
    committed(root, 5, b"x" * 5000)
    when = "2024-03-06T10:00:00+00:00"
    git(root, "merge", "--quiet", "--no-edit", "side", GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
    (root / "latin.md").write_bytes(b"# Caf\xe9\n\nText.\n")
    committed(root, 7, b"bad file")
    return root


def test_a_history_becomes_revisions_through_renames_and_merges(repository: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made(home, "init", "--admin", "root@example.com")
    told = sop_server(home, "import", str(repository), "--history", "--department", "customer-care", "--format", "json")
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    sops = {one["path"]: one for one in report["imported"]}
    assert set(sops) == {"care/refunds.md", "side.md"}
    assert (sops["care/refunds.md"]["revisions"], sops["side.md"]["revisions"]) == (3, 1)
    assert "UTF-8" in reasons(report)["latin.md"]
    again = json.loads(made(home, "import", str(repository), "--format", "json"))
    assert (again["imported"], again["drafted"], again["unchanged"]) == ([], [], 2)
    made(home, "check")
    made(home, "report", "staleness", "--format", "json", "--at", "2024-03-02T12:00:00Z")
    dates = subprocess.run(
        ["git", "-C", str(home / "library.git"), "log", "--format=%aI %an", "main"], capture_output=True, check=True
    ).stdout.decode()
    assert len(dates.splitlines()) == 4
    assert "2024-03-02" in dates


def test_a_repository_without_its_history_comes_in_as_it_stands(server: Server, repository: Path) -> None:
    told = server.run("import", str(repository), "--history")
    assert told.returncode == 1
    assert "empty" in told.stderr
    report = imported(server, repository, "--department", "customer-care")
    assert {one["path"]: one["revisions"] for one in report["imported"]} == {"care/refunds.md": 1, "side.md": 1}
    (repository / "side.md").write_text(GOOD.format(title="Side", step="Step back."))
    committed(repository, 8, b"changed")
    again = imported(server, repository)
    assert ([one["path"] for one in again["drafted"]], again["unchanged"]) == (["side.md"], 1)


TICKETS = """source,key,title,effective_at,status,sops,systems
csv,T-1,Good,2026-01-05T10:00:00Z,done,,SAP
csv,T-2,Bad date,not a date,done,,
csv,T-3,No offset,2026-01-05T10:00:00,done,,
csv,T-4,Year 9999,9999-12-31T00:00:00Z,done,,
csv,T-5,Unknown SOP,,done,SOP-9998,
csv,,No key,,done,,
csv,T-6,,,done,,
csv,T-7,Bad status,,soon,,
csv,T-8,Too many,,done,,,,,surplus
csv,T-9,Short
csv,T-10,"Quoted, with a comma",,planned,,"SAP;Zendesk"
"""


def test_bad_rows_are_named_by_their_line_and_the_good_ones_kept(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(TICKETS)
    told = server.run("tickets", "import", str(file))
    assert told.returncode == 0, told.stderr
    assert "3 tickets registered" in told.stdout
    assert "8 skipped" in told.stdout
    for line in range(3, 11):
        assert f"line {line}:" in told.stdout
    assert "3 unchanged" in server.run("tickets", "import", str(file)).stdout
    manager = server.doors["manager"]
    assert manager("GET", "/tickets/csv:T-10")["systems"] == ["SAP", "Zendesk"]
    manager.refusal("GET", "/tickets/csv:T-4", 404)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("column.csv", b"source,key,title,priority\ncsv,B-1,T,1\n", "priority"),
        ("missing.csv", b"source,title\ncsv,T\n", "key"),
        ("repeated.csv", b"source,key,title,key\ncsv,B-1,T,B-2\n", "repeated"),
        ("latin.csv", b"source,key,title\ncsv,B-1,Caf\xe9\n", "UTF-8"),
        ("utf16.csv", "source,key,title\ncsv,B-1,T\n".encode("utf-16"), "UTF-8"),
        ("quote.csv", b'source,key,title\ncsv,B-1,"never closed\n', "line 2"),
        ("empty.csv", b"", "source"),
        ("binary.csv", b"source,key,title\ncsv,B-1,\0\n", "text"),
        ("broken.json", b'[{"source": "csv", "key": "B-1"', "JSON"),
        ("deep.json", b"[" * 50_000, "JSON"),
        ("wrong.json", b'{"a": 1}', "list"),
        ("number.json", b"5", "list"),
    ],
)
def test_a_register_that_cannot_be_read_is_refused_whole(
    server: Server, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    told = server.run("tickets", "import", str(file))
    assert told.returncode == 1, told.stdout
    assert words in told.stderr, told.stderr
    assert "Nothing was imported" in told.stderr
    assert "Traceback" not in told.stderr
    server.doors["manager"].refusal("GET", "/tickets/csv:B-1", 404)


def test_bad_processes_are_named_and_the_good_ones_kept(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "processes.csv"
    file.write_text("name,department,criticality\nRefunds,customer-care,critical\nX,customer-care,huge\n,care,normal\n")
    told = server.run("processes", "import", str(file))
    assert told.returncode == 0, told.stderr
    assert "1 processes registered" in told.stdout
    assert "line 3:" in told.stdout
    assert "line 4:" in told.stdout
    assert "Traceback" not in told.stderr


def test_people_who_cannot_be_are_refused(server: Server) -> None:
    for arguments in (
        ("user", "add", "nobody", "--name", "X", "--role", "reader"),
        ("user", "add", "a@example.com", "--name", "X", "--role", "king"),
        ("user", "add", "a@example.com", "--name", "X", "--role", "editor@Care Dept"),
        ("user", "add", "a@example.com", "--role", "reader"),
        ("token", "create", "stranger@example.com"),
        ("report", "drift", "--at", "not a date"),
        ("report", "drift", "--at", "0001-01-01T00:00:00Z"),
        ("report", "drift", "--days", "0"),
    ):
        told = server.run(*arguments)
        assert told.returncode == 1, f"{arguments}: {told.stdout}"
        assert told.stderr.startswith("Error: "), told.stderr
        assert "Traceback" not in told.stderr
    told = server.run("user", "add", "b@example.com", "--name", "B", "--role", "reader", "--password-stdin", stdin="x")
    assert told.returncode == 1
    assert PASSWORD not in told.stderr
    assert server.run("token", "create", "b@example.com").returncode == 1


def test_nothing_is_left_to_mend_after_the_day(server: Server) -> None:
    now = datetime.now(UTC)
    told = server.run("check")
    assert told.returncode == 0, told.stdout + told.stderr
    assert server.run("report", "window", "--at", now.isoformat(), "--format", "csv").returncode == 0
