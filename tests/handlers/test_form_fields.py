"""A form reads back what it was filled with: who changes one field leaves every other value as it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.records import Entry, Milestone
from bot.rehearsal.screen import ShownView, list_elements
from storage import timeline as timeline_store
from storage.timeline import NewEntry
from tests.handlers.test_corrections import editing, wordings
from tests.support.interactions import last, on_stage, open_incident, type_command
from tests.support.play import Play, reached_at

AUTUMN = datetime(2026, 10, 25, tzinfo=UTC)
DAYS = "2026-11-20 10:00 UTC - 2026-11-22 11:00 UTC"
TIMES = [
    (AUTUMN.replace(hour=0, minute=30), None, False),  # 02:30 in Berlin, the first time
    (AUTUMN.replace(hour=1, minute=30), None, False),  # and the second
    (AUTUMN.replace(hour=0, minute=30), AUTUMN.replace(hour=1, minute=30), True),
    (datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 22, 11, tzinfo=UTC), False),
    (datetime(2026, 11, 20, 22, tzinfo=UTC), datetime(2026, 11, 21, 3, tzinfo=UTC), True),
    (datetime(2026, 11, 20, 10, 5, 57, tzinfo=UTC), datetime(2026, 11, 20, 10, 5, 58, tzinfo=UTC), False),
    (datetime(2026, 11, 20, 10, 5, 57, 123_456, tzinfo=UTC), None, False),
    (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 1, tzinfo=UTC), False),
    (datetime(2019, 2, 3, 4, 5, tzinfo=UTC), None, True),
]
LONG = "\n\n".join(
    f"{number}. The pool of replica {number} ran out of connections.\t" * 8 for number in range(90)
).strip()


def entry(play: Play, number: int) -> Entry:
    return next(each for each in play.case().entries if each.number == number)


def times(play: Play, number: int) -> tuple[datetime, datetime | None, bool]:
    found = entry(play, number)
    return found.happened_at, found.ended_at, found.approximate


def fields(view: ShownView) -> dict[str, Any]:
    """What stands in the fields of a window, by action."""
    return {
        element["action_id"]: element.get("initial_value", element.get("initial_date", element.get("initial_user")))
        for _, element in list_elements(view.blocks)
        if element["type"] in ("plain_text_input", "datepicker", "users_select")
    }


def record(play: Play, text: str = "it broke", **more: Any) -> int:
    """An entry as anything may have written it; its number."""
    incident = play.case().incident
    new = NewEntry(
        **{"happened_at": play.clock.now(), "recorded_at": play.clock.now(), "text": text, **more},
        author=play.bo,
        recorder=play.bo,
    )
    return play.bot.store.write_now(lambda tx: timeline_store.append(tx, incident.id, new)).number


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/UTC"])
async def test_an_entry_of_any_time_keeps_it_when_its_words_are_changed(sqlite_url: str, zone: str) -> None:
    async with on_stage(sqlite_url) as play:
        dora = play.slack.user("Dora Demo", zone)
        play.slack.workspace.channels[play.channel].members.add(dora)
        await open_incident(play)
        for start, end, approximate in TIMES:
            number = record(play, happened_at=start, ended_at=end, approximate=approximate)
            view = await editing(play, dora, number)
            answer = await play.slack.submit(dora, view, {"text": "it broke again"})
            assert answer.errors == {}
            assert (*times(play, number), entry(play, number).text) == (start, end, approximate, "it broke again")


async def test_what_stands_in_the_field_of_a_time_is_read_as_that_time(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for start, end, approximate in TIMES:
            number = record(play, happened_at=start, ended_at=end, approximate=approximate)
            view = await editing(play, play.ana, number)
            answer = await play.slack.submit(play.ana, view, {"when": f"{fields(view)['when']} "})
            assert answer.errors == {}
            view = await editing(play, play.ana, number)
            roundabout = (
                str(fields(view)["when"]).replace("2026-11-20 11:05", "2026-11-20  11:05").replace("~", "about ")
            )
            answer = await play.slack.submit(play.ana, view, {"when": roundabout})
            assert answer.errors == {}
            assert times(play, number) == (start, end, approximate)


async def test_a_range_over_days_keeps_its_last_day_when_its_start_is_moved(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.bo, f"/timeline {DAYS} degraded")
        assert "Fri 20 Nov, 10:00 – Sun 22 Nov, 11:00 UTC (Fri 20 Nov, 05:00 – Sun 22 Nov, 06:00 New York)" in answer
        view = await editing(play, play.bo)
        assert fields(view)["when"] == "2026-11-20 05:00 to 2026-11-22 06:00"
        await play.slack.submit(play.bo, view, {"when": "2026-11-20 05:01 to 2026-11-22 06:00"})
        await play.settle()
        assert times(play, 2)[:2] == (
            datetime(2026, 11, 20, 10, 1, tzinfo=UTC),
            datetime(2026, 11, 22, 11, tzinfo=UTC),
        )
        answer = last(play, play.bo).plain
        assert (
            "#2 · 3 days ago, Fri 20 Nov, 10:01 – Sun 22 Nov, 11:00 UTC (Fri 20 Nov, 05:01 – Sun 22 Nov, 06:00"
            in answer
        )
        assert (
            "Before: Fri 20 Nov, 10:00 – Sun 22 Nov, 11:00 UTC (Fri 20 Nov, 05:00 – Sun 22 Nov, 06:00 New York)"
            in answer
        )


async def test_only_the_end_of_a_range_can_be_moved(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 12:05-12:20 errors rising")
        await play.slack.submit(play.ana, await editing(play, play.ana), {"when": "2026-11-23 12:05 - 12:25"})
        start, end, _ = times(play, 2)
        assert end is not None
        assert (f"{start:%H:%M}", f"{end:%H:%M}") == ("11:05", "11:25")
        await type_command(play, play.ana, "/timeline edit 2 12:05-12:22")
        start, end, _ = times(play, 2)
        assert end is not None
        assert (f"{start:%H:%M}", f"{end:%H:%M}") == ("11:05", "11:22")


async def test_a_window_saved_as_it_was_writes_no_wording(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        await play.slack.submit(play.bo, await editing(play, play.bo))
        assert wordings(play, 2) == ["failed over"]


async def test_a_new_start_takes_the_end_along(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline ~12:10-12:25 errors rising")
        answer = await type_command(play, play.ana, "/timeline edit 2 12:12")
        assert "#2 · 11:12–11:27 UTC (12:12–12:27 Berlin)*  errors rising" in answer
        assert "Before: ~11:10–11:25 UTC (12:10–12:25 Berlin)" in answer
        history = await type_command(play, play.chandra, "/timeline show 2")
        assert "`~11:10–11:25 UTC (16:40–16:55 Kolkata)`" in history
        assert "`11:12–11:27 UTC (16:42–16:57 Kolkata)`" in history


async def test_a_new_start_whose_end_would_lie_ahead_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:  # at 13:30 in Berlin
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10-13:25 errors rising")
        answer = await type_command(play, play.ana, "/timeline edit 2 13:20 errors")
        assert "#2 wasn't changed. Its end would move to Mon 23 Nov, 12:35 UTC, which hasn't happened yet." in answer
        assert "`/timeline edit 2 2026-11-23 13:20 - 13:25`" in answer
        await type_command(play, play.ana, "/timeline edit 2 2026-11-23 13:20 - 13:25 errors")
        start, end, _ = times(play, 2)
        assert end is not None
        assert (f"{start:%H:%M}", f"{end:%H:%M}", entry(play, 2).text) == ("12:20", "12:25", "errors")


async def test_a_milestone_keeps_its_moment_to_the_microsecond_when_it_is_worded_anew(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        play.clock.advance(timedelta(seconds=7, microseconds=123_456))
        await type_command(play, play.ana, "/incident resolved")
        before = play.case()
        number = max(each.number for each in before.entries)
        await play.slack.submit(play.bo, await editing(play, play.bo, number), {"text": "all clear"})
        after = play.case()
        assert after.incident.resolved_at == before.incident.resolved_at
        assert reached_at(after, Milestone.RESOLVED) == reached_at(before, Milestone.RESOLVED)
        assert entry(play, number).text == "all clear"


async def test_a_long_text_stands_whole_in_the_window_and_one_part_can_be_changed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        number = record(play, LONG)
        view = await editing(play, play.ana, number)
        shown = [str(value or "") for name, value in fields(view).items() if name.startswith("text")]
        assert len(shown) > 8
        assert "".join(shown) == LONG
        await play.slack.submit(play.ana, view, {"when": "12:00 UTC"})
        assert entry(play, number).text == LONG
        view = await editing(play, play.ana, number)
        await play.slack.submit(play.ana, view, {"text_3": "In short: it broke."})
        assert entry(play, number).text == (
            "".join(shown[:3]) + "In short: it broke." + view_gap(shown[3], shown[4]) + "".join(shown[4:])
        )


def view_gap(part: str, after: str) -> str:
    """The white space behind a part that stands in its field."""
    return part[len(part.rstrip()) :] + after[: len(after) - len(after.lstrip())]


async def test_whoever_did_not_touch_a_field_does_not_take_back_what_others_put_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 07:10 failed over")
        his = await editing(play, play.bo)
        await type_command(play, play.ana, "/timeline edit 2 13:20")
        await play.slack.submit(play.bo, his, {"text": "failed over by hand"})
        (again,) = play.slack.views(play.bo)
        assert fields(again)["when"] == "2026-11-23 07:20"
        await play.slack.submit(play.bo, again)
        found = entry(play, 2)
        assert (f"{found.happened_at:%H:%M}", found.text) == ("12:20", "failed over by hand")


async def test_evidence_and_lists_tell_both_ends_of_a_range(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {DAYS} degraded")
        assert "Fri 20 Nov, 10:00 – Sun 22 Nov, 11:00" in await type_command(play, play.ana, "/timeline show")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because it degraded, see #2")
        assert "Fri 20 Nov, 10:00 – Sun 22 Nov, 11:00 UTC  degraded" in await type_command(play, play.ana, "/why")
