"""What came back in drafts that people edited."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.kept import Change
from storage.tables.columns import STRICT, of_column, text_column, time_column, word_column


class KeptRegionRow(SQLModel, table=True):
    """One text of one region; only added to, which triggers enforce: they let a redaction through and nothing else."""

    __tablename__ = "kept_region"
    __table_args__ = (UniqueConstraint("incident_id", "section", "version"), STRICT)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = of_column("incident")
    section: str = text_column()
    version: int
    change: Change = word_column(Change)
    markdown: str = text_column()
    facts: str = text_column()
    seen: int
    author: str = text_column()
    source: str = text_column()
    draft: str = text_column()
    saved_at: datetime = time_column()
