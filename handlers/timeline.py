"""`/timeline`, the buttons of its receipts, and the windows of `/timeline paste`."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.records import Place
from bot.domain.secrets import RecordKind, RecordRef, read_quoted
from bot.domain.timeline import TimeOffer, unpack_pending_entry
from bot.errors import Refused
from bot.services import corrections as corrections_service
from bot.services import incidents as incidents_service
from bot.services import secrets as secrets_service
from bot.services import timeline as timeline_service
from bot.services.corrections import SeenEntry, ShownVersion
from bot.services.timeline import TypedLine
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import pending_value
from bot.slack.views.secrets import read_locations, read_subject
from handlers.boundary import Boundary, HandlerTable
from handlers.command_table import ALONE, ANYTHING, MAYBE_TEXT, TEXT, CommandTable, Verb
from handlers.requests import Click, Command, Form, Submission, asked_at_in, chosen_in

_NUMBER = r"\s+#?(?P<number>\d{1,6})"
_SINCE = r"\s+since\s+(?P<count>\d{1,4})\s*(?P<unit>[mhd])(?:in|ours?|ays?)?"
# A paste has several lines, or begins on the next line: "paste service is down" is an entry.
_LINES = r"(?:[^\S\n]*+\n|\s++(?=[\[(~*-]?+\s*+[0-9].*\n))(?P<text>.*)"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


async def _show_since(boundary: Boundary, command: Command) -> Message:
    since = timedelta(**{_UNITS[command.part("unit").lower()]: int(command.part("count"))})
    return await timeline_service.show(boundary.services, command.request, since)


async def _paste(boundary: Boundary, command: Command) -> Form:
    return Form(await timeline_service.form(boundary.services, command.request, command.rest))


async def _redact(boundary: Boundary, command: Command) -> Message | None:
    """Words between quotation marks. Without them they are asked for, for recording them would spread them."""
    words = read_quoted(command.rest)
    if not words:
        raise Refused(f'Put the words to redact in quotation marks: `/timeline redact {command.number} "the words"`')
    subject = RecordRef(RecordKind.ENTRY, str(command.number))
    return await secrets_service.redact_words(boundary.services, command.request, subject, words)


TIMELINE = CommandTable(
    "/timeline",
    "Record the timeline, in UTC",
    "*Record what happens, as it happens.* One line is enough. If it wasn't just now, put the time first.",
    rows=(
        (
            Verb("", ANYTHING, lambda b, c: timeline_service.record(b.services, c.request, TypedLine(c.rest)),
                 "records what happened. Without a time: now", "14:05 failed over to replica",
                 usage="[time] what happened", is_default=True, is_recording=True),
        ),
        (
            Verb("", ALONE, lambda b, c: timeline_service.overview(b.services, c.request),
                 "shows the latest entries", ""),
            Verb("show", ALONE, lambda b, c: timeline_service.show(b.services, c.request, None),
                 "shows all entries", "show",
                 usage="show"),
            Verb("show", _SINCE, _show_since, "shows the last two hours", "show since 2h"),
            Verb("show", _NUMBER, lambda b, c: corrections_service.show_history(b.services, c.request, c.number),
                 "shows one with its history", "show {entry}"),
        ),
        (
            Verb("edit", _NUMBER + TEXT, lambda b, c: corrections_service.edit(b.services, c.request, c.number, c.rest),
                 "corrects it. Every wording is kept", "edit {entry} 14:10 failed over to replica 2",
                 usage="edit 4 …"),
            Verb("edit", _NUMBER, lambda b, c: corrections_service.show(b.services, c.request, c.number),
                 "shows it with its buttons", "edit {entry}"),
            Verb("delete", _NUMBER, lambda b, c: corrections_service.strike(b.services, c.request, c.number),
                 "removes it", "delete {entry}"),
            Verb("undo", ALONE, lambda b, c: corrections_service.strike(b.services, c.request, None),
                 "removes your latest one", "undo", usage="undo"),
            Verb("redact", _NUMBER + MAYBE_TEXT, _redact, "removes these words for good, from every version",
                 'redact {entry} "a customer\'s name"', harmful=True),
        ),
        (
            Verb("paste", ALONE, _paste, "takes many lines at once. You see how each is read first",
                 "paste", others=(f"paste{_LINES}",), usage="paste"),
        ),
    ),
    notes=(
        "• In threads: the shortcut *Add to timeline*, the reaction :{reaction}:, or `@afterword 14:05 failed over`",
        ("Times: `14:05`, `2:05pm`, `14:05 CET`, `10 min ago`, `-10m`, `yesterday 23:50`, `Nov 23 14:05`; also at the "
        "end after ` | `. Without a zone, your own is used. Times are kept in UTC. If there's a time elsewhere in "
        "the line, the receipt offers it."),
    ),
    missing="",
)  # fmt: skip


async def _preview_pending(boundary: Boundary, click: Click) -> Block:
    """[Preview the lines] that an incident was opened with. Their times are read as of when they were typed."""
    request = replace(click.request, now=datetime.fromisoformat(click.value["typed_at"]))
    return await timeline_service.form(boundary.services, request, str(click.value["line"]))


async def _was_utc(boundary: Boundary, click: Click) -> Message | None:
    written, pressed = str(click.value["written"]), ShownVersion.of(click.value)
    return await corrections_service.read_as_utc(boundary.services, click.request, _number(click), written, pressed)


async def _was_at(boundary: Boundary, click: Click) -> Message | None:
    """[It was 17:31 UTC] below an entry whose words name a time."""
    value, request = click.value, click.request
    if channel := value.get("channel"):  # pressed in a DM, below an entry that a history scan recorded
        request = replace(request, place=Place(request.team, str(channel)))
    chosen = chosen_in(value)
    offer = TimeOffer(chosen.at or request.now, chosen.lasts, chosen.approximate)
    return await corrections_service.move_to(boundary.services, request, _seen_entry(value), offer)


async def _edit_at(boundary: Boundary, click: Click) -> Message | None:
    """One of the readings of the time in `/timeline edit`, or that the time stays."""
    reading = chosen_in(click.value).reading()
    return await corrections_service.edit_at(boundary.services, click.request, _seen_entry(click.value), reading)


async def _record_again(boundary: Boundary, click: Click) -> Message | None:
    """[Add it again] on a repeat."""
    version = int(click.value.get("version") or 1)
    text = await timeline_service.read_text(boundary.services, click.request, _number(click), version)
    return await timeline_service.record(
        boundary.services, click.request, replace(_chosen(click, text), names_times=True)
    )


async def _record_at(boundary: Boundary, click: Click) -> Message | None:
    """One of the readings of an ambiguous time."""
    text, asked_at = str(click.value["text"]), asked_at_in(click.value)
    # Each button of a question has the same key, so a second press gets the answer to the first.
    request = click.request if asked_at is None else replace(click.request, key=_key(click, asked_at, text))
    return await timeline_service.record(boundary.services, request, replace(_chosen(click, text), asked_at=asked_at))


async def _record_from_form(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Add entry]; if no incident is open any more, it is replaced by the form that opens one."""
    try:
        return await timeline_service.record(
            boundary.services, sent.request, TypedLine(str(sent.values.get("line") or ""))
        )
    except Refused as refused:
        if not pending_value(refused.carrying):
            raise
        pending = unpack_pending_entry(dict(refused.carrying))
        view = incidents_service.form(sent.request, sent.request.place.channel, pending)
        return {"response_action": "update", "view": view}


def _key(click: Click, asked_at: datetime, text: str) -> str:
    request = click.request
    parts = ("asked", request.team, request.place.channel, request.user, asked_at.isoformat(), text)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def _number(click: Click) -> int:
    return int(click.value["entry"])


def _seen_entry(value: Mapping[str, Any]) -> SeenEntry:
    """The version of the entry that the button was made for."""
    return SeenEntry(int(value["entry"]), int(value["version"]))


def _chosen(click: Click, text: str) -> TypedLine:
    """What a button records: the words, at the time that was chosen."""
    chosen = chosen_in(click.value)
    return TypedLine(text, chosen.at or click.request.now, chosen.approximate, chosen.lasts, again=True)


HANDLERS = HandlerTable(
    recording=frozenset({re.compile(r"timeline_at_(\d+|now)"), "timeline_entered"}),
    commands={TIMELINE.name: TIMELINE.run},
    clicks={
        "timeline_undo": lambda b, c: corrections_service.strike(
            b.services, c.request, _number(c), ShownVersion.of(c.value)
        ),
        "timeline_restore": lambda b, c: corrections_service.restore(
            b.services, c.request, _number(c), ShownVersion.of(c.value)
        ),
        "timeline_utc": _was_utc,
        "timeline_history": lambda b, c: corrections_service.show_history(b.services, c.request, _number(c)),
        "timeline_again": _record_again,
        re.compile(r"timeline_at_(\d+|now)"): _record_at,
        re.compile(r"timeline_edit_at_(\d+|keep)"): _edit_at,
        re.compile(r"timeline_was_\d+"): _was_at,
        "timeline_show": lambda b, c: timeline_service.show(b.services, c.request, None),
        "timeline_older": lambda b, c: timeline_service.turn_page(b.services, c.request, c.value),
        "timeline_newer": lambda b, c: timeline_service.turn_page(b.services, c.request, c.value),
        "timeline_entered": lambda b, c: timeline_service.record(b.services, c.request, TypedLine(c.typed)),
        # Below the warning about a credential, wherever that was written.
        "secret_redact": lambda b, c: secrets_service.redact(b.services, c.request, read_subject(c.value)),
        "secret_redact_files": lambda b, c: secrets_service.redact(
            b.services, c.request, read_subject(c.value), with_files=True
        ),
        # The same credential in another incident.
        "secret_redact_there": lambda b, c: secrets_service.redact_elsewhere(
            b.services, c.request, read_locations(c.value)
        ),
        "secret_harmless": lambda b, c: secrets_service.dismiss_warning(b.services, c.request, read_subject(c.value)),
    },
    forms={
        "timeline_edit": lambda b, c: corrections_service.edit_form(
            b.services, c.request, _number(c), ShownVersion.of(c.value)
        ),
        "timeline_form_open": lambda b, c: timeline_service.blank_form(b.services, c.request),
        "timeline_paste_open": _preview_pending,
    },
    submissions={
        "timeline_edit": lambda b, sent: corrections_service.save_form(
            b.services, sent.request, sent.metadata, sent.values
        ),
        "timeline_add": _record_from_form,
        "timeline_paste": lambda b, sent: timeline_service.submit(b.services, sent.request, sent.metadata, sent.values),
    },
)
