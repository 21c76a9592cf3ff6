"""The outbox: sends deliveries to Slack, once and in order, across failures of Slack, the network and this process.

Slack has no idempotency key. So each message carries its delivery's key in its metadata, and if an attempt may have
succeeded, the channel's history is searched before it is repeated (docs/decisions/0004-the-row-is-the-queue.md). A
second copy is possible only if Slack took a message, its answer was lost, and the history does not show it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jinja2 import TemplateError
from prometheus_client import Counter, Gauge
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.errors import AfterwordError
from bot.queue import QueueWorker, backoff
from bot.slack import pace
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

LONGEST_SILENCE = timedelta(seconds=60)
"""No longer, if Slack did not answer at all: once it does, what it left must not hold up its channel."""

MOST_BLOCKING = 3
"""After this many attempts that Slack answered, later messages may pass: one that chokes Slack must not silence a
channel."""

MOST_ATTEMPTS = 10
MOST_UPLOADS = 2
"""A shared file carries no key to search for: in doubt it is sent once more, and no more."""


def next_state(
    delivery: Delivery, message: OutgoingMessage, result: SendResult, now: datetime
) -> tuple[Delivery, SendOutcome]:
    """The row and its outcome after an attempt.

    `delivery` has the state from before the attempt, but `attempts` includes it.
    """
    match result.verdict:
        case SendVerdict.SENT:
            return delivery, SendOutcome(DeliveryState.SENT, now, result.channel, result.ts)
        case SendVerdict.LATER:
            if result.is_silent:
                return delivery, _unsent(delivery, result, now)
            wait = backoff(delivery.attempts, FIRST_BACKOFF) if result.wait is None else timedelta(seconds=result.wait)
            return delivery, SendOutcome(_unsent_state(delivery), now + wait, error=result.error)
        case SendVerdict.LOCKED_OUT:
            return delivery, _unsent(delivery, result, now)
        case SendVerdict.PERHAPS:
            enough = MOST_ATTEMPTS if message.carries_key else MOST_UPLOADS
            # Attempts also count while Slack is not reached, so after a night without a network they are many: the
            # first doubt must not end the delivery.
            if delivery.state is not DeliveryState.PENDING and delivery.attempts >= enough:
                # Not to the fallback: the recipient may have it, and two people would then act on one message.
                return _give_up(replace(delivery, fallback="") if message.carries_key else delivery, result, now)
            wait = backoff(delivery.attempts, UNSURE_BACKOFF)
            due_at = now + (min(wait, LONGEST_SILENCE) if result.is_silent else wait)
            return delivery, SendOutcome(DeliveryState.UNSURE, due_at, error=result.error)
        case SendVerdict.NEVER:
            return _give_up(delivery, result, now)


def keeps_its_place(delivery: Delivery, result: SendResult, outcome: SendOutcome) -> bool:
    """Whether later messages to the recipient wait until this one is tried again.

    However often, if Slack named the time or did not answer at all: then the message is not to blame.
    """
    is_waiting = outcome.state in (DeliveryState.PENDING, DeliveryState.UNSURE)
    may_block = result.wait is not None or result.is_silent or delivery.attempts <= MOST_BLOCKING
    return is_waiting and may_block


def _give_up(delivery: Delivery, result: SendResult, now: datetime) -> tuple[Delivery, SendOutcome]:
    """End the delivery, or pass it on to its fallback recipient."""
    if not delivery.fallback:
        return delivery, SendOutcome(DeliveryState.DEAD, now, error=result.error)
    passed_on = replace(delivery, recipient=delivery.fallback, fallback="")
    return passed_on, SendOutcome(DeliveryState.PENDING, now, error=result.error)


def _unsent(delivery: Delivery, result: SendResult, now: datetime) -> SendOutcome:
    # Due as it was before: the token or the network concerns everything, so the worker rests, not this message. A later
    # time would let the next message to the channel overtake it (and did, after an outage).
    return SendOutcome(_unsent_state(delivery), min(delivery.due_at, now), error=result.error)


def _unsent_state(delivery: Delivery) -> DeliveryState:
    """The state to wait in if nothing was sent this time: a doubt about an earlier attempt stays."""
    return DeliveryState.PENDING if delivery.state is DeliveryState.PENDING else DeliveryState.UNSURE


Composer = Callable[[Transaction, Delivery, datetime], OutgoingMessage | None]
"""Makes the message of a delivery, in the transaction that claims it; None if its reason is gone."""

OnSent = Callable[[Transaction, Delivery, str, str], None]
"""Called for each message that was sent (channel, ts; ts is empty for a file), in the transaction that settles it."""

LEASE = timedelta(seconds=60)
ATTEMPT_SECONDS = 40.0
"""Less than the lease by more than a call takes (`Timeouts.slack_call`): what the last call left behind is to be found
before another process looks for it."""

# More than one round sends, because a channel's backlog must not hide the messages to others.
MOST_DUE = 500
AT_ONCE = 8
# Until the token is replaced every call is refused, so asking more often helps no one.
LOCKED_OUT_SECONDS = 30.0
LONGEST_REST_SECONDS = 15.0
"""While Slack does not answer. It begins with a second and doubles."""

MOST_COMPOSED = 20
"""Attempts to make a message, over ten hours in which a newer version may be installed; then it is given up."""

# Caught so that a message that cannot be made does not stop the others. Anything else is a fault of the claim itself.
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
    """A delivery that this process may send until its lease ends. Its `state` is the one from before the claim.

    No call that could send it begins after `deadline`, a count of `count_seconds`.
    """

    delivery: Delivery
    message: OutgoingMessage
    deadline: float
    is_burst: bool


class Outbox(QueueWorker[_Claimed, SendResult, SendResult]):
    """Sends deliveries. `client` must not retry (`retry_handlers=[]`), and needs a timeout of 10 s.

    Several processes on one database share the work. A channel's messages stay in order whichever process sends them,
    and whatever becomes of it: none overtakes an earlier one that Slack may have, or may yet get.
    """

    def __init__(
        self, store: Store, client: AsyncWebClient, clock: Clock, compose: Composer, *, on_sent: OnSent | None = None
    ) -> None:
        super().__init__("the outbox", store, clock, attempt_seconds=ATTEMPT_SECONDS)
        self._sender = Sender(client)
        self._compose = compose
        self._on_sent = on_sent
        self._listeners: list[Callable[[], None]] = []
        self._followers: list[Callable[[Delivery], None]] = []
        self._limiter = pace.RateLimiter()
        self._rest_until = 0.0
        """Until when (monotonic) nothing is attempted, because nothing would go."""
        self._silent_rounds = 0
        self.trouble = ""
        """Why nothing can be sent at all; empty while it can."""

    async def probe(self) -> str:
        """Why nothing can be sent, for the health report; empty if all is well."""
        return self.trouble

    def notify(self) -> None:
        """Wake the outbox and its listeners: something was enqueued."""
        super().notify()
        for listener in self._listeners:
            listener()

    def on_notify(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the outbox is woken, since one transaction may enqueue for several queues."""
        self._listeners.append(listener)

    def after_send(self, follower: Callable[[Delivery], None]) -> None:
        """Call `follower` with each delivery that was sent, once that is written down."""
        self._followers.append(follower)

    async def _work(self) -> float:
        """Send what is due, at Slack's pace."""
        # Being notified does not end a rest: at each tick the outbox is woken.
        if (left := self._rest_until - time.monotonic()) > 0:
            return left
        # Read before claiming: a claim is a commit on the one writer, and people who record would wait for it.
        soonest = await self._soonest()
        while soonest is not None and soonest <= self._clock.now():
            results = await self._send_round(self._clock.now(), paced=True)
            if rest := self._rest_after(results):
                self._rest_until = time.monotonic() + rest
                return rest
            if self._closing or not results:
                break
            soonest = await self._soonest()
        if soonest is None:
            return self._store.timeouts.queue_idle
        until_due = (soonest - self._clock.now()).total_seconds()
        # At least the pace: what is due but must wait for it would otherwise be looked for without a pause.
        return min(max(until_due, pace.CHANNEL_SECONDS), self._store.timeouts.queue_idle)

    def _rest_after(self, results: Sequence[SendResult]) -> float:
        """How long to attempt nothing after a round; 0 if it went as usual."""
        if _is_locked_out(results):
            return LOCKED_OUT_SECONDS
        self._silent_rounds = self._silent_rounds + 1 if _is_silent(results) else 0
        return min(2.0 ** (self._silent_rounds - 1), LONGEST_REST_SECONDS) if self._silent_rounds else 0.0

    def resume(self) -> None:
        """End a rest: Slack answers again."""
        self._rest_until = 0.0
        self.notify()

    async def _soonest(self) -> datetime | None:
        soonest, waiting = await self._store.read(
            lambda tx: (deliveries_store.next_due(tx), deliveries_store.count_waiting(tx))
        )
        _WAITING.set(waiting)
        return soonest

    async def run_due(self, now: datetime) -> int:
        """Send everything that is due at `now`, without pauses; returns how many messages were sent."""
        began, started_at = time.monotonic(), self._clock.now()
        sent = 0
        # Time goes on meanwhile: a lease that began with the first round would be short in the last.
        while results := await self._send_round(now + self._since(started_at), paced=False):
            sent += sum(result.verdict is SendVerdict.SENT for result in results)
            # The sweep calls this, and its next tick must not wait for a backlog.
            if self._rest_after(results) or time.monotonic() - began > self._store.timeouts.outbox_round:
                break
        return sent

    async def _send_round(self, now: datetime, *, paced: bool) -> list[SendResult]:
        """Send one message to each recipient that has one waiting. Empty if there is nothing to send."""
        asked_at = self._clock.now()
        async with self._working:
            if self._closing:
                return []
            now += self._since(asked_at)  # the turn of another round may have lasted
            deadline = self._deadline()
            claimed = await self._store.write(lambda tx: self._claim(tx, now, deadline, paced=paced))
            if paced:
                self._limiter.pause(one.delivery.recipient for one in claimed if one.is_burst)
                self._limiter.budget.spend(len(claimed))
            results = await self._run_jobs(claimed, now, deadline)
        if _is_locked_out(results):
            self.trouble = "Slack refuses the bot's token; messages wait."
        elif any(result.verdict is SendVerdict.SENT for result in results):
            self.trouble = ""
        return results

    def _claim(self, tx: Transaction, now: datetime, deadline: float, *, paced: bool) -> list[_Claimed]:
        """Claim the first message of each recipient, and cancel those whose reason is gone."""
        claimed: list[_Claimed] = []
        for waiting in _by_recipient(deliveries_store.due(tx, now, MOST_DUE), now):
            is_fresh = any(pace.is_fresh(one, now) for one in waiting)
            may_go = not paced or self._limiter.budget.allows(time.monotonic(), len(claimed), is_fresh=is_fresh)
            if len(claimed) == AT_ONCE or not may_go:
                break
            if paced and self._limiter.must_pause(waiting[0].recipient):
                continue
            found = self._claim_first(tx, waiting, now)
            if found is not None:
                claimed.append(_Claimed(*found, deadline, is_burst=len(waiting) > 1))
        return claimed

    def _claim_first(
        self, tx: Transaction, waiting: Sequence[Delivery], now: datetime
    ) -> tuple[Delivery, OutgoingMessage] | None:
        """Claim the first of one recipient's messages that is still wanted; None if none may be sent yet."""
        for delivery in waiting:
            if not deliveries_store.is_next(tx, delivery, now):
                return None
            deliveries_store.claim(tx, delivery, self._owner, now + LEASE, now)
            # Composed under the claim, so that the message is true now, and not when it was enqueued.
            message = self._compose_message(tx, delivery, now)
            if message is not None:
                ours = replace(delivery, attempts=delivery.attempts + 1, first_tried_at=delivery.first_tried_at or now)
                return ours, message
        return None

    def _compose_message(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """The message. None if its reason is gone or it cannot be made; then the delivery is settled."""
        try:
            message = self._compose(tx, delivery, now)
        except _COMPOSING_ERRORS as error:
            say = log.error if delivery.attempts else log.exception  # the same trace again would say nothing new
            say(
                "Message %(delivery)d can't be made. Other messages go on; please report this.",
                {
                    "event": "delivery_uncomposable",
                    "delivery": delivery.id,
                    "kind": delivery.kind.value,
                    "team": delivery.team,
                    "channel": delivery.recipient,
                    "incident": delivery.incident_id,
                },
            )
            due_at = now + backoff(delivery.attempts + 1, FIRST_BACKOFF)
            is_last = delivery.attempts + 1 >= MOST_COMPOSED
            state = DeliveryState.DEAD if is_last else _unsent_state(delivery)
            outcome = SendOutcome(state, due_at, error=type(error).__name__)
            deliveries_store.settle(tx, delivery, self._owner, outcome)
            return None
        if message is None:
            deliveries_store.settle(tx, delivery, self._owner, SendOutcome(DeliveryState.CANCELLED, now))
            _OUTCOMES.labels(DeliveryState.CANCELLED).inc()
        return message

    async def _attempt(self, job: _Claimed, now: datetime) -> SendResult:
        delivery, message = job.delivery, job.message
        # An earlier attempt, maybe of another process, may have sent it.
        if delivery.state is not DeliveryState.PENDING:
            result = await self._look_up(delivery, message)
            if result.verdict is not SendVerdict.NEVER:
                return result
            if not message.update_ts:
                log.warning(
                    "Message %(delivery)d to %(channel)s is sent again, because Slack doesn't show whether it "
                    "arrived. It may appear twice.",
                    {
                        "event": "delivery_repeated",
                        "delivery": delivery.id,
                        "team": delivery.team,
                        "channel": delivery.recipient,
                        "incident": delivery.incident_id,
                    },
                )
        return await self._sender.send(delivery.recipient, message, delivery.send_key, job.deadline)

    async def _look_up(self, delivery: Delivery, message: OutgoingMessage) -> SendResult:
        """Look for the message of an earlier attempt. A shared file cannot carry a key, so it cannot be found."""
        if not message.carries_key or delivery.first_tried_at is None:
            return SendResult(SendVerdict.NEVER)
        return await self._sender.find(
            delivery.recipient, message.thread_ts, delivery.send_key, delivery.first_tried_at
        )

    async def _finish(self, job: _Claimed, ended: SendResult | BaseException, now: datetime) -> SendResult:
        # After an unknown error the message may have been sent, so the next attempt looks for it first.
        result = _perhaps(job, ended, "sending it") if isinstance(ended, BaseException) else ended
        delivery, outcome = next_state(job.delivery, job.message, result, now)
        outcome = replace(outcome, is_blocking=keeps_its_place(job.delivery, result, outcome))
        was_ours = await self._store.write(lambda tx: self._settle(tx, delivery, outcome))
        _OUTCOMES.labels(outcome.state).inc()
        if was_ours and outcome.state is DeliveryState.SENT:
            for follower in self._followers:
                follower(delivery)
        if not was_ours:
            log.warning(
                "Another process took over message %(delivery)d. If this repeats, compare the clocks of the replicas.",
                {
                    "event": "delivery_taken_over",
                    "delivery": delivery.id,
                    "team": delivery.team,
                    "channel": delivery.recipient,
                    "incident": delivery.incident_id,
                },
            )
        elif outcome.state is DeliveryState.DEAD:
            log.error(
                "Message %(delivery)d to %(channel)s is given up, because Slack refuses it (%(cause)s). For "
                "not_in_channel invite the bot; for missing_scope install the app again.",
                {
                    "event": "delivery_dead",
                    "delivery": delivery.id,
                    "team": delivery.team,
                    "channel": delivery.recipient,
                    "incident": delivery.incident_id,
                    "cause": outcome.error,
                },
            )
        return result

    def _report_unsettled(self, job: _Claimed, error: BaseException) -> SendResult:
        return _perhaps(job, error, "settling it")

    def _settle(self, tx: Transaction, delivery: Delivery, outcome: SendOutcome) -> bool:
        was_ours = deliveries_store.settle(tx, delivery, self._owner, outcome)
        if was_ours and outcome.state is DeliveryState.SENT and self._on_sent is not None:
            self._on_sent(tx, delivery, outcome.channel, outcome.ts)
        return was_ours


def _perhaps(job: _Claimed, error: BaseException, doing: str) -> SendResult:
    log.error(
        "It's unknown whether message %(delivery)d arrived: %(doing)s failed (%(cause)s). It's looked up before it's "
        "sent again.",
        {
            "event": "delivery_unsure",
            "delivery": job.delivery.id,
            "team": job.delivery.team,
            "channel": job.delivery.recipient,
            "doing": doing,
            "cause": type(error).__name__,
        },
    )
    return SendResult(SendVerdict.PERHAPS, error=type(error).__name__)


def _by_recipient(due: Sequence[Delivery], now: datetime) -> list[list[Delivery]]:
    """What is due, by recipient: each one's in the order in which it was enqueued, the fresh before the overdue."""
    found: dict[str, list[Delivery]] = {}
    for delivery in sorted(due, key=lambda delivery: delivery.id):
        found.setdefault(delivery.recipient, []).append(delivery)
    return sorted(found.values(), key=lambda waiting: not any(pace.is_fresh(one, now) for one in waiting))


def _is_silent(results: Sequence[SendResult]) -> bool:
    """Whether Slack answered nothing of what was attempted."""
    return bool(results) and all(result.is_silent for result in results)


def _is_locked_out(results: Sequence[SendResult]) -> bool:
    return any(result.verdict is SendVerdict.LOCKED_OUT for result in results)
