"""Errands to other systems: what storage says is out of step is brought into step, whatever happens meanwhile.

Nothing here is ever waited for by somebody who records. A call that fails for now is made again, later and later; one
that was refused stays until the thing changes or somebody tries again, and people are told once, with the remedy.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from prometheus_client import Counter

from bot.clock import Clock
from bot.publish.failures import PublishError
from bot.scribe import failing
from bot.slack.outbox import Outbox
from bot.slack.tabs import Tabs
from storage import links
from storage.links import KEPT, LET_GO, OWED, REFUSED, Link, Settled
from storage.statements import Transaction
from storage.store import Store

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
ATTEMPT_SECONDS = 240.0
"""An attempt may be several calls, each with waits that the system asked for; it ends within its lease."""
LONGEST_BACKOFF = timedelta(hours=1)
LOCKED_OUT = timedelta(minutes=15)
"""A token that is refused is tried this often, so that a new one needs no further word."""
AT_ONCE = 4
NOBODY_FOLLOWS = timedelta(minutes=5)
"""So long what this process does not follow is left to one that does, or to the day when it is connected again."""
LOOK_EVERY = timedelta(minutes=2)
IDLE_SECONDS = 5.0
CLOSE_SECONDS = 10.0

_CALLS = Counter("afterword_errands_total", "Attempts to bring another system into step.", ["system", "outcome"])


@dataclass(frozen=True, slots=True)
class Kept:
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


class Follower(Protocol):
    """Keeps one kind of thing of ours in step with one system.

    `is_urgent`: people are told of the first failure, even of one that may mend itself.
    """

    @property
    def is_urgent(self) -> bool: ...

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> Any | None:
        """What to bring there, read after it was claimed: what changes from now on is owed anew.

        None where nothing is wanted any more, NotYet where it has to wait.
        """

    async def perform(self, link: Link, prepared: Any) -> Kept:
        """Do it. Raises PublishError. `link.is_unsure`: an earlier attempt may have been taken, so look first."""

    def keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        """Write down what follows from it (a tracker's address at an action, say), in the transaction that settles."""

    async def look(self, store: Store, now: datetime) -> Sequence[int]:
        """Read what changed over there; the incidents that changed by it here. Raises PublishError."""

    async def aclose(self) -> None:
        """Let the connections go."""


class Errands:
    """Runs errands for systems by name; several processes on one database share the work."""

    def __init__(
        self, store: Store, clock: Clock, followers: Mapping[str, Follower], outbox: Outbox, tabs: Tabs
    ) -> None:
        self._store = store
        self._clock = clock
        self._followers = followers
        self._outbox = outbox
        self._tabs = tabs
        self._owner = uuid.uuid4().hex
        self._kicked = asyncio.Event()
        self._running = asyncio.Lock()
        self._closing = False
        self._looked_at: datetime | None = None

    @property
    def followers(self) -> Mapping[str, Follower]:
        """Who follows what, by system."""
        return self._followers

    def kick(self) -> None:
        """Say that something new is owed; from the loop's thread."""
        self._kicked.set()

    async def run(self) -> None:
        """Run what comes due until closed or cancelled."""
        while self._followers and not self._closing:
            self._kicked.clear()
            looking = asyncio.create_task(self.run_due(self._clock.now()))
            await asyncio.wait([looking])
            if looking.exception() is not None:
                log.error("errands could not be looked at (%s)", type(looking.exception()).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._kicked.wait()

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due at `now`; how many attempts were made. It reads before it claims."""
        made = 0
        async with self._running:
            await self._look(now)
            while not self._closing and await self._is_due(now):
                claimed = await self._store.write(lambda tx: self._claim(tx, now))
                await asyncio.gather(*(self._finish(link, now) for link in claimed))
                made += len(claimed)
        return made

    async def _look(self, now: datetime) -> None:
        """Ask each system what changed there, every so often; one that does not answer is asked again next time."""
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        looking = (follower.look(self._store, now) for follower in self._followers.values())
        for name, ended in zip(self._followers, await asyncio.gather(*looking, return_exceptions=True), strict=True):
            if isinstance(ended, BaseException):
                log.warning("%s could not be asked what changed there (%s)", name, ended)
                _CALLS.labels(name, "not asked").inc()
            else:
                self._tabs.changed([(incident_id, "incident") for incident_id in ended])
        self._outbox.kick()

    async def close(self) -> None:
        """Claim nothing more, and let what is under way end (10 s at most)."""
        self._closing = True
        self.kick()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS), self._running:
                pass
        for follower in self._followers.values():
            await follower.aclose()

    async def _is_due(self, now: datetime) -> bool:
        soonest = await self._store.read(links.next_due)
        return soonest is not None and soonest <= now

    def _claim(self, tx: Transaction, now: datetime) -> list[Link]:
        """Take some of what is due."""
        claimed: list[Link] = []
        for link in links.due(tx, now, AT_ONCE):
            links.claim(tx, link, self._owner, now + LEASE)
            # A lease that ran out: whoever held it may have been taken there.
            is_unsure = link.is_unsure or link.state == links.CALLING
            claimed.append(replace(link, attempts=link.attempts + 1, is_unsure=is_unsure))
        return claimed

    async def _finish(self, link: Link, now: datetime) -> None:
        """Attempt it and write down how that ended. What goes wrong with one thing hinders no other."""
        (ended,) = await asyncio.gather(self._attempt(link, now), return_exceptions=True)
        if isinstance(ended, BaseException):
            outcome = await self._failed(link, _known(link, ended), now)
        elif isinstance(ended, Kept):
            kept = ended
            await self._store.write(lambda tx: self._keep(tx, link, kept, now))
            self._tabs.changed([(link.incident_id, "incident")])
            outcome = "kept"
        else:
            settled = _not_now(link, ended, now)
            await self._store.write(lambda tx: self._settle(tx, link, settled))
            outcome = settled.state
        self._outbox.kick()
        _CALLS.labels(link.system, outcome).inc()

    async def _attempt(self, link: Link, now: datetime) -> Kept | NotYet | None:
        follower = self._followers.get(link.system)
        if follower is None:
            return NotYet(NOBODY_FOLLOWS)
        async with asyncio.timeout(ATTEMPT_SECONDS):
            prepared = await self._store.write(lambda tx: follower.prepare(tx, link, now))
            if prepared is None or isinstance(prepared, NotYet):
                return prepared
            return await follower.perform(link, prepared)

    def _keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        follower = self._followers[link.system]
        settled = replace(
            _ended(link, KEPT if kept.is_all else OWED, now),
            external_id=kept.external_id,
            url=kept.url,
            status=kept.status,
            memo=kept.memo,
            is_told=link.is_told and not follower.is_urgent,
            synced_at=now,
        )
        if self._settle(tx, link, settled):
            follower.keep(tx, link, kept, now)
            failing.tell_mended(tx, link, now)

    async def _failed(self, link: Link, error: PublishError, now: datetime) -> str:
        await self._store.write(lambda tx: self._fail(tx, link, error, now))
        return "refused" if error.is_permanent else "later"

    def _fail(self, tx: Transaction, link: Link, error: PublishError, now: datetime) -> None:
        state = REFUSED if error.is_permanent and error.status != 401 else OWED
        wait = LOCKED_OUT if error.status == 401 else _backoff(link.attempts)
        due_at = now if state == REFUSED else error.retry_at(now) or now + wait
        is_urgent = self._followers[link.system].is_urgent
        is_to_tell = failing.is_to_tell(link, error, state=state, is_urgent=is_urgent)
        failed = replace(
            _ended(link, state, due_at),
            attempts=link.attempts,
            is_unsure=link.is_unsure or error.may_have_happened,
            error=error.sentence,
            is_told=link.is_told or is_to_tell,
        )
        if self._settle(tx, link, failed) and is_to_tell:
            failing.tell(tx, link, error.sentence, now, failing.question_in(error))

    def _settle(self, tx: Transaction, link: Link, settled: Settled) -> bool:
        was_ours = links.settle(tx, link, self._owner, settled)
        if not was_ours:
            log.warning("%s of %s went to another process meanwhile", link.subject, link.system)
        return was_ours


def _ended(link: Link, state: str, due_at: datetime) -> Settled:
    """The link as it stands, with nothing open any more."""
    return Settled(
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


def _not_now(link: Link, ended: NotYet | None, now: datetime) -> Settled:
    """The link where nothing is wanted any more, or where it has to wait, which is no attempt."""
    if ended is None:
        return _ended(link, LET_GO, now)
    return replace(
        _ended(link, OWED, now + ended.wait),
        attempts=link.attempts - 1,
        is_unsure=link.is_unsure,
        error=link.error,
        is_told=link.is_told,
    )


def _backoff(attempts: int) -> timedelta:
    """4, 8, 16 s and so on, up to an hour."""
    return min(timedelta(seconds=2 ** min(attempts + 1, 12)), LONGEST_BACKOFF)


def _known(link: Link, ended: BaseException) -> PublishError:
    """The error of an attempt; one that nobody foresaw may have been taken there."""
    if isinstance(ended, PublishError):
        return ended
    if isinstance(ended, TimeoutError):
        words = f"{link.system} took too long; it is tried again later."
    else:
        log.error("%s of %s failed (%s)", link.subject, link.system, type(ended).__name__, exc_info=ended)
        words = f"{link.system} could not be brought into step ({type(ended).__name__}); it is tried again later."
    return PublishError(link.system, words, may_have_happened=True)
