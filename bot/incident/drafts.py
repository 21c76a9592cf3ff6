"""What the record can already say for a section that nobody has written: facts alone; their words are templates'.

It has nothing for fault and lessons, which are people's to tell, nor for timeline, whys and actions, which are lists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incident import code
from bot.incident.document import Document
from bot.incident.lifecycle import beyond
from bot.incident.lines import Line
from bot.incident.plain import plain
from bot.incident.records import EntryKind, Milestone
from bot.incident.secrets import masked
from bot.incident.text import shortened

QUOTED = 300
MOST_BEFORE = 15
"""Entries before the impact that are worth looking at for what led up to it: the latest of them."""

MOST_PEOPLE = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """A milestone as its entry tells it; `number` is 0 and `who` empty where only the incident itself knows.

    `after` is the time since an earlier milestone, which `since` names; `text` is empty where nobody said more.
    """

    milestone: Milestone
    at: datetime
    after: timedelta | None = None
    since: Milestone | None = None
    who: str = ""
    number: int = 0
    text: str = ""
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """An entry from before the impact."""

    at: datetime
    text: str
    who: str
    number: int


@dataclass(frozen=True, slots=True)
class Draft:
    """The facts of one section, in the order in which they are told; what is empty is not known, or not its matter.

    `started_at` and `ended_at` are of the whole incident, and `began` says what it began with; `arrivals` are names
    with the time of each one's first entry; `other_causes` the keys of incidents that had another cause.
    """

    title: str = ""
    severity: str = ""
    began: Milestone | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: timedelta | None = None
    lead: str = ""
    moments: tuple[Moment, ...] = ()
    arrivals: tuple[tuple[str, datetime], ...] = ()
    before: tuple[Before, ...] = ()
    roots: tuple[str, ...] = ()
    other_causes: tuple[str, ...] = ()


def _words(text: str) -> str:
    """Somebody's words on one line. Others read them here, so credentials are masked."""
    return shortened(code.flat(masked(plain(text))), QUOTED)


def _summary(document: Document) -> Draft:
    if not document.timeline:
        return Draft()
    reached = (m for m in (Milestone.IMPACT_STARTED, Milestone.DETECTED, Milestone.ACKNOWLEDGED) if _at(document, m))
    return Draft(
        title=masked(document.title),
        severity=document.severity,
        began=next(reached, None),
        started_at=document.started_at,
        ended_at=document.resolved_at,
        duration=document.duration,
    )


def _at(document: Document, milestone: Milestone) -> datetime | None:
    return document.mark(milestone).at


def _leadup(document: Document) -> Draft:
    """What people noted of the time before the impact; nothing while nobody has said when that began."""
    started = _at(document, Milestone.IMPACT_STARTED) or _at(document, Milestone.DETECTED)
    if started is None:
        return Draft()
    earlier = [line for line in document.timeline if line.happened_at < started and _is_note(line)]
    told = earlier[-MOST_BEFORE:]
    return Draft(
        before=tuple(Before(line.happened_at, _words(line.text), line.author.name, line.number) for line in told)
    )


def _is_note(line: Line) -> bool:
    return line.kind is EntryKind.NOTE and line.milestone is None


def _impact(document: Document) -> Draft:
    """From its start to when it got better, or else was over; nothing where nobody has said when it began."""
    if _at(document, Milestone.IMPACT_STARTED) is None:
        return Draft()
    end = Milestone.MITIGATED if _at(document, Milestone.MITIGATED) else Milestone.RESOLVED
    return Draft(moments=_moments(document, (Milestone.IMPACT_STARTED, None), (end, Milestone.IMPACT_STARTED)))


def _response(document: Document) -> Draft:
    acknowledged = _moments(document, (Milestone.ACKNOWLEDGED, Milestone.DETECTED))
    came = sorted((person.first_at, person.who.name) for person in document.participants if person.first_at)
    arrivals = tuple((name, first) for first, name in came[:MOST_PEOPLE])
    lead = document.lead.name if document.lead else ""
    return Draft(lead=lead, moments=acknowledged, arrivals=arrivals if len(came) > 1 else ())


def _moments(document: Document, *wanted: tuple[Milestone, Milestone | None]) -> tuple[Moment, ...]:
    """Each of the milestones that was reached, with the time since the one beside it."""
    found = (_moment(document, milestone, since) for milestone, since in wanted)
    return tuple(moment for moment in found if moment is not None)


def _moment(document: Document, milestone: Milestone, since: Milestone | None) -> Moment | None:
    mark = document.mark(milestone)
    if mark.at is None:
        return None
    begun = _at(document, since) if since else None
    after = mark.at - begun if begun is not None and begun <= mark.at else None
    line = mark.line
    if line is None:
        return Moment(milestone, mark.at, after=after, since=since)
    text = _words(beyond(milestone, line.text))
    return Moment(milestone, mark.at, after, since, line.author.name, line.number, text, line.approximate)


def _detection(document: Document) -> Draft:
    return Draft(moments=_moments(document, (Milestone.DETECTED, Milestone.IMPACT_STARTED)))


def _recovery(document: Document) -> Draft:
    ends = ((milestone, Milestone.IMPACT_STARTED) for milestone in (Milestone.MITIGATED, Milestone.RESOLVED))
    return Draft(moments=_moments(document, *ends))


def _root_cause(document: Document) -> Draft:
    return Draft(roots=tuple(_words(step.text) for step in document.roots))


_OF: dict[str, Callable[[Document], Draft]] = {
    "summary": _summary,
    "leadup": _leadup,
    "impact": _impact,
    "detection": _detection,
    "response": _response,
    "recovery": _recovery,
    "root_cause": _root_cause,
}


def draft(document: Document, slug: str, other_causes: tuple[str, ...] = ()) -> Draft:
    """What the record knows for a section by its slug; an empty draft where that is nothing."""
    if slug == "recurrence":
        return Draft(other_causes=other_causes)
    return _OF[slug](document) if slug in _OF else Draft()
