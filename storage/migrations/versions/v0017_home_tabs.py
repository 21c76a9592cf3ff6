"""Indexes for the Home tab: a person's unfinished postmortems, and whether they ever recorded an entry."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

WANTED = sa.text("status = 'resolved' AND postmortem_status IN ('open', 'in_review')")


def upgrade() -> None:
    """Add the indexes."""
    op.create_index(
        "ix_incident_postmortem_wanted",
        "incident",
        ["team", "postmortem_owner"],
        sqlite_where=WANTED,
        postgresql_where=WANTED,
    )
    op.create_index("ix_entry_recorder", "entry", ["recorder"])
