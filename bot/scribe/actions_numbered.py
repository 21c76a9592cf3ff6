"""What is done about an action that is named by its number in its incident's channel: shown, opened again, moved."""

from dataclasses import replace
from datetime import date

from bot.errors import Refused
from bot.incident.records import ActionStatus
from bot.scribe import actions as verbs
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.standing import settle_asked
from bot.slack import actions as says
from bot.slack.blocks import Message
from bot.slack.words import words
from storage import actions, cases
from storage.statements import Transaction


async def show(desk: Desk, asked: Asked, number: int) -> Message:
    """The action as it stands, to whoever asked, with all that can be done about it."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        return says.one(verbs.numbered(tx, incident, number), cases.load(tx, incident), asked.now)

    return await desk.store.read(look)


async def move(desk: Desk, asked: Asked, number: int, due_on: date) -> Message | None:
    """Give the action a new due date, for all to read; raises Refused for a day that is past."""
    action = await desk.store.read(lambda tx: verbs.numbered(tx, require_incident(tx, asked), number))
    return await verbs.move(desk, asked, action.id, due_on)


async def reopen(desk: Desk, asked: Asked, number: int) -> Message | None:
    """A done or dropped action is to be done after all; raises Refused where it is open."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        action = verbs.numbered(tx, incident, number)
        if action.status is ActionStatus.OPEN:
            sentence = f"Action {number} is open already."
            raise Refused(sentence)
        action = replace(action, status=ActionStatus.OPEN, reason="", closed_at=None, held="")
        actions.save(tx, action)
        settle_asked(tx, asked.team, action, words.reminders.goes_on(), asked.now)
        return says.reopened(action, incident, asked.user)

    return await once(desk, asked, unit)
