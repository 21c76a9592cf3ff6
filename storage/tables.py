"""The tables, declared once. Rows never leave storage: callers get the frozen records of `bot.incident.records`."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, MetaData, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.incident.records import ActionStatus, EntryKind, Milestone, PostmortemStatus, Status
from storage.types import CalendarDay, Flag, UtcDateTime, Word

# Every constraint has a name, so that a later migration can drop it on both databases.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata

STRICT: dict[str, Any] = {"sqlite_strict": True}

# What the partial indexes hold. Statements repeat these words to the letter: a bound value would not match an index.
INCIDENT_UNRESOLVED = text("status <> 'resolved'")
ACTION_OPEN = text("status = 'open'")
REMINDER_PENDING = text("state = 'pending'")
DELIVERY_WAITING = text("state IN ('pending', 'sending', 'unsure')")


def _text(**more: Any) -> Any:
    return Field(sa_type=Text, **more)


def _time(**more: Any) -> Any:
    return Field(sa_type=UtcDateTime, **more)


def _flag() -> Any:
    return Field(sa_type=Flag)


def _of(table: str) -> Any:
    return Field(sa_column_args=[ForeignKey(f"{table}.id")])


def _word(words: type, **more: Any) -> Any:
    return Field(sa_type=Word(words), **more)


class WorkspaceRow(SQLModel, table=True):
    """What is counted per workspace."""

    __tablename__ = "workspace"
    __table_args__ = (STRICT,)
    team: str = _text(primary_key=True)
    last_incident: int


class IncidentRow(SQLModel, table=True):
    """One incident with its postmortem's standing and the counters of what it numbers."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("team", "number"),
        Index("ix_incident_team_channel_number", "team", "channel", "number"),
        Index(
            "uq_incident_open_in_channel",
            "team",
            "channel",
            unique=True,
            sqlite_where=INCIDENT_UNRESOLVED,
            postgresql_where=INCIDENT_UNRESOLVED,
        ),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = _text()
    channel: str = _text()
    number: int
    title: str = _text()
    status: Status = _word(Status)
    severity: int | None
    lead: str | None = _text()
    opened_by: str = _text()
    opened_at: datetime = _time()
    resolved_by: str | None = _text()
    resolved_at: datetime | None = _time()
    postmortem_status: PostmortemStatus = _word(PostmortemStatus)
    postmortem_owner: str | None = _text()
    postmortem_reason: str = _text()
    published_at: datetime | None = _time()
    channel_name: str = _text()
    last_entry: int
    last_why: int
    last_action: int
    card_ts: str = _text()


class EntryRow(SQLModel, table=True):
    """One line of a timeline as it reads now."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        Index("ix_entry_order", "incident_id", "happened_at", "number"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = _of("incident")
    number: int
    happened_at: datetime = _time()
    ended_at: datetime | None = _time()
    approximate: bool = _flag()
    text: str = _text()
    author: str = _text()
    recorder: str = _text()
    recorded_at: datetime = _time()
    kind: EntryKind = _word(EntryKind)
    milestone: Milestone | None = _word(Milestone)
    version: int
    struck: bool = _flag()
    permalink: str = _text()


class EntryVersionRow(SQLModel, table=True):
    """Every wording that an entry ever had; only added to, which triggers enforce."""

    __tablename__ = "entry_version"
    __table_args__ = (UniqueConstraint("entry_id", "version"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = _of("entry")
    version: int
    change: str = _text()
    happened_at: datetime = _time()
    text: str = _text()
    changed_by: str = _text()
    changed_at: datetime = _time()


class WhyRow(SQLModel, table=True):
    """One step of the five whys."""

    __tablename__ = "why"
    __table_args__ = (UniqueConstraint("incident_id", "number"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = _of("incident")
    number: int
    parent: int | None
    text: str = _text()
    author: str = _text()
    recorded_at: datetime = _time()
    is_root: bool = _flag()
    struck: bool = _flag()


class SectionRow(SQLModel, table=True):
    """What a person wrote into a section, every saving a row of its own: the highest version is the one that counts."""

    __tablename__ = "section"
    __table_args__ = (UniqueConstraint("incident_id", "section", "version"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = _of("incident")
    section: str = _text()
    text: str = _text()
    author: str = _text()
    saved_at: datetime = _time()
    version: int


class ActionRow(SQLModel, table=True):
    """One corrective action."""

    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        Index(
            "ix_action_overdue",
            "overdue_at",
            sqlite_where=ACTION_OPEN,
            postgresql_where=ACTION_OPEN,
        ),
        Index(
            "ix_action_owner_overdue",
            "owner",
            "overdue_at",
            sqlite_where=ACTION_OPEN,
            postgresql_where=ACTION_OPEN,
        ),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = _of("incident")
    number: int
    text: str = _text()
    owner: str | None = _text()
    due_on: date | None = Field(sa_type=CalendarDay)
    overdue_at: datetime | None = _time()
    link: str = _text()
    status: ActionStatus = _word(ActionStatus)
    reason: str = _text()
    created_by: str = _text()
    created_at: datetime = _time()
    closed_at: datetime | None = _time()


class PersonRow(SQLModel, table=True):
    """Somebody in a workspace, as Slack last told."""

    __tablename__ = "person"
    __table_args__ = (STRICT,)
    team: str = _text(primary_key=True)
    id: str = _text(primary_key=True)
    name: str = _text()
    zone: str = _text()
    is_guest: bool = _flag()
    is_bot: bool = _flag()
    is_deactivated: bool = _flag()


class ReminderRow(SQLModel, table=True):
    """Something due to be said at a time, once per (team, kind, subject, slot)."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("team", "kind", "subject", "slot"),
        Index(
            "ix_reminder_due",
            "due_at",
            sqlite_where=REMINDER_PENDING,
            postgresql_where=REMINDER_PENDING,
        ),
        Index("ix_reminder_incident_id", "incident_id"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = _text()
    kind: str = _text()
    subject: str = _text()
    slot: str = _text()
    incident_id: int | None = _of("incident")
    due_at: datetime = _time()
    state: str = _text()
    settled_at: datetime | None = _time()
    note: str = _text()


class DeliveryRow(SQLModel, table=True):
    """One message owed to Slack, until it is sent or given up; `send_key` finds it again in the channel's history."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("send_key"),
        Index(
            "ix_delivery_due",
            "due_at",
            sqlite_where=DELIVERY_WAITING,
            postgresql_where=DELIVERY_WAITING,
        ),
        Index("ix_delivery_reminder_id", "reminder_id"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = _text()
    send_key: str = _text()
    kind: str = _text()
    recipient: str = _text()
    fallback: str = _text()
    body: str = _text()
    incident_id: int | None = _of("incident")
    reminder_id: int | None = _of("reminder")
    state: str = _text()
    due_at: datetime = _time()
    attempts: int
    lease_owner: str = _text()
    first_tried_at: datetime | None = _time()
    sent_channel: str = _text()
    sent_ts: str = _text()
    error: str = _text()
    created_at: datetime = _time()


class InboxRow(SQLModel, table=True):
    """The key of every delivery that Slack made to us, with the reply it got."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_received_at", "received_at"), STRICT)
    key: str = _text(primary_key=True)
    reply: str = _text()
    received_at: datetime = _time()


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a SQLModel class, for statements."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
