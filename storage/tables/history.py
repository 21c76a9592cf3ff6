"""What is learned from: each incident's words as they are searched, what was said of likenesses, who changed what."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import STRICT, flag_column, of_column, text_column, time_column


class RecallRow(SQLModel, table=True):
    """The words by which an incident is found again; triggers keep them true, and the full-text index beside them.

    `told` is what people wrote into sections, but for the two that quote other incidents.
    """

    __tablename__ = "recall"
    __table_args__ = (STRICT,)
    incident_id: int = Field(primary_key=True, sa_column_args=[ForeignKey("incident.id")])
    title: str = text_column()
    cause: str = text_column()
    told: str = text_column()
    whys: str = text_column()
    actions: str = text_column()


class LikenessRow(SQLModel, table=True):
    """What somebody said of two incidents: the same cause, or not."""

    __tablename__ = "likeness"
    __table_args__ = (UniqueConstraint("incident_id", "other_id"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = of_column("incident")
    other_id: int = of_column("incident")
    is_same: bool = flag_column()
    said_by: str = text_column()
    said_at: datetime = time_column()


class AuditRow(SQLModel, table=True):
    """Who changed what; only added to, which triggers enforce. Changes of entries stand in `entry_version`."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_incident_id", "incident_id"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = of_column("incident")
    who: str = text_column()
    verb: str = text_column()
    what: str = text_column()
    at: datetime = time_column()
    delivery: str = text_column()
