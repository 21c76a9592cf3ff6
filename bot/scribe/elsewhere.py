"""A postmortem worked on from outside its channel: which one is meant, and who may.

Channels are archived once an incident is over, so that its postmortem is finished from a direct message, or from any
channel by its key. Who may look into the incident's channel may do there what they may do in it; where Slack does not
say so, nobody may.
"""

from dataclasses import replace

from bot.errors import Refused
from bot.incident.records import Incident
from bot.scribe.desk import Asked, Desk, require_sight
from storage import incidents

MOST_NAMED = 8


async def about(desk: Desk, asked: Asked, number: int | None, example: str = "") -> Asked:
    """The request, about INC-7 where its number is given; in a direct message else about the one that its author owes.

    `example` is what they typed, for the sentence that asks which. Raises Refused where there is no such incident,
    where several may be meant, and for who may not look into its channel.
    """
    if number is not None:
        found = await desk.store.read(lambda tx: incidents.by_number(tx, asked.team, number))
        if found is None:
            raise Refused(f"There is no INC-{number}. `/incident list` shows those that you may look into.")
        return await seen(desk, asked, found)
    if not asked.place.channel.startswith("D"):
        return asked
    owed = await desk.store.read(lambda tx: incidents.owed_by(tx, asked.team, asked.user, MOST_NAMED))
    if not owed:
        return asked
    if len(owed) > 1:
        raise Refused(which(owed, example))
    return await seen(desk, asked, owed[0])


async def seen(desk: Desk, asked: Asked, incident: Incident) -> Asked:
    """The request about an incident, for who may look into its channel; raises Refused for anybody else."""
    here = replace(asked, incident_id=incident.id)
    await require_sight(desk, here)
    return replace(here, sees=incident.id, is_told_there=True)


def which(owed: tuple[Incident, ...], example: str) -> str:
    """The sentence for somebody who owes several and names none."""
    keys = [incident.key for incident in owed]
    listed = f"{', '.join(keys[:-1])} and {keys[-1]}"
    return f"You owe the postmortems of {listed}. Name one, as in `{example or '/postmortem'} {keys[0]}`."


def from_outside(asked: Asked) -> Asked:
    """A button's or a form's request, of which what is said to all is said in the incident's channel."""
    return replace(asked, is_told_there=asked.incident_id is not None)
