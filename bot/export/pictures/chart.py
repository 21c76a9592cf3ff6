"""What every lane of the timeline's picture is drawn with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.export.pictures.phases import covered
from bot.export.pictures.scale import Scale, Span, fitted, quiet_spans
from bot.export.pictures.sheet import WIDTH, Sheet
from bot.export.times import clock
from bot.incident.document import Document
from bot.incident.records import Milestone

LEFT = 66.0
"""Units: names of lanes stand before it, the axis begins at it."""
RIGHT = WIDTH - 26
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
"""Months as they are shown, whatever the machine's language."""
_WITH_YEAR = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Lane:
    """A strip across the picture: its name, its height, and what draws it below a given y.

    `marks_at` is where it has its marks, in units below its top.
    """

    name: str
    height: float
    draw: Callable[[float], None]
    marks_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A document on its way to a picture. What a lane has to explain goes to `notes`."""

    document: Document
    quiet: tuple[Span, ...]
    scale: Scale
    sheet: Sheet
    notes: list[str] = field(default_factory=list)

    @property
    def spans_days(self) -> bool:
        """Whether a clock time alone would mislead."""
        stretches = self.scale.stretches
        return self.document.spans_days or stretches[0].start.date() != stretches[-1].end.date()

    def when(self, moment: datetime) -> str:
        """A moment in a label: `13:40`, `23 Nov 13:40`, or `2026-11-23` where it is about years."""
        if self._is_long:
            return self.day(moment)
        return f"{self.day(moment)} {clock(moment)}" if self.spans_days else clock(moment)

    def day(self, moment: datetime) -> str:
        """A day in a label."""
        return moment.date().isoformat() if self._is_long else f"{moment.day} {MONTHS[moment.month - 1]}"

    @property
    def _is_long(self) -> bool:
        stretches = self.scale.stretches
        return stretches[-1].end - stretches[0].start > _WITH_YEAR

    @property
    def poles(self) -> tuple[tuple[Milestone, datetime, bool], ...]:
        """The milestones that were reached, in the order of time, each with whether its time is approximate."""
        reached = [
            (mark.milestone, mark.at, bool(mark.line and mark.line.approximate))
            for mark in self.document.marks
            if mark.at
        ]
        return tuple(sorted(reached, key=lambda pole: pole[1]))


def chart(document: Document) -> Chart:
    """The chart of a document that has a timeline."""
    spans = covered(document)
    return Chart(document, quiet_spans(spans), fitted(spans, LEFT, RIGHT), Sheet())
