"""How fast messages may go to Slack.

Slack takes about one message a second in a channel, and some fifty calls a minute of the methods that a message may
need (tier 3: chat.update, conversations.open). All of this is what one process knows of itself: replicas each have
their own pace, and Slack's 429 is the limit of them together.
"""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from storage.deliveries import Delivery

CHANNEL_SECONDS = 1.0
"""Between two messages to one channel."""

BURST = 50
"""Overdue messages that may go at once after a quiet minute."""

PER_MINUTE = 50
"""And then in each minute."""

FRESH = timedelta(seconds=60)
"""So long after it was due, a message is not yet overdue."""


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
    """Keeps Slack's pace, to all together and to each recipient. It knows only what this process sent."""

    def __init__(self) -> None:
        self.budget = PostBudget()
        self._quiet: dict[str, float] = {}
        """By recipient: until when (monotonic) a burst pauses."""

    def must_pause(self, recipient: str) -> bool:
        """Whether the last message to a recipient went too short a while ago."""
        return self._quiet.get(recipient, 0) > time.monotonic()

    def pause(self, recipients: Iterable[str]) -> None:
        """Pause after the message that now goes to each of these: another one is waiting for each."""
        # The wall clock may be put back; a pause must end all the same.
        monotonic = time.monotonic()
        # Dropped once over, or the map would grow by every channel and person that was ever written to.
        self._quiet = {recipient: until for recipient, until in self._quiet.items() if until > monotonic}
        self._quiet |= dict.fromkeys(recipients, monotonic + CHANNEL_SECONDS)


def is_fresh(delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery became due only now."""
    return now - delivery.due_at < FRESH
