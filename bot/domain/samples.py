"""Three incidents of our own, plainly invented, on which templates are tried: all is known, nothing is, all is hard."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.domain.facets import Facet, FacetKind
from bot.domain.records import (
    Action,
    ActionKind,
    ActionStatus,
    Case,
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
from bot.domain.sections import SECTIONS

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
"""The moment as of which the samples are compiled."""

_TEAM = "T0SAMPLE"
_PEOPLE = {
    person.id: person
    for person in (
        Person(_TEAM, "U0ANA", "Ana Example"),
        Person(_TEAM, "U0BEN", "Ben Example"),
        Person(_TEAM, "U0CHLOE", "Chloé Example"),
    )
}
_BEGAN = datetime(2026, 11, 23, 13, 52, tzinfo=UTC)


def _incident(number: int, title: str) -> Incident:
    return Incident(
        id=number,
        team=_TEAM,
        channel=f"C0SAMPLE{number}",
        number=number,
        title=title,
        status=Status.OPEN,
        severity=None,
        lead=None,
        opened_by="U0BEN",
        opened_at=_BEGAN + timedelta(minutes=14),
        resolved_by=None,
        resolved_at=None,
        postmortem_status=PostmortemStatus.OPEN,
        postmortem_owner=None,
        postmortem_reason="",
        published_at=None,
        channel_name=f"inc-{number}-sample",
    )


def _entry(number: int, minutes: int, text: str, author: str = "U0ANA", milestone: Milestone | None = None) -> Entry:
    at = _BEGAN + timedelta(minutes=minutes)
    return Entry(
        id=number,
        incident_id=1,
        number=number,
        happened_at=at,
        ended_at=None,
        approximate=False,
        text=text,
        author=author,
        recorder=author,
        recorded_at=at + timedelta(minutes=1),
        kind=EntryKind.NOTE,
        milestone=milestone,
        version=1,
        struck=False,
    )


def _why(number: int, parent: int | None, text: str, *, is_root: bool = False, actions: tuple[int, ...] = ()) -> Why:
    at = _BEGAN + timedelta(days=1, minutes=number)
    return Why(number, 1, number, parent, text, "U0BEN", at, is_root, actions=actions)


def _section_text(slug: str, text: str) -> SectionText:
    return SectionText(1, slug, text, "U0BEN", _BEGAN + timedelta(days=1), 1)


def _action(number: int, text: str, **changes: object) -> Action:
    made = Action(
        id=number,
        incident_id=1,
        number=number,
        text=text,
        owner=None,
        due_on=None,
        overdue_at=None,
        link="",
        status=ActionStatus.OPEN,
        reason="",
        created_by="U0BEN",
        created_at=_BEGAN + timedelta(days=1),
        closed_at=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _likeness() -> Case:
    entries = (
        _entry(1, 0, "Deploy of checkout 4.12 finished", "U0CHLOE"),
        replace(_entry(2, 6, "Errors climb to 30 %", milestone=Milestone.IMPACT_STARTED), approximate=True),
        replace(_entry(3, 13, "Alert checkout_5xx fired", "U0BEN", Milestone.DETECTED), recorder="U0ANA"),
        _entry(4, 17, "Ana leads", milestone=Milestone.ACKNOWLEDGED),
        replace(
            _entry(5, 28, "Restarted the pool:\n  active: 200\n\nno change"), ended_at=_BEGAN + timedelta(minutes=40)
        ),
        _entry(6, 49, "Failed over to the replica", "U0CHLOE", Milestone.MITIGATED),
        _entry(7, 78, "Queue drained, see https://status.example/incidents/7", milestone=Milestone.RESOLVED),
    )
    whys = (
        _why(1, None, "The payment API answered 503"),
        _why(2, 1, "Its pool was full (#5)"),
        _why(3, 2, "4.12 opens a connection per request"),
        _why(4, 2, "Nobody saw it fill", is_root=True, actions=(3,)),
        _why(5, 3, "The load test uses one customer", is_root=True, actions=(2,)),
    )
    actions = (
        _action(
            1, "Pool connections per process", owner="U0ANA", due_on=date(2026, 11, 25), overdue_at=_after(26),
            link="https://tracker.example/browse/OPS-12", kind=ActionKind.PREVENT,
        ),
        _action(2, "Load test like customers", owner="U0CHLOE", due_on=date(2026, 12, 4), overdue_at=_after(5, 12)),
        _action(3, "Alarm on pool use", owner="U0BEN", status=ActionStatus.DONE, closed_at=_after(26), held="held"),
        _action(4, "Move to another database", status=ActionStatus.DROPPED, reason="too large", closed_at=_after(25)),
    )  # fmt: skip
    sections = (
        _section_text(
            "summary", "Checkout failed for 43 minutes.\nThe EU could not pay.\n\nFailing over made it stop."
        ),
        _section_text("leadup", "Version 4.12 went out with a new client library."),
        _section_text("lessons", "Well: the failover was rehearsed.\nLucky: it was a quiet Monday."),
    )
    about = replace(
        _incident(7, "Checkout returns 503s"), status=Status.RESOLVED, severity=2, lead="U0ANA", resolved_by="U0ANA",
        resolved_at=entries[-1].happened_at, postmortem_owner="U0BEN",
    )  # fmt: skip
    facets = _facets(services=("checkout", "payments"), tags=("database",))
    return Case(about, entries, whys, {text.section: text for text in sections}, actions, _PEOPLE, facets=facets)


def _facets(**names: tuple[str, ...]) -> tuple[Facet, ...]:
    kinds = {"services": FacetKind.SERVICE, "tags": FacetKind.TAG}
    return tuple(Facet(kinds[kind], name, "U0BEN", _after(24)) for kind, these in names.items() for name in these)


def _after(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


HARD = "<b>&amp; *not* | _markup_ `{{ 7 * 7 }}` [a](b) #1 </script> --- ]]> \u05e9\u05dc\u05d5\u05dd 火事 🔥"
"""The hostile sample's text in every place where a person can write."""

EMPHASISED = frozenset({"not", "markup"})
"""The words in it that would be emphasised if its markup took effect."""


def _hard() -> Case:
    entries = tuple(
        _entry(number, 97 * number, f"{number}. {HARD}", ("U0ANA", "U0BEN")[number % 2]) for number in range(1, 121)
    )
    marks = {2: Milestone.DETECTED, 3: Milestone.IMPACT_STARTED, 90: Milestone.MITIGATED, 120: Milestone.RESOLVED}
    entries = tuple(replace(entry, milestone=marks.get(entry.number)) for entry in entries)
    whys = tuple(
        _why(number, (number - 1) // 2 or None, f"{HARD}\nbranch {number}", is_root=number == 31)
        for number in range(1, 32)
    )
    sections = {section.slug: _section_text(section.slug, f"# {HARD}\n\n- {HARD}\n    {HARD}") for section in SECTIONS}
    about = replace(
        _incident(8, HARD), status=Status.RESOLVED, severity=1, lead="U0HARD", resolved_at=entries[-1].happened_at,
        postmortem_status=PostmortemStatus.WAIVED, postmortem_reason=HARD,
    )  # fmt: skip
    people = _PEOPLE | {"U0HARD": Person(_TEAM, "U0HARD", HARD)}
    actions = tuple(_action(number, HARD, owner="U0HARD", link=HARD, reason=HARD) for number in range(1, 9))
    name = HARD.replace("`", "")  # a name has no code
    facets = _facets(services=(name, "#2"), tags=(name,))
    return Case(about, entries, whys, sections, actions, people, facets=facets)


SAMPLES = {
    "everything known": _likeness(),
    "nothing known": Case(_incident(9, "Something is wrong"), (), (), {}, (), _PEOPLE),
    "hard to show": _hard(),
}
