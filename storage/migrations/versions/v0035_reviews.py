"""The reviews of postmortems, and the people who were asked."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("is_cancelled", FlagType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("incident_id", name="uq_review_incident_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_review_incident_id_incident"),
        sqlite_strict=True,
    )
    op.create_table(
        "reviewer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("is_waiting", FlagType(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reviewer"),
        sa.UniqueConstraint("incident_id", "user", name="uq_reviewer_incident_id_user"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_reviewer_incident_id_incident"),
        sqlite_strict=True,
    )
    where = sa.text("is_waiting")
    op.create_index("ix_reviewer_waiting", "reviewer", ["user"], sqlite_where=where, postgresql_where=where)
