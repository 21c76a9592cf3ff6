"""The kind of an action, and whether a finished one was effective."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add both columns, empty for existing actions."""
    op.add_column("action", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("action", sa.Column("held", sa.Text(), nullable=False, server_default=""))
