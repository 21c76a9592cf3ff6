"""A row that health checks write, so that readiness is known from a real write."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the table. Its only row comes with the first probe."""
    op.create_table(
        "probe",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("probed_at", UtcDateTime(), nullable=False),
        sa.Column("filler", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_probe"),
        sqlite_strict=True,
    )
