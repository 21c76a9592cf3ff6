"""The document that each form is written from."""

from datetime import datetime

from bot.incident import postmortem
from bot.incident.document import Document
from bot.incident.records import Incident
from storage import cases, histories
from storage.statements import Transaction

COMPLETE = "json"
"""The form that tells everything: every wording, what was taken back, and the audit."""


def compiled(tx: Transaction, incident: Incident, form: str, now: datetime) -> Document:
    """The document of an incident as of `now`, with as much of the record as a form of `bot.export.FORMATS` tells."""
    is_complete = form == COMPLETE
    case = cases.load(tx, incident, with_files=True, with_audit=is_complete)
    if not is_complete:
        return postmortem.compile(case, now)
    return postmortem.compile(case, now, histories.load(tx, incident))
