"""Many lines at once: previewed as they are read, then those that are ticked recorded together, or none."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import Refused
from bot.incident import paste as rules
from bot.incident.carried import Carried, with_words
from bot.incident.records import Entry, Incident
from bot.incident.text import admit
from bot.scribe.desk import Asked, Desk, once, require_taking
from bot.scribe.timeline import own_clocks
from bot.slack import paste as says
from bot.slack.blocks import Block, Message
from bot.slack.paste import Choice, Pasted
from bot.slack.timeline import Clocks
from storage import pages
from storage import timeline as kept
from storage.pages import Span
from storage.statements import Transaction
from storage.timeline import NewEntry

_MINUTE = timedelta(minutes=1)


async def form(desk: Desk, asked: Asked, text: str) -> Block:
    """The form that takes the lines; the preview at once where a text came with the command."""
    if text.strip():
        try:
            return await _preview(desk, asked, says.from_text(text))
        except Refused as refused:
            carried = Carried(text, asked.now, "", asked.place.channel, asked.key, is_paste=True)
            raise with_words(refused, carried) from refused
    clocks = await _clocks(desk, asked, "author")
    incident = await desk.store.read(lambda tx: require_taking(tx, asked))
    return says.form(incident, Pasted(), clocks, clocks.label)


async def submit(desk: Desk, asked: Asked, metadata: dict[str, Any], values: dict[str, Any]) -> Message | None:
    """The form was sent: record what is ticked, if it is the text that was previewed, else preview it."""
    pasted = says.from_values(values)
    if metadata.get("digest") == pasted.digest:
        return await _record(desk, asked, pasted, says.at_of(metadata, asked.now), says.ticked_in(values))
    return {"response_action": "update", "view": await _preview(desk, asked, pasted)}


async def _preview(desk: Desk, asked: Asked, pasted: Pasted) -> Block:
    clocks = await _clocks(desk, asked, pasted.zone)
    home = await _clocks(desk, asked, "author")
    sheet = rules.sheet(pasted.text, asked.now, clocks.zone, rolls=pasted.rolls, language=clocks.language)
    readable = tuple(line for line in sheet.lines if line.can_be_recorded)

    def look(tx: Transaction) -> Block:
        incident = require_taking(tx, asked)
        choices = _choices(readable, _said_then(tx, incident, readable))
        return says.preview(incident, pasted, choices, sheet, home)

    return await desk.store.read(look)


def _said_then(tx: Transaction, incident: Incident, lines: tuple[rules.Line, ...]) -> dict[tuple[datetime, str], int]:
    times = [line.reading.utc for line in lines if line.reading.utc]
    if not times:
        return {}
    return pages.said(tx, Span(incident.id, min(times) - _MINUTE), max(times) + _MINUTE)


def _choices(lines: tuple[rules.Line, ...], said: dict[tuple[datetime, str], int]) -> tuple[Choice, ...]:
    return tuple(Choice(line, said.get((_to_the_minute(line), admit(line.text)), 0)) for line in lines)


def _to_the_minute(line: rules.Line) -> datetime:
    moment = line.reading.utc or datetime.min.replace(tzinfo=UTC)
    return moment.replace(second=0, microsecond=0)


async def _record(desk: Desk, asked: Asked, pasted: Pasted, at: datetime, ticked: frozenset[int]) -> Message | None:
    clocks = await _clocks(desk, replace(asked, now=at), pasted.zone)
    lines = rules.read(pasted.text, at, clocks.zone, rolls=pasted.rolls, language=clocks.language)
    chosen = tuple(line for line in lines if line.number in ticked and line.can_be_recorded)
    if not chosen:
        sentence = "No line is ticked, so there is nothing to record. Tick at least one, or close this window."
        raise Refused(sentence)

    def unit(tx: Transaction) -> Message:
        incident = require_taking(tx, asked, locking=True)
        entries = [_add(tx, asked, incident, line) for line in chosen]
        return says.receipt(incident, entries, len(lines) - len(chosen))

    # One preview is recorded once, however often its button is pressed.
    key = hashlib.sha256("\x00".join(["paste", asked.team, asked.user, str(at), pasted.digest]).encode()).hexdigest()
    return await once(desk, replace(asked, key=key), unit)


def _add(tx: Transaction, asked: Asked, incident: Incident, line: rules.Line) -> Entry:
    reading, user = line.reading, asked.user
    assert reading.utc is not None  # noqa: S101 (a line that can be recorded has its time)
    text = admit(line.text, f"Line {line.number}")
    new = NewEntry(reading.utc, text, user, user, asked.now, reading.end_utc, reading.approximate)
    return kept.append(tx, incident.id, new)


async def _clocks(desk: Desk, asked: Asked, zone: str) -> Clocks:
    clocks = await own_clocks(desk, asked)
    return replace(clocks, zone=UTC, label="") if zone == "UTC" else clocks
