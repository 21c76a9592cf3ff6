"""Finds unresolved incidents without reading the others, and milestones without reading timelines."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the indexes. They hold only what is unresolved, and the few entries that mark a milestone."""
    _index("ix_incident_unresolved", "incident", ["team", "number"], "status <> 'resolved'")
    _index("ix_entry_marking", "entry", ["incident_id"], "milestone IS NOT NULL")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
