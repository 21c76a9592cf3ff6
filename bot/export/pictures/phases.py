"""What the timeline's picture tells of an incident besides its entries: phases, severity, silences. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.export.pictures import words
from bot.export.pictures.scale import Span, quiet_spans
from bot.incident.document import Document
from bot.incident.lines import Line
from bot.incident.records import EntryKind, Milestone

_SEVERITY = re.compile(r"\bsev([1-4])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phase:
    """What went on between two milestones; `ground` is the tint that it is drawn in."""

    label: str
    ground: str
    tone: str
    span: Span


@dataclass(frozen=True, slots=True)
class Severe:
    """How severe the incident was taken to be, 1 to 4, for how long."""

    level: int
    span: Span


def phases(document: Document) -> Iterator[Phase]:
    """Those phases whose two milestones are known and do not contradict each other.

    Where nobody marked the mitigation, respond and recover are one.
    """
    at = {mark.milestone: mark.at for mark in document.marks}
    impact, detected = at[Milestone.IMPACT_STARTED], at[Milestone.DETECTED]
    mitigated, resolved = at[Milestone.MITIGATED], at[Milestone.RESOLVED]
    told: list[tuple[str, str, str, datetime | None, datetime | None]] = [
        (words.DETECT, "pale-red", "red", impact, detected)
    ]
    if mitigated:
        told.append((words.RESPOND, "pale-blue", "blue", detected, mitigated))
        told.append((words.RECOVER, "pale-green", "green", mitigated, resolved))
    else:
        told.append((words.RESPOND_AND_RECOVER, "pale-blue", "blue", detected, resolved))
    for label, ground, tone, start, end in told:
        if start and end and end > start:
            yield Phase(label, ground, tone, Span(start, end))


def covered(document: Document) -> tuple[Span, ...]:
    """What the picture shows, ordered: every entry with its range, and milestones that only the incident knows."""
    spans = [Span(line.happened_at, until(line)) for line in document.timeline]
    spans += [Span(mark.at, mark.at) for mark in document.marks if mark.at and not mark.line]
    return tuple(sorted(spans))


def until(line: Line) -> datetime:
    """When an entry ended: at its beginning, where no later end is told."""
    ended = line.ended_at
    return ended if ended and ended > line.happened_at else line.happened_at


def severities(document: Document, end: datetime) -> tuple[Severe, ...]:
    """The severity from one change of it to the next; without any change, the incident's own since it started.

    The last holds until the incident was resolved, or until `end` where it was not.
    """
    changes: list[tuple[datetime, int]] = []
    first = document.started_at or document.timeline[0].happened_at
    for line in document.timeline:
        told = _SEVERITY.findall(line.text) if line.kind is EntryKind.SEVERITY else []
        if len(told) > 1 and not changes:
            changes.append((first, int(told[0])))
        if told:
            changes.append((line.happened_at, int(told[-1])))
    if not changes and document.severity:
        changes.append((first, int(document.severity.removeprefix("sev"))))
    over = document.resolved_at
    last = over if over and changes and over > changes[-1][0] else end
    ends = [*(start for start, _ in changes), last][1:]
    return tuple(
        Severe(level, Span(start, stop)) for (start, level), stop in zip(changes, ends, strict=True) if stop > start
    )


def longest_silence(document: Document) -> Span | None:
    """The longest of the spans in which nothing is recorded for long."""
    return max(quiet_spans(covered(document)), key=lambda span: span.length, default=None)
