"""Who holds the lease of a file to fetch and of a history scan, as in the other queues."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns. Rows that are leased keep their end of lease, and are claimed again after it."""
    for table in ("attachment", "lookback"):
        op.add_column(table, sa.Column("lease_owner", sa.Text(), nullable=False, server_default=""))
