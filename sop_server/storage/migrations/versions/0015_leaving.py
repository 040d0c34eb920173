"""Somebody who leaves hands over what they hold in one step."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for departures, for who stands in until the SOPs say so, and for what is left without anybody."""
    op.create_table(
        "departure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_departure_person_id_person")),
        sa.ForeignKeyConstraint(["started_by"], ["person.id"], name=op.f("fk_departure_started_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
    )
    op.create_index(op.f("ix_departure_person_id"), "departure", ["person_id"], unique=False)
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_recorded_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["departure_id"], ["departure.id"], name=op.f("fk_hand_over_departure_id_departure")),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_hand_over_draft_id_draft")),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_hand_over_sop_id_sop")),
        sa.ForeignKeyConstraint(["successor_id"], ["person.id"], name=op.f("fk_hand_over_successor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("departure_id", "sop_id", name=op.f("uq_hand_over_departure_id_sop_id")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_hand_over_draft_id")),
    )
    op.create_index("ix_hand_over_sop", "hand_over", ["sop_id"], unique=False)
    op.create_index("ix_hand_over_successor", "hand_over", ["successor_id"], unique=False)
    op.create_table(
        "draft_keeper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("keeper_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["departure_id"], ["departure.id"], name=op.f("fk_draft_keeper_departure_id_departure")
        ),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_draft_keeper_draft_id_draft")),
        sa.ForeignKeyConstraint(["keeper_id"], ["person.id"], name=op.f("fk_draft_keeper_keeper_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_keeper")),
    )
    op.create_index(op.f("ix_draft_keeper_draft_id"), "draft_keeper", ["draft_id"], unique=False)
    op.create_table(
        "departure_gap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["departure_id"], ["departure.id"], name=op.f("fk_departure_gap_departure_id_departure")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure_gap")),
    )


def downgrade() -> None:
    """Take it away: nobody stands in for who left any more."""
    for table in ("departure_gap", "draft_keeper", "hand_over", "departure"):
        op.drop_table(table)
