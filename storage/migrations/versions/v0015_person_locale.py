"""The language in which somebody uses Slack: the words of their times are read in it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column; who is known already is asked about at the next start, with the list of everybody."""
    op.add_column("person", sa.Column("locale", sa.Text(), nullable=False, server_default=""))
