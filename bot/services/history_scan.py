"""Scans of a channel's history: begin one, page through channel and threads, propose messages, record the chosen ones.

Each step is saved before the next is taken, so a restart repeats one page at most.
"""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain import times
from bot.domain.records import Entry, Incident, Place
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.similarity import MOST_PROPOSED, MOST_SEEN, SPANS, Proposal, ProposalReason, find_reason
from bot.domain.timeline import list_offers
from bot.errors import AfterwordError, Refused
from bot.services.capture import add_files, find_author, read_text
from bot.services.context import Request, Services, describe_closed, require_open_record, run_once
from bot.services.secrets import warn
from bot.services.timeline import read_own_clocks
from bot.slack.directory import find_language
from bot.slack.message_text import JsonObject, read_objects, read_string
from bot.slack.messages_in import (
    Busy,
    ChannelHistory,
    ChannelUnreadable,
    MessageFile,
    MessagePage,
    message_source,
    message_url,
    parse_message,
    parse_ts,
    read_ts,
    strip_skin_tone,
)
from bot.slack.views import history_scan as history_scan_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import deliveries as deliveries_store
from storage import history_scan as history_scan_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.history_scan import HistoryScan, NewScan
from storage.queues import ScanState
from storage.timeline import NewEntry


async def begin(services: Services, request: Request, hours: int, app: str) -> Message | None:
    """[Look back 2 hours]: a walk that the next tick takes up. `app` is our own app id, whose messages it skips."""
    span = SPANS[hours]

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        _begin(tx, request, incident, request.now - span, app)
        return history_scan_views.start_receipt(incident, hours)

    return await run_once(services, request, unit, verb="lookback.begin")


async def retry(services: Services, request: Request, value: dict[str, Any]) -> Message | None:
    """[Try again] below a walk that failed: the same span once more, from its latest message on."""
    row = await _found_by(services, request, value["lookback"])

    def unit(tx: Transaction) -> Message:
        incident = _incident(tx, row, locking=True)
        _begin(tx, request, incident, row.oldest, json.loads(row.cursor)["app"])
        return history_scan_views.restart_receipt(incident)

    return await run_once(services, request, unit, verb="lookback.again")


def _begin(tx: Transaction, request: Request, incident: Incident, oldest: datetime, app: str) -> None:
    if history_scan_store.is_running(tx, incident.id):
        raise Refused(f"I am looking back for {incident.key} already. What I find comes as a direct message.")
    cursor = json.dumps({"latest": f"{request.now.timestamp():.6f}", "app": app})
    new = NewScan(request.team, incident.channel, incident.id, request.user, oldest, cursor)
    history_scan_store.add(tx, new, request.now)


async def choose(services: Services, request: Request, value: dict[str, Any]) -> Block:
    """[Choose]: the window that lists what was found and is not recorded yet."""
    row = await _found_by(services, request, value["lookback"])
    clocks = await read_own_clocks(services, request)
    page = int(value["page"])
    proposals = list_proposals(row)[page * history_scan_views.PAGE : (page + 1) * history_scan_views.PAGE]

    def look(tx: Transaction) -> Block:
        incident = _incident(tx, row)
        new = [
            one
            for one in proposals
            if not timeline_store.find_by_source(tx, incident.id, message_source(row.channel, one.ts))
        ]
        if not new:
            raise Refused(f"All of these messages are recorded in {incident.key} already.")
        named = [(one, _name(tx, row.team, one.author)) for one in new]
        return history_scan_views.messages_form(incident, named, clocks, row.id, page)

    return await services.store.read(look)


async def record(services: Services, request: Request, lookback_id: object, ticked: frozenset[str]) -> Message | None:
    """The window was sent: every ticked message becomes an entry, each once, all of them or none."""
    row = await _found_by(services, request, lookback_id)
    chosen = [one for one in list_proposals(row) if one.ts in ticked]
    if not chosen:
        raise Refused("No message is ticked, so there is nothing to record. Tick at least one, or close this window.")
    home = json.loads(row.cursor).get("home", "")

    def unit(tx: Transaction) -> Message:
        incident = _incident(tx, row, locking=True)
        links = (message_url(home, row.channel, one.ts, one.thread) for one in chosen)
        added = [_add(tx, incident, request, one, link) for one, link in zip(chosen, links, strict=True)]
        entries = [entry for entry in added if entry is not None]
        if not entries:
            raise Refused(f"All of these messages are recorded in {incident.key} already.")
        named = {message_source(row.channel, one.ts): one.named for one in chosen if one.named}
        return history_scan_views.receipt(incident, entries, named, request.now)

    there = replace(request.at(Place(row.team, row.channel)), incident_id=row.incident_id)
    return await run_once(services, there, unit, verb="lookback.record")


def _add(tx: Transaction, incident: Incident, request: Request, one: Proposal, link: str) -> Entry | None:
    """The new entry; None if the message was captured already."""
    source = message_source(incident.channel, one.ts)
    if timeline_store.find_by_source(tx, incident.id, source) is not None:
        return None
    new = NewEntry(
        one.at, one.text, one.author, request.user, request.now, one.end, one.approximate, permalink=link, source=source
    )
    entry = timeline_store.append(tx, incident.id, new)
    add_files(tx, entry, tuple(MessageFile(*file) for file in one.files))
    warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), entry.text, request)
    return entry


async def _found_by(services: Services, request: Request, lookback_id: object) -> HistoryScan:
    """The scan that a person ordered. Raises Refused for anyone else, and once they left the channel."""
    row = (
        await services.store.read(lambda tx: history_scan_store.find(tx, lookback_id))
        if isinstance(lookback_id, int)
        else None
    )
    if row is None or row.team != request.team or row.asked_by != request.user:
        raise Refused("That list is not yours. `/incident open` offers to look back when you open an incident.")
    if row.channel not in await services.visible_channels(
        request.team, request.user, [row.channel], request.place.channel
    ):
        raise Refused("You are not in that channel any more, so I cannot show you what was said there.")
    return row


def _incident(tx: Transaction, row: HistoryScan, *, locking: bool = False) -> Incident:
    incident = incidents_store.find(tx, row.incident_id, locking=locking)
    if incident is None:
        raise Refused("That incident is not here any more.")
    if incident.is_closed:
        raise Refused(describe_closed(incident))
    return incident


def _name(tx: Transaction, team: str, user: str) -> str:
    person = people_store.find(tx, team, user)
    return person.name if person else user


def list_proposals(row: HistoryScan) -> tuple[Proposal, ...]:
    """The proposals of a scan, in the order of the timeline."""
    found = (_proposal(told) for told in json.loads(row.found))
    return tuple(sorted(found, key=lambda one: (one.at, one.ts)))


def _proposal(told: dict[str, Any]) -> Proposal:
    times = {
        "at": datetime.fromisoformat(told["at"]),
        "end": datetime.fromisoformat(told["end"]) if told["end"] else None,
    }
    files = tuple((str(name), str(kind), int(size), str(address)) for name, kind, size, address in told["files"])
    named = tuple(
        datetime.fromisoformat(at) for at in told.get("named", ())
    )  # none in what was found before there were
    return Proposal(**{**told, **times, "files": files, "reason": ProposalReason(told["reason"]), "named": named})


def dump_proposal(one: Proposal) -> dict[str, Any]:
    """A proposal as it is stored, for JSON."""
    times = {"at": one.at.isoformat(), "end": one.end.isoformat() if one.end else ""}
    return {**asdict(one), **times, "named": [at.isoformat() for at in one.named]}


log = logging.getLogger(__name__)

STEPS = 20
"""Calls in one sweep, which other work waits for."""

MOST_TRIES = 20
LEASE = timedelta(minutes=5)
AT_ONCE = 5
_SAID = ("", "thread_broadcast", "file_share", "bot_message", "me_message")
"""The kinds of messages in which somebody says something; the others tell of comings and goings."""


_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading one message may raise for what stands in it, whoever wrote it."""


class _Skipped(AfterwordError):
    """A message that says something which cannot be recorded."""


@dataclass(slots=True)
class _Cursor:
    """How far a scan came: before `latest` in the channel, after `behind` in the first of the `threads`.

    `app` is our own app's id, `home` the workspace's address. `skipped` counts the messages that could not be read;
    `is_stuck`: nothing in the channel's last page says where the next one begins.
    """

    latest: str
    app: str = ""
    home: str = ""
    threads: list[str] = field(default_factory=list)
    behind: str = ""
    is_through: bool = False
    is_stuck: bool = False
    skipped: int = 0
    tries: int = 0

    @property
    def is_at_the_end(self) -> bool:
        """Whether the channel and all its threads were read."""
        return self.is_through and not self.threads


class HistoryScanner:
    """Takes every walk on that is due."""

    def __init__(self, services: Services, history: ChannelHistory) -> None:
        self._services = services
        self._history = history

    async def sweep(self, now: datetime) -> None:
        """Continue every due scan by a few steps. The person who ordered it is notified when it is done."""
        store = self._services.store
        for row in await store.read(lambda tx: history_scan_store.list_due(tx, now, AT_ONCE)):
            held = await store.write(partial(history_scan_store.claim, lookback=row, until=now + LEASE))
            if held is not None:
                await self._walk(held, now)

    async def _walk(self, held: HistoryScan, now: datetime) -> None:
        for _ in range(STEPS):
            cursor = _Cursor(**json.loads(held.cursor))
            if _is_over(held, cursor):
                await self._finish(held, cursor)
                return
            try:
                after = await self._step(held, cursor)
            except Busy as busy:
                await self._wait(held, cursor, busy, now)
                return
            except ChannelUnreadable as error:
                await self._fail(held, str(error))
                return
            saved = await self._save(held, after)
            if saved is None:
                return
            held = saved
        await self._save(held, replace(held, due_at=now))

    async def _step(self, held: HistoryScan, cursor: _Cursor) -> HistoryScan:
        """One page: of the thread that is being read, else of the channel."""
        cursor.home = cursor.home or await self._history.workspace_url()
        oldest = f"{held.oldest.timestamp():.6f}"
        messages = await (self._replies if cursor.threads else self._before)(held.channel, cursor, oldest)
        cursor.tries = 0
        found = await self._proposals(held, messages, cursor)
        return replace(held, cursor=_kept(cursor), found=_with(held, found), seen=held.seen + len(messages))

    async def _replies(self, channel: str, cursor: _Cursor, oldest: str) -> tuple[JsonObject, ...]:
        thread = cursor.threads[0]
        page = await self._history.replies(channel, thread, max(cursor.behind, oldest))
        cursor.behind = _last_stamp(page)
        if not page.has_more or not cursor.behind:
            cursor.threads, cursor.behind = cursor.threads[1:], ""
        return _new_in(page)

    async def _before(self, channel: str, cursor: _Cursor, oldest: str) -> tuple[JsonObject, ...]:
        page = await self._history.before(channel, cursor.latest, oldest)
        last = _last_stamp(page)
        cursor.threads = [ts for told in page.messages if told.get("reply_count") and (ts := read_ts(told))]
        cursor.latest = last or cursor.latest
        cursor.is_through = not page.has_more or not page.messages
        cursor.is_stuck = not cursor.is_through and not last
        return _new_in(page)

    async def _proposals(self, held: HistoryScan, messages: tuple[JsonObject, ...], cursor: _Cursor) -> list[Proposal]:
        """What is proposed of a page. One message that cannot be read costs itself, and never the walk."""
        found = []
        for told in messages:
            try:
                found.append(await self._proposal(held, told, cursor.app))
            except _Skipped:
                cursor.skipped += 1
            except _STUMBLES:
                log.warning("a message of %s could not be read", held.channel, exc_info=True)
                cursor.skipped += 1
        return [one for one in found if one is not None]

    async def _proposal(self, held: HistoryScan, told: JsonObject, app: str) -> Proposal | None:
        """A message as it would be recorded; None where nothing speaks for it, or it has no words.

        Raises _Skipped where it says something that cannot be recorded: it has no time, no author, or too many words.
        """
        said = parse_message(told, held.channel, app)
        if said.is_ours or read_string(told.get("subtype")) not in _SAID:
            return None
        if not said.ts:
            raise _Skipped
        services = self._services
        try:
            author = await find_author(services, held.team, said)
            text = read_text(said, await services.slack.directory.resolve_names(held.team, said.text))
        except Refused as refused:
            if said.is_odd or said.text:
                raise _Skipped from refused
            return None
        reading = times.read(text, said.at, services.zone_for(author), language=find_language(author))
        why = find_reason(
            said.text,
            is_marked=_is_marked(told, services.policy.reaction),
            has_time=reading.written is not None,
            has_image=any(file.media_type.startswith("image/") for file in said.files),
        )
        if why is None:
            return None
        # A time that must be asked is not read: then the message stands at its own, in all its words.
        is_typed = reading.utc is not None and bool(reading.text)
        return Proposal(
            ts=said.ts,
            thread=said.thread_ts,
            author=author.id,
            text=reading.text if is_typed else text,
            at=reading.utc if reading.utc is not None and is_typed else said.at,
            end=reading.end_utc if is_typed else None,
            approximate=reading.approximate if is_typed else False,
            reason=why,
            files=tuple((file.name, file.media_type, file.size, file.address) for file in said.files),
            named=() if is_typed else tuple(offer.at for offer in list_offers(reading, said.at, services.clock.now())),
        )

    async def _save(self, held: HistoryScan, after: HistoryScan) -> HistoryScan | None:
        return await self._services.store.write(lambda tx: history_scan_store.save(tx, held, after))

    async def _wait(self, held: HistoryScan, cursor: _Cursor, busy: Busy, now: datetime) -> None:
        """Continue later; give up after a while if Slack does not say how long to wait."""
        cursor.tries += 0 if busy.is_named else 1
        if cursor.tries > MOST_TRIES:
            await self._fail(held, words.lookback.given_up())
            return
        due_at = now + timedelta(seconds=busy.wait)
        await self._save(held, replace(held, cursor=_kept(cursor), due_at=due_at))

    async def _finish(self, held: HistoryScan, cursor: _Cursor) -> None:
        stopped = (
            "" if cursor.is_at_the_end else history_scan_views.stopped_early_note(held.seen, parse_ts(cursor.latest))
        )
        note = " ".join(part for part in (stopped, history_scan_views.skipped_note(cursor.skipped)) if part)

        def told(incident: Incident) -> Message:
            return history_scan_views.result_message(incident, held.id, list_proposals(held), held.seen, note)

        await self._end(replace(held, state=ScanState.DONE, note=note), held, told)

    async def _fail(self, held: HistoryScan, sentence: str) -> None:
        log.warning("a look back ended early: %s", sentence)
        after = replace(held, state=ScanState.FAILED, note=sentence)
        await self._end(after, held, lambda incident: history_scan_views.failure_message(incident, held.id, sentence))

    async def _end(self, after: HistoryScan, held: HistoryScan, told: Callable[[Incident], Message]) -> None:
        """Save the end of a scan and enqueue its message, in one transaction."""

        def unit(tx: Transaction) -> None:
            incident = incidents_store.find(tx, held.incident_id)
            if history_scan_store.save(tx, held, after) is None or incident is None:
                return
            deliveries_store.enqueue_message(tx, incident, told(incident), self._services.clock.now(), to=held.asked_by)

        await self._services.store.write(unit)
        self._services.slack.outbox.notify()


def _is_over(held: HistoryScan, cursor: _Cursor) -> bool:
    if held.seen >= MOST_SEEN or len(json.loads(held.found)) >= MOST_PROPOSED:
        return True
    return cursor.is_at_the_end or cursor.is_stuck


def _last_stamp(page: MessagePage) -> str:
    """The timestamp after which the next page begins; empty if no message has one."""
    return next((ts for told in reversed(page.messages) if (ts := read_ts(told))), "")


def _new_in(page: MessagePage) -> tuple[JsonObject, ...]:
    """The messages up to the last one with a timestamp, after which the next page begins."""
    last = _last_stamp(page)
    if not page.has_more or not last:
        return page.messages
    return page.messages[: next(at for at in range(len(page.messages), 0, -1) if read_ts(page.messages[at - 1]))]


def _is_marked(told: JsonObject, reaction: str) -> bool:
    return any(
        strip_skin_tone(read_string(each.get("name"))) == reaction for each in read_objects(told.get("reactions"))
    )


def _kept(cursor: _Cursor) -> str:
    return json.dumps(asdict(cursor))


def _with(held: HistoryScan, found: Iterable[Proposal]) -> str:
    """What was found so far with what is new: a reply that was sent to the channel too is there twice."""
    before = {told["ts"]: told for told in json.loads(held.found)}
    return json.dumps([*before.values(), *(dump_proposal(one) for one in found if one.ts not in before)])
