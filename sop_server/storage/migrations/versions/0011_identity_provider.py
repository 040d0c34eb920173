"""People come in through an identity provider: who is whom there, and what its groups gave."""

import sqlalchemy as sa
from alembic import op

from sop_server.storage.tables.base import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make room for it; who was signed in before came by a password or a link."""
    op.add_column("web_session", sa.Column("came_by", sa.String(), nullable=True))
    op.add_column("web_session", sa.Column("sealed_hint", sa.String(), nullable=True))
    op.create_table(
        "provider_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("linked_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_provider_link_person_id_person")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_provider_link_ended_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_link")),
    )
    op.create_index(op.f("ix_provider_link_person_id"), "provider_link", ["person_id"], unique=False)
    for name, column in (("uq_provider_link_subject", "subject"), ("uq_provider_link_person", "person_id")):
        op.create_index(
            name, "provider_link", ["issuer", column], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    for table, key, of in (
        ("provided_role", "role_grant_id", "role_grant"),
        ("provided_membership", "membership_id", "membership"),
    ):
        op.create_table(
            table,
            sa.Column(key, sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("issuer", sa.String(), nullable=False),
            sa.Column("closed_at", UtcDateTime(), nullable=True),
            sa.ForeignKeyConstraint([key], [f"{of}.id"], name=op.f(f"fk_{table}_{key}_{of}")),
            sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        )


def downgrade() -> None:
    """Take it away; the roles and teams stay, as if they had been given by hand."""
    op.drop_table("provided_membership")
    op.drop_table("provided_role")
    op.drop_index("uq_provider_link_person", table_name="provider_link")
    op.drop_index("uq_provider_link_subject", table_name="provider_link")
    op.drop_index(op.f("ix_provider_link_person_id"), table_name="provider_link")
    op.drop_table("provider_link")
    op.drop_column("web_session", "sealed_hint")
    op.drop_column("web_session", "came_by")
