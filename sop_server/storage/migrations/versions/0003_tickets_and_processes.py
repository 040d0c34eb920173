"""Business changes, what they oblige to, and the process register."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_ticket_source_key")),
    )
    op.create_table(
        "ticket_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=True),
        sa.Column("planned_end", UtcDateTime(), nullable=True),
        sa.Column("actual_end", UtcDateTime(), nullable=True),
        sa.Column("announced_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("systems", sa.JSON(), nullable=False),
        sa.Column("processes", sa.JSON(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["recorded_by"], ["person.id"], name=op.f("fk_ticket_version_recorded_by_person")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_version_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_version")),
    )
    op.create_index("ix_ticket_version_ticket", "ticket_version", ["ticket_id", "recorded_at"], unique=False)
    op.create_table(
        "go_live_confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("t0", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_go_live_confirmation_person_id_person")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_go_live_confirmation_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_go_live_confirmation")),
    )
    op.create_index(op.f("ix_go_live_confirmation_ticket_id"), "go_live_confirmation", ["ticket_id"], unique=False)
    op.create_table(
        "draft_ticket",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_draft_ticket_draft_id_draft")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_draft_ticket_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("draft_id", "ticket_id", name=op.f("pk_draft_ticket")),
    )
    op.create_index("ix_draft_ticket_ticket", "draft_ticket", ["ticket_id"], unique=False)
    op.create_table(
        "revision_ticket",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_revision_ticket_revision_id_revision"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_revision_ticket_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("revision_id", "ticket_id", name=op.f("pk_revision_ticket")),
    )
    op.create_index("ix_revision_ticket_ticket", "revision_ticket", ["ticket_id"], unique=False)
    op.create_table(
        "obligation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("sop_id", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("window_hours", sa.Double(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("uncounted_from", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["sop_id"], ["sop.id"], name=op.f("fk_obligation_sop_id_sop")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_obligation_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("ticket_id", "sop_id", name=op.f("uq_obligation_ticket_id_sop_id")),
    )
    op.create_index("ix_obligation_sop", "obligation", ["sop_id"], unique=False)
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
        sa.UniqueConstraint("obligation_id", name=op.f("uq_not_needed_obligation_id")),
    )
    op.create_table(
        "process",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process")),
        sa.UniqueConstraint("number", name=op.f("uq_process_number")),
    )
    op.create_table(
        "process_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("process_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("criticality", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("deputy", sa.String(), nullable=True),
        sa.Column("systems", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["process_id"], ["process.id"], name=op.f("fk_process_version_process_id_process")),
        sa.ForeignKeyConstraint(["recorded_by"], ["person.id"], name=op.f("fk_process_version_recorded_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_version")),
    )
    op.create_index("ix_process_version_process", "process_version", ["process_id", "recorded_at"], unique=False)


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_process_version_process", table_name="process_version")
    op.drop_table("process_version")
    op.drop_table("process")
    op.drop_table("not_needed")
    op.drop_index("ix_obligation_sop", table_name="obligation")
    op.drop_table("obligation")
    op.drop_index("ix_revision_ticket_ticket", table_name="revision_ticket")
    op.drop_table("revision_ticket")
    op.drop_index("ix_draft_ticket_ticket", table_name="draft_ticket")
    op.drop_table("draft_ticket")
    op.drop_index(op.f("ix_go_live_confirmation_ticket_id"), table_name="go_live_confirmation")
    op.drop_table("go_live_confirmation")
    op.drop_index("ix_ticket_version_ticket", table_name="ticket_version")
    op.drop_table("ticket_version")
    op.drop_table("ticket")
