"""Every kind of channel: public, private, one without the bot; and what outsiders and guests may do."""

import pytest

from bot.rehearsal.delivery import AppDelivery
from tests.support.interactions import having, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


async def live_messages(play: Play, channel: str) -> int:
    return sum("timeline_form_open" in [button[1] for button in seen.buttons] for seen in play.slack.messages(channel))


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_whole_incident_in_a_channel(sqlite_url: str, transport: str, private: bool) -> None:
    async with on_stage(sqlite_url, transport=transport) as play:
        room = play.slack.channel("war-room", [play.ana, play.bo], private=private)
        await open_incident(play, channel=room)
        await type_command(play, play.bo, "/timeline 07:05 failed over to replica", room)
        await press(play, play.bo, "timeline_utc", channel=room)
        await press(play, play.bo, "timeline_undo", channel=room)
        await press(play, play.bo, "timeline_restore", channel=room)
        await type_command(play, play.ana, "/incident resolved", room)
        await play.settle()
        await press(play, play.bo, "why_answer", channel=room)
        (view,) = play.slack.views(play.bo)
        await play.slack.submit(play.bo, view, {"answer": "because the pool ran out"})
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow", room)
        await type_command(play, play.ana, "/postmortem export html", room)
        await play.settle()
        assert [file.channel for file in play.slack.files] == [room]
        case = play.case(room)
        assert (len(case.entries), len(case.whys), len(case.actions)) == (3, 1, 1)
        assert case.incident.channel_name == ("" if private else "war-room")
        await play.pass_time(hours=24)
        assert "postmortem is waiting for Ana Demo" in last(play, play.bo, room).plain


async def test_recording_works_where_the_bot_is_not_a_member(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["not_in_channel", "channel_not_found"]) as play:
        room = play.slack.channel("old-room", [play.ana, play.bo], with_bot=False, private=True)
        await open_incident(play, channel=room)
        note = last(play, play.ana, play.slack.dm(play.ana))
        assert "I can't post in #old-room" in note.plain
        assert "I'm not in that channel. Invite me there: `/invite @afterword`" in note.plain
        assert "You can still record there" in note.plain
        assert await live_messages(play, room) == 0
        await type_command(play, play.bo, "/timeline failed over to replica", room)
        await press(play, play.bo, "timeline_undo", channel=room)
        assert "Removed #2" in last(play, play.bo, room).plain
        await play.slack.invite_bot(room, play.ana)
        await play.settle()
        card = having(play, play.bo, "timeline_show", room)
        assert "INC-1 Checkout is failing" in card.plain
        await type_command(play, play.bo, "/timeline back to normal", room)
        await play.settle()
        assert "back to normal" in having(play, play.bo, "timeline_show", room).plain
        await play.slack.leave(play.slack.bot_user_id, room)
        await play.slack.invite_bot(room, play.ana)
        await play.settle()
        assert await live_messages(play, room) == 1


async def test_invited_before_the_first_attempt_the_live_message_is_posted_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["not_in_channel"]) as play:
        room = play.slack.channel("old-room", [play.ana], with_bot=False)
        await type_command(play, play.ana, "/incident open Checkout is failing", room)
        await play.slack.invite_bot(room, play.ana)
        await play.settle()
        assert await live_messages(play, room) == 1


async def test_somebody_else_joining_posts_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        dana = play.slack.user("Dana Demo")
        await play.slack.arrive(dana, play.channel)
        await play.settle()
        assert await live_messages(play, play.channel) == 1


async def test_the_list_keeps_private_channels_from_outsiders(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["channel_not_found", "not_in_channel"]) as play:
        room = play.slack.channel("war-room", [play.ana], private=True)
        other = play.slack.channel("payments", [play.ana], with_bot=False)
        assert "No incidents here yet" in await type_command(play, play.bo, "/incident list")
        await open_incident(play)
        await open_incident(play, "Secret breach", room)
        await type_command(play, play.ana, "/incident open Payments are slow", other)
        seen = await type_command(play, play.bo, "/incident list")
        assert "*INC-1* Checkout is failing · :white_circle: No severity · open · #checkout" in seen
        assert "Payments are slow" in seen
        assert "Secret breach" not in seen
        assert "INC-2" not in seen
        assert "Secret breach" in await type_command(play, play.ana, "/incident list")


async def test_a_button_of_another_channels_incident_does_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.channel("war-room", [play.ana, play.bo], private=True)
        await open_incident(play, channel=room)
        await type_command(play, play.bo, "/timeline failed over", room)
        await open_incident(play, "Another")
        await type_command(play, play.bo, "/timeline something else")
        inside = having(play, play.bo, "timeline_undo", room)
        answer = await play.slack.click(play.bo, inside, "timeline_undo")
        assert answer.delivery is not None
        payload = answer.delivery.payload | {"trigger_id": "another", "user": {"id": play.chandra}}
        payload["channel"] = {"id": play.channel, "name": "checkout"}
        payload["container"] = {**payload["container"], "channel_id": play.channel}
        before = play.case(room)
        await play.slack.deliver(AppDelivery("interactive", payload))
        await play.settle()
        assert play.case(room) == before


async def test_guests_are_refused_unless_the_operator_allows_them(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        guest = play.slack.user("Gus Demo", guest=True)
        play.slack.workspace.channels[play.channel].members.add(guest)
        await open_incident(play)
        answer = await type_command(play, guest, "/timeline failed over to replica")
        assert "Guests and people from other workspaces can't change incidents." in answer
        assert "failed over to replica" in answer
        await play.slack.click(guest, having(play, guest, "incident_resolved"), "incident_resolved")
        await play.slack.click(guest, having(play, guest, "incident_resolved"), "timeline_form_open")
        await play.settle()
        assert play.slack.views(guest) == []
        assert len(play.case().entries) == 1


async def test_guests_may_act_where_the_operator_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_ALLOW_GUESTS": "true"}) as play:
        guest = play.slack.user("Gus Demo", guest=True)
        play.slack.workspace.channels[play.channel].members.add(guest)
        await open_incident(play)
        await type_command(play, guest, "/timeline failed over to replica")
        assert play.case().entries[-1].author == guest


async def test_a_renamed_channel_is_named_anew_in_the_record(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.rename(play.ana, play.channel, "checkout-2026")
        await play.settle()
        assert play.case().incident.channel_name == "checkout-2026"
