"""Copies of documents that stand outside, to be brought up to date there."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import STRICT, of_column, text_column, time_column


class CopyRow(SQLModel, table=True):
    """A copy of an incident's document in one place; `marks` is JSON of how each of its regions was left there."""

    __tablename__ = "copy"
    __table_args__ = (UniqueConstraint("incident_id", "place"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = of_column("incident")
    place: str = text_column()
    external_id: str = text_column()
    marks: str = text_column()
    revision: int
    written_at: datetime = time_column()
