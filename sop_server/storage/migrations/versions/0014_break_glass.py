"""One person may publish alone in an emergency, and decisions may be signed; a department says whether."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for both; what was decided before is not signed, and departments may break the glass."""
    op.add_column("department_setting", sa.Column("signature", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "department_setting", sa.Column("break_glass", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column("approval", sa.Column("signature", sa.JSON(), nullable=True))
    op.add_column("publish_intent", sa.Column("break_glass", sa.JSON(), nullable=True))
    op.create_table(
        "broken_glass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("intent_id", sa.Integer(), nullable=False),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answer_name", sa.String(), nullable=True),
        sa.Column("answer_reason", sa.String(), nullable=True),
        sa.Column("answer_signature", sa.JSON(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answer_recorded_at", UtcDateTime(), nullable=True),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_broken_glass_sop_id_sop")),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["publish_intent.id"], name=op.f("fk_broken_glass_intent_id_publish_intent")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_broken_glass_person_id_person")),
        sa.ForeignKeyConstraint(["answered_by"], ["person.id"], name=op.f("fk_broken_glass_answered_by_person")),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_broken_glass_draft_id_draft")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_glass")),
        sa.UniqueConstraint("sop_id", "revision", name=op.f("uq_broken_glass_sop_id_revision")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_broken_glass_intent_id")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("broken_glass")
    op.drop_column("publish_intent", "break_glass")
    op.drop_column("approval", "signature")
    op.drop_column("department_setting", "break_glass")
    op.drop_column("department_setting", "signature")
