"""What kind of action it is, and whether a finished one held."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add both; of the actions that stand nothing is known yet."""
    op.add_column("action", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("action", sa.Column("held", sa.Text(), nullable=False, server_default=""))
