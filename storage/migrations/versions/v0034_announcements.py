"""Adds the posts that tell people outside of an incident, and its updates with their promises."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import STRICT, FlagType, UtcDateTime

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Create both tables. What happened before is not announced."""
    op.create_table(
        "announcement",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Integer(), sa.ForeignKey("incident.id"), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("old_ts", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("is_owed", FlagType(), nullable=False),
        sa.Column("edited_at", UtcDateTime(), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("incident_id", "recipient", name="uq_announcement_incident_id_recipient"),
        **STRICT,
    )
    op.create_index("ix_announcement_checked_at", "announcement", ["checked_at"])
    op.create_table(
        "incident_update",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), sa.ForeignKey("incident.id"), nullable=False),
        sa.Column("entry_id", sa.Integer(), sa.ForeignKey("entry.id"), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("pace", sa.Integer(), nullable=False),
        sa.Column("quiet_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("entry_id", name="uq_incident_update_entry_id"),
        **STRICT,
    )
    op.create_index("ix_incident_update_incident_id", "incident_update", ["incident_id"])
    where = sa.text("postmortem_status = 'published'")
    columns = ["team", "published_at"]
    op.create_index("ix_incident_postmortem_published", "incident", columns, sqlite_where=where, postgresql_where=where)
