"""Which milestones were reached, when, and by which entry: read alike by the checks, the forms and the document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from bot.incident.records import Incident, Milestone, Status


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
