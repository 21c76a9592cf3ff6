"""`/postmortem` as its owner meets it: what is missing, one form at a time, the file, the end."""

import csv
import io
import json
from datetime import timedelta

import html5lib
import pytest

from bot.domain.records import PostmortemStatus
from bot.domain.sections import BY_SLUG
from tests.support.deadlines import until
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play

NEEDED = {"summary": "It broke.", "impact": "Everybody.", "root_cause": "The pool.", "actions": "None needed."}


async def resolve_incident(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/incident lead @Bo Demo")
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()


async def fill(play: Play, user: str, section: str, text: str) -> None:
    """Fill a section as people do: [Other sections], choose it, write, save."""
    await type_command(play, user, "/postmortem")
    picking = await window(play, user, "postmortem_pick")
    await play.slack.submit(user, picking, {"section": section})
    (view,) = play.slack.views(user)
    await play.slack.submit(user, view, {"text_0": text})
    await play.settle()


async def test_the_overview_says_what_is_missing_and_fills_the_next(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        answer = await type_command(play, play.chandra, "/postmortem")
        assert "1 of 14 sections filled\nOwner: Bo Demo\n" in answer
        assert "*Still empty:* Root cause, Impact, Corrective actions, Incident summary, Five whys, " in answer
        assert labels(last(play, play.chandra))[:3] == ["Fill: Root cause", "Other sections", "Export"]
        assert (await window(play, play.chandra, "postmortem_fill")).title == "Root cause"
        (view,) = play.slack.views(play.chandra)
        await play.slack.close(play.chandra, view)
        await fill(play, play.chandra, "summary", "Checkout broke for *everybody*.")
        await play.settle()
        saved = last(play, play.chandra)
        assert "Saved *Incident summary* of INC-1. 2 of 14 sections filled." in saved.plain
        assert labels(saved)[0] == "Fill: Root cause"
        assert play.case().sections["summary"].text == "Checkout broke for *everybody*."


async def test_a_section_of_two_fields_is_one_text(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await fill(play, play.bo, "fault", "x" * 3_000)
        await type_command(play, play.bo, "/postmortem")
        picking = await window(play, play.bo, "postmortem_pick")
        await play.slack.submit(play.bo, picking, {"section": "fault"})
        (view,) = play.slack.views(play.bo)
        await play.slack.submit(play.bo, view, {"text_1": "and on"})
        assert play.case().sections["fault"].text == "x" * 3_000 + "and on"


async def test_a_form_has_one_field_and_says_each_thing_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem fill recovery")
        await play.settle()
        (view,) = play.slack.views(play.ana)
        assert view.plain.splitlines() == [
            "Recovery",
            "Ask: Ana Demo, Bo Demo",
            "Prefilled from the timeline. Edit freely; your version replaces it.",
            BY_SLUG["recovery"].question,
            "It was resolved at 2026-11-23 12:30 UTC (Ana Demo, #3).",
            "Save",
        ]
        assert [block["type"] for block in view.blocks].count("input") == 1
        await play.slack.close(play.ana, view)
        answer = await type_command(play, play.ana, "/postmortem fill sumary")
        assert answer.startswith("I don't know the section sumary. Did you mean `/postmortem fill summary`?")
        assert "Sections: Incident summary, Leadup," in await type_command(play, play.ana, "/postmortem fill xyzzy")


async def test_two_people_writing_one_section_both_see_both_texts(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        views = {}
        for user in (play.ana, play.bo):
            await type_command(play, user, "/postmortem")
            views[user] = await window(play, user, "postmortem_fill")
        await play.slack.submit(play.ana, views[play.ana], {"text_0": "A retry storm."})
        await play.slack.submit(play.bo, views[play.bo], {"text_0": "The pool ran out."})
        assert play.case().sections["root_cause"].text == "A retry storm."
        (again,) = play.slack.views(play.bo)
        assert "*Ana Demo saved Root cause while you were writing.*" in again.plain
        assert "A retry storm." in again.plain
        await play.slack.submit(play.bo, again)
        await play.settle()
        assert play.case().sections["root_cause"].text == "The pool ran out."
        assert play.slack.views(play.bo) == []


@pytest.mark.parametrize("form", ["", "markdown", "md", "html", "json", "csv"])
async def test_the_export_puts_the_file_into_the_channel(sqlite_url: str, form: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, f"/postmortem export {form}")
        await play.settle()
        (file,) = play.slack.files
        assert (file.channel, file.name.rpartition(".")[0]) == (play.channel, "INC-1-checkout-is-failing")
        text = file.bytes.decode()
        match file.name.rpartition(".")[2]:
            case "json":
                assert json.loads(text)["incident"]["title"] == "Checkout is failing"
            case "csv":
                assert any("Incident opened: Checkout is failing" in row for row in csv.reader(io.StringIO(text)))
            case "html":
                html5lib.HTMLParser(strict=True).parse(text)
                assert "Checkout is failing" in text
            case _:
                assert "Incident opened: Checkout is failing" in text
        assert "*INC-1 Checkout is failing* – postmortem draft" in last(play, play.bo).plain


async def test_an_unknown_form_suggests_the_nearest(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        assert "Did you mean `/postmortem export markdown`?" in await type_command(
            play, play.ana, "/postmortem export markdwn"
        )
        assert "Formats: markdown, html, pdf, docx, confluence, canvas, json and csv." in await type_command(
            play, play.ana, "/postmortem export spreadsheet"
        )


async def test_publishing_needs_the_four_parts_that_readers_look_for(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "INC-1 isn't resolved yet. Resolve it first: `/incident resolved`" in await type_command(
            play, play.ana, "/postmortem publish"
        )
        await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert "Incident summary, Impact, Root cause and Corrective actions are still empty." in answer
        assert "Start with `/postmortem fill summary`" in answer
        assert labels(last(play, play.ana)) == ["Fill: Incident summary"]
        assert (await window(play, play.ana, "postmortem_fill")).title == "Incident summary"
        for section, text in NEEDED.items():
            await fill(play, play.ana, section, text)
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert "Postmortem published: *INC-1 Checkout is failing*" in answer
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED
        await play.pass_time(hours=72)
        assert not any("postmortem is waiting for" in message.plain for message in play.slack.messages(play.channel))


async def test_waiving_needs_its_reason(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        assert "Why isn't it needed?" in await type_command(play, play.ana, "/postmortem waive")
        assert "waived the postmortem of *INC-1*: a drill" in await type_command(
            play, play.ana, "/postmortem waive a drill"
        )
        assert "Waived: a drill · Owner: Bo Demo" in await type_command(play, play.ana, "/postmortem")
        assert "cancelled" in await type_command(play, play.ana, "/postmortem reminders")


async def test_the_owner_is_told_and_nobody_else(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        assert "Who's finishing it?" in await type_command(play, play.ana, "/postmortem owner")
        assert "I don't know who bo is" in await type_command(play, play.ana, "/postmortem owner bo")
        before = len(play.slack.messages(play.channel))
        answer = await type_command(play, play.ana, "/postmortem owner @Chandra Demo")
        assert answer == "@Chandra Demo owns the postmortem of INC-1 now."
        await play.settle()
        assert len(play.slack.messages(play.channel)) == before  # no post: it concerns her alone
        assert "*INC-1*" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        assert "Get the postmortem finished" in await type_command(play, play.ana, "/postmortem help")


async def test_the_reminder_opens_the_next_section_in_the_channel_and_in_the_dm(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.pass_time(hours=24)
        reminder = last(play, play.ana)
        assert "*INC-1* postmortem is waiting for Bo Demo" in reminder.plain
        assert "resolved yesterday" in reminder.plain
        assert reminder.pings == set()
        assert labels(reminder) == ["Fill: Root cause", "What's missing", "Hand over", "Not needed …"]
        view = await window(play, play.ana, "postmortem_fill")
        await play.slack.submit(play.ana, view, {"text_0": "The pool."})
        await play.settle()
        assert "Saved *Root cause*" in last(play, play.ana).plain
        assert having(play, play.bo, "postmortem_fill").ts == reminder.ts  # the channel's reminder stands

        room = play.slack.dm(play.bo)
        assert "*INC-1* postmortem is waiting for you" in last(play, play.bo, room).plain
        view = await window(play, play.bo, "postmortem_fill", room)
        assert view.title == "Impact"  # what is next by now, as the button says
        await play.slack.submit(play.bo, view, {"text_0": "A new pool size on Friday."})
        await play.settle()
        assert "Saved *Impact*" in last(play, play.bo, room).plain
        assert play.case().sections["impact"].author == play.bo


async def test_from_the_dm_the_export_still_goes_into_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.pass_time(hours=24)
        room = play.slack.dm(play.bo)
        overview = await press(play, play.bo, "postmortem_show", channel=room)
        assert "1 of 14 sections" in overview.plain
        message = await press(play, play.bo, "postmortem_export", channel=room)
        assert "Exporting Markdown to the incident thread." in message.plain
        assert [file.channel for file in play.slack.files] == [play.channel]


async def test_somebody_else_in_a_dm_cannot_look_into_the_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.pass_time(hours=24)
        room = play.slack.dm(play.bo)
        reminder = last(play, play.bo, room)
        await type_command(play, play.ana, "/postmortem owner @Chandra Demo")
        await type_command(play, play.ana, "/incident lead @Ana Demo")
        await play.settle()
        # His client may still show the reminder that is taken back by now.
        play.slack.workspace.channels[room].messages[reminder.ts].blocks = reminder.blocks
        await play.slack.click(play.bo, reminder, "postmortem_show")
        await play.settle()
        assert "the owner of its postmortem, now Chandra Demo, can use it" in last(play, play.bo, room).plain


async def test_reminders_tell_what_was_sent_and_what_comes_next(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "None yet" in await type_command(play, play.ana, "/postmortem reminders")
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=24)
        answer = await type_command(play, play.ana, "/postmortem reminders")
        assert "• After 24 h, due Tue 24 Nov, 12:30 UTC: sent to" in answer
        assert "• After 48 h, due Wed 25 Nov, 12:30 UTC: to come" in answer


async def test_a_form_says_what_the_record_knows_already(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/incident detected 12:40 by <the> alert")
        await type_command(play, play.ana, "/why because <the> pool ran out")
        known = {
            "detection": "It was detected at 2026-11-23 11:40 UTC: “by <the> alert” (Ana Demo, #4).",
            "response": "Bo Demo led the response.",
            "root_cause": "Last why: <the> pool ran out",
            "recovery": "It was resolved at 2026-11-23 12:30 UTC",
        }
        for section, words in known.items():
            await type_command(play, play.ana, "/postmortem")
            picking = await window(play, play.ana, "postmortem_pick")
            await play.slack.submit(play.ana, picking, {"section": section})
            (view,) = play.slack.views(play.ana)
            assert words in view.plain
            assert "Ask: " in view.plain
            await play.slack.close(play.ana, view)


async def test_a_form_names_those_who_saw_that_part(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.chandra, "/incident detected 12:20 UTC by the alert")
        await type_command(play, play.ana, "/postmortem")
        picking = await window(play, play.ana, "postmortem_pick")
        await play.slack.submit(play.ana, picking, {"section": "detection"})
        (view,) = play.slack.views(play.ana)
        assert "Ask: Chandra Demo, Bo Demo" in view.plain


async def test_the_scheduler_leaves_the_pace_to_the_outbox(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.settle()
        play.clock.advance(timedelta(hours=24, minutes=1))
        await play.bot.sweep(play.clock.now())
        await until(lambda: "postmortem is waiting for you" in last(play, play.bo, play.slack.dm(play.bo)).plain)


async def test_a_bot_cannot_own_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        robot = play.slack.user("Robo Demo", bot=True)
        await resolve_incident(play)
        answer = await type_command(play, play.ana, f"/postmortem owner @{play.slack.name_of(robot)}")
        assert "Robo Demo can't own it: that account is a bot." in answer
