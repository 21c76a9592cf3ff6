"""CSV for spreadsheets: the timeline of a document, and the figures of a period."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.domain.document import Document, TimelineLine
from bot.domain.numbers import (
    EXPECTED_MILESTONES,
    ActionFate,
    Group,
    Measure,
    Numbers,
    PostmortemFate,
    Selection,
    Share,
    Spread,
)
from bot.domain.text import format_iso

_COLUMNS = (
    "number", "happened_at", "ended_at", "approximate", "text",
    "milestone", "kind", "author", "recorder", "recorded_at",
)  # fmt: skip
# A spreadsheet runs a cell that begins with one of these as a formula; behind an apostrophe it is shown as text (OWASP,
# "CSV Injection"). The last four are full-width forms.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(document: Document) -> bytes:
    """A header row and a row for each entry (RFC 4180, every cell quoted, UTF-8, times ISO 8601 in UTC)."""
    return _write(_COLUMNS, (_make_row(line) for line in document.timeline))


def _write(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows(rows)
    return written.getvalue().encode()


def _make_row(line: TimelineLine) -> tuple[str, ...]:
    return (
        str(line.number),
        format_iso(line.happened_at),
        format_iso(line.ended_at) if line.ended_at else "",
        "yes" if line.approximate else "no",
        _defuse(line.text),
        line.milestone.value if line.milestone else "",
        line.kind.value,
        _defuse(line.author.name),
        _defuse(line.recorder.name),
        format_iso(line.recorded_at),
    )


def _defuse(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def write_numbers(groups: Sequence[Group]) -> bytes:
    """A header row and a row for each part of what was counted, with the incidents behind it (docs/numbers.md)."""
    rows = [
        {"part": _defuse(group.name), **_describe_part(group.selection), **_figures(group.numbers)} for group in groups
    ]
    columns = tuple(rows[0]) if rows else ("part",)
    return _write(columns, (tuple(row[column] for column in columns) for row in rows))


def _describe_part(part: Selection | None) -> dict[str, str]:
    return {
        "since": format_iso(part.period.since) if part else "",
        "until": format_iso(part.period.until) if part else "",
        "severity": str(part.severity or "") if part else "",
        "service": _defuse(part.service) if part else "",
        "tag": _defuse(part.tag) if part else "",
    }


def _figures(numbers: Numbers) -> dict[str, str]:
    fates, actions = PostmortemFate, numbers.actions
    figures = {
        "incidents": str(numbers.count("all")),
        **_share("published_within_48h", numbers.in_two_days),
        **_share("published_within_week", numbers.in_a_week),
        "published_later": str(numbers.count(fates.LATER)),
        "unpublished": str(numbers.count(fates.OPEN)),
        "waived": str(numbers.count(fates.WAIVED)),
        "not_asked": str(numbers.count(fates.NOT_ASKED)),
        **_share("actions_in_time", numbers.actions_in_time),
        **{f"actions_{fate}": str(actions[fate]) for fate in ActionFate if fate is not ActionFate.IN_TIME},
        **_spread("open_action_days", numbers.ages, timedelta(days=1)),
    }
    for measure in Measure:
        figures |= _spread(f"{measure}_minutes", numbers.times[measure], timedelta(minutes=1))
    figures |= {f"no_{one}": str(numbers.count(f"no_{one}")) for one in EXPECTED_MILESTONES}
    causes = "; ".join(" ".join(f"INC-{number}" for number in cause.numbers) for cause in numbers.causes)
    return figures | {"same_cause": causes, "keys": " ".join(one.incident.key for one in numbers.incidents)}


def _share(name: str, share: Share) -> dict[str, str]:
    return {name: str(share.count), f"{name}_of": str(share.of)}


def _spread(name: str, spread: Spread, unit: timedelta) -> dict[str, str]:
    """Count, lower quartile, median and upper quartile, with one decimal; empty where there is none."""
    low, high = spread.quartiles or (None, None)
    values = {"q1": low, "median": spread.median, "q3": high}
    written = {f"{name}_{part}": f"{value / unit:.1f}" if value is not None else "" for part, value in values.items()}
    return {f"{name}_n": str(spread.count), **written}
