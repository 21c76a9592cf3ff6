"""A version of an entry has the end of its time, and whether that was approximate."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

revision = "0013"
down_revision = "0012"

TABLE = "entry_version"

# The last version has the entry's own values; those of earlier versions are lost.
_FILL = sa.text(
    "UPDATE entry_version SET "
    "ended_at = (SELECT entry.ended_at FROM entry WHERE entry.id = entry_version.entry_id), "
    "approximate = (SELECT entry.approximate FROM entry WHERE entry.id = entry_version.entry_id) "
    "WHERE version = (SELECT entry.version FROM entry WHERE entry.id = entry_version.entry_id)"
)


def upgrade() -> None:
    """Add both columns and fill them in as far as they are known. Versions stay append-only except for redactions."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.execute("DROP TRIGGER entry_version_no_update" if is_sqlite else f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
    op.add_column(TABLE, sa.Column("ended_at", UtcDateTime(), nullable=True))
    op.add_column(TABLE, sa.Column("approximate", FlagType(), nullable=False, server_default=sa.false()))
    op.execute(_FILL)
    _allow_redaction(is_sqlite=is_sqlite)


# A redaction puts "[redacted]" into the text and changes nothing else.
_SAME = ("id", "entry_id", "version", "change", "changed_by", "changed_at", "happened_at", "approximate")


def _allow_redaction(*, is_sqlite: bool) -> None:
    refusal = "entry_version is append-only"
    same = " AND ".join(f"NEW.{column} = OLD.{column}" for column in _SAME)
    if is_sqlite:
        op.execute(
            "CREATE TRIGGER entry_version_no_update BEFORE UPDATE ON entry_version "
            f"WHEN NOT (instr(NEW.text, '[redacted]') > 0 AND {same} AND NEW.ended_at IS OLD.ended_at) "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION entry_version_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND position('[redacted]' in NEW.text) > 0 AND {same} "
        "AND NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
