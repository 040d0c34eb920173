import threading
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError
from sop_server.services.participation.feedback import (
    FeedbackView,
    get_feedback,
    give_feedback,
    list_feedback,
    triage_feedback,
)
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def report(stores: Stores, actor: Actor, sop_id: str | None = "SOP-0001", **said: str) -> FeedbackView:
    words = {"kind": "outdated", "what_happened": "The screen has another name.", **said}
    return give_feedback(stores, actor=actor, now=NOW, sop_id=sop_id, **words)


def triage(stores: Stores, actor: Actor, outcome: str = "sop_change", reason: str = "") -> FeedbackView:
    return triage_feedback(stores, actor=actor, now=NOW + DAY, feedback_id="FB-0001", outcome=outcome, reason=reason)


def test_a_report_is_of_the_revision_in_force(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - DAY)
    publish("SOP-0001")
    found = report(stores, cast.reader, case_reference="CASE-7", what_was_done="Asked a colleague.\r\nThen waited.")

    assert found.id == "FB-0001"
    assert (found.revision, found.kind, found.reporter) == (2, "outdated", "rita@example.com")
    assert (found.reported_at, found.triage_due_at) == (NOW, NOW + 7 * DAY)
    assert found.what_was_done == "Asked a colleague.\nThen waited."
    assert found.outcome is None


def test_a_case_without_a_sop_is_reported_too(stores: Stores, cast: Cast) -> None:
    found = report(stores, cast.reader, None, kind="edge_case")

    assert (found.sop_id, found.revision) == (None, None)
    assert triage(stores, cast.care_editor).outcome == "sop_change"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("kind", {"kind": "praise"}),
        ("what_happened", {"what_happened": " \n "}),
        ("what_happened", {"what_happened": "x" * 4001}),
        ("what_was_done", {"what_was_done": "x" * 4001}),
        ("case_reference", {"case_reference": "x" * 121}),
    ],
)
def test_a_report_that_cannot_be_used_names_the_field(
    stores: Stores, cast: Cast, publish: Publish, field: str, said: dict[str, str]
) -> None:
    publish("SOP-0001")

    with pytest.raises(InvalidInputError) as refused:
        report(stores, cast.reader, **said)

    assert field in refused.value.fields
    assert list_feedback(stores, actor=cast.manager, now=NOW).items == ()


@pytest.mark.parametrize("field", ["case_reference", "what_happened", "what_was_done"])
@pytest.mark.parametrize("number", ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005"])
def test_a_card_number_is_never_stored(stores: Stores, cast: Cast, publish: Publish, field: str, number: str) -> None:
    publish("SOP-0001")

    with pytest.raises(InvalidInputError, match="payment card") as refused:
        report(stores, cast.reader, **{field: f"Paid with {number}, 12/27"})

    assert refused.value.fields == {field: "must not hold a card number"}
    with stores.database.read() as session:
        assert not any("1111" in str(event.details) for event in audit.events(session))


def test_who_may_report_and_on_what(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - DAY)
    publish("SOP-0002", department="customer-care")
    publish("SOP-0003", at=NOW - DAY)
    publish("SOP-0003", kind="retire")
    publish("SOP-0004", at=NOW + DAY)

    for sop_id in ("SOP-0002", "SOP-0099"):
        with pytest.raises(NotFoundError):
            report(stores, cast.reader, sop_id)
    with pytest.raises(GoneError):
        report(stores, cast.reader, "SOP-0003")
    with pytest.raises(ConflictError):
        report(stores, cast.reader, "SOP-0004")
    for actor in (cast.admin, cast.nobody):
        with pytest.raises(ForbiddenError):
            report(stores, actor)
    for actor in (cast.editor, cast.approver, cast.manager):
        assert report(stores, actor).reporter == actor.email


def test_a_report_is_triaged_once(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    report(stores, cast.reader)

    found = triage(stores, cast.editor, "ai_tuning", "Sent to the model team")
    assert (found.outcome, found.reason, found.triaged_by, found.triaged_at) == (
        "ai_tuning",
        "Sent to the model team",
        "Asha",
        NOW + DAY,
    )
    with pytest.raises(ConflictError, match="Asha decided"):
        triage(stores, cast.editor)


def test_a_rejection_says_why_and_outcomes_are_known(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    report(stores, cast.reader)

    with pytest.raises(InvalidInputError) as refused:
        triage(stores, cast.editor, "rejected", " ")
    assert "reason" in refused.value.fields
    with pytest.raises(InvalidInputError, match="sop_change, ai_tuning, rejected"):
        triage(stores, cast.editor, "closed")
    assert triage(stores, cast.editor, "rejected", "The screen is still called so.").outcome == "rejected"


def test_who_may_triage(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    report(stores, cast.reader)

    for actor in (cast.reader, cast.approver, cast.manager, cast.admin):
        with pytest.raises(ForbiddenError):
            triage(stores, actor)
    with pytest.raises(NotFoundError):
        triage(stores, cast.care_editor)
    with pytest.raises(NotFoundError):
        triage_feedback(stores, actor=cast.editor, now=NOW, feedback_id="FB-0099", outcome="sop_change")


def test_people_see_their_own_reports_and_those_of_their_department(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001")
    publish("SOP-0002", department="customer-care")
    report(stores, cast.reader)
    report(stores, cast.approver)
    report(stores, cast.care_editor, "SOP-0002", kind="unclear")
    report(stores, cast.manager, None)

    def seen(actor: Actor, **wanted: object) -> list[str]:
        return [one.id for one in list_feedback(stores, actor=actor, now=NOW, **wanted).items]  # type: ignore[arg-type]

    assert seen(cast.manager) == ["FB-0004", "FB-0003", "FB-0002", "FB-0001"]
    assert seen(cast.editor) == ["FB-0004", "FB-0002", "FB-0001"]
    assert seen(cast.reader) == ["FB-0001"]
    assert seen(cast.nobody) == []
    assert seen(cast.manager, sop_id="SOP-0001") == ["FB-0002", "FB-0001"]
    assert seen(cast.manager, kind="unclear") == ["FB-0003"]
    assert seen(cast.manager, mine=True) == ["FB-0004"]
    triage(stores, cast.editor)
    assert seen(cast.manager, triaged=True) == ["FB-0001"]
    assert seen(cast.manager, triaged=False, limit=1) == ["FB-0004"]
    first = list_feedback(stores, actor=cast.manager, now=NOW, limit=3)
    second = list_feedback(stores, actor=cast.manager, now=NOW, limit=3, cursor=first.next)
    assert [one.id for one in second.items] == ["FB-0001"]
    assert second.next is None
    with pytest.raises(NotFoundError):
        seen(cast.reader, sop_id="SOP-0002")
    with pytest.raises(NotFoundError):
        get_feedback(stores, actor=cast.reader, now=NOW, feedback_id="FB-0002")


def test_of_two_who_triage_at_once_one_decides(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    report(stores, cast.reader)
    start = threading.Barrier(3)
    answers: list[str] = []

    def decide(outcome: str) -> None:
        start.wait()
        try:
            answers.append(str(triage(stores, cast.editor, outcome, "Because").outcome))
        except ConflictError:
            answers.append("conflict")

    outcomes = ("sop_change", "ai_tuning", "rejected")
    threads = [threading.Thread(target=decide, args=(outcome,)) for outcome in outcomes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers.count("conflict") == 2
    assert get_feedback(stores, actor=cast.editor, now=NOW, feedback_id="FB-0001").outcome in answers
