"""What an installation lets an identity provider decide: who may come in through it, and what their groups give."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sop_server.domain.permissions import Grant
from sop_server.domain.roles import clean_slug, parse_grant
from sop_server.errors import InvalidInputError

TEAM = "team:"
_FACTORS = ("amr", "always", "never")
_ACR = "acr:"
_SEVERAL = "mfa"


@dataclass(frozen=True, slots=True)
class Given:
    """What groups give: roles and teams."""

    grants: frozenset[Grant] = frozenset()
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FactorRule:
    """When a sign-in at the provider counts as one with a second factor.

    `amr`: the token's `amr` says `mfa`; `always`: the provider asks everybody for one; `never`; or the token's `acr` is
    one of `levels`.
    """

    kind: str = "amr"
    levels: tuple[str, ...] = ()

    def met(self, *, amr: Iterable[str], acr: str | None) -> bool:
        """Whether a token with these claims tells of a second factor."""
        if self.levels:
            return acr in self.levels
        return self.kind == "always" or (self.kind == "amr" and _SEVERAL in amr)


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """How the claims of one provider are read, and what they may do here.

    `domains` are those of the addresses that may be linked or added, all where empty. With `trusts_email` an address
    counts though the provider does not say that it verified it. `groups` maps a group of the claim `groups_claim` to
    what it gives. With `adds_people` somebody unknown comes to be, where their groups give a role. With
    `replaces_passwords` whoever is linked comes in through the provider alone; administrators of all departments keep
    their password.
    """

    name: str
    groups: Mapping[str, Given]
    groups_claim: str = "groups"
    domains: frozenset[str] = frozenset()
    trusts_email: bool = False
    adds_people: bool = False
    replaces_passwords: bool = False
    second_factor: FactorRule = FactorRule()

    def give(self, groups: Iterable[str]) -> Given:
        """Return what all these groups give together; those that the map does not name give nothing."""
        found = [self.groups[name] for name in groups if name in self.groups]
        return Given(
            frozenset(grant for one in found for grant in one.grants),
            frozenset(team for one in found for team in one.teams),
        )

    def admits(self, email: str) -> bool:
        """Whether somebody with this address may be linked or added."""
        return not self.domains or email.rpartition("@")[2] in self.domains


def parse_groups(value: str | Mapping[str, Any]) -> Mapping[str, Given]:
    """Read `{"GROUP": ["editor@payments", "team:tier2"], …}`, as JSON or as a table; raises InvalidInputError."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError as error:
            raise InvalidInputError(f"must be JSON such as {_EXAMPLE} ({error})") from error
    if not isinstance(value, dict):
        raise InvalidInputError(f"must be JSON such as {_EXAMPLE}")
    return {name: _given(name, gives) for name, gives in value.items()}


def parse_factor(text: str) -> FactorRule:
    """Read `amr`, `always`, `never` or `acr:LEVEL[,LEVEL…]`; raises InvalidInputError."""
    if text in _FACTORS:
        return FactorRule(text)
    levels = tuple(filter(None, (part.strip() for part in text.removeprefix(_ACR).split(","))))
    if not text.startswith(_ACR) or not levels:
        raise InvalidInputError("must be amr, always, never, or acr: and the levels that count, such as acr:2,3")
    return FactorRule("acr", levels)


_EXAMPLE = '{"sop-editors": ["editor@payments", "team:payments-tier2"]}'


def _given(name: str, gives: object) -> Given:
    if not isinstance(gives, list) or not gives or not all(isinstance(one, str) for one in gives):
        raise InvalidInputError(f"the group “{name}” must give a list of roles and teams, such as {_EXAMPLE}")
    teams = [one.removeprefix(TEAM) for one in gives if one.startswith(TEAM)]
    roles = [one for one in gives if not one.startswith(TEAM)]
    try:
        return Given(
            frozenset(parse_grant(role) for role in roles),
            frozenset(clean_slug(team, what="team", field="teams") for team in teams),
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"the group “{name}”: {error.message}") from error
