"""The Home tabs that people look at."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import STRICT, text_column, time_column


class TabRow(SQLModel, table=True):
    """One person's Home tab as it was last published: `shown` is its hash.

    `owes` are the incidents that it shows something owed of, as ` 3 17 ` (a space on both sides of each), so that
    a tab is found again by what it shows. `*_from` is where its pages begin.
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
