"""What is owed: reminders, messages, look-backs; and the inbox, which knows what was answered already."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.columns import STRICT, of_column, text_column, time_column

# As in storage/tables/record.py: statements repeat these words to the letter.
REMINDER_PENDING = text("state = 'pending'")
DELIVERY_WAITING = text("state IN ('pending', 'sending', 'unsure')")
LOOKBACK_GOING = text("state = 'going'")


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
    team: str = text_column()
    kind: str = text_column()
    subject: str = text_column()
    slot: str = text_column()
    incident_id: int | None = of_column("incident")
    due_at: datetime = time_column()
    state: str = text_column()
    settled_at: datetime | None = time_column()
    note: str = text_column()


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
    team: str = text_column()
    send_key: str = text_column()
    kind: str = text_column()
    recipient: str = text_column()
    fallback: str = text_column()
    body: str = text_column()
    incident_id: int | None = of_column("incident")
    reminder_id: int | None = of_column("reminder")
    state: str = text_column()
    due_at: datetime = time_column()
    attempts: int
    lease_owner: str = text_column()
    first_tried_at: datetime | None = time_column()
    sent_channel: str = text_column()
    sent_ts: str = text_column()
    error: str = text_column()
    created_at: datetime = time_column()


class InboxRow(SQLModel, table=True):
    """The key of every delivery that Slack made to us, with the reply it got."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_received_at", "received_at"), STRICT)
    key: str = text_column(primary_key=True)
    reply: str = text_column()
    received_at: datetime = time_column()


class LookbackRow(SQLModel, table=True):
    """A walk back through a channel's history; `cursor` is how far it came, `found` what it proposes, as JSON."""

    __tablename__ = "lookback"
    __table_args__ = (
        Index("ix_lookback_going", "due_at", sqlite_where=LOOKBACK_GOING, postgresql_where=LOOKBACK_GOING),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = text_column()
    channel: str = text_column()
    incident_id: int = of_column("incident")
    asked_by: str = text_column()
    oldest: datetime = time_column()
    cursor: str = text_column()
    found: str = text_column()
    seen: int
    state: str = text_column()
    note: str = text_column()
    due_at: datetime = time_column()
