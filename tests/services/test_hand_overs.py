"""The drafts that hand SOPs over: who wrote them, who may decide, and who stands in until then."""

import pytest

from sop_server.domain.drafts import DraftState
from sop_server.errors import ForbiddenError, NotFoundError
from sop_server.services.accounts.people import reactivate_person
from sop_server.services.drafts.drafting import withdraw_draft
from sop_server.services.leaving.approving_together import approve_together, waiting_hand_overs
from sop_server.services.leaving.planning import Successors
from sop_server.services.library.reading import get_revision, get_sop
from sop_server.services.participation.reader_page import open_sop
from sop_server.services.reports.needs import NeedKind, owner_home
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from sop_server.storage.git.library import Library
from tests.services.leaver import ASHA, Play, made
from tests.services.story import text


@pytest.fixture
def play(stores: Stores) -> Play:
    return made(stores)


def test_a_hand_over_is_a_minor_draft_per_sop_by_the_server_and_in_review_at_once(play: Play) -> None:
    done = play.leave()

    assert done.drafted == ("SOP-0001", "SOP-0002")
    first, second = play.in_review()
    assert first.change_summary == "Hand-over from Asha to Bela"
    assert (first.significance, first.author_name) == ("minor", "The server, for Ada")
    library: Library = play.stores.library
    with play.stores.database.read() as session:
        row = drafts.draft_rows(session, sop_id="SOP-0001", states=[DraftState.IN_REVIEW])[0]
    assert library.ref(f"refs/drafts/{row.id}") == row.head_oid
    assert second.content_hash != first.content_hash
    before = get_sop(play.stores, actor=play.story.ben, sop_id="SOP-0001", now=play.story.now).markdown
    shown = play.story.look(first, by="ben").content
    assert shown == before.replace("owner: asha@", "owner: bela@")


def test_the_successor_stands_in_until_the_hand_over_is_approved(play: Play) -> None:
    play.story.ticket("CHG-1", sops=["SOP-0001"], effective_at=play.story.now)
    play.leave()
    bela, now = play.story.bela, play.story.now

    found = open_sop(play.stores, actor=bela, sop_id="SOP-0001", now=now)
    assert found.stand_in is not None
    assert (found.stand_in.left_name, found.stand_in.successor_name) == ("Asha", "Bela")
    assert [one.kind for one in found.page.summary.stale] == ["owner"]
    home = owner_home(play.stores, actor=bela, now=now)
    assert {one.sop_id for one in home.mine} == {"SOP-0001", "SOP-0002"}
    assert [one.sop_id for one in home.needs if one.kind is NeedKind.DRAFT] == ["SOP-0001"]

    together = approve_together(play.stores, actor=play.story.ben, now=now, chosen=play.together())

    assert together.failed == ()
    assert play.owner("SOP-0001") == ("bela@example.com", None)
    found = open_sop(play.stores, actor=bela, sop_id="SOP-0001", now=play.story.later(minutes=1))
    assert found.stand_in is None
    assert found.page.summary.stale == ()


def test_each_hand_over_is_its_own_revision_with_its_own_approval_by_the_system(play: Play) -> None:
    play.leave()
    done = approve_together(play.stores, actor=play.story.ben, now=play.story.now, chosen=play.together())

    assert len(done.approved) == 2
    for sop_id in play.sops:
        shown = get_revision(play.stores, actor=play.story.ben, sop_id=sop_id, number=2, now=play.story.now)
        assert (shown.author_name, shown.significance) == ("sop-server", "minor")
        assert [one.name for one in shown.approvals] == ["Ben"]
        assert shown.change_summary == "Hand-over from Asha to Bela"


def test_who_started_a_hand_over_cannot_approve_it(play: Play) -> None:
    play.leave()
    (draft, _) = play.in_review("ada")

    with pytest.raises(ForbiddenError, match="somebody else has to decide"):
        play.story.approve(draft, by="ada")
    assert play.together("ada") == []
    with pytest.raises(NotFoundError):
        approve_together(play.stores, actor=play.story.ada, now=play.story.now, chosen=[(draft.id, draft.content_hash)])
    assert len(play.in_review()) == 2


def test_what_fails_is_named_and_the_rest_stands(play: Play) -> None:
    play.leave()
    first, second = play.together()

    done = approve_together(
        play.stores, actor=play.story.ben, now=play.story.now, chosen=[(first[0], "0" * 64), second, ("DRAFT-9999", "")]
    )

    assert done.approved == (second[0],)
    assert [name for name, _ in done.failed] == [first[0], "DRAFT-9999"]
    assert [draft.id for draft in play.in_review()] == [first[0]]


def test_a_hand_over_that_somebody_edited_is_not_decided_by_its_line(play: Play) -> None:
    play.leave()
    draft = play.in_review()[0]
    play.story.edit(draft, by="dora", content=play.story.look(draft, by="dora").content + "\nAnd pay twice.\n")

    lines = [
        line for one in waiting_hand_overs(play.stores, actor=play.story.ben, now=play.story.now) for line in one.lines
    ]
    assert [(line.draft_id == draft.id, bool(line.changes)) for line in lines] == [(True, False), (False, True)]


def test_drafts_of_who_left_are_seen_to_by_the_successor_and_their_author_stays_one(play: Play) -> None:
    play.story.submit(play.draft)
    play.leave()
    draft = next(one for one in play.in_review() if one.id == play.draft.id)
    assert (draft.author_name, draft.keeper_name) == ("Asha", "Bela")

    changed = play.story.edit(play.draft, by="bela", change_summary="Clearer.")
    assert set(changed.authors) == {ASHA, "bela@example.com"}
    with pytest.raises(ForbiddenError):
        play.story.approve(changed, by="bela")


def test_a_withdrawn_hand_over_is_made_anew_by_leaving_again(play: Play) -> None:
    play.leave()
    withdraw_draft(play.stores, actor=play.story.dora, draft_id=play.in_review()[0].id, now=play.story.now)

    play.leave(Successors("dora@example.com"))

    owners = {
        draft.sop_id: play.story.look(draft, by="ben").content.count("owner: dora@") for draft in play.in_review()
    }
    assert owners == {"SOP-0001": 1, "SOP-0002": 0}


def test_who_stood_in_hands_on_what_they_stood_in_for(play: Play) -> None:
    play.leave()
    first = play.in_review()

    play.leave(Successors("dora@example.com"), email="bela@example.com")

    now = play.story.now
    found = open_sop(play.stores, actor=play.story.dora, sop_id="SOP-0001", now=now)
    assert found.stand_in is not None
    assert (found.stand_in.left, found.stand_in.successor) == (ASHA, "dora@example.com")
    again = play.in_review()
    assert not {draft.id for draft in first} & {draft.id for draft in again}
    approve_together(play.stores, actor=play.story.ben, now=now, chosen=play.together())
    assert play.owner("SOP-0001") == ("dora@example.com", None)


def test_nobody_stands_in_for_who_came_back(play: Play) -> None:
    play.leave()
    reactivate_person(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA)

    assert open_sop(play.stores, actor=play.story.ben, sop_id="SOP-0001", now=play.story.now).stand_in is None


def test_a_sop_that_cannot_be_drafted_says_why_and_holds_up_no_other(play: Play) -> None:
    coming = play.story.draft(text("Refunds", extra="tags: [new]\n"), sop_id="SOP-0001")
    play.story.approve(coming, effective_from=play.story.now.replace(year=play.story.now.year + 1))

    done = play.leave()

    assert done.drafted == ("SOP-0002",)
    assert [sop_id for sop_id, _ in done.problems] == ["SOP-0001"]
    assert "comes into force later" in done.problems[0][1]
    assert open_sop(play.stores, actor=play.story.bela, sop_id="SOP-0001", now=play.story.now).stand_in is not None
