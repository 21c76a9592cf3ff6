"""What people are told of failures in other systems: each once, where it matters, and once that it is over."""

from datetime import datetime

from bot.publish.failures import PublishError
from bot.slack import connections as says
from bot.slack.blocks import Message
from storage import deliveries, incidents, link_lists
from storage.links import CALLING, REFUSED, Link
from storage.statements import Transaction

TOLD_AFTER = 5
"""After so many attempts (about a minute) people are told of what may still mend itself."""


class Undecided(PublishError):
    """It goes on only once a person has decided something; `asks` is the message that asks them, with its buttons."""

    def __init__(self, system: str, sentence: str, asks: Message) -> None:
        super().__init__(system, sentence, is_permanent=True)
        self.asks = asks


def is_to_tell(link: Link, error: PublishError, *, state: str, is_urgent: bool) -> bool:
    """Whether people are to hear of a failure that leaves the link in `state`.

    They hear of each refusal, of the first time that a token is refused, and of what goes on for a while.
    """
    at = 1 if error.is_permanent or is_urgent else TOLD_AFTER
    return link.attempts >= at and (state == REFUSED or link.attempts == at or not link.is_told)


def question_in(error: PublishError) -> Message | None:
    """What an error asks of people; None where it only tells."""
    return error.asks if isinstance(error, Undecided) else None


def tell(tx: Transaction, link: Link, sentence: str, now: datetime, asks: Message | None = None) -> None:
    """Owe the incident's channel a word about a failure, unless it heard the same of that system already.

    `asks` takes the word's place where somebody has to decide something.
    """
    incident = incidents.by_id(tx, link.incident_id)
    if incident is None:
        return
    troubled = link_lists.troubled_in(tx, link.team, link.system, incident.channel)
    others = [one for one in troubled if one.error == sentence and one.id != link.id]
    if not any(one.is_told and _was_tried(one) for one in others):
        deliveries.tell(tx, incident, asks or says.failed(link, sentence, others=bool(others)), now)


def tell_mended(tx: Transaction, link: Link, now: datetime) -> None:
    """A link is in step: once nothing in its channel waits after an error any more, say so where failures were told.

    What was refused, and so waits for a person, is counted apart.
    """
    incident = incidents.by_id(tx, link.incident_id)
    if incident is None:
        return
    here = (link.team, link.system, incident.channel)
    left, mended = link_lists.troubled_in(tx, *here), link_lists.mended_in(tx, *here)
    if mended and all(one.state == REFUSED for one in left):
        link_lists.said(tx, mended)
        deliveries.tell(tx, incident, says.mended(mended, refused=len(left)), now)


def _was_tried(link: Link) -> bool:
    """Its error is of now: it was tried since it last changed, or since somebody pressed [Try again]."""
    return link.attempts > (link.state == CALLING)
