"""The tables of the library: which channels are public, who signed in, and what may be used only once."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from bot.domain.readers import SignInOutcome
from storage.database.statements import STRICT, NumberedRow, flag_column, text_column, time_column, word_column


class ChannelRow(SQLModel, table=True):
    """A channel of incidents, as Slack last described it. A channel without a row counts as private."""

    __tablename__ = "channel"
    __table_args__ = (STRICT,)
    team: str = text_column(primary_key=True)
    id: str = text_column(primary_key=True)
    is_private: bool = flag_column()
    noted_at: datetime = time_column()


class SignInRow(NumberedRow, table=True):
    """Someone whom Slack vouched for signed in to the library, or was refused, with the reason."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_at", "at"), STRICT)
    team: str = text_column()
    person: str = text_column()
    at: datetime = time_column()
    outcome: SignInOutcome = word_column(SignInOutcome)
    reason: str = text_column()


class SpentKeyRow(SQLModel, table=True):
    """The state of a sign-in that was used, or a session that was signed out: on no replica does it count again."""

    __tablename__ = "spent_key"
    __table_args__ = (Index("ix_spent_key_expires_at", "expires_at"), STRICT)
    key: str = text_column(primary_key=True)
    expires_at: datetime = time_column()
