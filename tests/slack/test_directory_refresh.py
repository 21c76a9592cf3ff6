"""The list of people is read again each day, by whichever clock."""

from datetime import timedelta

from tests.support.interactions import on_stage


async def test_a_clock_that_is_put_back_keeps_no_list_old(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        roster, now = play.bot.directory_refresher, play.clock.now()

        def read() -> int:
            return sum(call.method == "users.list" for call in play.slack.calls)

        await roster.wait()
        roster.refresh_if_due(now + timedelta(days=400))
        await roster.wait()
        before = read()
        roster.refresh_if_due(now)
        await roster.wait()
        roster.refresh_if_due(now + timedelta(hours=1))
        await roster.wait()
        assert read() == before + 1
