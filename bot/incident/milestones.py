"""Which milestones were reached, when, and by which entry: read alike by the checks, the forms and the document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.incident.records import Entry, EntryKind, Incident, Milestone, Status


class Marking(Protocol):
    """What may mark a milestone: an entry of the record, or a line of the document."""

    @property
    def number(self) -> int: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def milestone(self) -> Milestone | None: ...


M = TypeVar("M", bound=Marking)


@dataclass(frozen=True, slots=True)
class Reached(Generic[M]):
    """When a milestone was reached; `by` is the entry that says so, None where only the incident itself knows."""

    at: datetime
    by: M | None


def reached(incident: Incident, entries: Iterable[M]) -> dict[Milestone, Reached[M]]:
    """The milestones that were reached, in their order, by the entries that stand.

    The record may correct itself: the latest entry that marks one counts. What resolved an incident that was reopened
    did not last.
    """
    latest = {entry.milestone: entry for entry in sorted(entries, key=lambda entry: entry.number) if entry.milestone}
    found = {
        milestone: Reached(latest[milestone].happened_at, latest[milestone])
        for milestone in Milestone
        if milestone in latest
    }
    if incident.status is not Status.RESOLVED:
        found.pop(Milestone.RESOLVED, None)
    elif Milestone.RESOLVED not in found and incident.resolved_at is not None:
        found[Milestone.RESOLVED] = Reached(incident.resolved_at, None)
    return found


def began_at(found: Mapping[Milestone, Reached[M]]) -> datetime | None:
    """When the impact began, else when somebody first noticed; None where no milestone says so."""
    if Milestone.IMPACT_STARTED in found:
        return found[Milestone.IMPACT_STARTED].at
    noticed = (found[mark].at for mark in (Milestone.DETECTED, Milestone.ACKNOWLEDGED) if mark in found)
    return min(noticed, default=None)


@dataclass(frozen=True, slots=True)
class Course:
    """From when on an incident lasted, and until when it did; None while it is on."""

    since: datetime
    until: datetime | None

    @property
    def length(self) -> timedelta | None:
        """How long it lasted; None while it is on, and where its times contradict each other."""
        return self.until - self.since if self.until and self.until >= self.since else None


def course(incident: Incident, entries: Iterable[M], first: datetime | None) -> Course:
    """How long an incident lasted, as the document tells it too.

    `entries` are all that mark a milestone, `first` the time of the first entry of all.
    """
    found = reached(incident, entries)
    until = found[Milestone.RESOLVED].at if Milestone.RESOLVED in found else None
    return Course(began_at(found) or first or incident.opened_at, until)


def is_after(one: datetime, other: datetime) -> bool:
    """Whether a moment is surely the later: one that was typed to the minute may be any second of it."""
    if 0 in (one.second, other.second):
        return one.replace(second=0, microsecond=0) > other.replace(second=0, microsecond=0)
    return one > other


@dataclass(frozen=True, slots=True)
class Told:
    """A milestone as somebody told it: when (aware UTC), and in which words."""

    milestone: Milestone
    at: datetime
    text: str
    end: datetime | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Clash(Generic[M]):
    """What a milestone at a moment would contradict: the other milestone, which `is_later`, or the same `is_twice`."""

    milestone: Milestone
    at: datetime
    by: M | None
    is_twice: bool = False
    is_later: bool = False


def earlier_that_are_later(
    marks: Mapping[Milestone, Reached[M]], milestone: Milestone, at: datetime
) -> list[Milestone]:
    """The milestones that come before this one in every incident, and would be reached after it."""
    order = list(Milestone)
    before = order[: order.index(milestone)]
    return [other for other in before if other in marks and is_after(marks[other].at, at)]


def plainest(marks: Mapping[Milestone, Reached[M]], later: list[Milestone]) -> Milestone:
    """Of several, the one to name: that it was over before anybody noticed is the plainest way to say so."""
    return Milestone.DETECTED if Milestone.DETECTED in later else max(later, key=lambda each: marks[each].at)


def clash(
    incident: Incident, entries: Iterable[Entry], milestone: Milestone, at: datetime, now: datetime | None = None
) -> Clash[Entry] | None:
    """What a milestone that somebody types (`now`) would contradict, among the entries that stand; None for nothing.

    What it got better by before it was reopened did not last, and contradicts nothing. Nor does what got better before
    somebody acknowledged it without a time: that says only when it was typed.
    """
    every = tuple(entries)
    reopened = max((entry.number for entry in every if _puts_back(entry)), default=0)
    marks = {each: mark for each, mark in reached(incident, every).items() if not _is_void(each, mark, reopened)}
    if milestone is Milestone.ACKNOWLEDGED and at == now:
        marks = {each: mark for each, mark in marks.items() if each not in _ENDS}
    elif milestone in _ENDS and _is_undated(marks.get(Milestone.ACKNOWLEDGED)):
        del marks[Milestone.ACKNOWLEDGED]
    if milestone in marks and milestone is not Milestone.RESOLVED:
        return Clash(milestone, marks[milestone].at, marks[milestone].by, is_twice=True)
    if later := earlier_that_are_later(marks, milestone, at):
        told = plainest(marks, later)
        return Clash(told, marks[told].at, marks[told].by, is_later=True)
    order = list(Milestone)
    after = [each for each in order[order.index(milestone) + 1 :] if each in marks and is_after(at, marks[each].at)]
    if not after:
        return None
    told = min(after, key=lambda each: marks[each].at)
    return Clash(told, marks[told].at, marks[told].by)


_ENDS = (Milestone.MITIGATED, Milestone.RESOLVED)


def _is_void(milestone: Milestone, mark: Reached[Entry], reopened: int) -> bool:
    return milestone is Milestone.MITIGATED and mark.by is not None and mark.by.number < reopened


def _is_undated(mark: Reached[Entry] | None) -> bool:
    """Whether a milestone was recorded as of the moment in which it was typed."""
    return mark is not None and mark.by is not None and mark.by.happened_at == mark.by.recorded_at


def _puts_back(entry: Entry) -> bool:
    """Whether an entry opens the incident, or opens it again."""
    return entry.kind is EntryKind.STATUS and entry.milestone is None
