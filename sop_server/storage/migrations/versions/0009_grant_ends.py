"""Roles may end by themselves, for a reason, and each word about an end is kept."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room; roles that were ended before ended when it was said, and need no telling."""
    op.add_column("role_grant", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("role_grant", sa.Column("expiry_told_at", UtcDateTime(), nullable=True))
    op.create_table(
        "grant_end",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["role_grant.id"], name=op.f("fk_grant_end_grant_id_role_grant")),
        sa.ForeignKeyConstraint(["recorded_by"], ["person.id"], name=op.f("fk_grant_end_recorded_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_end")),
    )
    op.create_index(op.f("ix_grant_end_grant_id"), "grant_end", ["grant_id"], unique=False)


def downgrade() -> None:
    """Take it away."""
    op.drop_index(op.f("ix_grant_end_grant_id"), table_name="grant_end")
    op.drop_table("grant_end")
    op.drop_column("role_grant", "expiry_told_at")
    op.drop_column("role_grant", "reason")
