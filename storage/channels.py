"""Which channels of incidents are public, and the condition that keeps the others out of lists and sums."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, and_, bindparam, exists, literal, or_, select
from sqlalchemy.sql import ColumnElement

from bot.domain.readers import Sight
from storage.database.statements import FlagType, Statement, Transaction, among, table_of, upsert_into
from storage.tables.library import ChannelRow
from storage.tables.record import IncidentRow

_channel, _incident = table_of(ChannelRow), table_of(IncidentRow)

_NO = literal(value=False, type_=FlagType())
_SAVE = Statement(upsert_into(_channel, ("team", "id"), ("is_private", "noted_at")))
_ALL = Statement(select(_channel.c.team, _channel.c.id, _channel.c.is_private))
_OF_INCIDENTS = Statement(
    select(_incident.c.id, _incident.c.team, _incident.c.channel)
    .where(_incident.c.id > bindparam("after"))
    .order_by(_incident.c.id)
)


def visible_by(team: Column[Any], channel: Column[Any]) -> ColumnElement[bool]:
    """Whether a row of this team and channel is in someone's sight; `sight_values` are the parameters."""
    is_public = exists().where(_channel.c.team == team, _channel.c.id == channel, _channel.c.is_private == _NO)
    return and_(
        team == bindparam("sight_team"),
        or_(
            and_(team == bindparam("sight_public_of"), is_public),
            among(channel, "sight_channels"),
        ),
    )


def sight_values(sight: Sight) -> dict[str, Any]:
    """The parameters of a statement with `visible_by`."""
    return {
        "sight_team": sight.team,
        # Of no workspace if they see no public channel.
        "sight_public_of": sight.team if sight.public else "",
        "sight_channels": sorted(sight.channels),
    }


def save_privacy(tx: Transaction, team: str, private: Mapping[str, bool], now: datetime) -> None:
    """Save which of these channels are private."""
    for channel, is_private in sorted(private.items()):
        tx.run(_SAVE, team=team, id=channel, is_private=is_private, noted_at=now)


def load_privacy(tx: Transaction) -> dict[tuple[str, str], bool]:
    """Whether a channel is private, by team and channel, of all that are known."""
    return {(team, channel): is_private for team, channel, is_private in tx.rows(_ALL)}


def list_of_incidents(tx: Transaction, after: int) -> tuple[int, dict[str, set[str]]]:
    """The channels, by team, of the incidents after a row; and the last row, from which to go on."""
    found: dict[str, set[str]] = {}
    last = after
    rows: Iterable[tuple[Any, ...]] = tx.rows(_OF_INCIDENTS, after=after)
    for row, team, channel in rows:
        found.setdefault(team, set()).add(channel)
        last = row
    return last, found
