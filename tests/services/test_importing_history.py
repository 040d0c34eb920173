import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sop_server.errors import ConflictError, InvalidInputError
from sop_server.services.imports import import_run
from sop_server.services.imports.import_history import timeline
from sop_server.services.imports.import_publishing import publish_arrivals
from sop_server.services.imports.import_report import ImportReport
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.library.indexing import index_due
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.git.library import Identity
from sop_server.storage.git.source_repository import SourceRevision
from sop_server.storage.tables import Review, Revision
from tests.services.conftest import NOW, Cast

START = datetime(2024, 1, 1, 8, 0, tzinfo=UTC)

Import = Callable[..., ImportReport]


class Repository:
    """A source whose commits carry the dates and names that a test gives them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, **environment: str) -> None:
        isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **environment}
        subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, env={**os.environ, **isolated}
        )

    def commit(self, day: int, files: dict[str, str | None], *, name: str = "Eva", subject: str = "Change it") -> None:
        for path, content in files.items():
            target = self.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                target.unlink()
            else:
                target.write_text(content, encoding="utf-8")
        self.git("add", "--all")
        date = (START + timedelta(days=day)).isoformat()
        identity = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": f"{name.lower()}@example.com",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": f"{name.lower()}@example.com",
            "GIT_COMMITTER_DATE": date,
        }
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, **identity)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "source")


@pytest.fixture
def bring_in(stores: Stores, cast: Cast, repository: Repository) -> Import:
    def run(*, history: bool = True) -> ImportReport:
        request = ImportRequest(root=repository.path, history=history)
        return import_tree(stores, actor=cast.admin, request=request, now=NOW)

    return run


def rows(stores: Stores, sop_id: str) -> list[Revision]:
    with stores.database.read() as session:
        return sorted(sops.revision_rows(session, sop_id), key=lambda row: row.number)


def test_each_past_commit_is_a_revision_with_its_own_author_and_date(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(0, {"a.md": "# A\n\nOne.\n"}, name="Eva", subject="Write it down")
    repository.commit(3, {"a.md": "# A\n\nTwo.\n"}, name="Ben", subject="Raise the limit")
    repository.commit(2, {"b.md": "# B\n\nOne.\n"})
    report = bring_in()
    assert {sop.path: sop.revisions for sop in report.imported} == {"a.md": 2, "b.md": 1}
    first, second = rows(stores, "SOP-0001")
    assert (first.author_name, first.author_email, first.significance) == ("Eva", "eva@example.com", "major")
    assert (second.author_name, second.change_summary, second.significance) == ("Ben", "Raise the limit", "minor")
    assert first.effective_from == first.approved_at == first.recorded_at == START
    assert second.effective_from == second.recorded_at == START + timedelta(days=3)
    order = [publication.trailers["SOP-Id"][0] for publication in stores.library.publications()]
    assert order == ["SOP-0001", "SOP-0002", "SOP-0001"]
    index_due(stores, now=NOW)
    assert check(stores, now=NOW).problems == ()


def test_reading_as_of_an_instant_gives_what_the_source_had_then(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(0, {"a.md": "# A\n\nOne.\n"})
    repository.commit(10, {"a.md": "# A\n\nTwo.\n"})
    bring_in()
    with stores.database.read() as session:
        row = sops.in_force_row(session, "SOP-0001", START + timedelta(days=5))
    assert row is not None
    assert stores.library.read(row.blob_oid).decode().endswith("One.\n")


def test_a_file_is_followed_through_renames_and_what_was_deleted_stays_out(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    body = "\n".join(f"Step {number} of the procedure." for number in range(30))
    repository.commit(0, {"old.md": f"# A\n\n{body}\n", "gone.md": "# Gone\n\nx\n"})
    repository.commit(1, {"old.md": None, "new/place.md": f"# A\n\n{body}\n"})
    repository.commit(2, {"new/place.md": f"# A\n\n{body} More.\n", "gone.md": None})
    report = bring_in()
    assert [(sop.path, sop.revisions) for sop in report.imported] == [("new/place.md", 2)]
    assert {row.path for row in rows(stores, "SOP-0001")} == {"new/place.md"}


def test_a_past_state_that_cannot_be_read_is_left_out_and_told(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(0, {"a.md": "# A\n\nOne.\n"})
    repository.commit(1, {"a.md": "---\ntitle: [broken\n---\n\nTwo.\n"})
    repository.commit(2, {"a.md": "# A\n\nThree.\n"})
    report = bring_in()
    assert [row.number for row in rows(stores, "SOP-0001")] == [1, 2]
    (warning,) = report.warnings
    assert "2024-01-02" in warning.message


def test_states_that_differ_in_line_endings_alone_are_one_revision(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(0, {"a.md": "# A\n\nOne.\n"})
    (repository.path / "a.md").write_bytes(b"# A\r\n\r\nOne.\r\n")
    repository.commit(1, {})
    bring_in()
    assert len(rows(stores, "SOP-0001")) == 1
    assert bring_in(history=False).unchanged == 1


def test_a_library_that_is_not_empty_refuses_a_history(
    bring_in: Import, stores: Stores, cast: Cast, repository: Repository, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.md").write_text("# X\n\nx\n", encoding="utf-8")
    import_tree(stores, actor=cast.admin, request=ImportRequest(root=other), now=NOW)
    repository.commit(0, {"a.md": "# A\n\nOne.\n"})
    with pytest.raises(ConflictError, match="empty library"):
        bring_in()
    with stores.database.read() as session:
        assert sops.published_ids(session) == ["SOP-0001"]


def test_a_folder_without_history_is_told(stores: Stores, cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(InvalidInputError, match="not a git repository"):
        import_tree(stores, actor=cast.admin, request=ImportRequest(root=tmp_path / "plain", history=True), now=NOW)


def test_a_second_run_changes_nothing_and_a_later_commit_becomes_a_draft(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(0, {"a.md": "# A\n\nOne.\n"})
    repository.commit(1, {"a.md": "# A\n\nTwo.\n"})
    bring_in()
    head = stores.library.head()
    again = bring_in()
    assert (again.imported, again.unchanged, stores.library.head()) == ((), 1, head)
    repository.commit(2, {"a.md": "# A\n\nThree.\n"})
    assert [draft.path for draft in bring_in().drafted] == ["a.md"]


def test_a_history_that_was_killed_half_way_goes_on_where_it_stopped(
    bring_in: Import, stores: Stores, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    for day in range(6):
        repository.commit(day, {"a.md": f"# A\n\n{day}\n", "b.md": f"# B\n\n{day}\n"})
    with monkeypatch.context() as patch:
        patch.setattr(import_run, "CHUNK", 4)
        published = 0

        def after_two_chunks(*args: object, **kwargs: object) -> None:
            nonlocal published
            published += 1
            if published == 3:
                raise KilledError
            publish_arrivals(*args, **kwargs)  # type: ignore[arg-type]  # handed on as it came

        patch.setattr(import_run, "publish_arrivals", after_two_chunks)
        with pytest.raises(KilledError):
            bring_in()
    assert len(list(stores.library.publications())) == 8
    bring_in()
    assert [row.number for row in rows(stores, "SOP-0001")] == [1, 2, 3, 4, 5, 6]
    assert [row.effective_from for row in rows(stores, "SOP-0002")] == [START + timedelta(days=day) for day in range(6)]


def test_a_review_date_is_recorded_with_the_commit_that_brought_it(
    bring_in: Import, stores: Stores, repository: Repository
) -> None:
    repository.commit(10, {"a.md": "---\nlast_reviewed_on: 2024-01-05\n---\n# A\n\nx\n"})
    repository.commit(40, {"a.md": "---\nlast_reviewed_on: 2024-02-08\n---\n# A\n\nx\n"})
    bring_in()
    with stores.database.read() as session:
        reviews = session.query(Review).order_by(Review.id).all()
    assert [(review.revision, review.recorded_at) for review in reviews] == [
        (1, START + timedelta(days=10)),
        (2, START + timedelta(days=40)),
    ]


def state(at: datetime) -> SourceRevision:
    return SourceRevision("0" * 40, Identity("Eva", "eva@example.com"), at, "x", "a.md", "0" * 40)


def test_dates_that_run_backwards_or_into_the_future_keep_the_order_of_the_commits() -> None:
    dates = [START + timedelta(days=5), START, START, NOW + timedelta(days=9), NOW + timedelta(days=9)]
    steps = timeline([("a.md", [state(at) for at in dates])], now=NOW)
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert all(former.at < later.at for former, later in pairwise(steps))
    assert steps[0].at == START + timedelta(days=5)
    assert steps[-1].at == NOW
