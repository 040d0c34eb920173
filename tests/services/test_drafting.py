from dataclasses import replace
from datetime import timedelta

import pytest

from sop_server.domain.content import content_hash
from sop_server.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    SopError,
    StaleEditError,
)
from sop_server.services.drafts.approving import request_changes
from sop_server.services.drafts.draft_lists import get_draft, list_drafts
from sop_server.services.drafts.drafting import DraftInput, create_draft, withdraw_draft
from sop_server.services.drafts.reviewing import review_of
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.stores import Stores
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def withdraw(story: Story, draft_id: str) -> None:
    withdraw_draft(story.stores, actor=story.asha, draft_id=draft_id, now=story.now)


def test_a_new_sop_is_given_its_id_and_its_place_at_once(story: Story) -> None:
    draft = story.draft(text(), submitted=False)

    assert draft.sop_id == "SOP-0001"
    assert "id: SOP-0001" in draft.content
    assert draft.content_hash == content_hash(draft.content)
    assert draft.base_revision is None
    assert draft.state == "draft"


def test_the_id_of_a_withdrawn_sop_is_never_given_again(story: Story) -> None:
    withdraw(story, story.draft(text(), submitted=False).id)

    assert story.draft(text(), submitted=False).sop_id == "SOP-0002"


def test_a_new_sop_cannot_bring_an_id_of_its_own(story: Story) -> None:
    with pytest.raises(InvalidInputError) as refused:
        story.draft(text(extra="id: SOP-0099\n"), submitted=False)

    assert refused.value.fields.keys() == {"content"}
    assert list_drafts(story.stores, actor=story.asha, now=story.now).items == ()


def test_a_draft_of_another_sops_text_is_refused(story: Story) -> None:
    sop_id = story.published()

    with pytest.raises(InvalidInputError):
        story.draft(text(extra="id: SOP-0099\n"), sop_id=sop_id)


def test_a_draft_for_an_id_that_does_not_exist_is_not_found(story: Story) -> None:
    with pytest.raises(NotFoundError):
        story.draft(text(), sop_id="SOP-0404")


def test_a_new_sop_has_nothing_to_revert(story: Story) -> None:
    with pytest.raises(InvalidInputError):
        story.draft(text(), reverts=1)


def test_two_sops_of_one_title_live_in_two_files(story: Story) -> None:
    first, second = story.published(), story.published()

    paths = {get_sop(story.stores, actor=story.rita, sop_id=one, now=story.now).path for one in (first, second)}
    assert paths == {"payments/refunds.md", "payments/refunds-2.md"}


@pytest.mark.parametrize(
    "path", ["../x.md", "/x.md", "a/../b.md", "x.txt", ".git/x.md", "a//b.md", "a\nb.md", "a.md/b.md", "-x.md", "x.md/"]
)
def test_a_path_that_a_file_of_the_library_cannot_have_is_refused(story: Story, path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        story.draft(text(), path=path, submitted=False)

    assert refused.value.fields.keys() == {"path"}


def test_a_reader_learns_nothing_of_drafts(story: Story) -> None:
    draft = story.draft(text())

    for attempt in (
        lambda: get_draft(story.stores, actor=story.rita, draft_id=draft.id, now=story.now),
        lambda: list_drafts(story.stores, actor=story.rita, now=story.now),
        lambda: story.edit(draft, by="rita", content=text("Other")),
        lambda: story.submit(draft, by="rita"),
        lambda: story.approve(draft, by="rita"),
    ):
        with pytest.raises(ForbiddenError):
            attempt()


def test_a_draft_of_another_department_does_not_exist_for_an_editor(story: Story) -> None:
    story.person("cora", "editor@customer-care", "approver@customer-care")
    draft = story.draft(text())

    for attempt in (
        lambda: get_draft(story.stores, actor=story.cora, draft_id=draft.id, now=story.now),
        lambda: story.edit(draft, by="cora", content=text("Other")),
        lambda: story.approve(draft, by="cora"),
        lambda: withdraw_draft(story.stores, actor=story.cora, draft_id=draft.id, now=story.now),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert list_drafts(story.stores, actor=story.cora, now=story.now).items == ()


def test_an_editor_cannot_write_for_a_department_that_is_not_theirs(story: Story) -> None:
    with pytest.raises(ForbiddenError):
        story.draft(text(department="customer-care"))


def test_an_edit_of_what_somebody_else_saved_meanwhile_is_refused_and_changes_nothing(story: Story) -> None:
    draft = story.draft(text(), submitted=False)
    story.edit(draft, by="bela", content=text(steps=step(1, "Bela's words")))

    with pytest.raises(StaleEditError):
        story.edit(draft, content=text(steps=step(1, "Asha's words")), version=draft.version)

    assert "Bela's words" in story.look(draft).content


def test_an_edit_that_changes_nothing_keeps_version_and_authors(story: Story) -> None:
    draft = story.draft(text(), submitted=False)

    again = story.edit(draft, by="bela", content=draft.content, change_summary=draft.change_summary)

    assert (again.version, again.authors) == (draft.version, ("asha@example.com",))


def test_whoever_changes_what_is_approved_is_an_author(story: Story) -> None:
    draft = story.draft(text())

    edited = story.edit(draft, by="bela", significance="minor")

    assert edited.authors == ("asha@example.com", "bela@example.com")
    with pytest.raises(ForbiddenError):
        story.approve(edited, by="bela")


def test_what_was_typed_is_normalised_before_it_is_hashed(story: Story) -> None:
    draft = story.draft("\ufeff" + text().replace("\n", "\r\n") + "\n\n", submitted=False)

    assert draft.content.startswith("---\n")
    assert "\r" not in draft.content
    assert draft.content.endswith("Step 8.\n")


def test_a_draft_with_errors_cannot_be_submitted_and_is_kept(story: Story) -> None:
    draft = story.draft(text(steps=["<<<<<<< mine", "a", "=======", "b", ">>>>>>> theirs"]), submitted=False)

    with pytest.raises(InvalidInputError):
        story.submit(draft)

    assert story.look(draft).state == "draft"


def test_a_draft_that_says_what_is_in_force_cannot_be_submitted(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(text(), sop_id=sop_id, submitted=False)

    with pytest.raises(InvalidInputError):
        story.submit(draft)


def test_an_unknown_ticket_is_named(story: Story) -> None:
    with pytest.raises(InvalidInputError) as refused:
        story.draft(text(), tickets=["jira:NOPE-1"])

    assert "jira:NOPE-1" in refused.value.message


def test_a_move_to_another_department_has_to_be_submitted_again(story: Story) -> None:
    story.person("dora", "editor")
    sop_id = story.published()
    draft = story.draft(text(steps=step(1, "New")), sop_id=sop_id, by="dora")

    moved = story.edit(draft, by="dora", content=text(department="customer-care", steps=step(1, "New")))

    assert (moved.state, moved.department) == ("draft", "customer-care")


def test_a_withdrawn_draft_keeps_its_text_and_can_not_go_on(story: Story) -> None:
    draft = story.draft(text())
    withdraw(story, draft.id)

    kept = story.look(draft)
    assert (kept.state, kept.content) == ("withdrawn", draft.content)
    attempts: list[object] = []
    for attempt in (
        lambda: story.edit(draft, content=text("Other")),
        lambda: story.submit(draft),
        lambda: story.approve(draft),
        lambda: withdraw(story, draft.id),
    ):
        with pytest.raises(ConflictError):
            attempts.append(attempt())


def test_a_retired_sop_is_gone_for_ever_and_its_history_stays(story: Story) -> None:
    sop_id = story.published()
    story.later(days=1)
    retirement = story.draft(sop_id=sop_id, kind="retire")

    assert story.approve(retirement).revision == 2

    story.later(days=400)
    with pytest.raises(GoneError):
        get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)
    with pytest.raises(GoneError):
        story.draft(text(), sop_id=sop_id)
    assert [one.state for one in list_revisions(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)] == [
        "retired",
        "superseded",
    ]
    head = story.stores.library.head()
    assert head is not None
    assert story.stores.library.tree(head) == {}
    before = story.now - timedelta(days=400, hours=1)
    assert get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now, at=before).summary.revision == 1


def test_a_draft_that_was_open_when_its_sop_was_retired_cannot_bring_it_back(story: Story) -> None:
    sop_id = story.published()
    written = story.draft(text(steps=step(1, "New")), sop_id=sop_id)
    unsubmitted = story.draft(text(steps=step(2, "New")), sop_id=sop_id, submitted=False)
    second = story.draft(sop_id=sop_id, kind="retire")
    story.approve(story.draft(sop_id=sop_id, kind="retire"))
    story.later(hours=1)

    for attempt in (
        lambda: story.approve(written),
        lambda: story.submit(unsubmitted),
        lambda: story.edit(unsubmitted, base_revision=2),
        lambda: story.approve(second),
    ):
        with pytest.raises(GoneError):
            attempt()

    assert story.look(written).content == written.content
    withdraw(story, written.id)


def test_a_retirement_has_no_text_of_its_own(story: Story) -> None:
    sop_id = story.published()
    draft = story.draft(sop_id=sop_id, kind="retire")

    with pytest.raises(InvalidInputError):
        story.edit(draft, content=text(steps=step(1, "Smuggled")))


def test_an_undo_has_the_text_of_the_revision_before(story: Story) -> None:
    sop_id = story.published()
    story.later(hours=1)
    story.published(text(steps=step(3, "Wrong")), sop_id=sop_id)
    story.later(hours=1)

    undo = story.draft(sop_id=sop_id, reverts=2)
    story.approve(undo)

    history = list_revisions(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)
    assert [one.revision for one in history] == [3, 2, 1]
    assert history[0].content_hash == history[2].content_hash
    assert history[0].reverts == 2
    assert "Wrong" not in get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now).markdown


@pytest.mark.parametrize("reverts", [0, 1, 3, -1])
def test_only_a_revision_with_one_before_it_can_be_undone(story: Story, reverts: int) -> None:
    sop_id = story.published()
    story.published(text(steps=step(3, "Second")), sop_id=sop_id)

    with pytest.raises(InvalidInputError):
        story.draft(sop_id=sop_id, reverts=reverts)


def test_a_sop_whose_first_revision_is_still_to_come_can_be_written_on(story: Story) -> None:
    first = story.draft(text())
    story.approve(first, effective_from=story.now + timedelta(days=2))

    draft = story.draft(text(steps=step(1, "Better")), sop_id=first.sop_id)

    assert draft.base_revision == 1


@pytest.mark.parametrize("given", [{"significance": "huge"}, {"change_summary": "  "}, {"change_summary": "x" * 501}])
def test_what_a_draft_says_of_itself_is_checked(story: Story, given: dict[str, str]) -> None:
    fine = DraftInput(content=text(), change_summary="Fine.", significance="minor")

    with pytest.raises(InvalidInputError) as refused:
        create_draft(
            story.stores,
            actor=story.asha,
            given=replace(fine, **given),  # type: ignore[arg-type]  # the two texts among its fields
            now=story.now,
        )

    assert refused.value.fields.keys() == given.keys()


def test_drafts_are_listed_newest_first_page_by_page(story: Story) -> None:
    made = [story.draft(text(f"Title {number}"), submitted=False).id for number in range(5)]

    first = list_drafts(story.stores, actor=story.asha, now=story.now, limit=3)
    second = list_drafts(story.stores, actor=story.asha, now=story.now, limit=3, cursor=first.next)

    assert [one.id for one in first.items + second.items] == made[::-1]
    assert second.next is None


def test_changes_that_are_asked_for_come_with_what_they_are(story: Story) -> None:
    draft = story.draft(text())

    with pytest.raises(InvalidInputError):
        request_changes(story.stores, actor=story.ben, draft_id=draft.id, comment=" ", now=story.now)
    with pytest.raises(InvalidInputError):
        request_changes(story.stores, actor=story.ben, draft_id=draft.id, comment="x" * 2001, now=story.now)
    sent = request_changes(story.stores, actor=story.ben, draft_id=draft.id, comment="Step 3 is wrong.", now=story.now)

    assert (sent.state, sent.approvals[-1].comment) == ("changes_requested", "Step 3 is wrong.")
    with pytest.raises(SopError):
        story.approve(draft)
    assert story.submit(story.edit(draft, content=text(steps=step(3, "Right")))).state == "in_review"


def test_a_ticket_that_one_may_not_see_is_as_unknown_as_one_that_does_not_exist(story: Story) -> None:
    story.person("cora", "editor@customer-care")
    story.person("dora", "editor", "approver")
    care = story.approve(story.draft(text(department="customer-care"), by="cora"), by="dora").sop_id
    foreign = story.ticket("SECRET-1", sops=[care], by="cora")
    own = story.draft(text(), tickets=[story.ticket("CHG-1")], submitted=False)

    def refused(reference: str) -> str:
        with pytest.raises(InvalidInputError) as started:
            story.draft(text(), tickets=[reference])
        with pytest.raises(InvalidInputError) as edited:
            story.edit(own, tickets=["jira:CHG-1", reference])
        told = {f"{error.value.message} {error.value.fields}".replace(reference, "…") for error in (started, edited)}
        (one,) = told
        return one

    assert {refused(foreign), refused("jira:SECRET-1")} == {refused("TKT-0404"), refused("jira:NOPE-1")}
    assert [one.label for one in story.look(own).tickets] == ["jira:CHG-1"]


def test_a_draft_shows_of_its_tickets_those_that_the_reader_may_see_and_an_edit_keeps_the_others(story: Story) -> None:
    story.person("cora", "editor@customer-care")
    story.person("dora", "editor", "approver")
    care = story.approve(story.draft(text(department="customer-care"), by="cora"), by="dora").sop_id
    foreign, known = story.ticket("SECRET-1", sops=[care], by="cora"), story.ticket("CHG-1")
    draft = story.draft(text(), by="dora", tickets=[foreign, known])

    def labels(by: str) -> list[str]:
        actor = story.people[by]
        review = review_of(story.stores, actor=actor, draft_id=draft.id, now=story.now)
        (listed,) = list_drafts(story.stores, actor=actor, now=story.now, states=["in_review"]).items
        shown = [one.label for one in story.look(draft, by=by).tickets]
        assert [one.label for one in review.meets] == [one.label for one in listed.tickets] == shown
        return shown

    assert labels("asha") == labels("ben") == ["jira:CHG-1"]
    assert labels("dora") == ["jira:SECRET-1", "jira:CHG-1"]
    assert [one.label for one in story.edit(draft, tickets=[]).tickets] == []
    assert labels("dora") == ["jira:SECRET-1"], "what one cannot see is not one's to take away"
    sent = request_changes(story.stores, actor=story.ben, draft_id=draft.id, comment="Say more.", now=story.now)
    assert sent.tickets == ()
