"""The page of numbers in a real browser, with the twenty incidents that were counted by hand; and who sees what."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from bot.web.library import HEADERS
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from tests.support.browser import NEEDS_BROWSER, WIDTHS, browsing, opening
from tests.support.library import OpenDoor, note_channels, opening_library
from tests.support.play import TEAM, Play, playing
from tests.support.twenty_incidents import NOW, store_rows

AUTUMN = "/library/trends?period=2026-09..2026-11"
LETTERS_APART = """() => {
  const shown = [...document.querySelectorAll('.afterword-picture text')]
    .map(text => ({text: text.textContent, box: text.getBoundingClientRect()})).filter(one => one.box.width);
  const clashes = [];
  shown.forEach((one, index) => shown.slice(index + 1).forEach(other => {
    const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    if (wide > 0.5 && high > 3) clashes.push(`${one.text} / ${other.text}`);
  }));
  return [shown.length, clashes];
}"""
"""How many labels of charts are shown, and which of them lie on each other."""


@asynccontextmanager
async def twenty(url: str) -> AsyncIterator[tuple[Play, OpenDoor, str]]:
    """A library of the twenty incidents."""
    async with playing(url, now=NOW) as play, opening_library(play) as (door, base):
        await play.bot.store.write(lambda tx: store_rows(tx, TEAM))
        yield play, door, base


@NEEDS_BROWSER
async def test_the_page_is_accessible_at_three_widths_in_both_schemes_and_no_label_collides(sqlite_url: str) -> None:
    paths = (AUTUMN, f"{AUTUMN}&by=service", f"{AUTUMN}&show=later", f"{AUTUMN}&by=severity", "/library/trends")
    async with twenty(sqlite_url) as (_, _, base), browsing() as browser:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                async with opening(browser, width=width, scheme=scheme) as tab:
                    for path in paths:
                        assert await tab.go(f"{base}{path}") == 200
                        for table in await tab.page.locator("summary").all():
                            await table.click()
                        assert await tab.violations() == [], (path, width, scheme)
                        assert await tab.overflow() <= 0, (path, width)
                        count, clashes = await tab.page.evaluate(LETTERS_APART)
                        assert clashes == [], (path, width)
                        assert (count > 40) == ("show=" not in path)
                    assert tab.hosts == {urlsplit(base).netloc}
                    assert tab.complaints == []


@NEEDS_BROWSER
async def test_every_figure_leads_to_as_many_incidents_as_it_says(sqlite_url: str) -> None:
    async with (
        twenty(sqlite_url) as (_, _, base),
        browsing() as browser,
        opening(browser, java_script_enabled=False) as tab,
    ):
        await tab.go(f"{base}{AUTUMN}")
        figures = {
            await one.get_attribute("href"): await one.text_content()
            for panel in ("postmortems", "milestones", "times")
            for one in await tab.page.locator(f'section[aria-labelledby="{panel}"] td a').all()
        }
        # Postmortems 2, 2, 1 and 2, 1, 1 and 2, 1, 3; milestones 1, 1, 2, 1 and thrice 1, 2 and 1, 1; times nine.
        assert len(figures) >= 20
        for address, text in figures.items():
            await tab.go(f"{base}{address}")
            assert await tab.page.locator("#behind .shelf > li").count() == int(text or ""), address
        await tab.go(f"{base}{AUTUMN}")
        await tab.page.get_by_role("link", name="6 of 14").click()
        assert await tab.page.locator("#behind .key").all_inner_texts() == [
            f"INC-{number}" for number in (16, 13, 10, 8, 3, 2)
        ]
        await tab.page.get_by_role("link", name="Back to all figures").click()
        await tab.page.get_by_role("link", name="7 of 11").click()
        assert await tab.page.locator("#behind .key").count() == 6
        await tab.page.locator("#behind .shelf a").first.click()
        assert re.search(r"/library/INC-16$", tab.page.url)


@NEEDS_BROWSER
async def test_a_reader_chooses_without_a_script_and_by_keyboard(sqlite_url: str) -> None:
    async with twenty(sqlite_url) as (_, _, base), browsing() as browser:
        async with opening(browser, java_script_enabled=False) as tab:
            page = tab.page
            await tab.go(f"{base}/library")
            await page.get_by_role("link", name="Trends").click()
            await page.get_by_label("Period").select_option(label="2026 so far")
            await page.get_by_label("Compare by").select_option("tag")
            await page.get_by_label("Service").fill("checkout")
            await page.get_by_role("button", name="Count").click()
            # INC-1 of August is among those of the year.
            assert (
                "7 incidents that you can see were resolved: 2026 so far."
                in await page.locator(".result").first.inner_text()
            )
        async with opening(browser) as tab:
            await tab.go(f"{base}{AUTUMN}")
            names = await tab.walk(30)
            controls = ["select period", "select by", "select severity", "input service", "input tag", "button Count"]
            assert [name for name in names if name in controls] == controls


@pytest.fixture
async def room(sqlite_url: str) -> AsyncIterator[tuple[Play, OpenDoor, httpx.AsyncClient]]:
    async with twenty(sqlite_url) as (play, door, base), httpx.AsyncClient(base_url=base) as client:
        yield play, door, client


Room = tuple[Play, OpenDoor, httpx.AsyncClient]


async def read_table(client: httpx.AsyncClient, query: str = "") -> list[dict[str, str]]:
    answer = await client.get(AUTUMN.replace("trends?", "trends.csv?") + query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="trends-2026-09..2026-11.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_the_page_and_its_csv_say_what_was_counted_by_hand(room: Room) -> None:
    _, _, client = room
    whole, *parts = await read_table(client, "&by=severity")
    assert (whole["incidents"], whole["published_within_48h"], whole["published_within_48h_of"]) == ("17", "6", "14")
    assert [(part["part"], part["incidents"]) for part in parts] == [
        ("sev1", "3"),
        ("sev2", "7"),
        ("sev3", "5"),
        ("sev4", "2"),
    ]
    text = (await client.get(AUTUMN)).text
    for figure in ("6 of 14", "9 of 13", "7 of 11", "half for over 8 weeks", "n=14", "INC-13"):
        assert figure in text or figure == "n=14"
    assert "Sep 2026: 2 within 48 hours, 2 within a week, 1 later." in text  # read out in place of the picture


async def test_private_incidents_count_for_those_alone_who_see_them(room: Room) -> None:
    play, door, client = room
    secret = play.slack.channel("secret-room", [play.ana], private=True)

    def move(tx: Transaction) -> None:
        found = incidents_store.find_by_number(tx, TEAM, 19)
        assert found is not None
        tx._connection.execute(f"UPDATE incident SET channel = '{secret}' WHERE id = {found.id}")

    await play.bot.store.write(move)
    await note_channels(play, secret, private=True)
    door.user = play.ana
    assert (await read_table(client))[0]["incidents"] == "18"
    assert "secret" in (await client.get(f"{AUTUMN}&by=tag")).text
    door.user = play.bo
    assert (await read_table(client))[0]["incidents"] == "17"
    for query in ("", "&by=tag", "&by=service", "&show=all", "&show=repeats", "&service=checkout"):
        text = (await client.get(AUTUMN + query)).text
        assert "secret" not in text
        assert "INC-19" not in text
    assert "No incident that you can see" in (await client.get(f"{AUTUMN}&tag=nothing")).text


async def test_who_is_not_signed_in_reads_no_figure(room: Room) -> None:
    _, door, client = room
    door.user = ""
    for path in (AUTUMN, "/library/trends.csv"):
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"].startswith("/library/sign-in?next=%2Flibrary%2Ftrends")


@pytest.mark.parametrize(
    "query",
    [
        "&period=soon",
        "&period=9999..9999",
        "&severity=7&by=person&show=<script>alert(1)</script>",
        f"&service={'x' * 10_000}",
        "&tag=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "&period=2026-09..2026-11&period=%00",
    ],
)
async def test_an_odd_address_shows_a_page_and_every_text_is_text(room: Room, query: str) -> None:
    _, _, client = room
    answer = await client.get(f"/library/trends?by=month{query}")
    assert answer.status_code == 200
    for forbidden in ("<script", " style=", "<style"):
        assert forbidden not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
