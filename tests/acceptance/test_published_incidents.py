"""Published incidents, typed line by line into the whole bot, and read back from the drafts that it exports."""

import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.text import clean, strip_code_marks
from tests.support.export import export_text
from tests.support.interactions import is_receipt
from tests.support.play import Play, playing
from tests.support.published_timelines import INCIDENTS, moment_of

FILES = sorted(INCIDENTS.glob("*.json"))
ITEM = re.compile(
    r"~?(?P<clock>\d\d:\d\d)(?:\u2013\d\d:\d\d| \u2013 \d{4}-\d\d-\d\d \d\d:\d\d)? "
    r"(?P<text>.*) \u2014 Witness Demo \(#\d+\)"
)
DAY = re.compile(r"(?:All times are UTC, on |\*{0,2}[A-Z][a-z]+day )(\d{4}-\d\d-\d\d)(?:\.|\*{0,2})")
"""What the entries of a day stand under."""
NO_FILES = pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")

Line = tuple[str, str]
"""A minute in UTC (`2018-10-21 22:52`) and what happened then."""


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """One line of a published timeline."""

    at: datetime
    written: str
    text: str
    is_slip: bool
    """Its source notes that the time, as written, is wrong."""

    @property
    def line(self) -> Line:
        return f"{self.at:%Y-%m-%d %H:%M}", export_text.squeeze(strip_code_marks(clean(self.text)))


@dataclass(frozen=True, slots=True)
class Published:
    """A published incident; `zone` is its author's."""

    title: str
    zone: str
    lines: tuple[PublishedLine, ...]

    @property
    def after(self) -> datetime:
        """A moment after its last entry."""
        return max(line.at for line in self.lines) + timedelta(minutes=1)

    @property
    def is_of_one_day(self) -> bool:
        return len({line.at.astimezone(ZoneInfo(self.zone)).date() for line in self.lines}) == 1


def read_published(path: Path) -> Published:
    found = json.loads(path.read_text(encoding="utf-8"))
    zone = "Etc/GMT-1" if found["tz"] == "UTC+1" else found["tz"]  # IANA counts these westward
    lines = tuple(
        PublishedLine(moment_of(entry), entry["time_raw"], entry["text"], bool(entry.get("note")))
        for entry in found["entries"]
    )
    return Published(found["title"], zone, lines)


@asynccontextmanager
async def witnessing(url: str, zone: str, now: datetime) -> AsyncIterator[tuple[Play, str, str]]:
    """A play with a witness in a channel of theirs, where an incident is open."""
    async with playing(url, now=now) as play:
        witness = play.slack.user("Witness Demo", zone)
        channel = play.slack.channel("replay", [witness])
        assert (await play.slack.command(witness, channel, "/incident open what was published")).ok
        yield play, witness, channel


async def drafts(play: Play, witness: str, channel: str) -> tuple[list[Line], list[Line]]:
    """The entries that the exported Markdown and the exported HTML hold, in their order, without the opening."""
    for form in ("markdown", "html"):
        assert (await play.slack.command(witness, channel, f"/postmortem export {form}")).ok
    await play.settle()
    files = {Path(file.name).suffix: file.bytes for file in play.slack.files}
    markdown = files[".md"].decode()
    page = export_text.page(files[".html"])
    texts = ("".join(part.itertext()) for part in page.iter() if part.get("id") or part.tag in ("p", "h3"))
    return entries(export_text.paragraphs_and_items(markdown)), entries(texts)


def entries(texts: Iterable[str]) -> list[Line]:
    found, day = [], ""
    for text in map(export_text.squeeze, texts):
        if heads := DAY.fullmatch(text):
            day = heads[1]
        elif one := ITEM.fullmatch(text):
            found.append((f"{day} {one['clock']}", one["text"]))
    return [line for line in found if not line[1].startswith("Incident opened:")]


@NO_FILES
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_entry_typed_with_its_date_is_exported_once_at_its_minute(path: Path, sqlite_url: str) -> None:
    story = read_published(path)
    async with witnessing(sqlite_url, story.zone, story.after) as (play, witness, channel):
        for line in story.lines:
            answer = await play.slack.command(witness, channel, f"/timeline {line.at:%Y-%m-%d %H:%M} UTC {line.text}")
            assert is_receipt(answer.text), line
        markdown, html = await drafts(play, witness, channel)
    assert markdown == sorted((line.line for line in story.lines), key=lambda line: line[0])
    assert html == markdown


@NO_FILES
@pytest.mark.parametrize(
    "path", [path for path in FILES if read_published(path).is_of_one_day], ids=lambda path: path.stem
)
async def test_a_time_as_its_author_wrote_it_is_read_on_the_author_s_clock(path: Path, sqlite_url: str) -> None:
    story = read_published(path)
    lines = [line for line in story.lines if not line.is_slip]  # a wrong date is taken as written, like any other
    async with witnessing(sqlite_url, story.zone, story.after) as (play, witness, channel):
        for line in lines:
            answer = await play.slack.command(witness, channel, f"/timeline {line.written} {line.text}")
            assert is_receipt(answer.text), line
        markdown, html = await drafts(play, witness, channel)
    assert sorted(markdown) == sorted(line.line for line in lines)
    assert [minute for minute, _ in markdown] == sorted(minute for minute, _ in markdown)
    assert html == markdown


LATER = datetime(2018, 10, 22, 23, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["23:10 was when the paging began", "2018-10-20 10:00 UTC is the latest backup", "10 min ago it was fine"]
)
async def test_a_text_that_begins_like_a_time_is_asked_about_and_can_stay_text(text: str, sqlite_url: str) -> None:
    async with witnessing(sqlite_url, "UTC", LATER) as (play, witness, channel):
        answer = await play.slack.command(witness, channel, f"/timeline 2018-10-21 22:52 UTC {text}")
        assert answer.message is not None
        assert not is_receipt(answer.text)
        await play.slack.click(witness, answer.message, "timeline_at_0")
        markdown, html = await drafts(play, witness, channel)
    assert markdown == html == [("2018-10-21 22:52", text)]


async def test_a_time_without_a_text_is_refused_and_nothing_is_recorded(sqlite_url: str) -> None:
    async with witnessing(sqlite_url, "UTC", LATER) as (play, witness, channel):
        answer = await play.slack.command(witness, channel, "/timeline 2018-10-21 22:52 UTC")
        assert "but not what happened" in answer.text
        markdown, html = await drafts(play, witness, channel)
    assert markdown == html == []


async def test_an_entry_that_repeats_the_last_is_asked_about_and_added_on_request(sqlite_url: str) -> None:
    line = ("2018-10-21 22:52", "the primary moved")
    async with witnessing(sqlite_url, "UTC", LATER) as (play, witness, channel):
        for _ in range(2):
            answer = await play.slack.command(witness, channel, f"/timeline {line[0]} UTC {line[1]}")
        assert answer.text.startswith("Already recorded as #2")
        assert answer.message is not None
        await play.slack.click(witness, answer.message, "timeline_again")
        play.clock.advance(timedelta(seconds=11))
        later = await play.slack.command(witness, channel, f"/timeline {line[0]} UTC {line[1]}")
        assert is_receipt(later.text)
        markdown, html = await drafts(play, witness, channel)
    assert markdown == html == [line] * 3
