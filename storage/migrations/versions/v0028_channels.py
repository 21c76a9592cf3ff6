"""Which channels are private, so that a list of incidents can leave out those that its reader may not see."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the table. It begins empty: a channel that is not in it counts as private."""
    op.create_table(
        "channel",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("is_private", FlagType(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("team", "id", name="pk_channel"),
        sqlite_strict=True,
    )
