"""The verbs that correct a why: word it anew, take it back, bring it back. Every wording stays in its history.

Who corrects reads a receipt with the buttons that mend it; the others read one line in the thread of the whys.
"""

from dataclasses import replace
from functools import partial

from bot.errors import Refused
from bot.incident import whys as rules
from bot.incident.records import Incident, Why
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit, require
from bot.scribe import secrets
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.pressed import TYPED, Pressed, require_why, why_changed_since, why_since
from bot.scribe.whys import EXAMPLE, entry_to_cite, tell_thread
from bot.slack import whys_corrected as says
from bot.slack.blocks import Block, Message
from storage import whys
from storage.statements import Transaction


def _why(tx: Transaction, asked: Asked, number: int, *, locking: bool = False) -> tuple[Incident, Why]:
    """The incident and its numbered why, struck or not; raises Refused where there is none."""
    incident = require_incident(tx, asked, locking=locking)
    return incident, rules.by_number(whys.every(tx, incident.id), number)


def _amended(tx: Transaction, asked: Asked, incident: Incident, why: Why, change: str) -> Why:
    """Save a changed why; the thread reads who did so, and the open question where that is another one now."""
    before = whys.chain(tx, incident.id)
    if change == "moved":
        why = whys.move(tx, why, asked.user, asked.now)
    else:
        why = whys.amend(tx, why, change, asked.user, asked.now)
    told = says.told(why, change, asked.user, incident, (before, whys.chain(tx, incident.id)))
    tell_thread(tx, asked, incident, told)
    return why


async def edit(desk: Desk, asked: Asked, number: int, text: str) -> Message | None:
    """Word a why anew, as `/why edit 2 because …`."""
    text = require(admit(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, asked, number, locking=True)
        return _reworded(tx, asked, incident, before, text)

    return await once(desk, asked, unit)


async def save_form(desk: Desk, asked: Asked, number: int, text: str | None, version: int) -> Message | None:
    """Save the form behind [Edit]; `version` is the one that its writer saw, so that nobody's words are overwritten.

    Without a text nothing was changed in the form, and so nothing is.
    """
    if text is None:
        return await offer_edit(desk, asked, number)
    text = require(admit(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, asked, number, locking=True)
        if before.version != version:
            who = whys.versions(tx, before.id)[-1].changed_by
            name = desk.people.name(asked.team, who) or who
            entry = entry_to_cite(tx, before.incident_id)
            return says.stale_form(before, asked.place.channel, entry, text, name)
        return _reworded(tx, asked, incident, before, text)

    return await once(desk, asked, unit)


def _reworded(tx: Transaction, asked: Asked, incident: Incident, before: Why, text: str) -> Message:
    why = _amended(tx, asked, incident, replace(before, text=text, struck=False), "edited")
    secrets.warn(tx, incident, Subject(Noun.WHY, str(why.number)), text, asked)
    return says.edited(why, before)


async def strike(desk: Desk, asked: Asked, number: int | None, pressed: Pressed = TYPED) -> Message | None:
    """Take a why back, the numbered one, else the one this person answered last.

    What explained it explains the one before it.
    """

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        every = whys.every(tx, incident.id)
        why = rules.by_number(every, number) if number is not None else rules.last_by(every, asked.user)
        if now := why_since(tx, desk, asked, why, pressed):
            return now
        if why.struck:
            sentence = f"Why {why.number} was taken back already."
            raise Refused(sentence)
        return says.struck(_amended(tx, asked, incident, replace(why, struck=True), "struck"))

    return await once(desk, asked, unit)


async def restore(desk: Desk, asked: Asked, number: int) -> Message | None:
    """Bring a struck why back."""

    def unit(tx: Transaction) -> Message:
        incident, why = _why(tx, asked, number, locking=True)
        if not why.struck:
            sentence = f"Why {number} stands already."
            raise Refused(sentence)
        return says.restored(_amended(tx, asked, incident, replace(why, struck=False), "restored"))

    return await once(desk, asked, unit)


async def move(desk: Desk, asked: Asked, wish: rules.Move, pressed: Pressed = TYPED) -> Message | None:
    """Let a why explain another one, with all that explains it; or, beside another, what that one explains."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        every, chain = whys.every(tx, incident.id), whys.chain(tx, incident.id)
        for number in (wish.number, wish.other):
            require_why(tx, desk, asked, rules.by_number(every, number))
        why = rules.by_number(every, wish.number)
        if now := why_since(tx, desk, asked, why, pressed):
            return now
        parent = rules.moved(chain, rules.by_number(chain, wish.number), wish)
        why = _amended(tx, asked, incident, replace(why, parent=parent), "moved")
        return says.moved(why, whys.chain(tx, incident.id))

    return await once(desk, asked, unit)


async def offer_edit(desk: Desk, asked: Asked, number: int) -> Message:
    """`/why edit 2` without words: the why with its buttons."""
    return await desk.store.read(lambda tx: says.standing(_why(tx, asked, number)[1]))


async def history(desk: Desk, asked: Asked, number: int) -> Message:
    """Every wording of a why."""

    def look(tx: Transaction) -> Message:
        _, why = _why(tx, asked, number)
        return says.history(why, whys.versions(tx, why.id), partial(desk.people.name, asked.team))

    return await desk.store.read(look)


async def form(desk: Desk, asked: Asked, number: int, pressed: Pressed) -> Block:
    """The form that words a why anew; raises Refused for one that was taken back."""

    def look(tx: Transaction) -> Block:
        incident, why = _why(tx, asked, number)
        require_why(tx, desk, asked, why)
        who = why_changed_since(tx, desk, asked, why, pressed)
        notice = says.changed_before(why, who) if who else ""
        return says.edit_form(why, asked.place.channel, entry_to_cite(tx, incident.id), notice=notice)

    return await desk.store.read(look)
