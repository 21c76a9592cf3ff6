"""What people answer to a reminder in their conversation with the bot."""

from dataclasses import replace

from bot.errors import Refused
from bot.incident import replies as rules
from bot.incident.mentions import unpicked
from bot.incident.replies import About, Answer, Deed
from bot.scribe import actions as verbs
from bot.scribe.actions_numbered import do_all
from bot.scribe.desk import Asked, Desk, once, require_sight
from bot.slack import due as asks
from bot.slack import replies as says
from bot.slack.blocks import Message
from storage import actions
from storage.actions import OwedAction

MOST = 1_000


async def take(desk: Desk, asked: Asked, text: str, mentioned: str | None = None) -> None:
    """Do what a reply says about actions that its author owes; where it cannot be told which, ask.

    `mentioned` is the one person whom it names besides, and who is not in the text any more. Where it says nothing
    of that sort, its author reads what could be said here; where it names an action only, what can be done about it.
    """
    is_group = mentioned is not None and mentioned.startswith("S")
    is_bot = bool(mentioned) and not is_group and (await desk.people.known(asked.team, mentioned or "")).is_bot
    other = None if is_bot else mentioned
    answer = rules.read(text, await verbs.today_of(desk, asked), mentions=other is not None)
    if answer is None and rules.is_courtesy(text):
        return
    if answer is not None and isinstance(answer.deed, rules.Unpicked):
        raise Refused(unpicked(answer.deed.name))
    owed = await desk.store.read(lambda tx: actions.owed_by(tx, asked.team, asked.user, MOST))
    if answer is None:
        await say(desk, asked, says.understood(await _seen(desk, asked, owed)))
        return
    meant = await _all_meant(desk, asked, answer, owed)
    if isinstance(meant, dict):
        await say(desk, asked, meant)
        return
    for one in meant:
        await require_sight(desk, replace(asked, incident_id=one.incident.id))
    question = _question(answer.deed, meant)
    if question is not None:
        await say(desk, asked, question)
        return
    await do_all(desk, asked, answer.deed, [one.action.id for one in meant], other)


def _question(deed: Deed, meant: tuple[OwedAction, ...]) -> Message | None:
    """What is to be asked before anything can be done about the actions that are meant; None where nothing is."""
    match deed:
        case rules.Unclear(words=said, problem=problem):
            return says.what_of_it(meant, said, problem)
        case rules.Choose(due=due):
            return asks.of_actions(meant, due)
        case rules.Drop(reason=""):
            return says.needs_reason(meant[0])
        case _:
            return None


async def say(desk: Desk, asked: Asked, said: Message) -> None:
    """Answer somebody in their conversation with the bot, once."""
    told = {key: said[key] for key in ("text", "blocks")}
    await once(desk, asked, lambda _: told | {"response_type": "in_channel"})


async def _all_meant(
    desk: Desk, asked: Asked, answer: Answer, owed: tuple[OwedAction, ...]
) -> tuple[OwedAction, ...] | Message:
    """The actions that are meant, each once; or what to say where that cannot be told, or where it is only talk."""
    if not answer.about:
        return owed if len(owed) == 1 else says.which(await _seen(desk, asked, owed), len(owed))
    found: dict[int, OwedAction] = {}
    for about in answer.about:
        items = _named(about, owed)
        if not items:
            is_talk = isinstance(answer.deed, rules.Unclear) and bool(answer.deed.words)
            return says.not_owed(None if is_talk else about.number, await _seen(desk, asked, owed), len(owed))
        if len(items) > 1:
            return says.which_of(about.number, [item.incident.key for item in items])
        found[items[0].action.id] = items[0]
    return tuple(found.values())


def _named(about: About, owed: tuple[OwedAction, ...]) -> list[OwedAction]:
    found = [item for item in owed if item.action.number == about.number]
    return found if about.incident is None else [item for item in found if item.incident.number == about.incident]


async def _seen(desk: Desk, asked: Asked, owed: tuple[OwedAction, ...]) -> list[OwedAction]:
    """Those that may be named: of what somebody cannot look into any more they read nothing."""
    sight = await desk.sight(asked.team, asked.user, {item.incident.channel for item in owed})
    return [item for item in owed if item.incident.channel in sight.seen]
