"""What monitoring told: groups of alerts, each thing told of them, and the storms that are counted in one message."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.alerts import AlertStatus, Stand
from storage.tables.columns import STRICT, flag_column, of_column, text_column, time_column, word_column


class AlertStormRow(SQLModel, table=True):
    """Groups beyond what is suggested one by one; `is_owed` while a new wording of their message is on its way."""

    __tablename__ = "alert_storm"
    __table_args__ = (
        Index("ix_alert_storm_team_began_at", "team", "began_at"),
        Index("ix_alert_storm_began_at", "began_at"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = text_column()
    channel: str = text_column()
    ts: str = text_column()
    began_at: datetime = time_column()
    is_owed: bool = flag_column()


class AlertRow(SQLModel, table=True):
    """One group of alerts, from the first that fired until all have ended; a new row when it begins anew."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("team", "source", "group_key", "starts_at"),
        Index("ix_alert_team_heard_at", "team", "heard_at"),
        Index("ix_alert_incident_id", "incident_id"),
        Index("ix_alert_storm_id", "storm_id"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
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
    stand: Stand = word_column(Stand)
    settled_by: str = text_column()
    incident_id: int | None = of_column("incident")
    storm_id: int | None = Field(sa_column_args=[ForeignKey("alert_storm.id")])
    entries: int
    channel: str = text_column()
    ts: str = text_column()
    heard_at: datetime = time_column()
    calmed_at: datetime | None = time_column()
    is_owed: bool = flag_column()


class AlertEventRow(SQLModel, table=True):
    """One thing told of one alert; `key` is the same however often it is told, `heard_at` when it was told last.

    What still matters when it is looked at after a month is heard anew then (storage/past_alerts.py). One that
    `is_implied` was told along with what became of its alert; `severity`, `service` and `link` are what its entry says.
    """

    __tablename__ = "alert_event"
    __table_args__ = (
        UniqueConstraint("team", "key"),
        Index("ix_alert_event_alert_id_fingerprint_at", "alert_id", "fingerprint", "at"),
        Index("ix_alert_event_alert_id_at", "alert_id", "at"),
        Index("ix_alert_event_heard_at", "heard_at"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
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


class AlertEndRow(SQLModel, table=True):
    """The end of an alert that was not heard to begin: it waits here, and belongs to no group until that is told."""

    __tablename__ = "alert_end"
    __table_args__ = (
        UniqueConstraint("team", "key"),
        Index("ix_alert_end_team_source_group_key_fingerprint", "team", "source", "group_key", "fingerprint"),
        Index("ix_alert_end_heard_at", "heard_at"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
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
