"""Finds an incident's exports without reading all deliveries: a question about one goes once it's ordered again."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the index."""
    where = sa.text("kind = 'file'")
    op.create_index("ix_delivery_export", "delivery", ["incident_id"], sqlite_where=where, postgresql_where=where)
