"""Every incident keeps which sections its postmortem has, in which order."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; null for the 14 sections, which every incident had until now."""
    op.add_column("incident", sa.Column("outline", sa.Text(), nullable=True))
