"""The library lists incidents by when they were opened, whatever they are filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add the indexes that lists go along, and the one by which an incident's overdue actions are found."""
    op.create_index("ix_incident_opened", "incident", ["team", "opened_at", "id"])
    op.create_index("ix_incident_severity_opened", "incident", ["team", "severity", "opened_at", "id"])
    op.create_index("ix_incident_owner_opened", "incident", ["team", "postmortem_owner", "opened_at", "id"])
    op.create_index("ix_incident_postmortem_opened", "incident", ["team", "postmortem_status", "opened_at", "id"])
    where = sa.text("status = 'open'")
    columns = ["incident_id", "overdue_at"]
    op.create_index("ix_action_open", "action", columns, sqlite_where=where, postgresql_where=where)
