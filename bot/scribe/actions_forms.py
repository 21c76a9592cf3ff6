"""The forms about actions; none is opened for what is finished or was taken back."""

from bot.incident.records import Action, ActionStatus
from bot.incident.whys import by_number
from bot.scribe.actions import require_open, today_of, touched
from bot.scribe.desk import Asked, Desk, require_incident
from bot.scribe.pressed import require_why
from bot.slack import actions as says
from bot.slack.blocks import Block
from storage import actions, whys
from storage.statements import Transaction


async def owner_form(desk: Desk, asked: Asked, action_id: int) -> Block:
    """The form behind [Hand over]."""
    groups = await desk.people.names.groups(asked.team)
    return await desk.store.read(lambda tx: says.owner_form(_open_one(tx, asked, action_id), groups))


async def drop_form(desk: Desk, asked: Asked, action_id: int) -> Block:
    """The form behind [Won't do …]."""
    return await desk.store.read(lambda tx: says.drop_form(_open_one(tx, asked, action_id)))


async def date_form(desk: Desk, asked: Asked, action_id: int) -> Block:
    """The form that gives an action a new date."""
    today = await today_of(desk, asked)
    return await desk.store.read(lambda tx: says.date_form(_open_one(tx, asked, action_id), today))


def _open_one(tx: Transaction, asked: Asked, action_id: int) -> Action:
    """An action that a form is to be opened for; raises Refused for one that is finished."""
    action, _ = touched(tx, asked, action_id)
    require_open(action)
    return action


async def form_from_why(desk: Desk, asked: Asked, number: int | None) -> Block:
    """The form that makes an action of a why."""
    groups = await desk.people.names.groups(asked.team)

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, asked)
        why = by_number(whys.every(tx, incident.id), number) if number is not None else None
        if why is None:
            return says.add_form(incident, None, groups)
        require_why(tx, desk, asked, why)
        standing = [one for one in actions.of_incident(tx, incident.id) if one.status is not ActionStatus.DROPPED]
        before = next((one for one in reversed(standing) if one.number in why.actions), None)
        return says.add_form(incident, why, groups, before)

    return await desk.store.read(look)
