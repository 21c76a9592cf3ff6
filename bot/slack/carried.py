"""How words look that wait for an incident: in the button that opens one, in its form, and in what comes of it."""

import json
from collections.abc import Mapping
from typing import Any

from bot.incident import secrets
from bot.incident.carried import Carried
from bot.incident.offers import Offer, offers
from bot.incident.records import Entry, Incident
from bot.incident.text import shortened
from bot.slack import blocks, incidents
from bot.slack.blocks import Block, Message
from bot.slack.days import labelled
from bot.slack.timeline import QUOTED, Clocks, standing_row
from bot.slack.words import words


def value_of(packed: Mapping[str, Any]) -> str:
    """What the button that opens an incident carries; empty where Slack does not hold it, or nobody should.

    A credential is not put where it cannot be redacted any more: its text is given back instead.
    """
    if not packed:
        return ""
    value = json.dumps({"carry": dict(packed)}, ensure_ascii=False)
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in value)  # half a character is none
    is_harmless = not secrets.found(str(packed.get("line", "")))
    return value if is_text and is_harmless and len(value) <= blocks.BUTTON_VALUE else ""


def open_form(channel: str, carried: Carried, clocks: Clocks) -> Block:
    """The form behind [Open an incident], which says what becomes the first entry, and when that was."""
    view = incidents.open_form(channel)
    named: tuple[Offer, ...] = ()
    if carried.is_paste:
        said, written = words.incidents.carries_lines(count=len(carried.line.splitlines())), ""
    else:
        reading = carried.reading()
        named = offers(reading, reading.utc or carried.typed_at, clocks.now)
        written = reading.written or ""
        when = clocks.told(reading.utc or carried.typed_at, reading.end_utc, approximate=reading.approximate)
        said = words.incidents.carries(when=when, text=shortened(reading.text, 1_000))
    times = [labelled(offer.at, clocks.now) for offer in named]
    typed = words.incidents.typed(at=clocks.told(carried.typed_at), written=written, times=times)
    metadata = json.loads(view["private_metadata"]) | {"carry": carried.packed()}
    return view | {
        "blocks": [blocks.section(said), blocks.context(typed), *view["blocks"]],
        "private_metadata": json.dumps(metadata, ensure_ascii=False),
    }


def recorded(opened: Incident | None, incident: Incident, receipt: list[Block]) -> Message:
    """The incident is open and the words are in it; `opened` is None where another one was open there already."""
    if opened is not None:
        return incidents.opened(opened, receipt)
    said = words.incidents.carried_there(key=incident.key, title=incident.title)
    return blocks.whisper(said, [blocks.section(said), *receipt])


def already(incident: Incident, entry: Entry) -> list[Block]:
    """They were recorded before, and are not recorded twice."""
    text = shortened(secrets.masked(entry.text), QUOTED)
    said = words.capture.already(number=entry.number, key=incident.key, who="", text=text)
    gone = [blocks.context(words.timeline.standing(number=entry.number, struck=True))] if entry.struck else []
    return [blocks.section(said), *gone, standing_row(entry)]


def lines(incident: Incident, carried: Carried) -> list[Block]:
    """Many lines: a button that previews them, as `/timeline paste` does."""
    value = {"incident": incident.id, "line": carried.line, "typed_at": carried.typed_at.isoformat()}
    preview = blocks.button(
        "Preview the lines", "timeline_paste_open", json.dumps(value, ensure_ascii=False), style="primary"
    )
    return [blocks.section(words.incidents.carried_lines()), blocks.actions(preview)]
