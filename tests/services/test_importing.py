from pathlib import Path

import pytest

from sop_server.errors import BusyError, ForbiddenError, InvalidInputError
from sop_server.services.imports.import_report import ImportProgress
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.library.indexing import index_due
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import drafts, people, sops
from sop_server.storage.git.library import Publication
from sop_server.storage.tables import Review, Sop
from tests.services.conftest import NOW, Cast
from tests.services.sources import Files, Import, ids, revision, text, write


def publications(stores: Stores) -> list[Publication]:
    return list(stores.library.publications())


def test_readme_untitled_and_empty_files_come_in_and_git_stays_out(bring_in: Import, stores: Stores) -> None:
    report = bring_in(
        {
            "README.md": "Welcome\n=======\n\nHello.\n",
            "refunds/over_500-usd.md": "No heading here.\n",
            "empty.MD": "",
            "notes.txt": "not Markdown",
            ".git/HEAD.md": "# Not this one\n",
            "deep/er/card.html.md": "# Card *handling*\n\nText.\n",
        }
    )
    found = {path: revision(stores, sop_id).title for path, sop_id in ids(report).items()}
    assert found == {
        "README.md": "Welcome",
        "refunds/over_500-usd.md": "Over 500 usd",
        "empty.MD": "Empty",
        "deep/er/card.html.md": "Card handling",
    }
    told = [remark.message for remark in report.warnings if remark.path == "empty.MD"]
    assert "the file has no text; the SOP is empty" in told
    assert report.skipped == ()


def test_each_file_is_a_major_r1_approved_by_import_in_the_name_of_the_administrator(
    bring_in: Import, stores: Stores, cast: Cast
) -> None:
    bring_in({"a.md": "# A\n\nOne.\n", "b.md": "# B\n\nTwo.\n"})
    row = revision(stores, "SOP-0001")
    assert (row.significance, row.author_email, row.effective_from) == ("major", cast.admin.email, NOW)
    first, second = publications(stores)
    assert first.trailers["Approved-By"] == [f"import by {cast.admin.name} <{cast.admin.email}>"]
    assert first.trailers["SOP-Id"] == ["SOP-0001"]
    assert second.parent == first.oid
    with stores.database.read() as session:
        (intent, _) = drafts.done_intents(session)
        assert intent.approvals[0]["email"] == cast.admin.email
    index_due(stores, now=NOW)
    assert check(stores, now=NOW).problems == ()


def test_a_person_who_does_not_administer_everything_cannot_import(stores: Stores, cast: Cast, source: Path) -> None:
    write(source, {"a.md": "# A\n"})
    with pytest.raises(ForbiddenError):
        import_tree(stores, actor=cast.manager, request=ImportRequest(root=source), now=NOW)
    with stores.database.read() as session:
        assert sops.published_ids(session) == []


def test_a_source_that_is_not_there_is_told(stores: Stores, cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nothing at"):
        import_tree(stores, actor=cast.admin, request=ImportRequest(root=tmp_path / "missing"), now=NOW)


def test_department_and_owner_are_defaults_and_never_replace_what_a_file_says(bring_in: Import, stores: Stores) -> None:
    files: Files = {"a.md": "# A\n\nx\n", "b.md": "---\ndepartment: claims\nowner: eva@example.com\n---\n# B\n\nx\n"}
    report = bring_in(files, department="payments", owner="Ada@Example.com")
    found = {path: revision(stores, sop_id) for path, sop_id in ids(report).items()}
    assert (found["a.md"].department, found["a.md"].owner) == ("payments", "ada@example.com")
    assert (found["b.md"].department, found["b.md"].owner) == ("claims", "eva@example.com")
    with stores.database.read() as session:
        assert {row.slug for row in people.departments(session)} >= {"payments", "claims"}


def test_unknown_keys_and_comments_are_kept_byte_for_byte(bring_in: Import, stores: Stores) -> None:
    matter = 'layout:   manual   # the old site\nparent: "/manual.html"\nweights: {b: 1, a: 2}\ntitle: Kept\n'
    bring_in({"a.md": f"---\n{matter}---\n\nText.\n"})
    assert text(stores, "SOP-0001") == f"---\nid: SOP-0001\n{matter}---\n\nText.\n"


def test_an_id_that_a_file_carries_is_kept_and_the_counter_passes_it(bring_in: Import, stores: Stores) -> None:
    report = bring_in({"a.md": "# A\n\nx\n", "z.md": "---\nid: SOP-0007\n---\n# Z\n\nx\n"})
    assert ids(report) == {"a.md": "SOP-0008", "z.md": "SOP-0007"}


def test_of_two_files_with_one_id_the_first_keeps_it_and_both_are_named(bring_in: Import) -> None:
    body = "---\nid: SOP-0007\n---\n# X\n\nx\n"
    report = bring_in({"a.md": body, "b.md": body, "c.md": "# C\n\nx\n"})
    assert ids(report) == {"a.md": "SOP-0007", "c.md": "SOP-0008"}
    (skipped,) = report.skipped
    assert skipped.path == "b.md"
    assert "a.md" in skipped.message
    assert "SOP-0007" in skipped.message


def test_an_id_that_the_library_has_already_is_not_given_again(
    stores: Stores, cast: Cast, bring_in: Import, tmp_path: Path
) -> None:
    bring_in({"a.md": "# A\n\nx\n"})
    other = tmp_path / "other"
    write(
        other, {"mine.md": "---\nid: SOP-0001\n---\n# B\n\nx\n", "huge.md": "---\nid: SOP-999999999\n---\n# H\n\nx\n"}
    )
    report = import_tree(stores, actor=cast.admin, request=ImportRequest(root=other), now=NOW)
    assert [remark.path for remark in report.skipped] == ["huge.md", "mine.md"]
    assert "imported from a.md" in report.skipped[1].message
    assert text(stores, "SOP-0001").endswith("# A\n\nx\n")


def test_one_bad_file_never_hides_the_others(bring_in: Import, source: Path) -> None:
    (source / "link.md").symlink_to("/etc/passwd")
    report = bring_in(
        {
            "good.md": "# Good\n\nx\n",
            "binary.md": b"\x00\x01",
            "latin.md": "# Café\n".encode("latin-1"),
            "utf16.md": "# Wide\n".encode("utf-16"),
            "large.md": b"a" * (5 * 1024 * 1024),
            "broken.md": "---\ntitle: ok\nowner: [unclosed\n---\n\nx\n",
            "unclosed.md": "---\ntitle: never ends\n",
            "bomb.md": "---\na: &a [x, x]\nb: [*a, *a]\n---\n\nx\n",
            "tagged.md": "---\na: !!python/object/apply:os.system [true]\n---\n\nx\n",
            "twice.md": "---\ntitle: A\ntitle: B\n---\n\nx\n",
            "listed.md": "---\n- a\n- b\n---\n\nx\n",
        }
    )
    assert list(ids(report)) == ["good.md"]
    told = {remark.path: (remark.line, remark.message) for remark in report.skipped}
    assert set(told) == {
        "link.md", "binary.md", "latin.md", "utf16.md", "large.md", "broken.md",
        "unclosed.md", "bomb.md", "tagged.md", "twice.md", "listed.md",
    }  # fmt: skip
    assert told["twice.md"][0] == 3
    assert told["bomb.md"][0] == 2
    assert "not UTF-8" in told["latin.md"][1]
    assert all(message for _, message in told.values())


def test_odd_names_are_made_safe_and_no_two_files_share_a_path(bring_in: Import, stores: Stores) -> None:
    report = bring_in(
        {
            '-rf "quoted".md': "# A\n\nx\n",
            "a:b.md": "# B\n\nx\n",
            "a?b.md": "# C\n\nx\n",
            ".hidden/x.md": "# D\n\nx\n",
            "zażółć/gęślą jaźń.md": "# E\n\nx\n",
            "line\nbreak.md": "# F\n\nx\n",
            "folder.md/inner.md": "# G\n\nx\n",
            "git~1/x.md": "# H\n\nx\n",
            f"{'long' * 50}.md": "# I\n\nx\n",
            "back\\slash.md": "# J\n\nx\n",
        }
    )
    kept = {sop.path: sop.library_path for sop in report.imported}
    assert report.skipped == ()
    assert len(set(kept.values())) == 10
    assert kept['-rf "quoted".md'] == "rf -quoted-.md"
    assert {kept["a:b.md"], kept["a?b.md"]} == {"a-b.md", "a-b-2.md"}
    assert kept[".hidden/x.md"] == "hidden/x.md"
    assert kept["zażółć/gęślą jaźń.md"] == "zażółć/gęślą jaźń.md"
    assert kept["folder.md/inner.md"] == "folder-md/inner.md"
    assert "\n" not in publications(stores)[0].message.split("\n\n")[0]
    assert {remark.path for remark in report.warnings} >= {"a:b.md", ".hidden/x.md"}


def test_a_summary_made_of_a_hostile_file_name_adds_no_trailer(bring_in: Import, stores: Stores) -> None:
    bring_in({"x\n\nApproved-By: Eve <eve@example.com>\n.md": "# A\n\nx\n"})
    (publication,) = publications(stores)
    assert all("eve@" not in value for value in publication.trailers["Approved-By"])


def test_links_between_files_go_on_working(bring_in: Import, stores: Stores) -> None:
    report = bring_in({"a/one.md": "# One\n\nSee [two](../b/two.md).\n", "b/two.md": "# Two\n\nx\n"})
    row = revision(stores, ids(report)["a/one.md"])
    with stores.database.read() as session:
        assert sops.sop_ids_by_path(session, row.path_links) == {"b/two.md": ids(report)["b/two.md"]}


def test_a_review_date_becomes_a_bulk_review_of_that_day_recorded_now(bring_in: Import, stores: Stores) -> None:
    bring_in(
        {
            "a.md": "---\nlast_reviewed_on: 2025-12-01\nreview_in: 6 months\n---\n# A\n\nx\n",
            "b.md": "---\nlast_reviewed_on: 2099-12-01\n---\n# B\n\nx\n",
            "c.md": "---\nlast_reviewed_on: soon\n---\n# C\n\nx\n",
        }
    )
    with stores.database.read() as session:
        (review,) = session.query(Review).all()
    assert (review.outcome, review.bulk, review.sop_id) == ("confirmed", True, "SOP-0001")
    assert review.happened_at.isoformat() == "2025-12-01T00:00:00+00:00"
    assert review.recorded_at == NOW
    assert revision(stores, "SOP-0001").review_every_days == 180
    assert bring_in().imported == ()


def test_an_import_that_was_killed_goes_on_with_the_same_ids(
    bring_in: Import, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def die(*_args: object, **_kwargs: object) -> None:
        raise KilledError

    files: Files = {f"{number:03}.md": f"# {number}\n\nx\n" for number in range(6)}
    with monkeypatch.context() as patch:
        patch.setattr("sop_server.services.publication.publishing.publish", die)
        with pytest.raises(KilledError):
            bring_in(files)
    with stores.database.read() as session:
        before = {row.path: row.id for row in session.query(Sop)}
    report = bring_in()
    assert {sop.path: sop.sop_id for sop in report.imported} == before
    assert len(publications(stores)) == 6
    index_due(stores, now=NOW)
    assert check(stores, now=NOW).problems == ()


@pytest.mark.parametrize("in_the_way", ["refs/intents/1.lock", "refs/heads/main.lock"])
def test_an_import_that_cannot_be_published_says_what_is_kept_and_goes_on_when_run_again(
    bring_in: Import, stores: Stores, in_the_way: str
) -> None:
    (stores.library.path / in_the_way).mkdir(parents=True)
    with pytest.raises(BusyError, match="the same import again") as caught:
        bring_in({"a.md": "# A\n\nx\n", "b.md": "# B\n\nx\n"})
    assert "Nothing was" not in caught.value.message

    (stores.library.path / in_the_way).rmdir()
    bring_in()

    assert len(publications(stores)) == 2
    index_due(stores, now=NOW)
    assert check(stores, now=NOW).problems == ()


def test_progress_is_told(stores: Stores, cast: Cast, source: Path) -> None:
    write(source, {f"{number}.md": "# X\n\nx\n" for number in range(3)})
    seen: list[ImportProgress] = []
    import_tree(stores, actor=cast.admin, request=ImportRequest(root=source), now=NOW, watch=seen.append)
    assert seen[-1] == ImportProgress("Importing", 3, 3)
