from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.drafts import DraftKind
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts.departments import set_rules
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.draft_lists import get_draft
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, edit_draft, submit_draft
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

CHANGED = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n")


@pytest.fixture
def draft(publish: Publish, stores: Stores, cast: Cast, clock: Clock) -> DraftView:
    """A major change in review, which answers a ticket that went live ten hours and four minutes ago."""
    sop_id = publish()
    ticket = TicketInput(title="A higher limit", effective_at=NOW, sops=(sop_id,))
    upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-12", given=ticket)
    clock.now = NOW + timedelta(hours=10, minutes=4)
    given = DraftInput(
        content=CHANGED, change_summary="The limit goes up.", significance="major", tickets=("jira:CHG-12",)
    )
    begun = create_draft(stores, actor=cast.editor, given=given, now=clock.now, sop_id=sop_id)
    return submit_draft(stores, actor=cast.editor, draft_id=begun.id, now=clock.now)


def state(stores: Stores, actor: Actor, draft: DraftView) -> str:
    return get_draft(stores, actor=actor, draft_id=draft.id, now=stores.clock()).state


def test_the_review_shows_the_change_and_says_what_approving_does(
    as_person: AsPerson, cast: Cast, draft: DraftView
) -> None:
    page = as_person(cast.approver).get(f"/drafts/{draft.id}")

    told = words(page)
    assert "<ins>" in page.text
    assert "In force at once; asks 1 person to read again; meets jira:CHG-12 after 10 h 4 min." in told
    assert "Approve r2" in told
    assert "Ben Castro asked" in told
    assert f'name="content_hash" value="{draft.content_hash}"' in page.text
    assert '<tr class="added">' in as_person(cast.approver).get(f"/drafts/{draft.id}?view=raw").text


def test_approving_brings_the_revision_into_force(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    approver = as_person(cast.approver)

    done = approver.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash, effective_from="")

    assert (done.status_code, done.location) == (303, f"/sops/{draft.sop_id}")
    told = words(approver.get(done.location))
    assert "Approved: r2 is in force now." in told
    assert "Refund up to 800 USD" in told
    assert "Tickets it answered jira:CHG-12 with r2" in told
    assert state(stores, cast.approver, draft) == "published"


def test_approving_a_text_that_changed_shows_the_new_one(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    newer = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 850 USD.\n")
    edit_draft(stores, actor=cast.editor, draft_id=draft.id, given=DraftInput(content=newer), now=stores.clock())

    stale = as_person(cast.approver).post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash)

    now = get_draft(stores, actor=cast.approver, draft_id=draft.id, now=stores.clock())
    assert stale.status_code == 409
    assert "no longer the text that you approve" in words(stale)
    assert "850" in words(stale)
    assert f'value="{now.content_hash}"' in stale.text
    assert now.state == "in_review"


def test_a_revision_can_be_approved_for_later(as_person: AsPerson, cast: Cast, draft: DraftView) -> None:
    approver = as_person(cast.approver)
    early = approver.post(
        f"/drafts/{draft.id}/approve",
        content_hash=draft.content_hash,
        effective_from="2026-11-01T08:00",
        comment="Good",
    )
    assert early.status_code == 422
    assert 'id="effective_from-error"' in early.text
    assert "Good" in early.text

    done = approver.post(
        f"/drafts/{draft.id}/approve", content_hash=draft.content_hash, effective_from="2026-11-05T19:04"
    )

    assert done.location == f"/drafts/{draft.id}"
    assert "Approved: r2 is coming in 2 days." in words(approver.get(done.location))
    assert "r2 is coming on 5 Nov 2026" in words(approver.get(f"/sops/{draft.sop_id}"))


def test_a_second_approval_is_asked_for_where_the_department_wants_two(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    set_rules(stores, actor=cast.admin, now=stores.clock(), slug="customer-care", approvals_needed=2)
    approver = as_person(cast.approver)
    assert "Needs 1 more approval after yours; in force at once" in words(approver.get(f"/drafts/{draft.id}"))

    done = approver.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash)

    assert "Another approval is needed" in words(approver.get(done.location))
    again = approver.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash)
    assert again.status_code == 409
    assert "You approved this very text already" in words(again)


def test_changes_are_requested_with_what_has_to_change(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    approver = as_person(cast.approver)
    empty = approver.post(f"/drafts/{draft.id}/request-changes", asking="changes", comment=" ")
    assert empty.status_code == 422
    assert 'id="changes-error"' in empty.text

    done = approver.post(f"/drafts/{draft.id}/request-changes", comment="Does this hold for Brazil?")

    assert done.status_code == 303
    told = words(as_person(cast.editor).get(f"/drafts/{draft.id}"))
    assert "changes requested" in told
    assert "Does this hold for Brazil?" in told
    assert state(stores, cast.editor, draft) == "changes_requested"


def test_authors_see_that_somebody_else_decides(as_person: AsPerson, cast: Cast, draft: DraftView) -> None:
    page = as_person(cast.editor).get(f"/drafts/{draft.id}")

    assert f"/drafts/{draft.id}/approve" not in page.text
    assert f"/drafts/{draft.id}/edit" in page.text


@pytest.mark.parametrize("form", ["approve", "request-changes", "submit", "withdraw"])
def test_who_may_not_decide_does_not(
    as_person: AsPerson, cast: Cast, draft: DraftView, stranger: Browser, form: str
) -> None:
    given = {"content_hash": draft.content_hash, "comment": "x"}

    assert stranger.post(f"/drafts/{draft.id}/{form}", **given).location == "/login"
    assert as_person(cast.reader).post(f"/drafts/{draft.id}/{form}", **given).status_code in {403, 404}
    assert as_person(cast.manager).post(f"/drafts/{draft.id}/{form}", **given).status_code in {403, 404}
    elsewhere, near = (
        (cast.payments_approver, cast.editor)
        if form in {"approve", "request-changes"}
        else (cast.payments_editor, cast.approver)
    )
    assert as_person(elsewhere).post(f"/drafts/{draft.id}/{form}", **given).status_code == 404
    assert as_person(near).post(f"/drafts/{draft.id}/{form}", **given).status_code == 403
    assert "in review" in words(as_person(cast.editor).get(f"/drafts/{draft.id}"))


def test_a_withdrawn_draft_is_not_decided_on(as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores) -> None:
    editor = as_person(cast.editor)

    assert editor.post(f"/drafts/{draft.id}/withdraw").status_code == 303

    assert state(stores, cast.editor, draft) == "withdrawn"
    late = as_person(cast.approver).post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash)
    assert late.status_code == 409
    assert "This draft is withdrawn" in words(late)
    assert editor.post(f"/drafts/{draft.id}/submit").status_code == 409


def test_drafts_are_listed_mine_first(as_person: AsPerson, cast: Cast, draft: DraftView, stranger: Browser) -> None:
    mine, asked = as_person(cast.editor).get("/drafts/"), as_person(cast.approver).get("/drafts/")

    assert "Mine Draft State By Answers Saved Refunds over 500 USD" in words(mine)
    assert "In review Draft State By Answers Saved Refunds over 500 USD" in words(asked)
    assert draft.id not in as_person(cast.payments_editor).get("/drafts/").text
    assert as_person(cast.reader).get("/drafts/").status_code == 403
    assert as_person(cast.editor).get("/drafts/?state=nonsense").status_code == 422
    assert stranger.get("/drafts/").location == "/login?next=%2Fdrafts%2F"


def test_what_was_published_meanwhile_is_told_before_the_decision(
    as_person: AsPerson, cast: Cast, draft: DraftView, publish: Publish, clock: Clock
) -> None:
    clock.now += timedelta(hours=1)
    publish(sop_text("Refunds over 500 dollars"), sop_id=draft.sop_id, summary="A new title.", significance="minor")
    approver = as_person(cast.approver)
    assert "r2 was published meanwhile" in words(approver.get(f"/drafts/{draft.id}"))

    merged = approver.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash)

    assert merged.status_code == 409
    assert "was merged into this draft" in words(merged)
    assert "Approve r3" in words(merged)


def test_approving_a_retirement_says_that_the_sop_is_retired(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    given = DraftInput(change_summary="The shop closed.", significance="major")
    drafted = create_draft(stores, actor=cast.editor, given=given, now=clock(), sop_id=sop_id, kind=DraftKind.RETIRE)
    submit_draft(stores, actor=cast.editor, draft_id=drafted.id, now=clock())
    approver = as_person(cast.approver)

    done = approver.post(f"/drafts/{drafted.id}/approve", content_hash=drafted.content_hash, effective_from="")

    told = words(approver.get(done.location))
    assert f"Approved: {sop_id} is retired now." in told
    assert "in force now" not in told
