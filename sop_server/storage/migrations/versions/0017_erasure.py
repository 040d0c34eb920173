"""People may be erased, and what reports say does not change by it."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for when somebody was erased, and for when the addresses that revisions name were active."""
    op.add_column("person", sa.Column("erased_at", UtcDateTime(), nullable=True))
    op.create_table(
        "former_owner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_owner")),
    )
    op.create_index(op.f("ix_former_owner_address"), "former_owner", ["address"], unique=False)


def downgrade() -> None:
    """Take it away; nobody who was erased comes back by it."""
    op.drop_index(op.f("ix_former_owner_address"), table_name="former_owner")
    op.drop_table("former_owner")
    op.drop_column("person", "erased_at")
