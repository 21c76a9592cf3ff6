"""What people answer to a reminder in their conversation with the bot."""

from dataclasses import replace

from bot.errors import Refused
from bot.incident import replies as rules
from bot.incident.replies import About, Answer
from bot.scribe import actions as verbs
from bot.scribe.desk import Asked, Desk, once, require_sight
from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.words import words
from storage import actions
from storage.actions import OwedAction

MOST = 1_000


async def take(desk: Desk, asked: Asked, text: str) -> Message | None:
    """Do what a reply says about an action that its author owes; raises Refused where none, or several, are meant.

    Where it says nothing of that sort, its author reads what could be said here.
    """
    answer = rules.read(text, await verbs.today_of(desk, asked))
    if answer is None:
        return await once(desk, asked, lambda _: blocks.message(words.actions.replies(), response_type="in_channel"))
    owed = await desk.store.read(lambda tx: actions.owed_by(tx, asked.team, asked.user, MOST))
    meant = _meant(answer.about, owed)
    await require_sight(desk, replace(asked, incident_id=meant.incident.id))
    return await _do(desk, asked, answer, meant.action.id)


async def refuse(desk: Desk, asked: Asked, sentence: str) -> None:
    """Say why nothing was done."""
    said = blocks.message(words.general.refused(sentence=sentence), response_type="in_channel")
    await once(desk, asked, lambda _: said)


async def _do(desk: Desk, asked: Asked, answer: Answer, action_id: int) -> Message | None:
    match answer:
        case rules.Done():
            return await verbs.close_by_id(desk, asked, action_id)
        case rules.Drop(reason=reason):
            return await verbs.close_by_id(desk, asked, action_id, reason)
        case rules.Move(due_on=due_on):
            return await verbs.move(desk, asked, action_id, due_on)


def _meant(about: About, owed: tuple[OwedAction, ...]) -> OwedAction:
    found = [item for item in owed if item.action.number == about.number]
    if about.incident is not None:
        found = [item for item in found if item.incident.number == about.incident]
    if not found:
        sentence = f"You owe no action {about.number}. The Home tab lists what you owe."
        raise Refused(sentence)
    if len(found) > 1:
        keys = " and ".join(item.incident.key for item in found)
        sentence = f"You owe action {about.number} of {keys}. Say which: `done {found[0].incident.key} {about.number}`."
        raise Refused(sentence)
    return found[0]
