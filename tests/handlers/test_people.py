"""What Slack tells about people is what the next entry is read by."""

from tests.support.interactions import on_stage, open_incident, type_command


def as_told(user: str, name: str, zone: str) -> dict[str, object]:
    return {"id": user, "name": name.lower(), "real_name": name, "tz": zone, "profile": {"display_name": name}}


async def test_somebody_who_travels_is_read_in_the_new_zone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.event({"type": "user_change", "user": as_told(play.ana, "Ana New Demo", "Asia/Tokyo")})
        assert "11:05 UTC (20:05 Tokyo)" in await type_command(play, play.ana, "/timeline 20:05 failed over")
        assert "— Ana New Demo #2" in await type_command(play, play.bo, "/timeline")


async def test_somebody_new_is_known_before_the_first_entry(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        dana = play.slack.user("Dana Demo", "Europe/Berlin")
        play.slack.workspace.channels[play.channel].members.add(dana)
        await play.slack.event({"type": "team_join", "user": as_told(dana, "Dana Demo", "Europe/Paris")})
        asked = len([call for call in play.slack.calls if call.method == "users.info"])
        assert "(12:05 Paris)" in await type_command(play, dana, "/timeline 12:05 failed over")
        assert len([call for call in play.slack.calls if call.method == "users.info"]) == asked


async def test_everybody_in_a_zone_of_their_own_records_the_same_minute(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for user, line in ((play.ana, "13:05 a"), (play.bo, "07:05 b"), (play.chandra, "17:35 c")):
            await type_command(play, user, f"/timeline {line}")
        assert {f"{entry.happened_at:%H:%M}" for entry in play.case().entries[:3]} == {"12:05"}


async def test_the_operator_may_have_every_time_read_in_utc(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_INPUT_ZONE": "UTC"}) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/timeline 12:05 failed over")
        assert "*#2 · 12:05 UTC*" in answer
        assert "That was UTC" not in answer


async def test_the_bot_says_once_how_to_record_where_it_is_invited(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.channel("new-room", [play.ana], with_bot=False)
        invited = await play.slack.invite_bot(room, by=play.ana)
        assert invited is not None
        await play.slack.deliver_again(invited)
        await play.settle()
        (card,) = play.slack.messages(room)
        assert card.ephemeral_for == ""
        assert len(card.plain.removesuffix("\nOpen an incident").splitlines()) == 4
        for way in ("/timeline", ":memo:", "@afterword", "/incident resolved", "/postmortem export"):
            assert way in card.plain
        answer = await play.slack.click(play.ana, card, "incident_form_open")
        assert answer.ok
        await play.settle()
        (view,) = play.slack.views(play.ana)
        assert view.callback_id == "incident_open"


async def test_an_invitation_into_a_channel_with_an_incident_brings_its_live_message_and_no_lesson(
    sqlite_url: str,
) -> None:
    async with on_stage(sqlite_url, refused={"not_in_channel"}) as play:
        room = play.slack.channel("new-room", [play.ana], with_bot=False)
        await open_incident(play, channel=room)
        await play.slack.invite_bot(room, by=play.ana)
        await play.settle()
        texts = [message.plain for message in play.slack.messages(room)]
        assert len([text for text in texts if "INC-1" in text]) == 1
        assert not [text for text in texts if "I am Afterword" in text]


async def test_somebody_else_who_joins_hears_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        before = len(play.slack.messages(play.channel))
        await play.slack.arrive(play.slack.user("Dana Demo"), play.channel)
        await play.settle()
        assert len(play.slack.messages(play.channel)) == before
