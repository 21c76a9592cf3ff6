"""When what was due was last settled, so that a clock that is a year ahead is noticed before it settles a year."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the table. Its only row comes with the first sweep."""
    op.create_table(
        "sweep",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("swept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweep"),
        sqlite_strict=True,
    )
