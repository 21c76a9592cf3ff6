"""Finds the latest prompt in the thread of an incident's whys without reading all deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the index. It holds prompts only; earlier messages in the thread are none."""
    where = sa.text("kind = 'prompt'")
    op.create_index("ix_delivery_prompt", "delivery", ["incident_id"], sqlite_where=where, postgresql_where=where)
