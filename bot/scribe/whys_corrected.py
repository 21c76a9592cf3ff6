"""The verbs that correct a why: word it anew, take it back, bring it back. Every wording stays in its history."""

from dataclasses import replace
from functools import partial

from bot.errors import Refused
from bot.incident import timeline as texts
from bot.incident import whys as rules
from bot.incident.records import Why
from bot.incident.text import admit, require
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.whys import EXAMPLE
from bot.slack import whys_corrected as says
from bot.slack.blocks import Block, Message
from storage import whys
from storage.statements import Transaction


def _why(tx: Transaction, asked: Asked, number: int, *, locking: bool = False) -> Why:
    """The numbered why, struck or not; raises Refused where there is none."""
    incident = require_incident(tx, asked, locking=locking)
    return rules.by_number(whys.every(tx, incident.id), number)


async def edit(desk: Desk, asked: Asked, number: int, text: str) -> Message | None:
    """Word a why anew, as `/why edit 2 because …`."""
    text = require(admit(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        return _reworded(tx, asked, _why(tx, asked, number, locking=True), text)

    return await once(desk, asked, unit)


async def save_form(desk: Desk, asked: Asked, number: int, text: str, version: int) -> Message | None:
    """Save the form behind [Edit]; `version` is the one that its writer saw, so that nobody's words are overwritten."""
    text = require(admit(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        before = _why(tx, asked, number, locking=True)
        if before.version != version:
            who = whys.versions(tx, before.id)[-1].changed_by
            name = desk.people.name(asked.team, who) or who
            return says.stale_form(before, asked.place.channel, text, name)
        return _reworded(tx, asked, before, texts.reworded(before.text, text))

    return await once(desk, asked, unit)


def _reworded(tx: Transaction, asked: Asked, before: Why, text: str) -> Message:
    why = whys.amend(tx, replace(before, text=text, struck=False), "edited", asked.user, asked.now)
    return says.edited(why, before)


async def strike(desk: Desk, asked: Asked, number: int) -> Message | None:
    """Take a why back; what explained it explains the one before it."""

    def unit(tx: Transaction) -> Message:
        why = _why(tx, asked, number, locking=True)
        if why.struck:
            sentence = f"Why {number} was taken back already."
            raise Refused(sentence)
        return says.struck(whys.amend(tx, replace(why, struck=True), "struck", asked.user, asked.now))

    return await once(desk, asked, unit)


async def restore(desk: Desk, asked: Asked, number: int) -> Message | None:
    """Bring a struck why back."""

    def unit(tx: Transaction) -> Message:
        why = _why(tx, asked, number, locking=True)
        if not why.struck:
            sentence = f"Why {number} stands already."
            raise Refused(sentence)
        return says.restored(whys.amend(tx, replace(why, struck=False), "restored", asked.user, asked.now))

    return await once(desk, asked, unit)


async def offer_edit(desk: Desk, asked: Asked, number: int) -> Message:
    """`/why edit 2` without words: the why with its buttons."""
    return await desk.store.read(lambda tx: says.standing(_why(tx, asked, number)))


async def history(desk: Desk, asked: Asked, number: int) -> Message:
    """Every wording of a why."""

    def look(tx: Transaction) -> Message:
        why = _why(tx, asked, number)
        return says.history(why, whys.versions(tx, why.id), partial(desk.people.name, asked.team))

    return await desk.store.read(look)


async def form(desk: Desk, asked: Asked, number: int) -> Block:
    """The form that words a why anew."""
    return await desk.store.read(lambda tx: says.edit_form(_why(tx, asked, number), asked.place.channel))
