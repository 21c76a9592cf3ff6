"""What Slack tells about people is what the next entry is read by."""

from tests.handlers.stage import on_stage, opened, told


def as_told(user: str, name: str, zone: str) -> dict[str, object]:
    return {"id": user, "name": name.lower(), "real_name": name, "tz": zone, "profile": {"display_name": name}}


async def test_somebody_who_travels_is_read_in_the_new_zone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await opened(play)
        await play.slack.event({"type": "user_change", "user": as_told(play.ana, "Ana New Demo", "Asia/Tokyo")})
        assert "11:05 UTC (20:05 Tokyo)" in await told(play, play.ana, "/timeline 20:05 failed over")
        assert "— Ana New Demo #2" in await told(play, play.bo, "/timeline")


async def test_somebody_new_is_known_before_the_first_entry(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await opened(play)
        dana = play.slack.user("Dana Demo", "Europe/Berlin")
        play.slack.workspace.channels[play.channel].members.add(dana)
        await play.slack.event({"type": "team_join", "user": as_told(dana, "Dana Demo", "Europe/Paris")})
        asked = len([call for call in play.slack.calls if call.method == "users.info"])
        assert "(12:05 Paris)" in await told(play, dana, "/timeline 12:05 failed over")
        assert len([call for call in play.slack.calls if call.method == "users.info"]) == asked


async def test_everybody_in_a_zone_of_their_own_records_the_same_minute(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await opened(play)
        for user, line in ((play.ana, "13:05 a"), (play.bo, "07:05 b"), (play.chandra, "17:35 c")):
            await told(play, user, f"/timeline {line}")
        assert {f"{entry.happened_at:%H:%M}" for entry in play.case().entries[:3]} == {"12:05"}


async def test_the_operator_may_have_every_time_read_in_utc(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_INPUT_ZONE": "UTC"}) as play:
        await opened(play)
        said = await told(play, play.ana, "/timeline 12:05 failed over")
        assert "*12:05 UTC*" in said
        assert "That was UTC" not in said
