"""Edited regions of drafts."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table, append-only except for redactions."""
    op.create_table(
        "kept_region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_kept_region_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_kept_region"),
        sa.UniqueConstraint("incident_id", "section", "version", name="uq_kept_region_incident_id_section_version"),
        sqlite_strict=True,
    )
    _append_only()


# A redaction puts "[redacted]" into the text and changes nothing else.
_COLUMNS = "id incident_id section version change facts seen author source draft saved_at"
_SAME = " AND ".join(f"NEW.{column} = OLD.{column}" for column in _COLUMNS.split())


def _append_only() -> None:
    refusal = "kept_region is append-only"
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER kept_region_no_update BEFORE UPDATE ON kept_region "
            f"WHEN NOT (instr(NEW.markdown, '[redacted]') > 0 AND {_SAME}) BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        op.execute(
            "CREATE TRIGGER kept_region_no_delete BEFORE DELETE ON kept_region "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION kept_region_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND position('[redacted]' in NEW.markdown) > 0 AND {_SAME} THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER kept_region_append_only BEFORE UPDATE OR DELETE ON kept_region "
        "FOR EACH ROW EXECUTE FUNCTION kept_region_refuse()"
    )
