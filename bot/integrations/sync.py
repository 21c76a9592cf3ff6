"""The errands to one system, apart from those to every other: one that hangs holds up none but its own.

What people are told of failures in other systems: each once, where it matters, and once that it is over.

What keeps one kind of thing of ours in step with another system: the shape of all of them.

Errands to other systems: what storage says is out of step is brought into step, whatever happens meanwhile.

Nothing here is ever waited for by somebody who records. A call that fails for now is made again, later and later; one
that was refused stays until the thing changes or somebody tries again, and people are told once, with the remedy.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from prometheus_client import Counter

from bot.clock import Clock
from bot.integrations import views as integration_views
from bot.integrations.http import LONGEST_RETRY_AFTER, IntegrationError
from bot.services.secrets import strip_redacted
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabQueue
from bot.slack.views.blocks import Message
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkOutcome
from storage.queues import SyncState

TOLD_AFTER = 5
"""After so many attempts (about a minute) people are told of what may still mend itself."""


class Undecided(IntegrationError):
    """It goes on only once a person has decided something; `asks` is the message that asks them, with its buttons."""

    def __init__(self, system: str, sentence: str, asks: Message) -> None:
        super().__init__(system, sentence, is_permanent=True)
        self.asks = asks


def must_report(link: Link, error: IntegrationError, *, state: SyncState, is_urgent: bool) -> bool:
    """Whether people are to hear of a failure that leaves the link in `state`.

    They hear of each refusal, of the first time that a token is refused, and of what goes on for a while.
    """
    at = 1 if error.is_permanent or is_urgent else TOLD_AFTER
    return link.attempts >= at and (state == SyncState.REJECTED or link.attempts == at or not link.is_told)


def question_in(error: IntegrationError) -> Message | None:
    """What an error asks of people; None where it only tells."""
    return error.asks if isinstance(error, Undecided) else None


def tell(tx: Transaction, link: Link, sentence: str, now: datetime, asks: Message | None = None) -> None:
    """Owe the incident's channel a word about a failure, unless it heard the same of that system already.

    `asks` takes the word's place where somebody has to decide something.
    """
    incident = incidents_store.find(tx, link.incident_id)
    if incident is None:
        return
    troubled = links_store.troubled_in(tx, link.team, link.system, incident.channel)
    others = [one for one in troubled if one.error == sentence and one.id != link.id]
    if not any(one.is_told and _was_tried(one) for one in others):
        deliveries_store.tell(tx, incident, asks or integration_views.failed(link, sentence, others=bool(others)), now)


def tell_mended(tx: Transaction, link: Link, now: datetime) -> None:
    """A link is in step: once nothing in its channel waits after an error any more, say so where failures were told.

    What was refused, and so waits for a person, is counted apart.
    """
    incident = incidents_store.find(tx, link.incident_id)
    if incident is None:
        return
    here = (link.team, link.system, incident.channel)
    left, mended = links_store.troubled_in(tx, *here), links_store.mended_in(tx, *here)
    if mended and all(one.state == SyncState.REJECTED for one in left):
        links_store.said(tx, mended)
        deliveries_store.tell(tx, incident, integration_views.mended(mended, refused=len(left)), now)


def _was_tried(link: Link) -> bool:
    """Its error is of now: it was tried since it last changed, or since somebody pressed [Try again]."""
    return link.attempts > (link.state == SyncState.CALLING)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What an errand came to: where the thing stands now, and what its follower wants to remember (`memo`).

    Not `is_all`: this much is done and is written down, so that it is never done again; the rest is owed at once.
    """

    external_id: str
    url: str
    status: str = ""
    memo: str = ""
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something else must come first: look again after a while. It is no failure, and no attempt."""

    wait: timedelta


class SyncHandler(Protocol):
    """Keeps one kind of thing of ours in step with one system."""

    def is_urgent(self, link: Link) -> bool:
        """Whether people are told of a link's first failure, even of one that may mend itself."""

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> Any | None:
        """What to bring there, read after it was claimed: what changes from now on is owed anew.

        None where nothing is wanted any more, NotYet where it has to wait.
        """

    async def perform(self, link: Link, prepared: Any) -> SyncResult:
        """Do it. Raises IntegrationError. `link.is_unsure`: an earlier attempt may have been taken, so look first."""

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Write down what follows from it (a tracker's address at an action, say), in the transaction that settles."""

    async def look(self, store: Store, now: datetime) -> Sequence[int]:
        """Read what changed over there; the incidents that changed by it here. Raises IntegrationError."""

    async def aclose(self) -> None:
        """Let the connections go."""


log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
ATTEMPT_SECONDS = 240.0
"""An attempt may be several calls, each with waits that the system asked for; it ends within its lease."""
LONGEST_BACKOFF = timedelta(hours=1)
LOCKED_OUT = timedelta(minutes=15)
"""A token that is refused is tried this often, so that a new one needs no further word."""
FARTHEST = timedelta(seconds=LONGEST_RETRY_AFTER) + timedelta(hours=1)
"""Nothing is put off for longer: what is due later was put down by a clock that was ahead."""
AT_ONCE = 4
LOOK_EVERY = timedelta(minutes=2)
IDLE_SECONDS = 5.0

_CALLS = Counter("afterword_errands_total", "Attempts to bring another system into step.", ["system", "outcome"])


@dataclass(frozen=True, slots=True)
class SyncContext:
    """What every lane works with. `troubles` says by system why it could not be asked what changed there."""

    store: Store
    clock: Clock
    outbox: Outbox
    tabs: HomeTabQueue
    troubles: MutableMapping[str, str]


class SyncWorker:
    """Runs the errands to one system; several processes on one database share the work."""

    def __init__(self, system: str, follower: SyncHandler, around: SyncContext) -> None:
        self.follower = follower
        self._system = system
        self._around = around
        self._store = around.store
        self._owner = uuid.uuid4().hex
        self._kicked = asyncio.Event()
        self._running = asyncio.Lock()
        self._closing = False
        self._looked_at: datetime | None = None

    def kick(self) -> None:
        """Say that something new is owed; from the loop's thread."""
        self._kicked.set()

    async def run(self) -> None:
        """Run what comes due until closed or cancelled."""
        while not self._closing:
            self._kicked.clear()
            looking = asyncio.create_task(self.run_due(self._around.clock.now()))
            await asyncio.wait([looking])
            if looking.exception() is not None:
                log.error("errands to %s could not be looked at (%s)", self._system, type(looking.exception()).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._kicked.wait()

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due, from `now` on; how many attempts were made. It reads before it claims."""
        made, began = 0, self._around.clock.now()
        async with self._running:
            await self._look(now)
            while not self._closing and await self._is_due(at := now + self._since(began)):
                claimed = await self._store.write(lambda tx, at=at: self._claim(tx, at))  # type: ignore[misc]
                await asyncio.gather(*(self._finish(link, at) for link in claimed))
                made += len(claimed)
        return made

    async def close(self) -> None:
        """Claim nothing more, and let what is under way end."""
        self._closing = True
        self.kick()
        async with self._running:
            pass

    def _since(self, began: datetime) -> timedelta:
        """How long ago something began; a clock that was put back or ahead meanwhile says nothing."""
        passed = self._around.clock.now() - began
        return passed if timedelta(0) <= passed <= FARTHEST else timedelta(0)

    async def _look(self, now: datetime) -> None:
        """Ask the system what changed there, every so often; one that does not answer is asked again next time."""
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        await self._pull_in(now)
        (ended,) = await asyncio.gather(self.follower.look(self._store, now), return_exceptions=True)
        if isinstance(ended, BaseException):
            log.warning("%s could not be asked what changed there (%s)", self._system, ended)
            self._around.troubles[self._system] = _known(self._system, "What changed there", ended).sentence
            _CALLS.labels(self._system, "not asked").inc()
        else:
            self._around.troubles.pop(self._system, None)
            self._around.tabs.mark_changed([(incident_id, "incident") for incident_id in ended])
        self._around.outbox.kick()

    async def _pull_in(self, now: datetime) -> None:
        """What a clock that was ahead put off for days or years is due now."""
        latest = await self._store.read(lambda tx: links_store.last_due(tx, self._system))
        if latest is not None and latest > now + FARTHEST:
            await self._store.write(lambda tx: links_store.pull_in(tx, self._system, now + FARTHEST, now))

    async def _is_due(self, now: datetime) -> bool:
        soonest = await self._store.read(lambda tx: links_store.next_due(tx, self._system))
        return soonest is not None and soonest <= now

    def _claim(self, tx: Transaction, now: datetime) -> list[Link]:
        """Take some of what is due."""
        claimed: list[Link] = []
        for link in links_store.due(tx, self._system, now, AT_ONCE):
            links_store.claim(tx, link, self._owner, now + LEASE)
            # A lease that ran out: whoever held it may have been taken there.
            is_unsure = link.is_unsure or link.state == SyncState.CALLING
            claimed.append(replace(link, attempts=link.attempts + 1, is_unsure=is_unsure))
        return claimed

    async def _finish(self, link: Link, now: datetime) -> None:
        """Attempt it and write down how that ended. What goes wrong with one thing hinders no other."""
        began = self._around.clock.now()
        (ended,) = await asyncio.gather(self._attempt(link, now), return_exceptions=True)
        now += self._since(began)  # a wait that a system asks for begins when it has answered
        if isinstance(ended, BaseException):
            outcome = await self._failed(link, _known(self._system, link.subject, ended), now)
        elif isinstance(ended, SyncResult):
            kept = ended
            await self._store.write(lambda tx: self._keep(tx, link, kept, now))
            self._around.tabs.mark_changed([(link.incident_id, "incident")])
            outcome = SyncState.IN_SYNC.value
        else:
            await self._store.write(lambda tx: self._settle(tx, link, _not_now(_as_redacted(tx, link), ended, now)))
            outcome = SyncState.ABANDONED if ended is None else SyncState.PENDING
        self._around.outbox.kick()
        _CALLS.labels(link.system, outcome).inc()

    async def _attempt(self, link: Link, now: datetime) -> SyncResult | NotYet | None:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            prepared = await self._store.write(lambda tx: self.follower.prepare(tx, link, now))
            if prepared is None or isinstance(prepared, NotYet):
                return prepared
            return await self.follower.perform(link, prepared)

    def _keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        seen, link = link, _as_redacted(tx, link)
        kept = replace(kept, memo=strip_redacted(kept.memo, seen.memo, link.memo))
        settled = replace(
            _ended(link, SyncState.IN_SYNC if kept.is_all else SyncState.PENDING, now),
            external_id=kept.external_id,
            url=kept.url,
            status=kept.status,
            memo=kept.memo,
            is_told=link.is_told and not self.follower.is_urgent(link),
            synced_at=now,
        )
        if self._settle(tx, link, settled):
            self.follower.keep(tx, link, kept, now)
            tell_mended(tx, link, now)

    async def _failed(self, link: Link, error: IntegrationError, now: datetime) -> str:
        await self._store.write(lambda tx: self._fail(tx, link, error, now))
        return "refused" if error.is_permanent else "later"

    def _fail(self, tx: Transaction, link: Link, error: IntegrationError, now: datetime) -> None:
        link = _as_redacted(tx, link)
        state = SyncState.REJECTED if error.is_permanent and error.status != 401 else SyncState.PENDING
        wait = LOCKED_OUT if error.status == 401 else _backoff(link.attempts)
        due_at = now if state == SyncState.REJECTED else error.retry_at(now) or now + wait
        is_urgent = self.follower.is_urgent(link)
        is_to_tell = must_report(link, error, state=state, is_urgent=is_urgent)
        failed = replace(
            _ended(link, state, due_at),
            attempts=link.attempts,
            is_unsure=link.is_unsure or error.may_have_happened,
            error=error.sentence,
            is_told=link.is_told or is_to_tell,
        )
        if self._settle(tx, link, failed) and is_to_tell:
            tell(tx, link, error.sentence, now, question_in(error))

    def _settle(self, tx: Transaction, link: Link, settled: LinkOutcome) -> bool:
        was_ours = links_store.settle(tx, link, self._owner, settled)
        if not was_ours:
            log.warning("%s of %s went to another process meanwhile", link.subject, link.system)
        return was_ours


def _as_redacted(tx: Transaction, link: Link) -> Link:
    """A claimed link without what was redacted in its memo since; the rest of it is the attempt's to write."""
    current = links_store.locked(tx, link)
    return replace(link, memo=strip_redacted(link.memo, link.memo, current.memo)) if current else link


def _ended(link: Link, state: SyncState, due_at: datetime) -> LinkOutcome:
    """The link as it stands, with nothing open any more."""
    return LinkOutcome(
        state=state,
        due_at=due_at,
        external_id=link.external_id,
        url=link.url,
        status=link.status,
        memo=link.memo,
        attempts=0,
        is_unsure=False,
        error="",
        is_told=False,
        synced_at=link.synced_at,
    )


def _not_now(link: Link, ended: NotYet | None, now: datetime) -> LinkOutcome:
    """The link where nothing is wanted any more, or where it has to wait, which is no attempt."""
    if ended is None:
        return _ended(link, SyncState.ABANDONED, now)
    return replace(
        _ended(link, SyncState.PENDING, now + ended.wait),
        attempts=link.attempts - 1,
        is_unsure=link.is_unsure,
        error=link.error,
        is_told=link.is_told,
    )


def _backoff(attempts: int) -> timedelta:
    """4, 8, 16 s and so on, up to an hour."""
    return min(timedelta(seconds=2 ** min(attempts + 1, 12)), LONGEST_BACKOFF)


def _known(system: str, subject: str, ended: BaseException) -> IntegrationError:
    """The error of an attempt; one that nobody foresaw may have been taken there."""
    if isinstance(ended, IntegrationError):
        return ended
    if isinstance(ended, TimeoutError):
        words = f"{system} took too long; it is tried again later."
    else:
        log.error("%s of %s failed (%s)", subject, system, type(ended).__name__, exc_info=ended)
        words = f"{system} could not be brought into step ({type(ended).__name__}); it is tried again later."
    return IntegrationError(system, words, may_have_happened=True)


CLOSE_SECONDS = 10.0


class SyncWorkers:
    """Runs errands for systems by name, each in a lane of its own. What nobody follows here is left as it is."""

    def __init__(self, followers: Mapping[str, SyncHandler], around: SyncContext) -> None:
        self._lanes = {name: SyncWorker(name, follower, around) for name, follower in followers.items()}

    @property
    def followers(self) -> Mapping[str, SyncHandler]:
        """Who follows what, by system."""
        return {name: lane.follower for name, lane in self._lanes.items()}

    def kick(self) -> None:
        """Say that something new is owed; from the loop's thread."""
        for lane in self._lanes.values():
            lane.kick()

    async def run(self) -> None:
        """Run what comes due until closed or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes.values():
                tasks.create_task(lane.run())

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due, from `now` on; how many attempts were made."""
        return sum(await asyncio.gather(*(lane.run_due(now) for lane in self._lanes.values())))

    async def close(self) -> None:
        """Claim nothing more, and let what is under way end (10 s at most)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
        for lane in self._lanes.values():
            await lane.follower.aclose()
