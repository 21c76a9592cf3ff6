"""The document that each form is written from."""

from datetime import datetime

from bot.errors import Refused
from bot.incident import postmortem
from bot.incident.document import Document
from bot.incident.records import Incident
from storage import cases, histories, incidents
from storage.statements import Transaction

COMPLETE = "json"
"""The form that tells everything: every wording, what was taken back, and the audit."""


def named(tx: Transaction, number: int, team: str) -> Incident:
    """INC-7 by its number; `team` may be empty where one workspace alone has it.

    Raises Refused where there is none, or several workspaces have it.
    """
    found = [incidents.by_number(tx, one, number) for one in ((team,) if team else incidents.teams(tx))]
    known = [incident for incident in found if incident is not None]
    if len(known) != 1:
        several = f"{len(known)} workspaces have INC-{number}: name one with --team."
        raise Refused(several if known else f"There is no INC-{number}.")
    return known[0]


def compiled(tx: Transaction, incident: Incident, form: str, now: datetime) -> Document:
    """The document of an incident as of `now`, with as much of the record as a form of `bot.export.FORMATS` tells."""
    is_complete = form == COMPLETE
    case = cases.load(tx, incident, with_files=True, with_audit=is_complete)
    if not is_complete:
        return postmortem.compile(case, now)
    return postmortem.compile(case, now, histories.load(tx, incident))
