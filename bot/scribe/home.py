"""The Home tab's verb: gather what one person owes and may see."""

from bot.scribe.desk import Desk
from bot.slack import home as says
from bot.slack.blocks import Block
from storage import actions, cases, incidents
from storage.statements import Transaction

MOST = 200
"""Of what somebody owes; the tab draws the first of them and says how many more there are."""


async def view(desk: Desk, team: str, user: str) -> Block:
    """What this person's Home tab shows now; incidents of channels that they cannot look into are left out.

    Guests and people of other workspaces are told that it is not for them, unless the operator lets them in.
    """
    if not desk.allow_guests and (await desk.people.known(team, user)).is_guest:
        return says.closed()

    def look(tx: Transaction) -> says.Owing:
        owed = incidents.owed_by(tx, team, user, MOST)
        return says.Owing(
            actions=actions.owed_by(tx, team, user, MOST),
            postmortems=tuple(cases.glance(tx, incident, 1)[0] for incident in owed),
            incidents=incidents.listed(tx, team, 2 * says.INCIDENTS),
        )

    owing = await desk.store.read(look)
    seen = await desk.may_see(team, user, (incident.channel for incident in owing.incidents), "")
    visible = tuple(incident for incident in owing.incidents if incident.channel in seen)
    return says.home(says.Owing(owing.actions, owing.postmortems, visible), desk.clock.now())
