"""Sign-in links by mail: for who is new, and for who forgot the password.

What is asked for waits in the outbox without a link. The link is made when the mail goes out, so that nothing but its
hash is ever stored; a mail that was not taken is tried again with a new one.
"""

import secrets
from datetime import datetime, timedelta

from sop_server.domain.doers import Doer
from sop_server.domain.people import clean_email
from sop_server.domain.permissions import Action
from sop_server.errors import BusyError, ConflictError, NotFoundError
from sop_server.services.accounts.provider_accounts import comes_by_provider_alone, refuse_link
from sop_server.services.accounts.sign_in import token_hash
from sop_server.services.accounts.throttling import count_attempt
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, outbox, people
from sop_server.storage.database import Session
from sop_server.storage.tables import OutboxItem, Person

KIND = "sign_in_mail"
FORGOTTEN, INVITATION = "forgotten", "invitation"
LIVES = {FORGOTTEN: timedelta(hours=1), INVITATION: timedelta(hours=72)}

_BY_THE_SERVER = "mail"
_ONE_MAIL_PER = timedelta(minutes=5)
_TRIED_FOR = timedelta(days=1)
_WHILE_SENDING = timedelta(minutes=2)
_SENTENCES = {
    FORGOTTEN: (
        "Choose a new password",
        "somebody, most likely you, asked for a new password. This link lets you choose one, once, until {until}:",
        "If it was not you, do nothing: your password stays as it is, and nobody can use this link without this mail.",
    ),
    INVITATION: (
        "You are invited",
        "you have an account here. This link signs you in and lets you choose a password, once, until {until}:",
        "After that, ask for a new one at {again}.",
    ),
}


def ask_for_link(stores: Stores, *, email: str, address: str, now: datetime) -> None:
    """Have a link sent to whoever has this address, and nobody otherwise: the caller learns nothing of it.

    Of several requests within five minutes one is sent. Raises InvalidInputError where it is no e-mail address,
    ForbiddenError after too many requests, ConflictError where the installation sends no mail.
    """
    _mailer(stores)
    clean = clean_email(email)
    count_attempt(stores, email=clean, address=address, now=now, what="link")
    slot = int(now.timestamp() // _ONE_MAIL_PER.total_seconds())
    with stores.database.write() as session:
        outbox.post(
            session,
            key=f"{KIND}:{FORGOTTEN}:{clean}:{slot}",
            kind=KIND,
            payload={"email": clean, "why": FORGOTTEN},
            now=now,
        )


def invite(stores: Stores, *, actor: Doer, email: str, now: datetime) -> None:
    """Have a link sent to a person as an administrator. Raises ConflictError where no mail is sent, or not to them."""
    actor.require(Action.ADMINISTER, None)
    _mailer(stores)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
        if not people.is_active(session, person.id, now):
            raise ConflictError(f"{person.name} is not active, so nothing was sent. Let them in again first.")
        refuse_link(stores, session, person.id, now)
        payload = {"email": person.email, "why": INVITATION}
        key = f"{KIND}:{INVITATION}:{person.email}:{now.isoformat()}"
        outbox.post(session, key=key, kind=KIND, payload=payload, now=now)
        audit.record(session, at=now, actor=actor.email, action="person.invited", subject=person.email)


def send_due(stores: Stores, *, now: datetime) -> int:
    """Send the mails that are due; returns how many were taken. One that is not taken is put off and tried again."""
    if stores.mailer is None:
        return 0
    with stores.database.read() as session:
        waiting = [item.id for item in outbox.due(session, now=now, kind=KIND)]
    return sum(_send(stores, stores.mailer, item_id, now) for item_id in waiting)


def _send(stores: Stores, mailer: Mailer, item_id: int, now: datetime) -> bool:
    token = secrets.token_urlsafe(32)
    with stores.database.write() as session:
        item = outbox.open_item(session, item_id)
        if item is None or item.due_at > now:
            return False  # another process has it in hand
        person = _addressee(stores, session, item, now)
        if person is None:
            outbox.done(item, now=now)
            return False
        why = str(item.payload["why"])
        until = now + LIVES[why]
        outbox.hold(item, until=now + _WHILE_SENDING)
        credentials.void_links(session, person.id, now=now)
        credentials.add_link(session, token_hash=token_hash(token), person_id=person.id, expires_at=until)
    subject, text = _letter(mailer, person, why=why, until=until, link=mailer.address(f"/sign-in/{token}"))
    try:
        mailer.send(to=person.email, subject=subject, text=text, now=now)
    except BusyError as error:
        with stores.database.write() as session:
            outbox.put_off(session, item_id, error=error.message, now=now)
        return False
    with stores.database.write() as session:
        outbox.mark_done(session, [item_id], now=now)
        audit.record(
            session,
            at=now,
            actor=_BY_THE_SERVER,
            action="sign_in_link.mailed",
            subject=person.email,
            details={"why": why},
        )
    return True


def _addressee(stores: Stores, session: Session, item: OutboxItem, now: datetime) -> Person | None:
    """Return who gets the mail; None where nobody has the address, may use a link, or waits for it any more."""
    person = people.person_by_email(session, str(item.payload["email"]))
    late = now - item.created_at > _TRIED_FOR
    if person is None or late or not people.is_active(session, person.id, now):
        return None
    return None if comes_by_provider_alone(stores, session, person.id, now) else person


def _letter(mailer: Mailer, person: Person, *, why: str, until: datetime, link: str) -> tuple[str, str]:
    title, sentence, rest = _SENTENCES[why]
    told = {"until": f"{until:%d %B %Y, %H:%M} UTC", "again": mailer.address("/login/forgotten")}
    parts = (f"Hello {person.name},", sentence.format(**told), link, rest.format(**told), mailer.library_name)
    return f"{mailer.library_name}: {title.lower()}", "\n\n".join(parts) + "\n"


def _mailer(stores: Stores) -> Mailer:
    if stores.mailer is None:
        raise ConflictError("This server sends no mail. Ask an administrator for a sign-in link; nothing was sent.")
    return stores.mailer
