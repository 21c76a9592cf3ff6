"""What the record of an incident holds besides what stands: for the one form that tells everything."""

from itertools import groupby

from sqlalchemy import bindparam, select

from bot.incident.history import EntryVersion, History, Verdict, WhyVersion
from bot.incident.records import Entry, Incident, SectionText
from storage import attachments, people, sections, timeline, whys
from storage.statements import Statement, Transaction
from storage.tables import (
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    LikenessRow,
    WhyRow,
    WhyVersionRow,
    table_of,
)

_entry, _version, _likeness = table_of(EntryRow), table_of(EntryVersionRow), table_of(LikenessRow)
_why, _why_version, _incident = table_of(WhyRow), table_of(WhyVersionRow), table_of(IncidentRow)
_WORDINGS = Statement(
    select(
        _entry.c.id,
        _version.c.version,
        _version.c.change,
        _version.c.happened_at,
        _version.c.text,
        _version.c.changed_by,
        _version.c.changed_at,
        _version.c.ended_at,
        _version.c.approximate,
    )
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"))
    .order_by(_entry.c.id, _version.c.version)
)
_WHY_WORDINGS = Statement(
    select(
        _why.c.id,
        _why_version.c.version,
        _why_version.c.change,
        _why_version.c.text,
        _why_version.c.changed_by,
        _why_version.c.changed_at,
    )
    .join_from(_why, _why_version, _why_version.c.why_id == _why.c.id)
    .where(_why.c.incident_id == bindparam("incident_id"))
    .order_by(_why.c.id, _why_version.c.version)
)
_VERDICTS = Statement(
    select(_incident.c.number, _likeness.c.is_same, _likeness.c.said_by, _likeness.c.said_at)
    .join_from(_likeness, _incident, _likeness.c.other_id == _incident.c.id)
    .where(_likeness.c.incident_id == bindparam("incident_id"))
    .order_by(_incident.c.number)
)


def load(tx: Transaction, incident: Incident) -> History:
    """Everything that `cases.load` leaves out, as of this transaction; what files hold is not among it."""
    struck = timeline.struck(tx, incident.id)
    wordings = {
        row: tuple(EntryVersion(*found[1:]) for found in group)
        for row, group in groupby(tx.rows(_WORDINGS, incident_id=incident.id), key=lambda found: found[0])
    }
    every = whys.every(tx, incident.id)
    why_wordings = {
        row: tuple(WhyVersion(*found[1:]) for found in group)
        for row, group in groupby(tx.rows(_WHY_WORDINGS, incident_id=incident.id), key=lambda found: found[0])
    }
    savings = sections.every(tx, incident.id)
    verdicts = tuple(Verdict(*row) for row in tx.rows(_VERDICTS, incident_id=incident.id))
    named = _named(struck, wordings, why_wordings, savings) | {why.author for why in every}
    named |= {verdict.said_by for verdict in verdicts}
    known = (people.one(tx, incident.team, user) for user in sorted(user for user in named if user))
    return History(
        struck=struck,
        files=attachments.of_struck(tx, incident.id),
        wordings=wordings,
        whys=every,
        why_wordings=why_wordings,
        savings=savings,
        verdicts=verdicts,
        people={person.id: person for person in known if person is not None},
    )


def _named(
    struck: tuple[Entry, ...],
    wordings: dict[int, tuple[EntryVersion, ...]],
    why_wordings: dict[int, tuple[WhyVersion, ...]],
    savings: dict[str, tuple[SectionText, ...]],
) -> set[str]:
    named = {user for entry in struck for user in (entry.author, entry.recorder)}
    named |= {version.changed_by for versions in wordings.values() for version in versions}
    named |= {version.changed_by for versions in why_wordings.values() for version in versions}
    return named | {saving.author for found in savings.values() for saving in found}
