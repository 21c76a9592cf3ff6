"""Services and tags of incidents."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Create the table. `folded` is compared by its characters on both databases, whatever their language."""
    folded = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "facet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", folded, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_facet"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_facet_incident_id_incident"),
        sa.UniqueConstraint("incident_id", "kind", "folded", name="uq_facet_incident_id_kind_folded"),
        sqlite_strict=True,
    )
    op.create_index("ix_facet_name", "facet", ["team", "kind", "folded", "incident_id"])
