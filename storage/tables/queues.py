"""The tables of what is to be done and of what comes in.

Alerts and their groups; reminders, deliveries, history scans and the inbox; sync rows; Home tabs.
"""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.domain.alerts.groups import AlertStatus, GroupState
from bot.domain.reminders import ReminderKind, ReminderState
from storage.database.statements import (
    STRICT,
    NumberedRow,
    flag_column,
    of_column,
    partial_index,
    text_column,
    time_column,
    word_column,
)
from storage.queues import DeliveryKind, DeliveryState, ScanState, SyncState


class AlertStormRow(NumberedRow, table=True):
    """Groups beyond those that are suggested one by one; `is_owed` while an update of their message is enqueued."""

    __tablename__ = "alert_storm"
    __table_args__ = (
        Index("ix_alert_storm_team_began_at", "team", "began_at"),
        Index("ix_alert_storm_began_at", "began_at"),
        STRICT,
    )
    team: str = text_column()
    channel: str = text_column()
    ts: str = text_column()
    began_at: datetime = time_column()
    is_owed: bool = flag_column()


class AlertRow(NumberedRow, table=True):
    """One group of alerts, from the first that fired until all have ended. When it fires again it gets a new row."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("team", "source", "group_key", "starts_at"),
        Index("ix_alert_team_heard_at", "team", "heard_at"),
        Index("ix_alert_incident_id", "incident_id"),
        Index("ix_alert_storm_id", "storm_id"),
        STRICT,
    )
    team: str = text_column()
    source: str = text_column()
    group_key: str = text_column()
    starts_at: datetime = time_column()
    title: str = text_column()
    severity: str = text_column()
    service: str = text_column()
    link: str = text_column()
    status: AlertStatus = word_column(AlertStatus)
    changed_at: datetime = time_column()
    acknowledged_at: datetime | None = time_column()
    acknowledged_by: str = text_column()
    ended_at: datetime | None = time_column()
    fired: int
    firing: int
    stand: GroupState = word_column(GroupState)
    settled_by: str = text_column()
    incident_id: int | None = of_column("incident")
    storm_id: int | None = of_column("alert_storm")
    entries: int
    channel: str = text_column()
    ts: str = text_column()
    heard_at: datetime = time_column()
    calmed_at: datetime | None = time_column()
    is_owed: bool = flag_column()


class AlertEventRow(NumberedRow, table=True):
    """One report of one alert. `key` is the same however often it is repeated; `heard_at` is when it last was.

    A sweep moves `heard_at` forward as long as the event still matters (`prune_events` in storage/alerts.py). A start
    that `is_implied` was not reported: it follows from a later report. `severity`, `service` and `link` are what the
    event's entry in the timeline says.
    """

    __tablename__ = "alert_event"
    __table_args__ = (
        UniqueConstraint("team", "key"),  # by which a repeat is recognised, on any replica
        Index("ix_alert_event_alert_id_fingerprint_at", "alert_id", "fingerprint", "at"),
        Index("ix_alert_event_alert_id_at", "alert_id", "at"),
        Index("ix_alert_event_heard_at", "heard_at"),  # the sweep prunes by it, as it does ends and storms
        STRICT,
    )
    team: str = text_column()
    key: str = text_column()
    alert_id: int = of_column("alert")
    fingerprint: str = text_column()
    status: AlertStatus = word_column(AlertStatus)
    at: datetime = time_column()
    title: str = text_column()
    told_by: str = text_column()
    heard_at: datetime = time_column()
    severity: str = text_column()
    service: str = text_column()
    link: str = text_column()
    starts_at: datetime = time_column()
    is_implied: bool = flag_column()


class AlertEndRow(NumberedRow, table=True):
    """The end of an alert whose start was not reported. It waits here, in no group, until the start is reported."""

    __tablename__ = "alert_end"
    __table_args__ = (
        UniqueConstraint("team", "key"),
        Index("ix_alert_end_team_source_group_key_fingerprint", "team", "source", "group_key", "fingerprint"),
        Index("ix_alert_end_heard_at", "heard_at"),
        STRICT,
    )
    team: str = text_column()
    source: str = text_column()
    group_key: str = text_column()
    key: str = text_column()
    fingerprint: str = text_column()
    at: datetime = time_column()
    starts_at: datetime = time_column()
    title: str = text_column()
    told_by: str = text_column()
    severity: str = text_column()
    service: str = text_column()
    link: str = text_column()
    heard_at: datetime = time_column()


# The conditions of partial indexes: the rows still to be done are few, those that are done grow for ever. Each is text,
# so that statements repeat it to the letter (see `partial_index`).
REMINDER_PENDING = text("state = 'pending'")
DELIVERY_WAITING = text("state IN ('pending', 'sending', 'unsure')")
DELIVERY_PROMPT = text("kind = 'prompt'")
DELIVERY_MESSAGE = text("kind IN ('message', 'notice')")
DELIVERY_EXPORT = text("kind = 'file'")
LOOKBACK_GOING = text("state = 'going'")
LINK_OWED = text("state IN ('owed', 'calling')")


class ReminderRow(NumberedRow, table=True):
    """A reminder. The constraint makes it go out once for each subject, kind and slot."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("team", "kind", "subject", "slot"),
        partial_index("ix_reminder_due", "due_at", where=REMINDER_PENDING),
        Index("ix_reminder_incident_id", "incident_id"),
        STRICT,
    )
    team: str = text_column()
    kind: ReminderKind = word_column(ReminderKind)
    subject: str = text_column()
    slot: str = text_column()
    incident_id: int | None = of_column("incident")
    due_at: datetime = time_column()
    state: ReminderState = word_column(ReminderState)
    settled_at: datetime | None = time_column()
    note: str = text_column()


class DeliveryRow(NumberedRow, table=True):
    """One message to Slack; `send_key` finds it again in the channel's history.

    `is_blocking`: it was tried, and later messages to its recipient wait until it is tried again.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("send_key"),
        partial_index("ix_delivery_due", "due_at", where=DELIVERY_WAITING),
        partial_index("ix_delivery_recipient", "recipient", "id", where=DELIVERY_WAITING),
        partial_index("ix_delivery_prompt", "incident_id", where=DELIVERY_PROMPT),
        partial_index("ix_delivery_message", "incident_id", where=DELIVERY_MESSAGE),
        partial_index("ix_delivery_export", "incident_id", where=DELIVERY_EXPORT),
        Index("ix_delivery_reminder_id", "reminder_id"),  # a newer reminder replaces the messages of the last
        STRICT,
    )
    team: str = text_column()
    send_key: str = text_column()
    kind: DeliveryKind = word_column(DeliveryKind)
    recipient: str = text_column()
    fallback: str = text_column()
    body: str = text_column()
    incident_id: int | None = of_column("incident")
    reminder_id: int | None = of_column("reminder")
    state: DeliveryState = word_column(DeliveryState)
    due_at: datetime = time_column()
    attempts: int
    lease_owner: str = text_column()
    first_tried_at: datetime | None = time_column()
    sent_channel: str = text_column()
    sent_ts: str = text_column()
    error: str = text_column()
    created_at: datetime = time_column()
    is_blocking: bool = flag_column()


class AnnouncementRow(NumberedRow, table=True):
    """The post of an incident for one recipient: the announce channel, or a follower (a user id).

    `channel` and `ts` are where it is, empty before it is sent; `old_ts` is the post that it takes the place of.
    `stage` is what a follower was told of last. `is_owed` while an edit is enqueued.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        UniqueConstraint("incident_id", "recipient"),
        Index("ix_announcement_checked_at", "checked_at"),  # the sweep looks again at the one checked longest ago
        STRICT,
    )
    team: str = text_column()
    incident_id: int = of_column("incident")
    recipient: str = text_column()
    channel: str = text_column()
    ts: str = text_column()
    old_ts: str = text_column()
    stage: str = text_column()
    is_owed: bool = flag_column()
    edited_at: datetime | None = time_column()
    checked_at: datetime | None = time_column()


class UpdateRow(NumberedRow, table=True):
    """An entry that was an update for people outside, with the promise of the next one.

    `pace` is for how many seconds it was promised. `quiet_at` is when someone said last that there is nothing new.
    """

    __tablename__ = "incident_update"
    __table_args__ = (
        UniqueConstraint("entry_id"),
        Index("ix_incident_update_incident_id", "incident_id"),
        STRICT,
    )
    incident_id: int = of_column("incident")
    entry_id: int = of_column("entry")
    author: str = text_column()
    said_at: datetime = time_column()
    next_at: datetime | None = time_column()
    pace: int
    quiet_at: datetime | None = time_column()


class SweepRow(SQLModel, table=True):
    """The last sweep, in the table's only row: what was due by `swept_at` is settled."""

    __tablename__ = "sweep"
    __table_args__ = (STRICT,)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    swept_at: datetime = time_column()


class ProbeRow(SQLModel, table=True):
    """What the last health check wrote, in the table's only row; `filler` makes it as large as an entry."""

    __tablename__ = "probe"
    __table_args__ = (STRICT,)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    probed_at: datetime = time_column()
    filler: str = text_column()


class InboxRow(SQLModel, table=True):
    """The key of a request that Slack made, with the reply it got."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_received_at", "received_at"), STRICT)
    key: str = text_column(primary_key=True)
    reply: str = text_column()
    received_at: datetime = time_column()


class LookbackRow(NumberedRow, table=True):
    """A scan of a channel's history. `cursor` is how far it came; `found` is what it proposes, as JSON."""

    __tablename__ = "lookback"
    __table_args__ = (
        partial_index("ix_lookback_going", "due_at", where=LOOKBACK_GOING),
        STRICT,
    )
    team: str = text_column()
    channel: str = text_column()
    incident_id: int = of_column("incident")
    asked_by: str = text_column()
    oldest: datetime = time_column()
    cursor: str = text_column()
    found: str = text_column()
    seen: int
    state: ScanState = word_column(ScanState)
    note: str = text_column()
    due_at: datetime = time_column()
    lease_owner: str = text_column()


class LinkRow(NumberedRow, table=True):
    """A sync row: one thing of ours in one other system."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("team", "system", "subject"),  # one row however often the thing changes: see storage/links.py
        partial_index("ix_link_due", "due_at", where=LINK_OWED),
        Index("ix_link_incident_id", "incident_id"),
        Index("ix_link_system_external_id", "system", "external_id"),  # webhooks name things by the system's own id
        STRICT,
    )
    team: str = text_column()
    system: str = text_column()
    subject: str = text_column()
    incident_id: int = of_column("incident")
    external_id: str = text_column()
    url: str = text_column()
    status: str = text_column()
    memo: str = text_column()
    state: SyncState = word_column(SyncState)
    wanted: int
    due_at: datetime = time_column()
    attempts: int
    is_unsure: bool = flag_column()
    lease_owner: str = text_column()
    error: str = text_column()
    is_told: bool = flag_column()
    created_at: datetime = time_column()
    synced_at: datetime | None = time_column()


class AccountRow(SQLModel, table=True):
    """A Slack person's account in another system, as someone chose it."""

    __tablename__ = "account"
    __table_args__ = (STRICT,)
    team: str = text_column(primary_key=True)
    system: str = text_column(primary_key=True)
    user: str = text_column(primary_key=True)
    account: str = text_column()
    chosen_by: str = text_column()
    chosen_at: datetime = time_column()


class TabRow(SQLModel, table=True):
    """One person's Home tab as it was last published; `shown` is its hash.

    `owes` are the incidents in which the tab shows something that the person owes, as ` 3 17 `: with a space on both
    sides of each, so that LIKE finds the tabs of an incident. `*_from` is where the pages begin.
    """

    __tablename__ = "tab"
    __table_args__ = (Index("ix_tab_opened_at", "team", "opened_at"), STRICT)
    team: str = text_column(primary_key=True)
    person: str = text_column(primary_key=True)
    opened_at: datetime = time_column()
    shown: str = text_column()
    owes: str = text_column()
    actions_from: int = Field()
    postmortems_from: int = Field()
