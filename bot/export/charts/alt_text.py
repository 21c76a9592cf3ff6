"""The alternative texts of the charts."""

from datetime import datetime

from bot.domain.document import Document, Mark, WhyStep
from bot.domain.incident import SAID
from bot.domain.text import shorten, strip_code_marks, to_one_line
from bot.export.charts import scale as scale_chart
from bot.export.charts.scale import find_longest_silence, find_phases, find_severities, list_spans
from bot.export.markdown import format_clock, format_duration, format_range

_LONGEST_WHY = 160
_MOST_NAMED = 5


def describe_timeline(document: Document) -> str:
    """What the picture of the timeline shows, in plain sentences; empty where there is no picture."""
    if not document.timeline:
        return ""
    shown = list_spans(document)
    first, last = shown[0].start, max(each.end for each in shown)
    with_date = first.date() != last.date()
    reached = [_describe_milestone(mark, mark.at, with_date=with_date) for mark in document.marks if mark.at]
    lasted = [f"{phase.label.lower()} took {format_duration(phase.span.length)}" for phase in find_phases(document)]
    severe = [
        f"sev{each.level} from {_format_time(each.span.start, with_date=with_date)}"
        for each in find_severities(document, last)
    ]
    silence = find_longest_silence(document)
    count = scale_chart.count_entries(len(document.timeline))
    return " ".join(
        [
            f"Timeline of {document.key}, {format_range(first, last)}, {count}.",
            *_make_sentence("", reached),
            *_make_sentence("Phases: ", lasted),
            *_make_sentence("Severity: ", severe[:_MOST_NAMED]),
            *_make_sentence(
                "",
                [f"The longest silence lasted {format_duration(silence.length)}, {format_range(*silence)}"]
                if silence
                else [],
            ),
        ]
    )


def _describe_milestone(mark: Mark, at: datetime, *, with_date: bool) -> str:
    about = "about " if mark.line and mark.line.approximate else ""
    return f"{SAID[mark.milestone].lower()} {about}{_format_time(at, with_date=with_date)}"


def _format_time(moment: datetime, *, with_date: bool) -> str:
    return f"{moment.date().isoformat()} {format_clock(moment)}" if with_date else format_clock(moment)


def _make_sentence(opening: str, told: list[str]) -> list[str]:
    """One sentence, or none."""
    said = opening + ", ".join(told)
    return [f"{said[0].upper()}{said[1:]}."] if told else []


def describe_whys(document: Document) -> str:
    """What the picture of the whys shows, in plain sentences; empty where there is no picture."""
    if not document.whys:
        return ""
    count, branches = len(document.whys), sum(step.is_branch for step in document.whys)
    tree = f"The whys of {document.key} as a tree: {count:,} {'answer' if count == 1 else 'answers'}"
    if branches:
        tree += f", {branches:,} {'branch' if branches == 1 else 'branches'}"
    named = document.roots[:_MOST_NAMED]
    more = len(document.roots) - len(named)
    return " ".join(
        [
            f"{tree}.",
            f"It begins with why {_quote(document.whys[0])}.",
            *(f"Root cause: why {_quote(step)}." for step in named),
            *([f"{more:,} more root causes."] if more else []),
        ]
    )


def _quote(step: WhyStep) -> str:
    return f"{step.number}, “{shorten(to_one_line(strip_code_marks(step.text)), _LONGEST_WHY)}”"
