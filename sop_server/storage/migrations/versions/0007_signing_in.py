"""A signed-in browser is known by where it came from and what it is."""

import sqlalchemy as sa
from alembic import op

revision = "0007_signing_in"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for address and browser; of those signed in before neither is known."""
    op.add_column("web_session", sa.Column("address", sa.String(), server_default="", nullable=False))
    op.add_column("web_session", sa.Column("browser", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("web_session", "browser")
    op.drop_column("web_session", "address")
