"""What the result of an attempt makes of a delivery: over, to be tried again, or for somebody else."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.slack.sayings import Saying
from bot.slack.sending import Result, Verdict
from storage.deliveries import Delivery, Outcome

LONGEST_BACKOFF = timedelta(hours=1)
UNSURE_WAIT = timedelta(seconds=30)
"""A message may take a while to show in the history."""

MOST_ATTEMPTS = 10
MOST_UPLOADS = 2
"""A shared file carries no key to look for: in doubt it is sent once more, and no more."""


def settled_as(delivery: Delivery, saying: Saying, result: Result, now: datetime) -> tuple[Delivery, Outcome]:
    """What an attempt's result makes of a delivery (its `state` as found, its `attempts` with this one)."""
    match result.verdict:
        case Verdict.SENT:
            return delivery, Outcome("sent", now, result.channel, result.ts)
        case Verdict.LATER:
            wait = backoff(delivery.attempts) if result.wait is None else timedelta(seconds=result.wait)
            return delivery, Outcome(waiting_as(delivery), now + wait, error=result.error)
        case Verdict.LOCKED_OUT:
            return delivery, Outcome(waiting_as(delivery), now, error=result.error)
        case Verdict.PERHAPS:
            enough = MOST_ATTEMPTS if saying.carries_key else MOST_UPLOADS
            # After a night without a network the attempts are many, so one doubt alone does not end it.
            if delivery.state != "pending" and delivery.attempts >= enough:
                return _given_up(replace(delivery, fallback="") if saying.carries_key else delivery, result, now)
            wait = min(UNSURE_WAIT * 2 ** min(delivery.attempts - 1, 10), LONGEST_BACKOFF)
            return delivery, Outcome("unsure", now + wait, error=result.error)
        case Verdict.NEVER:
            return _given_up(delivery, result, now)


def _given_up(delivery: Delivery, result: Result, now: datetime) -> tuple[Delivery, Outcome]:
    """It ends here, or goes to whoever is to hear of it instead."""
    if not delivery.fallback:
        return delivery, Outcome("dead", now, error=result.error)
    return replace(delivery, recipient=delivery.fallback, fallback=""), Outcome("pending", now, error=result.error)


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 2, 4, 8 s and so on, up to an hour."""
    return min(timedelta(seconds=2 ** min(attempts, 12)), LONGEST_BACKOFF)


def waiting_as(delivery: Delivery) -> str:
    """As what a delivery waits on when nothing was sent this time: a doubt about an earlier attempt stays."""
    return "pending" if delivery.state == "pending" else "unsure"
