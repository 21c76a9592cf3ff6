"""`afterword demo`: a tour of 40 lines, everything with --full, and a postmortem that is complete and published."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bot import demo as demo_play
from bot.domain.sections import SECTIONS
from bot.rehearsal import story
from bot.rehearsal.story import Narrator, Tour
from tests.support.command_line import invoke
from tests.support.timeouts import PATIENT

LINES = 40
COLUMNS = 80


class Both:
    """Two narrators of one play."""

    def __init__(self, *narrators: Narrator) -> None:
        self.narrators = narrators

    def __getattr__(self, name: str) -> Any:
        def tell(*args: Any, **more: Any) -> None:
            for narrator in self.narrators:
                getattr(narrator, name)(*args, **more)

        return tell

    @contextmanager
    def scene(self, kind: str) -> Iterator[None]:
        with ExitStack() as scenes:
            for narrator in self.narrators:
                scenes.enter_context(narrator.scene(kind))
            yield


def console(width: int = COLUMNS) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, color_system=None)


def printed_lines(shown: Console) -> list[str]:
    file = shown.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


@pytest.mark.slow
async def test_the_demo_is_a_tour_of_forty_lines_to_a_published_postmortem(tmp_path: Path) -> None:
    tour, full = console(), console(200)
    both: Any = Both(Tour(tour), Narrator(full))
    written = await demo_play.play(story.shipped_story(), tmp_path / "out", both, PATIENT)
    lines, everything = printed_lines(tour), "\n".join(printed_lines(full))
    require_tour(lines, next(path for path in written if path.suffix == ".html"))
    require_typed_as_people_type(everything)
    assert len(printed_lines(full)) > 5 * LINES
    require_complete(next(path for path in written if path.suffix == ".md").read_text())


def require_tour(lines: list[str], page: Path) -> None:
    """It fits on a screen, has one of each kind of thing, and ends with what to do next."""
    assert len(lines) <= LINES
    assert [line for line in lines[:-2] if len(line) > COLUMNS] == []
    assert lines[-2:] == [f"Open {page}", "Try it yourself: .venv/bin/afterword rehearse"]
    headings = [line for line in lines if re.match(r"\w{3} \d\d:\d\d UTC  ", line)]
    assert len(headings) == len(Tour.LINES)
    text = "\n".join(headings)
    assert "/timeline 11:34 200 jobs dead by now" in text
    assert all(f"  /{typed} " in text for typed in ("incident mitigated", "why because"))
    assert sum("DM to " in line or "#" in line for line in headings) == 3  # the card, the reminder, the digest


def require_typed_as_people_type(everything: str) -> None:
    commands = re.findall(r"(/(?:timeline|incident|why|action|postmortem).*)", everything)
    assert len(commands) > 30
    assert [command for command in commands if re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d", command)] == []


def require_complete(markdown: str) -> None:
    """The document is published, and at most one of its sections is blank."""
    assert "| Postmortem | published |" in markdown
    headings = {section.title for section in SECTIONS}
    assert headings <= set(re.findall(r"^## (.*)$", markdown, re.MULTILINE))
    assert markdown.count("Not recorded") <= 1


@pytest.mark.parametrize(
    ("at", "now", "zone", "written"),
    [
        ("2026-03-10T15:34:00", "2026-03-10T15:35:00", "America/New_York", "11:34"),
        ("2026-03-10T15:34:07", "2026-03-10T15:35:00", "America/New_York", "11:34:07"),
        ("2026-03-09T22:00:00", "2026-03-10T15:35:00", "Europe/Berlin", "23:00"),  # last night's, as it is read
        ("2026-03-09T15:00:00", "2026-03-10T15:35:00", "Europe/Berlin", "yesterday 16:00"),
        ("2026-03-07T15:00:00", "2026-03-10T15:35:00", "Europe/Berlin", "Mar 7 16:00"),
        ("2024-03-07T15:00:00", "2026-03-10T15:35:00", "Europe/Berlin", "Mar 7 2024 16:00"),
        ("2026-10-25T00:30:00", "2026-10-25T06:00:00", "Europe/Berlin", "2026-10-25 00:30:00 UTC"),  # 2:30 came twice
    ],
)
def test_a_time_is_typed_in_the_shortest_form_that_is_read_as_it(at: str, now: str, zone: str, written: str) -> None:
    moment, typed = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, now))
    assert demo_play.write_time(moment, "86 more jobs died", typed, ZoneInfo(zone)) == written


def test_the_help_of_the_demo_names_both_lengths() -> None:
    shown = invoke("demo", "--help").output
    assert "--full" in shown
    assert "a tour of 40" in shown
