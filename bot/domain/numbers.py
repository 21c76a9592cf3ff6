"""What the resolved incidents of a period add up to: what was in time, how long things took, and what comes back.

Every figure knows the incidents behind it. None is a mean, none is by person, and none claims a trend
(docs/numbers.md says how each is counted).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from statistics import median, quantiles

from bot.domain.facets import LONGEST
from bot.domain.policy import PostmortemRule
from bot.domain.records import ActionStatus, Incident, Milestone, PostmortemStatus
from bot.errors import Refused

TWO_DAYS, WEEK = timedelta(hours=48), timedelta(days=7)
FEWEST_FOR_QUARTILES = 5
"""Of fewer values each is named instead: a quarter of three is no figure."""
MOST_MONTHS = 36
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = re.compile(r"(2\d{3})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(2\d{3})-q([1-4])")
_YEAR = re.compile(r"2\d{3}")
_EXAMPLES = "Try `quarter`, `last month`, `2026-11`, `2026-q4` or `2026`"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole calendar months in UTC: those from `first` up to `last`, as counted from the year 0."""

    first: int
    last: int

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return _begin_month(self.first)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return _begin_month(self.last + 1)

    @property
    def name(self) -> str:
        """As it may be written, whenever it's read: `2026-11`, `2026-q4`, `2026`, `2026-10..2026-12`."""
        if self.first == self.last:
            return f"{self.since:%Y-%m}"
        if self.first % 12 == 0 and self.last == self.first + 11:
            return f"{self.since:%Y}"
        if self.first % 3 == 0 and self.last == self.first + 2:
            return f"{self.since:%Y}-q{self.first % 12 // 3 + 1}"
        return f"{self.since:%Y-%m}..{_begin_month(self.last):%Y-%m}"

    def describe(self, now: datetime) -> str:
        """`November 2026`, `Q4 2026 so far`, `Sep 2025 to Aug 2026`."""
        so_far = " so far" if self.since <= now < self.until else ""
        begin, end = _month_name(self.first), _month_name(self.last)
        if self.first == self.last:
            return f"{begin}{so_far}"
        if self.first % 12 == 0 and self.last == self.first + 11:
            return f"{self.since:%Y}{so_far}"
        if self.first % 3 == 0 and self.last == self.first + 2:
            return f"Q{self.first % 12 // 3 + 1} {self.since:%Y}{so_far}"
        return f"{begin if begin[-4:] != end[-4:] else begin[:3]} to {end}{so_far}"

    def divide(self, months: int, now: datetime) -> "tuple[Period, ...]":
        """Its parts of so many months, each whole by the calendar, but no part that has not begun."""
        begins = range(self.first - self.first % months, self.last + 1, months)
        parts = (Period(max(begin, self.first), min(begin + months - 1, self.last)) for begin in begins)
        return tuple(part for part in parts if part.since <= now)


def _begin_month(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _month_name(month: int) -> str:
    return f"{_MONTHS[month % 12]} {month // 12}"


def read_period(text: str, now: datetime) -> Period:
    """The period that a person names; of no name, this month and the two before. Raises Refused for anything else."""
    word = " ".join(text.lower().split()).removeprefix("this ")
    this = now.year * 12 + now.month - 1
    quarter = this - this % 3
    known = {
        "": Period(this - 2, this),
        "month": Period(this, this),
        "last month": Period(this - 1, this - 1),
        "quarter": Period(quarter, quarter + 2),
        "last quarter": Period(quarter - 3, quarter - 1),
        "year": Period(this - 11, this),
        "last year": Period(now.year * 12 - 12, now.year * 12 - 1),
    }
    if found := known.get(word) or _read_date(word):
        return found
    begin, dots, end = (part.strip() for part in word.partition(".."))
    first, last = _read_date(begin), _read_date(end)
    if not dots or first is None or last is None or first > last:
        raise Refused(f"I couldn't read “{text.strip()[:40]}” as a period. {_EXAMPLES}.")
    if last.last - first.first >= MOST_MONTHS:
        raise Refused(f"That's more than {MOST_MONTHS} months. Choose a shorter period.")
    return Period(first.first, last.last)


def _read_date(word: str) -> Period | None:
    if match := _MONTH.fullmatch(word):
        month = int(match[1]) * 12 + int(match[2]) - 1
        return Period(month, month)
    if match := _QUARTER.fullmatch(word):
        month = int(match[1]) * 12 + int(match[2]) * 3 - 3
        return Period(month, month + 2)
    if _YEAR.fullmatch(word):
        return Period(int(word) * 12, int(word) * 12 + 11)
    return None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which incidents to count: those resolved in a period, of a severity, a service and a tag, if any is named."""

    period: Period
    severity: int | None = None
    service: str = ""
    tag: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """What it names besides the period, as it's written."""
        named = {"severity": str(self.severity or ""), "service": self.service, "tag": self.tag}
        return {name: value for name, value in named.items() if value}


_FILTER = re.compile(r"\b(sev(?:erity)?(?=\d|\b)|service\b|tag\b)[\s:=]*", re.IGNORECASE)


def read_selection(text: str, now: datetime) -> Selection:
    """What a person asks for in a line: `quarter`, `last month service checkout`, `2026 sev 2 tag database`.

    Raises Refused, with what is understood.
    """
    period, *pairs = _FILTER.split(" ".join(text.split()))
    chosen = Selection(read_period(period, now))
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        word, wanted = name.lower(), value.strip()
        if not wanted:
            raise Refused(f"Which {word}? Try `quarter {word} {'2' if word.startswith('sev') else 'checkout'}`.")
        if len(wanted) > LONGEST:
            raise Refused(f"The name of a {word} has at most {LONGEST} characters. Try a shorter one.")
        if not word.startswith("sev"):
            chosen = replace(chosen, service=wanted) if word == "service" else replace(chosen, tag=wanted)
        elif wanted in ("1", "2", "3", "4"):
            chosen = replace(chosen, severity=int(wanted))
        else:
            raise Refused("Severities go from 1 (worst) to 4. Try `quarter sev 2`.")
    return chosen


@dataclass(frozen=True, slots=True)
class CountedAction:
    """What is counted of an action; `due_at` is the end of its due day, None without one."""

    status: ActionStatus
    created_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountedIncident:
    """A resolved incident with what is counted of it.

    `milestones` are those that were reached. `repeats` are the numbers of earlier incidents that a person said had the
    same cause.
    """

    incident: Incident
    milestones: Mapping[Milestone, datetime]
    actions: tuple[CountedAction, ...] = ()
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    repeats: tuple[int, ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether its policy, or a person, asks for a postmortem."""
        policy = self.incident.policy
        return self.incident.rule is PostmortemRule.REQUIRED or (policy is not None and policy.is_chosen)


class Measure(StrEnum):
    """How long something took from the start of the impact, as the document has it."""

    DETECT = "detect"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"


_ENDS = {
    Measure.DETECT: Milestone.DETECTED,
    Measure.MITIGATE: Milestone.MITIGATED,
    Measure.RESOLVE: Milestone.RESOLVED,
}
EXPECTED_MILESTONES = (Milestone.IMPACT_STARTED, Milestone.DETECTED, Milestone.ACKNOWLEDGED, Milestone.MITIGATED)
"""What each incident should have, besides its end, without which it isn't counted at all."""


def measure_times(one: CountedIncident) -> dict[Measure, timedelta]:
    """How long each took; left out if a time is missing, or if the times contradict each other."""
    start = one.milestones.get(Milestone.IMPACT_STARTED)
    ends = {measure: one.milestones.get(milestone) for measure, milestone in _ENDS.items()}
    return {measure: end - start for measure, end in ends.items() if start and end and end >= start}


class PostmortemFate(StrEnum):
    """What became of a postmortem; the first three count from the resolution."""

    TWO_DAYS = "within_48h"
    WEEK = "within_week"
    LATER = "later"
    OPEN = "unpublished"
    WAIVED = "waived"
    NOT_ASKED = "not_asked"


_IN_A_WEEK = (PostmortemFate.TWO_DAYS, PostmortemFate.WEEK)


def judge_postmortem(one: CountedIncident) -> PostmortemFate:
    """What became of an incident's postmortem."""
    incident = one.incident
    if incident.postmortem_status is PostmortemStatus.WAIVED:
        return PostmortemFate.WAIVED
    if incident.published_at is None or incident.resolved_at is None:
        return PostmortemFate.OPEN if one.is_asked else PostmortemFate.NOT_ASKED
    took = incident.published_at - incident.resolved_at
    if took <= TWO_DAYS:
        return PostmortemFate.TWO_DAYS
    return PostmortemFate.WEEK if took <= WEEK else PostmortemFate.LATER


class ActionFate(StrEnum):
    """What became of an action."""

    IN_TIME = "in_time"
    LATE = "late"
    OVERDUE = "overdue"
    COMING = "coming"
    UNDATED = "undated"
    """It has no due date, or it isn't known when it was done."""
    DROPPED = "dropped"


def judge_action(action: CountedAction, now: datetime) -> ActionFate:
    """What became of an action by now."""
    if action.status is ActionStatus.DROPPED:
        return ActionFate.DROPPED
    if action.due_at is None:
        return ActionFate.UNDATED
    if action.status is ActionStatus.OPEN:
        return ActionFate.OVERDUE if action.due_at <= now else ActionFate.COMING
    if action.closed_at is None:
        return ActionFate.UNDATED
    return ActionFate.IN_TIME if action.closed_at <= action.due_at else ActionFate.LATE


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths of time, from the shortest to the longest."""

    values: tuple[timedelta, ...] = ()

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def median(self) -> timedelta | None:
        """The one in the middle, or halfway between the two in the middle; None of none."""
        return median(self.values) if self.values else None  # type: ignore[type-var]  # timedelta divides as a number

    @property
    def quartiles(self) -> tuple[timedelta, timedelta] | None:
        """Between them lies the middle half; None if there are too few values to say so."""
        if len(self.values) < FEWEST_FOR_QUARTILES:
            return None
        low, _, high = quantiles((value.total_seconds() for value in self.values), n=4, method="inclusive")
        return timedelta(seconds=low), timedelta(seconds=high)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that came back: the numbers of its incidents, some of which may be older than the period."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The figures of some incidents.

    `behind` has the incidents behind each figure, by the figure's name: a `PostmortemFate`, an `ActionFate`, a
    `Measure`, `no_` and a milestone, `in_a_week`, `open_actions`, `repeats` or `all`.
    """

    behind: Mapping[str, tuple[CountedIncident, ...]]
    actions: Mapping[ActionFate, int]
    ages: Spread
    times: Mapping[Measure, Spread]
    in_two_days: Share
    in_a_week: Share
    causes: tuple[Cause, ...]

    @property
    def incidents(self) -> tuple[CountedIncident, ...]:
        """All of them, the latest first."""
        return self.behind["all"]

    def count(self, figure: str) -> int:
        """How many incidents are behind a figure."""
        return len(self.behind.get(figure, ()))

    @property
    def actions_in_time(self) -> Share:
        """The actions done by their date, of those whose date is over or that are done."""
        late = self.actions[ActionFate.LATE] + self.actions[ActionFate.OVERDUE]
        return Share(self.actions[ActionFate.IN_TIME], self.actions[ActionFate.IN_TIME] + late)

    def list_returning(self, kind: str) -> tuple[tuple[str, tuple[CountedIncident, ...]], ...]:
        """The services or tags (`service`, `tag`) of more than one incident, the commonest first."""
        found = _group(self.incidents, lambda one: one.services if kind == "service" else one.tags)
        several = ((name, some) for name, some in found.items() if len(some) > 1)
        return tuple(sorted(several, key=lambda pair: (-len(pair[1]), pair[0].casefold())))


def count_up(incidents: Iterable[CountedIncident], now: datetime) -> Numbers:
    """The figures of these incidents, which are all resolved, by now."""
    every = tuple(sorted(incidents, key=lambda one: one.incident.number, reverse=True))
    fates = _group(every, lambda one: (str(judge_postmortem(one)),))
    actions = [(one, action, judge_action(action, now)) for one in every for action in one.actions]
    pending = [(one, action) for one, action, _ in actions if action.status is ActionStatus.OPEN]
    times = [(one, measure_times(one)) for one in every]
    behind = {"all": every, **fates, **_group(every, _list_missing)}
    behind |= {str(fate): _unique(one for one, _, found in actions if found is fate) for fate in ActionFate}
    behind["in_a_week"] = tuple(one for one in every if judge_postmortem(one) in _IN_A_WEEK)
    behind |= {"open_actions": _unique(one for one, _ in pending), "repeats": tuple(o for o in every if o.repeats)}
    behind |= {str(measure): tuple(one for one, took in times if measure in took) for measure in Measure}
    return Numbers(
        behind,
        {fate: sum(found is fate for *_, found in actions) for fate in ActionFate},
        Spread(tuple(sorted(now - action.created_at for _, action in pending))),
        {measure: Spread(tuple(sorted(took[measure] for _, took in times if measure in took))) for measure in Measure},
        _judge_share(every, (PostmortemFate.TWO_DAYS,), now - TWO_DAYS),
        _judge_share(every, _IN_A_WEEK, now - WEEK),
        _join_causes(every),
    )


def _list_missing(one: CountedIncident) -> tuple[str, ...]:
    return tuple(f"no_{milestone}" for milestone in EXPECTED_MILESTONES if milestone not in one.milestones)


def _judge_share(every: Sequence[CountedIncident], met: tuple[PostmortemFate, ...], before: datetime) -> Share:
    """How many met the limit, of those asked; one that is still within it is not judged yet."""
    fates = [(one, judge_postmortem(one)) for one in every]
    early = sum(fate in met for _, fate in fates)
    missed = sum(
        fate not in (*met, PostmortemFate.WAIVED, PostmortemFate.NOT_ASKED)
        and (fate is not PostmortemFate.OPEN or (one.incident.resolved_at or before) <= before)
        for one, fate in fates
    )
    return Share(early, early + missed)


def _group(
    every: Iterable[CountedIncident], names: Callable[[CountedIncident], Iterable[str]]
) -> dict[str, tuple[CountedIncident, ...]]:
    found: dict[str, list[CountedIncident]] = {}
    for one in every:
        for name in names(one):
            found.setdefault(name, []).append(one)
    return {name: tuple(some) for name, some in found.items()}


def _unique(incidents: Iterable[CountedIncident]) -> tuple[CountedIncident, ...]:
    return tuple({one.incident.id: one for one in incidents}.values())


def _join_causes(every: Sequence[CountedIncident]) -> tuple[Cause, ...]:
    """The incidents that people said have one cause, joined where they share one; the most frequent first."""
    groups: list[set[int]] = []
    for one in every:
        if not one.repeats:
            continue
        joined = {one.incident.number, *one.repeats}
        touching = [group for group in groups if group & joined]
        groups = [group for group in groups if not group & joined] + [joined.union(*touching)]
    causes = (Cause(tuple(sorted(group))) for group in groups)
    return tuple(sorted(causes, key=lambda cause: (-len(cause.numbers), cause.numbers)))


class Grouping(StrEnum):
    """What figures are compared by."""

    MONTH = "month"
    QUARTER = "quarter"
    SEVERITY = "severity"
    SERVICE = "service"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of a part. `selection` finds the same part again; None for what has no service, or no tag."""

    name: str
    selection: Selection | None
    numbers: Numbers


def divide(incidents: Sequence[CountedIncident], chosen: Selection, by: Grouping, now: datetime) -> tuple[Group, ...]:
    """The figures of each part. An incident with two services, or two tags, counts in both."""
    return tuple(Group(name, part, count_up(some, now)) for name, part, some in _list_parts(incidents, chosen, by, now))


Part = tuple[str, Selection | None, Sequence[CountedIncident]]


def _list_parts(every: Sequence[CountedIncident], chosen: Selection, by: Grouping, now: datetime) -> list[Part]:
    if by in (Grouping.MONTH, Grouping.QUARTER):
        periods = chosen.period.divide(1 if by is Grouping.MONTH else 3, now)
        return [
            (period.describe(now), replace(chosen, period=period), [one for one in every if _is_within(one, period)])
            for period in periods
        ]
    if by is Grouping.SEVERITY:
        levels = _group(every, lambda one: (one.incident.severity_name or "none",))
        return [
            (name, replace(chosen, severity=int(name[3:])) if name != "none" else None, some)
            for name, some in sorted(levels.items(), key=lambda pair: (pair[0] == "none", pair[0]))
        ]
    is_service = by is Grouping.SERVICE
    found = _group(every, lambda one: one.services if is_service else one.tags)
    parts: list[Part] = [
        (name, replace(chosen, service=name) if is_service else replace(chosen, tag=name), some)
        for name, some in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0].casefold()))
    ]
    rest = [one for one in every if not (one.services if is_service else one.tags)]
    return [*parts, *([(f"no {by}", None, rest)] if rest else [])]


def _is_within(one: CountedIncident, period: Period) -> bool:
    return one.incident.resolved_at is not None and period.since <= one.incident.resolved_at < period.until
