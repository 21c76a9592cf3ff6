"""Finds the messages about an incident without reading all deliveries, to take away buttons that are outdated."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the index. It holds finished messages only; all others are composed when they are sent."""
    where = sa.text("kind IN ('message', 'notice')")
    op.create_index("ix_delivery_message", "delivery", ["incident_id"], sqlite_where=where, postgresql_where=where)
