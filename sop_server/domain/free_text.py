"""Sentences that people type into a form: kept as typed, without what cannot be shown, and of a length."""

from sop_server.domain.card_numbers import has_card_number
from sop_server.errors import InvalidInputError


def clean_text(text: str, *, field: str, most: int, what: str, required: bool) -> str:
    """Return a text as it is stored; raises InvalidInputError where it is missing, too long or holds a card number."""
    plain = text.replace("\r\n", "\n").replace("\t", " ")
    kept = "".join(sign for sign in plain if sign == "\n" or sign.isprintable()).strip()
    if required and not kept:
        raise InvalidInputError(f"{what} is missing. Say it in a sentence.", fields={field: "is required"})
    if len(kept) > most:
        raise InvalidInputError(
            f"{what} has {len(kept)} characters; {most} are allowed. Say it shorter, or name the case.",
            fields={field: f"at most {most} characters"},
        )
    if has_card_number(kept):
        raise InvalidInputError(
            f"{what} holds what looks like the number of a payment card. Card numbers must not be stored here: "
            "remove it, or leave its last four digits. Nothing was stored.",
            fields={field: "must not hold a card number"},
        )
    return kept


def clean_line(text: str, *, field: str, most: int, what: str) -> str:
    """Return a text as `clean_text` does, on one line; empty where there is none."""
    return clean_text(" ".join(text.split()), field=field, most=most, what=what, required=False)
