"""The life of a deviation through the services, with a real database and a real library."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text as sql

from sop_server.domain.deviations import DeviationState
from sop_server.domain.doers import OPERATOR
from sop_server.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    SopError,
    StaleEditError,
)
from sop_server.services.accounts.people import grant_role
from sop_server.services.deviations import proposing
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.library.reading import get_sop
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import people
from tests.services.deviation_story import DAY, Play, play_in
from tests.services.story import step, text


@pytest.fixture
def play(stores: Stores) -> Play:
    return play_in(stores)


def test_it_holds_from_its_approval_and_ends_by_itself(play: Play) -> None:
    sop_id = play.sop()
    proposed = play.propose(sop_id, step="Step 4", control="A list is kept.")
    assert (proposed.id, proposed.state, proposed.revision) == ("DEV-0001", DeviationState.PROPOSED, 1)
    assert get_sop(play.stores, actor=play.rita, sop_id=sop_id, now=play.now).summary.deviations == ()

    approved = play.permit(proposed)

    assert (approved.state, approved.decided_by) == (DeviationState.IN_FORCE, "ben@example.com")
    (mark,) = get_sop(play.stores, actor=play.rita, sop_id=sop_id, now=play.now).summary.deviates
    assert (mark.instead, mark.control, mark.approved_by) == ("Ask the team lead.", "A list is kept.", "Ben")
    play.later(days=10)
    assert play.see(approved, by="rita").state is DeviationState.ENDED
    assert get_sop(play.stores, actor=play.rita, sop_id=sop_id, now=play.now).summary.deviations == ()
    assert play.events() == ["deviation.proposed", "deviation.approved"]


def test_nobody_approves_what_they_proposed_or_edited(play: Play) -> None:
    sop_id = play.sop()
    own = play.propose(sop_id, by="bela")
    with pytest.raises(ForbiddenError):
        play.permit(own, by="bela")
    with pytest.raises(ForbiddenError):
        play.refuse(own, by="bela")

    edited = play.rewrite(play.propose(sop_id), by="bela", why="Still down.")
    with pytest.raises(ForbiddenError):
        play.permit(edited, by="bela")
    again = play.rewrite(edited, by="asha", why="Still down, says IT.")
    with pytest.raises(ForbiddenError):
        play.permit(again, by="bela")

    assert play.permit(again).state is DeviationState.IN_FORCE


def test_the_role_for_it_is_asked_for_in_the_department(play: Play) -> None:
    proposed = play.propose(play.sop())
    for name in ("rita", "ben", "mia"):
        with pytest.raises(ForbiddenError):
            play.propose(proposed.sop_id, by=name)
    with pytest.raises(NotFoundError):
        play.propose(proposed.sop_id, by="cora")
    with pytest.raises(NotFoundError):
        play.permit(proposed, by="cora")
    with pytest.raises(ForbiddenError):
        play.permit(proposed, by="asha")
    approved = play.permit(proposed)
    with pytest.raises(ForbiddenError):
        play.end(approved, by="rita")
    assert play.end(approved, by="mia").state is DeviationState.ENDED_EARLY


def test_an_approval_is_bound_to_what_was_read(play: Play) -> None:
    read = play.propose(play.sop())
    edited = play.rewrite(read, instead="Ask nobody.")

    with pytest.raises(ConflictError) as moved:
        play.permit(read)

    assert moved.value.content_hash == edited.content_hash
    assert play.see(read).state is DeviationState.PROPOSED
    assert play.permit(edited).instead == "Ask nobody."


def test_an_edit_of_what_somebody_else_edited_is_not_stored_over_it(play: Play) -> None:
    read = play.propose(play.sop())
    play.rewrite(read, by="bela", why="Theirs.")
    with pytest.raises(StaleEditError):
        play.rewrite(read, why="Mine.")
    assert [one.person_name for one in play.see(read).wordings] == ["Asha", "Bela"]
    assert play.see(read).why == "Theirs."


def test_two_who_decide_at_the_same_instant_decide_once(play: Play) -> None:
    proposed = play.propose(play.sop())

    def tried(act: Callable[[], object]) -> str:
        try:
            act()
        except SopError as error:
            return type(error).__name__
        return "done"

    acts = [lambda: play.permit(proposed), lambda: play.refuse(proposed, by="paul"), lambda: play.rewrite(proposed)]
    with ThreadPoolExecutor(3) as pool:
        outcomes = [*pool.map(tried, acts)]

    decided = [one for one in outcomes[:2] if one == "done"]
    # Whoever comes first wins; a refusal needs no particular wording, so it may come after an edit.
    assert len(decided) <= 1
    assert "done" in outcomes
    assert "ForbiddenError" not in outcomes
    assert len(play.see(proposed).wordings) == 1 + (outcomes[2] == "done")
    assert play.events().count("deviation.approved") + play.events().count("deviation.refused") == len(decided)


def test_what_is_decided_stays_as_it_is(play: Play) -> None:
    approved = play.permit(play.propose(play.sop()))
    acts: tuple[Callable[[], object], ...] = (
        lambda: play.permit(approved, by="paul"),
        lambda: play.refuse(approved, by="paul"),
        lambda: play.rewrite(approved, why="Other."),
        lambda: proposing.withdraw_deviation(play.stores, actor=play.asha, now=play.now, deviation_id=approved.id),
    )
    for act in acts:
        with pytest.raises(ConflictError):
            act()
    ended = play.end(approved)
    with pytest.raises(ConflictError):
        play.end(ended)
    assert (ended.ended_by_name, ended.ended_because) == ("Asha", "SAP is back.")


def test_a_proposal_is_withdrawn_or_refused_with_a_reason(play: Play) -> None:
    sop_id = play.sop()
    withdrawn = proposing.withdraw_deviation(
        play.stores, actor=play.bela, now=play.now, deviation_id=play.propose(sop_id).id
    )
    assert withdrawn.state is DeviationState.WITHDRAWN
    waits = play.propose(sop_id)
    with pytest.raises(InvalidInputError):
        play.refuse(waits, reason=" ")
    assert play.refuse(waits).decided_because == "Not safe."
    assert play.events()[-1] == "deviation.refused"


def test_a_proposal_whose_end_has_passed_cannot_be_approved(play: Play) -> None:
    proposed = play.propose(play.sop(), ends_at=play.now + DAY)
    play.later(days=1)
    with pytest.raises(ConflictError):
        play.permit(proposed)
    assert play.see(proposed).state is DeviationState.LAPSED


def test_a_proposal_against_a_text_that_changed_is_written_anew_first(play: Play) -> None:
    sop_id = play.sop()
    proposed = play.propose(sop_id)
    changed = play.draft(text(steps=step(4, "Ask."), extra="audience: [tier1, tier2]\n"), sop_id=sop_id)
    play.approve(changed)

    with pytest.raises(ConflictError):
        play.permit(play.see(proposed))

    saved = play.rewrite(play.see(proposed))
    assert saved.revision == 2
    assert play.permit(saved).state is DeviationState.IN_FORCE


def test_nothing_is_deviated_from_before_it_is_in_force(play: Play) -> None:
    coming = play.draft(text())
    play.approve(coming, effective_from=play.now + DAY)
    with pytest.raises(ConflictError):
        play.propose(coming.sop_id)


def test_somebody_who_gets_the_role_later_may_still_not_decide_on_their_own(play: Play) -> None:
    proposed = play.propose(play.sop())
    grant_role(play.stores, actor=OPERATOR, now=play.now, email="asha@example.com", role="approver@payments")
    with play.stores.database.read() as session:
        promoted = people.load_actor(session, play.asha.person_id, play.now)
    assert promoted is not None
    play.people["asha"] = promoted
    with pytest.raises(ForbiddenError):
        play.permit(proposed, by="asha")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deviation_wording SET instead = 'Do as you like.'",
        "UPDATE deviation_wording SET ends_at = '2036-01-01 00:00:00.000000'",
        "UPDATE deviation SET decided_by = proposed_by",
        "UPDATE deviation SET sop_id = 'SOP-0002'",
    ],
)
def test_one_that_was_changed_behind_the_server_is_told_by_check(play: Play, statement: str) -> None:
    play.permit(play.propose(play.sop()))
    play.sop()
    rebuild_index(play.stores)
    assert check(play.stores, now=play.now).problems == ()
    with play.stores.database.engine.begin() as connection:
        connection.execute(sql(statement))

    (told,) = check(play.stores, now=play.now).problems

    assert "DEV-0001" in told
    assert "is not what was approved" in told
