import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.services.background import run_due
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.publication.checking import check
from sop_server.services.publication.reconciling import reconcile
from sop_server.services.stores import Stores, utc_now
from sop_server.storage import broken_glass
from tests.services.conftest import Cast
from tests.services.crashing import STEPS

TEXT = "---\ntitle: Refunds\ndepartment: payments\nowner: asha@example.com\n---\n## Steps\n\n1. Pay {amount} USD.\n"


@pytest.fixture
def live(stores: Stores) -> Stores:
    """The stores with the real clock: the process that is killed has no other."""
    return replace(stores, clock=utc_now)


def submitted(stores: Stores, cast: Cast, *, amount: int, sop_id: str | None = None) -> DraftView:
    given = DraftInput(content=TEXT.format(amount=amount), change_summary=f"Pay {amount}.", significance="major")
    draft = create_draft(stores, actor=cast.editor, given=given, sop_id=sop_id, now=datetime.now(UTC))
    return submit_draft(stores, actor=cast.editor, draft_id=draft.id, now=datetime.now(UTC))


def approved(stores: Stores, cast: Cast, draft: DraftView) -> int | None:
    outcome = approve(
        stores,
        actor=cast.approver,
        draft_id=draft.id,
        content_hash=draft.content_hash,
        now=datetime.now(UTC),
    )
    return outcome.revision


def killed(stores: Stores, cast: Cast, draft: DraftView, step: str, *, how: str = "approving") -> None:
    script = Path(__file__).with_name("crashing.py")
    arguments = [str(stores.home), draft.id, draft.content_hash, cast.approver.email, step, how]
    ended = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert "acknowledged" not in ended.stdout


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_dies_at_any_step_of_publishing_loses_nothing_and_publishes_nothing_twice(
    live: Stores, cast: Cast, step: str
) -> None:
    approved(live, cast, submitted(live, cast, amount=100))
    draft = submitted(live, cast, amount=200, sop_id="SOP-0001")

    killed(live, cast, draft, step)
    run_due(live, now=datetime.now(UTC))

    if step == "before the intent is committed":
        assert [one.revision for one in list_revisions(live, actor=cast.reader, sop_id="SOP-0001", now=utc_now())] == [
            1
        ]
        assert approved(live, cast, draft) == 2
    history = list_revisions(live, actor=cast.reader, sop_id="SOP-0001", now=utc_now())
    assert [one.revision for one in history] == [2, 1]
    assert history[0].content_hash == draft.content_hash
    assert "Pay 200 USD." in get_sop(live, actor=cast.reader, sop_id="SOP-0001", now=utc_now()).markdown
    assert len(list(live.library.publications())) == 2
    run_due(live, now=datetime.now(UTC))
    assert reconcile(live, now=datetime.now(UTC)) == []
    assert check(live, now=datetime.now(UTC)).problems == ()
    assert approved(live, cast, submitted(live, cast, amount=300, sop_id="SOP-0001")) == 3


@pytest.mark.parametrize("step", STEPS)
def test_a_glass_that_was_broken_by_a_process_that_dies_is_broken_once_or_not_at_all(
    live: Stores, cast: Cast, step: str
) -> None:
    approved(live, cast, submitted(live, cast, amount=100))
    draft = submitted(live, cast, amount=200, sop_id="SOP-0001")

    killed(live, cast, draft, step, how="alone")
    run_due(live, now=datetime.now(UTC))

    history = list_revisions(live, actor=cast.reader, sop_id="SOP-0001", now=utc_now())
    if step == "before the intent is committed":
        assert [one.revision for one in history] == [1]
        return
    assert [(one.revision, one.break_glass is not None, len(one.approvals)) for one in history] == [
        (2, True, 0),
        (1, False, 1),
    ]
    with live.database.read() as session:
        (fact,) = broken_glass.facts(session, utc_now())
    assert (fact.revision, fact.name) == (2, cast.approver.name)
    run_due(live, now=datetime.now(UTC))
    assert reconcile(live, now=datetime.now(UTC)) == []
    assert check(live, now=datetime.now(UTC)).problems == ()


def test_a_commit_that_nobody_approved_is_set_aside_and_the_approved_text_goes_on_being_served(
    live: Stores, cast: Cast
) -> None:
    approved(live, cast, submitted(live, cast, amount=100))
    work = live.home / "clone"
    subprocess.run(["git", "clone", "-q", str(live.library.path), str(work)], check=True)
    (work / "payments" / "refunds.md").write_text(TEXT.format(amount=999_999))
    identity = ["-c", "user.name=Mallory", "-c", "user.email=m@example.com"]
    subprocess.run(["git", *identity, "commit", "-qam", "Pay more"], cwd=work, check=True)
    subprocess.run(
        ["git", "fetch", "-q", str(work), "main:main"], cwd=live.library.path, check=True, capture_output=True
    )

    told = run_due(live, now=datetime.now(UTC))

    assert any("set aside" in line for line in told)
    assert "Pay 100 USD." in get_sop(live, actor=cast.reader, sop_id="SOP-0001", now=utc_now()).markdown
    assert any("not approved here" in problem for problem in check(live, now=datetime.now(UTC)).problems)
    assert approved(live, cast, submitted(live, cast, amount=200, sop_id="SOP-0001")) == 2
