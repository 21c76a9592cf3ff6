"""Which channels are public, who signed in to the library, and what may be used only once."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Create the tables. Without a row a channel counts as private, so nothing is filled in."""
    op.create_table(
        "channel",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("is_private", FlagType(), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("team", "id", name="pk_channel"),
        sqlite_strict=True,
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_at", "sign_in", ["at"])
    op.create_table(
        "spent_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_spent_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_spent_key_expires_at", "spent_key", ["expires_at"])
