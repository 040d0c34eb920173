"""The guard of the audit trail: the triggers by which the database refuses to change, remove or replace an event.

Who may alter the database may take them away. The chain tells then what was changed, and this that somebody could.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

_WORDS = "the audit trail is append-only"
_SQLITE: Mapping[str, str] = {
    f"audit_event_no_{name}": (
        f"CREATE TRIGGER audit_event_no_{name} BEFORE {moment} BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
    )
    for name, moment in (
        ("update", "UPDATE ON audit_event"),
        ("delete", "DELETE ON audit_event"),
        # `INSERT OR REPLACE` removes the row in its way without telling the trigger of DELETE.
        (
            "replace",
            "INSERT ON audit_event WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR hash = NEW.hash)",
        ),
    )
}
_BODY = f" BEGIN RAISE EXCEPTION '{_WORDS}'; END "
_FUNCTION = f"CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
_REFUSE = "EXECUTE FUNCTION audit_event_refuse()"
_POSTGRESQL: Mapping[str, tuple[str, int]] = {
    "audit_event_no_change": (f"BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW {_REFUSE}", 1 + 2 + 8 + 16),
    "audit_event_no_truncate": (f"BEFORE TRUNCATE ON audit_event FOR EACH STATEMENT {_REFUSE}", 2 + 32),
}
"""Each trigger with the bits by which `pg_trigger.tgtype` says when it fires: row, before, delete, update, truncate."""

_SQLITE_HELD = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'")
# Enabled for the sessions of people ("O") or for all ("A"), without a condition, and running the function that refuses.
_POSTGRESQL_HELD = text(
    "SELECT tgname, tgtype FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
    "WHERE tgrelid = 'audit_event'::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgqual IS NULL "
    "AND proname = 'audit_event_refuse' AND prosrc = :body"
)


def missing(session: Session) -> tuple[str, ...]:
    """Return the names of the triggers that are gone, switched off, or not what they were."""
    if _is_sqlite(session):
        held: dict[str, str] = dict(session.execute(_SQLITE_HELD).all())
        return tuple(name for name, wanted in _SQLITE.items() if held.get(name) != wanted)
    kinds: dict[str, int] = dict(session.execute(_POSTGRESQL_HELD, {"body": _BODY}).all())
    return tuple(name for name, (_, kind) in _POSTGRESQL.items() if kinds.get(name) != kind)


def put_back(session: Session, names: tuple[str, ...]) -> None:
    """Make triggers anew, within the caller's transaction."""
    if not names:
        return
    sqlite = _is_sqlite(session)
    if not sqlite:
        session.execute(text(_FUNCTION))
    for name in names:
        if sqlite:
            session.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            session.execute(text(_SQLITE[name]))
        else:
            session.execute(text(f"DROP TRIGGER IF EXISTS {name} ON audit_event"))
            session.execute(text(f"CREATE TRIGGER {name} {_POSTGRESQL[name][0]}"))


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
