"""Mails that tell people that something waits for them; none carries more than that, and where to look."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sop_server.domain import identifiers
from sop_server.errors import BusyError
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores
from sop_server.storage import outbox, people
from sop_server.storage.database import Session
from sop_server.storage.tables import Recertification

KIND = "notice_mail"
_TRIED_FOR = timedelta(days=1)
_WHILE_SENDING = timedelta(minutes=2)


def ask_to_recertify(
    session: Session, campaign: Recertification, person_ids: Collection[int], *, now: datetime, again: bool = False
) -> None:
    """Have people told that roles wait for them to confirm or to remove; once each, and once again before it is due."""
    sentence = (
        f"roles of colleagues wait for you to confirm or to remove them, until {campaign.due_at:%d %B %Y, %H:%M} UTC. "
        "Those that nobody confirms by then end by themselves."
    )
    for person in people.persons_by_id(session, person_ids).values():
        if not people.is_active(session, person.id, now):
            continue
        outbox.post(
            session,
            key=f"{KIND}:recertification:{campaign.id}:{'again' if again else 'first'}:{person.id}",
            kind=KIND,
            payload={
                "email": person.email,
                "subject": "roles to confirm" + (", still" if again else ""),
                "sentence": sentence,
                "path": f"/admin/recertifications/{identifiers.recertification_id(campaign.id)}",
            },
            now=now,
        )


def send_notices(stores: Stores, *, now: datetime) -> int:
    """Send the mails that are due; returns how many were taken. One that is not taken is put off and tried again."""
    if stores.mailer is None:
        return 0
    with stores.database.read() as session:
        waiting = [item.id for item in outbox.due(session, now=now, kind=KIND)]
    return sum(_send(stores, stores.mailer, item_id, now) for item_id in waiting)


def _send(stores: Stores, mailer: Mailer, item_id: int, now: datetime) -> bool:
    with stores.database.write() as session:
        item = outbox.open_item(session, item_id)
        if item is None or item.due_at > now:
            return False  # another process has it in hand
        person = people.person_by_email(session, str(item.payload["email"]))
        late = now - item.created_at > _TRIED_FOR
        if person is None or late or not people.is_active(session, person.id, now):
            outbox.done(item, now=now)
            return False
        outbox.hold(item, until=now + _WHILE_SENDING)
        to, said = person.email, dict(item.payload)
        parts = (
            f"Hello {person.name},",
            str(said["sentence"]),
            mailer.address(str(said["path"])),
            mailer.library_name,
        )
    try:
        mailer.send(to=to, subject=f"{mailer.library_name}: {said['subject']}", text="\n\n".join(parts) + "\n", now=now)
    except BusyError as error:
        with stores.database.write() as session:
            outbox.put_off(session, item_id, error=error.message, now=now)
        return False
    with stores.database.write() as session:
        outbox.mark_done(session, [item_id], now=now)
    return True
