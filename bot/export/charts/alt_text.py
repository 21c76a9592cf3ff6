"""What the pictures say, in words: for those who do not see them."""

from datetime import datetime

from bot.domain.document import Document, Mark, WhyStep
from bot.domain.incident import SAID
from bot.domain.text import shorten, strip_code_marks, to_one_line
from bot.export.charts import scale as scale_chart
from bot.export.charts.scale import covered, longest_silence, phases, severities
from bot.export.markdown import clock, span, stamp

_LONGEST_WHY = 160
_MOST_NAMED = 5


def timeline_alternative(document: Document) -> str:
    """What the picture of the timeline shows, in plain sentences; empty where there is no picture."""
    if not document.timeline:
        return ""
    shown = covered(document)
    first, last = shown[0].start, max(each.end for each in shown)
    with_date = first.date() != last.date()
    reached = [_reached(mark, mark.at, with_date=with_date) for mark in document.marks if mark.at]
    lasted = [f"{phase.label.lower()} took {span(phase.span.length)}" for phase in phases(document)]
    severe = [
        f"sev{each.level} from {_when(each.span.start, with_date=with_date)}" for each in severities(document, last)
    ]
    silence = longest_silence(document)
    return " ".join(
        [
            f"Timeline of {document.key}, {stamp(first, last)}, {scale_chart.entries(len(document.timeline))}.",
            *_sentence("", reached),
            *_sentence("Phases: ", lasted),
            *_sentence("Severity: ", severe[:_MOST_NAMED]),
            *_sentence(
                "", [f"The longest silence lasted {span(silence.length)}, {stamp(*silence)}"] if silence else []
            ),
        ]
    )


def _reached(mark: Mark, at: datetime, *, with_date: bool) -> str:
    about = "about " if mark.line and mark.line.approximate else ""
    return f"{SAID[mark.milestone].lower()} {about}{_when(at, with_date=with_date)}"


def _when(moment: datetime, *, with_date: bool) -> str:
    return f"{moment.date().isoformat()} {clock(moment)}" if with_date else clock(moment)


def _sentence(opening: str, told: list[str]) -> list[str]:
    """One sentence, or none."""
    said = opening + ", ".join(told)
    return [f"{said[0].upper()}{said[1:]}."] if told else []


def whys_alternative(document: Document) -> str:
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
            f"It begins with why {_quoted(document.whys[0])}.",
            *(f"Root cause: why {_quoted(step)}." for step in named),
            *([f"{more:,} more root causes."] if more else []),
        ]
    )


def _quoted(step: WhyStep) -> str:
    return f"{step.number}, “{shorten(to_one_line(strip_code_marks(step.text)), _LONGEST_WHY)}”"
