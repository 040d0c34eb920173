"""When somebody last came in through the provider: what its groups gave lapses where they stay away."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; of those linked before it counts from the link on."""
    op.add_column("provider_link", sa.Column("signed_in_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("provider_link", "signed_in_at")
