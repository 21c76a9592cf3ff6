"""The walk of a look back: page by page through a channel and its threads, each step kept before the next is taken."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bot.errors import AfterwordError, Refused
from bot.incident import times
from bot.incident.lookback import MOST_PROPOSED, MOST_SEEN, Proposal, reason
from bot.incident.offers import offers
from bot.incident.records import Incident
from bot.scribe.capture import author_of, text_of
from bot.scribe.desk import Desk
from bot.scribe.lookback import as_told, proposals_of
from bot.slack import lookback as says
from bot.slack.blocks import Message
from bot.slack.capture import bare
from bot.slack.history import Busy, History, Page, Unreadable
from bot.slack.people import language_of
from bot.slack.reading import moment_of, said_in, ts_of
from bot.slack.told import Told, objects_in, string
from bot.slack.words import words
from storage import deliveries, incidents, lookbacks
from storage.lookbacks import DONE, FAILED, Lookback
from storage.statements import Transaction

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
    """How far a walk came: before `latest` in the channel, behind `behind` in the first of the `threads`.

    `app` is our own app, `home` the workspace's address. `skipped` counts the messages that could not be read;
    `is_stuck`: nothing in the channel's last page told where the next one begins.
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


class Walker:
    """Takes every walk on that is due."""

    def __init__(self, desk: Desk, history: History) -> None:
        self._desk = desk
        self._history = history

    async def sweep(self, now: datetime) -> None:
        """Go on with every walk that may, a few steps each; what is through is told to who asked."""
        store = self._desk.store
        for row in await store.read(lambda tx: lookbacks.due(tx, now, AT_ONCE)):
            held = await store.write(partial(lookbacks.claim, lookback=row, until=now + LEASE))
            if held is not None:
                await self._walk(held, now)

    async def _walk(self, held: Lookback, now: datetime) -> None:
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
            except Unreadable as error:
                await self._fail(held, str(error))
                return
            saved = await self._save(held, after)
            if saved is None:
                return
            held = saved
        await self._save(held, replace(held, due_at=now))

    async def _step(self, held: Lookback, cursor: _Cursor) -> Lookback:
        """One page: of the thread that is being read, else of the channel."""
        cursor.home = cursor.home or await self._history.home()
        oldest = f"{held.oldest.timestamp():.6f}"
        messages = await (self._replies if cursor.threads else self._before)(held.channel, cursor, oldest)
        cursor.tries = 0
        found = await self._proposals(held, messages, cursor)
        return replace(held, cursor=_kept(cursor), found=_with(held, found), seen=held.seen + len(messages))

    async def _replies(self, channel: str, cursor: _Cursor, oldest: str) -> tuple[Told, ...]:
        thread = cursor.threads[0]
        page = await self._history.replies(channel, thread, max(cursor.behind, oldest))
        cursor.behind = _last_stamp(page)
        if not page.has_more or not cursor.behind:
            cursor.threads, cursor.behind = cursor.threads[1:], ""
        return _new_in(page)

    async def _before(self, channel: str, cursor: _Cursor, oldest: str) -> tuple[Told, ...]:
        page = await self._history.before(channel, cursor.latest, oldest)
        last = _last_stamp(page)
        cursor.threads = [ts for told in page.messages if told.get("reply_count") and (ts := ts_of(told))]
        cursor.latest = last or cursor.latest
        cursor.is_through = not page.has_more or not page.messages
        cursor.is_stuck = not cursor.is_through and not last
        return _new_in(page)

    async def _proposals(self, held: Lookback, messages: tuple[Told, ...], cursor: _Cursor) -> list[Proposal]:
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

    async def _proposal(self, held: Lookback, told: Told, app: str) -> Proposal | None:
        """A message as it would be recorded; None where nothing speaks for it, or it has no words.

        Raises _Skipped where it says something that cannot be recorded: it has no time, no author, or too many words.
        """
        said = said_in(told, held.channel, app)
        if said.is_ours or string(told.get("subtype")) not in _SAID:
            return None
        if not said.ts:
            raise _Skipped
        desk = self._desk
        try:
            author = await author_of(desk, held.team, said)
            text = text_of(said, await desk.people.read(held.team, said.text))
        except Refused as refused:
            if said.is_odd or said.text:
                raise _Skipped from refused
            return None
        reading = times.read(text, said.at, desk.zone_for(author), language=language_of(author))
        why = reason(
            said.text,
            is_marked=_is_marked(told, desk.reaction),
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
            named=() if is_typed else tuple(offer.at for offer in offers(reading, said.at, desk.clock.now())),
        )

    async def _save(self, held: Lookback, after: Lookback) -> Lookback | None:
        return await self._desk.store.write(lambda tx: lookbacks.save(tx, held, after))

    async def _wait(self, held: Lookback, cursor: _Cursor, busy: Busy, now: datetime) -> None:
        """Go on after a while; not for ever where Slack does not even say how long."""
        cursor.tries += 0 if busy.is_told else 1
        if cursor.tries > MOST_TRIES:
            await self._fail(held, str(words.lookback.given_up()))
            return
        due_at = now + timedelta(seconds=busy.wait)
        await self._save(held, replace(held, cursor=_kept(cursor), due_at=due_at))

    async def _finish(self, held: Lookback, cursor: _Cursor) -> None:
        stopped = "" if cursor.is_at_the_end else says.stopped_early(held.seen, moment_of(cursor.latest))
        note = " ".join(part for part in (stopped, says.skipped(cursor.skipped)) if part)

        def told(incident: Incident) -> Message:
            return says.result(incident, held.id, proposals_of(held), held.seen, note)

        await self._end(replace(held, state=DONE, note=note), held, told)

    async def _fail(self, held: Lookback, sentence: str) -> None:
        log.warning("a look back ended early: %s", sentence)
        after = replace(held, state=FAILED, note=sentence)
        await self._end(after, held, lambda incident: says.failed(incident, held.id, sentence))

    async def _end(self, after: Lookback, held: Lookback, told: Callable[[Incident], Message]) -> None:
        """The end of a walk and the message that tells of it, in one transaction."""

        def unit(tx: Transaction) -> None:
            incident = incidents.by_id(tx, held.incident_id)
            if lookbacks.save(tx, held, after) is None or incident is None:
                return
            deliveries.tell(tx, incident, told(incident), self._desk.clock.now(), to=held.asked_by)

        await self._desk.store.write(unit)
        self._desk.outbox.kick()


def _is_over(held: Lookback, cursor: _Cursor) -> bool:
    if held.seen >= MOST_SEEN or len(json.loads(held.found)) >= MOST_PROPOSED:
        return True
    return cursor.is_at_the_end or cursor.is_stuck


def _last_stamp(page: Page) -> str:
    """The time stamp behind which the next page begins; empty where no message has one."""
    return next((ts for told in reversed(page.messages) if (ts := ts_of(told))), "")


def _new_in(page: Page) -> tuple[Told, ...]:
    """The messages up to the last one with a time stamp: the next page begins with what stands behind that."""
    last = _last_stamp(page)
    if not page.has_more or not last:
        return page.messages
    return page.messages[: next(at for at in range(len(page.messages), 0, -1) if ts_of(page.messages[at - 1]))]


def _is_marked(told: Told, reaction: str) -> bool:
    return any(bare(string(each.get("name"))) == reaction for each in objects_in(told.get("reactions")))


def _kept(cursor: _Cursor) -> str:
    return json.dumps(asdict(cursor))


def _with(held: Lookback, found: Iterable[Proposal]) -> str:
    """What was found so far with what is new: a reply that was sent to the channel too is there twice."""
    before = {told["ts"]: told for told in json.loads(held.found)}
    return json.dumps([*before.values(), *(as_told(one) for one in found if one.ts not in before)])
