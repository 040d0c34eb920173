"""Coming in through an identity provider: whom its word lets in here, as whom, and with what.

Somebody is known by issuer and subject alone. An address links an account once, and never again; why each case is
decided as it is stands in `docs/decisions`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.provided_identity import ProvidedIdentity, read_identity
from sop_server.domain.provider_rules import ProviderRules
from sop_server.errors import NotSignedInError
from sop_server.services.accounts.provided_grants import BY_PROVIDER, bring_up_to_date
from sop_server.services.accounts.provider import Vouched
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.sign_in import Step, open_session, token_hash
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people, provider_links, second_factors
from sop_server.storage.database import Session
from sop_server.storage.tables import Person, PersonState

_ONCE_IN = timedelta(minutes=1)
_LONGEST_HINT = 8192


@dataclass(frozen=True, slots=True)
class CameIn:
    """The token for the cookie; `only_administrator`: the groups would have ended the role that nobody else has."""

    token: str
    only_administrator: bool


class _RefusedError(Exception):
    """Why somebody may not come in: for them, and in one word for the trail; `email` where they are known here."""

    def __init__(self, message: str, why: str, email: str | None = None) -> None:
        super().__init__(message)
        self.message, self.why, self.email = message, why, email


def sign_in_by_provider(
    stores: Stores,
    seal: Seal,
    *,
    rules: ProviderRules,
    vouched: Vouched,
    address: str,
    now: datetime,
    user_agent: str = "",
) -> CameIn:
    """Open a session for whom a provider vouched for, with the roles and teams that their groups give.

    Raises NotSignedInError, which says what to do, where they may not come in; nothing but the trail is changed then.
    """
    identity = read_identity(vouched.claims, rules)
    hint = seal.close(vouched.id_token) if len(vouched.id_token) <= _LONGEST_HINT else None
    try:
        with stores.database.write() as session:
            person = _person(session, identity, rules, now)
            given = rules.give(identity.groups)
            all_ended = bring_up_to_date(session, person=person, given=given, issuer=identity.issuer, now=now)
            step = _step(stores, session, person, identity, now)
            token = open_session(
                stores,
                session,
                person.id,
                now=now,
                address=address,
                user_agent=user_agent,
                waits_for=step,
                came_by=identity.issuer,
                sealed_hint=hint,
            )
            action = "session.opened" if step is None else "provider.accepted"
            told = {"through": identity.issuer, "second_factor": "provider" if identity.second_factor else "none"}
            audit.record(session, at=now, actor=person.email, action=action, subject=person.email, details=told)
    except _RefusedError as refused:
        with stores.database.write() as session:
            _record_refusal(session, issuer=identity.issuer, why=refused.why, email=refused.email, now=now)
        raise NotSignedInError(refused.message) from refused
    return CameIn(token, only_administrator=not all_ended)


def way_out(stores: Stores, seal: Seal, *, token: str) -> str | None:
    """Return where the browser of a session signs out of the provider too, None where it did not come from there."""
    hashed = token_hash(token)
    with stores.database.read() as session:
        row = credentials.session_row(session, hashed)
        sealed = provider_links.sealed_hint(session, hashed)
    provider = stores.provider
    if provider is None or row is None or row.ended_at is not None or row.came_by != provider.issuer:
        return None
    return provider.sign_out_address(None if sealed is None else seal.open(sealed))


def record_refusal(stores: Stores, *, issuer: str, why: str, now: datetime) -> None:
    """Record that what came from a provider proved nothing; once in a minute for each reason."""
    with stores.database.write() as session:
        _record_refusal(session, issuer=issuer, why=why, email=None, now=now)


def _record_refusal(session: Session, *, issuer: str, why: str, email: str | None, now: datetime) -> None:
    actor, subject = email or BY_PROVIDER.email, email or issuer
    recent = audit.recent(session, actor=actor, action="provider.refused", since=now - _ONCE_IN)
    details = {"why": why, "through": issuer}
    if (subject, details) not in [(told, dict(other)) for told, other in recent]:
        audit.record(session, at=now, actor=actor, action="provider.refused", subject=subject, details=details)


def _person(session: Session, identity: ProvidedIdentity, rules: ProviderRules, now: datetime) -> Person:
    """Return who it is here, linked or added now where that is due."""
    link = provider_links.link_of_subject(session, issuer=identity.issuer, subject=identity.subject)
    if link is not None:
        known = _active(session, people.person_row(session, link.person_id), rules, now)
        link.signed_in_at = now
        return known
    email = _address(identity, rules)
    person = people.person_by_email(session, email)
    if person is None:
        person = _add(session, identity, email, rules, now)
    person = _active(session, person, rules, now)
    if provider_links.link_of_person(session, issuer=identity.issuer, person_id=person.id) is not None:
        raise _RefusedError(
            f"The account {person.email} here belongs to another account of {rules.name} than the one that you came "
            "with. If yours was made anew there, ask an administrator here to undo the link; nothing was changed.",
            "other_subject",
            person.email,
        )
    provider_links.add_link(session, issuer=identity.issuer, subject=identity.subject, person_id=person.id, now=now)
    told = {"through": identity.issuer}
    audit.record(session, at=now, actor=person.email, action="provider.linked", subject=person.email, details=told)
    return person


def _active(session: Session, person: Person | None, rules: ProviderRules, now: datetime) -> Person:
    if person is None or not people.is_active(session, person.id, now):
        raise _RefusedError(
            f"{rules.name} knows you, but your account here is not active. Ask an administrator to let you in again.",
            "not_active",
            None if person is None else person.email,
        )
    return person


def _address(identity: ProvidedIdentity, rules: ProviderRules) -> str:
    """Return the address by which somebody is linked or added."""
    if identity.email is None:
        raise _RefusedError(
            f"{rules.name} does not say that your e-mail address is yours (verified), so you cannot be known here by "
            "it. Verify the address there and sign in again, or ask an administrator.",
            "email_not_verified",
        )
    if not rules.admits(identity.email):
        raise _RefusedError(
            f"Addresses such as {identity.email} do not come in here through {rules.name}. Use the account of your "
            "work, or ask an administrator.",
            "domain",
        )
    return identity.email


def _add(session: Session, identity: ProvidedIdentity, email: str, rules: ProviderRules, now: datetime) -> Person:
    if not rules.adds_people:
        raise _RefusedError(
            f"{rules.name} knows you as {email}, but nobody here has that address. Ask an administrator to add you.",
            "unknown",
        )
    if not rules.give(identity.groups).grants:
        raise _RefusedError(
            f"{rules.name} knows you as {email}, but none of your groups there gives you a role here. Ask whoever "
            "keeps the groups, or an administrator here.",
            "no_role",
        )
    person = Person(email=email, name=identity.name, password_hash=None, created_at=now)
    session.add(person)
    session.flush()
    session.add(PersonState(person_id=person.id, active=True, happened_at=now, recorded_at=now, recorded_by=None))
    session.flush()
    told = {"through": identity.issuer}
    audit.record(session, at=now, actor=BY_PROVIDER.email, action="person.added", subject=email, details=told)
    return person


def _step(stores: Stores, session: Session, person: Person, identity: ProvidedIdentity, now: datetime) -> Step | None:
    """Return what is left to do: a factor that somebody set up here is asked for at every door.

    Where a role demands one and the person has none here, that of the provider counts.
    """
    if second_factors.is_on(session, person.id):
        return Step.CODE
    actor = people.load_actor(session, person.id, now)
    roles = () if actor is None else [grant.role.value for grant in actor.grants]
    demanded = stores.policy.demands_second_factor(roles)
    return Step.SET_UP if demanded and not identity.second_factor else None
