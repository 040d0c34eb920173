"""Electronic signatures: the person proves it again in the request that decides, and it is kept with the decision."""

import subprocess
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from sop_server.domain.doers import OPERATOR
from sop_server.domain.signatures import Meaning
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError
from sop_server.services.accounts import second_factor
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import rename_person
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.signing import Attempt
from sop_server.services.accounts.throttling import MOST_FAILURES_BY_ACCOUNT
from sop_server.services.drafts.approving import Approved, approve
from sop_server.services.drafts.breaking_glass import break_glass
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.glass_answers import confirm_revision
from sop_server.services.library.reading import get_revision
from sop_server.services.stores import Stores
from sop_server.storage.tables import Approval, AuditEvent
from tests.services.story import Story, step, text

SEAL = Seal("a secret for the tests alone")
PASSWORD = "four quiet green parrots"
WHY = "The payment provider changed its form an hour ago."


@pytest.fixture
def story(stores: Stores) -> Story:
    told = Story(stores)
    set_rules(told.stores, actor=OPERATOR, now=told.now, slug="payments", signature=True)
    for name in ("ben", "bela"):
        set_password(told.stores, actor=OPERATOR, now=told.now, email=f"{name}@example.com", password=PASSWORD)
    return told


def attempt(*, password: str = "", code: str = "") -> Attempt:
    return Attempt(SEAL, "10.0.0.1", password=password, code=code)


def approving(story: Story, draft: DraftView, sent: Attempt | None, *, by: str = "ben") -> Approved:
    return approve(
        story.stores,
        actor=story.people[by],
        draft_id=draft.id,
        content_hash=draft.content_hash,
        now=story.now,
        attempt=sent,
    )


def phone_of(story: Story, name: str) -> pyotp.TOTP:
    actor = story.people[name]
    second_factor.begin_proven(story.stores, SEAL, actor=actor, now=story.now)
    key = second_factor.waiting_key(story.stores, SEAL, actor=actor)
    assert key is not None
    phone = pyotp.TOTP(key.text)
    second_factor.confirm(
        story.stores,
        SEAL,
        actor=actor,
        now=story.now,
        code=phone.at(story.now),
        address="10.0.0.1",
        session_token="none",
    )
    return phone


def test_an_approval_is_signed_with_the_password_and_the_revision_shows_it(story: Story) -> None:
    draft = story.draft(text())

    assert approving(story, draft, attempt(password=PASSWORD)).revision == 1
    rename_person(story.stores, actor=OPERATOR, now=story.later(days=1), email="ben@example.com", name="Benedict")

    found = get_revision(story.stores, actor=story.rita, sop_id=draft.sop_id, number=1, now=story.now)
    (approval,) = found.approvals
    signed = approval.signature
    assert signed is not None
    assert (signed.name, signed.signed_with, signed.meaning) == ("Ben", "password", Meaning.APPROVE)
    assert (signed.at, signed.content_hash) == (story.now - timedelta(days=1), draft.content_hash)


def test_an_approval_is_signed_with_a_code_of_the_phone_which_is_taken_once(story: Story) -> None:
    phone = phone_of(story, "ben")
    story.later(minutes=2)
    first, second = story.draft(text()), story.draft(text("Chargebacks"))
    code = phone.at(story.now)

    assert approving(story, first, attempt(code=code)).revision == 1
    with pytest.raises(ForbiddenError):
        approving(story, second, attempt(code=code))

    story.later(minutes=2)
    assert approving(story, second, attempt(code=phone.at(story.now))).revision == 1
    found = get_revision(story.stores, actor=story.rita, sop_id=second.sop_id, number=1, now=story.now)
    assert found.approvals[0].signature is not None
    assert found.approvals[0].signature.signed_with == "phone"


@pytest.mark.parametrize("sent", [None, attempt(), attempt(code="  ")])
def test_without_a_signature_nothing_is_decided_and_the_answer_says_what_is_asked_for(
    story: Story, sent: Attempt | None
) -> None:
    draft = story.draft(text())

    with pytest.raises(InvalidInputError, match="your password") as refused:
        approving(story, draft, sent)

    assert "signature" in refused.value.fields
    assert story.look(draft).approvals == ()


def test_a_wrong_password_decides_nothing_and_loses_nothing(story: Story) -> None:
    draft = story.draft(text(), effective_from=story.now + timedelta(days=3))

    with pytest.raises(ForbiddenError) as refused:
        approving(story, draft, attempt(password="three quiet green parrots"))

    assert "password" in refused.value.fields
    after = story.look(draft)
    assert (after.state, after.approvals, after.effective_from) == ("in_review", (), draft.effective_from)


def test_guesses_are_throttled(story: Story) -> None:
    draft = story.draft(text())
    for _ in range(MOST_FAILURES_BY_ACCOUNT):
        with pytest.raises(ForbiddenError):
            approving(story, draft, attempt(password="wrong"))

    with pytest.raises(ForbiddenError, match="too many"):
        approving(story, draft, attempt(password=PASSWORD))


def test_somebody_with_neither_password_nor_phone_is_told_what_to_do(story: Story) -> None:
    story.person("cleo", "approver@payments")

    with pytest.raises(ForbiddenError, match="Choose a password, or set up a second factor, on your account page"):
        approving(story, story.draft(text()), attempt(password="anything"), by="cleo")


def test_who_may_not_decide_is_told_that_before_anything_of_a_signature(story: Story) -> None:
    own = story.draft(text(), by="bela")

    with pytest.raises(ForbiddenError, match="You wrote a part"):
        approving(story, own, None, by="bela")


def test_nothing_is_used_up_for_a_text_that_moved_on(story: Story) -> None:
    phone = phone_of(story, "ben")
    story.later(minutes=2)
    draft = story.draft(text())
    edited = story.edit(draft, content=text(steps=step(1, "New")))
    code = phone.at(story.now)
    with pytest.raises(ConflictError):
        approving(story, draft, attempt(code=code))

    assert approving(story, edited, attempt(code=code)).revision == 1


def test_breaking_the_glass_and_confirming_it_are_signed_and_say_what_was_declared(story: Story) -> None:
    draft = story.draft(text())
    with pytest.raises(InvalidInputError, match="your password"):
        alone(story, draft, None)
    alone(story, draft, attempt(password=PASSWORD))
    with pytest.raises(InvalidInputError, match="your password"):
        confirm_revision(story.stores, actor=story.bela, sop_id=draft.sop_id, number=1, now=story.now)
    found = confirm_revision(
        story.stores,
        actor=story.bela,
        sop_id=draft.sop_id,
        number=1,
        now=story.now,
        attempt=attempt(password=PASSWORD),
    ).break_glass

    assert found is not None
    assert found.signature is not None
    assert found.answer_signature is not None
    assert (found.signature.name, found.signature.meaning) == ("Ben", Meaning.BREAK_GLASS)
    assert (found.answer_signature.name, found.answer_signature.meaning) == ("Bela", Meaning.CONFIRM)


def alone(story: Story, draft: DraftView, sent: Attempt | None) -> None:
    break_glass(
        story.stores,
        actor=story.ben,
        draft_id=draft.id,
        content_hash=draft.content_hash,
        reason=WHY,
        now=story.now,
        attempt=sent,
    )


def test_a_retirement_is_signed_as_one(story: Story) -> None:
    first = story.draft(text())
    approving(story, first, attempt(password=PASSWORD))
    retirement = story.draft(sop_id=first.sop_id, kind="retire")
    approving(story, retirement, attempt(password=PASSWORD))

    found = get_revision(story.stores, actor=story.rita, sop_id=first.sop_id, number=2, now=story.now)
    assert found.approvals[0].signature is not None
    assert found.approvals[0].signature.meaning == Meaning.RETIRE


def test_no_secret_is_kept_of_a_signature(story: Story) -> None:
    phone = phone_of(story, "ben")
    story.later(minutes=2)
    draft = story.draft(text())
    code = phone.at(story.now)
    approving(story, draft, attempt(code=code))

    with story.stores.database.read() as session:
        kept = [str(row.signature) for row in session.scalars(select(Approval))]
        kept += [str(row.details) for row in session.scalars(select(AuditEvent))]
    log = subprocess.run(
        ["git", "log", "-p", "--all"], cwd=story.stores.library.path, capture_output=True, text=True, check=True
    )
    assert not [one for one in (*kept, log.stdout) if code in one]
    assert repr(attempt(password=PASSWORD, code=code)).count(PASSWORD) == 0


def test_a_department_that_does_not_ask_takes_an_approval_as_before(story: Story) -> None:
    set_rules(story.stores, actor=OPERATOR, now=story.now, slug="payments", signature=False)
    assert story.approve(story.draft(text())).revision == 1
