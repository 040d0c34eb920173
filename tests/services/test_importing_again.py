"""What a second import of the same source makes of what changed, moved or went."""

from datetime import timedelta
from pathlib import Path

from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import grant_role
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.stores import Stores
from sop_server.storage import drafts, people
from tests.services.conftest import NOW, Cast
from tests.services.sources import Files, Import, ids, text


def test_a_second_run_changes_nothing_where_nothing_changed(bring_in: Import, stores: Stores) -> None:
    files: Files = {f"{number}.md": f"# {number}\n\nx\n" for number in range(5)}
    bring_in(files)
    head = stores.library.head()
    report = bring_in(now=NOW + timedelta(days=1))
    assert (report.imported, report.unchanged, report.drafted) == ((), 5, ())
    assert stores.library.head() == head


def test_a_changed_file_becomes_a_draft_once_for_each_new_text(bring_in: Import, stores: Stores, cast: Cast) -> None:
    bring_in({"a.md": "# A\n\nOne.\n", "b.md": "# B\n\nx\n"})
    report = bring_in({"a.md": "# A\n\nTwo.\n"})
    (drafted,) = report.drafted
    assert (drafted.path, drafted.sop_id, report.unchanged) == ("a.md", "SOP-0001", 1)
    with stores.database.read() as session:
        (draft,) = drafts.draft_rows(session, sop_id="SOP-0001")
    assert (draft.author_id, draft.base_revision, draft.state) == (cast.admin.person_id, 1, "draft")
    assert stores.library.read(draft.blob_oid).decode().endswith("Two.\n")
    assert bring_in().drafted == ()
    assert len(bring_in({"a.md": "# A\n\nThree.\n"}).drafted) == 1
    assert text(stores, "SOP-0001").endswith("One.\n")


def test_new_line_endings_alone_are_no_change(bring_in: Import) -> None:
    bring_in({"a.md": "# A\n\nOne.\n"})
    report = bring_in({"a.md": b"# A\r\n\r\nOne.\r\n\r\n"})
    assert (report.drafted, report.unchanged) == ((), 1)


def test_a_change_of_the_source_is_merged_with_what_people_changed_here(
    bring_in: Import, stores: Stores, cast: Cast
) -> None:
    bring_in({"a.md": "# A\n\nFirst.\n\nMiddle.\n\nLast.\n"})
    publish_change(stores, cast, text(stores, "SOP-0001").replace("First.", "First, changed here."))
    bring_in({"a.md": "# A\n\nFirst.\n\nMiddle.\n\nLast, changed there.\n"}, now=NOW + timedelta(hours=2))
    with stores.database.read() as session:
        draft = drafts.draft_rows(session, sop_id="SOP-0001")[0]
    content = stores.library.read(draft.blob_oid).decode()
    assert draft.base_revision == 2
    assert "First, changed here." in content
    assert "Last, changed there." in content


def test_a_changed_file_of_a_retired_sop_is_told_and_not_brought_back(
    bring_in: Import, stores: Stores, cast: Cast
) -> None:
    bring_in({"a.md": "# A\n\nx\n"})
    publish_change(stores, cast, None)
    report = bring_in({"a.md": "# A\n\nNew.\n"}, now=NOW + timedelta(hours=2))
    assert report.drafted == ()
    assert "retired" in report.skipped[0].message


def publish_change(stores: Stores, cast: Cast, content: str | None) -> None:
    from_all = "editor"
    grant_role(stores, actor=cast.admin, now=NOW, email=cast.editor.email, role=from_all)
    grant_role(stores, actor=cast.admin, now=NOW, email=cast.approver.email, role="approver")
    editor, approver = actor(stores, cast.editor), actor(stores, cast.approver)
    draft = create_draft(
        stores,
        actor=editor,
        given=DraftInput(content=content, change_summary="Changed here.", significance="minor"),
        sop_id="SOP-0001",
        kind="edit" if content else "retire",
        now=NOW,
    )
    submit_draft(stores, actor=editor, draft_id=draft.id, now=NOW)
    approve(stores, actor=approver, draft_id=draft.id, content_hash=draft.content_hash, now=NOW)


def actor(stores: Stores, who: Actor) -> Actor:
    with stores.database.read() as session:
        found = people.load_actor(session, who.person_id, NOW)
    assert found is not None
    return found


def test_a_file_that_was_moved_stays_the_sop_that_it_is(bring_in: Import, source: Path, stores: Stores) -> None:
    first = ids(bring_in({"a.md": "# A\n\nText.\n", "b.md": "# B\n\nOther.\n"}))
    (source / "team").mkdir()
    (source / "a.md").rename(source / "team" / "renamed.md")

    moved = bring_in()

    assert (ids(moved), moved.unchanged, moved.drafted) == ({}, 2, ())
    (told,) = moved.warnings
    assert (told.path, first["a.md"] in told.message) == ("team/renamed.md", True)
    assert bring_in().warnings == ()
    changed = bring_in({"team/renamed.md": "# A\n\nNew text.\n"})
    assert [one.sop_id for one in changed.drafted] == [first["a.md"]]


def test_a_file_that_is_gone_is_told_until_its_sop_is_retired(
    bring_in: Import, source: Path, stores: Stores, cast: Cast
) -> None:
    first = ids(bring_in({"a.md": "# A\n\nText.\n", "b.md": "# B\n\nOther.\n"}))
    (source / "a.md").unlink()

    report = bring_in()

    (told,) = report.warnings
    assert told.path == "a.md"
    assert f"{first['a.md']}, which was imported from it, stays in force" in told.message
    alone = import_tree(stores, actor=cast.admin, request=ImportRequest(root=source / "b.md"), now=NOW)
    assert alone.warnings == ()
