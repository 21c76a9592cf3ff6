"""How a timeline looks as a list: the latest entries, or one page of many with the way to the others."""

import json
from dataclasses import dataclass
from datetime import datetime

from bot.incident.records import Case, Entry
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.timeline import Clocks, line
from bot.slack.words import words

LATEST = 8
"""Entries that `/timeline` alone shows."""

PAGE = 100
"""Entries that a page may hold; fewer where their texts are long."""

_ROOM = blocks.MESSAGE - 500


@dataclass(frozen=True, slots=True)
class Page:
    """Entries that stand together: `skipped` of the `total` stand before them. `since` where only later ones count."""

    case: Case
    entries: tuple[Entry, ...]
    skipped: int
    total: int
    since: datetime | None = None


def fitting(case: Case, entries: tuple[Entry, ...], now: datetime, *, from_end: bool) -> tuple[Entry, ...]:
    """As many of the entries as one message holds: the last of them, or the first."""
    kept: list[Entry] = []
    room = _ROOM
    for entry in reversed(entries) if from_end else entries:
        room -= len(line(entry, case, now)) + 1
        if room < 0:
            break
        kept.append(entry)
    return tuple(reversed(kept) if from_end else kept)


def listing(page: Page, now: datetime) -> Message:
    """One page, with buttons to those before and behind it."""
    shown = _shown(page, now)
    return blocks.whisper(shown[0]["text"]["text"], [*shown, *_turning(page)])


def _shown(page: Page, now: datetime) -> list[Block]:
    incident = page.case.incident
    said = words.timeline.heading(
        key=incident.key,
        title=incident.title,
        first=page.skipped + 1,
        last=page.skipped + len(page.entries),
        total=page.total,
        since=_since(page.since, now),
    )
    lines = [line(entry, page.case, now) for entry in page.entries]
    return [blocks.section(said), *blocks.sections("\n".join(lines))]


def _since(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M}"


def _turning(page: Page) -> list[Block]:
    buttons = []
    if page.skipped:
        buttons.append(blocks.button("Older", "timeline_older", _beyond(page, page.entries[0], "older")))
    if page.skipped + len(page.entries) < page.total:
        buttons.append(blocks.button("Newer", "timeline_newer", _beyond(page, page.entries[-1], "newer")))
    return [blocks.actions(*buttons)] if buttons else []


def _beyond(page: Page, entry: Entry, way: str) -> str:
    since = page.since.isoformat() if page.since else ""
    at = {"at": entry.happened_at.isoformat(), "number": entry.number}
    return json.dumps({"incident": entry.incident_id, "way": way, "since": since, **at})


def overview(page: Page, clocks: Clocks) -> Message:
    """The latest entries and a form."""
    form = blocks.labelled(
        words.timeline.field_label(),
        "timeline_form",
        blocks.text_input(
            "timeline_entered",
            placeholder="14:05 failed over to replica",
            dispatch_action_config={"trigger_actions_on": ["on_enter_pressed"]},
        ),
        hint=words.timeline.field_hint(zone=clocks.label or "UTC"),
        dispatch_action=True,
    )
    shown = _shown(page, clocks.now)
    return blocks.whisper(shown[0]["text"]["text"], [*shown, form])
