"""People outside an incident's channel: its one post, and who must see nothing of it."""

import logging
from dataclasses import replace

import pytest

from bot.domain.announcements.posts import NO_ANNOUNCEMENTS, AnnounceRules
from bot.services.context import Services
from bot.services.history import people as people_service
from tests.handlers.test_library_links import LIBRARY
from tests.handlers.test_postmortem import NEEDED, fill
from tests.support.announcements import OUTSIDE, add_channel, announcing, go_on, read_posts, type_lines
from tests.support.interactions import labels, on_stage, open_incident, type_command
from tests.support.play import Play


async def publish(play: Play) -> None:
    """Resolve the incident, fill what its postmortem needs, and publish it."""
    await type_lines(play, play.ana, "/incident resolved")
    for section, text in NEEDED.items():
        await fill(play, play.bo, section, text)
    await type_lines(play, play.bo, "/postmortem publish")


def with_rules(play: Play, rules: AnnounceRules) -> Services:
    services = play.bot.services
    return replace(services, policy=replace(services.policy, announce=rules))


NEUTRAL = "An incident was shown here. Its channel is private now, so it isn't anymore."


async def test_an_incident_has_one_post_that_is_edited_in_place(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        (post,) = read_posts(play)
        first = post.ts
        assert post.plain.splitlines() == [
            "*INC-1 Checkout is failing*",
            ":white_circle: No severity · *Open* · since Mon 23 Nov, 12:30 UTC · #checkout",
            "Follow",
        ]
        await type_lines(play, play.ana, "/incident sev 2", "/incident lead me", "/incident mitigated")
        (post,) = read_posts(play)
        assert post.plain.splitlines()[1] == (
            ":large_orange_circle: sev2 · *Mitigated* · Lead: Ana Demo · since Mon 23 Nov, 12:30 UTC · #checkout"
        )
        await play.pass_time(minutes=30)
        await publish(play)
        (post,) = read_posts(play)
        assert post.ts == first
        assert "*Postmortem published* · lasted 30 min" in post.plain
        assert labels(post) == ["Go to channel"]
        # Nobody in its own channel reads of all that.
        assert not [one for one in play.slack.messages(play.channel) if "Follow" in one.plain]


async def test_the_published_post_says_what_happened_and_why_in_two_lines(sqlite_url: str) -> None:
    async with announcing(sqlite_url, environ=LIBRARY) as play:
        await open_incident(play)
        await publish(play)
        (post,) = read_posts(play)
        assert labels(post) == ["Read"]
        assert "/library/INC-1" in str(post.blocks)
        assert "\nIt broke.\n*Cause:* The pool.\n" in post.plain


async def test_a_burst_of_changes_is_one_edit(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        for number in (1, 2, 3, 4):
            await type_command(play, play.ana, f"/incident sev {number}")
        await go_on(play)
        edits = [call for call in play.slack.calls if call.method == "chat.update" and call.args["channel"] == OUTSIDE]
        assert len(edits) == 1


async def test_an_incident_of_a_private_channel_never_leaves(database_url: str) -> None:
    async with announcing(database_url) as play:
        play.slack.workspace.channels[play.channel].private = True
        await open_incident(play)
        await type_lines(play, play.ana, "/incident sev 1", "/incident update the vault is open, next in 30m")
        await publish(play)
        assert read_posts(play) == []


@pytest.mark.parametrize("by_event", [True, False])
async def test_a_channel_that_becomes_private_takes_its_post_back(database_url: str, by_event: bool) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        await play.pass_time(hours=3)
        play.slack.workspace.channels[play.channel].private = True
        if by_event:
            converted = {"type": "message", "subtype": "channel_convert_to_private", "channel": play.channel}
            await play.slack.event(converted | {"user": play.ana, "ts": "1795437000.000100"})
            await play.settle()
        else:
            await play.pass_time(hours=22)
            await play.settle()
        (post,) = read_posts(play)
        assert post.plain == NEUTRAL
        await type_lines(play, play.ana, "/incident sev 1", "/incident rename the vault is open")
        (post,) = read_posts(play)
        assert post.plain == NEUTRAL


async def test_while_slack_does_not_say_whether_a_channel_is_public_nothing_goes_out(sqlite_url: str) -> None:
    async with announcing(sqlite_url, refused=["internal_error"]) as play:
        play.slack.fail("conversations.info", "internal_error", times=50)
        await open_incident(play)
        await go_on(play)
        assert read_posts(play) == []


async def test_nothing_is_announced_where_other_organizations_read_along(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with announcing(sqlite_url) as play:
        play.slack.workspace.channels[OUTSIDE].shared = True
        with caplog.at_level(logging.WARNING):
            await open_incident(play)
        assert read_posts(play) == []
        assert "other organizations read along" in caplog.text


async def test_without_the_bot_in_the_announce_channel_recording_goes_on(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with announcing(sqlite_url, refused=["not_in_channel"]) as play:
        play.slack.workspace.channels[OUTSIDE].members.discard(play.slack.bot_user_id)
        await open_incident(play)
        assert "failed over" in await type_command(play, play.ana, "/timeline failed over")
        await go_on(play)
        assert read_posts(play) == []
        assert f"to {OUTSIDE} is given up" in caplog.text
        # Once it is there, the next change announces the incident.
        play.slack.workspace.channels[OUTSIDE].members.add(play.slack.bot_user_id)
        await type_lines(play, play.ana, "/incident sev 1")
        assert "sev1" in read_posts(play)[0].plain


async def test_a_post_that_was_deleted_is_not_posted_again(sqlite_url: str) -> None:
    async with announcing(sqlite_url, refused=["message_not_found"]) as play:
        await open_incident(play)
        play.slack.workspace.channels[OUTSIDE].messages.clear()
        await type_lines(play, play.ana, "/incident sev 1")
        assert read_posts(play) == []


async def test_what_is_redacted_or_forgotten_goes_from_the_post(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play, "Jane Roe can't pay")
        await type_lines(play, play.ana, "/incident lead @Bo Demo", "/incident update Jane Roe waits, next in 30m")
        assert "Jane Roe waits" in read_posts(play)[0].plain
        await type_lines(play, play.ana, '/timeline redact 3 "Jane Roe"')
        (post,) = read_posts(play)
        assert "[redacted] waits" in post.plain
        assert "Jane" not in post.plain
        people_service.forget(play.bot.store, play.bo, (), play.clock.now(), is_dry=False)
        await go_on(play)
        (post,) = read_posts(play)
        assert "Bo Demo" not in post.plain
        assert "Lead: Person " in post.plain


async def test_an_update_that_is_corrected_or_taken_back_is_so_outside(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        await type_lines(play, play.ana, "/incident update at 70 %", "/incident update at 80 %")
        assert "at 80 %" in read_posts(play)[0].plain
        await type_lines(play, play.ana, "/timeline edit 3 at 85 %")
        assert "at 85 %" in read_posts(play)[0].plain
        await type_lines(play, play.ana, "/timeline delete 3")
        assert "at 70 %" in read_posts(play)[0].plain


async def test_a_title_that_is_markup_is_shown_as_typed(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        await open_incident(play, "*bold* <!channel> `x` & <https://evil.example|INC-9>")
        (post,) = read_posts(play)
        assert "<!channel>" not in str(post.blocks)
        assert "evil.example|INC-9>" not in str(post.blocks)


async def test_without_the_setting_nothing_is_announced(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        add_channel(play)
        await open_incident(play)
        await go_on(play)
        assert read_posts(play) == []
        assert play.bot.services.policy.announce.channel == ""


async def test_an_old_incident_is_not_announced_when_something_of_it_changes(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        play.bot.boundary.services = with_rules(play, NO_ANNOUNCEMENTS)
        await open_incident(play)
        await publish(play)
        await play.pass_time(hours=30)
        play.bot.boundary.services = with_rules(play, AnnounceRules(OUTSIDE))
        await type_lines(play, play.ana, "/action add a load test @Bo Demo due friday", "/postmortem owner @Bo Demo")
        assert read_posts(play) == []


async def test_the_button_of_a_finished_incident_is_gone(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        await open_incident(play)
        await type_lines(play, play.ana, "/incident resolved", "/postmortem waive a drill")
        assert labels(read_posts(play)[0]) == ["Go to channel"]
