"""Incidents for tests of the document and its exports; all people and companies are invented."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import (
    Action,
    ActionStatus,
    Case,
    EditedRegion,
    EditOrigin,
    Entry,
    EntryKind,
    Incident,
    Milestone,
    Person,
    PostmortemStatus,
    SectionText,
    Status,
    Why,
)
from bot.export import Exporter
from tests.support.timeouts import PATIENT

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PEOPLE = {
    person.id: person
    for person in (
        Person("T1", "U1", "Ana Costa"),
        Person("T1", "U2", "Ben Okafor"),
        Person("T1", "U3", "Chloé Martin"),
    )
}


def at(hour: int, minute: int, day: int = 23) -> datetime:
    """A time of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


INCIDENT = Incident(
    id=1,
    team="T1",
    channel="C1",
    number=7,
    title="Checkout returns 503s",
    status=Status.RESOLVED,
    severity=2,
    lead="U1",
    opened_by="U2",
    opened_at=at(14, 7),
    resolved_by="U1",
    resolved_at=at(15, 10),
    postmortem_status=PostmortemStatus.OPEN,
    postmortem_owner="U2",
    postmortem_reason="",
    published_at=None,
    channel_name="inc-checkout",
)
_ENTRY = Entry(
    id=1,
    incident_id=1,
    number=1,
    happened_at=at(14, 5),
    ended_at=None,
    approximate=False,
    text="failed over to replica",
    author="U1",
    recorder="U1",
    recorded_at=at(14, 6),
    kind=EntryKind.NOTE,
    milestone=None,
    version=1,
    struck=False,
)
_ACTION = Action(
    id=1,
    incident_id=1,
    number=1,
    text="Pool connections per process",
    owner="U1",
    due_on=date(2026, 11, 27),
    overdue_at=at(0, 0, day=28),
    link="",
    status=ActionStatus.OPEN,
    reason="",
    created_by="U1",
    created_at=at(17, 0),
    closed_at=None,
)


def incident(**changes: object) -> Incident:
    """The incident with other values."""
    return replace(INCIDENT, **changes)  # type: ignore[arg-type]


def entry(number: int, happened_at: datetime, text: str = "failed over to replica", **changes: object) -> Entry:
    """A line of the timeline."""
    recorded = happened_at + timedelta(minutes=2)
    made = replace(_ENTRY, id=number, number=number, happened_at=happened_at, text=text, recorded_at=recorded)
    return replace(made, **changes)  # type: ignore[arg-type]


def why(
    number: int, parent: int | None, text: str = "the pool was full", *, root: bool = False, struck: bool = False
) -> Why:
    """A step of the five whys."""
    return Why(number, 1, number, parent, text, "U2", at(16, number), root, struck)


def section_text(slug: str, text: str) -> SectionText:
    """What a person wrote into a section."""
    return SectionText(1, slug, text, "U2", at(17, 0), 1)


def edited_region(slug: str, markdown: str, facts: str, version: int = 1, **changes: object) -> EditedRegion:
    """What came back in an edited draft; `facts` as the marker of the region told."""
    made = EditedRegion(1, slug, version, EditOrigin.EDITED, markdown, facts, 0, "U3", "file", "", at(9, 12, day=24))
    return replace(made, **changes)  # type: ignore[arg-type]


def action(number: int, **changes: object) -> Action:
    """A corrective action."""
    return replace(_ACTION, id=number, number=number, **changes)  # type: ignore[arg-type]


def case(
    *,
    about: Incident = INCIDENT,
    entries: tuple[Entry, ...] = (),
    whys: tuple[Why, ...] = (),
    sections: tuple[SectionText, ...] = (),
    actions: tuple[Action, ...] = (),
) -> Case:
    """A case with these parts, and only these words."""
    return Case(about, entries, whys, {text.section: text for text in sections}, actions, PEOPLE)


NOTHING_KNOWN = case(
    about=incident(
        status=Status.OPEN, severity=None, lead=None, resolved_by=None, resolved_at=None, postmortem_owner=None
    )
)

FULL = case(
    entries=(
        entry(1, at(13, 52), "Deploy of checkout 4.12 finished", author="U3", recorder="U3"),
        entry(2, at(13, 58), "Errors climb to 30 %", milestone=Milestone.IMPACT_STARTED, approximate=True),
        entry(3, at(14, 5), "Alert checkout_5xx fired", milestone=Milestone.DETECTED, recorder="U2"),
        entry(4, at(14, 9), "Ana leads", milestone=Milestone.ACKNOWLEDGED),
        entry(5, at(14, 20), "Restarted the pool:\n  active: 200\n\nno change", ended_at=at(14, 32)),
        entry(6, at(14, 41), "Failed over to the replica", milestone=Milestone.MITIGATED, author="U3", recorder="U3"),
        entry(7, at(15, 10), "Queue drained", milestone=Milestone.RESOLVED),
    ),
    whys=(
        why(1, None, "The payment API answered 503"),
        why(2, 1, "Its pool was full"),
        why(3, 2, "4.12 opens a connection per request"),
        why(4, 2, "Nobody saw it fill"),
        why(5, 3, "The load test uses one customer", root=True),
    ),
    sections=(
        section_text("summary", "Checkout failed for 43 minutes.\nThe EU could not pay.\n\nFailing over made it stop."),
        section_text("leadup", "Version 4.12 went out with a new client library."),
    ),
    actions=(
        action(1, link="https://tracker.example.com/browse/OPS-12"),
        action(2, text="Load test with many customers", owner=None, due_on=None, overdue_at=None),
        action(3, text="Alarm on pool use", status=ActionStatus.DONE, closed_at=at(18, 0)),
        action(
            4, text="Move to another database", status=ActionStatus.DROPPED, reason="too large", closed_at=at(18, 0)
        ),
    ),
)


_EXPORTER = Exporter(timeouts=PATIENT)


def render(about: Case, form: str) -> str:
    """An incident's document in a form that is text, as of `NOW`."""
    return _EXPORTER.render(postmortem_rules.compile_document(about, NOW), form).decode()
