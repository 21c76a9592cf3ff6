"""Alerts in any order: what events are sorted by, what their entries say, and ends that arrive before their start."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0014"
down_revision = "0013"

LONG_AGO = "1970-01-01T00:00:00.000000+00:00"


def upgrade() -> None:
    """Add the columns, fill them in as far as they are known, and add the table."""
    for name in ("severity", "service", "link"):
        op.add_column("alert_event", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("alert_event", sa.Column("starts_at", UtcDateTime(), nullable=False, server_default=LONG_AGO))
    op.add_column("alert_event", sa.Column("is_implied", FlagType(), nullable=False, server_default=sa.text(_false())))
    op.execute("UPDATE alert_event SET starts_at = at")
    op.create_index("ix_alert_event_alert_id_at", "alert_event", ["alert_id", "at"])
    op.create_table(
        "alert_end",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("team", "source", "group_key", "key", "fingerprint"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        *_texts("title", "told_by", "severity", "service", "link"),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_end"),
        sa.UniqueConstraint("team", "key", name="uq_alert_end_team_key"),
        sqlite_strict=True,
    )
    columns = ["team", "source", "group_key", "fingerprint"]
    op.create_index("ix_alert_end_team_source_group_key_fingerprint", "alert_end", columns)
    op.create_index("ix_alert_end_heard_at", "alert_end", ["heard_at"])


def _false() -> str:
    return "0" if op.get_bind().dialect.name == "sqlite" else "false"


def _texts(*names: str) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)
