"""Finds what was resolved in a period without reading what was before."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_incident_resolved", "incident", ["team", "resolved_at"])
