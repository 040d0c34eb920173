"""Browsers are known by where they came from and what they are, and people may have a second factor."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for address and browser, of those signed in before neither is known; and for second factors."""
    op.add_column("web_session", sa.Column("address", sa.String(), server_default="", nullable=False))
    op.add_column("web_session", sa.Column("browser", sa.String(), server_default="", nullable=False))
    op.add_column("web_session", sa.Column("waits_for", sa.String(), nullable=True))
    op.create_table(
        "totp_key",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_key", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_totp_key_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_totp_key")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"], unique=False)


def downgrade() -> None:
    """Take it away: a browser that waits for a code must not be signed in without one."""
    op.execute(sa.text("DELETE FROM web_session WHERE waits_for IS NOT NULL"))
    op.drop_index(op.f("ix_recovery_code_person_id"), table_name="recovery_code")
    op.drop_table("recovery_code")
    op.drop_table("totp_key")
    op.drop_column("web_session", "waits_for")
    op.drop_column("web_session", "browser")
    op.drop_column("web_session", "address")
