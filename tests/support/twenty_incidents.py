"""Twenty incidents whose figures were counted by hand; the sums stand as comments beside the table.

As of `NOW`, 1 December 2026, 12:00 UTC. INC-1 was resolved before September, INC-19 was in a private channel, and
INC-20 is open: so from September to November, 17 incidents count for everyone, and 18 for a member of that channel.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.facets import Facet, FacetKind
from bot.domain.numbers import CountedAction, CountedIncident
from bot.domain.records import ActionStatus, Incident, Milestone, Place, PostmortemStatus, Status
from storage import actions as actions_store
from storage import channels as channels_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.timeline import NewEntry

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
TEAM, PRIVATE = "T1", "C19"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """One incident: minutes from its start to each milestone, hours from its end to its publication.

    `postmortem` may be `waived`, or `-` while it's unpublished. Of actions, D is done on its due day, L done a day
    late, O overdue, C due in 2027, U open without a date, X dropped; each was created as the incident ended.
    """

    number: int
    ended: str
    severity: int
    services: str
    tags: str
    milestones: str
    """Start, detection, acknowledgement, mitigation, end: minutes, or `-` for none."""
    postmortem: str
    actions: str = ""
    repeats: tuple[int, ...] = ()

    @property
    def ended_at(self) -> datetime:
        return datetime.fromisoformat(f"2026-{self.ended}:00+00:00" if len(self.ended) < 14 else f"2026-{self.ended}Z")

    @property
    def channel(self) -> str:
        return f"C{self.number}"

    def times(self) -> dict[Milestone, datetime]:
        """When each milestone was reached."""
        minutes = self.milestones.split()
        start = self.ended_at - timedelta(minutes=int(minutes[-1]))
        return {
            milestone: start + timedelta(minutes=int(after))
            for milestone, after in zip(Milestone, minutes, strict=True)
            if after != "-"
        }

    def all_actions(self) -> tuple[CountedAction, ...]:
        """Its actions."""
        made, due = self.ended_at, self.ended_at + DAY
        next_year = datetime(2027, 3, 1, tzinfo=UTC)
        kinds = {
            "D": CountedAction(ActionStatus.DONE, made, due, due),
            "L": CountedAction(ActionStatus.DONE, made, due, due + DAY),
            "O": CountedAction(ActionStatus.OPEN, made, due),
            "C": CountedAction(ActionStatus.OPEN, made, next_year),
            "U": CountedAction(ActionStatus.OPEN, made),
            "X": CountedAction(ActionStatus.DROPPED, made, due, due),
        }
        return tuple(kinds[letter] for letter in self.actions)

    def incident(self, row: int = 0) -> Incident:
        """The incident itself."""
        is_open = self.number == 20
        ended = None if is_open else self.ended_at
        status = {"waived": PostmortemStatus.WAIVED, "-": PostmortemStatus.OPEN}
        is_published = self.postmortem not in status
        return Incident(
            row or self.number,
            TEAM,
            self.channel,
            self.number,
            f"Outage {self.number}",
            Status.OPEN if is_open else Status.RESOLVED,
            self.severity,
            None,
            "U1",
            self.ended_at - timedelta(hours=6),
            None if is_open else "U1",
            ended,
            status.get(self.postmortem, PostmortemStatus.PUBLISHED),
            "U1",
            "too small" if self.postmortem == "waived" else "",
            ended + timedelta(hours=int(self.postmortem)) if is_published and ended else None,
        )

    def to_counted(self) -> CountedIncident:
        """The incident as the rules take it."""
        services, tags = (tuple(text.split()) for text in (self.services, self.tags))
        return CountedIncident(self.incident(), self.times(), self.all_actions(), services, tags, self.repeats)


ROWS = (
    #   ended               sev services         tags       start det ack mit end  published  actions
    Row(1, "08-20T10:00", 1, "checkout", "database", "0 5 6 20 60", "24", "D"),
    Row(2, "09-02T10:00", 1, "checkout", "database", "0 4 5 30 60", "20", "DL"),
    Row(3, "09-05T10:00", 2, "checkout", "", "0 2 - 15 45", "48", "D"),
    Row(4, "09-09T10:00", 3, "search", "", "0 10 12 - 90", "72"),
    Row(5, "09-15T10:00", 2, "payments", "database", "0 - - 40 120", "200", "O"),
    Row(6, "09-21T10:00", 4, "", "", "- 3 4 10 20", "waived"),
    Row(7, "09-30T23:59:59", 3, "search", "deploy", "0 6 7 25 30", "168", "DX"),
    Row(8, "10-01T00:00", 1, "checkout payments", "deploy", "0 3 4 50 240", "40", "DDC"),
    Row(9, "10-04T10:00", 2, "search", "", "0 8 9 35 70", "-", "U"),
    Row(10, "10-11T10:00", 3, "", "", "0 12 15 20 20", "30"),
    Row(11, "10-18T10:00", 2, "checkout", "database", "0 1 2 10 15", "100", "L", repeats=(2,)),
    Row(12, "10-25T10:00", 4, "login", "", "- - - - 30", "waived"),
    Row(13, "11-02T10:00", 1, "checkout", "deploy", "0 7 8 60 180", "47", "DO", repeats=(11,)),
    Row(14, "11-09T10:00", 2, "login", "", "0 20 - - 300", "169"),
    Row(15, "11-16T10:00", 3, "payments", "", "0 5 5 5 10", "-", "C"),
    Row(16, "11-22T10:00", 2, "search", "database", "0 9 10 45 100", "10", "D", repeats=(9,)),
    Row(17, "11-27T12:00", 3, "login", "", "0 2 3 4 5", "-"),
    Row(18, "11-30T12:00", 2, "checkout", "", "0 30 31 90 150", "-"),
    Row(19, "11-10T10:00", 1, "checkout", "secret", "0 1 2 3 4", "5", "O", repeats=(2,)),
    Row(20, "11-30T10:00", 1, "checkout", "database", "0 1 2 3 4", "-"),
)


def store_rows(tx: Transaction, team: str = TEAM) -> None:
    """Store all of them, as the bot would have, each in a channel of its own."""
    by_number: dict[int, int] = {}
    for row in ROWS:
        by_number[row.number] = _store(tx, row, team)
        for other in row.repeats:
            search_store.add_verdict(tx, by_number[row.number], by_number[other], "U1", NOW, is_same=True)
    channels_store.save_privacy(tx, team, {row.channel: row.channel == PRIVATE for row in ROWS}, NOW)


def _store(tx: Transaction, row: Row, team: str) -> int:
    wanted = row.incident()
    incident = incidents_store.open_new(tx, Place(team, row.channel), wanted.title, "U1", wanted.opened_at)
    incidents_store.save(tx, replace(wanted, id=incident.id, team=team))
    for milestone, at in row.times().items():
        entry = NewEntry(at, str(milestone), "U1", "U1", at, milestone=milestone)
        timeline_store.append(tx, incident.id, entry)
    for action in row.all_actions():
        due = action.due_at
        new = NewAction("Do it", None, due.date() if due else None, due, "", "U1", action.created_at)
        added = actions_store.add(tx, incident.id, new)
        actions_store.save(tx, replace(added, status=action.status, closed_at=action.closed_at))
    for kind, names in ((FacetKind.SERVICE, row.services), (FacetKind.TAG, row.tags)):
        for name in names.split():
            facets_store.add(tx, incident, Facet(kind, name, "U1", NOW))
    return incident.id


COUNTED = tuple(row for row in ROWS if 2 <= row.number <= 18)
"""What counts from September to November for everyone."""
