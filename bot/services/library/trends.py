"""The library's page of numbers: figures, charts with a table behind each, and the incidents behind every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from bot.domain.facets import LONGEST
from bot.domain.incident import MILESTONE_TEXTS
from bot.domain.numbers import (
    EXPECTED_MILESTONES,
    ActionFate,
    CountedIncident,
    Group,
    Grouping,
    Measure,
    Numbers,
    PostmortemFate,
    Selection,
    Share,
    Spread,
    judge_action,
    judge_postmortem,
    measure_times,
    read_period,
)
from bot.domain.records import ActionStatus
from bot.domain.text import format_age, format_count, format_day, format_duration
from bot.errors import Refused
from bot.export.charts.numbers import MOST_ROWS, BarPart, BarRow, DotRow, draw_bars, draw_dots
from bot.export.charts.svg import Caption, ChartImage, drop_style
from bot.services.library import pages as pages_service
from bot.services.library.numbers import Comparison
from bot.services.library.pages import Site

LISTED = 100
"""Incidents behind a figure that are listed."""
MOST_PARTS = 60
"""Parts that the tables have; the CSV has all. Those of a period are fewer."""
_PERIODS = ("", "month", "last month", "quarter", "last quarter", "year", "last year")
_SEVERITIES = (("", "Any"), ("1", "SEV1"), ("2", "SEV2"), ("3", "SEV3"), ("4", "SEV4"))

POSTMORTEMS = {
    PostmortemFate.TWO_DAYS: ("Within 48 hours", "green"),
    PostmortemFate.WEEK: ("Within a week", "blue"),
    PostmortemFate.LATER: ("Later", "amber"),
    PostmortemFate.OPEN: ("Not published", "quiet"),
}
ACTIONS = {
    ActionFate.IN_TIME: ("Done by their date", "green"),
    ActionFate.LATE: ("Done late", "amber"),
    ActionFate.OVERDUE: ("Overdue", "red"),
    ActionFate.COMING: ("Not due yet", "pale-blue"),
    ActionFate.UNDATED: ("No date", "quiet"),
}
TIMES = {
    Measure.DETECT: "From impact to detection",
    Measure.MITIGATE: "From impact to mitigation",
    Measure.RESOLVE: "From impact to the end",
}
_FIGURES: Mapping[str, str] = {
    "all": "Resolved incidents",
    PostmortemFate.TWO_DAYS: "Postmortem published within 48 hours",
    PostmortemFate.WEEK: "Postmortem published after 48 hours, within a week",
    "in_a_week": "Postmortem published within a week",
    PostmortemFate.LATER: "Postmortem published after more than a week",
    PostmortemFate.OPEN: "Postmortem not published",
    PostmortemFate.WAIVED: "Postmortem waived",
    PostmortemFate.NOT_ASKED: "No postmortem asked for",
    **{str(fate): f"With actions: {name.lower()}" for fate, (name, _) in ACTIONS.items()},
    ActionFate.DROPPED: "With actions that were dropped",
    "open_actions": "With open actions",
    "repeats": "With a cause that came back",
    **{str(measure): name for measure, name in TIMES.items()},
    **{f"no_{one}": f"Without the milestone “{MILESTONE_TEXTS[one]}”" for one in EXPECTED_MILESTONES},
}
"""The figures that lead to the incidents behind them, with the heading of that list."""


@dataclass(frozen=True, slots=True)
class TrendsQuery:
    """What an address of the page asks for: which incidents, in which parts, and the figure to look behind."""

    chosen: Selection
    by: Grouping = Grouping.MONTH
    show: str = ""

    def address(self, site: Site, part: Selection | None = None, show: str = "") -> str:
        """The page of a part of it, or of the incidents behind a figure; empty for no part."""
        chosen = part or self.chosen
        values = {"period": chosen.period.name, **chosen.filters, "by": str(self.by), "show": show}
        query = urlencode([(name, value) for name, value in values.items() if value])
        return f"{site.trends}?{query}{'#behind' if show else ''}"


def parse_query(values: Mapping[str, str], now: datetime) -> TrendsQuery:
    """What an address asks for. What cannot be read is left out, so that an old or mistyped link still shows a page."""
    try:
        period = read_period(values.get("period", "")[:40], now)
    except Refused:
        period = read_period("", now)
    severity = values.get("severity", "").strip().lower().removeprefix("sev")
    service, tag = (" ".join(values.get(name, "").split())[:LONGEST] for name in ("service", "tag"))
    by, show = values.get("by", ""), values.get("show", "")
    return TrendsQuery(
        Selection(period, int(severity) if severity in ("1", "2", "3", "4") else None, service, tag),
        Grouping(by) if by in list(map(str, Grouping)) else Grouping.MONTH,
        show if show in _FIGURES else "",
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and where it leads; nowhere if nothing is behind it. `note` is what stands below it in small letters."""

    text: str
    address: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of a chart: the names of columns, and a row for each part with its name first."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart for a wide and for a narrow page. Both are ours, and safe."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart under its heading with the table behind it; `notes` are plain sentences."""

    id: str
    title: str
    picture: Picture | None
    table: Table
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BehindRow:
    """An incident behind a figure, with what was counted of it, in plain words."""

    key: str
    title: str
    severity: str
    facts: tuple[str, ...]


def draw_trends(site: Site, query: TrendsQuery, found: Comparison, now: datetime) -> str:
    """The page."""
    whole, *every = found.groups
    parts = every[:MOST_PARTS]
    behind = whole.numbers.behind.get(query.show, ()) if query.show else ()
    chosen = query.chosen
    return pages_service.draw(
        "library_trends.html.j2",
        site,
        place="trends",
        query=query,
        period=chosen.period.describe(now),
        periods=_list_periods(chosen, now),
        severities=_SEVERITIES,
        groupings=[(str(by), str(by).capitalize()) for by in Grouping],
        count=whole.numbers.count("all"),
        is_cut=found.is_cut,
        left_out=len(every) - len(parts),
        tiles=_list_tiles(site, query, whole.numbers),
        panels=_list_panels(site, query, whole, parts) if whole.numbers.count("all") else (),
        returns=_list_returns(site, query, whole.numbers),
        show=_FIGURES.get(query.show, ""),
        behind=[describe_row(one, now) for one in behind[:LISTED]],
        behind_count=len(behind),
        csv=query.address(site).replace("?", ".csv?", 1),
        everything=query.address(site),
    )


def _list_periods(chosen: Selection, now: datetime) -> list[tuple[str, str]]:
    known = {read_period(word, now): "" for word in _PERIODS} | {chosen.period: ""}
    return [(period.name, period.describe(now)) for period in sorted(known, key=lambda one: (one.last, one.first))]


def _list_tiles(site: Site, query: TrendsQuery, numbers: Numbers) -> list[tuple[str, Cell]]:
    """The figures at the top: what was in time, and what is still open."""
    ages = numbers.ages
    note = f"half for over {format_age(ages.median)}" if ages.quartiles and ages.median else ""
    return [
        ("Published within 48 hours", _share(site, query, numbers.in_two_days, PostmortemFate.TWO_DAYS)),
        ("Published within a week", _share(site, query, numbers.in_a_week, "in_a_week")),
        ("Actions done by their date", _share(site, query, numbers.actions_in_time, ActionFate.IN_TIME)),
        ("Actions still open", replace(_cell(site, query, str(ages.count), "open_actions", ages.count), note=note)),
    ]


def _share(site: Site, query: TrendsQuery, share: Share, show: str) -> Cell:
    return _cell(site, query, f"{share.count} of {share.of}" if share.of else "None due yet", show, share.of)


def _cell(site: Site, query: TrendsQuery, text: str, show: str, count: int) -> Cell:
    return Cell(text, query.address(site, show=show) if count else "")


def _list_panels(site: Site, query: TrendsQuery, whole: Group, parts: Sequence[Group]) -> tuple[Panel, ...]:
    return (
        _make_bar_panel(site, query, parts, "postmortems", "Postmortems, by when they were published", POSTMORTEMS),
        _make_bar_panel(site, query, parts, "actions", "Actions, by what became of them", ACTIONS),
        _make_age_panel(site, query, parts),
        _make_time_panel(site, query, parts),
        _make_milestone_panel(site, query, whole, parts),
    )


_Names = Mapping[PostmortemFate, tuple[str, str]] | Mapping[ActionFate, tuple[str, str]]


def _make_bar_panel(
    site: Site, query: TrendsQuery, parts: Sequence[Group], id_: str, title: str, names: _Names
) -> Panel:
    rows = [
        BarRow(
            part.name, tuple(BarPart(name, tone, _count(part.numbers, fate)) for fate, (name, tone) in names.items())
        )
        for part in _choose_parts(query, parts)
    ]
    cells = tuple(
        (part.name, tuple(_link(site, query, part, str(fate), _count(part.numbers, fate)) for fate in names))
        for part in parts
    )
    caption = Caption(f"trends-{id_}", title, _describe_bars(rows))
    table = Table(title, tuple(name for name, _ in names.values()), cells)
    return Panel(id_, title, _make_picture(draw_bars(caption, rows)), table, _note_cut(parts))


def _count(numbers: Numbers, fate: PostmortemFate | ActionFate) -> int:
    return numbers.actions[fate] if isinstance(fate, ActionFate) else numbers.count(fate)


def _choose_parts(query: TrendsQuery, parts: Sequence[Group], most: int = MOST_ROWS) -> Sequence[Group]:
    """The parts that a chart shows: of time the latest, of anything else the most frequent."""
    return parts[-most:] if query.by in (Grouping.MONTH, Grouping.QUARTER) else parts[:most]


def _note_cut(parts: Sequence[Group], most: int = MOST_ROWS) -> tuple[str, ...]:
    return (f"The chart shows {most} of {len(parts)}; the table has more.",) if len(parts) > most else ()


def _describe_bars(rows: Sequence[BarRow]) -> str:
    sentences = (
        f"{row.name}: " + ", ".join(f"{part.count} {part.name.lower()}" for part in row.parts if part.count) + "."
        for row in rows
        if row.count
    )
    return " ".join(sentences) or "Nothing to count."


def _link(site: Site, query: TrendsQuery, part: Group, show: str, count: int) -> Cell:
    is_linked = bool(count) and part.selection is not None
    return Cell(f"{count:,}", query.address(site, part.selection, show) if is_linked else "")


def _make_age_panel(site: Site, query: TrendsQuery, parts: Sequence[Group]) -> Panel:
    title = "How old the open actions are"
    spreads = [(part, part.numbers.ages) for part in parts]
    chart = draw_dots(
        Caption("trends-ages", title, _describe_spreads([(part.name, spread) for part, spread in spreads])),
        [DotRow(part.name, part.numbers.ages) for part in _choose_parts(query, parts)],
        "one open action",
    )
    rows = tuple((part.name, _spread_cells(site, query, part, spread, "open_actions")) for part, spread in spreads)
    return Panel("ages", title, _make_picture(chart), Table(title, _SPREAD_COLUMNS, rows), _note_cut(parts))


def _make_time_panel(site: Site, query: TrendsQuery, parts: Sequence[Group]) -> Panel:
    title = "How long it took"
    spreads = [(measure, part, part.numbers.times[measure]) for measure in Measure for part in parts]
    listed = _choose_parts(query, parts, MOST_ROWS // 2)
    chart = draw_dots(
        Caption("trends-times", title, _describe_spreads([(f"{TIMES[one]}, {p.name}", s) for one, p, s in spreads])),
        [
            DotRow(part.name, part.numbers.times[measure], TIMES[measure] if part is listed[0] else "")
            for measure in Measure
            for part in listed
        ],
        "one incident",
    )
    rows = tuple(
        (f"{TIMES[measure]}, {part.name}", _spread_cells(site, query, part, spread, str(measure)))
        for measure, part, spread in spreads
    )
    notes = (
        *_note_cut(parts, MOST_ROWS // 2),
        _TIMES_NOTE,
    )
    return Panel("times", title, _make_picture(chart), Table(title, _SPREAD_COLUMNS, rows), notes)


_TIMES_NOTE = "Only incidents with both milestones count. Each step of the axis is several times the one before."
_SPREAD_COLUMNS = ("Incidents or actions", "Shortest", "A quarter below", "Median", "A quarter above", "Longest")


def _spread_cells(site: Site, query: TrendsQuery, part: Group, spread: Spread, show: str) -> tuple[Cell, ...]:
    low, high = spread.quartiles or (None, None)
    ends = (spread.values[0], spread.values[-1]) if spread.values else (None, None)
    lengths = (ends[0], low, spread.median, high, ends[1])
    return (_link(site, query, part, show, spread.count), *(Cell(_format_length(one)) for one in lengths))


def _format_length(length: timedelta | None) -> str:
    if length is None:
        return "–"
    return format_age(length) if length >= timedelta(days=7) else format_duration(length)


def _describe_spreads(spreads: Sequence[tuple[str, Spread]]) -> str:
    sentences = [
        f"{name}: median {_format_length(spread.median)}, n={spread.count}." for name, spread in spreads if spread.count
    ]
    return " ".join(sentences) or "Nothing to measure."


def _make_milestone_panel(site: Site, query: TrendsQuery, whole: Group, parts: Sequence[Group]) -> Panel:
    title, total = "Missing milestones", whole.numbers.count("all")
    names = [(MILESTONE_TEXTS[one], f"no_{one}") for one in EXPECTED_MILESTONES]
    rows = [
        BarRow(name, (BarPart("Missing", "amber", lacking), BarPart("Recorded", "quiet", total - lacking)))
        for name, figure in names
        for lacking in (whole.numbers.count(figure),)
    ]
    cells = tuple(
        (part.name, tuple(_link(site, query, part, figure, part.numbers.count(figure)) for _, figure in names))
        for part in parts
    )
    table = Table(title, tuple(name for name, _ in names), cells)
    chart = draw_bars(Caption("trends-milestones", title, _describe_bars(rows)), rows)
    return Panel("milestones", title, _make_picture(chart), table)


def _make_picture(chart: ChartImage | None) -> Picture | None:
    if chart is None:
        return None
    # Safe: drawn by our own charts, which escape every text. The page's sheet has their colours for the dark.
    wide, narrow = (Markup(drop_style(svg)) for svg in (chart.inline, chart.narrow))  # noqa: S704
    return Picture(wide, narrow)


@dataclass(frozen=True, slots=True)
class Returns:
    """What came back: services and tags with their incidents, and causes as lists of keys with their pages."""

    services: tuple[tuple[str, Cell], ...]
    tags: tuple[tuple[str, Cell], ...]
    causes: tuple[tuple[Cell, ...], ...]


def _list_returns(site: Site, query: TrendsQuery, numbers: Numbers) -> Returns:
    services, tags = (
        tuple(
            (name, Cell(format_count(len(some), "incident"), query.address(site, part, "all")))
            for name, some in numbers.list_returning(kind)
            for part in [_narrow(query.chosen, kind, name)]
        )
        for kind in ("service", "tag")
    )
    causes = tuple(
        tuple(Cell(f"INC-{number}", site.page(f"INC-{number}")) for number in cause.numbers) for cause in numbers.causes
    )
    return Returns(services, tags, causes)


def _narrow(chosen: Selection, kind: str, name: str) -> Selection:
    return replace(chosen, service=name) if kind == "service" else replace(chosen, tag=name)


def describe_row(one: CountedIncident, now: datetime) -> BehindRow:
    """What was counted of an incident."""
    incident, resolved = one.incident, one.incident.resolved_at or now
    fates = [judge_action(action, now) for action in one.actions]
    pending = sum(action.status is ActionStatus.OPEN for action in one.actions)
    facts = [f"resolved {format_day(resolved.date(), now.date())}", _describe_postmortem(one, resolved)]
    if fates:
        done, open_ = fates.count(ActionFate.IN_TIME), f", {pending} open" if pending else ""
        facts.append(f"{format_count(len(fates), 'action')}: {done} done by their date{open_}")
    facts += [f"{TIMES[measure].lower()} {format_duration(took)}" for measure, took in measure_times(one).items()]
    if lacking := [MILESTONE_TEXTS[mark] for mark in EXPECTED_MILESTONES if mark not in one.milestones]:
        facts.append(f"without {', '.join(f'“{name}”' for name in lacking)}")
    if one.repeats:
        facts.append(f"same cause as {', '.join(f'INC-{number}' for number in one.repeats)}")
    return BehindRow(incident.key, incident.title, incident.severity_name, (*facts, *one.services, *one.tags))


def _describe_postmortem(one: CountedIncident, resolved: datetime) -> str:
    fate, published = judge_postmortem(one), one.incident.published_at
    if published is not None and fate is not PostmortemFate.WAIVED:
        return f"published after {_format_length(max(published - resolved, timedelta(0)))}"
    return {PostmortemFate.WAIVED: "waived", PostmortemFate.NOT_ASKED: "no postmortem asked for"}.get(
        fate, "not published"
    )
