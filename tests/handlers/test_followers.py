"""Following an incident by DM, and the weekly digest."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.app import Afterword
from bot.domain.announcements.posts import DigestRules, parse_digest
from storage.database.store import open_store
from tests.handlers.test_announcements import NEUTRAL, publish
from tests.support.announcements import OUTSIDE, add_channel, announcing, go_on, read_dm, read_posts, type_lines
from tests.support.interactions import labels, on_stage, open_incident, press, type_command
from tests.support.play import Play, settings_for
from tests.support.timeouts import PATIENT


def about(play: Play, user: str) -> list[str]:
    """What the bot wrote to a person about the incident, line by line."""
    return [one.plain for one in read_dm(play, user) if "INC-1" in one.plain]


async def test_a_follower_reads_the_same_in_one_message_and_a_new_one_for_what_they_wait_for(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        answer = await press(play, play.chandra, "announce_follow", channel=OUTSIDE)
        assert "You're following *INC-1*" in answer.plain
        await type_lines(play, play.ana, "/incident sev 2", "/incident update at 80 %, next in 30m")
        (shown,) = about(play, play.chandra)
        assert "sev2 · *Open*" in shown
        assert "at 80 %\nNext update: 13:00 UTC" in shown
        assert labels(read_dm(play, play.chandra)[-1]) == ["Stop following"]
        await publish(play)
        texts = about(play, play.chandra)
        assert [text.splitlines()[0] for text in texts] == [
            "*INC-1* is resolved: there's a newer message about it in this conversation.",
            "*INC-1* has its postmortem: there's a newer message about it in this conversation.",
            "*INC-1 Checkout is failing*",
        ]
        assert "*Postmortem published*" in texts[-1]
        assert labels(read_dm(play, play.chandra)[-1]) == ["Go to channel"]


async def test_a_follower_can_stop_and_begin_again(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        await press(play, play.chandra, "announce_follow", channel=OUTSIDE)
        await press(play, play.chandra, "announce_unfollow", channel=play.slack.dm(play.chandra))
        await go_on(play)
        assert about(play, play.chandra)[0] == "You've stopped following *INC-1*."
        await type_lines(play, play.ana, "/incident sev 1")
        assert not any("sev1" in text for text in about(play, play.chandra))
        assert "You're following *INC-1*" in await type_command(play, play.chandra, "/incident follow")
        await go_on(play)
        assert "sev1" in about(play, play.chandra)[-1]
        assert "already following INC-1" in await type_command(play, play.chandra, "/incident follow")
        assert "stopped following *INC-1*" in await type_command(play, play.chandra, "/incident unfollow")
        assert "aren't following INC-1" in await type_command(play, play.chandra, "/incident unfollow INC-1")


async def test_follow_by_key_works_elsewhere_and_not_for_who_may_not_look_in(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = play.slack.channel("elsewhere", [play.chandra, play.bo])
        secret = play.slack.channel("vault", [play.ana], private=True)
        await open_incident(play)
        await open_incident(play, "The vault is open", secret)
        assert "You're following *INC-1*" in await type_command(play, play.chandra, "/incident follow INC-1", room)
        refused = await type_command(play, play.chandra, "/incident follow INC-2", room)
        assert "vault" not in refused.lower().replace("access", "")
        await go_on(play)
        assert [text for text in about(play, play.chandra) if "vault" in text.lower()] == []
        assert len(about(play, play.chandra)) == 1
        # Followers need no announce channel.
        await type_lines(play, play.ana, "/incident sev 3")
        assert "sev3" in about(play, play.chandra)[0]


async def test_a_guest_may_not_follow(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        guest = play.slack.user("Gil Demo", guest=True)
        play.slack.workspace.channels[OUTSIDE].members.add(guest)
        await open_incident(play)
        answer = await press(play, guest, "announce_follow", channel=OUTSIDE)
        assert "You're following" not in answer.plain
        assert [one for one in read_dm(play, guest) if "Checkout" in one.plain] == []


async def test_a_follower_who_may_not_look_in_any_more_reads_a_neutral_line(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        await press(play, play.chandra, "announce_follow", channel=OUTSIDE)
        play.slack.workspace.channels[play.channel].members.discard(play.chandra)
        play.slack.workspace.channels[play.channel].private = True
        play.bot.slack.channels.forget(play.channel)
        await type_lines(play, play.ana, "/incident rename the vault is open", "/incident sev 1")
        assert read_dm(play, play.chandra)[0].plain == NEUTRAL
        # Also what would be a new message is one line.
        await type_lines(play, play.ana, "/incident resolved")
        assert [one.plain for one in read_dm(play, play.chandra)] == [NEUTRAL]


async def test_a_member_follows_a_private_incident_and_nobody_else_reads_of_it(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        play.slack.workspace.channels[play.channel].private = True
        await open_incident(play)
        await type_command(play, play.bo, "/incident follow")
        await type_lines(play, play.ana, "/incident sev 1")
        assert "sev1" in about(play, play.bo)[-1]
        assert read_posts(play) == []


async def test_what_was_enqueued_goes_out_once_after_a_restart(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        await press(play, play.chandra, "announce_follow", channel=OUTSIDE)
        await type_command(play, play.ana, "/incident update at 80 %, next in 30m")
        await play.bot.boundary.drain()
        # Another process on the same database sends what this one left behind, and asks for the update.
        settings = settings_for(play.slack, database_url, environ={"AFTERWORD_ANNOUNCE_CHANNEL": OUTSIDE})
        store = open_store(settings.sqlalchemy_url, timeouts=PATIENT)
        try:
            async with Afterword(settings, store, play.clock) as second:
                await second.tick(play.clock.now())
                await play.pass_time(minutes=31)
                await second.tick(play.clock.now())
        finally:
            store.close()
        (post,) = read_posts(play)
        assert "at 80 %\nNext update: 13:00 UTC" in post.plain
        assert len(about(play, play.chandra)) == 1
        assert len([one for one in read_dm(play, play.ana) if "was promised for" in one.plain]) == 1


DIGEST = {"AFTERWORD_DIGEST": f"tuesday 9 {OUTSIDE}", "AFTERWORD_INPUT_ZONE": "Europe/Berlin"}


async def test_the_weekly_digest_is_one_message_of_what_is_public(database_url: str) -> None:
    async with on_stage(database_url, environ=DIGEST) as play:
        add_channel(play)
        secret = play.slack.channel("vault", [play.ana], private=True)
        await open_incident(play)
        await type_lines(play, play.ana, "/action add a load test @Bo Demo due today", "/incident sev 2")
        await publish(play)
        await open_incident(play, "Search is slow")
        await open_incident(play, "The vault is open", secret)
        await play.pass_time(hours=19)  # Tuesday, 8:30 in Berlin
        assert read_posts(play) == []
        await play.pass_time(minutes=31)
        for _ in range(3):
            await play.pass_time(hours=1)
        (digest,) = read_posts(play)
        assert digest.plain.splitlines() == [
            "*Incidents of the week*",
            "*Published:* 1 postmortem",
            "• INC-1 Checkout is failing",
            "*Going on:* 1 incident",
            "• INC-2 Search is slow · :white_circle: No severity",
            "*Overdue:* 1 action",
            "• INC-1 Checkout is failing · 1 action",
        ]
        await play.pass_time(days=7)
        assert len(read_posts(play)) == 2
        assert "Published" not in read_posts(play)[-1].plain


async def test_without_anything_to_say_there_is_no_digest(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ=DIGEST) as play:
        add_channel(play)
        await open_incident(play)
        await type_lines(play, play.ana, "/incident resolved")
        await play.pass_time(hours=20)
        assert read_posts(play) == []


async def test_it_waits_for_slacks_answer_on_what_is_public(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ=DIGEST, refused=["internal_error"]) as play:
        add_channel(play)
        await open_incident(play)
        await play.pass_time(hours=19, minutes=20)
        play.bot.slack.channels.forget(play.channel)
        play.slack.fail("conversations.info", "internal_error", times=50)
        await play.pass_time(minutes=11)
        assert read_posts(play) == []
        play.slack.api.faults["conversations.info"].clear()
        await play.pass_time(minutes=5)
        assert "INC-1" in read_posts(play)[0].plain


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("monday 9", DigestRules(0, 9, "C1")),
        ("Fri 17:00", DigestRules(4, 17, "C1")),
        ("sunday 0 C0OTHER", DigestRules(6, 0, "C0OTHER")),
        ("none", None),
    ],
)
def test_a_digests_setting_is_a_day_an_hour_and_a_channel(text: str, rules: DigestRules | None) -> None:
    assert parse_digest(text, "C1", UTC) == rules


@pytest.mark.parametrize("text", ["someday 9", "monday", "monday 24", "monday 9 general", "9", "monday 9:30"])
def test_any_other_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a day and an hour"):
        parse_digest(text, "C1", UTC)
    with pytest.raises(ValueError, match="name a channel"):
        parse_digest("monday 9", "", UTC)


def test_a_digest_is_due_at_its_hour_in_its_zone_for_a_day() -> None:
    rules = DigestRules(0, 9, "C1", ZoneInfo("Europe/Berlin"))
    slots = [rules.slot(datetime(2026, 11, day, hour, 59, tzinfo=UTC)) for day, hour in ((30, 6), (30, 7), (30, 8))]
    assert slots == [None, None, "2026-11-30"]
    assert rules.slot(datetime(2026, 12, 1, 7, 59, tzinfo=UTC)) == "2026-11-30"
    assert rules.slot(datetime(2026, 12, 1, 8, 0, tzinfo=UTC)) is None
