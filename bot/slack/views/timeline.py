"""The timeline in Slack: times on two clocks, receipts, questions about times, offered times, and pages of entries."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from functools import cache
from itertools import groupby
from typing import Any

from bot.domain import secrets as secrets_rules
from bot.domain import text as text_rules
from bot.domain import timeline as timeline_rules
from bot.domain.incident import MILESTONE_TEXTS, text_beyond_milestone
from bot.domain.records import Case, Entry, EntryKind, Incident, Status
from bot.domain.text import format_clock, format_day, shorten
from bot.domain.timeline import TimeOffer, list_offers
from bot.domain.times import Reading, format_moment
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views import secrets as secrets_views
from bot.slack.views.blocks import Block, EncodedMessage, Message, moment_label
from bot.slack.views.templates import words


class EntryTime(StrEnum):
    """Where the time of an entry came from, if its text names another one."""

    NOW = "now"
    MESSAGE = "said"
    UNCHANGED = "kept"


def offer_note(offers: Sequence[TimeOffer], origin: EntryTime) -> list[Block]:
    """A note about the entry's time and the buttons that change it; empty if there are none."""
    return [blocks.context(words.timeline.offer(count=len(offers), origin=str(origin)))] if offers else []


def offer_buttons(entry: Entry, offers: Sequence[TimeOffer], now: datetime, **more: object) -> list[Block]:
    """A button for each offered time, which moves the entry there. `more` is added to the buttons' values."""
    return [
        blocks.button(
            f"It was {moment_label(offer.at, now)}",
            f"timeline_was_{index}",
            blocks.entry_value(
                entry,
                at=offer.at.isoformat(),
                approximate=offer.approximate,
                lasts=int(offer.lasts.total_seconds()) if offer.lasts else 0,
                **more,
            ),
        )
        for index, offer in enumerate(offers)
    ]


def add_offer(message: Message, entry: Entry, offers: Sequence[TimeOffer], now: datetime) -> Message:
    """The message with the offer below its first block, which is about the entry."""
    if not offers:
        return message
    first, *rest = message["blocks"]
    offered = [*offer_note(offers, EntryTime.NOW), blocks.actions(*offer_buttons(entry, offers, now))]
    return blocks.replace_blocks(message, [first, *offered, *rest])


QUOTED = 2_000
"""Characters of an entry's text that a message shows. The record and the exports have all of it."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The reader's clock: shows times in UTC and in their zone, and reads times in their language.

    `label` names the zone in messages; if it is empty, only UTC is shown.
    """

    now: datetime
    zone: tzinfo
    label: str
    language: str = "en"

    def format_entry(self, entry: Entry) -> str:
        """`12:05 UTC (14:05 Berlin)`, with the date unless it is today."""
        return self.format(entry.happened_at, entry.ended_at, approximate=entry.approximate)

    def describe_entry(self, entry: Entry) -> str:
        """The same, with `yesterday` and the like in front, and a note if it is in the future."""
        day, when = self.day(entry), self.format_entry(entry)
        ahead = blocks.is_ahead(entry.happened_at, self.now)
        return words.timeline.when(day=day, when=when, ahead=ahead) if day or ahead else when

    def day(self, entry: Entry) -> str:
        """`yesterday`, `3 days ago`; empty for today, and for a week or more away."""
        return self.day_of(entry.happened_at)

    def day_of(self, moment: datetime) -> str:
        """The same of a moment."""
        return blocks.relative_day(moment.date(), self.now.date())

    def format_day(self, moment: datetime) -> str:
        """`Mon 23 Nov, ` to stand before a time; empty for today."""
        return "" if moment.date() == self.now.date() else f"{format_day(moment.date(), self.now.date())}, "

    def format(self, moment: datetime, end: datetime | None = None, *, approximate: bool = False) -> str:
        """`12:05 UTC (14:05 Berlin)` of a moment, or of the range up to `end`; with the date unless it is today."""
        end = None if end == moment else end
        text = f"{_format_utc(moment, end, self.now, approximate=approximate)} UTC"
        ends = [each.astimezone(self.zone) for each in (moment, end) if each]
        if not self.label or not any(each.utcoffset() for each in ends):
            return text
        return f"{text} ({self._local(moment, ends)} {self.label})"

    def _local(self, moment: datetime, ends: list[datetime]) -> str:
        """The ends of a range, or one moment, in the reader's zone; with the day if it differs from the UTC day."""
        first, last = ends[0], ends[-1]
        if first.date() != last.date():
            return " – ".join(f"{format_day(each.date(), self.now.date())}, {each:%H:%M}" for each in ends)
        write = "{:%H:%M:%S}".format if _is_short(first, last) and last != first else format_clock
        return self._local_day(moment, first) + "–".join(map(write, ends))

    def _local_day(self, moment: datetime, local: datetime) -> str:
        """`today `, if it is yesterday in UTC already; `Mon ` if only the dates differ; else empty."""
        here = blocks.relative_day(local.date(), self.now.astimezone(self.zone).date()) or "today"
        if here in ("yesterday", "today", "tomorrow") and here != (self.day_of(moment) or "today"):
            return f"{here} "
        return "" if local.date() == moment.date() else f"{local:%a} "


def utc_label(entry: Entry, now: datetime) -> str:
    """An entry's time in UTC, with the date unless it is today."""
    return _format_utc(entry.happened_at, entry.ended_at, now, approximate=entry.approximate)


def _format_utc(
    moment: datetime, end: datetime | None, now: datetime, *, approximate: bool, named: date | None = None
) -> str:
    """`12:05`, with its day unless that is `named` already, else unless it is today."""
    end = None if end == moment else end  # a range of no length is one time
    if end and end.date() != moment.date():
        about = "~" if approximate else ""
        first, last = (format_day(each.date(), now.date()) for each in (moment, end))
        return f"{first}, {about}{moment:%H:%M} – {last}, {end:%H:%M}"
    clock = format_moment(moment, end, approximate, precise=_is_short(moment, end))
    is_known = moment.date() == (named or now.date())
    return clock if is_known else f"{format_day(moment.date(), now.date())}, {clock}"


def _is_short(moment: datetime, end: datetime | None) -> bool:
    """Whether both ends are within the same minute, so that seconds are needed."""
    return end is not None and (moment.hour, moment.minute) == (end.hour, end.minute) and end.date() == moment.date()


@dataclass(frozen=True, slots=True)
class ReceiptNotes:
    """What a receipt says besides the entry.

    `author` is the name of the person who saw it, if someone else recorded it. `unknown_zone`: the time was read in UTC
    because the author's zone is unknown. `files` are the names of its files. `named` is the reading whose times are
    offered, if that is not the reading of the entry; `origin` says where the entry's time came from. `slip` is the
    time as typed if it will come again within hours, and so may be a slip.
    """

    author: str = ""
    unknown_zone: bool = False
    files: tuple[str, ...] = ()
    named: Reading | None = None
    origin: EntryTime = EntryTime.NOW
    slip: str = ""


def receipt(
    entry: Entry, incident: Incident, clocks: Clocks, *, reading: Reading | None, notes: ReceiptNotes
) -> Message:
    """The answer to the author of a new entry. `reading` is how the typed time was read, if there was one."""
    spans = secrets_rules.find_credentials(entry.text)
    text = shorten(secrets_rules.replace_spans(entry.text, spans, secrets_rules.MASK) if spans else entry.text, QUOTED)
    when, written = clocks.describe_entry(entry), _own_clock(reading, entry, clocks)
    note = _receipt_note(entry, incident, clocks, notes)
    offers = list_offers(notes.named or reading, entry.happened_at, clocks.now)
    if not (spans or note or offers) and (usual := _fill_receipt(entry, when, text, written)):
        return usual
    summary = words.timeline.receipt(number=entry.number, when=when, text=text)
    warning = secrets_views.warning_blocks(spans, entry_ref(entry), notes.files) if spans else []
    row = edit_row(entry, written, offer_buttons(entry, offers, clocks.now))
    between = [*([blocks.context(note)] if note else []), *warning, *offer_note(offers, notes.origin)]
    # Private: the channel reads it in the live message, and fifty receipts would be noise (decision 5).
    return blocks.ephemeral(summary, blocks=[entry_section(summary, entry), *between, row])


def _receipt_note(entry: Entry, incident: Incident, clocks: Clocks, notes: ReceiptNotes) -> str:
    resolved, odd = incident.status is Status.RESOLVED, timeline_rules.is_like_command(entry.text)
    if not (resolved or odd or notes.author or notes.unknown_zone or notes.slip):
        return ""
    return words.timeline.receipt_note(
        number=entry.number,
        key=incident.key,
        resolved=resolved,
        odd=odd,
        author=notes.author,
        unknown_zone=notes.unknown_zone,
        slip=notes.slip,
        now=f"{clocks.now.astimezone(clocks.zone):%H:%M}",
    )


def usual_receipt(entry: Entry, when: str, text: str, written: str) -> Message:
    """The receipt of an entry of which there is nothing to note, warn or ask."""
    summary = words.timeline.receipt(number=entry.number, when=when, text=text)
    return blocks.ephemeral(summary, blocks=[entry_section(summary, entry), edit_row(entry, written)])


_GAPS = {"number": 9_800_000_001, "incident": 9_800_000_002, "version": 9_800_000_003}
_TEXT_GAPS = {"when": "GAP-WHEN", "text": "GAP-TEXT", "written": "GAP-WRITTEN"}
_PLAIN_CLOCK = re.compile(r"[0-9:]*", re.ASCII)
"""A time as typed that is the same within JSON within JSON."""


@cache
def _receipt_form(*, is_local: bool) -> str:
    """The usual receipt as JSON, with gaps for `%`: made once, from the words and blocks of every other one."""
    sample = Entry(
        id=0,
        incident_id=_GAPS["incident"],
        number=_GAPS["number"],
        happened_at=_SOME_TIME,
        ended_at=None,
        approximate=False,
        text="",
        author="",
        recorder="",
        recorded_at=_SOME_TIME,
        kind=EntryKind.NOTE,
        milestone=None,
        version=_GAPS["version"],
        struck=False,
    )
    written = _TEXT_GAPS["written"] if is_local else ""
    form = json.dumps(usual_receipt(sample, _TEXT_GAPS["when"], _TEXT_GAPS["text"], written)).replace("%", "%%")
    for name, mark in (_GAPS | _TEXT_GAPS).items():
        form = form.replace(str(mark), f"%({name})s")
    return form


def _fill_receipt(entry: Entry, when: str, text: str, written: str) -> EncodedMessage | None:
    """`usual_receipt` without its templates and blocks; None for one that must be shortened or escaped twice.

    Most requests end in it, and it takes a tenth of their time instead of a third.
    """
    shown = mrkdwn(text)
    is_whole = 0 < len(shown) <= QUOTED and not shown[-1].isspace()  # else the template strips the line
    if not is_whole or entry.struck or not _PLAIN_CLOCK.fullmatch(written):
        return None
    return EncodedMessage(
        _receipt_form(is_local=bool(written))
        % {
            "number": entry.number,
            "incident": entry.incident_id,
            "version": entry.version,
            "when": json.dumps(mrkdwn(when))[1:-1],
            "text": json.dumps(shown)[1:-1],
            "written": written,
        }
    )


def _own_clock(reading: Reading | None, entry: Entry, clocks: Clocks) -> str:
    """The time as typed, if it was read in the author's zone and that differs from UTC; else empty."""
    if reading is None or not reading.assumed_zone or not reading.written:
        return ""
    return reading.written if entry.happened_at.astimezone(clocks.zone).utcoffset() else ""


def entry_section(text: str, entry: Entry, *, is_harmless: bool = False) -> Block:
    """What is said of an entry, with its menu: [Edit] and [History]; or with [Restore] if it is removed."""
    this = entry_ref(entry, is_harmless=is_harmless)
    if entry.struck:
        return blocks.section(text, blocks.button("Restore", "timeline_restore", this))
    edit = blocks.button("Edit", "timeline_edit", this)
    return blocks.section(text, blocks.overflow(edit, blocks.button("History", "timeline_history", this)))


def edit_row(entry: Entry, written: str = "", offered: Sequence[Block] = (), *, is_harmless: bool = False) -> Block:
    """[Undo], and [That was UTC] if `written`, the time as typed, would be another moment in UTC.

    `offered` are buttons for other times in the text. `is_harmless`: the author confirmed that there is no credential,
    so the answers to these buttons show the text unmasked.
    """
    buttons = [blocks.button("Undo", "timeline_undo", entry_ref(entry, is_harmless=is_harmless))]
    if written:
        buttons.append(blocks.button("That was UTC", "timeline_utc", entry_ref(entry, written=written)))
    return blocks.actions(*buttons, *offered)


def entry_blocks(text: str, entry: Entry, *between: Block, is_harmless: bool = False) -> list[Block]:
    """What is said of an entry, with its menu and [Undo]; or with [Restore] if it is removed."""
    row = [] if entry.struck else [edit_row(entry, is_harmless=is_harmless)]
    return [entry_section(text, entry, is_harmless=is_harmless), *between, *row]


def entry_ref(entry: Entry, *, is_harmless: bool = False, **more: str) -> str:
    """The value of a button about an entry. The handler checks that the entry belongs to the channel."""
    return blocks.entry_value(entry, **(more | ({"harmless": True} if is_harmless else {})))


def already_recorded_message(incident: Incident, same: tuple[int, int], reading: Reading, moment: datetime) -> Message:
    """The same text was recorded a moment ago; `same` is the number and version of that entry.

    A button adds it again at the time that was meant.
    """
    number, version = same
    text = words.timeline.already(number=number, text=shorten(secrets_rules.mask_credentials(reading.text), QUOTED))
    value = blocks.incident_value(incident, entry=number, version=version, **time_value(reading, moment))
    return blocks.ephemeral(text, blocks.actions(blocks.button("Add it again", "timeline_again", value)))


def time_value(reading: Reading, moment: datetime | None) -> dict[str, Any]:
    """A time in a button's value. None means the moment of the click."""
    if moment is None:
        return {"at": ""}
    lasts = reading.end_utc - moment if reading.end_utc else reading.lasts
    return {
        "at": moment.isoformat(),
        "approximate": reading.approximate,
        "lasts": int(lasts.total_seconds()) if lasts else 0,
    }


# As long as any moment can be written, to measure a button's value before the moment of the question is known.
_SOME_TIME = datetime(2026, 11, 23, 12, 30, 0, 1, UTC)


def _reading_value(reading: Reading, moment: datetime | None, asked_at: datetime = _SOME_TIME) -> str:
    value = {"text": reading.text, **time_value(reading, moment), "asked": asked_at.isoformat()}
    # Not escaped: Slack limits a button's value by characters, and one escaped letter counts as six.
    return json.dumps(value, ensure_ascii=False)


def can_ask_time(reading: Reading) -> bool:
    """Whether the text fits into the buttons of the question."""
    choices = (None, *(reading.question or ()))
    return all(len(_reading_value(reading, choice)) <= blocks.BUTTON_VALUE for choice in choices)


def time_question(reading: Reading, clocks: Clocks) -> Message:
    """A time with several readings, one button each."""
    text = words.timeline.asked(problem=reading.problem, text=shorten(reading.text, QUOTED).replace("\n", "\n>"))
    buttons = [
        choice_button(choice, clocks, f"timeline_at_{index}", _reading_value(reading, choice, clocks.now))
        for index, choice in enumerate(timeline_rules.list_choices(reading.question, clocks.now))
    ]
    buttons.append(blocks.button("Just now", "timeline_at_now", _reading_value(reading, None, clocks.now)))
    return blocks.ephemeral(text, blocks.actions(*buttons))


def choice_button(moment: datetime, clocks: Clocks, action_id: str, value: str) -> Block:
    """`[Yesterday 14:00 UTC (15:00 Berlin)]`."""
    return blocks.button(text_rules.capitalize_title(choice_label(moment, clocks)), action_id, value)


def choice_label(moment: datetime, clocks: Clocks) -> str:
    """`yesterday 14:00 UTC (15:00 Berlin)`, `today 14:00 UTC (15:00 Berlin), still to come`."""
    local = moment.astimezone(clocks.zone)
    text = blocks.moment_label(moment, clocks.now)
    if moment.date() == clocks.now.date() and not text.startswith("today"):
        text = f"today {text}"
    if local.utcoffset() != moment.utcoffset() and clocks.label:
        day = "" if local.date() == moment.date() else f"{local:%a} "
        text += f" ({day}{local:%H:%M} {clocks.label})"
    return f"{text}, still to come" if blocks.is_ahead(moment, clocks.now) else text


def entry_lines(entries: Iterable[Entry], case: Case, now: datetime, *, zone: str = "", most: int = 500) -> list[str]:
    """Entries as lines of mrkdwn, each with at most so many characters of its text; `zone` is named with its time.

    Several in a row of another day than today have that day once above them, and not each.
    """
    lines: list[str] = []
    for day, of_day in groupby(entries, key=_day_of):
        run = list(of_day)
        is_headed = len(run) > 1 and day not in (None, now.date())
        if is_headed and day is not None:
            lines.append(f"*{format_day(day, now.date())}*")
        lines += [entry_line(one, case, now, zone=zone, most=most, named=day if is_headed else None) for one in run]
    return lines


def _day_of(entry: Entry) -> date | None:
    """The day of an entry; None if it went on into another."""
    day = entry.happened_at.date()
    return day if entry.ended_at is None or entry.ended_at.date() == day else None


def entry_line(
    entry: Entry, case: Case, now: datetime, *, zone: str = "", most: int = 500, named: date | None = None
) -> str:
    """One such line; its day is said unless it is `named` already, or today."""
    label = _format_utc(entry.happened_at, entry.ended_at, now, approximate=entry.approximate, named=named)
    return words.timeline.line(
        when=f"{label} {zone}".rstrip(),
        ahead=blocks.is_ahead(entry.happened_at, now),
        text=shorten(text_rules.flatten(secrets_rules.mask_credentials(entry.text)), most),
        author=case.name(entry.author),
        recorder=case.name(entry.recorder) if entry.recorder in case.doubtful - {entry.author} else "",
        number=entry.number,
        change=entry.source_change,
        milestone=MILESTONE_TEXTS[entry.milestone]
        if entry.milestone and text_beyond_milestone(entry.milestone, entry.text)
        else "",
    )


def add_form(channel: str, incident_id: int | None, label: str) -> Block:
    """The form behind [Add entry], for the incident of the live message."""
    return blocks.modal(
        "Add to the timeline",
        "timeline_add",
        [
            blocks.text_field(
                "What happened?",
                "line",
                multiline=True,
                placeholder="14:05 failed over to replica",
                hint=words.timeline.field_hint(zone=label or "UTC"),
            )
        ],
        submit="Add",
        private_metadata=json.dumps({"channel": channel, "incident": incident_id}),
    )


LATEST = 8
"""Entries that `/timeline` shows without a text."""

PAGE = 100
"""Entries on a page; fewer if their texts are long."""

_ROOM = blocks.MESSAGE - 500


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Consecutive entries: `skipped` of the `total` come before them. With `since`, earlier ones are not counted."""

    case: Case
    entries: tuple[Entry, ...]
    skipped: int
    total: int
    since: datetime | None = None


def fit_entries(case: Case, entries: tuple[Entry, ...], now: datetime, *, from_end: bool) -> tuple[Entry, ...]:
    """The first entries that fit into one message, or with `from_end` the last."""
    fitting: list[Entry] = []
    room = _ROOM
    for entry in reversed(entries) if from_end else entries:
        room -= len(entry_line(entry, case, now)) + 1
        if room < 0:
            break
        fitting.append(entry)
    return tuple(reversed(fitting) if from_end else fitting)


def page_message(page: TimelinePage, now: datetime) -> Message:
    """One page, with buttons to the pages before and after it."""
    shown = _page_blocks(page, now)
    return blocks.ephemeral(shown[0]["text"]["text"], blocks=[*shown, *_page_buttons(page)])


def _page_blocks(page: TimelinePage, now: datetime) -> list[Block]:
    incident = page.case.incident
    text = words.timeline.heading(
        key=incident.key,
        title=incident.title,
        first=page.skipped + 1,
        last=page.skipped + len(page.entries),
        total=page.total,
        since=_since_label(page.since, now),
    )
    return [blocks.section(text), *blocks.sections("\n".join(entry_lines(page.entries, page.case, now)))]


def _since_label(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return (
        f"{moment:%H:%M}" if moment.date() == now.date() else f"{format_day(moment.date(), now.date())}, {moment:%H:%M}"
    )


def _page_buttons(page: TimelinePage) -> list[Block]:
    buttons = []
    if page.skipped:
        buttons.append(blocks.button("Older", "timeline_older", _page_value(page, page.entries[0], "older")))
    if page.skipped + len(page.entries) < page.total:
        buttons.append(blocks.button("Newer", "timeline_newer", _page_value(page, page.entries[-1], "newer")))
    return [blocks.actions(*buttons)] if buttons else []


def _page_value(page: TimelinePage, entry: Entry, way: str) -> str:
    since = page.since.isoformat() if page.since else ""
    at = {"at": entry.happened_at.isoformat(), "number": entry.number}
    return json.dumps({"incident": entry.incident_id, "way": way, "since": since, **at})


def overview(page: TimelinePage, clocks: Clocks) -> Message:
    """The latest entries and a form."""
    form = blocks.input_block(
        words.timeline.field_label(),
        blocks.text_input(
            "timeline_entered",
            placeholder="14:05 failed over to replica",
            dispatch_action_config={"trigger_actions_on": ["on_enter_pressed"]},
        ),
        block_id="timeline_form",
        hint=words.timeline.field_hint(zone=clocks.label or "UTC"),
        dispatch_action=True,
    )
    shown = _page_blocks(page, clocks.now)
    return blocks.ephemeral(shown[0]["text"]["text"], blocks=[*shown, form])
