"""The way out: what storage says is owed to Slack is sent, once, in order, whatever happens meanwhile.

Nobody can post to Slack exactly once: it knows no key of ours. So each message carries its delivery's key in its
metadata, and where an attempt may have succeeded, the channel's history is asked before it is repeated. A second
copy is possible only where Slack took a message, the answer was lost, and the history does not show it.

What the result of an attempt makes of a delivery: over, to be tried again, or for somebody else.

Whose turn it is to be sent: what is tried again is not overtaken, and a burst keeps Slack's pace.
"""

import asyncio
import collections
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jinja2 import TemplateError
from prometheus_client import Counter, Gauge
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.errors import AfterwordError
from bot.slack.sender import Result, Saying, Sender, SendVerdict
from storage import deliveries as deliveries_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, SendOutcome
from storage.queues import DeliveryState

LONGEST_BACKOFF = timedelta(hours=1)
UNSURE_WAIT = timedelta(seconds=30)
"""A message may take a while to show in the history."""

MOST_ATTEMPTS = 10
MOST_UPLOADS = 2
"""A shared file carries no key to look for: in doubt it is sent once more, and no more."""


def settled_as(delivery: Delivery, saying: Saying, result: Result, now: datetime) -> tuple[Delivery, SendOutcome]:
    """What an attempt's result makes of a delivery (its `state` as found, its `attempts` with this one)."""
    match result.verdict:
        case SendVerdict.SENT:
            return delivery, SendOutcome(DeliveryState.SENT, now, result.channel, result.ts)
        case SendVerdict.LATER:
            wait = backoff(delivery.attempts) if result.wait is None else timedelta(seconds=result.wait)
            return delivery, SendOutcome(waiting_as(delivery), now + wait, error=result.error)
        case SendVerdict.LOCKED_OUT:
            return delivery, SendOutcome(waiting_as(delivery), now, error=result.error)
        case SendVerdict.PERHAPS:
            enough = MOST_ATTEMPTS if saying.carries_key else MOST_UPLOADS
            # After a night without a network the attempts are many, so one doubt alone does not end it.
            if delivery.state is not DeliveryState.PENDING and delivery.attempts >= enough:
                return _given_up(replace(delivery, fallback="") if saying.carries_key else delivery, result, now)
            wait = min(UNSURE_WAIT * 2 ** min(delivery.attempts - 1, 10), LONGEST_BACKOFF)
            return delivery, SendOutcome(DeliveryState.UNSURE, now + wait, error=result.error)
        case SendVerdict.NEVER:
            return _given_up(delivery, result, now)


def _given_up(delivery: Delivery, result: Result, now: datetime) -> tuple[Delivery, SendOutcome]:
    """It ends here, or goes to whoever is to hear of it instead."""
    if not delivery.fallback:
        return delivery, SendOutcome(DeliveryState.DEAD, now, error=result.error)
    return replace(delivery, recipient=delivery.fallback, fallback=""), SendOutcome(
        DeliveryState.PENDING, now, error=result.error
    )


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 2, 4, 8 s and so on, up to an hour."""
    return min(timedelta(seconds=2 ** min(attempts, 12)), LONGEST_BACKOFF)


def waiting_as(delivery: Delivery) -> DeliveryState:
    """As what a delivery waits on when nothing was sent this time: a doubt about an earlier attempt stays."""
    return DeliveryState.PENDING if delivery.state is DeliveryState.PENDING else DeliveryState.UNSURE


PACE_SECONDS = 1.0
"""Slack takes about one message a second in a channel."""

MOST_HELD = 3
"""After so many attempts (some minutes) others may go first: what Slack chokes on must not silence a channel."""


class Turns:
    """Remembers, by recipient and in this process alone, what the others wait for."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, datetime]] = {}
        """The delivery that is to be tried again, and when. Later ones do not overtake it."""
        self._quiet: dict[str, float] = {}
        """Until when (monotonic) a burst pauses."""

    def must_wait(self, delivery: Delivery, now: datetime, *, paced: bool) -> bool:
        """Whether it is not a delivery's turn yet; `paced` where bursts keep Slack's pace."""
        first, until = self._held.get(delivery.recipient, (delivery.id, now))
        if first < delivery.id and now < until:
            return True
        return paced and self._quiet.get(delivery.recipient, 0) > time.monotonic()

    def pause(self, recipients: Iterable[str]) -> None:
        """Something goes to these now, and more is owed to each."""
        monotonic = time.monotonic()
        self._quiet = {recipient: until for recipient, until in self._quiet.items() if until > monotonic}
        self._quiet |= dict.fromkeys(recipients, monotonic + PACE_SECONDS)

    def hold(self, delivery: Delivery, outcome: SendOutcome, *, is_asked_to_wait: bool) -> None:
        """See that what is to be tried again is not overtaken; `is_asked_to_wait`: Slack said for how long."""
        self._held.pop(delivery.recipient, None)
        if outcome.state in (DeliveryState.PENDING, DeliveryState.UNSURE) and (
            is_asked_to_wait or delivery.attempts <= MOST_HELD
        ):
            self._held[delivery.recipient] = (delivery.id, outcome.due_at)


log = logging.getLogger(__name__)

Composer = Callable[[Transaction, Delivery, datetime], Saying | None]
"""What to say for a delivery, decided in the transaction that claims it; None where its reason is gone."""

Sent = Callable[[Transaction, Delivery, str, str], None]
"""Told of a message that was sent (channel, ts; ts is empty for a file), in the transaction that settles it."""

LEASE = timedelta(seconds=60)
ATTEMPT_SECONDS = 40.0
LOOKED_AT = 500
AT_ONCE = 8
LOCKED_OUT_SECONDS = 30.0
CLOSE_SECONDS = 10.0

_COMPOSING_ERRORS = (
    AfterwordError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TemplateError,
    TypeError,
    ValueError,
)
_OUTCOMES = Counter("afterword_deliveries_total", "Attempts to send something to Slack, by outcome.", ["outcome"])
_WAITING = Gauge("afterword_deliveries_waiting", "Messages owed to Slack and not yet sent.")


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A delivery that is ours until its lease ends; its `state` is the one it was found in."""

    delivery: Delivery
    saying: Saying
    is_burst: bool


class Outbox:
    """Sends what is owed. `client` must not repeat anything by itself: `retry_handlers=[]`, and a timeout of 10 s.

    Several processes on one database share the work; the order of a channel's messages is kept within each.
    """

    def __init__(
        self, store: Store, client: AsyncWebClient, clock: Clock, compose: Composer, *, sent: Sent | None = None
    ) -> None:
        self._store = store
        self._sender = Sender(client)
        self._clock = clock
        self._compose = compose
        self._sent = sent
        self._owner = uuid.uuid4().hex
        self._kicked = asyncio.Event()
        self._woken: list[Callable[[], None]] = []
        self._sending = asyncio.Lock()
        self._looking: asyncio.Task[float] | None = None
        self._closing = False
        self._turns = Turns()
        self.trouble = ""
        """Why nothing can be sent at all; empty while it can."""

    async def probe(self) -> str:
        """What is wrong, for the health report; empty where nothing is."""
        return self.trouble

    def kick(self) -> None:
        """Say that something new is owed; from the loop's thread."""
        self._kicked.set()
        for wake in self._woken:
            wake()

    def wake_too(self, wake: Callable[[], None]) -> None:
        """Have somebody else woken, too, when something new is owed."""
        self._woken.append(wake)

    async def run(self) -> None:
        """Send what comes due until closed or cancelled; a burst into one channel goes out at Slack's pace."""
        while not self._closing:
            self._kicked.clear()
            # A task of its own: cancelling this loop does not break an attempt off, and no error ends the loop.
            looking = self._looking = asyncio.create_task(self._look())
            await asyncio.wait([looking])
            error = looking.exception()
            if error is not None:
                log.error("the outbox could not look at what is owed (%s)", type(error).__name__)
            await self._rest(looking.result() if error is None else self._store.timeouts.outbox_idle)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._kicked.wait()

    async def _look(self) -> float:
        """Send what is due; seconds until it is worth looking again.

        It reads before it claims: a claim is a commit, which those who record would wait for.
        """
        soonest = await self._soonest()
        while soonest is not None and soonest <= self._clock.now():
            results = await self._round(self._clock.now(), paced=True)
            if _is_locked_out(results):
                return LOCKED_OUT_SECONDS
            if self._closing or not results:
                break
            soonest = await self._soonest()
        if soonest is None:
            return self._store.timeouts.outbox_idle
        until_due = (soonest - self._clock.now()).total_seconds()
        return min(max(until_due, PACE_SECONDS), self._store.timeouts.outbox_idle)

    async def _soonest(self) -> datetime | None:
        soonest, owed = await self._store.read(lambda tx: (deliveries_store.next_due(tx), deliveries_store.waiting(tx)))
        _WAITING.set(owed)
        return soonest

    async def send_due(self, now: datetime) -> int:
        """Send everything that is due at `now`, without pauses; how many messages were sent."""
        began = time.monotonic()
        sent = 0
        while results := await self._round(now, paced=False):
            sent += sum(result.verdict is SendVerdict.SENT for result in results)
            if _is_locked_out(results) or time.monotonic() - began > self._store.timeouts.outbox_round:
                break
        return sent

    async def close(self) -> None:
        """Claim nothing more, and let what is under way end (10 s at most)."""
        self._closing = True
        self.kick()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._looking is not None:
                    await asyncio.wait([self._looking])
                async with self._sending:  # a tick may be sending as well
                    pass
        except TimeoutError:
            log.warning("closed with an attempt under way; it is looked up once its lease has ended")

    async def _round(self, now: datetime, *, paced: bool) -> list[Result]:
        """One message to each recipient that is owed one; what became of each, empty where there was none."""
        async with self._sending:
            if self._closing:
                return []
            claimed = await self._store.write(lambda tx: self._claim(tx, now, paced=paced))
            if paced:
                self._turns.pause(one.delivery.recipient for one in claimed if one.is_burst)
            ended = await asyncio.gather(*(self._finish(one, now) for one in claimed), return_exceptions=True)
        results = [_known(one, result, "settling it") for one, result in zip(claimed, ended, strict=True)]
        if _is_locked_out(results):
            self.trouble = "Slack refuses the bot's token; messages wait."
        elif any(result.verdict is SendVerdict.SENT for result in results):
            self.trouble = ""
        return results

    def _claim(self, tx: Transaction, now: datetime, *, paced: bool) -> list[_Claimed]:
        """Take the first message owed to each recipient, and settle those whose reason is gone."""
        due = sorted(deliveries_store.due(tx, now, LOOKED_AT), key=lambda delivery: delivery.id)
        owed = collections.Counter(delivery.recipient for delivery in due)
        claimed: dict[str, _Claimed] = {}
        for delivery in due:
            if len(claimed) == AT_ONCE:
                break
            if delivery.recipient in claimed or self._turns.must_wait(delivery, now, paced=paced):
                continue
            deliveries_store.claim(tx, delivery, self._owner, now + LEASE, now)
            saying = self._composed(tx, delivery, now)
            if saying is not None:
                ours = replace(delivery, attempts=delivery.attempts + 1, first_tried_at=delivery.first_tried_at or now)
                claimed[delivery.recipient] = _Claimed(ours, saying, is_burst=owed[delivery.recipient] > 1)
        return list(claimed.values())

    def _composed(self, tx: Transaction, delivery: Delivery, now: datetime) -> Saying | None:
        """What to say; where there is nothing (more) to say, or no way to, the delivery is settled."""
        try:
            saying = self._compose(tx, delivery, now)
        except _COMPOSING_ERRORS as error:
            log.exception("delivery %d cannot be composed", delivery.id)
            wait = backoff(delivery.attempts + 1)
            deliveries_store.settle(
                tx, delivery, self._owner, SendOutcome(waiting_as(delivery), now + wait, error=type(error).__name__)
            )
            return None
        if saying is None:
            deliveries_store.settle(tx, delivery, self._owner, SendOutcome(DeliveryState.CANCELLED, now))
            _OUTCOMES.labels(DeliveryState.CANCELLED).inc()
        return saying

    async def _finish(self, one: _Claimed, now: datetime) -> Result:
        """Attempt and settle; an attempt that ends in an error of any kind may have sent."""
        (ended,) = await asyncio.gather(self._attempt(one), return_exceptions=True)
        result = _known(one, ended, "sending it")
        delivery, outcome = settled_as(one.delivery, one.saying, result, now)
        was_ours = await self._store.write(lambda tx: self._settle(tx, delivery, outcome))
        self._turns.hold(one.delivery, outcome, is_asked_to_wait=result.wait is not None)
        _OUTCOMES.labels(outcome.state).inc()
        if not was_ours:
            log.warning("delivery %d went to another process meanwhile", delivery.id)
        elif outcome.state is DeliveryState.DEAD:
            log.error("delivery %d to %s is given up: %s", delivery.id, delivery.recipient, outcome.error)
        return result

    async def _attempt(self, one: _Claimed) -> Result:
        delivery, saying = one.delivery, one.saying
        async with asyncio.timeout(ATTEMPT_SECONDS):
            if delivery.state is not DeliveryState.PENDING:
                found = await self._look_up(delivery, saying)
                if found.verdict is not SendVerdict.NEVER:
                    return found
                if not saying.update_ts:
                    log.warning("delivery %d is sent again; it may be a second copy", delivery.id)
            return await self._sender.send(delivery.recipient, saying, delivery.send_key)

    async def _look_up(self, delivery: Delivery, saying: Saying) -> Result:
        """Whether an attempt whose outcome is unknown left its message. A shared file cannot carry a key."""
        if not saying.carries_key or delivery.first_tried_at is None:
            return Result(SendVerdict.NEVER)
        return await self._sender.find(delivery.recipient, saying.thread_ts, delivery.send_key, delivery.first_tried_at)

    def _settle(self, tx: Transaction, delivery: Delivery, outcome: SendOutcome) -> bool:
        was_ours = deliveries_store.settle(tx, delivery, self._owner, outcome)
        if was_ours and outcome.state is DeliveryState.SENT and self._sent is not None:
            self._sent(tx, delivery, outcome.channel, outcome.ts)
        return was_ours


def _known(one: _Claimed, result: Result | BaseException, doing: str) -> Result:
    if isinstance(result, Result):
        return result
    log.error("delivery %d: %s failed (%s)", one.delivery.id, doing, type(result).__name__)
    return Result(SendVerdict.PERHAPS, error=type(result).__name__)


def _is_locked_out(results: list[Result]) -> bool:
    return any(result.verdict is SendVerdict.LOCKED_OUT for result in results)
