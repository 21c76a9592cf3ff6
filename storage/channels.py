"""Which channels are private, as Slack last said, and the condition by which lists leave out what a person may not see.

A channel that is not listed counts as private: what was shown to the wrong people cannot be taken back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, bindparam, false, or_, select

from storage.database.statements import Statement, Transaction, among, table_of, upsert_into
from storage.tables.record import ChannelRow

_channel = table_of(ChannelRow)
_SAVE = Statement(upsert_into(_channel, ("team", "id"), ("is_private", "checked_at")))


@dataclass(frozen=True, slots=True)
class Sight:
    """The channels whose incidents a person may see: all public ones if `has_public`, and those in `private`.

    A guest has no public ones: theirs are in `private`, whatever kind they are.
    """

    has_public: bool = False
    private: frozenset[str] = frozenset()


PUBLIC = Sight(has_public=True)
"""What everyone in the workspace may see."""


def in_sight(team: Column[str], channel: Column[str]) -> ColumnElement[Any]:
    """Whether the incident of these columns is seen; run it with `bind_sight`. One look-up in an index."""
    is_public = (
        select(_channel.c.id)
        .where(
            and_(
                _channel.c.team == team,
                _channel.c.team == bindparam("public_of"),
                _channel.c.id == channel,
                _channel.c.is_private == false(),
            )
        )
        .exists()
    )
    return or_(is_public, among(channel, "channels"))


def bind_sight(team: str, sight: Sight) -> dict[str, Any]:
    """The values for `in_sight`, of a person of this workspace."""
    return {"public_of": team if sight.has_public else "", "channels": sorted(sight.private)}


def save(tx: Transaction, team: str, channel: str, now: datetime, *, is_private: bool) -> None:
    """Save what Slack says about a channel."""
    tx.run(_SAVE, team=team, id=channel, is_private=is_private, checked_at=now)
