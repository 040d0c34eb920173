"""The audit trail only grows: the database itself refuses to change or remove an event."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WORDS = "the audit trail is append-only"

# `INSERT OR REPLACE` removes the row in its way without telling the trigger of DELETE.
_SQLITE = tuple(
    f"CREATE TRIGGER audit_event_no_{name} BEFORE {moment} BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
    for name, moment in (
        ("update", "UPDATE ON audit_event"),
        ("delete", "DELETE ON audit_event"),
        (
            "replace",
            "INSERT ON audit_event WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR hash = NEW.hash)",
        ),
    )
)
_REFUSE = "EXECUTE FUNCTION audit_event_refuse()"
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$""",
    f"CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW {_REFUSE}",
    f"CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event FOR EACH STATEMENT {_REFUSE}",
)


def upgrade() -> None:
    """Guard the table; and find quickly what one person did, for who looks and for who counts denials."""
    op.create_index("ix_audit_event_actor", "audit_event", ["actor", "at"], unique=False)
    for statement in _SQLITE if _is_sqlite() else _POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Take the guard away."""
    if _is_sqlite():
        for name in ("update", "delete", "replace"):
            op.execute(sa.text(f"DROP TRIGGER audit_event_no_{name}"))
    else:
        for name in ("change", "truncate"):
            op.execute(sa.text(f"DROP TRIGGER audit_event_no_{name} ON audit_event"))
        op.execute(sa.text("DROP FUNCTION audit_event_refuse()"))
    op.drop_index("ix_audit_event_actor", table_name="audit_event")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
