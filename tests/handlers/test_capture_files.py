"""Files of captured messages are fetched with the bot's own token and kept, within limits, for the exports alone."""

import base64
import json

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Attachment, Incident, Place
from bot.export import Exporter
from storage import attachments as attachments_store
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from tests.handlers.test_capture import AGAIN, captured_entries, react
from tests.support.interactions import last, on_stage, open_incident
from tests.support.play import TEAM, Play

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

TABLE = b"a,b\n1,2\n"


def current(play: Play, tx: Transaction) -> Incident:
    incident = incidents_store.find_current(tx, Place(TEAM, play.channel))
    assert incident is not None
    return incident


def list_files(play: Play) -> tuple[Attachment, ...]:
    """The incident's files, with what they hold."""
    return play.bot.store.read_now(
        lambda tx: attachments_store.list_by_incident(tx, current(play, tx).id, with_content=True)
    )


def export_text(play: Play, form: str) -> str:
    case = play.bot.store.read_now(lambda tx: case_store.load(tx, current(play, tx), with_files=True))
    return Exporter().render(postmortem_rules.compile_document(case, play.clock.now()), form).decode()


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_an_image_is_kept_and_stands_in_the_page(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, transport=transport) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "see the graph", files=[("graph<1>.png", PNG)])
        await react(play, play.ana, ts)
        (file,) = list_files(play)
        assert (file.state, file.media_type, file.content) == ("kept", "image/png", PNG)
        picture = f'<img src="data:image/png;base64,{base64.b64encode(PNG).decode()}" alt="graph&lt;1&gt;.png">'
        assert picture in export_text(play, "html")
        assert "File graph<1>.png, 70 B — in the HTML and JSON exports" in export_text(play, "markdown")
        (files,) = [line["files"] for line in json.loads(export_text(play, "json"))["timeline"] if line["files"]]
        assert base64.b64decode(files[0]["content"]) == PNG
        assert not [call.method for call in play.slack.calls if "shared" in call.method.lower()]


async def test_a_message_that_is_only_a_file_says_what_was_shared(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "", files=[("dump.csv", TABLE)])
        await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        await play.settle()
        assert captured_entries(play)[0][1] == "Shared dump.csv"
        assert [(file.state, file.media_type) for file in list_files(play)] == [("kept", "text/csv")]
        assert "1 file is kept with it" in last(play, play.ana).plain
        page = export_text(play, "html")
        assert "<img" not in page
        assert f'href="data:application/octet-stream;base64,{base64.b64encode(TABLE).decode()}"' in page


async def test_a_name_does_not_make_an_image(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        evil = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
        ts = await play.slack.say(
            play.bo, play.channel, "look", files=[("a.png", evil), ("b.png", b"<html>x"), ("c.png", b"\x7fELF\x02\x01")]
        )
        await react(play, play.ana, ts)
        assert [(file.state, file.media_type) for file in list_files(play)] == [
            ("kept", "text/plain"),
            ("refused", "image/png"),
            ("refused", "image/png"),
        ]
        page = export_text(play, "html")
        assert "<img" not in page
        assert "c.png, 6 B, not kept: it is of a kind that is not kept" in page


async def test_a_file_of_a_gigabyte_is_refused_before_it_is_fetched(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "the heap", files=[("heap.bin", b"x")])
        answer = await play.slack.shortcut(play.ana, play.channel, ts, "no_such_shortcut")
        assert answer.delivery is not None
        payload = answer.delivery.payload
        payload["callback_id"] = "timeline_add_message"
        payload["message"]["files"][0]["size"] = 1024**3
        await play.slack.deliver_again(answer)
        await play.settle()
        (file,) = list_files(play)
        assert (file.state, file.note, file.size) == ("refused", "it is larger than 10 MB", 1024**3)
        assert "heap.bin isn't kept: it is larger than 10 MB" in last(play, play.ana).plain


async def test_a_file_that_is_larger_than_it_was_said_to_be_is_not_read_to_its_end(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={"internal_error"}) as play:
        await open_incident(play)
        big = bytes(11 * 1024 * 1024)
        ts = await play.slack.say(play.bo, play.channel, "@afterword the heap", files=[("heap.txt", b"x")])
        assert ts
        await play.settle()
        ts = await play.slack.say(play.bo, play.channel, "the heap again", files=[("heap.txt", b"x")])
        play.slack.fail("file", "internal_error", status=503)
        await react(play, play.ana, ts)
        for file in play.slack.workspace.files.values():
            file.bytes = big
        await play.pass_time(minutes=2)
        assert [(file.state, file.note) for file in list_files(play)] == [
            ("kept", ""),
            ("refused", "it is larger than 10 MB"),
        ]


async def test_a_file_that_slack_does_not_give_now_is_fetched_later(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={"internal_error"}) as play:
        await open_incident(play)
        play.slack.fail("file", "internal_error", status=503, times=2)
        ts = await play.slack.say(play.bo, play.channel, "see", files=[("graph.png", PNG)])
        await react(play, play.ana, ts)
        assert [file.state for file in list_files(play)] == ["wanted"]
        assert "not kept: it is not fetched yet" in export_text(play, "markdown")
        await play.pass_time(minutes=2)
        assert [file.state for file in list_files(play)] == ["wanted"]
        await play.pass_time(minutes=5)
        assert [file.state for file in list_files(play)] == ["kept"]


async def test_without_the_right_to_read_files_the_sign_in_page_is_not_taken_for_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        play.slack.workspace.tokens[play.slack.bot_token].scopes.discard("files:read")
        ts = await play.slack.say(play.bo, play.channel, "see", files=[("notes.txt", b"a note")])
        await react(play, play.ana, ts)
        (file,) = list_files(play)
        assert (file.state, file.content) == ("refused", b"")
        assert "the scope files:read may be missing" in file.note


@pytest.mark.parametrize(
    "address", ["https://files.slack.com.evil.example/x", "http://files.slack.com/x", "https://drive.example.com/x", ""]
)
async def test_the_token_goes_to_nobody_but_slack(sqlite_url: str, address: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "see", files=[("graph.png", PNG)])
        answer = await play.slack.shortcut(play.ana, play.channel, ts, "no_such_shortcut")
        assert answer.delivery is not None
        answer.delivery.payload["callback_id"] = "timeline_add_message"
        answer.delivery.payload["message"]["files"][0]["url_private"] = address
        await play.slack.deliver_again(answer)
        await play.settle()
        assert [(file.state, file.note) for file in list_files(play)] == (
            [("refused", "it is kept outside of Slack")] if address else []
        )


async def test_a_file_that_slack_never_gives_is_given_up_with_the_reason(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={"internal_error"}) as play:
        await open_incident(play)
        play.slack.fail("file", "internal_error", status=503, times=8)
        ts = await play.slack.say(play.bo, play.channel, "see", files=[("graph.png", PNG)])
        await react(play, play.ana, ts)
        for _ in range(6):
            await play.pass_time(hours=7)
            assert [file.state for file in list_files(play)] == ["wanted"]
        await play.pass_time(hours=7)
        (file,) = list_files(play)
        assert file.note == "Slack did not give it, however often it was asked"
