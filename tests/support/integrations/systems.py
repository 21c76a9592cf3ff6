"""Each connected system as a world of its own: how it is connected, asked for something, and what it made of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.integrations.http import RetryPolicy
from tests.integrations.statuspage.test_sync import draft_update
from tests.support.integrations.clients import EMAIL, QUICK, SECRET
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.days import Fake
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.integrations.fakes.statuspage import FakeStatuspage
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play

JIRA = {"AFTERWORD_JIRA_EMAIL": EMAIL, "AFTERWORD_JIRA_TOKEN": SECRET}


@dataclass(frozen=True)
class World:
    """`write` finds the request that makes the thing; `made` counts what is there; `is_urgent`: reported at once."""

    name: str
    fake: Callable[[], Fake]
    environ: Callable[[str], dict[str, str]]
    ask: Callable[[Play], Awaitable[object]]
    write: str
    made: Callable[[Any], int]
    is_urgent: bool = False


async def _act(play: Play) -> None:
    await type_command(play, play.ana, "/action enlarge the pool")


async def _open(play: Play) -> None:
    await type_command(play, play.ana, "/incident jsm")


async def _page(play: Play) -> None:
    await type_command(play, play.ana, "/incident page need a database person")


async def _publish(play: Play) -> None:
    assert (await play.slack.submit(play.ana, await draft_update(play))).ok


def _issues(jira: FakeJira) -> int:
    return len(jira.issues)


def _pages(alerts: FakeAlerts) -> int:
    return alerts.pages


def _incidents(page: FakeStatuspage) -> int:
    return len(page.incidents)


WORLDS = [
    World(
        "jira",
        FakeJira,
        lambda url: JIRA | {"AFTERWORD_JIRA_URL": url, "AFTERWORD_JIRA_PROJECT": "OPS"},
        _act,
        "POST .*/issue$",
        _issues,
    ),
    World(
        "jsm",
        FakeJira,
        lambda url: JIRA | {"AFTERWORD_JIRA_URL": url, "AFTERWORD_JSM_PROJECT": "INC"},
        _open,
        "POST .*/issue$",
        _issues,
    ),
    World(
        "paging",
        FakeAlerts,
        lambda url: {"AFTERWORD_JSM_KEY": SECRET, "AFTERWORD_JSM_URL": f"{url}/v2"},
        _page,
        "POST /v2/alerts$",
        _pages,
        is_urgent=True,
    ),
    World(
        "statuspage",
        FakeStatuspage,
        lambda url: {
            "AFTERWORD_STATUSPAGE_PAGE": "pg",
            "AFTERWORD_STATUSPAGE_KEY": SECRET,
            "AFTERWORD_STATUSPAGE_URL": f"{url}/v1",
        },
        _publish,
        "POST .*/incidents$",
        _incidents,
        is_urgent=True,
    ),
]


@asynccontextmanager
async def in_world(world: World, database_url: str, patience: RetryPolicy = QUICK) -> AsyncIterator[tuple[Play, Fake]]:
    """A play with one incident and one connected system."""
    fake = world.fake()
    async with fake.serving() as url, on_stage(database_url, environ=world.environ(url), patience=patience) as play:
        await open_incident(play)
        await play.pass_time(seconds=1)
        yield play, fake


async def still_records(play: Play) -> None:
    """What people type meanwhile is on disk."""
    await type_command(play, play.bo, "/timeline restarted the pool")
    assert play.case().entries[-1].text == "restarted the pool"
