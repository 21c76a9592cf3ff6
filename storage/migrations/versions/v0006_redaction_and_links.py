"""Redaction of saved sections; several actions for a why, and several whys for an action."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Allow that one change of a section; replace the column `why.action` by a table of links."""
    _allow_redaction()
    op.create_table(
        "why_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("why_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["why_id"], ["why.id"], name="fk_why_action_why_id_why"),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_why_action_action_id_action"),
        sa.PrimaryKeyConstraint("id", name="pk_why_action"),
        sa.UniqueConstraint("why_id", "action_id", name="uq_why_action_why_id_action_id"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO why_action (why_id, action_id) SELECT why.id, action.id FROM why "
        "JOIN action ON action.incident_id = why.incident_id AND action.number = why.action"
    )
    op.drop_column("why", "action")


# A redaction puts "[redacted]" into the text and changes nothing else.
_SAME = " AND ".join(
    f"NEW.{column} = OLD.{column}" for column in ("id", "incident_id", "section", "author", "saved_at", "version")
)


def _allow_redaction() -> None:
    refusal = "section is append-only"
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER section_no_update")
        op.execute(
            "CREATE TRIGGER section_no_update BEFORE UPDATE ON section "
            f"WHEN NOT (instr(NEW.text, '[redacted]') > 0 AND {_SAME}) "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION section_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND position('[redacted]' in NEW.text) > 0 AND {_SAME} THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$"
    )
