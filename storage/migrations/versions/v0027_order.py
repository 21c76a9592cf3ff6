"""A message that was tried keeps its place in its channel, whichever process tried it."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the flag, and the index by which the messages ahead of another are found."""
    op.add_column("delivery", sa.Column("is_blocking", FlagType(), nullable=False, server_default=sa.false()))
    where = sa.text("state IN ('pending', 'sending', 'unsure')")
    columns = ["recipient", "id"]
    op.create_index("ix_delivery_recipient", "delivery", columns, sqlite_where=where, postgresql_where=where)
