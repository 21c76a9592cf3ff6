"""The time axis of the chart, its cuts and ticks, and the phases and severities on it. All times are UTC.

The axis is true to scale. Long quiet spans that would squeeze everything else are cut out and labelled with their
length.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

from bot.domain.checks import LONGEST_GAP
from bot.domain.document import Document, TimelineLine
from bot.domain.records import EntryKind, Milestone
from bot.export.charts.svg import LETTERS, text_width

PAD = 8.0
"""Free units at both ends of a stretch, so that a mark at its first moment does not touch the cut."""
# Units between ticks: a date and a time side by side.
TICK_ROOM = 62.0
_MOST_CUTS = 9
_MOST_CUTS_IF_NARROW = 2
_NARROW = 500.0  # units: an axis that is shorter
_CROWDED = 4.0  # units: with half of all neighbours nearer than this, marks cannot be told apart
_MIN_CUT = timedelta(hours=2)  # what may be cut
_LEAST_SHARE = 0.2  # of the axis, which must remain for the stretches
_SIMILAR_SHARE = 0.75  # a silence that lasts this share of another
_MIN_GAIN = 1.5  # what cutting must gain at least
_MIN_AXIS = timedelta(minutes=10)  # the whole axis: less would blow minutes up to nothing but white
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_STEPS = (
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)),
    *(_DAY * days for days in (1, 2, 7, 14, 28, 91, 182, 364, 1_820, 3_640, 18_200, 91_000, 364_000, 910_000)),
)


class TimeSpan(NamedTuple):
    """From one moment to another, or to the same."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Never negative: a span that ends before it begins has no length."""
        return max(self.end - self.start, timedelta(0))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis without a cut: its first and last moment, and where they are."""

    start: datetime
    end: datetime
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark below the axis. `opens_day`: its label needs the date."""

    at: datetime
    x: float
    opens_day: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: its stretches in order; between two of them it is cut. `per_second` is in units."""

    stretches: tuple[Stretch, ...]
    per_second: float

    def x(self, moment: datetime) -> float:
        """The place of a moment, always on the axis. A later moment is never further left."""
        index = max(bisect_right(self.stretches, moment, key=lambda stretch: stretch.start) - 1, 0)
        return self._place(index, moment)

    def places(self, moments: Iterable[datetime]) -> Iterator[float]:
        """The place of each moment. They must be in order, so that none has to be looked for."""
        index, last = 0, len(self.stretches) - 1
        for moment in moments:
            while index < last and self.stretches[index + 1].start <= moment:
                index += 1
            yield self._place(index, moment)

    def _place(self, index: int, moment: datetime) -> float:
        here = self.stretches[index]
        if moment <= here.end:
            return here.left + max((moment - here.start).total_seconds(), 0) * self.per_second
        if index + 1 == len(self.stretches):
            return here.right
        after = self.stretches[index + 1]
        # Within a cut, too, a later moment is further right: marks never change their order.
        share = (moment - here.end) / (after.start - here.end)
        return here.right + share * (after.left - here.right)

    @property
    def cuts(self) -> tuple[Stretch, ...]:
        """The parts that are left out: their moments and places."""
        return tuple(
            Stretch(before.end, after.start, before.right, after.left) for before, after in pairwise(self.stretches)
        )

    def is_cut(self, span: TimeSpan) -> bool:
        """Whether exactly this span is left out."""
        return any((cut.start, cut.end) == (span.start, span.end) for cut in self.cuts)

    def ticks(self) -> tuple[Tick, ...]:
        """Marks at round times, far enough apart for labels. A stretch without any gets one at its beginning."""
        step = next((step for step in _STEPS if step * self.per_second >= TICK_ROOM), _STEPS[-1])
        ticks: list[Tick] = []
        for stretch in self.stretches:
            moments = tuple(_list_round_times(stretch, step)) or (stretch.start,)
            days = [None, *(moment.date() for moment in moments)]
            ticks += [
                Tick(moment, self.x(moment), opens_day=before != moment.date())
                for before, moment in zip(days, moments, strict=False)
            ]
        return tuple(ticks)

    @property
    def shows_days_only(self) -> bool:
        """Whether the ticks are whole days apart."""
        return TICK_ROOM / self.per_second > _DAY / 2


def find_quiet_spans(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Spans of more than `LONGEST_GAP` without a record, in order. `spans` are ordered by their start."""
    quiet: list[TimeSpan] = []
    until: datetime | None = None
    for span in spans:
        if until is not None and span.start - until > LONGEST_GAP:
            quiet.append(TimeSpan(until, span.start))
        until = max(until or span.start, span.end)
    return tuple(quiet)


def fit_scale(spans: Sequence[TimeSpan], left: float, right: float) -> Scale:
    """The axis for these spans (at least one, ordered by their start) between two places."""
    first, last = spans[0].start, max(max(span.start, span.end) for span in spans)
    if last - first < _MIN_AXIS:
        margin = (_MIN_AXIS - (last - first)) / 2
        # Python's calendar has a first and a last moment, and an imported record may be at either.
        wider = TimeSpan(first - min(margin, first - _FIRST), last + min(margin, _LAST - last))
        return _make_scale((wider,), left, right)
    whole = TimeSpan(first, last)
    long = [span for span in find_quiet_spans(spans) if span.length >= _MIN_CUT]
    most = _MOST_CUTS if right - left >= _NARROW else _MOST_CUTS_IF_NARROW
    longest = sorted(long, key=lambda span: span.length, reverse=True)[:most]
    choices = [_make_scale(tuple(_cut_out(whole, longest[:count])), left, right) for count in _list_cut_counts(longest)]
    distance = _median_distance(spans)
    roomy = next((axis for axis in choices if axis.per_second * distance >= _CROWDED), None)
    best = roomy or max(choices, key=lambda axis: axis.per_second)
    # A cut costs the reader a thought; one that gains little is not worth it.
    return best if best.per_second >= choices[0].per_second * _MIN_GAIN else choices[0]


def _list_cut_counts(longest: Sequence[TimeSpan]) -> Iterator[int]:
    """How many of the longest may be cut. Silences of similar length are cut together or not at all."""
    yield 0
    for count, (span, shorter) in enumerate(pairwise(longest), 1):
        if shorter.length < span.length * _SIMILAR_SHARE:
            yield count
    if longest:
        yield len(longest)


def _median_distance(spans: Sequence[TimeSpan]) -> float:
    """Seconds between neighbours, in the middle: half of them are nearer."""
    apart = [(after.start - before.start).total_seconds() for before, after in pairwise(spans)]
    return median_low([seconds for seconds in apart if seconds > 0] or [0.0])


def _cut_out(whole: TimeSpan, cuts: Iterable[TimeSpan]) -> Iterator[TimeSpan]:
    start = whole.start
    for cut in sorted(cuts):
        yield TimeSpan(start, cut.start)
        start = cut.end
    yield TimeSpan(start, whole.end)


def _make_scale(spans: tuple[TimeSpan, ...], left: float, right: float) -> Scale:
    cuts = [_cut_width(after.start - before.end) for before, after in pairwise(spans)]
    room = max(right - left - 2 * PAD * len(spans) - sum(cuts), 0.0)
    seconds = sum(span.length.total_seconds() for span in spans)
    # Then the labels of the cuts would take the whole axis: this choice counts as impossible.
    if cuts and room < _LEAST_SHARE * (right - left):
        room = 0.0
    most = room / _MIN_AXIS.total_seconds()
    per_second = min(room / seconds, most) if seconds else most
    spare = (room - seconds * per_second) / max(len(cuts), 1)
    stretches: list[Stretch] = []
    at = left
    for span, cut in zip(spans, [*cuts, 0.0], strict=True):
        end = at + PAD + span.length.total_seconds() * per_second
        stretches.append(Stretch(span.start, span.end, at + PAD, end))
        at = end + PAD + cut + spare
    return Scale(tuple(stretches), per_second)


def _cut_width(length: timedelta) -> float:
    return max(text_width(format_roughly(length), LETTERS) + 10, 28.0)


def _list_round_times(stretch: Stretch, step: int) -> Iterator[datetime]:
    each = timedelta(seconds=step)
    for count in range(-((_EPOCH - stretch.start) // each), (stretch.end - _EPOCH) // each + 1):
        yield _EPOCH + count * each


def format_roughly(length: timedelta) -> str:
    """A length for a label: `43 min`, `2 h 5 min`, `24 h`, `3 d 2 h`, `17 d`."""
    minutes = int(length.total_seconds()) // 60
    hours, days = round(minutes / 60), minutes // 1_440
    if minutes < 60:
        return f"{minutes} min" if minutes else "<1 min"
    if minutes < 600:
        return " ".join(f"{count} {unit}" for count, unit in ((minutes // 60, "h"), (minutes % 60, "min")) if count)
    if hours < 48:
        return f"{hours} h"
    hours = minutes // 60 % 24
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"


PHASES = "Phases"
SEVERITY = "Severity"
ENTRIES = "Entries"
RANGES = "Ranges"

DETECT = "Detect"
RESPOND = "Respond"
RECOVER = "Recover"
RESPOND_AND_RECOVER = "Respond and recover"

QUIET = "Nothing is recorded for {length}, {when}"
CUT = "Left out: {length} in which nothing is recorded, {when}"
ROOT = "{number} · Root cause"

NOTE_QUIET = "Grey: nothing is recorded for more than 30 min."
NOTE_APPROXIMATE = "Hollow, dashed or ~: the time is approximate."
NOTE_CUT = "Jagged: the axis is cut for the length told; the rest keeps one scale."
NOTE_COLUMNS = "Each column counts the entries of {length}; the highest holds {most:,}."
NOTE_RANGES = "Ranges that are not drawn for want of room: {count:,}."
NOTE_WHYS = "Not drawn for want of room: {count:,} more."


def count_entries(count: int) -> str:
    """`1 entry`, `1,200 entries`."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


_SEVERITY = re.compile(r"\bsev([1-4])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phase:
    """The time between two milestones. `ground` is the tint that it is drawn in."""

    label: str
    ground: str
    tone: str
    span: TimeSpan


@dataclass(frozen=True, slots=True)
class SeveritySpan:
    """A severity, 1 (worst) to 4, and for how long it was set."""

    level: int
    span: TimeSpan


def find_phases(document: Document) -> Iterator[Phase]:
    """The phases whose two milestones are known, in this order.

    Without a mitigation, responding and recovering are one phase.
    """
    at = {mark.milestone: mark.at for mark in document.marks}
    impact, detected = at[Milestone.IMPACT_STARTED], at[Milestone.DETECTED]
    mitigated, resolved = at[Milestone.MITIGATED], at[Milestone.RESOLVED]
    phases: list[tuple[str, str, str, datetime | None, datetime | None]] = [
        (DETECT, "pale-red", "red", impact, detected)
    ]
    if mitigated:
        phases.append((RESPOND, "pale-blue", "blue", detected, mitigated))
        phases.append((RECOVER, "pale-green", "green", mitigated, resolved))
    else:
        phases.append((RESPOND_AND_RECOVER, "pale-blue", "blue", detected, resolved))
    for label, ground, tone, start, end in phases:
        if start and end and end > start:
            yield Phase(label, ground, tone, TimeSpan(start, end))


def list_spans(document: Document) -> tuple[TimeSpan, ...]:
    """The spans that the chart shows, by start: entries with their ranges, and milestones without an entry."""
    spans = [TimeSpan(line.happened_at, end_of_entry(line)) for line in document.timeline]
    spans += [TimeSpan(mark.at, mark.at) for mark in document.marks if mark.at and not mark.line]
    return tuple(sorted(spans))


def end_of_entry(line: TimelineLine) -> datetime:
    """The end of an entry: its start, unless a later end is recorded."""
    ended = line.ended_at
    return ended if ended and ended > line.happened_at else line.happened_at


def find_severities(document: Document, end: datetime) -> tuple[SeveritySpan, ...]:
    """The severity from one change to the next. Without a change it is the incident's own, from its start.

    The last one lasts until the incident was resolved, else until `end`.
    """
    changes: list[tuple[datetime, int]] = []
    first = document.started_at or document.timeline[0].happened_at
    severity = EntryKind.SEVERITY  # found once, since Python 3.11 takes long to find a member of an enum
    for line in document.timeline:
        levels = _SEVERITY.findall(line.text) if line.kind is severity else []
        if len(levels) > 1 and not changes:  # "from sev2 to sev1": what it was before the first change
            changes.append((first, int(levels[0])))
        if levels:
            changes.append((line.happened_at, int(levels[-1])))
    if not changes and document.severity:
        changes.append((first, int(document.severity.removeprefix("sev"))))
    over = document.resolved_at
    last = over if over and changes and over > changes[-1][0] else end
    ends = [*(start for start, _ in changes), last][1:]
    return tuple(
        SeveritySpan(level, TimeSpan(start, stop))
        for (start, level), stop in zip(changes, ends, strict=True)
        if stop > start
    )


def find_longest_silence(spans: Iterable[TimeSpan]) -> TimeSpan | None:
    """The longest quiet span, if there is any. `spans` are ordered by their start."""
    return max(find_quiet_spans(spans), key=lambda span: span.length, default=None)
