"""Publishing what is imported: many revisions as one move of `main`, under an approval that names the administrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sop_server.domain import identifiers
from sop_server.domain.content import content_hash
from sop_server.domain.drafts import Decision, DraftKind
from sop_server.domain.facts import ReviewOutcome, Significance
from sop_server.domain.permissions import Actor
from sop_server.errors import BusyError, SopError
from sop_server.services.imports.import_texts import MappedText
from sop_server.services.publication import publishing
from sop_server.services.stores import Stores
from sop_server.storage import audit, counters, imports, people, sops
from sop_server.storage.database import Session
from sop_server.storage.git.fast_import import blob_oid
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import Approval, ImportedFile, PublishIntent, Review, Sop

IMPORT = "import"
REVIEW_NOTE = "Imported: the source says that it was reviewed on this day."

_LONGEST_SUMMARY = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """One revision that comes in: of the source file at `path`, made by `author` at `at`.

    `source_hash` is the SHA-256 of the file as it stands in the source today.
    """

    path: str
    source_hash: str
    mapped: MappedText
    author: Identity
    summary: str
    significance: Significance
    at: datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """A source file and the SOP that it is, or will be once its first revision is published."""

    sop_id: str
    library_path: str


def register(
    session: Session, *, root: str, path: str, source_hash: str, sop_id: str | None, library_path: str, now: datetime
) -> Registered:
    """Give a source file its SOP for ever; `sop_id` is an id that the file carries and nobody else has."""
    number = None if sop_id is None else identifiers.parse_sop_id(sop_id)
    if number is None:
        number = counters.next_number(session, "sop")
    sop = Sop(id=identifiers.sop_id(number), number=number, path=library_path, created_at=now)
    session.add(sop)
    session.flush()
    session.add(ImportedFile(root=root, path=path, sop_id=sop.id, source_hash=source_hash, imported_at=now))
    session.flush()
    return Registered(sop.id, sop.path)


def publish_arrivals(
    stores: Stores,
    *,
    actor: Actor,
    root: str,
    arrivals: Sequence[tuple[Arrival, Registered]],
    own_dates: bool,
    now: datetime,
) -> None:
    """Publish revisions in the order given, as one commit each and one move of `main`.

    The caller holds the library lock and has committed the files' registration. With `own_dates` everything is
    recorded at the arrival's instant, else now. Raises BusyError where they could not be published: the same
    import, run again, goes on with them.
    """
    if not arrivals:
        return
    texts = [arrival.mapped.with_id(registered.sop_id) for arrival, registered in arrivals]
    with stores.database.write() as session:
        intents = _intents(session, arrivals, texts, actor=actor, own_dates=own_dates, now=now)
        people.ensure_departments(session, [arrival.mapped.department for arrival, _ in arrivals], now=now)
        _record_reviews(session, arrivals, intents, actor=actor, own_dates=own_dates, now=now)
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="library.imported",
            subject=root,
            details={"revisions": len(intents), "from": intents[0].sop_id, "to": intents[-1].sop_id},
        )
    contents = {intent.id: text for intent, text in zip(intents, texts, strict=True)}
    try:
        publishing.publish(stores, intents, contents=contents)
    except SopError as error:
        raise BusyError(
            f"The import stopped at {len(intents)} revisions that could not be published ({intents[0].sop_id} to "
            f"{intents[-1].sop_id}). What came in before is kept. Run `sop-server check --repair`, which says what "
            "is in the way, and then the same import again: it goes on where it stopped, and nothing comes in twice."
        ) from error


def _intents(
    session: Session,
    arrivals: Sequence[tuple[Arrival, Registered]],
    texts: Sequence[str],
    *,
    actor: Actor,
    own_dates: bool,
    now: datetime,
) -> list[PublishIntent]:
    approvals = [
        Approval(
            draft_id=None,
            kind=IMPORT,
            content_hash=content_hash(text),
            person_id=actor.person_id,
            decision=Decision.APPROVE,
            comment="",
            effective_from=None,
            decided_at=arrival.at if own_dates else now,
        )
        for (arrival, _), text in zip(arrivals, texts, strict=True)
    ]
    session.add_all(approvals)
    session.flush()
    numbers: dict[str, int] = {}
    intents = []
    for (arrival, registered), text, approval in zip(arrivals, texts, approvals, strict=True):
        number = numbers.get(registered.sop_id) or sops.next_revision_number(session, registered.sop_id)
        numbers[registered.sop_id] = number + 1
        intents.append(
            PublishIntent(
                state="pending",
                sop_id=registered.sop_id,
                revision=number,
                draft_id=None,
                kind=DraftKind.EDIT,
                significance=arrival.significance,
                path=registered.library_path,
                content_hash=approval.content_hash,
                blob_oid=blob_oid(text.encode()),
                base_revision=number - 1 or None,
                reverts=None,
                change_summary=arrival.summary,
                author_name=arrival.author.name,
                author_email=arrival.author.email,
                authors=[arrival.author.email],
                approvals=[
                    {
                        "id": approval.id,
                        "email": actor.email,
                        "name": f"import by {actor.name}",
                        "at": approval.decided_at.isoformat(),
                    }
                ],
                tickets=[],
                authored_at=arrival.at,
                approved_at=approval.decided_at,
                effective_from=arrival.at,
                created_at=approval.decided_at,
            )
        )
    session.add_all(intents)
    session.flush()
    return intents


def _record_reviews(
    session: Session,
    arrivals: Sequence[tuple[Arrival, Registered]],
    intents: Sequence[PublishIntent],
    *,
    actor: Actor,
    own_dates: bool,
    now: datetime,
) -> None:
    known = imports.reviews(session, {intent.sop_id for intent in intents}, note=REVIEW_NOTE)
    for (arrival, _), intent in zip(arrivals, intents, strict=True):
        reviewed = review_instant(arrival.mapped.last_review, now=now)
        if reviewed is None or (intent.sop_id, reviewed) in known:
            continue
        known.add((intent.sop_id, reviewed))
        session.add(
            Review(
                sop_id=intent.sop_id,
                revision=intent.revision,
                outcome=ReviewOutcome.CONFIRMED,
                note=REVIEW_NOTE,
                person_id=actor.person_id,
                bulk=True,
                happened_at=reviewed,
                recorded_at=max(arrival.at, reviewed) if own_dates else now,
            )
        )


def review_instant(day: date | None, *, now: datetime) -> datetime | None:
    """Return the instant for which a day of review stands: its beginning in UTC; None for one that is to come."""
    if day is None:
        return None
    instant = datetime.combine(day, time(), UTC)
    return instant if instant <= now else None


def clean_subject(text: str, *, otherwise: str) -> str:
    """Return one line that can stand as a change summary."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return words[:_LONGEST_SUMMARY] or otherwise
