"""What someone wants to record where no incident is open: the button that opens one takes it along."""

import json
from contextlib import closing

import pytest

from bot.rehearsal.screen import ShownMessage, ShownView
from tests.handlers.test_capture import AGAIN, DONE, marks, react
from tests.handlers.test_capture_files import PNG, list_files
from tests.handlers.test_trouble import database
from tests.support.interactions import labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import NOON, Play
from tests.support.timeouts import hurry

TITLE = {"title": "Checkout is failing"}


def entries(play: Play, text: str) -> list[tuple[str, str, str]]:
    """When it happened, who saw it and who recorded it, of each entry that says this."""
    found = [entry for entry in play.case().entries if entry.text == text]
    return [(f"{entry.happened_at:%Y-%m-%d %H:%M}", entry.author, entry.recorder) for entry in found]


async def submit_view(play: Play, user: str, view: ShownView, **more: str) -> ShownMessage:
    before = [seen.plain for seen in play.slack.messages(play.channel, user=user)]
    answer = await play.slack.submit(user, view, TITLE | more)
    assert answer.ok, answer
    assert not answer.errors
    await play.settle()
    whispers = [seen for seen in play.slack.messages(play.channel, user=user) if seen.ephemeral_for]
    return [seen for seen in whispers if seen.plain not in before][-1]


async def test_what_was_typed_is_recorded_with_the_incident_that_it_opens(database_url: str) -> None:
    async with on_stage(database_url) as play:
        answer = await type_command(play, play.ana, "/timeline 13:05 failed over to replica")
        assert answer.startswith("No open incident here.")
        refused = last(play, play.ana)
        assert "13:05 failed over to replica" in refused.plain
        assert "Your entry is kept and becomes the first one." in refused.plain
        assert labels(refused) == ["Open an incident"]
        await play.pass_time(minutes=40)
        view = await window(play, play.ana, "incident_form_open")
        assert "The first entry of its timeline will be:" in view.plain
        assert "12:05 UTC (13:05 Berlin)*  failed over to replica" in view.plain
        assert "Typed at 12:30 UTC (13:30 Berlin), so “13:05” is read as of then" in view.plain
        receipt = await submit_view(play, play.ana, view)
        assert "opened *INC-1* Checkout is failing" in receipt.plain
        assert "12:05 UTC (13:05 Berlin)" in receipt.plain
        assert "*#2 · " in receipt.plain
        assert labels(receipt)[:4] == ["Edit", "History", "Undo", "That was UTC"]
        assert entries(play, "failed over to replica") == [("2026-11-23 12:05", play.ana, play.ana)]
        assert "failed over to replica" in play.slack.messages(play.channel)[-1].plain


async def test_its_time_is_that_of_the_moment_at_which_it_was_typed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        for user, line in (
            (play.ana, "it broke"),
            (play.chandra, "10 min ago it slowed down"),
            (play.bo, "23:50 late"),
        ):
            await type_command(play, user, f"/timeline {line}")
        await play.pass_time(hours=20)
        for user in (play.chandra, play.ana, play.bo):
            await submit_view(play, user, await window(play, user, "incident_form_open"))
        assert entries(play, "it broke") == [("2026-11-23 12:30", play.ana, play.ana)]
        assert entries(play, "it slowed down") == [("2026-11-23 12:20", play.chandra, play.chandra)]
        assert entries(play, "late") == [("2026-11-23 04:50", play.bo, play.bo)]
        recorded = {entry.text: entry.recorded_at for entry in play.case().entries}
        assert recorded["it broke"] == NOON


async def test_that_was_utc_reads_it_by_the_clock_of_that_moment(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.bo, "/timeline 07:15 it broke")
        await play.pass_time(days=1)
        await submit_view(play, play.bo, await window(play, play.bo, "incident_form_open"))
        assert entries(play, "it broke") == [("2026-11-23 12:15", play.bo, play.bo)]
        await press(play, play.bo, "timeline_utc")
        assert entries(play, "it broke") == [("2026-11-23 07:15", play.bo, play.bo)]


async def test_pressed_on_several_screens_it_is_recorded_once(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await type_command(play, play.ana, "/timeline it broke")
        offered, screens = last(play, play.ana), []
        for _ in range(3):
            await play.slack.click(play.ana, offered, "incident_form_open")
            await play.settle()
            screens += play.slack.workspace.stacks[play.ana]
        stacks = play.slack.workspace.stacks
        stacks[play.ana] = [screens[0]]
        await submit_view(play, play.ana, play.slack.views(play.ana)[0])
        stacks[play.ana] = [screens[1]]
        receipt = await submit_view(play, play.ana, play.slack.views(play.ana)[0])
        assert "*INC-1* Checkout is failing was opened here in the meantime" in receipt.plain
        assert "Already in INC-1 as #2: it broke" in receipt.plain
        assert len(entries(play, "it broke")) == 1
        await type_command(play, play.ana, "/incident resolved")
        stacks[play.ana] = [screens[2]]
        receipt = await submit_view(play, play.ana, play.slack.views(play.ana)[0])
        assert "opened *INC-2*" in receipt.plain
        assert "Already in INC-1 as #2: it broke" in receipt.plain
        assert entries(play, "it broke") == []


async def test_the_same_form_sent_again_changes_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/timeline it broke")
        view = await window(play, play.ana, "incident_form_open")
        answer = await play.slack.submit(play.ana, view, TITLE)
        await play.slack.deliver_again(answer)
        await play.settle()
        assert len(entries(play, "it broke")) == 1
        assert play.case().incident.key == "INC-1"


async def test_where_somebody_was_faster_it_is_recorded_there_and_said_so(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await type_command(play, play.ana, "/timeline 13:05 failed over to replica")
        view = await window(play, play.ana, "incident_form_open")
        await type_command(play, play.bo, "/incident open Payments are down")
        receipt = await submit_view(play, play.ana, view)
        assert (
            "*INC-1* Payments are down was opened here in the meantime, so I didn't open another one." in receipt.plain
        )
        assert "12:05 UTC (13:05 Berlin)" in receipt.plain
        assert entries(play, "failed over to replica") == [("2026-11-23 12:05", play.ana, play.ana)]
        assert play.case().incident.title == "Payments are down"


async def test_what_was_typed_once_more_meanwhile_is_not_recorded_twice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/timeline 13:05 failed over to replica")
        view = await window(play, play.ana, "incident_form_open")
        await type_command(play, play.bo, "/incident open Payments are down")
        await play.pass_time(minutes=1)
        await type_command(play, play.ana, "/timeline 13:05 failed over to replica")
        receipt = await submit_view(play, play.ana, view)
        assert "Already in INC-1 as #2: failed over to replica" in receipt.plain
        assert len(entries(play, "failed over to replica")) == 1


async def test_into_another_channels_incident_nobody_writes_from_outside(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        other = play.slack.channel("payments", [play.bo])
        await type_command(play, play.bo, "/incident open Payments are down", other)
        await type_command(play, play.ana, "/timeline it broke")
        view = await window(play, play.ana, "incident_form_open")
        answer = await play.slack.submit(play.ana, view, TITLE | {"channel": other})
        assert any("is already open here" in complaint for complaint in answer.errors.values())
        assert [entry.text for entry in play.case(other).entries] == ["Incident opened: Payments are down"]
        await submit_view(play, play.ana, play.slack.views(play.ana)[-1], channel=play.channel)
        assert len(entries(play, "it broke")) == 1


async def test_a_message_is_taken_along_with_its_author_its_time_and_its_mark(database_url: str) -> None:
    async with on_stage(database_url, refused=AGAIN) as play:
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await play.pass_time(minutes=5)
        await react(play, play.ana, ts)
        receipt = await submit_view(play, play.ana, await window(play, play.ana, "incident_form_open"))
        assert "Seen by Bo Demo" in receipt.plain
        assert entries(play, "failing over") == [("2026-11-23 12:30", play.bo, play.ana)]
        (entry,) = [one for one in play.case().entries if one.text == "failing over"]
        assert entry.permalink
        assert DONE in marks(play, ts)
        answer = await play.slack.shortcut(play.chandra, play.channel, ts, "timeline_add_message")
        assert answer.ok
        await play.settle()
        assert "Already in INC-1 as #2, recorded by Ana Demo" in last(play, play.chandra).plain
        await play.slack.unreact(play.ana, play.channel, ts, "memo")
        await play.settle()
        assert entries(play, "failing over") == []


async def test_what_is_said_to_the_bot_is_read_when_it_was_said(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        ts = await play.slack.say(play.chandra, play.channel, "@afterword 17:30 errors are back")
        await play.settle()
        await play.pass_time(hours=20)
        receipt = await submit_view(play, play.chandra, await window(play, play.chandra, "incident_form_open"))
        assert "12:00 UTC" in receipt.plain
        assert "That was UTC" in labels(receipt)
        assert entries(play, "errors are back") == [("2026-11-23 12:00", play.chandra, play.chandra)]
        assert DONE in marks(play, ts)


async def test_a_time_that_was_asked_is_taken_along_as_it_was_chosen(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/timeline 03/04 12:00 it broke")
        assert "When was it?" in last(play, play.ana).plain
        await press(play, play.ana, "timeline_at_0")
        refused = last(play, play.ana)
        assert "it broke" in refused.plain
        await submit_view(play, play.ana, await window(play, play.ana, "incident_form_open"))
        ((at, _, _),) = entries(play, "it broke")
        assert at in ("2026-03-04 11:00", "2026-04-03 10:00")


async def test_the_form_of_a_closed_incident_becomes_the_one_that_opens_another(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.bo, "timeline_form_open")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill")
        assert (await play.slack.submit(play.bo, view, {"line": "07:20 it broke again"})).ok
        (form,) = play.slack.views(play.bo)
        assert "12:20 UTC (07:20 New York)*  it broke again" in form.plain
        receipt = await submit_view(play, play.bo, form)
        assert "opened *INC-2*" in receipt.plain
        assert entries(play, "it broke again") == [("2026-11-23 12:20", play.bo, play.bo)]


async def test_pasted_lines_wait_for_their_preview(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/timeline paste\n13:05 it broke\n13:10 failed over")
        assert "Your lines are kept" in last(play, play.ana).plain
        await play.pass_time(hours=20)
        view = await window(play, play.ana, "incident_form_open")
        assert "preview and record your 2 lines" in view.plain
        receipt = await submit_view(play, play.ana, view)
        assert "Your lines aren't recorded yet." in receipt.plain
        preview = await window(play, play.ana, "timeline_paste_open")
        assert (await play.slack.submit(play.ana, preview)).ok
        await play.settle()
        assert entries(play, "it broke") == [("2026-11-23 12:05", play.ana, play.ana)]
        assert entries(play, "failed over") == [("2026-11-23 12:10", play.ana, play.ana)]


@pytest.mark.parametrize("letter", ["x", "ж", '"', "&"])
async def test_what_a_button_does_not_hold_is_given_back_to_copy(sqlite_url: str, letter: str) -> None:
    async with on_stage(sqlite_url) as play:
        for length, is_kept in ((850, True), (2_400, False)):
            text = "it broke " + letter * length
            await type_command(play, play.ana, f"/timeline {text}")
            refused = last(play, play.ana)
            assert letter * 100 in refused.plain
            assert ("Your entry is kept" in refused.plain) is is_kept
        await type_command(play, play.ana, "/timeline it broke " + letter * 850)
        await submit_view(play, play.ana, await window(play, play.ana, "incident_form_open"))
        assert len(entries(play, "it broke " + letter * 850)) == 1


async def test_a_credential_is_in_no_button(sqlite_url: str) -> None:
    password = "correct-horse-9"
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, f"/timeline rotated, password={password}")
        refused = last(play, play.ana)
        assert password in refused.plain
        assert labels(refused) == ["Open an incident"]
        buttons = [one for block in refused.blocks if block["type"] == "actions" for one in block["elements"]]
        assert password not in json.dumps(buttons)
        view = await window(play, play.ana, "incident_form_open")
        assert "first entry" not in view.plain


@pytest.mark.usefixtures("short_locks")
async def test_where_the_database_does_not_take_it_it_is_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/timeline 13:05 failed over to replica")
        view = await window(play, play.ana, "incident_form_open")
        with closing(database(sqlite_url)) as other:
            other.execute("BEGIN IMMEDIATE")
            with hurry():
                await play.slack.submit(play.ana, view, TITLE)
                await play.bot.boundary.drain()
            other.execute("ROLLBACK")
        message = last(play, play.ana)
        assert "*NOT recorded.*" in message.plain
        assert message.plain.endswith("You typed:\nCheckout is failing\n13:05 failed over to replica")
        await press(play, play.ana, "incident_form_open")
        await submit_view(play, play.ana, play.slack.views(play.ana)[-1])
        assert len(entries(play, "failed over to replica")) == 1


async def test_from_a_conversation_with_the_bot_it_goes_into_the_channel_that_is_chosen(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.dm(play.ana)
        await type_command(play, play.ana, "/timeline 13:05 failed over", room)
        view = await window(play, play.ana, "incident_form_open", room)
        assert (await play.slack.submit(play.ana, view, TITLE | {"channel": play.channel})).ok
        await play.settle()
        assert entries(play, "failed over") == [("2026-11-23 12:05", play.ana, play.ana)]


async def test_the_files_of_a_message_come_along(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        ts = await play.slack.say(play.bo, play.channel, "see the graph", files=[("graph.png", PNG)])
        await react(play, play.ana, ts)
        receipt = await submit_view(play, play.ana, await window(play, play.ana, "incident_form_open"))
        assert "1 file" in receipt.plain
        assert [(file.state, file.content) for file in list_files(play)] == [("kept", PNG)]
