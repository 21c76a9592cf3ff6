"""How fast messages may go to Slack, and which of a channel's goes next.

Slack takes about one message a second in a channel, and some fifty calls a minute of the methods that a message may
need (tier 3: chat.update, conversations.open). All of this is what one process knows of itself: replicas each have
their own pace, and Slack's 429 is the limit of them together.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from storage.deliveries import Delivery, SendOutcome
from storage.queues import DeliveryState

CHANNEL_SECONDS = 1.0
"""Between two messages to one channel."""

BURST = 50
"""Overdue messages that may go at once after a quiet minute."""

PER_MINUTE = 50
"""And then in each minute."""

FRESH = timedelta(seconds=60)
"""So long after it was due, a message is not yet overdue."""

MOST_BLOCKING = 3
"""After this many attempts that Slack answered, later messages may pass: one that chokes Slack must not silence a
channel."""


class PostBudget:
    """How many overdue messages may go to all channels together: a burst, then a steady rate.

    What is fresh counts, and does not wait: an answer is not held up by what an outage left.
    """

    def __init__(self, burst: int = BURST, per_minute: int = PER_MINUTE) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._left = float(burst)
        self._seen: float | None = None

    def allows(self, at: float, ahead: int, *, is_fresh: bool) -> bool:
        """Whether one more may go at `at` (monotonic seconds), after so many `ahead` of it."""
        if self._seen is not None:
            self._left = min(self._burst, self._left + (at - self._seen) * self._per_second)
        self._seen = at
        return is_fresh or self._left - ahead >= 1

    def spend(self, count: int) -> None:
        """Count messages that now go."""
        self._left = max(0.0, self._left - count)


class RateLimiter:
    """Keeps the order of messages to each recipient, and Slack's pace. It knows only what this process sent."""

    def __init__(self) -> None:
        self.budget = PostBudget()
        self._blocked: dict[str, tuple[int, datetime]] = {}
        """By recipient: the delivery to be tried again, and when. Later ones do not overtake it."""
        self._quiet: dict[str, float] = {}
        """By recipient: until when (monotonic) a burst pauses."""

    def must_wait(self, delivery: Delivery, now: datetime, doubtful: Mapping[str, int], *, paced: bool) -> bool:
        """Whether a delivery may not be sent yet.

        `doubtful` has, by recipient, the delivery of which Slack may have something, whichever process sent it. With
        `paced`, bursts are limited to Slack's pace.
        """
        first, until = self._blocked.get(delivery.recipient, (delivery.id, now))
        if (first < delivery.id and now < until) or doubtful.get(delivery.recipient, delivery.id) < delivery.id:
            return True
        return paced and self._quiet.get(delivery.recipient, 0) > time.monotonic()

    def pause(self, recipients: Iterable[str]) -> None:
        """Pause after the message that now goes to each of these: another one is waiting for each."""
        # The wall clock may be put back; a pause must end all the same.
        monotonic = time.monotonic()
        # Dropped once over, or the map would grow by every channel and person that was ever written to.
        self._quiet = {recipient: until for recipient, until in self._quiet.items() if until > monotonic}
        self._quiet |= dict.fromkeys(recipients, monotonic + CHANNEL_SECONDS)

    def note(self, delivery: Delivery, outcome: SendOutcome, *, may_block: bool) -> None:
        """Let nothing overtake a message that is to be tried again.

        `may_block`: Slack named the time, or did not answer at all, so that the message is not to blame.
        """
        self._blocked.pop(delivery.recipient, None)
        is_waiting = outcome.state in (DeliveryState.PENDING, DeliveryState.UNSURE)
        if is_waiting and (may_block or delivery.attempts <= MOST_BLOCKING):
            self._blocked[delivery.recipient] = (delivery.id, outcome.due_at)


def is_fresh(delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery became due only now."""
    return now - delivery.due_at < FRESH
