import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain import identifiers
from sop_server.domain.identifiers import SOP, is_slug, normalise_sop_id, parse_sop_id, slugify, sop_id

SERIES = (
    identifiers.SOP,
    identifiers.PROCESS,
    identifiers.DRAFT,
    identifiers.TICKET,
    identifiers.OBLIGATION,
    identifiers.FEEDBACK,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (identifiers.sop_id(42), "SOP-0042"),
        (identifiers.sop_id(12345), "SOP-12345"),
        (identifiers.process_id(17), "PROC-017"),
        (identifiers.draft_id(12), "DRF-0012"),
        (identifiers.ticket_id(12), "TKT-0012"),
        (identifiers.obligation_id(12), "OBL-0012"),
        (identifiers.feedback_id(12), "FB-0012"),
    ],
)
def test_a_number_has_one_name(name: str, expected: str) -> None:
    assert name == expected


@given(st.sampled_from(SERIES), st.integers(1, 999_999_999))
def test_every_name_leads_back_to_its_number(series: identifiers.Series, number: int) -> None:
    assert series.parse(series.name(number)) == number
    assert series.normalise(series.name(number).lower()) == series.name(number)


@pytest.mark.parametrize(
    "text",
    ["sop-0042", "SOP-42", "SOP-00042", "SOP-0000", "SOP0042", " SOP-0042", "SOP-٠٠٤٢", "SOP-1234567890", "SOP-", ""],
)
def test_only_the_canonical_form_is_an_id(text: str) -> None:
    assert parse_sop_id(text) is None


@pytest.mark.parametrize("typed", ["sop-42", "SOP 42", "sop42", " 42 ", "SOP-0042", "sop_42", "sop-000042"])
def test_what_people_type_becomes_the_canonical_form(typed: str) -> None:
    assert normalise_sop_id(typed) == "SOP-0042"


@pytest.mark.parametrize("typed", ["", "sop", "refund", "sop-", "sop-4x", "0", "PROC-017", "9" * 5000])
def test_what_is_no_id_stays_none(typed: str) -> None:
    assert normalise_sop_id(typed) is None


def test_a_series_starts_at_one() -> None:
    with pytest.raises(ValueError, match="start at 1"):
        sop_id(0)
    assert SOP.parse("SOP-0000") is None


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Refunds over 500 USD", "refunds-over-500-usd"),
        ("Łódź: Straße & Ærø", "lodz-strasse-aero"),
        ("İstanbul'da iade", "istanbulda-iade"),
        ("  --Don't panic--  ", "dont-panic"),
        ("返金", "sop"),
        ("", "sop"),
        ("CON", "con-sop"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_a_title_becomes_a_file_name(title: str, slug: str) -> None:
    assert slugify(title) == slug


@given(st.text(max_size=300))
def test_any_title_gives_a_slug(title: str) -> None:
    slug = slugify(title)
    assert is_slug(slug)
    assert len(slug) <= identifiers.MAX_SLUG + len("-sop")
    assert slugify(slug) == slug
