"""The library in a real browser, filled with the published incidents, and by plain requests."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from bot.domain.records import PostmortemStatus, Status
from bot.web.library import HEADERS
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from tests.support.browser import NEEDS_BROWSER, WIDTHS, browsing, opening
from tests.support.library import OpenDoor, note_channels, opening_library
from tests.support.play import TEAM, Play, playing
from tests.support.shelves import FILES, write_published

NEEDS_FILES = pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")
ATOM = "{http://www.w3.org/2005/Atom}"


@asynccontextmanager
async def shelf(url: str) -> AsyncIterator[tuple[Play, OpenDoor, str]]:
    """A library of the published incidents."""
    async with playing(url) as play, opening_library(play) as (door, base):
        rooms = [play.slack.channel(f"inc-{index}", [play.ana]) for index in range(len(FILES))]
        now = play.clock.now()
        await play.bot.store.write(lambda tx: write_published(tx, TEAM, rooms, now))
        yield play, door, base


@NEEDS_BROWSER
@NEEDS_FILES
async def test_every_page_is_accessible_at_three_widths_in_both_schemes_and_asks_only_us(sqlite_url: str) -> None:
    paths = (
        "",
        "?q=database+locked",
        "?severity=sev1&month=2018",
        "?q=zzz",
        "/INC-20",
        "/INC-26",
        "/INC-14",
        "/INC-99",
    )
    async with shelf(sqlite_url) as (_, _, base), browsing() as browser:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                async with opening(browser, width=width, scheme=scheme) as tab:
                    for path in paths:
                        status = await tab.go(f"{base}/library{path}")
                        assert status == (404 if path == "/INC-99" else 200)
                        assert await tab.violations() == [], (path, width, scheme)
                        assert await tab.overflow() <= 0, (path, width)
                    assert tab.hosts == {urlsplit(base).netloc}
                    assert [line for line in tab.complaints if "404" not in line] == []


@NEEDS_BROWSER
@NEEDS_FILES
async def test_without_a_script_a_reader_searches_filters_turns_pages_and_follows_links(sqlite_url: str) -> None:
    async with (
        shelf(sqlite_url) as (_, _, base),
        browsing() as browser,
        opening(browser, java_script_enabled=False) as tab,
    ):
        page = tab.page
        await tab.go(f"{base}/library")
        titles = await page.locator(".shelf h2").all_inner_texts()
        await page.get_by_role("link", name="Older").click()
        titles += await page.locator(".shelf h2").all_inner_texts()
        assert len(titles) == len(set(titles)) == len(FILES)
        await page.get_by_role("link", name="Newest").click()
        await page.get_by_label("Severity").select_option("sev1")
        await page.get_by_label("Month").fill("2018")
        await page.get_by_role("button", name="Find").click()
        assert "severity=sev1" in page.url
        assert "month=2018" in page.url
        found = await page.locator(".shelf .key").all_inner_texts()
        assert found
        assert f"{len(found)} incident" in await page.get_by_role("status").inner_text()


@NEEDS_BROWSER
@NEEDS_FILES
async def test_a_key_leads_to_its_page_and_every_part_of_it_has_an_address(sqlite_url: str) -> None:
    async with (
        shelf(sqlite_url) as (_, _, base),
        browsing() as browser,
        opening(browser, java_script_enabled=False) as tab,
    ):
        page = tab.page
        await tab.go(f"{base}/library")
        await page.get_by_label("Search").fill("INC-14")
        await page.get_by_role("button", name="Find").click()
        assert page.url.endswith("/library/INC-14")
        await page.locator('nav[aria-label="Contents"]').get_by_role("link", name="Five whys").click()
        assert page.url.endswith("#whys")
        assert await page.locator("#why-2").count() == 1
        await page.locator("#why-2 a").first.click()
        assert page.url.endswith("#why-2")
        await page.locator("#library-similar a").first.click()
        assert re.search(r"/library/INC-\d+$", page.url)


@NEEDS_BROWSER
@NEEDS_FILES
async def test_the_keyboard_reaches_everything_in_the_order_of_the_page(sqlite_url: str) -> None:
    async with shelf(sqlite_url) as (_, _, base), browsing() as browser, opening(browser) as tab:
        await tab.go(f"{base}/library?severity=sev1&month=2018")
        names = await tab.walk()
        assert names[0] == "a Skip to the content"
        controls = ["input q", "button Find", "select severity", "select status", "select owner", "input service"]
        assert [name for name in names if name in controls] == controls
        assert sum(name.startswith("a ") for name in names) >= 6
        await tab.go(f"{base}/library/INC-14")
        await tab.page.keyboard.press("Tab")
        await tab.page.keyboard.press("Enter")
        assert tab.page.url.endswith("#content")


@NEEDS_BROWSER
@NEEDS_FILES
async def test_a_page_prints_without_what_only_a_screen_needs(sqlite_url: str) -> None:
    async with shelf(sqlite_url) as (_, _, base), browsing() as browser, opening(browser) as tab:
        await tab.go(f"{base}/library/INC-14")
        await tab.page.emulate_media(media="print", color_scheme="dark")
        for hidden in (".library-bar", ".permalink", 'nav[aria-label="Contents"]'):
            assert not await tab.page.locator(hidden).first.is_visible()
        assert await tab.page.locator("#timeline").is_visible()
        ground = await tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert (await tab.page.pdf()).startswith(b"%PDF-")


@pytest.fixture
async def room(sqlite_url: str) -> AsyncIterator[tuple[Play, OpenDoor, httpx.AsyncClient]]:
    """A library of one public and one private incident. Bo isn't in the private channel."""
    async with playing(sqlite_url) as play, opening_library(play) as (door, base):
        secret = play.slack.channel("secret-room", [play.ana], private=True)
        for line in (
            "/incident open Pool <script>alert(1)</script> & \u202eburns",
            "/timeline <img src=x onerror=alert(1)>",
        ):
            assert (await play.slack.command(play.ana, play.channel, line)).ok
        assert (await play.slack.command(play.ana, secret, "/incident open The zebra pool leaked")).ok
        await play.settle()
        await note_channels(play, play.channel)
        await note_channels(play, secret, private=True)
        async with httpx.AsyncClient(base_url=base) as client:
            yield play, door, client


Room = tuple[Play, OpenDoor, httpx.AsyncClient]


async def test_who_is_not_signed_in_is_sent_to_the_sign_in_and_back(room: Room) -> None:
    _, door, client = room
    door.user = ""
    for path in ("/library", "/library?q=zebra", "/library/INC-1", "/library/INC-2", "/library/INC-99"):
        answer = await client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/library/sign-in?next=%2Flibrary")
        assert answer.text == ""
    assert (await client.get("/library/feed.atom")).status_code == 404


async def test_a_private_incident_is_answered_exactly_as_a_missing_one(room: Room) -> None:
    play, door, client = room
    door.user = play.ana
    assert (await client.get("/library/INC-2")).status_code == 200
    door.user = play.bo
    answers = [
        await client.get(f"/library/{key}")
        for key in ("INC-2", "INC-99", "inc-2", f"{TEAM}/INC-2", "T0OTHER/INC-1", "x")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items() - {("date", answer.headers["date"])})) for answer in answers}) == 1
    for path in (
        "/library",
        "/library?q=zebra",
        "/library?q=pool",
        "/library?status=open",
        f"/library?owner={play.ana}",
    ):
        assert "zebra" not in (await client.get(path)).text.replace('value="zebra"', "").replace(
            "has: zebra", ""
        ).replace("<title>zebra", "")
    assert "INC-1" in (await client.get("/library?q=pool")).text


async def test_what_people_typed_is_text_and_every_page_forbids_scripts(room: Room) -> None:
    _, _, client = room
    for path in ("/library", "/library/INC-1", "/library?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/library/INC-99"):
        answer = await client.get(path)
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_a_search_of_ten_thousand_characters_is_answered(room: Room) -> None:
    _, _, client = room
    answer = await client.get("/library", params={"q": "pool " * 2_000})
    assert answer.status_code == 200
    assert "INC-1" in answer.text
    assert (
        await client.get("/library", params={"q": "%" * 10_000, "month": "x" * 999, "before": "0" * 999})
    ).status_code == 200


async def test_the_feed_has_what_is_published_in_public_for_who_holds_its_address(room: Room) -> None:
    play, door, client = room
    door.user = ""
    empty = await client.get("/library/feed.atom", params={"key": play.bo})
    assert empty.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert fromstring(empty.text).findall(f"{ATOM}entry") == []
    await play.bot.store.write(publish_all)
    feed = fromstring((await client.get("/library/feed.atom", params={"key": play.bo})).text)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title", "").startswith("INC-1: Pool <script>")
    assert entry.findtext(f"{ATOM}id") == "https://postmortems.example/library/INC-1"
    assert (await client.get("/library/feed.atom", params={"key": "U0NOBODY"})).status_code == 404


def publish_all(tx: Transaction) -> None:
    for incident in incidents_store.list_latest(tx, TEAM, 10):
        at = incident.opened_at
        over = replace(incident, status=Status.RESOLVED, resolved_at=at, postmortem_status=PostmortemStatus.PUBLISHED)
        incidents_store.save(tx, replace(over, published_at=at))


async def test_a_page_waits_for_slack_to_say_who_may_read_it(room: Room) -> None:
    play, _, client = room
    play.bot.slack.channels.forget(play.channel)
    play.slack.fail("conversations.info", status=500, times=9)
    answer = await client.get("/library/INC-1")
    assert answer.status_code == 503
    assert "Reload it in a minute" in answer.text
