"""Deviations from SOPs, each with its wordings."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "deviation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("follows_id", sa.Integer(), nullable=True),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_hash", sa.String(), nullable=True),
        sa.Column("decided_because", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_recorded_at", UtcDateTime(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_recorded_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_deviation_sop_id_sop")),
        sa.ForeignKeyConstraint(["follows_id"], ["deviation.id"], name=op.f("fk_deviation_follows_id_deviation")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_deviation_proposed_by_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_deviation_decided_by_person")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_deviation_ended_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation")),
    )
    op.create_index(op.f("ix_deviation_sop_id"), "deviation", ["sop_id"], unique=False)
    op.create_table(
        "deviation_wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("instead", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("control", sa.String(), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_wording_deviation_id_deviation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deviation_wording_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_wording")),
        sa.UniqueConstraint("deviation_id", "number", name=op.f("uq_deviation_wording_deviation_id_number")),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("deviation_wording")
    op.drop_index(op.f("ix_deviation_sop_id"), table_name="deviation")
    op.drop_table("deviation")
