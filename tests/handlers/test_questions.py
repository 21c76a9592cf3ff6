"""A time that has no one honest reading is asked; what was typed twice is asked; what came twice is taken once."""

import asyncio

import pytest

from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


def times(play: Play) -> list[str]:
    return [f"{entry.happened_at:%m-%d %H:%M} {entry.text}" for entry in play.case().entries[:-1]]


async def test_a_time_that_cannot_be_is_asked_and_nothing_is_recorded_before(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/timeline 25:99 failed over")
        assert "Not recorded yet" in answer
        assert "failed over" in answer
        assert labels(last(play, play.ana)) == ["Just now"]
        assert len(play.case().entries) == 1
        await play.pass_time(seconds=20)
        await press(play, play.ana, "timeline_at_now")
        assert play.case().entries[-1].text == "failed over"
        assert play.case().entries[-1].happened_at == play.clock.now()


async def test_each_reading_is_a_button_and_the_one_pressed_is_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 05/04 10:00 old alert: <!here> & *co*")
        asked = last(play, play.ana)
        assert labels(asked) == [
            "Sun 5 Apr, 08:00 UTC (10:00 Berlin)",
            "Mon 4 May, 08:00 UTC (10:00 Berlin)",
            "Just now",
        ]
        receipt = await press(play, play.ana, "timeline_at_1")
        assert "Mon 4 May, 08:00 UTC" in receipt.plain
        assert times(play) == ["05-04 08:00 old alert: <!here> & *co*"]
        assert "Not recorded yet" not in receipt.plain  # the receipt took the question's place


async def test_a_range_that_was_asked_keeps_its_length_and_its_doubt(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline ~05/04 10:00-10:20 slow queries")
        await press(play, play.ana, "timeline_at_0")
        entry = play.case().entries[0]
        assert entry.ended_at is not None
        assert (f"{entry.happened_at:%m-%d %H:%M}", f"{entry.ended_at:%H:%M}") == ("04-05 08:00", "08:20")
        assert entry.approximate
        assert entry.text == "slow queries"


async def test_a_question_pressed_twice_records_once_for_each_press(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 25:99 failed over")
        answer = await play.slack.click(play.ana, last(play, play.ana), "timeline_at_now")
        await play.slack.deliver_again(answer)
        await play.settle()
        assert [entry.text for entry in play.case().entries].count("failed over") == 1


async def test_a_text_too_long_for_a_button_is_given_back_instead(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        text = "failed over " + "ü" * 3_000
        answer = await type_command(play, play.ana, f"/timeline 25:99 {text}")
        assert "Not recorded." in answer
        assert text.replace(" ", "") in answer.replace("\n", "").replace(" ", "")
        assert len(play.case().entries) == 1


@pytest.mark.parametrize("line", ["14:05", "25:99", "yesterday 23:50"])
async def test_a_time_without_words_is_refused(sqlite_url: str, line: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "You gave a time, but not what happened" in await type_command(play, play.ana, f"/timeline {line}")
        assert len(play.case().entries) == 1


async def test_the_same_typed_again_at_once_is_asked_about(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 10 min ago errors back to normal")
        await play.pass_time(seconds=6)
        answer = await type_command(play, play.ana, "/timeline 10 min ago errors back to normal")
        assert "Already recorded as #2: errors back to normal" in answer
        assert labels(last(play, play.ana)) == ["Add it again"]
        assert len(play.case().entries) == 2
        await play.pass_time(minutes=5)
        receipt = await press(play, play.ana, "timeline_again")
        assert "12:20 UTC" in receipt.plain  # as it was meant when it was typed
        assert times(play) == ["11-23 12:20 errors back to normal", "11-23 12:20 errors back to normal"]


async def test_the_same_by_somebody_else_or_later_is_no_repeat(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline seen again")
        await type_command(play, play.bo, "/timeline seen again")
        await play.pass_time(seconds=11)
        await type_command(play, play.ana, "/timeline seen again")
        assert len(play.case().entries) == 4


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_command_delivered_three_times_is_one_entry_with_equal_replies(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, transport=transport) as play:
        await open_incident(play)
        for line in (
            "/timeline 12:05 failed over",
            "/incident sev 2",
            "/incident resolved",
            "/why because the pool ran out",
            "/action add a load test due friday",
            "/postmortem waive a drill, nothing broke",
        ):
            answer = await play.slack.command(play.ana, play.channel, line)
            before = play.case()
            again = await asyncio.gather(*(play.slack.deliver_again(answer) for _ in range(2)))
            assert {one.raw for one in again} == {answer.raw}
            assert play.case() == before


async def test_a_click_delivered_twice_has_one_effect(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        receipt = last(play, play.ana)
        answer = await play.slack.click(play.ana, receipt, "timeline_undo")
        await play.slack.deliver_again(answer)
        await play.settle()
        assert "is already removed" not in last(play, play.ana).plain
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/action add a load test @Bo Demo")
        await play.settle()
        room = play.slack.dm(play.bo)
        answer = await play.slack.click(play.bo, having(play, play.bo, "action_done", room), "action_done")
        await play.slack.deliver_again(answer)
        await play.settle()
        done = [message for message in play.slack.messages(room) if "Action 1 of INC-1 is done" in message.plain]
        assert len(done) == 1


async def test_a_form_sent_twice_has_one_effect(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await press(play, play.bo, "timeline_form_open")
        (view,) = play.slack.views(play.bo)
        answer = await play.slack.submit(play.bo, view, {"line": "first alert"})
        await play.slack.deliver_again(answer)
        await play.settle()
        assert [entry.text for entry in play.case().entries].count("first alert") == 1
