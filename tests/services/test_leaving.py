"""Hand over and end access: one step, whole or not at all, and what it tells."""

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, NotSignedInError
from sop_server.services.accounts.people import deactivate_person, get_person, reactivate_person
from sop_server.services.accounts.sign_in import actor_for_session, create_sign_in_link, use_sign_in_link
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.background import run_due
from sop_server.services.leaving.departing import leave, preview
from sop_server.services.leaving.drafting import write_drafts
from sop_server.services.leaving.planning import Successors
from sop_server.services.participation.reader_page import open_sop
from sop_server.services.register.processes import get_process
from sop_server.services.stores import Stores
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import audit, people
from tests.services.leaver import ASHA, TO_BELA, Play, made
from tests.services.story import text


@pytest.fixture
def play(stores: Stores) -> Play:
    return made(stores)


def test_what_somebody_holds_is_previewed_and_nothing_is_changed(play: Play) -> None:
    found = preview(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA, successors=TO_BELA)

    assert [(one.what.id, one.owner, one.deputy, one.loses_deputy) for one in found.sops] == [
        ("SOP-0001", "bela@example.com", None, True),
        ("SOP-0002", "bela@example.com", None, True),
    ]
    assert [(one.what.id, one.to.name) for one in found.processes] == [(play.process, "Bela")]
    assert [(one.what.id, one.to.name) for one in found.drafts] == [(play.draft.id, "Bela")]
    assert found.held.roles == ("editor@payments",)
    assert get_person(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA).active
    assert play.in_review() == []


def test_every_way_in_is_ended(play: Play) -> None:
    link = create_sign_in_link(play.stores, actor=OPERATOR, now=play.story.now, email=ASHA)
    session = use_sign_in_link(play.stores, token=link, now=play.story.now)
    unused = create_sign_in_link(play.stores, actor=OPERATOR, now=play.story.now, email=ASHA)
    token = create_token(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA)
    assert actor_for_session(play.stores, token=session, now=play.story.now) is not None

    play.leave()

    now = play.story.now
    known = get_person(play.stores, actor=play.story.ada, now=now, email=ASHA)
    assert (known.active, known.roles, known.teams) == (False, (), ())
    assert actor_for_session(play.stores, token=session, now=now) is None
    assert actor_for_token(play.stores, token=token, now=now) is None
    with pytest.raises(NotSignedInError):
        use_sign_in_link(play.stores, token=unused, now=now)
    # Whoever is let in again later begins with nothing.
    reactivate_person(play.stores, actor=play.story.ada, now=now, email=ASHA)
    assert get_person(play.stores, actor=play.story.ada, now=now, email=ASHA).roles == ()
    assert actor_for_token(play.stores, token=token, now=now) is None
    assert actor_for_session(play.stores, token=session, now=now) is None


def test_a_process_goes_to_the_successor_and_the_deputy_who_moves_up_leaves_their_place(play: Play) -> None:
    done = play.leave()

    process = get_process(play.stores, actor=play.story.mia, now=play.story.now, process_id=play.process)
    assert (process.owner, process.deputy) == ("bela@example.com", None)
    assert done.plan.without_deputy == ("SOP-0001", "SOP-0002", play.process)


def test_leaving_twice_changes_nothing_more(play: Play) -> None:
    play.leave()
    with play.stores.database.read() as session:
        before = audit.head(session)

    again = play.leave()

    assert len(play.in_review()) == 2
    assert again.plan.sops == ()
    with play.stores.database.read() as session:
        assert audit.head(session) == before


def test_a_server_that_dies_behind_the_decision_writes_the_drafts_when_it_is_back(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("sop_server.services.leaving.departing.write_drafts", killed)
        with pytest.raises(KeyboardInterrupt):
            play.leave()
    assert play.in_review() == []
    assert open_sop(play.stores, actor=play.story.bela, sop_id="SOP-0001", now=play.story.now).stand_in is not None

    assert write_drafts(play.stores, now=play.story.now, most=1) == 1
    assert write_drafts(play.stores, now=play.story.now, most=40) == 1
    assert write_drafts(play.stores, now=play.story.now, most=40) == 0
    assert len(play.in_review()) == 2


def test_nothing_is_half_done_where_a_successor_cannot_take_over(play: Play) -> None:
    play.story.person("carl", "editor@care")
    play.story.person("olga", "editor@payments")
    deactivate_person(play.stores, actor=OPERATOR, now=play.story.now, email="olga@example.com")
    for successor, words in [
        (None, "Name who takes over"),
        ("nobody@example.com", "Nobody is known"),
        (ASHA, "somebody else has to take over"),
        ("olga@example.com", "is not active"),
        ("carl@example.com", "may not write drafts in “payments”. Give them the role editor there"),
        ("rita@example.com", "may not write drafts"),
    ]:
        with pytest.raises(InvalidInputError, match=words) as refused:
            play.leave(Successors(successor))
        assert "to" in refused.value.fields
    assert get_person(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA).active
    assert play.in_review() == []


def test_another_successor_for_a_department(play: Play) -> None:
    play.story.person("carl", "editor@care", "approver@care")
    play.story.person("eva", "editor")
    draft = play.story.draft(text("Calls", department="care"), by="eva")
    sop_id = play.story.approve(draft, by="carl").sop_id

    play.leave(Successors("bela@example.com", {"care": "carl@example.com"}))

    found = open_sop(play.stores, actor=play.story.carl, sop_id=sop_id, now=play.story.now)
    assert found.stand_in is not None
    assert found.stand_in.successor == "carl@example.com"


def test_nobody_ends_their_own_access_and_the_last_administrator_stays(play: Play) -> None:
    with pytest.raises(ConflictError, match="another administrator has to do it"):
        play.leave(email="ada@example.com")
    play.story.now = play.story.later(minutes=1)
    with pytest.raises(ConflictError, match="only administrator"):
        leave(play.stores, actor=OPERATOR, now=play.story.now, email="ada@example.com", successors=TO_BELA)
    with pytest.raises(NotFoundError):
        play.leave(email="nobody@example.com")
    with pytest.raises(ForbiddenError):
        play.leave(by="mia")


def test_what_is_left_without_anybody_is_told(play: Play) -> None:
    waiting = play.story.draft(text("Fees"))
    done = play.leave(Successors("dora@example.com"), email="ben@example.com")

    assert [(one.department, one.role) for one in done.plan.gaps] == []
    assert done.plan.held.stuck == ()
    done = play.leave(Successors("dora@example.com"), email="bela@example.com")
    assert [(one.department, one.role) for one in done.plan.gaps] == []
    done = play.leave(Successors("dora@example.com"), email="mia@example.com")
    assert [(one.department, one.role) for one in done.plan.gaps] == [("payments", "manager")]
    assert waiting.id not in done.plan.held.stuck


def test_a_draft_that_nobody_else_may_decide_is_told(play: Play) -> None:
    waiting = play.story.draft(text("Fees"), by="bela")
    for email in ("ada@example.com",):
        play.story.person("zara", "admin")
        leave(play.stores, actor=OPERATOR, now=play.story.later(minutes=1), email=email, successors=Successors())
    done = leave(
        play.stores,
        actor=play.story.zara,
        now=play.story.later(minutes=1),
        email="ben@example.com",
        successors=TO_BELA,
    )
    assert done.plan.held.stuck == (waiting.id,)


def test_a_departure_is_told_without_a_name_and_the_chain_holds(play: Play) -> None:
    play.leave()

    with play.stores.database.read() as session:
        told = {one.action: one for one in list(audit.events(session, limit=200))[::-1]}
        assert people.person_by_email(session, ASHA) is not None
    assert told["person.left"].subject == ASHA
    assert told["person.left"].details["to"] == ["bela@example.com"]
    assert told["draft.submitted"].details["on_behalf_of"] == "ada@example.com"
    for one in told.values():
        assert "Asha" not in str(one.hashed)
        assert "asha@" not in str(one.hashed)
    assert prove_trail(play.stores).broken is None


def test_hundreds_of_drafts_do_not_hold_up_the_answer(play: Play) -> None:
    done = leave(
        play.stores,
        actor=play.story.ada,
        now=play.story.later(hours=1),
        email=ASHA,
        successors=TO_BELA,
        at_once=1,
    )

    assert (done.drafted, done.coming) == (("SOP-0001",), 1)
    run_due(play.stores, now=play.story.now)
    assert len(play.in_review()) == 2
