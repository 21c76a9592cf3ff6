"""Sync rows, and people's accounts in other systems."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("team", "system", "subject")),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("external_id", "url", "status", "memo", "state")),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("is_unsure", FlagType(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("is_told", FlagType(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_link_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
        sa.UniqueConstraint("team", "system", "subject", name="uq_link_team_system_subject"),
        sqlite_strict=True,
    )
    op.create_table(
        "account",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("team", "system", "user", "account", "chosen_by")),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("team", "system", "user", name="pk_account"),
        sqlite_strict=True,
    )
    owed = sa.text("state IN ('owed', 'calling')")
    op.create_index("ix_link_due", "link", ["due_at"], sqlite_where=owed, postgresql_where=owed)
    op.create_index("ix_link_incident_id", "link", ["incident_id"])
