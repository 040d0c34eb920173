"""The audit chain names people by keys that can be forgotten."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the keys; each person gets theirs with their next event, and older events stay as they are."""
    op.create_table(
        "person_key",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_key_person_id_person")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_person_key")),
        sa.UniqueConstraint("person_id", name=op.f("uq_person_key_person_id")),
    )


def downgrade() -> None:
    """Take the keys away: who is behind the events that were told by them is lost."""
    op.drop_table("person_key")
