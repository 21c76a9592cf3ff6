"""The outbox: what is enqueued for Slack is sent, once and in order, whatever happens meanwhile.

No one can post to Slack exactly once, because it knows no key of ours. So each message carries its delivery's key in
its metadata, and if an attempt may have succeeded, the channel's history is searched before it is repeated. A second
copy is possible only if Slack took a message, its answer was lost, and the history does not show it.
"""

import collections
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jinja2 import TemplateError
from prometheus_client import Counter, Gauge
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.errors import AfterwordError
from bot.queue import QueueWorker, backoff
from bot.slack.sender import OutgoingMessage, Sender, SendResult, SendVerdict
from storage import deliveries as deliveries_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, SendOutcome
from storage.queues import DeliveryState

log = logging.getLogger(__name__)

FIRST_BACKOFF = timedelta(seconds=2)
UNSURE_BACKOFF = timedelta(seconds=30)
"""A message may take a while to show in the history."""

MOST_ATTEMPTS = 10
MOST_UPLOADS = 2
"""A shared file carries no key to search for: in doubt it is sent once more, and no more."""


def next_state(
    delivery: Delivery, saying: OutgoingMessage, result: SendResult, now: datetime
) -> tuple[Delivery, SendOutcome]:
    """Decide what follows from an attempt. `delivery` has the state it was found in, and `attempts` with this one."""
    match result.verdict:
        case SendVerdict.SENT:
            return delivery, SendOutcome(DeliveryState.SENT, now, result.channel, result.ts)
        case SendVerdict.LATER:
            wait = backoff(delivery.attempts, FIRST_BACKOFF) if result.wait is None else timedelta(seconds=result.wait)
            return delivery, SendOutcome(_unsent_state(delivery), now + wait, error=result.error)
        case SendVerdict.LOCKED_OUT:
            # Due at once: the token concerns everything, so the worker rests, not this message.
            return delivery, SendOutcome(_unsent_state(delivery), now, error=result.error)
        case SendVerdict.PERHAPS:
            enough = MOST_ATTEMPTS if saying.carries_key else MOST_UPLOADS
            # After a night without a network the attempts are many, so one doubt alone does not end it.
            if delivery.state is not DeliveryState.PENDING and delivery.attempts >= enough:
                return _give_up(replace(delivery, fallback="") if saying.carries_key else delivery, result, now)
            due_at = now + backoff(delivery.attempts, UNSURE_BACKOFF)
            return delivery, SendOutcome(DeliveryState.UNSURE, due_at, error=result.error)
        case SendVerdict.NEVER:
            return _give_up(delivery, result, now)


def _give_up(delivery: Delivery, result: SendResult, now: datetime) -> tuple[Delivery, SendOutcome]:
    """End it here, or pass it on to the fallback recipient."""
    if not delivery.fallback:
        return delivery, SendOutcome(DeliveryState.DEAD, now, error=result.error)
    passed_on = replace(delivery, recipient=delivery.fallback, fallback="")
    return passed_on, SendOutcome(DeliveryState.PENDING, now, error=result.error)


def _unsent_state(delivery: Delivery) -> DeliveryState:
    """The state to wait in if nothing was sent this time: a doubt about an earlier attempt stays."""
    return DeliveryState.PENDING if delivery.state is DeliveryState.PENDING else DeliveryState.UNSURE


PACE_SECONDS = 1.0
"""Slack takes about one message a second in a channel."""

MOST_BLOCKING = 3
"""After this many attempts (some minutes) later messages may pass: one that chokes Slack must not silence a channel."""


class RateLimiter:
    """Keeps, per recipient, the order of messages and Slack's pace. It knows what this process sent, and no more."""

    def __init__(self) -> None:
        self._blocked: dict[str, tuple[int, datetime]] = {}
        """The delivery to be tried again, and when. Later ones do not overtake it."""
        self._quiet: dict[str, float] = {}
        """Until when (monotonic) a burst pauses."""

    def must_wait(self, delivery: Delivery, now: datetime, *, paced: bool) -> bool:
        """Tell whether a delivery may not be sent yet; `paced` keeps bursts to Slack's pace."""
        first, until = self._blocked.get(delivery.recipient, (delivery.id, now))
        if first < delivery.id and now < until:
            return True
        return paced and self._quiet.get(delivery.recipient, 0) > time.monotonic()

    def pause(self, recipients: Iterable[str]) -> None:
        """Pause for these: a message goes to each now, and another one is waiting for each."""
        monotonic = time.monotonic()
        self._quiet = {recipient: until for recipient, until in self._quiet.items() if until > monotonic}
        self._quiet |= dict.fromkeys(recipients, monotonic + PACE_SECONDS)

    def note(self, delivery: Delivery, outcome: SendOutcome, *, was_asked_to_wait: bool) -> None:
        """Let nothing overtake a message that is to be tried again; `was_asked_to_wait`: Slack said for how long."""
        self._blocked.pop(delivery.recipient, None)
        is_waiting = outcome.state in (DeliveryState.PENDING, DeliveryState.UNSURE)
        if is_waiting and (was_asked_to_wait or delivery.attempts <= MOST_BLOCKING):
            self._blocked[delivery.recipient] = (delivery.id, outcome.due_at)


Composer = Callable[[Transaction, Delivery, datetime], OutgoingMessage | None]
"""Makes the message of a delivery, in the transaction that claims it; None if its reason is gone."""

Sent = Callable[[Transaction, Delivery, str, str], None]
"""Called for each message that was sent (channel, ts; ts is empty for a file), in the transaction that settles it."""

LEASE = timedelta(seconds=60)
ATTEMPT_SECONDS = 40.0
MOST_DUE = 500
AT_ONCE = 8
LOCKED_OUT_SECONDS = 30.0

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
    saying: OutgoingMessage
    is_burst: bool


class Outbox(QueueWorker[_Claimed, SendResult, SendResult]):
    """Sends deliveries. `client` must not repeat anything by itself: `retry_handlers=[]`, and a timeout of 10 s.

    Several processes on one database share the work; the order of a channel's messages is kept within each.
    """

    def __init__(
        self, store: Store, client: AsyncWebClient, clock: Clock, compose: Composer, *, sent: Sent | None = None
    ) -> None:
        super().__init__("the outbox", store, clock, attempt_seconds=ATTEMPT_SECONDS)
        self._sender = Sender(client)
        self._compose = compose
        self._sent = sent
        self._listeners: list[Callable[[], None]] = []
        self._limiter = RateLimiter()
        self.trouble = ""
        """Why nothing can be sent at all; empty while it can."""

    async def probe(self) -> str:
        """Describe what is wrong, for the health report; empty if nothing is."""
        return self.trouble

    def notify(self) -> None:
        """Wake the outbox and its listeners: something was enqueued."""
        super().notify()
        for listener in self._listeners:
            listener()

    def on_notify(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the outbox is woken: transactions enqueue for it and for other queues alike."""
        self._listeners.append(listener)

    async def _work(self) -> float:
        """Send what is due at Slack's pace.

        It reads before it claims: a claim is a commit, which people who record would wait for.
        """
        soonest = await self._soonest()
        while soonest is not None and soonest <= self._clock.now():
            results = await self._send_round(self._clock.now(), paced=True)
            if _is_locked_out(results):
                return LOCKED_OUT_SECONDS
            if self._closing or not results:
                break
            soonest = await self._soonest()
        if soonest is None:
            return self._store.timeouts.queue_idle
        until_due = (soonest - self._clock.now()).total_seconds()
        return min(max(until_due, PACE_SECONDS), self._store.timeouts.queue_idle)

    async def _soonest(self) -> datetime | None:
        soonest, waiting = await self._store.read(
            lambda tx: (deliveries_store.next_due(tx), deliveries_store.count_waiting(tx))
        )
        _WAITING.set(waiting)
        return soonest

    async def run_due(self, now: datetime) -> int:
        """Send everything that is due at `now`, without pauses; returns how many messages were sent."""
        began = time.monotonic()
        sent = 0
        while results := await self._send_round(now, paced=False):
            sent += sum(result.verdict is SendVerdict.SENT for result in results)
            if _is_locked_out(results) or time.monotonic() - began > self._store.timeouts.outbox_round:
                break
        return sent

    async def _send_round(self, now: datetime, *, paced: bool) -> list[SendResult]:
        """Send one message to each recipient that has one waiting. Empty if there is nothing to send."""
        async with self._working:
            if self._closing:
                return []
            claimed = await self._store.write(lambda tx: self._claim(tx, now, paced=paced))
            if paced:
                self._limiter.pause(one.delivery.recipient for one in claimed if one.is_burst)
            results = await self._run_jobs(claimed, now)
        if _is_locked_out(results):
            self.trouble = "Slack refuses the bot's token; messages wait."
        elif any(result.verdict is SendVerdict.SENT for result in results):
            self.trouble = ""
        return results

    def _claim(self, tx: Transaction, now: datetime, *, paced: bool) -> list[_Claimed]:
        """Claim the first message of each recipient, and settle those whose reason is gone."""
        due = sorted(deliveries_store.due(tx, now, MOST_DUE), key=lambda delivery: delivery.id)
        waiting = collections.Counter(delivery.recipient for delivery in due)
        claimed: dict[str, _Claimed] = {}
        for delivery in due:
            if len(claimed) == AT_ONCE:
                break
            if delivery.recipient in claimed or self._limiter.must_wait(delivery, now, paced=paced):
                continue
            deliveries_store.claim(tx, delivery, self._owner, now + LEASE, now)
            # Composed under the claim: what is said is true at this moment, and not when it was enqueued.
            saying = self._composed(tx, delivery, now)
            if saying is not None:
                ours = replace(delivery, attempts=delivery.attempts + 1, first_tried_at=delivery.first_tried_at or now)
                claimed[delivery.recipient] = _Claimed(ours, saying, is_burst=waiting[delivery.recipient] > 1)
        return list(claimed.values())

    def _composed(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """The message; if there is none (any more), or no way to make it, the delivery is settled and this is None."""
        try:
            saying = self._compose(tx, delivery, now)
        except _COMPOSING_ERRORS as error:
            log.exception("delivery %d cannot be composed", delivery.id)
            due_at = now + backoff(delivery.attempts + 1, FIRST_BACKOFF)
            outcome = SendOutcome(_unsent_state(delivery), due_at, error=type(error).__name__)
            deliveries_store.settle(tx, delivery, self._owner, outcome)
            return None
        if saying is None:
            deliveries_store.settle(tx, delivery, self._owner, SendOutcome(DeliveryState.CANCELLED, now))
            _OUTCOMES.labels(DeliveryState.CANCELLED).inc()
        return saying

    async def _attempt(self, job: _Claimed, now: datetime) -> SendResult:
        delivery, saying = job.delivery, job.saying
        if delivery.state is not DeliveryState.PENDING:
            found = await self._look_up(delivery, saying)
            if found.verdict is not SendVerdict.NEVER:
                return found
            if not saying.update_ts:
                log.warning("delivery %d is sent again; it may be a second copy", delivery.id)
        return await self._sender.send(delivery.recipient, saying, delivery.send_key)

    async def _look_up(self, delivery: Delivery, saying: OutgoingMessage) -> SendResult:
        """Whether an attempt of unknown outcome left its message. A shared file cannot carry a key."""
        if not saying.carries_key or delivery.first_tried_at is None:
            return SendResult(SendVerdict.NEVER)
        return await self._sender.find(delivery.recipient, saying.thread_ts, delivery.send_key, delivery.first_tried_at)

    async def _finish(self, job: _Claimed, ended: SendResult | BaseException, now: datetime) -> SendResult:
        # An attempt that ended in an unknown error may have sent.
        result = _perhaps(job, ended, "sending it") if isinstance(ended, BaseException) else ended
        delivery, outcome = next_state(job.delivery, job.saying, result, now)
        was_ours = await self._store.write(lambda tx: self._settle(tx, delivery, outcome))
        self._limiter.note(job.delivery, outcome, was_asked_to_wait=result.wait is not None)
        _OUTCOMES.labels(outcome.state).inc()
        if not was_ours:
            log.warning("delivery %d went to another process meanwhile", delivery.id)
        elif outcome.state is DeliveryState.DEAD:
            log.error("delivery %d to %s is given up: %s", delivery.id, delivery.recipient, outcome.error)
        return result

    def _unsettled(self, job: _Claimed, error: BaseException) -> SendResult:
        return _perhaps(job, error, "settling it")

    def _settle(self, tx: Transaction, delivery: Delivery, outcome: SendOutcome) -> bool:
        was_ours = deliveries_store.settle(tx, delivery, self._owner, outcome)
        if was_ours and outcome.state is DeliveryState.SENT and self._sent is not None:
            self._sent(tx, delivery, outcome.channel, outcome.ts)
        return was_ours


def _perhaps(job: _Claimed, error: BaseException, doing: str) -> SendResult:
    log.error("delivery %d: %s failed (%s)", job.delivery.id, doing, type(error).__name__)
    return SendResult(SendVerdict.PERHAPS, error=type(error).__name__)


def _is_locked_out(results: Sequence[SendResult]) -> bool:
    return any(result.verdict is SendVerdict.LOCKED_OUT for result in results)
