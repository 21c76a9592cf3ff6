"""Slack messages that become entries: each once, at its own time, with author, link and files."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import records as records_rules
from bot.domain import secrets as secrets_rules
from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.records import Entry, Incident, Person, Place
from bot.domain.text import clean_input, require_length, shorten
from bot.domain.timeline import ChosenTime, PendingEntry, list_offers, with_words, zone_name
from bot.domain.times import Reading
from bot.errors import Refused
from bot.services.context import NO_INCIDENT, Request, Services, run_once
from bot.services.corrections import amend_entry, require_active
from bot.services.timeline import read_clocks, read_own_clocks, require_same_incident
from bot.slack.directory import find_language
from bot.slack.messages_in import MessageFile, SlackMessage, add_source
from bot.slack.views import blocks
from bot.slack.views import corrections as corrections_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import EntryTime
from storage import attachments as attachments_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.attachments import NewAttachment
from storage.database.statements import Transaction
from storage.timeline import NewEntry

MARKED = "marked"
"""How an entry came about that a reaction recorded: taking the reaction away takes only such an entry back."""


@dataclass(frozen=True, slots=True)
class CaptureAnswer:
    """The answer to a captured message: a receipt if it is recorded, or a question about its time.

    `is_telling`: the receipt says more than the mark on the message does.
    """

    reply: Message | None
    is_recorded: bool
    is_telling: bool = True


@dataclass(frozen=True, slots=True)
class CapturedEntry:
    """An entry to add. `seen_by` is the author's name if another person recorded it.

    `typed` is the text said to the bot with the time it begins with, and when it was said. `named` is the reading of a
    message that is recorded at the time it was said: the times that it mentions are offered. `asked_at` is when the
    question about its time was asked, if one of its buttons was pressed: such an entry restores nothing.
    """

    new: NewEntry
    files: tuple[MessageFile, ...]
    clocks: timeline_views.Clocks
    change: str = "added"
    seen_by: str = ""
    reading: Reading | None = None
    unknown_zone: bool = False
    typed: tuple[str, datetime] | None = None
    named: Reading | None = None
    asked_at: datetime | None = None


async def record(
    services: Services, request: Request, message: SlackMessage, link: str, *, by_reaction: bool
) -> CaptureAnswer:
    """Record a message as it was written: text, time and author. The person who asks is the recorder."""
    if message.is_ours:
        raise Refused(words.capture.own_words())
    _require_time(message)
    line = require_length(await services.slack.directory.resolve_names(request.team, message.text), "That message")
    text = read_text(message, line)
    author = await find_author(services, request.team, message)
    named = times.read(line, message.at, services.zone_for(author), language=find_language(author))
    reader = await services.slack.directory.look_up(request.team, request.user)
    new = NewEntry(message.at, text, author.id, request.user, request.now, permalink=link, source=message.source)
    change = MARKED if by_reaction else "added"
    seen_by = author.name if author.id != request.user else ""
    clocks = read_clocks(services, reader, request.now)
    receipt = await _record(
        services, request, CapturedEntry(new, message.files, clocks, change, seen_by=seen_by, named=named)
    )
    is_telling = is_risky(message) or bool(list_offers(named, message.at, request.now))
    return CaptureAnswer(receipt, is_recorded=True, is_telling=is_telling)


async def record_mention(
    services: Services, request: Request, message: SlackMessage, line: str, link: str
) -> CaptureAnswer:
    """Record what was said to the bot, at the time it begins with, or else at the time of the message.

    The answer is a receipt if a time was typed, and a question if the time has no single reading.
    """
    _require_time(message)
    person = await services.slack.directory.look_up(request.team, request.user)
    clocks = read_clocks(services, person, message.at)
    line = require_length(await services.slack.directory.resolve_names(request.team, line), "That message")
    reading = times.read(line, message.at, clocks.zone, language=clocks.language)
    if reading.question is not None:
        timeline_rules.require_text(reading.text)
        if not timeline_views.can_ask_time(reading):
            raise Refused(words.capture.too_long_to_ask())
        return CaptureAnswer(
            add_source(timeline_views.time_question(reading, clocks), message.source), is_recorded=False
        )
    moment = reading.utc or message.at
    timeline_rules.require_past(moment, request.now)
    text = read_text(message, reading.text)
    new = NewEntry(moment, text, request.user, request.user, request.now, reading.end_utc, reading.approximate)
    capture = CapturedEntry(
        replace(new, permalink=link, source=message.source),
        message.files,
        replace(clocks, now=request.now),
        reading=reading,
        unknown_zone=reading.assumed_zone and services.lacks_zone(person),
        typed=(line, message.at) if reading.utc is not None and reading.text else None,
    )
    receipt = await _record(services, request, capture)
    is_telling = reading.utc is not None or is_risky(message) or bool(list_offers(reading, moment, request.now))
    return CaptureAnswer(receipt, is_recorded=True, is_telling=is_telling)


async def record_at(
    services: Services, request: Request, message: SlackMessage, chosen: ChosenTime, link: str
) -> Message | None:
    """Record a message at the time that its author chose."""
    _require_time(message)
    moment = chosen.at or message.at
    timeline_rules.require_chosen(moment, request.now)
    end = moment + chosen.lasts if chosen.lasts else None
    text = timeline_rules.require_text(clean_input(chosen.text, "That entry"))
    new = NewEntry(moment, text, request.user, request.user, request.now, end, chosen.approximate)
    clocks = await read_own_clocks(services, request)
    capture = CapturedEntry(
        replace(new, permalink=link, source=message.source), message.files, clocks, asked_at=chosen.asked_at
    )
    return await _record(services, request, capture)


async def withdraw(services: Services, request: Request, source: str) -> bool:
    """Take back an entry that a reaction recorded, once the last such reaction is gone; whether there was one."""

    def unit(tx: Transaction) -> Message | None:
        incident = incidents_store.find_current(tx, request.place, locking=True)
        entry = timeline_store.find_by_source(tx, incident.id, source) if incident else None
        if incident is None or entry is None or entry.struck:
            return None
        # One that a person recorded by hand is not undone by someone else's reaction.
        if timeline_store.list_versions(tx, entry.id)[0].change != MARKED:
            return None
        changed = replace(entry, struck=True)
        return corrections_views.strike_receipt(*amend_entry(tx, services, request, (incident, changed), "struck"))

    return await run_once(services, request, unit, verb="capture.let_go") is not None


async def mark_changed(services: Services, place: Place, source: str, change: str) -> None:
    """Mark the entries captured from a message that was `edited` or `deleted` since."""
    # Slack reports every edit in the channel, and nearly all are of messages that were not captured: a read is cheaper
    # than a transaction of the writer.
    if not await services.store.read(lambda tx: timeline_store.list_unmarked_captures(tx, place, source, change)):
        return

    def unit(tx: Transaction) -> None:
        for entry_id, _ in timeline_store.list_unmarked_captures(tx, place, source, change):
            timeline_store.mark_change(tx, entry_id, change)

    await services.store.write(unit)
    services.slack.live_messages.mark_stale(place, None)


def is_risky(message: SlackMessage) -> bool:
    """Whether the message seems to hold a credential: then its receipt, with [Redact], must be shown."""
    return bool(secrets_rules.find_credentials(message.text))


async def _record(services: Services, request: Request, capture: CapturedEntry) -> Message | None:
    def unit(tx: Transaction) -> Message:
        incident = incidents_store.find_current(tx, request.place, locking=True)
        if incident is None:
            raise Refused(NO_INCIDENT, offer="open_incident")
        require_same_incident(incident, capture.asked_at)
        # By the message, not by its text: a shortcut, a reaction and a mention may all record the same one.
        entry = timeline_store.find_by_source(tx, incident.id, capture.new.source)
        if entry is not None and capture.asked_at is not None:
            require_active(tx, services, request, entry)
        if entry is None:
            entry, incident = _add(tx, request, capture)
            return receipt(entry, incident, capture, add_files(tx, entry, capture.files))
        if not entry.struck:
            return _already_recorded_message(services, entry, incident, capture)
        changed = replace(entry, struck=False)
        return corrections_views.restore_receipt(*amend_entry(tx, services, request, (incident, changed), "restored"))

    try:
        return await run_once(services, request, unit, verb="capture.record")
    except Refused as refused:
        raise with_words(refused, _pending_entry(request, capture)) from refused


def _pending_entry(request: Request, capture: CapturedEntry) -> PendingEntry:
    """What the button that opens an incident takes along: all of the message, as it would have been recorded now."""
    new = capture.new
    line, typed_at = capture.typed or (new.text, request.now)
    return PendingEntry(
        line,
        typed_at,
        zone_name(capture.clocks.zone),
        request.place.channel,
        request.key,
        author=new.author if new.author != request.user else "",
        link=new.permalink,
        source=new.source,
        is_marked=capture.change == MARKED,
        files=tuple((file.name, file.media_type, file.size, file.address) for file in capture.files),
        at=None if capture.typed else new.happened_at,
        ended_at=None if capture.typed else new.ended_at,
        approximate=new.approximate and not capture.typed,
        language=capture.clocks.language,
        names_times=capture.named is not None,
    )


def _add(tx: Transaction, request: Request, capture: CapturedEntry) -> tuple[Entry, Incident]:
    taken = incidents_store.take_entry_number(tx, request.place)
    if taken is None:  # it is over, and its postmortem is published
        raise Refused(NO_INCIDENT, offer="open_incident")
    incident, number = taken
    return timeline_store.add(tx, incident.id, number, capture.new, capture.change), incident


def add_files(tx: Transaction, entry: Entry, files: tuple[MessageFile, ...]) -> list[NewAttachment]:
    """Save the files of a message as wanted, or as refused if Slack says that they are too large."""
    found = []
    for file in files:
        why_not = records_rules.describe_too_large(file.size, attachments_store.sum_sizes(tx, entry.incident_id))
        found.append(NewAttachment(file.name, file.media_type, file.size, file.address, why_not))
        attachments_store.enqueue(tx, entry.id, found[-1], entry.recorded_at)
    return found


def receipt(entry: Entry, incident: Incident, capture: CapturedEntry, files: list[NewAttachment]) -> Message:
    """The receipt for the recorder; `files` are those that `add_files` saved."""
    notes = timeline_views.ReceiptNotes(
        capture.seen_by,
        capture.unknown_zone,
        tuple(file.name for file in files if not file.note),
        capture.named,
        EntryTime.MESSAGE,
    )
    shown = timeline_views.receipt(entry, incident, capture.clocks, reading=capture.reading, notes=notes)
    if not files:
        return shown
    *above, buttons = shown["blocks"]
    refused = [file for file in files if file.note]
    note = blocks.context(words.capture.files_note(count=len(files) - len(refused), refused=refused))
    return blocks.replace_blocks(shown, [*above, note, buttons])


def _already_recorded_message(services: Services, entry: Entry, incident: Incident, capture: CapturedEntry) -> Message:
    by = entry.recorder if entry.recorder != capture.new.recorder else ""
    text = words.capture.already(
        number=entry.number,
        key=incident.key,
        who=services.slack.directory.name_or_id(incident.team, by) if by else "",
        text=shorten(secrets_rules.mask_credentials(entry.text), timeline_views.QUOTED),
    )
    return blocks.ephemeral(text, blocks=timeline_views.entry_blocks(text, entry))


def read_text(message: SlackMessage, text: str) -> str:
    """The words of an entry; of a message that is nothing but files, what was shared. Raises Refused for no words."""
    text = clean_input(text, "That message")
    if not text and message.files:
        return clean_input("Shared " + ", ".join(file.name for file in message.files))
    if not text:
        raise Refused(words.capture.empty())
    return text


async def find_author(services: Services, team: str, message: SlackMessage) -> Person:
    """The author of a message. A bot that is no member is saved by its display name. Raises Refused for none."""
    if not message.author:
        raise Refused(words.capture.no_author())
    if message.author.startswith(("U", "W")):
        return await services.slack.directory.look_up_as(
            team, message.author, message.called, is_bot=bool(message.bot_name)
        )
    before = services.slack.directory.get(team, message.author)
    if before is not None and not message.called:
        return before
    return await services.slack.directory.learn(
        team, {"id": message.author, "real_name": message.bot_name, "is_bot": True}
    )


def _require_time(message: SlackMessage) -> None:
    if not message.ts:
        raise Refused(words.capture.undated())
