"""Whose turn it is to be sent: what is tried again is not overtaken, and a burst keeps Slack's pace."""

import time
from collections.abc import Iterable
from datetime import datetime

from storage.deliveries import Delivery, Outcome

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

    def hold(self, delivery: Delivery, outcome: Outcome, *, is_asked_to_wait: bool) -> None:
        """See that what is to be tried again is not overtaken; `is_asked_to_wait`: Slack said for how long."""
        self._held.pop(delivery.recipient, None)
        if outcome.state in ("pending", "unsure") and (is_asked_to_wait or delivery.attempts <= MOST_HELD):
            self._held[delivery.recipient] = (delivery.id, outcome.due_at)
