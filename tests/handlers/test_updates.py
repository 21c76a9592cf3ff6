"""Updates for people outside, and what becomes of the promise of the next one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.announcements.updates import LONGEST_PROMISE, read_promise, split_update
from bot.domain.reminders import ReminderKind
from storage import reminders as reminders_store
from tests.support.announcements import OUTSIDE, announcing, go_on, read_dm, read_posts, type_lines
from tests.support.interactions import entry_texts, labels, on_stage, open_incident, press, type_command, window
from tests.support.play import TEAM, Play

NOW = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "text", "next_at"),
    [
        ("checkout at 80 %, next in 30m", "checkout at 80 %", at(14, 30)),
        ("checkout at 80 %, next in 1h 30m.", "checkout at 80 %", at(15, 30)),
        ("checkout at 80 %. Next update in half an hour", "checkout at 80 %", at(14, 30)),
        ("checkout at 80 %; next 1h", "checkout at 80 %", at(15)),
        ("checkout at 80 %, next 15:30", "checkout at 80 %", at(14, 30)),
        ("checkout at 80 % - next at 15:30 UTC", "checkout at 80 %", at(15, 30)),
        ("checkout at 80 %, next 9:00", "checkout at 80 %", at(8, 0, 2)),
        ("checkout at 80 %, next 2026-12-03 09:00", "checkout at 80 %", at(8, 0, 3)),
        ("checkout at 80 %", "checkout at 80 %", None),
        ("checkout at 80 %, next steps are unclear", "checkout at 80 %, next steps are unclear", None),
        ("the next 15:00 train is late", "the next 15:00 train is late", None),
        ("nobody knows what is next in 30m", "nobody knows what is next in 30m", None),
    ],
)
def test_next_with_a_time_is_a_promise_and_with_other_words_text(
    line: str, text: str, next_at: datetime | None
) -> None:
    found = split_update(line, NOW, BERLIN)
    assert (found.text, found.next_at, found.problem) == (text, next_at, "")


@pytest.mark.parametrize("when", ["in 30 parsecs", "in 9d", "25:00", "in 0m", "9"])
def test_a_promise_that_is_no_one_time_ahead_is_quoted(when: str) -> None:
    found = split_update(f"checkout at 80 %, next {when}", NOW, BERLIN)
    assert (found.next_at, found.problem) == (None, when)


@given(st.text(max_size=200), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]))
def test_whatever_is_typed_nothing_is_lost_and_every_promise_is_ahead(line: str, zone: str) -> None:
    found = split_update(line, NOW, ZoneInfo(zone))
    assert found.next_at is None or NOW < found.next_at <= NOW + LONGEST_PROMISE
    if found.next_at is None and not found.problem:
        assert found.text == line.strip()


@given(st.integers(1, 600))
def test_minutes_ahead_are_read_to_the_minute(minutes: int) -> None:
    assert read_promise(f"in {minutes}m", NOW, BERLIN) == NOW + timedelta(minutes=minutes)


@given(st.datetimes(NOW.replace(tzinfo=None), (NOW + timedelta(hours=23)).replace(tzinfo=None)))
def test_a_clock_is_the_next_one_in_the_zone_of_its_author(moment: datetime) -> None:
    wanted = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    local = wanted.astimezone(BERLIN)
    assert read_promise(f"{local:%H:%M}", NOW, BERLIN) == (wanted if wanted > NOW else wanted + timedelta(days=1))


def states(play: Play) -> list[str]:
    incident = play.case().incident
    found = play.bot.store.read_now(
        lambda tx: reminders_store.list_latest(tx, TEAM, ReminderKind.PROMISED, str(incident.id), 9)
    )
    return sorted(str(reminder.state) for reminder in found)


async def promise_update(play: Play) -> None:
    """Ana leads; Bo writes an update at 12:30 and promises the next for 13:00."""
    await open_incident(play)
    await type_lines(play, play.ana, "/incident lead me")
    await type_lines(play, play.bo, "/incident update checkout at 80 %, next in 30m")


async def test_an_update_is_an_entry_a_receipt_and_the_latest_line_outside(database_url: str) -> None:
    async with announcing(database_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/incident update checkout at 80 %, next in 30m")
        assert answer.splitlines()[0] == "*INC-1 #2* checkout at 80 %"
        assert "unless this channel is private or shared" in answer
        assert "Next update: 13:00 UTC (14:00 Berlin)" in answer
        await go_on(play)
        assert entry_texts(play)[-1] == "checkout at 80 %"
        (post,) = read_posts(play)
        assert "\n12:30 UTC: checkout at 80 %\nNext update: 13:00 UTC\n" in post.plain
        await type_lines(play, play.ana, "/incident update all fine again")
        (post,) = read_posts(play)
        assert "all fine again" in post.plain
        assert "80 %" not in post.plain
        assert "Next update" not in post.plain


async def test_a_time_that_is_none_is_refused_with_the_text_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/incident update at 80 %, next in 30 parsecs")
        assert "I couldn't read “in 30 parsecs” as one time ahead" in answer
        assert "update at 80 %, next in 30 parsecs" in answer
        assert "What can people outside read?" in await type_command(play, play.ana, "/incident update")
        assert "What's the news?" in await type_command(play, play.ana, "/incident update next in 30m")
        assert len(entry_texts(play)) == 1


async def test_a_late_promise_is_asked_of_the_lead_alone_and_once(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        before = len(read_dm(play, play.ana))
        await play.pass_time(minutes=29, seconds=50)
        assert len(read_dm(play, play.ana)) == before
        for _ in range(4):
            await play.pass_time(minutes=1)
        (question,) = read_dm(play, play.ana)[before:]
        assert question.plain.startswith(
            "The next update on *INC-1* Checkout is failing was promised for 13:00 UTC. What can people outside read?"
        )
        assert labels(question) == ["Write", "Nothing new", "No more"]
        assert [one for one in read_dm(play, play.bo) if "promised" in one.plain] == []
        assert [one for one in play.slack.messages(play.channel) if "promised" in one.plain] == []
        assert states(play) == ["sent"]


async def test_nothing_new_says_so_and_promises_for_as_long_again(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        await play.pass_time(minutes=31)
        await press(play, play.ana, "update_quiet", channel=play.slack.dm(play.ana))
        await go_on(play)
        (post,) = read_posts(play)
        assert "12:30 UTC: checkout at 80 %\nNo news at 13:01 UTC. Next update: 13:31 UTC\n" in post.plain
        shown = read_dm(play, play.ana)[-1]
        assert shown.plain == "*INC-1*: no news at 13:01 UTC. The next update is promised for 13:31 UTC."
        await play.pass_time(minutes=31)
        assert "was promised for 13:31 UTC" in read_dm(play, play.ana)[-1].plain
        assert states(play) == ["sent", "sent"]


async def test_no_more_ends_the_promise(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        await play.pass_time(minutes=31)
        await press(play, play.ana, "update_end", channel=play.slack.dm(play.ana))
        await go_on(play)
        assert "Next update" not in read_posts(play)[0].plain
        assert read_dm(play, play.ana)[-1].plain == "*INC-1*: no further update is promised."
        await play.pass_time(hours=2)
        assert states(play) == ["sent"]


async def test_write_opens_a_form_and_sends_an_update_with_its_own_promise(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        await play.pass_time(minutes=31)
        view = await window(play, play.ana, "update_write", play.slack.dm(play.ana))
        refused = await play.slack.submit(play.ana, view, {"text": "at 95 %", "next": "some day"})
        assert "I couldn't read" in str(refused.body)
        await play.slack.submit(play.ana, view, {"text": "at 95 %", "next": "in 10m"})
        await go_on(play)
        assert "13:01 UTC: at 95 %\nNext update: 13:11 UTC" in read_posts(play)[0].plain
        assert any(one.plain == "*INC-1*: the update is out." for one in read_dm(play, play.ana))
        assert entry_texts(play)[-1] == "at 95 %"


async def test_a_promise_is_not_asked_for_once_it_is_answered_or_the_incident_is_over(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        await play.pass_time(minutes=20)
        await type_lines(play, play.bo, "/incident update at 90 %, next in 20m")
        await play.pass_time(minutes=15)
        assert [one for one in read_dm(play, play.ana) if "promised" in one.plain] == []
        await type_lines(play, play.bo, "/incident resolved")
        await play.pass_time(minutes=30)
        assert [one for one in read_dm(play, play.ana) if "promised" in one.plain] == []
        assert states(play) == ["cancelled", "cancelled"]


async def test_the_question_goes_once_the_incident_is_resolved_elsewhere(database_url: str) -> None:
    async with announcing(database_url) as play:
        await promise_update(play)
        await play.pass_time(minutes=31)
        await type_lines(play, play.bo, "/incident resolved")
        assert any(one.plain == "*INC-1* is resolved, so no update is due." for one in read_dm(play, play.ana))
        assert [one for one in read_dm(play, play.ana) if "Nothing new" in one.plain] == []


async def test_without_a_lead_its_author_is_asked_and_a_private_incident_has_promises_too(sqlite_url: str) -> None:
    async with announcing(sqlite_url) as play:
        play.slack.workspace.channels[play.channel].private = True
        await open_incident(play)
        await type_lines(play, play.bo, "/incident update the vault is open, next in 30m")
        await play.pass_time(minutes=31)
        await press(play, play.bo, "update_quiet", channel=play.slack.dm(play.bo))
        await go_on(play)
        assert "no news at 13:01 UTC" in read_dm(play, play.bo)[-1].plain
        assert read_posts(play, OUTSIDE) == []


async def test_without_a_promise_nothing_is_asked_and_none_is_made_once_it_is_over(
    sqlite_url: str,
) -> None:
    async with announcing(sqlite_url) as play:
        await open_incident(play)
        await type_lines(play, play.ana, "/incident update at 80 %")
        await play.pass_time(hours=3)
        assert read_dm(play, play.ana) == []
        await type_lines(play, play.ana, "/incident resolved")
        assert "is resolved, so no further update is due" in await type_command(
            play, play.ana, "/incident update still watching, next in 1h"
        )
        assert "still watching" in await type_command(play, play.ana, "/incident update still watching")
