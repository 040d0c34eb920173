from datetime import UTC, datetime, timedelta

import pytest

from sop_server.errors import ForbiddenError, GoneError, InvalidInputError, NotFoundError
from sop_server.services.participation.reviews import list_reviews, review_sop, review_sops
from sop_server.services.stores import Stores
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NOTE = "Walked through it with the team; every screen is as described."


@pytest.mark.parametrize(
    ("outcome", "renews"),
    [("confirmed", True), ("needs_revision", False), ("retire", False)],
)
def test_only_confirming_renews(stores: Stores, cast: Cast, publish: Publish, outcome: str, *, renews: bool) -> None:
    publish("SOP-0001", at=NOW - DAY)
    publish("SOP-0001")
    found = review_sop(stores, actor=cast.editor, now=NOW, sop_id="SOP-0001", outcome=outcome, note=NOTE)

    assert (found.revision, found.note, found.person, found.reviewed_at) == (2, NOTE, "asha@example.com", NOW)
    assert (found.renews, found.bulk) == (renews, False)
    assert list_reviews(stores, actor=cast.reader, now=NOW, sop_id="SOP-0001") == (found,)


def test_several_in_one_go_are_reported_as_bulk(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")
    found = review_sops(
        stores,
        actor=cast.editor,
        now=NOW,
        sop_ids=["SOP-0001", "SOP-0002", "SOP-0001"],
        outcome="confirmed",
        note=NOTE,
    )

    assert [(one.sop_id, one.bulk) for one in found] == [("SOP-0001", True), ("SOP-0002", True)]


def test_several_are_reviewed_all_or_none(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")

    with pytest.raises(NotFoundError):
        review_sops(
            stores, actor=cast.editor, now=NOW, sop_ids=["SOP-0001", "SOP-0099"], outcome="confirmed", note=NOTE
        )
    with pytest.raises(InvalidInputError):
        review_sops(stores, actor=cast.editor, now=NOW, sop_ids=[], outcome="confirmed", note=NOTE)
    assert list_reviews(stores, actor=cast.editor, now=NOW, sop_id="SOP-0001") == ()


@pytest.mark.parametrize(("outcome", "note"), [("fine", NOTE), ("confirmed", "  "), ("confirmed", "x" * 2001)])
def test_a_review_needs_a_known_outcome_and_a_note(
    stores: Stores, cast: Cast, publish: Publish, outcome: str, note: str
) -> None:
    publish("SOP-0001")

    with pytest.raises(InvalidInputError):
        review_sop(stores, actor=cast.editor, now=NOW, sop_id="SOP-0001", outcome=outcome, note=note)


def test_who_may_review_what(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - DAY)
    publish("SOP-0002", at=NOW - DAY)
    publish("SOP-0002", kind="retire")

    for actor in (cast.reader, cast.approver, cast.manager, cast.admin):
        with pytest.raises(ForbiddenError):
            review_sop(stores, actor=actor, now=NOW, sop_id="SOP-0001", outcome="confirmed", note=NOTE)
    with pytest.raises(NotFoundError):
        review_sop(stores, actor=cast.care_editor, now=NOW, sop_id="SOP-0001", outcome="confirmed", note=NOTE)
    with pytest.raises(GoneError):
        review_sop(stores, actor=cast.editor, now=NOW, sop_id="SOP-0002", outcome="confirmed", note=NOTE)


def test_reviews_are_listed_newest_first(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    for day, outcome in enumerate(("confirmed", "needs_revision")):
        review_sop(stores, actor=cast.editor, now=NOW + day * DAY, sop_id="SOP-0001", outcome=outcome, note=NOTE)

    found = list_reviews(stores, actor=cast.reader, now=NOW + DAY, sop_id="SOP-0001")
    assert [one.outcome for one in found] == ["needs_revision", "confirmed"]
    with pytest.raises(NotFoundError):
        list_reviews(stores, actor=cast.care_editor, now=NOW, sop_id="SOP-0001")
