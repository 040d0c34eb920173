"""Coming in through an identity provider on PostgreSQL, several at the same instant."""

from typing import Any

from sop_server.domain.provider_rules import ProviderRules, parse_groups
from sop_server.errors import NotSignedInError, SopError
from sop_server.services.accounts.provider import Vouched
from sop_server.services.accounts.provider_sign_in import CameIn, sign_in_by_provider
from sop_server.services.accounts.sealing import Seal
from sop_server.services.stores import Stores
from sop_server.storage import people
from sop_server.storage.tables import Person, ProvidedRole, ProviderLink
from tests.storage.postgresql.play import NOW, at_once, count, person

RULES = ProviderRules(
    "Contoso", parse_groups({"editors": ["editor@payments"]}), domains=frozenset({"example.com"}), adds_people=True
)


def come(stores: Stores, subject: str, email: str, groups: list[str]) -> CameIn:
    claims: dict[str, Any] = {"iss": "https://login.example.com", "sub": subject, "email": email}
    claims |= {"email_verified": True, "groups": groups, "name": "Rita"}
    return sign_in_by_provider(
        stores,
        Seal("a secret for the tests alone"),
        rules=RULES,
        vouched=Vouched(claims, "token"),
        address="10.0.0.1",
        now=NOW,
    )


def test_of_several_that_claim_one_account_at_once_one_gets_it(stores: Stores) -> None:
    person(stores, "rita", "reader")

    came = at_once(*(lambda one=one: come(stores, f"claimant {one}", "rita@example.com", []) for one in range(4)))

    assert len([one for one in came if isinstance(one, CameIn)]) == 1
    assert all(isinstance(one, (CameIn, NotSignedInError)) for one in came)
    assert count(stores, ProviderLink) == 1


def test_somebody_new_who_comes_in_twice_at_once_is_one_person_with_one_role(stores: Stores) -> None:
    came = at_once(*(lambda: come(stores, "nina", "nina@example.com", ["editors"]) for _ in range(3)))

    assert not [one for one in came if isinstance(one, SopError)]
    assert (count(stores, Person), count(stores, ProviderLink), count(stores, ProvidedRole)) == (1, 1, 1)
    come(stores, "nina", "nina@example.com", [])
    with stores.database.read() as session:
        nina = people.person_by_email(session, "nina@example.com")
        assert nina is not None
        assert people.open_grants(session, [nina.id], NOW) == []
