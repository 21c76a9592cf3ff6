"""Versions of whys, the thread of the whys, and the action that was made from one."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the history of whys. Existing ones begin theirs with their present text."""
    op.add_column("incident", sa.Column("why_ts", sa.Text(), nullable=False, server_default=""))
    op.add_column("why", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("why", sa.Column("action", sa.Integer(), nullable=True))
    op.create_table(
        "why_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("why_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["why_id"], ["why.id"], name="fk_why_version_why_id_why"),
        sa.PrimaryKeyConstraint("id", name="pk_why_version"),
        sa.UniqueConstraint("why_id", "version", name="uq_why_version_why_id_version"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO why_version (why_id, version, change, text, changed_by, changed_at) "
        "SELECT id, 1, 'added', text, author, recorded_at FROM why"
    )
    _append_only()


# A redaction puts "[redacted]" into the text and changes nothing else.
_SAME = " AND ".join(
    f"NEW.{column} = OLD.{column}" for column in ("id", "why_id", "version", "change", "changed_by", "changed_at")
)


def _append_only() -> None:
    refusal = "why_version is append-only"
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER why_version_no_update BEFORE UPDATE ON why_version "
            f"WHEN NOT (instr(NEW.text, '[redacted]') > 0 AND {_SAME}) BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        op.execute(
            "CREATE TRIGGER why_version_no_delete BEFORE DELETE ON why_version "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION why_version_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND position('[redacted]' in NEW.text) > 0 AND {_SAME} THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER why_version_append_only BEFORE UPDATE OR DELETE ON why_version "
        "FOR EACH ROW EXECUTE FUNCTION why_version_refuse()"
    )
