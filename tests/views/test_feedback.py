from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.services.participation.feedback import FeedbackView, get_feedback, give_feedback
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def report(stores: Stores, cast: Cast, publish: Publish) -> FeedbackView:
    return give_feedback(
        stores,
        actor=cast.reader,
        now=NOW,
        sop_id=publish(),
        kind="outdated",
        what_happened="The button is called Refund now.",
    )


@pytest.fixture
def editor(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.editor)


def test_what_waits_stands_first_with_its_clock(
    as_person: AsPerson, cast: Cast, report: FeedbackView, clock: Clock
) -> None:
    clock.now = NOW + timedelta(days=3)
    assert "due in 4 days" in words(as_person(cast.editor).get("/feedback/"))

    clock.now = NOW + timedelta(days=9)
    assert "due 2 days ago" in words(as_person(cast.editor).get("/feedback/"))


def test_a_report_is_decided_once(
    editor: Browser, as_person: AsPerson, stores: Stores, cast: Cast, report: FeedbackView
) -> None:
    sent = editor.post(f"/feedback/{report.id}/triage", outcome="sop_change", reason="")

    assert sent.status_code == 303
    page = editor.get(sent.location)
    assert "The SOP is changed" in words(page)
    assert f'href="/sops/{report.sop_id}/edit"' in page.text

    again = editor.post(f"/feedback/{report.id}/triage", outcome="rejected", reason="I see it otherwise.")
    assert again.status_code == 409
    assert "I see it otherwise." in words(again)
    known = get_feedback(stores, actor=cast.editor, now=NOW, feedback_id=report.id)
    assert known.outcome == "sop_change"


@pytest.mark.parametrize(
    ("outcome", "reason", "field"), [("rejected", " ", "reason"), ("", "Because of this.", "outcome")]
)
def test_a_decision_that_lacks_something_is_refused_and_keeps_what_was_typed(
    editor: Browser, report: FeedbackView, outcome: str, reason: str, field: str
) -> None:
    refused = editor.post(f"/feedback/{report.id}/triage", outcome=outcome, reason=reason)

    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert reason.strip() in refused.text


def test_a_reader_sees_what_they_reported_and_decides_nothing(
    as_person: AsPerson, cast: Cast, report: FeedbackView
) -> None:
    reader = as_person(cast.reader)

    assert "The button is called Refund now." in words(reader.get("/feedback/"))
    page = reader.get(f"/feedback/{report.id}")
    assert f"/feedback/{report.id}/triage" not in page.text
    assert reader.post(f"/feedback/{report.id}/triage", outcome="rejected", reason="No.").status_code == 403


def test_nobody_of_another_department_knows_of_it(as_person: AsPerson, cast: Cast, report: FeedbackView) -> None:
    for actor in (cast.payments_reader, cast.payments_editor):
        browser = as_person(actor)
        assert browser.get(f"/feedback/{report.id}").status_code == 404
        assert "Refund now" not in words(browser.get("/feedback/"))


def test_the_list_narrows_by_kind_and_decision(editor: Browser, report: FeedbackView) -> None:
    said = "The button is called Refund now."

    assert said not in words(editor.get("/feedback/?kind=unclear"))
    assert said in words(editor.get("/feedback/?kind=outdated&triaged=no"))
    assert said not in words(editor.get("/feedback/?triaged=yes"))
    editor.post(f"/feedback/{report.id}/triage", outcome="ai_tuning")
    assert said in words(editor.get("/feedback/?triaged=yes"))
