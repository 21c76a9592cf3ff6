"""Alerts: groups, events and storms."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "alert_storm",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("team", "channel", "ts"),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("is_owed", FlagType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_storm"),
        sqlite_strict=True,
    )
    op.create_index("ix_alert_storm_team_began_at", "alert_storm", ["team", "began_at"])
    _groups()
    _events()


def _groups() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("team", "source", "group_key"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        *_texts("title", "severity", "service", "link", "status"),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        *_texts("acknowledged_by"),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        *_texts("stand", "settled_by"),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("storm_id", sa.Integer(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        *_texts("channel", "ts"),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("calmed_at", UtcDateTime(), nullable=True),
        sa.Column("is_owed", FlagType(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_alert_incident_id_incident"),
        sa.ForeignKeyConstraint(["storm_id"], ["alert_storm.id"], name="fk_alert_storm_id_alert_storm"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint(
            "team", "source", "group_key", "starts_at", name="uq_alert_team_source_group_key_starts_at"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_alert_team_heard_at", "alert", ["team", "heard_at"])
    op.create_index("ix_alert_incident_id", "alert", ["incident_id"])
    op.create_index("ix_alert_storm_id", "alert", ["storm_id"])


def _events() -> None:
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("team", "key"),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        *_texts("fingerprint", "status"),
        sa.Column("at", UtcDateTime(), nullable=False),
        *_texts("title", "told_by"),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_event_alert_id_alert"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
        sa.UniqueConstraint("team", "key", name="uq_alert_event_team_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_alert_event_alert_id_fingerprint_at", "alert_event", ["alert_id", "fingerprint", "at"])


def _texts(*names: str) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)
