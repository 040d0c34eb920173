"""What people do with SOPs in force."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "pin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pin_person_id_person")),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_pin_sop_id_sop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin")),
        sa.UniqueConstraint("person_id", "sop_id", name=op.f("uq_pin_person_id_sop_id")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_review_person_id_person")),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_review_sop_id_sop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_sop_id"), "review", ["sop_id"], unique=False)
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acknowledgement_person_id_person")),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_acknowledgement_sop_id_sop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
        sa.UniqueConstraint(
            "sop_id", "revision", "person_id", name=op.f("uq_acknowledgement_sop_id_revision_person_id")
        ),
    )
    op.create_index("ix_acknowledgement_person", "acknowledgement", ["person_id", "sop_id"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("case_reference", sa.String(), nullable=False),
        sa.Column("what_happened", sa.String(), nullable=False),
        sa.Column("what_was_done", sa.String(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("triage_outcome", sa.String(), nullable=True),
        sa.Column("triage_reason", sa.String(), nullable=True),
        sa.Column("triaged_by", sa.Integer(), nullable=True),
        sa.Column("triaged_at", UtcDateTime(), nullable=True),
        sa.Column("triage_recorded_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name=op.f("fk_feedback_reporter_id_person")),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_feedback_sop_id_sop")),
        sa.ForeignKeyConstraint(["triaged_by"], ["person.id"], name=op.f("fk_feedback_triaged_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_sop_triaged", "feedback", ["sop_id", "triaged_at"], unique=False)
    op.create_table(
        "missed_search",
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("words", name=op.f("pk_missed_search")),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("missed_search")
    op.drop_index("ix_feedback_sop_triaged", table_name="feedback")
    op.drop_table("feedback")
    op.drop_index("ix_acknowledgement_person", table_name="acknowledgement")
    op.drop_table("acknowledgement")
    op.drop_index(op.f("ix_review_sop_id"), table_name="review")
    op.drop_table("review")
    op.drop_table("pin")
