"""Indexes for webhooks and sweeps: links by their id in a system, and old alerts."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("ix_link_system_external_id", "link", ["system", "external_id"])
    op.create_index("ix_alert_event_heard_at", "alert_event", ["heard_at"])
    op.create_index("ix_alert_storm_began_at", "alert_storm", ["began_at"])
