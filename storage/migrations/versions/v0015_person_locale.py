"""The language of a person's Slack, in which the words of their times are read."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column, empty for known people until the next start, when all people are read again."""
    op.add_column("person", sa.Column("locale", sa.Text(), nullable=False, server_default=""))
