"""One person publishes alone in an emergency; a second one confirms within 24 hours, or objects; all of it is told."""

import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from sop_server.domain.break_glass import GlassState
from sop_server.domain.doers import OPERATOR
from sop_server.domain.obligations import ObligationState
from sop_server.domain.standing import loud_glass, standing
from sop_server.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.people import end_role
from sop_server.services.background import run_due
from sop_server.services.changes.obligations import obligations_of_ticket
from sop_server.services.drafts.breaking_glass import Broken, break_glass
from sop_server.services.drafts.draft_lists import get_draft
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import withdraw_draft
from sop_server.services.drafts.glass_answers import confirm_revision, object_to_revision
from sop_server.services.library.reading import get_revision, get_sop, list_revisions
from sop_server.services.publication.checking import check
from sop_server.services.reports.needs import NeedKind, owner_home
from sop_server.services.stores import Stores
from sop_server.storage.facts import load_facts
from sop_server.storage.tables import AuditEvent
from tests.services.story import Story, step, text

WHY = "The payment provider changed its form an hour ago."


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def broken(story: Story, draft: DraftView, *, by: str = "ben", reason: str = WHY) -> Broken:
    return break_glass(
        story.stores,
        actor=story.people[by],
        draft_id=draft.id,
        content_hash=draft.content_hash,
        reason=reason,
        now=story.now,
    )


def confirm(story: Story, sop_id: str, number: int, *, by: str) -> None:
    confirm_revision(story.stores, actor=story.people[by], sop_id=sop_id, number=number, now=story.now)


def state(story: Story, sop_id: str, number: int = 1) -> GlassState:
    found = get_revision(story.stores, actor=story.rita, sop_id=sop_id, number=number, now=story.now).break_glass
    assert found is not None
    return found.state


def test_one_person_publishes_alone_what_they_wrote_and_it_is_in_force_at_once(story: Story) -> None:
    draft = story.draft(text(), by="bela", effective_from=story.now + timedelta(days=3))

    done = broken(story, draft, by="bela")

    assert (done.revision, done.in_force, done.confirm_by) == (1, True, story.now + timedelta(hours=24))
    page = get_sop(story.stores, actor=story.rita, sop_id=draft.sop_id, now=story.now)
    assert page.markdown == draft.content
    assert page.break_glass is not None
    assert (page.break_glass.name, page.break_glass.reason) == ("Bela", WHY)
    run_due(story.stores, now=story.now)
    assert check(story.stores, now=story.now).problems == ()


def test_it_is_never_called_an_approval(story: Story, tmp_path: Path) -> None:
    draft = story.draft(text(), by="bela")
    broken(story, draft, by="bela", reason=f"{WHY}\nApproved-By: Ben <ben@example.com>")

    (revision,) = list_revisions(story.stores, actor=story.rita, sop_id=draft.sop_id, now=story.now)
    assert (revision.approvals, revision.approved_at) == ((), None)
    work = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(story.stores.library.path), str(work)], check=True)
    told = subprocess.run(
        ["git", "log", "-1", "--format=%(trailers)"], cwd=work, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert f"Break-Glass: {WHY} Approved-By: Ben <ben@example.com>" in told
    assert "Break-Glass-By: Bela <bela@example.com>" in told
    assert not [line for line in told if line.startswith(("Approved-By:", "Approval-Id:"))]
    with story.stores.database.read() as session:
        events = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert "draft.glass_broken" in events
    assert "draft.approved" not in events


def test_it_takes_one_where_the_department_asks_for_two(story: Story) -> None:
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug="payments", approvals_needed=2)

    assert broken(story, story.draft(text())).revision == 1


def test_of_a_move_it_takes_an_approver_of_both_departments(story: Story) -> None:
    story.person("theo", "editor@treasury", "editor@payments")
    story.person("tina", "approver@treasury", "approver@payments")
    sop_id = story.published()
    draft = story.draft(text(department="treasury"), sop_id=sop_id, by="theo")

    with pytest.raises(ForbiddenError):
        broken(story, draft, by="ben")
    assert broken(story, draft, by="tina").revision == 2
    # And a second person who decides in both.
    story.person("tom", "approver@treasury", "reader@payments")
    with pytest.raises(ForbiddenError):
        confirm(story, sop_id, 2, by="tom")


@pytest.mark.parametrize(
    "reason", ["", "Urgent.", "Urgent" * 10, "\n \t ", "Urgent. " * 70, "Card 4111 1111 1111 1111 is charged twice."]
)
def test_it_takes_a_sentence_that_says_why(story: Story, reason: str) -> None:
    draft = story.draft(text())

    with pytest.raises(InvalidInputError) as refused:
        broken(story, draft, reason=reason)

    assert "reason" in refused.value.fields
    assert story.look(draft).state == "in_review"


def test_who_may_not_decide_does_not_break_the_glass(story: Story) -> None:
    draft = story.draft(text())
    for name in ("asha", "rita"):
        with pytest.raises((ForbiddenError, NotFoundError)):
            broken(story, draft, by=name)


def test_a_department_may_have_it_switched_off(story: Story) -> None:
    draft = story.draft(text())
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug="payments", break_glass=False)
    with pytest.raises(ForbiddenError, match="switched break-glass off"):
        broken(story, draft)
    set_rules(story.stores, actor=OPERATOR, now=story.later(hours=1), slug="payments", break_glass=True)

    assert broken(story, draft).revision == 1


def test_neither_a_draft_that_is_written_nor_another_text_nor_a_retirement(story: Story) -> None:
    being_written = story.draft(text(), submitted=False)
    with pytest.raises(ConflictError):
        broken(story, being_written)
    sop_id = story.published()
    with pytest.raises(ConflictError, match="retirement"):
        broken(story, story.draft(sop_id=sop_id, kind="retire"))
    draft = story.draft(text(steps=step(1, "New")), sop_id=sop_id)
    story.edit(draft, content=text(steps=step(1, "Newer")))
    with pytest.raises(ConflictError) as refused:
        broken(story, draft)
    assert refused.value.content_hash == story.look(draft).content_hash


def test_what_was_published_meanwhile_is_merged_and_not_passed_over(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(1, "Asha's")), sop_id=sop_id)
    story.published(text(steps=step(8, "Another's")), sop_id=sop_id)

    with pytest.raises(ConflictError) as refused:
        broken(story, draft)

    assert refused.value.content_hash == story.look(draft).content_hash != draft.content_hash
    assert broken(story, story.look(draft)).revision == 3


def test_a_second_person_confirms_in_time(story: Story) -> None:
    sop_id = broken(story, story.draft(text())).sop_id
    story.later(hours=24)

    confirm(story, sop_id, 1, by="bela")

    assert state(story, sop_id) is GlassState.CONFIRMED
    assert story.now == story.later()
    page = get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)
    assert page.break_glass is not None
    assert not page.break_glass.loud
    with pytest.raises(ConflictError, match="Bela confirmed"):
        confirm(story, sop_id, 1, by="bela")


def test_a_confirmation_after_a_day_counts_and_is_called_late(story: Story) -> None:
    sop_id = broken(story, story.draft(text())).sop_id
    story.later(hours=24, seconds=1)
    assert state(story, sop_id) is GlassState.OVERDUE
    # It goes on being served: hiding the only procedure breeds tribal knowledge.
    assert get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now).break_glass is not None

    confirm(story, sop_id, 1, by="bela")

    assert state(story, sop_id) is GlassState.LATE


def test_neither_who_broke_the_glass_nor_who_wrote_the_text_nor_who_may_not_decide_confirms(story: Story) -> None:
    story.person("cleo", "editor@payments", "approver@payments")
    draft = story.draft(text(), by="bela")
    draft = story.edit(draft, by="cleo", change_summary="Says more.")
    sop_id = broken(story, draft).sop_id

    for name in ("ben", "bela", "cleo", "asha", "rita"):
        for answer in (confirm, objecting):
            with pytest.raises(ForbiddenError):
                answer(story, sop_id, 1, by=name)
    end_role(story.stores, actor=OPERATOR, now=story.now, email="bela@example.com", role="approver@payments")
    assert state(story, sop_id) is GlassState.WAITING


def objecting(story: Story, sop_id: str, number: int, *, by: str) -> None:
    why = "The provider changed nothing, see their page."
    object_to_revision(story.stores, actor=story.people[by], sop_id=sop_id, number=number, reason=why, now=story.now)


def test_an_objection_opens_a_draft_that_takes_it_back_and_the_text_is_served_until_then(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(2, "Pay at once.")), sop_id=sop_id)
    broken(story, draft)
    story.person("cleo", "approver@payments")

    objecting(story, sop_id, 2, by="cleo")

    page = get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)
    assert page.break_glass is not None
    assert (page.summary.revision, page.break_glass.state, page.break_glass.loud) == (2, GlassState.OBJECTED, True)
    undo = taking_back(story, sop_id)
    assert (undo.state, undo.reverts, undo.author) == ("in_review", 2, "cleo@example.com")
    assert "Pay at once" not in undo.content
    with pytest.raises(ForbiddenError):
        story.approve(undo, by="cleo")
    assert story.approve(undo, by="bela").revision == 3
    assert get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now).break_glass is None


def test_what_is_built_upon_a_revision_that_was_objected_to_does_not_silence_the_objection(story: Story) -> None:
    sop_id = story.published()
    broken(story, story.draft(text(steps=step(2, "Pay at once.")), sop_id=sop_id))
    story.person("cleo", "approver@payments", "editor@payments")
    objecting(story, sop_id, 2, by="cleo")
    undo = taking_back(story, sop_id)
    told = [(2, "Cleo")]
    assert objections(story, at=story.now) == told

    story.later(hours=1)
    served = get_sop(story.stores, actor=story.asha, sop_id=sop_id, now=story.now).markdown
    assert story.approve(story.draft(f"{served}\nA comma.\n", sop_id=sop_id)).revision == 3
    assert objections(story, at=story.now) == told

    before = story.now
    story.later(hours=1)
    withdraw_draft(story.stores, actor=story.people["cleo"], draft_id=undo.id, now=story.now)
    assert objections(story, at=story.now) == []
    assert objections(story, at=before) == told


def test_whoever_published_alone_does_not_withdraw_what_takes_it_back(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(2, "Pay at once.")), sop_id=sop_id)
    broken(story, draft, by="bela")
    objecting(story, sop_id, 2, by="ben")
    undo = taking_back(story, sop_id)

    with pytest.raises(ForbiddenError, match="which you published alone"):
        withdraw_draft(story.stores, actor=story.people["bela"], draft_id=undo.id, now=story.now)
    withdraw_draft(story.stores, actor=story.asha, draft_id=undo.id, now=story.now)


def objections(story: Story, *, at: datetime) -> list[tuple[int, str | None]]:
    with story.stores.database.read() as session:
        return [(one.revision, one.answer_name) for one in loud_glass(standing(load_facts(session, at)))]


def taking_back(story: Story, sop_id: str) -> DraftView:
    """The draft that takes back what is in force, as somebody who sees drafts finds it; a reader is not told of it."""
    readers, editors = (
        get_sop(story.stores, actor=actor, sop_id=sop_id, now=story.now).break_glass
        for actor in (story.rita, story.asha)
    )
    assert readers is not None
    assert editors is not None
    assert readers.draft_id is None
    assert editors.draft_id is not None
    return get_draft(story.stores, actor=story.asha, draft_id=editors.draft_id, now=story.now)


def test_an_objection_to_a_first_revision_opens_its_retirement(story: Story) -> None:
    sop_id = broken(story, story.draft(text())).sop_id
    objecting(story, sop_id, 1, by="bela")
    undo = taking_back(story, sop_id)

    assert (undo.kind, undo.state) == ("retire", "in_review")
    story.approve(undo)
    with pytest.raises(GoneError):
        get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)


def test_there_is_nothing_to_answer_of_what_was_approved(story: Story) -> None:
    sop_id = story.published()
    with pytest.raises(ConflictError):
        confirm(story, sop_id, 1, by="bela")
    with pytest.raises(NotFoundError):
        confirm(story, sop_id, 2, by="bela")


def test_it_stops_the_clock_and_what_takes_it_back_starts_it_again(story: Story) -> None:
    sop_id = story.published()
    ticket = story.ticket("CHG-1", sops=[sop_id], effective_at=story.now)
    story.later(hours=2)
    broken(story, story.draft(text(steps=step(2, "New")), sop_id=sop_id, tickets=[ticket]))

    def obligation() -> ObligationState:
        (found,) = obligations_of_ticket(story.stores, actor=story.asha, now=story.now, ticket_id=ticket)
        return found.state

    assert obligation() is ObligationState.MET
    story.later(hours=1)
    objecting(story, sop_id, 2, by="bela")
    assert obligation() is ObligationState.MET
    story.approve(taking_back(story, sop_id))
    assert obligation() is ObligationState.PENDING


@pytest.mark.parametrize("answer", [confirm, objecting])
def test_of_two_answers_at_once_one_counts(story: Story, answer: Callable[..., None]) -> None:
    story.person("cleo", "approver@payments")
    sop_id = broken(story, story.draft(text())).sop_id
    answer(story, sop_id, 1, by="bela")

    with pytest.raises(ConflictError):
        objecting(story, sop_id, 1, by="cleo")


def test_check_tells_what_nobody_has_confirmed_and_finds_nothing_wrong_with_it(story: Story) -> None:
    sop_id = broken(story, story.draft(text())).sop_id
    run_due(story.stores, now=story.now)
    assert [one for one in check(story.stores, now=story.now).notes if "has not confirmed it" in one]
    story.later(hours=25)
    found = check(story.stores, now=story.now)
    assert [one for one in found.notes if one.endswith("which is over.")]
    assert found.problems == ()

    confirm(story, sop_id, 1, by="bela")

    assert not [one for one in check(story.stores, now=story.now).notes if "confirmed it" in one]


def test_it_is_the_first_thing_that_needs_those_whom_it_concerns(story: Story) -> None:
    sop_id = story.published()
    story.ticket("CHG-1", sops=[sop_id], effective_at=story.now - timedelta(hours=47))
    broken(story, story.draft(text(steps=step(2, "New")), sop_id=sop_id))
    story.person("mia", "manager")
    story.person("tina", "approver@treasury")

    first = {
        name: owner_home(story.stores, actor=story.people[name], now=story.now).needs[:1]
        for name in ("bela", "ben", "asha", "mia", "tina")
    }

    assert {name: [one.kind for one in found] for name, found in first.items()} == {
        "bela": [NeedKind.CONFIRM],
        "ben": [NeedKind.LOOK],
        "asha": [NeedKind.LOOK],
        "mia": [NeedKind.LOOK],
        "tina": [],
    }
    assert {one.href for found in first.values() for one in found} == {f"/sops/{sop_id}/revisions/2"}
