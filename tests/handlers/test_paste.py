"""`/timeline paste`: many lines, previewed, then recorded together."""

from typing import Any

import pytest

from bot.rehearsal.screen import ShownView, list_elements
from tests.support.interactions import last, on_stage, open_incident, press, type_command
from tests.support.play import Play

LINES = "12:05 first alert\n12:10 UTC failed over\nto replica 2\n05/04 09:00 which day"


def boxes(view: ShownView) -> dict[str, list[dict[str, Any]]]:
    """The groups of ticks by action, each with its options."""
    found = {
        element["action_id"]: element["options"] for _, element in list_elements(view.blocks) if "options" in element
    }
    return {action: options for action, options in found.items() if action.startswith("paste_lines_")}


def labels(view: ShownView) -> list[str]:
    return [option["text"]["text"] for options in boxes(view).values() for option in options]


def ticked_lines(view: ShownView) -> list[str]:
    return [
        option["value"]
        for _, element in list_elements(view.blocks)
        if element.get("action_id", "").startswith("paste_lines_")
        for option in element.get("initial_options", ())
    ]


def field(view: ShownView, action: str) -> str:
    return str(next(e.get("initial_value", "") for _, e in list_elements(view.blocks) if e.get("action_id") == action))


def read(play: Play) -> str:
    """What Ana reads last, without its marks."""
    return last(play, play.ana).plain.replace("*", "")


async def pasting(play: Play, user: str, text: str = "") -> ShownView:
    """`/timeline paste`, and the window that opens."""
    answer = await play.slack.command(user, play.channel, f"/timeline paste{text}")
    assert answer.ok
    await play.settle()
    assert answer.body == "", answer.text
    (view,) = play.slack.views(user)
    return view


def list_recorded(play: Play) -> list[str]:
    return [f"{entry.happened_at:%m-%d %H:%M} {entry.text}" for entry in play.case().entries]


async def test_lines_are_previewed_then_recorded_with_a_receipt(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana)
        assert (view.title, view.submit) == ("Paste entries", "Preview")
        answer = await play.slack.submit(play.ana, view, {"paste_1": LINES})
        assert answer.errors == {}
        (view,) = play.slack.views(play.ana)
        assert view.submit == "Record"
        assert labels(view) == ["11:05 UTC (12:05 Berlin)", "12:10 UTC (13:10 Berlin)"]
        assert boxes(view)["paste_lines_0"][1]["description"]["text"] == "failed over to replica 2 (+1 line)"
        assert "*2 entries ready for INC-1*. Uncheck any you don't want" in view.plain
        assert "line 4: 05/04 09:00 which day" in view.plain
        assert "5 April or 4 May" in view.plain
        assert len(list_recorded(play)) == 1  # nothing yet
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert play.slack.views(play.ana) == []
        assert list_recorded(play)[:2] == ["11-23 11:05 first alert", "11-23 12:10 failed over\nto replica 2"]
        assert "2 entries recorded in INC-1: #2–#3 · 1 left out" in read(play)
        assert last(play, play.ana).ephemeral_for == play.ana


async def test_lines_may_come_with_the_command(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{LINES}")
        assert ticked_lines(view) == ["1", "2"]
        assert field(view, "paste_1") == LINES
        await play.slack.close(play.ana, view)
        assert len(list_recorded(play)) == 1


async def test_only_the_ticked_lines_are_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{LINES}")
        none = await play.slack.submit(play.ana, view, {"paste_lines_0": []})
        assert "No line is checked" in next(iter(none.errors.values()))
        await play.slack.submit(play.ana, view, {"paste_lines_0": ["2"]})
        await play.settle()
        assert list_recorded(play)[:-1] == ["11-23 12:10 failed over\nto replica 2"]
        assert "1 entry recorded in INC-1: #2 · 2 left out" in read(play)


async def test_a_text_that_was_changed_is_previewed_again_before_it_is_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{LINES}")
        await play.slack.submit(play.ana, view, {"paste_1": LINES.replace("05/04", "2026-04-05")})
        assert len(list_recorded(play)) == 1
        (view,) = play.slack.views(play.ana)
        assert labels(view)[2] == "Sun 5 Apr, 07:00 UTC (09:00 Berlin) · out of order"
        await play.slack.submit(play.ana, view, {"paste_zone": "UTC"})
        (view,) = play.slack.views(play.ana)
        assert labels(view)[0] == "12:05 UTC (13:05 Berlin)"
        assert ticked_lines(view) == ["1", "2", "4"]
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert list_recorded(play)[:2] == ["04-05 09:00 which day", "11-23 12:05 first alert"]


async def test_a_row_shows_both_ends_of_a_range_and_is_recorded_as_shown(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        lines = "2026-11-20 10:00 UTC to 2026-11-22 11:00 UTC degraded\n2026-11-19 08:00-08:05 UTC first alert"
        view = await pasting(play, play.ana, f"\n{lines}")
        assert labels(view) == [
            "Fri 20 Nov, 10:00 – Sun 22 Nov, 11:00 UTC",  # both clocks do not fit
            "Thu 19 Nov, 08:00–08:05 UTC (09:00–09:05 Berlin) · out of order",
        ]
        await play.slack.submit(play.ana, view)
        await play.settle()
        ends = [f"{entry.ended_at:%d %H:%M}" for entry in play.case().entries if entry.ended_at]
        assert ends == ["19 08:05", "22 11:00"]


async def test_what_is_recorded_already_is_shown_so_and_not_ticked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 11:05 UTC first alert")
        view = await pasting(play, play.ana, f"\n{LINES}")
        assert labels(view)[0] == "11:05 UTC (12:05 Berlin) · already #2"
        assert ticked_lines(view) == ["2"]


async def test_a_preview_that_is_sent_twice_is_recorded_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{LINES}")
        sent = await play.slack.submit(play.ana, view)
        assert sent.delivery is not None
        await play.slack.deliver_again(sent)
        play.slack.workspace.stacks[play.ana] = [play.slack.workspace.views[view.id]]
        await play.slack.submit(play.ana, view)  # pressed once more, before the window was gone
        await play.settle()
        assert len(list_recorded(play)) == 3


async def test_relative_times_stay_as_they_were_previewed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, "\n10 min ago quiet\n5 min ago loud")
        await play.pass_time(minutes=7)
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert list_recorded(play)[:2] == ["11-23 12:20 quiet", "11-23 12:25 loud"]


async def test_bad_pastes_are_refused_in_the_window_and_nothing_is_lost(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana)
        only_words = await play.slack.submit(play.ana, view, {"paste_1": "only words\nand more"})
        assert "None of these lines has a time" in next(iter(only_words.errors.values()))
        many = "\n".join(["12:05 x"] * 300)
        too_many = await play.slack.submit(play.ana, view, {"paste_1": many})
        assert "at most 200 lines" in next(iter(too_many.errors.values()))
        assert len(play.slack.views(play.ana)) == 1
        asked = await play.slack.submit(play.ana, view, {"paste_1": "05/04 09:00 which day"})
        assert asked.errors == {}
        (view,) = play.slack.views(play.ana)
        assert view.submit == "Preview"
        assert "needs fixing before it can be recorded" in view.plain


async def test_a_paste_of_two_thousand_lines_is_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(
            play, play.ana, "/timeline paste\n" + "\n".join(f"12:05 line {n}" for n in range(2_000))
        )
        assert "That's 2,000 lines" in answer
        assert "at most 200 lines" in answer
        assert "line 199" in answer
        assert play.slack.views(play.ana) == []


async def test_two_hundred_long_lines_fit_into_one_window(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, "\n" + "\n".join(f"12:05 {n} {'ж' * 30}" for n in range(200)))
        assert len(ticked_lines(view)) == 200
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert len(list_recorded(play)) == 201
        assert "200 entries recorded in INC-1: #2–#201" in read(play)


async def test_an_incident_that_ended_meanwhile(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{LINES}")
        other = await pasting(play, play.bo, "\n07:20 late\n07:21 later")
        await type_command(play, play.chandra, "/incident resolved")
        await play.settle()
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert "recorded in INC-1, which is already resolved: #3–#4" in read(play)
        await type_command(play, play.chandra, "/postmortem waive nothing to learn")
        refused = await play.slack.submit(play.bo, other)
        assert "INC-1 is closed: its postmortem is waived" in next(iter(refused.errors.values()))


async def test_without_an_incident_there_is_nothing_to_paste_into(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        assert "No open incident here" in await type_command(play, play.ana, "/timeline paste")
        assert play.slack.views(play.ana) == []


@pytest.mark.parametrize("line", ["paste service is down", "pasted the wrong key", "paste service is down\nfor all"])
async def test_what_only_begins_like_it_is_what_happened(sqlite_url: str, line: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {line}")
        assert list_recorded(play)[-1].endswith(line)


HEADED = """## Timeline (all times UTC)
### 2026-11-20 Friday
- 21:14 first alert
  as a customer had told at 21:02
- 00:20 failed over
- 22:XX more alerts
### 05/04/2026
- 10:05 which day
- 10:06 that day too
### 2026-11-22 Sunday
- 09:05 AM looking
Resolved at 10:20."""


async def test_headings_are_heeded_and_told_and_what_cannot_be_placed_is_flagged(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{HEADED}")
        assert labels(view) == [
            "Fri 20 Nov, 21:14 UTC (22:14 Berlin) · line 4 mentions a time",
            "Fri 20 Nov, 00:20 UTC (01:20 Berlin) · next day?",
            "Sun 22 Nov, 09:05 UTC (10:05 Berlin)",
        ]
        assert ticked_lines(view) == ["3", "11"]
        shown = view.plain
        assert "line 1 (times in UTC), line 2 (Fri 20 Nov), line 10 (Sun 22 Nov)" in shown
        assert "1 line jumps back by half a day or more, so it isn't checked" in shown
        assert "line 6: - 22:XX more alerts" in shown
        assert "line 7: ### 05/04/2026" in shown
        assert "lines 8 to 9: - 10:05 which day" in shown
        assert "It could be Sun 22 Nov, 10:20 UTC (11:20 Berlin)" in shown


async def test_lines_past_midnight_are_ticked_once_they_are_said_to_be_of_the_next_day(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, f"\n{HEADED}")
        await play.slack.submit(play.ana, view, {"paste_rolls": ["rolls"]})
        (view,) = play.slack.views(play.ana)
        assert labels(view)[1] == "Sat 21 Nov, 00:20 UTC (01:20 Berlin)"
        assert ticked_lines(view) == ["3", "5", "11"]
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert list_recorded(play)[:3] == [
            "11-20 21:14 first alert\nas a customer had told at 21:02",
            "11-21 00:20 failed over",
            "11-22 09:05 looking",
        ]


async def test_characters_that_cannot_be_kept_do_no_harm(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana)
        await play.slack.submit(play.ana, view, {"paste_1": "\n\n12:05 a\x00b \ud800 \u202ec\r\n12:06 <script>"})
        (view,) = play.slack.views(play.ana)
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert list_recorded(play)[:2] == ["11-23 11:05 ab \ufffd \u202ec", "11-23 11:06 <script>"]


async def test_mentions_in_pasted_lines_ping_nobody(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, "\n12:05 @Bo Demo paged <!channel>\n12:06 *x* `y` & <z>")
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert list_recorded(play)[0] == "11-23 11:05 @Bo Demo paged <!channel>"
        assert list_recorded(play)[1] == "11-23 11:06 *x* `y` & <z>"
        assert all(not message.pings for message in play.slack.messages(play.channel, user=play.bo)[1:])


async def test_a_line_that_seems_to_hold_a_credential_is_warned_of(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await pasting(play, play.ana, "\n12:05 calm\n12:06 token xoxb-" + "1234567890-abcdefABCDEF1234567890")
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert "You wrote this in INC-1 Checkout is failing: #3" in read(play)
        await press(play, play.ana, "secret_redact")
        assert "xoxb-" not in list_recorded(play)[1]
