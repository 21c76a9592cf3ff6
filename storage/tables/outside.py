"""What of ours stands in other systems, and what is owed to them."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.columns import STRICT, flag_column, of_column, text_column, time_column

# As in storage/tables/record.py: statements repeat these words to the letter.
LINK_OWED = text("state IN ('owed', 'calling')")


class LinkRow(SQLModel, table=True):
    """One thing of ours in one other system, once: where it stands there, and whether a call is owed."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("team", "system", "subject"),
        Index("ix_link_due", "due_at", sqlite_where=LINK_OWED, postgresql_where=LINK_OWED),
        Index("ix_link_incident_id", "incident_id"),
        Index("ix_link_system_external_id", "system", "external_id"),
        STRICT,
    )
    id: int | None = Field(default=None, primary_key=True)
    team: str = text_column()
    system: str = text_column()
    subject: str = text_column()
    incident_id: int = of_column("incident")
    external_id: str = text_column()
    url: str = text_column()
    status: str = text_column()
    memo: str = text_column()
    state: str = text_column()
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
    """Who somebody of ours is in another system, as a person chose."""

    __tablename__ = "account"
    __table_args__ = (STRICT,)
    team: str = text_column(primary_key=True)
    system: str = text_column(primary_key=True)
    user: str = text_column(primary_key=True)
    account: str = text_column()
    chosen_by: str = text_column()
    chosen_at: datetime = time_column()
