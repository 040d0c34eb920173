"""Campaigns in which every role is confirmed or removed."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for campaigns, the roles in them, and who was asked."""
    op.create_table(
        "recertification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("period", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_recertification_opened_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recertification")),
        sa.UniqueConstraint("period", name=op.f("uq_recertification_period")),
    )
    op.create_table(
        "recertification_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recertification_id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("granted_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recertification_id"],
            ["recertification.id"],
            name=op.f("fk_recertification_item_recertification_id_recertification"),
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["role_grant.id"], name=op.f("fk_recertification_item_grant_id_role_grant")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recertification_item_person_id_person")),
        sa.ForeignKeyConstraint(["granted_by"], ["person.id"], name=op.f("fk_recertification_item_granted_by_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_recertification_item_decided_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recertification_item")),
        sa.UniqueConstraint(
            "recertification_id", "grant_id", name=op.f("uq_recertification_item_recertification_id_grant_id")
        ),
    )
    op.create_index("ix_recertification_item_open", "recertification_item", ["grant_id", "outcome"], unique=False)
    op.create_table(
        "recertification_asked",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recertification_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recertification_id"],
            ["recertification.id"],
            name=op.f("fk_recertification_asked_recertification_id_recertification"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recertification_asked_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recertification_asked")),
    )
    op.create_index(
        op.f("ix_recertification_asked_recertification_id"),
        "recertification_asked",
        ["recertification_id"],
        unique=False,
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index(op.f("ix_recertification_asked_recertification_id"), table_name="recertification_asked")
    op.drop_table("recertification_asked")
    op.drop_index("ix_recertification_item_open", table_name="recertification_item")
    op.drop_table("recertification_item")
    op.drop_table("recertification")
