"""Adds people who recorded before Slack said who they are."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import STRICT, UtcDateTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the table. Whoever recorded earlier gets no mark: nothing says what was known of them then."""
    op.create_table(
        "newcomer",
        sa.Column("incident_id", sa.Integer(), sa.ForeignKey("incident.id"), primary_key=True),
        sa.Column("person", sa.Text(), primary_key=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("membership", sa.Text(), nullable=False),
        **STRICT,
    )
