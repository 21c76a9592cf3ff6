"""Since when an incident is on, and how long it was: from the start of its impact, wherever people read it."""

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play


def card(play: Play) -> ShownMessage:
    return next(m for m in play.slack.messages(play.channel) if m.plain.startswith("INC-1 "))


async def test_the_card_says_since_when_the_impact_lasts(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "Since Mon 23 Nov, 12:30 UTC" in card(play).plain
        await type_command(play, play.ana, "/incident started 11:50 UTC")
        await play.settle()
        assert "Impact since Mon 23 Nov, 11:50 UTC" in card(play).plain
        assert "Impact since Mon 23 Nov, 11:50 UTC" in await type_command(play, play.bo, "/incident")
        assert "since Mon 23 Nov, 11:50 UTC" in await type_command(play, play.bo, "/incident list")


async def test_once_it_is_over_everything_says_how_long_it_lasted(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident started 10:50 UTC")
        answer = await type_command(play, play.ana, "/incident resolved 12:00 UTC")
        assert "after 1 h 10 min" in answer
        await play.settle()
        lasted = "lasted 1 h 10 min, Mon 23 Nov, 10:50 to 12:00 UTC"
        assert lasted in card(play).plain
        assert "since" not in card(play).plain
        assert lasted in await type_command(play, play.bo, "/incident list")


async def test_a_correction_of_the_start_is_seen_at_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident started 11:50 UTC")
        await type_command(play, play.ana, "/timeline edit 2 11:20 UTC")
        await play.settle()
        assert "Impact since Mon 23 Nov, 11:20 UTC" in card(play).plain
        await type_command(play, play.ana, "/timeline delete 2")
        await play.settle()
        assert "\nSince Mon 23 Nov, 12:30 UTC" in card(play).plain


async def test_the_home_tab_says_both(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident started 10:50 UTC")
        await play.slack.open_home(play.bo)
        await play.settle()
        assert "open · no lead · 1 h" in home(play)
        await type_command(play, play.ana, "/incident resolved 12:00 UTC")
        await play.slack.open_home(play.bo)
        await play.settle()
        assert "lasted 1 h 10 min" in home(play)


def home(play: Play) -> str:
    view = play.slack.home(play.bo)
    assert view is not None
    return str(view["blocks"])


async def test_an_incident_that_was_reopened_is_on_since_it_began(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident started 10:50 UTC")
        await type_command(play, play.ana, "/incident resolved 12:00 UTC")
        await type_command(play, play.ana, "/incident reopen")
        await play.settle()
        assert "Impact since Mon 23 Nov, 10:50 UTC" in card(play).plain
