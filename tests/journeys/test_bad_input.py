"""What a clumsy or hostile person writes: each answered by what is wrong and where, and nothing half done."""

from typing import Any

import pytest

from tests.journeys.conftest import Server, hours_ahead, text

BODY = "\n## Steps\n\n1. Do it.\n"


def matter(lines: str) -> str:
    return f"---\n{lines}\n---\n{BODY}"


BAD_FRONT_MATTER = {
    "a list that is not closed": ("title: [a", 2, "broken YAML"),
    "an alias": ("title: &a T\nother: *a", 2, "anchor"),
    "a bomb": ("title: T\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", 3, "anchor"),
    "a tag": ("title: T\nx: !!python/object/apply:os.system [id]", 3, "tag"),
    "more than 16 KB": ("title: T\nx: " + "y" * 17_000, 2, "16,384"),
    "a key twice": ("title: T\ntitle: U", 3, "stands twice"),
    "a list for a title": ("title: [a, b]", 2, "one text"),
    "a mapping for a department": ("title: T\ndepartment: {a: b}", 3, "one text"),
    "a mapping for systems": ("title: T\nsystems: {a: b}", 3, "list"),
    "a number for a process": ("title: T\nprocess: 17", 3, "PROC-017"),
    "an interval of words": ("title: T\nreview_every: soon", 3, "interval"),
    "depth without end": ("title: T\nx: " + "{a: " * 12 + "b" + "}" * 12, 3, "nested"),
    "a list alone": ("- a\n- b", 2, "key: value"),
    "a control character": ('title: "a\\u0007b"', 2, "control"),
    "half a character": ('title: "\\ud800"', 2, "broken YAML"),
    "a title without end": ("title: " + "T" * 201, 2, "201"),
    "a department in its long form": ("title: T\ndepartment: Customer Care", 3, "customer-care"),
    "an id of nothing": ("title: T\nid: first", 3, "SOP-0007"),
}
BAD_CONTENT = {
    "nothing": ("", "title"),
    "blanks": (" \n ", "title"),
    "no end of the front matter": ("---\ntitle: T\nText", "line 1"),
    "a control character": ("# T\n\nBell \x07", "Line 3"),
    "a NUL": ("# T\n\0", "content"),
    "a megabyte and more": ("# T\n\n" + "x" * 1024 * 1024, "1,048,576"),
    "an id of its own": (matter("title: T\nid: SOP-0777"), "SOP-0777"),
}
# The lines are those of the kept text, in which the id is the second.
NOT_READY = {
    "no text": (matter("title: T").replace(BODY, ""), "line 5:"),
    "marks of a merge": (matter("title: T") + "<<<<<<< mine\nA\n=======\nB\n>>>>>>> theirs\n", "line 9:"),
    "a link that runs a program": (matter("title: T") + "[click](javascript:alert(1))\n", "line 9:"),
}
BAD_PATHS = [
    "../x.md",
    "a/../../x.md",
    "/etc/x.md",
    ".git/config",
    ".git/x.md",
    "a/.git/hooks/x.md",
    "git~1/x.md",
    "n" * 300 + ".md",
    "n" * 241 + ".md",
    "/".join("abcdefghijklmn") + "/x.md",
    "x.txt",
    ".md",
    "a//x.md",
    "-rf.md",
    "a\nb.md",
    "a\x00b.md",
    "a:b.md",
    'a"b.md',
    "a\\..\\b.md",
    "\u202egnp.md",
    " x.md",
    "a.md/x.md",
]
BAD_INSTANTS: list[Any] = [
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "not a date",
    "2026-11-03T09:30:00",
    "2026-11-03",
    "2026-02-30T00:00:00Z",
    "2026-11-03T09:30:00+25:00",
    "",
    0,
    1793784600,
    True,
    [],
    {},
]


def draft_of(content: object, **fields: Any) -> dict[str, Any]:
    return {"content": content, "change_summary": "What changes.", "significance": "major", **fields}


@pytest.fixture(scope="module")
def sop_id(server: Server) -> str:
    return str(server.published(text("Refunds"))["sop_id"])


@pytest.fixture(scope="module")
def retired(server: Server) -> str:
    sop = str(server.published(text("Fax orders"))["sop_id"])
    doors = server.doors
    body = {"sop_id": sop, "kind": "retire", "change_summary": "Nobody faxes.", "significance": "major"}
    draft = doors["editor"]("POST", "/drafts", 201, json=body)
    doors["editor"]("POST", f"/drafts/{draft['id']}/submit")
    doors["approver"].approve(draft)
    return sop


def refused(server: Server, body: dict[str, Any], status: int = 422) -> dict[str, Any]:
    """Return the refusal of a draft, after a look at that none was made."""
    editor = server.doors["editor"]
    before = editor("GET", "/drafts", params={"limit": 200})
    told = editor.refusal("POST", "/drafts", status, json=body)
    assert editor("GET", "/drafts", params={"limit": 200}) == before
    return told


@pytest.mark.parametrize("name", BAD_FRONT_MATTER)
def test_front_matter_that_cannot_be_read_is_refused_with_its_line(server: Server, name: str) -> None:
    lines, line, words = BAD_FRONT_MATTER[name]
    told = refused(server, draft_of(matter(lines)))
    assert f"line {line}:" in told["detail"]
    assert words in told["detail"]
    assert "content" in told["errors"]


@pytest.mark.parametrize("name", BAD_CONTENT)
def test_text_that_cannot_be_kept_is_refused_with_what_is_wrong(server: Server, name: str) -> None:
    content, words = BAD_CONTENT[name]
    told = refused(server, draft_of(content))
    assert words in told["detail"]
    assert "content" in told["errors"]


@pytest.mark.parametrize("name", [*BAD_FRONT_MATTER, "a control character in the text", "an id of another"])
def test_a_bad_edit_leaves_the_draft_as_it_was(server: Server, sop_id: str, name: str) -> None:
    editor = server.doors["editor"]
    draft = editor("POST", "/drafts", 201, json=draft_of(text("Refunds", amount=5), sop_id=sop_id))
    others = {
        "a control character in the text": "# T\n\x07",
        "an id of another": matter("title: T\nid: SOP-0777"),
    }
    content = others[name] if name in others else matter(BAD_FRONT_MATTER[name][0])
    editor.refusal("PUT", f"/drafts/{draft['id']}", 422, json={"content": content, "change_summary": "Lost?"})
    assert editor("GET", f"/drafts/{draft['id']}") == draft
    editor("POST", f"/drafts/{draft['id']}/withdraw")


@pytest.mark.parametrize("name", NOT_READY)
def test_a_text_that_is_not_ready_is_kept_and_not_submitted(server: Server, name: str) -> None:
    editor = server.doors["editor"]
    content, line = NOT_READY[name]
    draft = editor("POST", "/drafts", 201, json=draft_of(content))
    told = editor.refusal("POST", f"/drafts/{draft['id']}/submit", 422)
    assert line in told["detail"]
    assert editor("GET", f"/drafts/{draft['id']}") == draft


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_out_of_the_library_or_of_no_file_is_refused(server: Server, path: str) -> None:
    told = refused(server, draft_of(text("Path"), path=path))
    assert "path" in told["errors"]


def test_paths_that_would_meet_are_kept_apart(server: Server) -> None:
    paths = ["team/shifts.md", "team/shifts.md", "Team/Shifts.md", "équipe/café.md", "équipe/cafe\u0301.md"]
    ids = [server.published(text(f"Shifts {n}"), path=path)["sop_id"] for n, path in enumerate(paths)]
    kept = [server.doors["reader"]("GET", f"/sops/{one}")["path"] for one in ids]
    assert kept[:2] == ["team/shifts.md", "team/shifts-2.md"]
    assert len(set(kept)) == len(paths)
    titles = {server.doors["reader"]("GET", f"/sops/{one}")["title"] for one in ids}
    assert len(titles) == len(paths)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"significance": "huge"}, "significance"),
        ({"change_summary": " "}, "change_summary"),
        ({"change_summary": "x" * 501}, "change_summary"),
        ({"kind": "delete"}, "kind"),
        ({"kind": "retire"}, "sop_id"),
        ({"reverts": 1}, "sop_id"),
        ({"reverts": 0}, "reverts"),
        ({"base_revision": 10**30}, "base_revision"),
        ({"base_revision": "1"}, "base_revision"),
        ({"tickets": ["TKT-9999"]}, "tickets"),
        ({"tickets": ["jira:NEVER-1"]}, "tickets"),
        ({"tickets": "TKT-0001"}, "tickets"),
        ({"tickets": [1]}, "tickets.0"),
        ({"effective_from": "9999-12-31T23:59:59Z"}, "effective_from"),
        ({"effective_from": 5}, "effective_from"),
        ({"approved": True}, "approved"),
        ({"content": None}, "content"),
        ({"content": ["a"]}, "content"),
    ],
)
def test_a_field_of_a_draft_that_cannot_be_is_named(server: Server, fields: dict[str, Any], field: str) -> None:
    told = refused(
        server, draft_of(text("Fields"), **{key: value for key, value in fields.items() if key != "content"}) | fields
    )
    assert field in told["errors"], told


def test_a_draft_on_what_is_not_there_or_no_more_is_refused(server: Server, sop_id: str, retired: str) -> None:
    refused(server, draft_of(text("Nobody"), sop_id="SOP-9999"), 404)
    refused(server, draft_of(text("Nobody"), sop_id="../../etc/passwd"), 404)
    assert "retired" in refused(server, draft_of(text("Fax"), sop_id=retired), 410)["detail"]
    assert "base_revision" in refused(server, draft_of(text("Refunds"), sop_id=sop_id, base_revision=77))["errors"]
    assert "reverts" in refused(server, draft_of(text("Refunds"), sop_id=sop_id, reverts=77))["errors"]
    assert "reverts" in refused(server, draft_of(text("Refunds"), sop_id=sop_id, reverts=1))["errors"]


def test_refused_drafts_use_no_ids_up(server: Server) -> None:
    first = server.doors["editor"]("POST", "/drafts", 201, json=draft_of(text("First")))
    refused(server, draft_of(matter("title: [a")))
    refused(server, draft_of(text("Path"), path="../x.md"))
    refused(server, draft_of(text("Ticket"), tickets=["TKT-9999"]))
    second = server.doors["editor"]("POST", "/drafts", 201, json=draft_of(text("Second")))
    assert int(second["sop_id"][4:]) == int(first["sop_id"][4:]) + 1


def test_an_approval_of_another_text_or_instant_decides_nothing(server: Server, sop_id: str) -> None:
    doors = server.doors
    draft = doors["editor"].draft(text("Refunds", amount=77), sop_id=sop_id)
    where = f"/drafts/{draft['id']}/approve"
    for wrong in ("0" * 64, "", draft["content_hash"][:10], "x" * 200):
        told = doors["approver"].refusal("POST", where, 409, json={"content_hash": wrong})
        assert told["content_hash"] == draft["content_hash"]
    for body in ({}, {"content_hash": None}, {"content_hash": 5}, {"content_hash": "x" * 201}):
        assert "content_hash" in doors["approver"].refusal("POST", where, 422, json=body)["errors"]
    for instant in [hours_ahead(-1), *BAD_INSTANTS]:
        body = {"content_hash": draft["content_hash"], "effective_from": instant}
        assert "effective_from" in doors["approver"].refusal("POST", where, 422, json=body)["errors"], instant
    doors["editor"].refusal("POST", where, 403, json={"content_hash": draft["content_hash"]})
    assert doors["editor"]("GET", f"/drafts/{draft['id']}") == draft
    doors["approver"].approve(draft)
    doors["approver"].refusal("POST", where, 409, json={"content_hash": draft["content_hash"]})


@pytest.mark.parametrize("field", ["effective_at", "planned_end", "actual_end", "announced_at", "created_at"])
def test_a_go_live_that_cannot_be_meant_is_refused(server: Server, field: str) -> None:
    editor = server.doors["editor"]
    ticket = {"source": "manual", "key": f"BAD-{field}", "title": "Bad instant"}
    for value in BAD_INSTANTS:
        told = editor.refusal("POST", "/tickets", 422, json={**ticket, field: value})
        assert field in told["errors"], value
    editor.refusal("GET", f"/tickets/manual:BAD-{field}", 404)
    made = editor("POST", "/tickets", 201, json=ticket)
    for value in BAD_INSTANTS:
        editor.refusal("PATCH", f"/tickets/{made['id']}", 422, json={"title": "Lost?", field: value})
    assert editor("GET", f"/tickets/{made['id']}")["title"] == "Bad instant"


@pytest.mark.parametrize("t0", [None, *BAD_INSTANTS, "1999-12-31T00:00:00Z"])
def test_a_confirmed_go_live_that_cannot_be_meant_is_refused(server: Server, t0: Any) -> None:
    editor = server.doors["editor"]
    ticket = editor("POST", "/tickets", json={"source": "manual", "key": "CONFIRM", "title": "Go-live"})
    told = editor.refusal("POST", f"/tickets/{ticket['id']}/go-live", 422, json={"t0": t0, "reason": "I was there."})
    assert "t0" in told["errors"]
    assert editor("GET", f"/tickets/{ticket['id']}")["t0_source"] == "created"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sops": ["SOP-9999"]}, "sops"),
        ({"sops": ["{good}", "SOP-9999"]}, "sops"),
        ({"sops": ["{retired}"]}, "sops"),
        ({"sops": ["refunds"]}, "sops"),
        ({"sops": "SOP-0001"}, "sops"),
        ({"processes": ["PROC-999"]}, "processes"),
        ({"processes": ["refunds"]}, "processes"),
        ({"status": "soon"}, "status"),
        ({"source": ""}, "source"),
        ({"source": "a:b"}, "source"),
        ({"source": "x" * 41}, "source"),
        ({"key": ""}, "key"),
        ({"key": "x" * 201}, "key"),
        ({"key": "a\nb"}, "key"),
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"systems": ["x" * 101]}, "systems"),
        ({"systems": [["x"]]}, "systems.0"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"priority": 1}, "priority"),
    ],
)
def test_a_ticket_that_cannot_be_is_refused_whole(
    server: Server, sop_id: str, retired: str, fields: dict[str, Any], field: str
) -> None:
    editor = server.doors["editor"]
    given = {"source": "manual", "key": "WHOLE", "title": "Whole", **fields}
    if isinstance(given.get("sops"), list):
        given["sops"] = [name.format(good=sop_id, retired=retired) for name in given["sops"]]
    told = editor.refusal("POST", "/tickets", 422, json=given)
    assert field in told["errors"], told
    editor.refusal("GET", "/tickets/manual:WHOLE", 404)


@pytest.mark.parametrize("revision", [0, -1, 2, 999, 10**9, 10**30, "1", 1.5, True, None, [1]])
def test_only_the_revision_in_force_is_acknowledged(server: Server, revision: Any) -> None:
    sop = server.published(text("Acknowledge"))["sop_id"]
    status = 409 if revision in (2, 999) else 422
    server.doors["reader"].refusal("POST", f"/sops/{sop}/acknowledgements", status, json={"revision": revision})
    server.doors["reader"]("POST", f"/sops/{sop}/acknowledgements", 201, json={"revision": 1})


def test_nothing_is_left_to_mend_after_the_day(server: Server, sop_id: str) -> None:
    told = server.run("check")
    assert told.returncode == 0, told.stdout + told.stderr
