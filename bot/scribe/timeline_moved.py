"""An entry is moved to a time that its receipt offered, by a button that knows which wording its reader saw."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.incident.offers import Offer
from bot.incident.records import Entry
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.resolution import as_corrected
from bot.scribe.timeline import own_clocks, require_entry
from bot.slack import corrections
from bot.slack import offers as offering
from bot.slack.blocks import Message
from storage import attachments
from storage import timeline as kept
from storage.statements import Transaction


@dataclass(frozen=True, slots=True)
class Seen:
    """The entry below which a button stood, and the version of it that its reader saw."""

    number: int
    version: int


async def was_at(desk: Desk, asked: Asked, seen: Seen, offer: Offer) -> Message | None:
    """It happened at a time that its words name, the answer to [It was 17:31 UTC]; the words stay.

    An entry that was taken back or changed since stays as it is, and the answer says how that is.
    """
    clocks = await own_clocks(desk, asked)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = require_entry(tx, incident, seen.number)
        if before.struck or before.version != seen.version:
            again = () if before.happened_at == offer.at else offering.buttons(before, [offer], asked.now)
            return corrections.changed_since(before, clocks, last_editor(desk, tx, asked, before), again)
        entry = kept.amend(tx, _moved(before, offer), "edited", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        turn = corrections.Turn(incident, after, asked.user)
        return corrections.edited(entry, before, clocks, turn, attachments.names(tx, entry.id))

    return await once(desk, asked, unit)


def last_editor(desk: Desk, tx: Transaction, asked: Asked, entry: Entry) -> str:
    """The name of whoever changed an entry last."""
    who = kept.versions(tx, entry.id)[-1].changed_by
    return desk.people.name(asked.team, who) or who


def _moved(before: Entry, offer: Offer) -> Entry:
    """The entry at the offered time; it lasts as long as it did, unless the words tell otherwise."""
    lasted: timedelta | None = before.ended_at - before.happened_at if before.ended_at else None
    lasts = offer.lasts or lasted
    return replace(
        before,
        happened_at=offer.at,
        ended_at=offer.at + lasts if lasts else None,
        approximate=offer.approximate or before.approximate,
    )
