"""The verbs about a credential that also stands in other incidents: find it where somebody may look, redact it there.

What the program itself copied from one record into another, a redaction reaches unasked (`bot.scribe.redaction`).
What people typed somewhere else is another record's: it is offered to whoever redacts, and theirs to decide.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.incident.records import Incident
from bot.incident.secrets import without
from bot.incident.spots import LEAST, Spot, Subject, Wording, spot_of, value_at
from bot.scribe.desk import Asked, Desk, once
from bot.scribe.redaction import Redaction
from bot.slack import secrets as says
from bot.slack.blocks import Message
from bot.slack.secrets import There
from storage import incidents, spots
from storage.secrets import mark_of
from storage.statements import Transaction

Held = Callable[[Transaction], tuple[Incident, frozenset[str]]]
"""The incident that is about to be redacted, and the credentials; it may refuse."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was found before a redaction, to be looked at again within it: much of it may be reached by itself."""

    found: tuple[There, ...]

    def left(self, tx: Transaction) -> tuple[There, ...]:
        """What of it still stands now."""
        now = (replace(there, spots=tuple(s for s in there.spots if _value(tx, there, s))) for there in self.found)
        return tuple(there for there in now if there.spots)


def _value(tx: Transaction, there: There, spot: Spot) -> str:
    return value_at(spot, spots.text_at(tx, there.incident.id, spot))


async def find(desk: Desk, asked: Asked, held: Held) -> Elsewhere:
    """Where else the credentials stand, word for word, in incidents that this person may look into."""

    def look(tx: Transaction) -> tuple[There, ...]:
        incident, values = held(tx)
        return _found(tx, incident, tuple(sorted(value for value in values if len(value) >= LEAST)))

    found = await desk.store.read(look)
    if not found:
        return Elsewhere(())
    channels = (there.incident.channel for there in found)
    seen = await desk.may_see(asked.team, asked.user, channels, asked.place.channel)
    return Elsewhere(tuple(there for there in found if there.incident.channel in seen))


def _found(tx: Transaction, incident: Incident, values: tuple[str, ...]) -> tuple[There, ...]:
    by_incident: dict[int, tuple[Incident, dict[tuple[Subject, str], Spot]]] = {}
    for value in values:
        mark = mark_of(value)
        for other, wordings in spots.elsewhere(tx, incident, mark) if mark else ():
            known = by_incident.setdefault(other.id, (other, {}))[1]
            known |= {(spot.subject, value): spot for spot in _spots(wordings, value)}
    # Its title may hold one as well, and is shown: never with it.
    clean = ((replace(other, title=without(other.title, values)), known) for other, known in by_incident.values())
    return tuple(There(other, tuple(known.values())) for other, known in clean if known)


def _spots(wordings: Iterable[Wording], value: str) -> list[Spot]:
    return [spot for wording in wordings if (spot := spot_of(wording, value)) is not None]


async def redact_there(desk: Desk, asked: Asked, marked: tuple[Spot, ...]) -> Message | None:
    """[Redact there]: take what stands at these spots of another incident out of all of it, in every wording.

    The incident is the one that the button names; that its presser may look into it the boundary has seen to.
    """

    def held(tx: Transaction) -> tuple[Incident, frozenset[str]]:
        incident = incidents.by_id(tx, asked.incident_id or 0)
        if incident is None or incident.team != asked.team:
            raise Refused(says.nothing_there())
        values = (value_at(spot, spots.text_at(tx, incident.id, spot)) for spot in marked)
        return incident, frozenset(filter(None, values))

    also = await find(desk, asked, held)

    def unit(tx: Transaction) -> Message:
        incident, values = held(tx)
        locked = incidents.by_id(tx, incident.id, locking=True)
        if locked is None or not values:
            raise Refused(says.nothing_there())
        done = Redaction(locked, values, asked.user, asked.now).take_out(tx)
        return says.redacted_there(incidents.by_id(tx, locked.id) or locked, done, also.left(tx))

    return await once(desk, asked, unit)
