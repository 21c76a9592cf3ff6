"""A paste in Slack: the form, the preview of how each line is read, and the receipt."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from bot import bounds
from bot.domain import secrets as secrets_rules
from bot.domain import text as text_rules
from bot.domain.pasting.paste import ContextLine, PastedLine, PasteReading, describe_too_much
from bot.domain.records import Entry, Incident, Status
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, format_day, shorten
from bot.domain.times.zones import label_of
from bot.slack.views import blocks
from bot.slack.views import secrets as secrets_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks

FIELDS = ("paste_1", "paste_2", "paste_3")
FIELD_HOLDS = bounds.PASTE // len(FIELDS)
TICKS = "paste_lines_"
MOST_UNREAD = 20
MOST_HEEDED = 12
MOST_WARNED = 5


@dataclass(frozen=True, slots=True)
class PasteInput:
    """The form's values: three text fields, and how times are read (`zone` is `author` or `UTC`)."""

    fields: tuple[str, ...] = ("", "", "")
    zone: str = "author"
    rolls: bool = False

    @property
    def text(self) -> str:
        """The whole text. Blank lines at the ends of a field are dropped, since Slack may drop them, too."""
        pieces = (clean_input(piece, "That paste") for piece in self.fields)
        return "\n".join(piece for piece in pieces if piece)

    @property
    def digest(self) -> str:
        """Identifies the text of a preview."""
        return hashlib.sha256(f"{self.zone}\x00{self.rolls}\x00{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Choice:
    """A line that can be recorded. `already` is the number of an entry with the same text, or 0."""

    line: PastedLine
    already: int

    @property
    def is_ticked(self) -> bool:
        """Whether it is ticked at first."""
        return not self.already and not self.line.may_be_next_day


def paste_form(incident: Incident, pasted: PasteInput, clocks: Clocks, home_label: str) -> Block:
    """The form for the lines. `home_label` names the person's zone."""
    return _modal(incident, _inputs(pasted, home_label, optional=False), "Preview", {"at": clocks.now.isoformat()})


def preview_form(
    incident: Incident, pasted: PasteInput, choices: tuple[Choice, ...], sheet: PasteReading, clocks: Clocks
) -> Block:
    """How each line is read, with checkboxes. The text is below; submitting it changed shows a new preview."""
    unread = [line for line in sheet.lines if not line.can_be_recorded]
    ticked = sum(choice.is_ticked for choice in choices)
    text = words.paste.nothing_readable(asked=len(unread))
    if choices:
        text = words.paste.preview(count=len(choices), ticked=ticked, asked=len(unread), key=incident.key)
    groups = [choices[at : at + blocks.GROUP] for at in range(0, len(choices), blocks.GROUP)]
    shown = [
        blocks.section(text),
        *_unread_blocks(sheet.lines, clocks),
        *([blocks.context(words.paste.how_to_fix())] if unread else []),
        *_heading_notes(sheet.heeded, choices, clocks.now.date()),
        *(_group(group, number, pasted.digest, clocks) for number, group in enumerate(groups)),
        blocks.divider(),
        *_inputs(pasted, clocks.label, optional=True),
    ]
    carried = {"at": clocks.now.isoformat(), "digest": pasted.digest if choices else ""}
    return _modal(incident, shown, "Record" if choices else "Preview", carried)


def _modal(incident: Incident, shown: list[Block], submit: str, carried: dict[str, str]) -> Block:
    metadata = blocks.incident_value(incident, channel=incident.channel, **carried)
    return blocks.modal("Paste entries", "timeline_paste", shown, submit=submit, private_metadata=metadata)


def _inputs(pasted: PasteInput, home_label: str, *, optional: bool) -> list[Block]:
    fields = [
        blocks.text_field(
            "Lines to add" if number == 0 else "More lines",
            name,
            multiline=True,
            initial_value=piece,
            placeholder="14:02 first alert\n14:05 failed over to replica" if number == 0 else "",
            hint=words.paste.fields_hint(zone=home_label or "UTC") if number == 0 else "",
            optional=optional or number > 0,
        )
        for number, (name, piece) in enumerate(zip(FIELDS, pasted.fields, strict=True))
    ]
    zone = [_zone(pasted.zone, home_label)] if home_label else []
    return [*fields, *zone, _midnight_checkbox(ticked=pasted.rolls)]


def _zone(chosen: str, home_label: str) -> Block:
    options = {"author": blocks.option(f"{home_label} (your time zone)", "author"), "UTC": blocks.option("UTC", "UTC")}
    menu = blocks.menu("paste_zone", options.values(), options[chosen])
    return blocks.input_block("Zone of times without one", menu)


def _midnight_checkbox(*, ticked: bool) -> Block:
    only = blocks.option("When a time jumps back by half a day, it's the next day", "rolls")
    return blocks.checkboxes("Lines past midnight", "paste_rolls", [(only, ticked)])


def _group(group: tuple[Choice, ...], number: int, digest: str, clocks: Clocks) -> Block:
    label = words.paste.group_label(first=group[0].line.number, last=group[-1].line.number)
    options = [(_option(choice, clocks), choice.is_ticked) for choice in group]
    # The block id depends on the text. Under the same id Slack would keep the ticks of another preview.
    return blocks.checkboxes(label, f"{TICKS}{number}", options, block_id=f"{TICKS}{number}_{digest}")


def _option(choice: Choice, clocks: Clocks) -> Block:
    line = choice.line
    note = _note(choice)
    more = f" (+{line.more} lines)" if line.more > 1 else " (+1 line)" if line.more else ""
    text = shorten(text_rules.flatten(line.text), 75 - len(more)) + more
    when = moment_label(line, clocks)
    # An option is short: rather without the local time than without the note.
    if len(when + note) > blocks.OPTION:
        when = moment_label(line, replace(clocks, label=""))
    return blocks.option(when + note, str(line.number), text)


def _note(choice: Choice) -> str:
    line = choice.line
    note = words.paste.choice_note(
        already=choice.already,
        is_earlier=line.is_earlier,
        may_be_next_day=line.may_be_next_day,
        mentioning=line.also_names[0] if line.also_names else None,
    )
    return f" · {note}" if note else ""


def moment_label(line: PastedLine, clocks: Clocks) -> str:
    """`Tue 20 Feb 2018, 13:17 UTC (14:17 Berlin)`: the time of a line, on both clocks if `clocks` has a label."""
    reading = line.reading
    return clocks.format(reading.utc, reading.end_utc, approximate=reading.approximate) if reading.utc else ""


def _unread_blocks(lines: tuple[PastedLine, ...], clocks: Clocks) -> list[Block]:
    """The lines that cannot be recorded, with the reason. Neighbours with the same reason are one item."""
    by_reason = groupby(lines, key=lambda line: (line.problem, line.reading.offer))
    groups = [list(group) for (problem, _), group in by_reason if problem]
    shown = [_unread_line(group, clocks) for group in groups[:MOST_UNREAD]]
    if rest := sum(len(group) for group in groups[MOST_UNREAD:]):
        shown.append(words.paste.more_unread(count=rest))
    return blocks.sections("\n".join(shown))


def _unread_line(group: list[PastedLine], clocks: Clocks) -> str:
    first, last = group[0], group[-1]
    offered = [clocks.format(moment) for moment in first.reading.offer or ()] if len(group) == 1 else []
    return words.paste.unread(
        first=first.number,
        last=last.number,
        written=shorten(first.written, 120),
        problem=first.problem,
        offered=" or ".join(offered),
    )


def _heading_notes(heeded: tuple[ContextLine, ...], choices: tuple[Choice, ...], today: date) -> list[Block]:
    """Which lines were read as headings, and how many lines may belong to the next day."""
    named = [
        words.paste.counts(number=line.number, day=_day(line, today), zone=label_of(line.zone) if line.zone else "")
        for line in heeded
        if line.day or line.zone
    ]
    shown = []
    if named:
        shown.append(blocks.context(words.paste.headings(named=named[:MOST_HEEDED], more=len(named[MOST_HEEDED:]))))
    if nights := sum(choice.line.may_be_next_day for choice in choices):
        shown.append(blocks.context(words.paste.nights(count=nights)))
    return shown


def _day(line: ContextLine, today: date) -> str:
    return format_day(line.day, today) if line.day else ""


def split_text(text: str) -> PasteInput:
    """A text split between lines into the three fields. Raises Refused if it does not fit."""
    pieces: list[str] = []
    rest = text
    for _ in FIELDS:
        end = len(rest) if len(rest) <= FIELD_HOLDS else rest.rfind("\n", 0, FIELD_HOLDS) + 1 or FIELD_HOLDS
        pieces.append(rest[:end].strip("\n"))
        rest = rest[end:]
    if rest.strip():
        raise describe_too_much(text)
    return PasteInput(tuple(pieces))


def read_input(values: dict[str, object]) -> PasteInput:
    """The values of a submitted form."""
    fields = tuple(str(values.get(name) or "") for name in FIELDS)
    return PasteInput(fields, str(values.get("paste_zone") or "author"), bool(values.get("paste_rolls")))


def read_ticked(values: dict[str, object]) -> frozenset[int]:
    """The numbers of the lines that are ticked."""
    return frozenset(map(int, blocks.read_ticked(values, TICKS)))


def receipt(incident: Incident, entries: list[Entry], left_out: int) -> Message:
    """What was recorded, with the entries' numbers, and a warning for each possible credential."""
    first, last = entries[0].number, entries[-1].number
    resolved = incident.status is Status.RESOLVED
    text = words.paste.recorded(
        count=len(entries), first=first, last=last, key=incident.key, left_out=left_out, resolved=resolved
    )
    hint = words.paste.recorded_hint(first=first)
    return blocks.ephemeral(text, blocks.context(hint), *_warnings(incident, entries))


def _warnings(incident: Incident, entries: list[Entry]) -> list[Block]:
    risky = [(entry, spans) for entry in entries if (spans := secrets_rules.find_credentials(entry.text))]
    shown: list[Block] = []
    for entry, spans in risky[:MOST_WARNED]:
        subject = RecordRef(RecordKind.ENTRY, str(entry.number))
        shown += secrets_views.warning_message(spans, subject, incident)["blocks"]
    if len(risky) > MOST_WARNED:
        rest = ", ".join(f"#{entry.number}" for entry, _ in risky[MOST_WARNED:])
        shown.append(blocks.context(words.paste.more_risky(numbers=rest)))
    return shown


def read_preview_time(metadata: dict[str, object], now: datetime) -> datetime:
    """When the preview was made. Times relative to now keep the meaning that the preview showed."""
    written = metadata.get("at")
    return datetime.fromisoformat(written) if isinstance(written, str) and written else now
