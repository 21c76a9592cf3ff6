"""The story that a demo plays, read from an incident file (its form is in the README), and who tells it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.domain.records import Milestone
from bot.domain.sections import BY_SLUG
from bot.errors import Misconfigured
from bot.rehearsal.screen import find_emoji

DEFAULT_AUTHOR = "Responder Demo"


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """One entry of the timeline; `at` is aware UTC."""

    at: datetime
    author: str
    text: str
    milestone: Milestone | None = None


@dataclass(frozen=True, slots=True)
class StoryWhy:
    """One answer of the five whys."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class StoryAction:
    """One corrective action."""

    text: str
    owner: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Story:
    """A whole incident, ready to be played. `people` maps names to IANA zones."""

    title: str
    severity: int | None
    channel: str
    lead: str
    people: dict[str, str]
    entries: tuple[StoryEntry, ...]
    whys: tuple[StoryWhy, ...] = ()
    actions: tuple[StoryAction, ...] = ()
    sections: dict[str, str] = field(default_factory=dict)


def shipped_story() -> Story:
    """The incident that ships with Afterword."""
    return parse_story(json.loads(resources.files("bot.rehearsal").joinpath("oversubscribed.json").read_text("utf-8")))


def read_story(path: Path) -> Story:
    """The story of an incident file. Raises Misconfigured, which says what is wrong with it."""
    try:
        return parse_story(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise Misconfigured(f"{path} isn't an incident file: {cause}. Its format is in README.md.") from error


def parse_story(content: dict[str, Any]) -> Story:
    """The story in an incident file's JSON object. Raises KeyError, TypeError or ValueError if there is none."""
    zone_name = str(content.get("zone") or "UTC")
    zone = _find_zone(zone_name)
    entries = tuple(sorted(_parse_entries(content["entries"], zone), key=lambda entry: entry.at))
    if not entries:
        raise ValueError("it has no entries")
    authors = {entry.author for entry in entries} | {
        str(why["author"]) for why in _list_objects(content, "whys") if why.get("author")
    }
    owners = {str(action["owner"]) for action in _list_objects(content, "actions") if action.get("owner")}
    people = dict.fromkeys(sorted(authors | owners), zone_name) | dict(content.get("people") or {})
    first = entries[0].author
    return Story(
        title=str(content["title"]),
        severity=_parse_severity(content.get("severity")),
        channel=str(content.get("channel") or "incident"),
        lead=str(content.get("lead") or first),
        people={name: str(place) for name, place in people.items()},
        entries=entries,
        whys=tuple(
            StoryWhy(str(why.get("author") or first), str(why["text"])) for why in _list_objects(content, "whys")
        ),
        actions=tuple(_parse_action(action, first) for action in _list_objects(content, "actions")),
        sections=_parse_sections(content.get("sections") or {}),
    )


def _parse_entries(rows: list[dict[str, Any]], zone: tzinfo) -> list[StoryEntry]:
    entries: list[StoryEntry] = []
    for entry in rows:
        before = entries[-1].at if entries else None
        milestone = Milestone(entry["milestone"]) if entry.get("milestone") else None
        author = str(entry.get("author") or DEFAULT_AUTHOR)
        entries.append(StoryEntry(_parse_time(str(entry["at"]), zone, before), author, str(entry["text"]), milestone))
    return entries


def _parse_time(text: str, zone: tzinfo, before: datetime | None) -> datetime:
    """`2026-03-10T14:20:00Z`, the same without an offset in the file's zone, or `14:20` on the last entry's day."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = before.astimezone(zone).date() if before else date(2026, 1, 5)
        moment = datetime.combine(day, time.fromisoformat(text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _list_objects(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list whose members may be plain texts."""
    return [member if isinstance(member, dict) else {"text": member} for member in content.get(name) or []]


def _parse_action(action: dict[str, Any], default_owner: str) -> StoryAction:
    due = action.get("due")
    return StoryAction(
        str(action["text"]), str(action.get("owner") or default_owner), date.fromisoformat(str(due)) if due else None
    )


def _parse_sections(texts: dict[str, Any]) -> dict[str, str]:
    """Texts by slug; a section may be named by its slug or by its title."""
    titles = {section.title.lower(): slug for slug, section in BY_SLUG.items()}
    named = {titles.get(name.lower(), name): str(text) for name, text in texts.items() if text}
    return {slug: text for slug, text in named.items() if slug in BY_SLUG}


def _parse_severity(value: Any) -> int | None:
    digits = "".join(letter for letter in str(value or "") if letter.isdigit())
    return int(digits) if digits in ("1", "2", "3", "4") else None


def _find_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"its zone {name!r} isn't an IANA zone") from error


_MARKS = re.compile(
    r"(?P<bold>\*[^*\n]+\*)|(?P<code>`[^`\n]+`)|(?P<italic>(?<!\w)_[^_\n]+_(?!\w))|(?P<emoji>:[a-z0-9_+-]+:)"
)
_STYLES = {"bold": "bold", "code": "cyan", "italic": "italic"}


class Narrator:
    """Prints who does what, and what they see: everything, in boxes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def scene(self, kind: str) -> Iterator[None]:
        """What is printed within is about this: an `entry`, a `milestone`, the `card` and so on."""
        yield

    def starts(self, people: int) -> None:
        """The first line, before anything has happened: it takes a moment until the bot is up."""
        self.says(f"The real bot, {_count_people(people)}, no Slack: a whole incident from here to its postmortem.")

    def chapter(self, title: str, explanation: str, *, is_minor: bool = False) -> None:
        """A new part of the story."""
        self._console.print()
        self._console.rule(f"[bold]{title}[/bold]", style="blue")
        self._console.print(Padding(Text(explanation, style="dim"), (0, 2)))

    def types(self, who: str, text: str, now: datetime) -> None:
        """A person types a command."""
        self._console.print(_line(now, who, text, "bold"))

    def does(self, who: str, what: str, now: datetime) -> None:
        """A person presses or fills in something."""
        self._console.print(_line(now, who, what))

    def sees(self, where: str, text: str, buttons: Iterable[str] = (), *, private: bool = False) -> None:
        """What appears on their screen, with buttons in a row."""
        shown = _join_buttons(text, set(buttons))
        note = f"{where}, only they can see it" if private else where
        style = "dim" if private else "green"
        self._console.print(Padding(Panel(_style(shown), title=note, title_align="left", border_style=style), (0, 4)))

    def passes(self, now: datetime) -> None:
        """Time goes by."""
        self._console.print(Text(f"… it is {now:%A %-d %B %Y, %H:%M} UTC", style="yellow"))

    def says(self, text: str) -> None:
        """The narrator speaks."""
        self._console.print(text, markup=False, soft_wrap=True)

    def ends(self, written: Iterable[Path], program: str) -> None:
        """The last lines: the files, the one to open, and what to try next."""
        self._console.print()
        for path in written:
            self.says(f"{path}")
        _show_way_on(self, written, program)


class Tour(Narrator):
    """Prints a line or a few of each kind of thing, once: together they fit on one screen."""

    LINES: ClassVar[Mapping[str, int]] = {
        "entry": 3,
        "milestone": 2,
        "card": 4,
        "why": 3,
        "reminder": 3,
        "meter": 3,
        "digest": 3,
        "publication": 5,
    }
    """At most so many lines of what is seen, by kind of scene. With what is typed and said they are MOST."""

    MOST = 40

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._now = datetime.min.replace(tzinfo=UTC)
        self._untold = dict(self.LINES)
        self._kind = ""
        self._has_heading = False
        self._printed = 0

    @contextmanager
    def scene(self, kind: str) -> Iterator[None]:
        before = self._kind
        self._kind = kind if kind in self._untold else ""
        self._has_heading = False
        yield
        self._kind = before

    def starts(self, people: int) -> None:
        self._printed += 1
        self.says(f"The real bot, {_count_people(people)}, no Slack. │ all can see, ┊ one can. Everything: --full")

    def chapter(self, title: str, explanation: str, *, is_minor: bool = False) -> None:
        if not is_minor:
            heading = Text.assemble((title, "bold"), "  ", (explanation, "dim"))
            self._print(heading)

    def types(self, who: str, text: str, now: datetime) -> None:
        self._now = now
        if self._kind:
            self._head(_line(now, who, text, "bold"))

    def does(self, who: str, what: str, now: datetime) -> None:
        self._now = now

    def passes(self, now: datetime) -> None:
        self._now = now

    def sees(self, where: str, text: str, buttons: Iterable[str] = (), *, private: bool = False) -> None:
        if not self._untold.get(self._kind):
            return
        if not self._has_heading:
            self._head(_line(self._now, where, ""))
        most = self._untold.pop(self._kind)
        if not self._untold:  # the last one may have what the others left
            most = max(most, self.MOST - self._printed - _ENDING)
        rows = _join_buttons(text, set(buttons)).splitlines()
        lines = self._wrap(rows)
        if len(lines) > most:  # the beginning, and the first row of buttons
            at = next((at for at, row in enumerate(rows) if row.startswith("[")), None)
            lines = self._wrap(rows[:at])[: most - 1] + self._wrap(rows[at:] if at else ["…"])[:1]
        for line in lines:
            bar = ("  ┊ ", "dim") if private else ("  │ ", "green")
            self._print(Text.assemble(bar, line))

    def _wrap(self, rows: list[str]) -> list[Text]:
        lines = list(_style("\n".join(rows)).wrap(self._console, self._console.width - 6))
        for line in lines:
            line.rstrip()
        return lines

    def _head(self, line: Text) -> None:
        self._has_heading = True
        self._print(line)

    def _print(self, line: Text) -> None:
        self._printed += 1
        self._console.print(line, no_wrap=True, overflow="ellipsis")

    def ends(self, written: Iterable[Path], program: str) -> None:
        _show_way_on(self, written, program)


_ENDING = 2
"""Lines of the way on."""


def _count_people(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"


def _show_way_on(narrator: Narrator, written: Iterable[Path], program: str) -> None:
    page = next((path for path in written if path.suffix == ".html"), None)
    if page is not None:
        narrator.says(f"Open {page}")
    narrator.says(f"Try it yourself: {program} rehearse")


def _line(now: datetime, who: str, what: str, style: str = "") -> Text:
    return Text.assemble((f"{now:%a %H:%M} UTC  ", "dim"), (who, "bold magenta"), (f"  {what}" if what else "", style))


def _join_buttons(text: str, buttons: set[str]) -> str:
    """The text with lines that are buttons joined, as in `[Edit] [Undo]`."""
    rows: list[str] = []
    for is_button, group in groupby(text.splitlines(), key=lambda line: line in buttons or line.startswith("⋯ ")):
        lines = list(group)
        rows.extend([" ".join(f"[{line}]" for line in lines)] if is_button else lines)
    return "\n".join(rows)


def _style(text: str) -> Text:
    """Slack's mrkdwn as a terminal shows it."""
    styled, at = Text(), 0
    for mark in _MARKS.finditer(text):
        styled.append(text[at : mark.start()])
        kind = mark.lastgroup or ""
        if kind == "emoji":
            styled.append(find_emoji(mark[0]))
        else:
            styled.append(mark[0][1:-1], style=_STYLES[kind])
        at = mark.end()
    styled.append(text[at:])
    return styled
