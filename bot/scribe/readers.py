"""Who may read what is told of a channel outside it: asked of Slack when it is sent, and closed where it cannot say."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from bot.slack.places import Sight
from bot.slack.sayings import Saying, StillUnknown
from storage.deliveries import Delivery
from storage.statements import Transaction
from storage.store import Store

PATIENCE = 3
"""Attempts that wait for Slack's answer; after them nothing is named, so that something is said at all."""

LookInto = Callable[[str, str, Iterable[str]], Awaitable[Sight]]
"""Which of the channels somebody (team, user) may look into."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of some channels: `said` words it for somebody who may look into those given, and no others."""

    channels: frozenset[str]
    said: Callable[[frozenset[str]], Saying]
    missed: Callable[[Transaction, frozenset[str]], None] | None = None
    """Owes what the channels that somebody cannot look into are told about that."""


class Readers:
    """Words each message for its reader."""

    def __init__(self, store: Store, look_into: LookInto) -> None:
        self._store = store
        self._look_into = look_into

    def message(self, delivery: Delivery, reader: str, telling: Telling) -> Saying:
        """The message for a `reader`: in a channel all of it, and to a person what they may read once it is sent."""
        if not reader.startswith(("U", "W")):
            return telling.said(telling.channels)
        return replace(telling.said(frozenset()), made=partial(self._worded, delivery, reader, telling), is_keyed=True)

    async def _worded(self, delivery: Delivery, reader: str, telling: Telling) -> Saying:
        sight = await self._look_into(delivery.team, reader, telling.channels)
        if not sight.is_sure and delivery.attempts < PATIENCE:
            sentence = "Slack does not say who may look into the channel"
            raise StillUnknown(sentence)
        hidden = telling.channels - sight.seen
        missed = telling.missed
        if hidden and sight.is_sure and missed is not None:
            await self._store.write(lambda tx: missed(tx, hidden))
        return telling.said(sight.seen)
