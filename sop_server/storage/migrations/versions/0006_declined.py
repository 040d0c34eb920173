"""A proposal that nothing is needed may be declined, and made again: several of one obligation, one that stands."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STANDING = "declined_at IS NULL"
_ROWS = sa.table(
    "not_needed",
    sa.column("version", sa.Integer()),
    sa.column("obligation_id", sa.Integer()),
    sa.column("reason", sa.String()),
    sa.column("proposed_by", sa.Integer()),
    sa.column("proposed_at", UtcDateTime()),
    sa.column("confirmed_by", sa.Integer()),
    sa.column("confirmed_at", UtcDateTime()),
)


def upgrade() -> None:
    """Make room for who declined it, when and why."""
    _make_anew(
        sa.Column("declined_by", sa.Integer(), nullable=True),
        sa.Column("declined_at", UtcDateTime(), nullable=True),
        sa.Column("declined_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["declined_by"], ["person.id"], name=op.f("fk_not_needed_declined_by_person")),
    )
    op.create_index(op.f("ix_not_needed_obligation_id"), "not_needed", ["obligation_id"], unique=False)
    op.create_index(
        "uq_not_needed_standing",
        "not_needed",
        ["obligation_id"],
        unique=True,
        sqlite_where=sa.text(_STANDING),
        postgresql_where=sa.text(_STANDING),
    )


def downgrade() -> None:
    """Take it away: what was declined had no place before, and would stand as if nobody had."""
    op.execute(sa.text("DELETE FROM not_needed WHERE declined_at IS NOT NULL"))
    _make_anew(sa.UniqueConstraint("obligation_id", name=op.f("uq_not_needed_obligation_id")))


def _make_anew(*more: sa.schema.SchemaItem) -> None:
    """Make the table again with its rows, in their order: few there are, and nothing refers to them.

    SQLite takes no constraint away from a table, and what Alembic does instead orders the constraints as it happens.
    """
    rows = op.get_bind().execute(_ROWS.select().order_by(sa.column("id"))).mappings().all()
    op.drop_table("not_needed")
    op.create_table(
        "not_needed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("obligation_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"], name=op.f("fk_not_needed_confirmed_by_person")),
        sa.ForeignKeyConstraint(
            ["obligation_id"], ["obligation.id"], name=op.f("fk_not_needed_obligation_id_obligation")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_not_needed_proposed_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_needed")),
        *more,
    )
    if rows:
        op.bulk_insert(_ROWS, [dict(row) for row in rows])
