"""Home tabs: when each was opened, and what it shows."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table. A tab that is open already is refreshed from the next time it is opened."""
    op.create_table(
        "tab",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("owes", sa.Text(), nullable=False),
        sa.Column("actions_from", sa.Integer(), nullable=False),
        sa.Column("postmortems_from", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("team", "person", name="pk_tab"),
        sqlite_strict=True,
    )
    op.create_index("ix_tab_opened_at", "tab", ["team", "opened_at"])
