"""Who somebody is by the word of an identity provider: read from claims whose signature was checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sop_server.domain.people import MAX_NAME, clean_email, clean_name
from sop_server.domain.provider_rules import ProviderRules
from sop_server.errors import InvalidInputError, NotSignedInError

_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class ProvidedIdentity:
    """`issuer` and `subject` name the person for ever. `email` is a verified address, None where there is none.

    `second_factor`: whether the provider asked for one. `groups` are as the provider writes them.
    """

    issuer: str
    subject: str
    email: str | None
    name: str
    groups: frozenset[str]
    second_factor: bool


def read_identity(claims: Mapping[str, Any], rules: ProviderRules) -> ProvidedIdentity:
    """Return who the claims of a checked ID token name; raises NotSignedInError where they cannot be relied on."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise NotSignedInError(f"{rules.name} did not say who you are. Tell an administrator; nothing was changed.")
    return ProvidedIdentity(
        issuer=str(claims["iss"]),
        subject=subject,
        email=_verified_email(claims, trusted=rules.trusts_email),
        name=_name(claims),
        groups=_groups(claims, rules),
        second_factor=rules.second_factor.met(amr=_texts(claims.get("amr")), acr=_text(claims.get("acr"))),
    )


def _verified_email(claims: Mapping[str, Any], *, trusted: bool) -> str | None:
    email = claims.get("email")
    # Some providers write the word instead of the value; nothing else counts as yes.
    told = claims.get("email_verified")
    verified = told is True or told == "true"
    if not isinstance(email, str) or not (verified or trusted):
        return None
    try:
        return clean_email(email)
    except InvalidInputError:
        return None


def _name(claims: Mapping[str, Any]) -> str:
    for key in ("name", "preferred_username", "email"):
        told = claims.get(key)
        try:
            if isinstance(told, str):
                return clean_name(told[:MAX_NAME])
        except InvalidInputError:
            continue
    return "Somebody"


def _groups(claims: Mapping[str, Any], rules: ProviderRules) -> frozenset[str]:
    """Return the groups; raises NotSignedInError where the provider left them out because there are too many."""
    named = claims.get("_claim_names")
    left_out = isinstance(named, dict) and rules.groups_claim in named
    if rules.groups and (left_out or claims.get("hasgroups") is True) and rules.groups_claim not in claims:
        raise NotSignedInError(
            f"{rules.name} left your groups out because you are in too many, so nobody knows here what you may do. "
            "Ask an administrator to have it send only the groups of this application; nothing was changed."
        )
    return frozenset(_texts(claims.get(rules.groups_claim)))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    # Some providers number their levels.
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
