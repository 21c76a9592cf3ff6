"""A clean incident, from its opening to its published postmortem: how much of the bot an onlooker reads."""

from bot.domain.records import PostmortemStatus
from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import on_stage, press, type_command, window
from tests.support.play import Play

WHYS = (
    "because the connection pool ran out",
    "because a batch job held connections",
    "because it opened one for each row",
    "because its client has no pool",
    "because nobody reviews the clients of batch jobs",
)
ASKED_EVERY_DAY = {"AFTERWORD_QUIET_HOURS": "none", "AFTERWORD_NUDGES": "true"}


async def do(play: Play, user: str, *lines: str) -> None:
    """Type commands, a minute apart, as people do."""
    for line in lines:
        await type_command(play, user, line)
        await play.settle()
        await play.pass_time(minutes=1)


async def burn(play: Play) -> None:
    await do(play, play.ana, "/incident open Checkout is down for EU", "/incident sev 2", "/incident lead me")
    await do(play, play.ana, "/incident started 12:20 UTC", "/incident detected 12:25 UTC", "/incident acknowledged")
    await do(
        play, play.bo, "/timeline 86 jobs died", "/timeline failed over to replica", "/timeline errors are going down"
    )
    await do(play, play.ana, "/incident mitigated", "/incident resolved")


async def follow_up(play: Play) -> None:
    await do(play, play.bo, *(f"/why {why}" for why in WHYS), "/why root")
    await do(play, play.bo, "/action cap the connections of batch jobs @Bo Demo due 2026-12-04")
    await do(play, play.bo, "/action alert on the pool @Ana Demo due 2026-12-04", "/action write the runbook @Bo Demo")
    await do(play, play.bo, "/action done 3")


def top_level(play: Play) -> list[ShownMessage]:
    """What Chandra, who only looks on, reads of the bot in the channel, threads left out."""
    seen = play.slack.messages(play.channel, user=play.chandra)
    return [one for one in seen if one.user == play.slack.bot_user_id and one.thread_ts in ("", one.ts)]


async def fill(play: Play, section: str, text: str) -> None:
    await type_command(play, play.ana, "/postmortem")
    picking = await window(play, play.ana, "postmortem_pick")
    await play.slack.submit(play.ana, picking, {"section": section})
    (view,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, view, {"text_0": text})
    await play.settle()


async def publish(play: Play) -> None:
    await fill(play, "summary", "A batch job used up the connections of the pool, and checkout had none left.")
    await fill(play, "impact", "Customers in the EU could not pay for 20 minutes.")
    await type_command(play, play.ana, "/postmortem publish")
    await play.settle()
    if play.case().incident.postmortem_status is not PostmortemStatus.PUBLISHED:  # asked about the findings first
        await press(play, play.ana, "postmortem_publish_anyway")


POSTS = (
    ("the live message", "INC-1 Checkout is down for EU"),
    ("the resolution", ":white_check_mark: *INC-1 resolved*"),
    ("the thread of the whys", "*The five whys of INC-1*"),
    ("the reminder after 24 hours", ":hourglass_flowing_sand:"),
    ("the reminder after 48 hours", ":hourglass_flowing_sand:"),
    ("the publication", ":tada:"),
)


async def test_an_onlooker_reads_at_most_six_posts_of_a_clean_incident(database_url: str) -> None:
    async with on_stage(database_url, environ=ASKED_EVERY_DAY) as play:
        await burn(play)
        await follow_up(play)
        for _ in range(2):
            await play.pass_time(hours=24)
            await play.settle()
        await publish(play)
        posts = top_level(play)
        assert len(posts) <= 6, [post.plain for post in posts]
        assert [name for (name, begins), post in zip(POSTS, posts, strict=True) if post.plain.startswith(begins)] == [
            name for name, _ in POSTS
        ]
        first, second = posts[3:5]
        assert (first.buttons, second.buttons) == ([], [])  # what was answered is one line
        assert "\n" not in first.plain
        assert play.chandra not in set().union(*(post.pings for post in posts))


async def test_nobody_is_nudged_in_a_clean_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ=ASKED_EVERY_DAY) as play:
        await burn(play)
        assert play.slack.messages(play.slack.dm(play.ana), user=play.ana) == []
