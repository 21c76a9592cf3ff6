"""Scans of a channel's history: begin one, page through channel and threads, propose messages, record the chosen ones.

The scanner is the worker of one of the leased queues (bot/queue.py).
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain import times
from bot.domain.records import Entry, Incident, Place
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.similarity import MOST_PROPOSED, MOST_SEEN, SPANS, Proposal, find_reason
from bot.domain.timeline import list_offers
from bot.errors import AfterwordError, OutdatedButton, Refused
from bot.queue import BatchWorker
from bot.services.capture import add_files, find_author, read_text
from bot.services.context import OPENING, Request, Services, describe_closed, require_open_record, run_once
from bot.services.notifications import outdated_buttons as outdated_buttons_service
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
from storage.history_scan import HistoryScan, NewScan, ScanCursor
from storage.queues import ScanState
from storage.timeline import NewEntry

Messages = tuple[JsonObject, ...]


async def begin(services: Services, request: Request, hours: int, app: str) -> Message | None:
    """[Scan the last 2 hours]: a walk that the next tick takes up. `app` is our own app id, whose messages it skips."""
    span = SPANS[hours]

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        _begin(tx, request, incident, request.now - span, app)
        return history_scan_views.start_receipt(incident, hours)

    return await run_once(services, request, unit, verb="lookback.begin")


async def retry(services: Services, request: Request, value: dict[str, Any]) -> Message | None:
    """[Scan again] below a walk that failed: the same span once more, from its latest message on."""
    row = await _require_own_scan(services, request, value["lookback"])

    def unit(tx: Transaction) -> Message:
        incident = _require_open(tx, row, locking=True)
        _begin(tx, request, incident, row.oldest, row.cursor.app)
        return history_scan_views.restart_receipt(incident)

    return await run_once(services, request, unit, verb="lookback.again")


def _begin(tx: Transaction, request: Request, incident: Incident, oldest: datetime, app: str) -> None:
    if history_scan_store.is_running(tx, incident.id):
        raise Refused(f"I'm already scanning for {incident.key}. The result comes as a direct message.")
    cursor = ScanCursor(f"{request.now.timestamp():.6f}", app)
    new = NewScan(request.team, incident.channel, incident.id, request.user, oldest, cursor)
    history_scan_store.add(tx, new, request.now)
    outdated_buttons_service.drop_in(tx, incident.id, request.now)


async def choose(services: Services, request: Request, value: dict[str, Any]) -> Block:
    """[Choose]: the window that lists what was found and is not recorded yet."""
    row = await _require_own_scan(services, request, value["lookback"])
    clocks = await read_own_clocks(services, request)
    page = int(value["page"])
    proposals = row.found[page * history_scan_views.PAGE : (page + 1) * history_scan_views.PAGE]

    def look(tx: Transaction) -> Block:
        incident = _require_open(tx, row)
        new = [
            one
            for one in proposals
            if not timeline_store.find_by_source(tx, incident.id, message_source(row.channel, one.ts))
        ]
        if not new:
            raise OutdatedButton(f"All of these messages are already in {incident.key}.")
        named = [(one, _name(tx, row.team, one.author)) for one in new]
        return history_scan_views.messages_form(incident, named, clocks, row.id, page)

    return await services.store.read(look)


async def record(services: Services, request: Request, lookback_id: object, ticked: frozenset[str]) -> Message | None:
    """The window was sent: every ticked message becomes an entry, each once, all of them or none."""
    row = await _require_own_scan(services, request, lookback_id)
    chosen = [one for one in row.found if one.ts in ticked]
    if not chosen:
        raise Refused("No message is checked, so there's nothing to record. Check at least one, or close this window.")

    def unit(tx: Transaction) -> Message:
        incident = _require_open(tx, row, locking=True)
        links = (message_url(row.cursor.home, row.channel, one.ts, one.thread) for one in chosen)
        added = [_add(tx, incident, request, one, link) for one, link in zip(chosen, links, strict=True)]
        entries = [entry for entry in added if entry is not None]
        if not entries:
            raise OutdatedButton(f"All of these messages are already in {incident.key}.")
        outdated_buttons_service.drop_in(tx, incident.id, request.now)
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


async def _require_own_scan(services: Services, request: Request, lookback_id: object) -> HistoryScan:
    """The scan that a person ordered. Raises Refused for anyone else, and once they left the channel."""
    row = (
        await services.store.read(lambda tx: history_scan_store.find(tx, lookback_id))
        if isinstance(lookback_id, int)
        else None
    )
    if row is None or row.team != request.team or row.asked_by != request.user:
        raise Refused(
            f"Only the person who started this scan can review it. To scan yourself, open an incident: {OPENING}"
        )
    if row.channel not in await services.visible_channels(
        request.team, request.user, [row.channel], request.place.channel
    ):
        raise Refused("You're not in that channel anymore, so I can't show you its messages.")
    return row


def _require_open(tx: Transaction, row: HistoryScan, *, locking: bool = False) -> Incident:
    incident = incidents_store.find(tx, row.incident_id, locking=locking)
    if incident is None:
        raise Refused("That incident doesn't exist anymore.")
    if incident.is_closed:
        raise Refused(describe_closed(incident))
    return incident


def _name(tx: Transaction, team: str, user: str) -> str:
    person = people_store.find(tx, team, user)
    return person.name if person else user


log = logging.getLogger(__name__)

STEPS = 20
"""Pages in one attempt. Each is saved before the next is read, so a restart repeats one page at most."""

PAUSE = timedelta(seconds=15)
"""Between two attempts: with `STEPS` calls in each, other work has its share of what Slack allows."""

MOST_TRIES = 20
LEASE = timedelta(minutes=5)
ATTEMPT_SECONDS = 240.0
"""All pages of an attempt. It ends within its lease, so no other process reads the same pages meanwhile."""

RETRY_AFTER = timedelta(minutes=5)
"""After an error of unknown cause."""

AT_ONCE = 5
_SUBTYPES = ("", "thread_broadcast", "file_share", "bot_message", "me_message")
"""The subtypes of messages in which someone says something; the others report comings and goings."""

_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading one message may raise because of its content, which anyone may have written."""


class _Skipped(AfterwordError):
    """A message that says something which cannot be recorded."""


class HistoryScanner(BatchWorker[HistoryScan, tuple[HistoryScan, timedelta], None]):
    """Continues every scan that is due by a few pages. Its result: the scan, and how long to wait until it continues.

    The person who ordered a scan gets a message when it is done or has failed.
    """

    def __init__(self, services: Services, history: ChannelHistory) -> None:
        super().__init__("the history scans", services.store, services.clock, attempt_seconds=ATTEMPT_SECONDS)
        self._services = services
        self._history = history

    def _next_due(self, tx: Transaction) -> datetime | None:
        return history_scan_store.next_due(tx)

    def _claim(self, tx: Transaction, now: datetime) -> Sequence[HistoryScan]:
        return history_scan_store.claim(tx, self._owner, now, now + LEASE, AT_ONCE)

    async def _attempt(self, job: HistoryScan, now: datetime) -> tuple[HistoryScan, timedelta]:
        for _ in range(STEPS):
            if _is_over(job):
                return replace(job, state=ScanState.DONE, note=_describe_gaps(job, now)), timedelta()
            try:
                read, new = await self._read_page(job)
            except Busy as busy:
                return _wait(job, busy)
            except ChannelUnreadable as error:
                return replace(job, state=ScanState.FAILED, note=str(error)), timedelta()
            save = partial(history_scan_store.save_page, scan=read, owner=self._owner, new=new)
            saved = await self._store.write(save)
            if saved is None:  # the lease was lost, so settling it will write nothing either
                break
            job = saved
        return job, PAUSE

    async def _read_page(self, scan: HistoryScan) -> tuple[HistoryScan, list[Proposal]]:
        """Read a page of the first thread, or else of the channel. Returns the scan after it, and its proposals."""
        cursor = replace(scan.cursor, home=scan.cursor.home or await self._history.workspace_url(), tries=0)
        oldest = f"{scan.oldest.timestamp():.6f}"
        read = self._read_replies if cursor.threads else self._read_channel
        messages, cursor = await read(scan.channel, cursor, oldest)
        new, skipped = await self._propose_all(scan, messages)
        cursor = replace(cursor, skipped=cursor.skipped + skipped)
        return replace(scan, cursor=cursor, seen=scan.seen + len(messages)), new

    async def _read_replies(self, channel: str, cursor: ScanCursor, oldest: str) -> tuple[Messages, ScanCursor]:
        thread, *others = cursor.threads
        page = await self._history.replies(channel, thread, max(cursor.behind, oldest))
        behind = _last_stamp(page)
        if page.has_more and behind:
            return _list_new(page), replace(cursor, behind=behind)
        return _list_new(page), replace(cursor, threads=tuple(others), behind="")

    async def _read_channel(self, channel: str, cursor: ScanCursor, oldest: str) -> tuple[Messages, ScanCursor]:
        page = await self._history.before(channel, cursor.latest, oldest)
        last = _last_stamp(page)
        is_through = not page.has_more or not page.messages
        return _list_new(page), replace(
            cursor,
            threads=tuple(ts for message in page.messages if message.get("reply_count") and (ts := read_ts(message))),
            latest=last or cursor.latest,
            is_through=is_through,
            is_stuck=not is_through and not last,
        )

    async def _propose_all(self, scan: HistoryScan, messages: Messages) -> tuple[list[Proposal], int]:
        """The proposals of a page, and how many messages were skipped: one that cannot be read never stops the scan."""
        found, skipped = [], 0
        for message in messages:
            try:
                found.append(await self._propose(scan, message))
            except _Skipped:
                skipped += 1
            except _STUMBLES:
                log.warning(
                    "A message in %(channel)s couldn't be read by a history scan, and was skipped. Please report this.",
                    {"event": "scanned_message_unreadable", "channel": scan.channel, "team": scan.team},
                    exc_info=True,
                )
                skipped += 1
        return [one for one in found if one is not None], skipped

    async def _propose(self, scan: HistoryScan, payload: JsonObject) -> Proposal | None:
        """A message as it would be recorded; None if there is no reason to propose it, or if it has no words.

        Raises _Skipped if it says something that cannot be recorded: it has no time, no author, or too many words.
        """
        message = parse_message(payload, scan.channel, scan.cursor.app)
        if message.is_ours or read_string(payload.get("subtype")) not in _SUBTYPES:
            return None
        if not message.ts:
            raise _Skipped
        services = self._services
        try:
            author = await find_author(services, scan.team, message)
            text = read_text(message, await services.slack.directory.resolve_names(scan.team, message.text))
        except Refused as refused:
            if message.is_odd or message.text:
                raise _Skipped from refused
            return None
        reading = times.read(text, message.at, services.zone_for(author), language=find_language(author))
        why = find_reason(
            message.text,
            is_marked=_is_marked(payload, services.policy.reaction),
            has_time=reading.written is not None,
            has_image=any(file.media_type.startswith("image/") for file in message.files),
        )
        if why is None:
            return None
        # No one can be asked about a time here. With more than one reading, the message keeps its own time and all its
        # words.
        is_typed = reading.utc is not None and bool(reading.text)
        return Proposal(
            ts=message.ts,
            thread=message.thread_ts,
            author=author.id,
            text=reading.text if is_typed else text,
            at=reading.utc if reading.utc is not None and is_typed else message.at,
            end=reading.end_utc if is_typed else None,
            approximate=reading.approximate if is_typed else False,
            reason=why,
            files=tuple((file.name, file.media_type, file.size, file.address) for file in message.files),
            named=()
            if is_typed
            else tuple(offer.at for offer in list_offers(reading, message.at, services.clock.now())),
        )

    async def _finish(
        self, job: HistoryScan, ended: tuple[HistoryScan, timedelta] | BaseException, now: datetime
    ) -> None:
        if isinstance(ended, BaseException):
            log.error(
                "History scan %(scan)d was interrupted (%(cause)s). It continues by itself.",
                {"event": "scan_interrupted", "scan": job.id, "cause": type(ended).__name__},
            )
        else:
            job, wait = ended

        def unit(tx: Transaction) -> bool:
            if isinstance(ended, BaseException):  # the pages that were read are saved; `job` is older than they are
                scan, due_at = history_scan_store.find(tx, job.id) or job, now + RETRY_AFTER
            else:
                scan, due_at = job, now + wait
            was_ours = history_scan_store.settle(tx, replace(scan, due_at=due_at), self._owner)
            incident = incidents_store.find(tx, scan.incident_id)
            if was_ours and incident is not None and scan.state is not ScanState.RUNNING:
                message = _compose_result(incident, scan)
                deliveries_store.enqueue_message(tx, incident, message, now, to=scan.asked_by)
            return was_ours

        if not await self._store.write(unit):
            log.warning(
                "Another process took over history scan %(scan)d. If this repeats, compare the clocks of the replicas.",
                {"event": "scan_taken_over", "scan": job.id},
            )
        self._services.slack.outbox.notify()

    def _report_unsettled(self, job: HistoryScan, error: BaseException) -> None:
        log.error(
            "The progress of history scan %(scan)d couldn't be saved (%(cause)s). A part of it is repeated; /readyz "
            "shows whether the database is well.",
            {"event": "scan_unsettled", "scan": job.id, "cause": type(error).__name__},
        )


def _is_over(scan: HistoryScan) -> bool:
    # The result names the gap: nothing is left out silently.
    if scan.seen >= MOST_SEEN or len(scan.found) >= MOST_PROPOSED:
        return True
    return scan.cursor.is_at_the_end or scan.cursor.is_stuck


def _describe_gaps(scan: HistoryScan, now: datetime) -> str:
    """What a scan that is over did not read; empty if it read everything."""
    stopped = history_scan_views.stopped_early_note(scan.seen, parse_ts(scan.cursor.latest), now)
    notes = ("" if scan.cursor.is_at_the_end else stopped, history_scan_views.skipped_note(scan.cursor.skipped))
    return " ".join(filter(None, notes))


def _wait(scan: HistoryScan, busy: Busy) -> tuple[HistoryScan, timedelta]:
    """Continue later; give up after a while if Slack does not say how long to wait."""
    # A wait that Slack names is no failure, however often it comes: its limits for history are tight.
    tries = scan.cursor.tries + (0 if busy.is_named else 1)
    if tries > MOST_TRIES:
        return replace(scan, state=ScanState.FAILED, note=words.lookback.given_up()), timedelta()
    return replace(scan, cursor=replace(scan.cursor, tries=tries)), timedelta(seconds=busy.wait)


def _compose_result(incident: Incident, scan: HistoryScan) -> Message:
    if scan.state is ScanState.DONE:
        return history_scan_views.result_message(incident, scan.id, scan.found, scan.seen, scan.note)
    log.warning(
        "History scan %(scan)d ended early: %(cause)s. The person who asked for it was told.",
        {"event": "scan_failed", "scan": scan.id, "cause": scan.note},
    )
    return history_scan_views.failure_message(incident, scan.id, scan.note)


def _last_stamp(page: MessagePage) -> str:
    """The timestamp after which the next page begins; empty if no message has one."""
    return next((ts for message in reversed(page.messages) if (ts := read_ts(message))), "")


def _list_new(page: MessagePage) -> Messages:
    """The messages up to the last one with a timestamp, after which the next page begins."""
    last = _last_stamp(page)
    if not page.has_more or not last:
        return page.messages
    # Those behind it come again with the next page, and would be counted twice.
    return page.messages[: next(at for at in range(len(page.messages), 0, -1) if read_ts(page.messages[at - 1]))]


def _is_marked(message: JsonObject, reaction: str) -> bool:
    return any(
        strip_skin_tone(read_string(each.get("name"))) == reaction for each in read_objects(message.get("reactions"))
    )
