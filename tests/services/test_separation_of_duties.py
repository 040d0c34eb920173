"""Nobody decides on what they wrote: the ways round it that somebody could think of, each tried."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.people import add_person, deactivate_person, reactivate_person, rename_person
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.draft_lists import list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.stores import Stores
from sop_server.storage.tables import Approval, Person
from tests.services.sources import write
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def refused(story: Story, draft: DraftView, *, by: str) -> None:
    with pytest.raises(ForbiddenError):
        story.approve(draft, by=by)
    assert story.look(draft, by=by).state == "in_review"


def ask_for_two(story: Story) -> None:
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug="payments", approvals_needed=2)


def test_two_people_whose_addresses_were_swapped_are_still_who_they_were(story: Story) -> None:
    """No door changes the address of an account; whoever does it in the database changes nobody into somebody else."""
    draft = story.draft(text(), by="bela")
    with story.stores.database.write() as session:
        bela, ben = (
            session.scalars(select(Person).where(Person.email == f"{name}@example.com")).one()
            for name in ("bela", "ben")
        )
        for person, email in ((bela, "meanwhile"), (ben, "bela"), (bela, "ben")):
            person.email = f"{email}@example.com"
            session.flush()

    refused(story, draft, by="bela")
    assert story.approve(draft, by="ben").revision == 1


def test_a_second_token_is_the_same_person(story: Story) -> None:
    draft = story.draft(text(), by="bela")
    for scope in ("write", "read"):
        token = create_token(story.stores, actor=OPERATOR, now=story.now, email="bela@example.com", scope=scope)
        actor = actor_for_token(story.stores, token=token, now=story.now)
        assert actor is not None
        with pytest.raises(ForbiddenError):
            approve(story.stores, actor=actor, draft_id=draft.id, content_hash=draft.content_hash, now=story.now)


def test_a_new_name_makes_nobody_another_person(story: Story) -> None:
    draft = story.draft(text(), by="bela")
    rename_person(story.stores, actor=OPERATOR, now=story.now, email="bela@example.com", name="Ben")

    refused(story, draft, by="bela")


def test_whoever_left_and_came_back_is_still_the_author(story: Story) -> None:
    draft = story.draft(text(), by="bela")
    deactivate_person(story.stores, actor=OPERATOR, now=story.now, email="bela@example.com")
    # The address stays theirs: whoever is added under it is the same person, with all that they wrote.
    add_person(
        story.stores, actor=OPERATOR, now=story.now, email="Bela@Example.com", name="New", roles=["approver@payments"]
    )
    reactivate_person(story.stores, actor=OPERATOR, now=story.later(days=1), email="bela@example.com")

    refused(story, draft, by="bela")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: text(department="treasury"),
        lambda _: text().replace("owner: asha@example.com", "owner: tina@example.com\npath: treasury/refunds.md"),
        lambda _: text(extra="Department: treasury\n"),
    ],
    ids=["department", "owner and path", "another key that looks like it"],
)
def test_a_draft_that_names_another_department_still_takes_an_approver_of_its_own(
    story: Story, change: Callable[[str], str]
) -> None:
    sop_id = story.published()
    story.person("tina", "editor@treasury", "approver@treasury", "editor@payments")
    story.person("theo", "editor@treasury", "editor@payments")
    draft = story.draft(change(text()), sop_id=sop_id, by="theo")

    try:
        outcome = story.approve(draft, by="tina")
    except ForbiddenError:
        return
    assert (outcome.revision, outcome.approvals_missing) == (None, True)
    assert story.approve(draft).revision == 2


def test_a_draft_cannot_turn_into_one_of_another_sop(story: Story) -> None:
    sop_id, other = story.published(), story.published(text("Chargebacks"))
    draft = story.draft(text(steps=step(1, "New")), sop_id=sop_id, submitted=False)

    with pytest.raises(InvalidInputError):
        story.edit(draft, content=text(extra=f"id: {other}\n"))


def test_a_new_sop_whose_department_changes_in_review_goes_back_to_be_submitted(story: Story) -> None:
    story.person("tina", "editor@treasury", "approver@treasury", "editor@payments")
    draft = story.draft(text())

    moved = story.edit(draft, by="tina", content=text(department="treasury"))

    assert moved.state == "draft"
    refused_as_author = story.submit(moved, by="tina")
    refused(story, refused_as_author, by="tina")


def test_an_undo_to_a_text_that_was_approved_before_may_be_approved_by_who_wrote_it_then(story: Story) -> None:
    sop_id = story.published(text(steps=step(2, "Bela's")), by="bela")
    story.published(text(steps=step(2, "Asha's")), sop_id=sop_id)
    undo = story.draft(sop_id=sop_id, by="asha", reverts=2)

    refused(story, undo, by="asha")
    assert story.approve(undo, by="bela").revision == 3


def test_a_retirement_may_be_approved_by_whoever_wrote_what_is_retired(story: Story) -> None:
    sop_id = story.published(by="bela")
    retirement = story.draft(sop_id=sop_id, by="asha", kind="retire")

    assert story.approve(retirement, by="bela").revision == 2


@pytest.mark.parametrize("given", [{"content": text(steps=step(3, "Bela's"))}, {"change_summary": "Says more."}])
def test_an_approval_given_before_its_person_became_an_author_counts_no_longer(
    story: Story, given: dict[str, str]
) -> None:
    ask_for_two(story)
    story.person("cleo", "approver@payments")
    draft = story.draft(text())
    story.approve(draft, by="bela")
    edited = story.edit(draft, by="bela", **given)  # type: ignore[arg-type]  # fields of a draft

    assert story.approve(edited, by="ben").approvals_missing
    refused(story, edited, by="bela")
    assert story.approve(edited, by="cleo").revision == 1


def test_an_approval_that_was_written_back_by_hand_does_not_count_for_an_author(story: Story) -> None:
    ask_for_two(story)
    draft = story.draft(text())
    story.approve(draft, by="bela")
    edited = story.edit(draft, by="bela", change_summary="Says more.")
    with story.stores.database.write() as session:
        for row in session.scalars(select(Approval)):
            row.voided_at = None

    outcome = story.approve(edited, by="ben")

    assert (outcome.revision, outcome.approvals_missing) == (None, True)


def test_whoever_brings_two_texts_together_by_hand_is_an_author(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(2, "Asha's")), sop_id=sop_id)
    story.published(text(steps=step(2, "Another's")), sop_id=sop_id)
    with pytest.raises(ConflictError):
        story.approve(draft)
    merged = story.edit(draft, by="bela", content=text(steps=step(2, "Both")), base_revision=2)
    resolved = story.submit(merged)

    refused(story, resolved, by="bela")
    assert story.approve(resolved).revision == 3


def test_whoever_only_takes_a_newer_base_is_an_author_too(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(steps=step(2, "Asha's")), sop_id=sop_id)
    story.published(text(steps=step(2, "Another's")), sop_id=sop_id)
    with pytest.raises(ConflictError):
        story.approve(draft)
    resolved = story.submit(story.edit(draft, by="bela", base_revision=2))

    refused(story, resolved, by="bela")


def test_whoever_imported_a_change_does_not_approve_it(story: Story, tmp_path: Path) -> None:
    admin = story.person("ada", "admin", "editor", "approver")
    source = tmp_path / "source"
    source.mkdir()
    request = ImportRequest(root=source, department="payments")
    write(source, {"refunds.md": "# Refunds\n\n1. Refund.\n"})
    import_tree(story.stores, actor=admin, request=request, now=story.now)
    write(source, {"refunds.md": "# Refunds\n\n1. Refund more.\n"})
    import_tree(story.stores, actor=admin, request=request, now=story.later(hours=1))
    (imported,) = list_drafts(story.stores, actor=admin, now=story.now).items
    draft = story.submit(imported, by="ada")

    refused(story, draft, by="ada")
    assert story.approve(draft).revision == 2
