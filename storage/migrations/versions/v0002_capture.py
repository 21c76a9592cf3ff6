"""Entries captured from messages, their files, history scans, and redaction."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what capture needs. From now on a version may be redacted, but still not be changed in any other way."""
    for column in ("source", "source_change"):
        op.add_column("entry", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    _partial_index("uq_entry_source", "entry", ["incident_id", "source"], "source <> ''", unique=True)
    _attachment()
    _lookback()
    _allow_redaction()


def _attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="fk_attachment_entry_id_entry"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
        sqlite_strict=True,
    )
    op.create_index("ix_attachment_entry_id", "attachment", ["entry_id"])
    _partial_index("ix_attachment_wanted", "attachment", ["due_at"], "state = 'wanted'")


def _lookback() -> None:
    op.create_table(
        "lookback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("oldest", UtcDateTime(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_lookback_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_lookback"),
        sqlite_strict=True,
    )
    _partial_index("ix_lookback_going", "lookback", ["due_at"], "state = 'going'")


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


# A redaction puts "[redacted]" into the text and changes nothing else.
_SAME = " AND ".join(
    f"NEW.{column} = OLD.{column}" for column in ("id", "entry_id", "version", "change", "changed_by", "changed_at")
)


def _allow_redaction() -> None:
    refusal = "entry_version is append-only"
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER entry_version_no_update")
        op.execute(
            "CREATE TRIGGER entry_version_no_update BEFORE UPDATE ON entry_version "
            f"WHEN NOT (instr(NEW.text, '[redacted]') > 0 AND {_SAME}) "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION entry_version_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND position('[redacted]' in NEW.text) > 0 AND {_SAME} THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$"
    )
