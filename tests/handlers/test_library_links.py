"""[Read] leads from Slack to a page of the library, where there is one."""

from collections.abc import AsyncIterator

import pytest

from bot.rehearsal.workspace import Json
from storage.postmortem import sections as sections_store
from tests.support.play import Play, playing

BASE = "http://127.0.0.1:9"
LIBRARY = {
    "AFTERWORD_URL": BASE,
    "SLACK_CLIENT_ID": "123.456",
    "SLACK_CLIENT_SECRET": "client-" + "demo",
    "AFTERWORD_SESSION_KEY": "session-" + "demo" * 8,
}


@pytest.fixture
async def play(sqlite_url: str) -> AsyncIterator[Play]:
    async with playing(sqlite_url, environ=LIBRARY) as found:
        yield found


def links(shown: object, action: str = "library_read") -> list[str]:
    """The addresses of the link buttons, wherever they are in some blocks."""
    if isinstance(shown, dict):
        here = [str(shown["url"])] if shown.get("action_id") == action else []
        return here + [one for value in shown.values() for one in links(value, action)]
    return [one for value in shown for one in links(value, action)] if isinstance(shown, list) else []


async def type_command(play: Play, line: str, channel: str = "") -> list[Json]:
    answer = await play.slack.command(play.ana, channel or play.channel, line)
    assert answer.ok
    await play.settle()
    return answer.message.blocks if answer.message else []


async def publish(play: Play) -> list[list[Json]]:
    for line in ("/incident open the pool ran out", "/incident resolved", "/why root the pool was too small"):
        await type_command(play, line)
    for slug in ("summary", "impact", "root_cause"):
        await play.bot.store.write(
            lambda tx, slug=slug: sections_store.save(tx, 1, slug, "the pool ran out", play.ana, play.clock.now())  # type: ignore[misc]
        )
    await type_command(play, "/action make the pool larger due friday")
    answer = await play.slack.command(play.ana, play.channel, "/postmortem publish")
    assert answer.message is not None
    if "postmortem_publish_anyway" in str(answer.message.blocks):
        await play.slack.click(play.ana, answer.message, "postmortem_publish_anyway")
    await play.settle()
    return [message.blocks for message in play.slack.messages(play.channel)]


async def test_a_publication_a_search_hit_and_the_home_tab_lead_to_the_page(play: Play) -> None:
    assert links(await publish(play)) == [f"{BASE}/library/INC-1"]
    assert links(await type_command(play, "/incident search pool")) == [f"{BASE}/library/INC-1"]
    await play.slack.open_home(play.ana)
    await play.settle()
    home = play.slack.home(play.ana)
    assert home is not None
    assert links(home["blocks"]) == [f"{BASE}/library/INC-1"]
    assert links(home["blocks"], "library_read_all") == [f"{BASE}/library"]
    assert (await play.slack.click_in_home(play.ana, "library_read")).ok


async def test_a_proposal_of_a_similar_incident_leads_to_its_page(play: Play) -> None:
    await publish(play)
    room = play.slack.channel("payments", [play.ana])
    await type_command(play, "/incident open the connection pool ran out again", room)
    await type_command(play, "/incident resolved", room)
    assert links(await type_command(play, "/postmortem", room)) == [f"{BASE}/library/INC-1"]


async def test_without_a_library_nothing_leads_there(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        assert links(await publish(play)) == []
        found = await type_command(play, "/incident search pool")
        assert links(found) == []
        assert links(found, "incident_channel") != []
