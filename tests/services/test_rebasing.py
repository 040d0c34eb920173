from datetime import timedelta

import pytest

from sop_server.domain import identifiers
from sop_server.domain.doers import OPERATOR
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.drafts.drafting import withdraw_draft
from sop_server.services.drafts.reviewing import review_of
from sop_server.services.library.reading import get_sop
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def markdown(story: Story, sop_id: str) -> str:
    return get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now).markdown


def test_a_draft_whose_base_moved_is_merged_and_has_to_be_approved_as_it_is_now(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(8, "Mine")), sop_id=sop_id)
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)

    with pytest.raises(ConflictError) as refused:
        story.approve(draft)

    merged = story.look(draft)
    assert refused.value.content_hash == merged.content_hash != draft.content_hash
    assert (merged.state, merged.base_revision, merged.conflicted) == ("in_review", 2, False)
    assert "Mine" in merged.content
    assert "Theirs" in merged.content
    assert merged.authors == ("asha@example.com",)
    assert story.approve(merged).revision == 3


def test_the_people_stay_the_authors_of_what_the_system_merged(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(8, "Mine")), sop_id=sop_id, by="bela")
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)
    with pytest.raises(ConflictError):
        story.approve(draft)

    with pytest.raises(ForbiddenError):
        story.approve(story.look(draft), by="bela")


def test_a_merge_voids_the_approvals(story: Story) -> None:
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug="payments", approvals_needed=2)
    story.person("cleo", "approver@payments")
    first = story.draft(text())
    story.approve(first)
    story.approve(first, by="bela")
    draft = story.draft(text(steps=step(8, "Mine")), sop_id=first.sop_id)
    story.approve(draft)
    other = story.draft(text(steps=step(1, "Theirs")), sop_id=first.sop_id)
    story.approve(other)
    story.approve(other, by="bela")
    story.later(hours=1)

    with pytest.raises(ConflictError):
        story.approve(draft, by="cleo")

    merged = story.look(draft)
    assert [one.standing for one in merged.approvals] == [False]
    assert story.approve(merged, by="cleo").approvals_missing


def test_where_lines_collide_the_author_resolves_and_nothing_typed_is_lost(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(1, "Mine")), sop_id=sop_id)
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)

    with pytest.raises(ConflictError) as refused:
        story.approve(draft)

    assert refused.value.content_hash == draft.content_hash
    sent_back = story.look(draft)
    assert (sent_back.state, sent_back.conflicted) == ("changes_requested", True)
    assert sent_back.content == draft.content
    shown = review_of(story.stores, actor=story.asha, draft_id=draft.id, now=story.now)
    assert shown.overtaken_by == 2
    assert shown.merge is not None
    assert "<<<<<<< this draft" in shown.merge
    with pytest.raises(ConflictError):
        story.submit(draft)

    resolved = story.edit(draft, content=text(steps=step(1, "Mine and theirs")), base_revision=2)
    assert (resolved.conflicted, resolved.base_revision) == (False, 2)
    story.approve(story.submit(resolved))

    assert "Mine and theirs" in markdown(story, sop_id)
    with story.stores.database.read() as session:
        states = drafts.commits(session, identifiers.parse_draft_id(draft.id) or 0)
        typed = [story.stores.library.blob_at(one.oid, "payments/refunds.md") for one in states]
    texts = [story.stores.library.read(blob).decode() for blob in typed if blob is not None]
    assert any("1. Mine\n" in one for one in texts)


def test_a_draft_is_brought_together_with_the_revision_in_force_and_no_other(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(1, "Mine")), sop_id=sop_id, submitted=False)
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)

    with pytest.raises(InvalidInputError):
        story.edit(draft, base_revision=7)


def test_a_merge_that_moves_the_sop_moves_the_draft(story: Story) -> None:
    story.person("dora", "editor")
    story.person("alex", "approver")
    story.person("cora", "approver@customer-care")
    sop_id = story.published()
    draft = story.draft(text(steps=step(8, "Mine")), sop_id=sop_id, by="dora")
    move = story.draft(text(department="customer-care"), sop_id=sop_id, by="dora")
    story.approve(move, by="alex")
    story.later(hours=1)

    with pytest.raises(ConflictError):
        story.approve(draft, by="alex")

    merged = story.look(draft, by="dora")
    assert merged.department == "customer-care"
    assert story.approve(merged, by="cora").revision == 3


def test_a_retirement_takes_the_text_that_is_in_force_by_then(story: Story) -> None:
    sop_id = story.published()
    retirement = story.draft(sop_id=sop_id, kind="retire")
    story.published(text(steps=step(1, "Newer")), sop_id=sop_id)
    story.later(hours=1)

    with pytest.raises(ConflictError):
        story.approve(retirement)

    merged = story.look(retirement)
    assert "Newer" in merged.content
    assert story.approve(merged).revision == 3


def test_a_submission_is_merged_first(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(8, "Mine")), sop_id=sop_id, submitted=False)
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)

    submitted = story.submit(draft)

    assert (submitted.base_revision, submitted.state) == (2, "in_review")
    assert "Theirs" in submitted.content


def test_a_draft_for_after_a_scheduled_revision_stands_on_that_one(story: Story) -> None:
    sop_id = story.published()
    scheduled = story.draft(text(steps=step(1, "From Friday")), sop_id=sop_id)
    story.approve(scheduled, effective_from=story.now + timedelta(days=4))
    draft = story.draft(text(steps=step(8, "From Sunday")), sop_id=sop_id)

    with pytest.raises(ConflictError):
        story.approve(draft, effective_from=story.now + timedelta(days=6))

    merged = story.edit(draft, effective_from=story.now + timedelta(days=6))
    assert story.look(merged).base_revision == 2
    assert "From Friday" in merged.content


def test_a_conflicted_draft_can_be_withdrawn(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(1, "Mine")), sop_id=sop_id)
    story.published(text(steps=step(1, "Theirs")), sop_id=sop_id)
    story.later(hours=1)
    with pytest.raises(ConflictError):
        story.approve(draft)

    assert withdraw_draft(story.stores, actor=story.asha, draft_id=draft.id, now=story.now).state == "withdrawn"


def test_what_collides_with_a_scheduled_revision_is_resolved_against_that_one(story: Story) -> None:
    sop_id = story.published()
    story.approve(
        story.draft(text(steps=step(1, "Tomorrow")), sop_id=sop_id), effective_from=story.now + timedelta(hours=24)
    )
    draft = story.draft(text(steps=step(1, "The day after")), sop_id=sop_id)
    in_two_days = story.now + timedelta(hours=48)

    with pytest.raises(ConflictError, match="same lines"):
        story.approve(draft, effective_from=in_two_days)

    kept = story.look(draft)
    assert (kept.state, kept.conflicted, kept.effective_from) == ("changes_requested", True, in_two_days)
    shown = review_of(story.stores, actor=story.people["asha"], draft_id=draft.id, now=story.now)
    assert shown.overtaken_by == 2
    assert shown.merge is not None
    assert "Tomorrow" in shown.merge
    assert "The day after" in shown.merge
    resolved = story.edit(kept, content=text(steps=step(1, "Both")), base_revision=2)
    approved = story.approve(story.submit(resolved))
    assert (approved.revision, approved.effective_from, approved.in_force) == (3, in_two_days, False)


def test_a_draft_cannot_begin_before_the_scheduled_revision_that_it_builds_on(story: Story) -> None:
    sop_id = story.published()
    tomorrow = story.now + timedelta(hours=24)
    story.approve(story.draft(text(steps=step(1, "Tomorrow")), sop_id=sop_id), effective_from=tomorrow)
    draft = story.draft(text(steps=step(2, "More")), sop_id=sop_id, submitted=False)
    with pytest.raises(InvalidInputError):
        story.edit(draft, base_revision=2)
    later = story.edit(draft, effective_from=tomorrow, base_revision=2)
    sooner = story.edit(later, effective_from=story.now + timedelta(hours=1))

    with pytest.raises(InvalidInputError, match="r2, which comes into force on") as refused:
        story.submit(sooner)

    assert "effective_from" in refused.value.fields
    again = story.edit(sooner, effective_from=tomorrow)
    with pytest.raises(InvalidInputError, match="cannot come into force before"):
        story.approve(story.submit(again), effective_from=story.now + timedelta(hours=2))
    assert story.approve(story.look(again)).effective_from == tomorrow
