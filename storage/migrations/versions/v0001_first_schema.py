"""The first schema."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import CalendarDay, FlagType, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, and the triggers that keep histories append-only."""
    _inbox()
    _incident()
    _person()
    _workspace()
    _action()
    _entry()
    _reminder()
    _section()
    _why()
    _delivery()
    _entry_version()
    for table in ("entry_version", "section"):
        _append_only(table)


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbox"),
        sqlite_strict=True,
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False)


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("lead", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("postmortem_status", sa.Text(), nullable=False),
        sa.Column("postmortem_owner", sa.Text(), nullable=True),
        sa.Column("postmortem_reason", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("channel_name", sa.Text(), nullable=False),
        sa.Column("last_entry", sa.Integer(), nullable=False),
        sa.Column("last_why", sa.Integer(), nullable=False),
        sa.Column("last_action", sa.Integer(), nullable=False),
        sa.Column("card_ts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("team", "number", name="uq_incident_team_number"),
        sqlite_strict=True,
    )
    op.create_index("ix_incident_team_channel_number", "incident", ["team", "channel", "number"], unique=False)
    _partial_index("uq_incident_open_in_channel", "incident", ["team", "channel"], "status <> 'resolved'", unique=True)


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("is_guest", FlagType(), nullable=False),
        sa.Column("is_bot", FlagType(), nullable=False),
        sa.Column("is_deactivated", FlagType(), nullable=False),
        sa.PrimaryKeyConstraint("team", "id", name="pk_person"),
        sqlite_strict=True,
    )


def _workspace() -> None:
    op.create_table(
        "workspace",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("last_incident", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_workspace"),
        sqlite_strict=True,
    )


def _action() -> None:
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("due_on", CalendarDay(), nullable=True),
        sa.Column("overdue_at", UtcDateTime(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_action_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
        sa.UniqueConstraint("incident_id", "number", name="uq_action_incident_id_number"),
        sqlite_strict=True,
    )
    _partial_index("ix_action_overdue", "action", ["overdue_at"], "status = 'open'")
    _partial_index("ix_action_owner_overdue", "action", ["owner", "overdue_at"], "status = 'open'")


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("approximate", FlagType(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("struck", FlagType(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_entry_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.UniqueConstraint("incident_id", "number", name="uq_entry_incident_id_number"),
        sqlite_strict=True,
    )
    op.create_index("ix_entry_order", "entry", ["incident_id", "happened_at", "number"], unique=False)


def _reminder() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_reminder_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
        sa.UniqueConstraint("team", "kind", "subject", "slot", name="uq_reminder_team_kind_subject_slot"),
        sqlite_strict=True,
    )
    _partial_index("ix_reminder_due", "reminder", ["due_at"], "state = 'pending'")
    op.create_index("ix_reminder_incident_id", "reminder", ["incident_id"], unique=False)


def _section() -> None:
    op.create_table(
        "section",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_section_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_section"),
        sa.UniqueConstraint("incident_id", "section", "version", name="uq_section_incident_id_section_version"),
        sqlite_strict=True,
    )


def _why() -> None:
    op.create_table(
        "why",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("is_root", FlagType(), nullable=False),
        sa.Column("struck", FlagType(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_why_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_why"),
        sa.UniqueConstraint("incident_id", "number", name="uq_why_incident_id_number"),
        sqlite_strict=True,
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("send_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("reminder_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=False),
        sa.Column("first_tried_at", UtcDateTime(), nullable=True),
        sa.Column("sent_channel", sa.Text(), nullable=False),
        sa.Column("sent_ts", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_delivery_incident_id_incident"),
        sa.ForeignKeyConstraint(["reminder_id"], ["reminder.id"], name="fk_delivery_reminder_id_reminder"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("send_key", name="uq_delivery_send_key"),
        sqlite_strict=True,
    )
    _partial_index("ix_delivery_due", "delivery", ["due_at"], "state IN ('pending', 'sending', 'unsure')")
    op.create_index("ix_delivery_reminder_id", "delivery", ["reminder_id"], unique=False)


def _entry_version() -> None:
    op.create_table(
        "entry_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="fk_entry_version_entry_id_entry"),
        sa.PrimaryKeyConstraint("id", name="pk_entry_version"),
        sa.UniqueConstraint("entry_id", "version", name="uq_entry_version_entry_id_version"),
        sqlite_strict=True,
    )


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _append_only(table: str) -> None:
    """Let triggers refuse every UPDATE and DELETE."""
    refusal = f"{table} is append-only"
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
    )
