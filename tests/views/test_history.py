import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

LATER = NOW + timedelta(hours=1)
LONG = "".join(f"Line {number} stays.\n\n" for number in range(12))
LATER_TEXT = sop_text(body=f"## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n\n{LONG}A last word.\n")


@pytest.fixture
def sop_id(publish: Publish, clock: Clock) -> str:
    first = publish(sop_text(body=f"## Steps\n\n1. Open the order.\n2. Refund up to 500 USD.\n\n{LONG}"))
    clock.now = LATER
    publish(LATER_TEXT, sop_id=first, summary="The limit went up.", significance="minor")
    return first


def test_the_history_names_who_wrote_and_who_approved(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    told = words(as_person(cast.reader).get(f"/sops/{sop_id}/revisions"))

    assert "2 revisions" in told
    assert "r2 in force minor since" in told
    assert "The limit went up. Asha Menon, approved by Ben Castro" in told
    assert told.index("r2 in force") < told.index("r1 superseded")


def test_a_superseded_revision_says_so_across_itself(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    page = as_person(cast.reader).get(f"/sops/{sop_id}/revisions/1")

    assert 'data-watermark="SUPERSEDED"' in page.text
    assert "Superseded: do not work by this text" in words(page)
    assert f'href="/sops/{sop_id}"' in page.text
    assert "Refund up to 500 USD" in words(page)
    assert "data-watermark" not in as_person(cast.reader).get(f"/sops/{sop_id}/revisions/2").text


def test_a_scheduled_revision_is_marked_as_coming(
    as_person: AsPerson, cast: Cast, sop_id: str, publish: Publish
) -> None:
    publish(sop_id=sop_id, summary="Back to 500.", effective_from=NOW + timedelta(days=1))

    page = as_person(cast.reader).get(f"/sops/{sop_id}/revisions/3")

    assert 'data-watermark="COMING"' in page.text
    assert "Coming on 4 Nov 2026" in words(page)


def test_the_redline_shows_what_changed_as_it_is_read(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    page = as_person(cast.reader).get(f"/sops/{sop_id}/diff?from=1&to=2")

    assert re.search(r"<del>[^/]*500", page.text)
    assert re.search(r"<ins>[^/]*800", page.text)
    assert "The limit went up." in words(page)


def test_the_change_is_shown_line_by_line_and_side_by_side(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    reader = as_person(cast.reader)

    raw = reader.get(f"/sops/{sop_id}/diff?from=1&to=2&view=raw")
    sides = reader.get(f"/sops/{sop_id}/diff?from=1&to=2&view=sides")

    assert '<tr class="removed">' in raw.text
    assert "2. Refund up to 800 USD." in words(raw)
    assert 'class="diff sides"' in sides.text
    assert "None" not in words(sides)


def test_the_same_text_twice_is_said_to_be_the_same(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    assert "The two texts are the same" in words(as_person(cast.reader).get(f"/sops/{sop_id}/diff?from=2&to=2"))


@pytest.mark.parametrize(
    ("asked", "status"), [("from=1&to=9", 404), ("from=0&to=2", 200), ("from=x&to=2", 422), ("", 200)]
)
def test_revisions_that_are_not_there_are_told(
    as_person: AsPerson, cast: Cast, sop_id: str, asked: str, status: int
) -> None:
    assert as_person(cast.reader).get(f"/sops/{sop_id}/diff?{asked}").status_code == status
    assert as_person(cast.reader).get(f"/sops/{sop_id}/revisions/7").status_code == 404


def test_only_writers_are_offered_to_bring_a_revision_back(as_person: AsPerson, cast: Cast, sop_id: str) -> None:
    assert "Bring back r1" in words(as_person(cast.editor).get(f"/sops/{sop_id}/revisions/1"))
    assert "Bring back" not in words(as_person(cast.editor).get(f"/sops/{sop_id}/revisions/2"))
    assert "Bring back" not in words(as_person(cast.reader).get(f"/sops/{sop_id}/revisions/1"))
