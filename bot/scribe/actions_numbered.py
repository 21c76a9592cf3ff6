"""What is done about actions that are named by their numbers: shown, several at once, opened again, worded anew."""

from collections.abc import Iterable
from dataclasses import replace

from bot.errors import Refused
from bot.incident import replies as rules
from bot.incident.fields import mark
from bot.incident.mentions import unpicked
from bot.incident.records import Action, ActionStatus, Incident
from bot.incident.replies import Answer, Deed
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit, require
from bot.incident.vague import vague
from bot.scribe import actions as verbs
from bot.scribe import secrets
from bot.scribe.desk import Asked, Desk, once, require_incident, require_sight
from bot.scribe.standing import settle_asked
from bot.slack import actions as says
from bot.slack import actions_worded as tells
from bot.slack import blocks
from bot.slack import due as asks
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage import actions, cases
from storage.actions import OwedAction
from storage.statements import Transaction


async def show(desk: Desk, asked: Asked, numbers: Iterable[int]) -> Message:
    """The actions as they stand, to whoever asked, each with all that can be done about it."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        case = cases.load(tx, incident)
        return blocks.joined(
            [says.one(verbs.numbered(tx, incident, number), case, asked.now) for number in dict.fromkeys(numbers)]
        )

    return await desk.store.read(look)


async def act(desk: Desk, asked: Asked, answer: Answer, other: str | None) -> Message:
    """Do what was typed behind `/action` about actions of the channel's incident; only their numbers show them.

    `other` is who was mentioned. Raises Refused, with nothing done, where one of them is not there.
    """
    if not answer.about:
        sentence = "Say which action, as in `/action done 1` or `/action 1 friday`. `/action list` shows them."
        raise Refused(sentence)
    deed = answer.deed
    if isinstance(deed, rules.Unpicked):
        raise Refused(unpicked(deed.name))
    found = await desk.store.read(lambda tx: _named(tx, asked, answer))
    _require_clear(deed, answer.about[0].number)
    if isinstance(deed, rules.Unclear):
        return await show(desk, asked, [action.number for action in found])
    if isinstance(deed, rules.Choose):
        incident = await desk.store.read(lambda tx: require_incident(tx, asked))
        return asks.of_actions([OwedAction(action, incident) for action in found], deed.due)
    return blocks.joined(await do_all(desk, asked, deed, [action.id for action in found], other))


def _require_clear(deed: Deed, number: int) -> None:
    """Raises Refused for a day that there is not, and for what has no reason."""
    match deed:
        case rules.Unclear(problem=problem) if problem:
            raise Refused(problem)
        case rules.Drop(reason=""):
            raise Refused(f"Say why it is dropped: `/action drop {number} covered by the new rate limit`.")


def _named(tx: Transaction, asked: Asked, answer: Answer) -> list[Action]:
    incident = require_incident(tx, asked)
    for about in answer.about:
        if about.incident not in (None, incident.number):
            sentence = f"This channel's incident is {incident.key}: go to the channel of the other, and do it there."
            raise Refused(sentence)
    return [verbs.numbered(tx, incident, number) for number in dict.fromkeys(about.number for about in answer.about)]


async def do_all(
    desk: Desk, asked: Asked, deed: Deed, action_ids: Iterable[int], other: str | None = None
) -> list[Message]:
    """Do the same with each of the actions; what is said of each. `other` is who is handed them.

    Each takes effect once however often the request is repeated. Of several, one that cannot be is told and hinders
    no other; raises Refused where it is the only one.
    """
    ids, said = list(action_ids), []
    for index, action_id in enumerate(ids):
        each = replace(asked, key=f"{asked.key}+{index}") if index else asked
        try:
            told = await _do(desk, each, deed, action_id, other)
        except Refused as refused:
            if len(ids) == 1:
                raise
            told = await _refused(desk, each, refused.sentence)
        said += [told] if told else []
    return said


async def move_all(desk: Desk, asked: Asked, action_ids: Iterable[int], deed: rules.Move) -> list[Message]:
    """The answer to which day was meant: all these actions are due then. Who asks may look into all their channels."""
    ids = list(action_ids)

    def look(tx: Transaction) -> set[int]:
        return {found.incident_id for one in ids if (found := actions.by_id(tx, one)) is not None}

    for incident_id in await desk.store.read(look):
        await require_sight(desk, replace(asked, incident_id=incident_id))
    return await do_all(desk, asked, deed, ids)


async def _refused(desk: Desk, asked: Asked, sentence: str) -> Message | None:
    said = blocks.message(words.general.refused(sentence=sentence), response_type="in_channel")
    return await once(desk, asked, lambda _: said)


async def _do(desk: Desk, asked: Asked, deed: Deed, action_id: int, other: str | None) -> Message | None:
    match deed:
        case rules.Done():
            return await verbs.close_by_id(desk, asked, action_id)
        case rules.Drop(reason=reason):
            return await verbs.close_by_id(desk, asked, action_id, reason)
        case rules.Move(due_on=due_on, beside=beside):
            return await verbs.move(desk, asked, action_id, due_on, beside)
        case rules.HandOver() if other is not None:
            return await verbs.hand_over(desk, asked, action_id, other)
        case _:
            return None


async def reopen(desk: Desk, asked: Asked, number: int) -> Message | None:
    """A done or dropped action is to be done after all; raises Refused where it is open."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        return _reopened(tx, asked, incident, verbs.numbered(tx, incident, number))

    return await once(desk, asked, unit)


async def reopen_by_id(desk: Desk, asked: Asked, action_id: int) -> Message | None:
    """[Open again], in a channel or in a DM."""

    def unit(tx: Transaction) -> Message:
        action, incident = verbs.touched(tx, asked, action_id)
        return verbs.told(tx, asked, incident, _reopened(tx, asked, incident, action))

    return await once(desk, asked, unit)


def _reopened(tx: Transaction, asked: Asked, incident: Incident, action: Action) -> Message:
    if action.status is ActionStatus.OPEN:
        sentence = f"Action {action.number} is open already."
        raise Refused(sentence)
    action = replace(action, status=ActionStatus.OPEN, reason="", closed_at=None, held="")
    actions.save(tx, action)
    settle_asked(tx, asked.team, action, words.reminders.goes_on(), asked.now)
    return says.reopened(action, incident, asked.user)


async def edit(desk: Desk, asked: Asked, number: int, text: str) -> Message | None:
    """`/action edit 3 …`: word an action anew; everybody reads how it read before."""
    text = require(admit(text, "That action"), "Say what is to be done.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        return _reworded(tx, desk, asked, verbs.numbered(tx, incident, number), incident, text)

    return await once(desk, asked, unit)


async def edit_form(desk: Desk, asked: Asked, action_id: int) -> Block:
    """The form behind [Edit]."""
    return await desk.store.read(lambda tx: tells.edit_form(verbs.touched(tx, asked, action_id)[0]))


async def save_form(desk: Desk, asked: Asked, action_id: int, text: str, seen: str) -> Message | None:
    """The form behind [Edit] was sent, with another text than it was filled with: that one's mark is `seen`."""
    text = require(admit(text, "That action"), "Say what is to be done.")

    def unit(tx: Transaction) -> Message:
        action, incident = verbs.touched(tx, asked, action_id)
        if seen != mark(action.text):
            return tells.stale_form(action, text)
        return verbs.told(tx, asked, incident, _reworded(tx, desk, asked, action, incident, text))

    return await once(desk, asked, unit)


def _reworded(tx: Transaction, desk: Desk, asked: Asked, before: Action, incident: Incident, text: str) -> Message:
    action = replace(before, text=text)
    actions.save(tx, action)
    secrets.warn(tx, incident, Subject(Noun.ACTION, str(action.number)), text, asked)
    return tells.reworded(action, before, incident, desk.people.name(asked.team, asked.user) or asked.user)


async def hint(desk: Desk, asked: Asked, text: str) -> Message | None:
    """The gentle word to somebody whose action, just recorded, does not tell when it is done; None where it does."""
    word = vague(text, desk.vague_words)
    if not word:
        return None

    def look(tx: Transaction) -> Message | None:
        mine = [one for one in actions.of_incident(tx, require_incident(tx, asked).id) if one.created_by == asked.user]
        latest = next((one for one in reversed(mine) if vague(one.text, desk.vague_words) == word), None)
        return tells.hint(latest, word) if latest else None

    return await desk.store.read(look)
