"""The policy that an incident keeps from its resolution on."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the column, null for the incidents so far: they are asked for as the settings say."""
    op.add_column("incident", sa.Column("policy", sa.Text(), nullable=True))
