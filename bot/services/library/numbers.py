"""The figures of a period: for Slack, where everyone is told the same of public channels, and for a reader's sight."""

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from bot.domain.numbers import (
    Group,
    Grouping,
    Numbers,
    Selection,
    count_up,
    divide,
    read_period,
    read_selection,
)
from bot.domain.readers import Reader, Sight, public_sight
from bot.services.context import Request, Services
from bot.services.library import readers as readers_service
from bot.slack.views import numbers as numbers_views
from bot.slack.views.blocks import Message
from bot.slack.views.numbers import Topic
from storage import numbers as numbers_store
from storage.database.statements import Transaction


@dataclass(frozen=True, slots=True)
class Count:
    """The figures of what a person may see. `is_cut`: only the latest of very many incidents are counted."""

    numbers: Numbers
    is_cut: bool


def count_in(tx: Transaction, chosen: Selection, sight: Sight, now: datetime) -> Count:
    """The figures of the incidents of a selection that are in sight."""
    sample = numbers_store.read_sample(tx, chosen, sight)
    return Count(count_up(sample.incidents, now), sample.is_cut)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of a selection as a whole, then those of its parts; `is_cut` as in `Count`."""

    groups: tuple[Group, ...]
    is_cut: bool


def compare(tx: Transaction, chosen: Selection, sight: Sight, by: Grouping, now: datetime) -> Comparison:
    """The figures of the incidents of a selection that are in sight, and of its parts."""
    sample = numbers_store.read_sample(tx, chosen, sight)
    whole = Group("all", chosen, count_up(sample.incidents, now))
    return Comparison((whole, *divide(sample.incidents, chosen, by, now)), sample.is_cut)


async def overview(services: Services, request: Request, text: str) -> Message:
    """The figures of the period, and of the severity, service or tag that a line names. Raises Refused for none."""
    chosen = read_selection(text, request.now)
    sight = await _find_sight(services, request)
    count = await services.store.read(lambda tx: count_in(tx, chosen, sight, request.now))
    address = trends_url(services.policy.library, chosen)
    return numbers_views.trends_message(
        count.numbers, chosen, request.now, address, is_public=sight.public, is_cut=count.is_cut
    )


def trends_url(library: str, chosen: Selection) -> str:
    """The page of these figures in the library at an address; empty while the library is off."""
    return f"{library}/library/trends?{urlencode({'period': chosen.period.name, **chosen.filters})}" if library else ""


async def show_behind(services: Services, request: Request, topic: Topic, chosen: Selection) -> Message:
    """The incidents behind a topic's figures, as they are by now."""
    sight = await _find_sight(services, request)
    count = await services.store.read(lambda tx: count_in(tx, chosen, sight, request.now))
    return numbers_views.behind_message(count.numbers, chosen, topic, request.now)


def restore_selection(values: dict[str, str], now: datetime) -> Selection:
    """The selection that a button carries."""
    severity = values.get("severity", "")
    return Selection(
        read_period(values.get("period", ""), now),
        int(severity) if severity in ("1", "2", "3", "4") else None,
        values.get("service", ""),
        values.get("tag", ""),
    )


async def _find_sight(services: Services, request: Request) -> Sight:
    """Public channels alone, so that all members are told the same; a guest's own channels, if guests are admitted."""
    person = await services.slack.directory.look_up(request.team, request.user)
    if services.belongs(person):
        return public_sight(request.team)
    own = await readers_service.visible_to(services, Reader(request.team, request.user))
    return replace(own, public=False)
