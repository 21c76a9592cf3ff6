"""A play with a Confluence, and short ways to write on its pages and to read them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.export.confluence.regions import render_markdown, split_page
from bot.rehearsal.screen import ShownMessage
from storage import links as links_store
from storage.links import Link
from tests.support.integrations.clients import EMAIL, SECRET
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import TEAM, Play

PAGE = "1000"
WRITE = f"PUT .*/pages/{PAGE}$"
TITLE = "INC-1: Checkout is failing"


@asynccontextmanager
async def with_confluence(database_url: str, *, refused: str = "") -> AsyncIterator[tuple[Play, FakeConfluence]]:
    """An incident with three entries, and a space that has no page yet."""
    wiki = FakeConfluence()
    async with wiki.serving() as url:
        environ = {
            "AFTERWORD_CONFLUENCE_URL": url,
            "AFTERWORD_CONFLUENCE_EMAIL": EMAIL,
            "AFTERWORD_CONFLUENCE_TOKEN": SECRET,
            "AFTERWORD_CONFLUENCE_SPACE": "ENG",
            "AFTERWORD_CONFLUENCE_PARENT": "900",
            "AFTERWORD_JIRA_KIND": "classic",
        }
        async with on_stage(database_url, environ=environ, refused=[refused]) as play:
            await open_incident(play)
            for text in ("checkout answers 503", "pool is full", "pool enlarged"):
                await type_command(play, play.ana, f"/timeline {text}")
            yield play, wiki


async def put(play: Play) -> ShownMessage:
    """Ana asks for the page; what the channel reads of it."""
    await type_command(play, play.ana, "/postmortem confluence")
    return await newest_message(play)


async def newest_message(play: Play) -> ShownMessage:
    """What is due is done; the newest message of the channel."""
    await play.pass_time(seconds=1)
    await play.settle()
    return play.slack.messages(play.channel)[-1]


def link(play: Play) -> Link:
    """The page's own row."""
    found = play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, "confluence", "INC-1 postmortem"))
    assert found is not None
    return found


def body(wiki: FakeConfluence, page: str = PAGE) -> str:
    """The page as it is now."""
    return str(wiki.pages[page]["body"])


def number(wiki: FakeConfluence, page: str = PAGE) -> int:
    """Its version."""
    return int(wiki.pages[page]["number"])


def region(wiki: FakeConfluence, id_: str, page: str = PAGE) -> str:
    """What a region of the page says."""
    return render_markdown(split_page(body(wiki, page)).parts[id_].own)


def heading(wiki: FakeConfluence, id_: str) -> str:
    """The storage of a region's heading."""
    found = re.search(rf"<h2>(?:(?!</h2>).)*afterword-{id_}<.*?</h2>", body(wiki), re.DOTALL)
    assert found is not None
    return found[0]


def write(wiki: FakeConfluence, id_: str, storage: str, by: str = "") -> None:
    """A person writes into a region by hand and replaces its text."""
    whole = body(wiki)
    start = whole.index(heading(wiki, id_)) + len(heading(wiki, id_))
    end = whole.find("<h2>", start)
    rest = whole[end:] if end > 0 else ""
    wiki.edit(PAGE, whole[:start] + storage + rest, by)


def take_off(wiki: FakeConfluence, id_: str) -> None:
    """Someone takes a region off the page."""
    write(wiki, id_, "")
    wiki.edit(PAGE, body(wiki).replace(heading(wiki, id_), ""))
