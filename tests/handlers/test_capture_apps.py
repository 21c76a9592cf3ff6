"""Messages of other apps and messages that were forwarded come into the timeline as people see them."""

from typing import Any

from bot.rehearsal.workspace import Message
from tests.handlers.test_capture import AGAIN, captured_entries, react
from tests.handlers.test_capture_files import PNG, list_files
from tests.support.interactions import last, on_stage, open_incident, type_command
from tests.support.play import Play

Json = dict[str, Any]


def put(play: Play, **parts: Any) -> Message:
    """A message of another app or another client, as Slack tells of it."""
    place = play.slack.workspace.channels[play.channel]
    message = play.slack.workspace.put(place, play.bo, str(parts.get("text", "")))
    message.payload = {"type": "message", "ts": message.ts, **parts}
    return message


async def add(play: Play, message: Message) -> str:
    """*Add to timeline*; what the person reads for it."""
    await play.slack.shortcut(play.ana, play.channel, message.ts, "timeline_add_message")
    await play.settle()
    return last(play, play.ana).plain


async def test_an_alert_is_recorded_as_it_is_shown(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": "HighErrorRate on R&amp;D"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "5xx above 5 %, <tel:+1555123456|+1 555 123456>"}},
        ]
        message = put(play, bot_id="B0OTHER", username="Alertmanager", text="New alert", blocks=blocks)
        receipt = await add(play, message)
        assert captured_entries(play) == [
            ("12:30", "HighErrorRate on R&D\n5xx above 5 %, +1 555 123456", "B0OTHER", play.ana),
        ]
        assert "Seen by Alertmanager" in receipt


async def test_the_reaction_reads_the_same(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        fields = [{"title": "Service", "value": "disk"}, {"title": "State", "value": "CRITICAL"}]
        message = put(play, bot_id="B0OTHER", bot_profile={"name": "Nagios"}, text="", attachments=[{"fields": fields}])
        await react(play, play.ana, message.ts)
        assert [text for _, text, _, _ in captured_entries(play)] == ["Service: disk\nState: CRITICAL"]


def share(play: Play, **parts: Any) -> Json:
    file = play.slack.workspace.files[_upload_file(play)]
    payload = {
        "id": file.id,
        "name": file.name,
        "mimetype": "image/png",
        "size": len(PNG),
        "mode": "hosted",
        "url_private": f"{play.slack.workspace.base_url}/files-pri/{file.id}",
    }
    return {
        "is_share": True,
        "is_msg_unfurl": True,
        "from_url": "https://rehearsal.slack.com/archives/C9/p1",
        "author_id": play.chandra,
        "author_name": "Chandra Demo",
        "text": "primary is at 100% iowait since 14:05",
        "files": [payload],
        **parts,
    }


def _upload_file(play: Play) -> str:
    return next(iter(play.slack.workspace.files))


async def test_what_is_forwarded_is_recorded_with_its_words_its_author_and_its_files(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        await play.slack.say(play.chandra, play.channel, "see", files=[("iowait.png", PNG)])
        both = put(play, user=play.bo, text="deal with this", attachments=[share(play)])
        receipt = await add(play, both)
        assert captured_entries(play)[-1][1] == "deal with this\nChandra Demo: primary is at 100% iowait since 14:05"
        assert "1 file is kept with it" in receipt
        alone = put(play, user=play.bo, text="", attachments=[share(play, text="", fallback="[no preview available]")])
        await add(play, alone)
        assert captured_entries(play)[-1][1] == "Shared iowait.png"
        assert [(file.name, file.state, file.content) for file in list_files(play)] == [("iowait.png", "kept", PNG)] * 2


async def test_an_author_of_whom_slack_does_not_tell_goes_by_the_name_in_the_message(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={*AGAIN, "user_not_found"}) as play:
        await open_incident(play)
        profile = {"real_name": "Finn Foreign", "display_name": "", "team": "T0ELSEWHERE", "name": "finn"}
        receipt = await add(play, put(play, user="U0FOREIGN", text="it is down here too", user_profile=profile))
        assert "Seen by Finn Foreign" in receipt
        assert "Finn Foreign" in await type_command(play, play.ana, "/timeline show")
        person = play.bot.slack.directory.get(play.slack.workspace.team, "U0FOREIGN")
        assert person is not None
        assert person.is_guest  # no one of this workspace: they may do no more than before
        app = put(
            play, user="U0APP", bot_id="B2", bot_profile={"id": "B2", "name": "Deployer"}, text="deploy 42 failed"
        )
        assert "Seen by Deployer" in await add(play, app)


async def test_a_name_that_was_told_once_is_not_forgotten(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        await add(play, put(play, bot_id="B0OTHER", bot_profile={"name": "Nagios"}, text="disk is full"))
        assert "Seen by Nagios" in await add(play, put(play, bot_id="B0OTHER", text="disk is fuller"))


async def test_while_slack_does_not_answer_the_name_in_the_message_is_only_shown(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={*AGAIN, "internal_error"}) as play:
        await open_incident(play)
        play.slack.fail("users.info", "internal_error")
        profile = {"real_name": "Finn Foreign"}
        message = put(play, user="U0FOREIGN", text="it is down here too", user_profile=profile)
        assert "Seen by Finn Foreign" in await add(play, message)
        assert play.bot.slack.directory.get(play.slack.workspace.team, "U0FOREIGN") is None


async def test_a_message_without_a_time_is_not_recorded_and_that_is_said(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={*AGAIN, "message_not_found"}) as play:
        await open_incident(play)
        message = put(play, user=play.bo, text="no time")
        message.payload = {"type": "message", "user": play.bo, "text": "no time"}
        assert "doesn't say when that message was written" in await add(play, message)
        assert captured_entries(play) == []


async def test_an_alert_whose_blocks_change_is_shown_as_edited(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        firing = {"type": "section", "text": {"type": "mrkdwn", "text": "*FIRING* checkout"}}
        ended = {"type": "section", "text": {"type": "mrkdwn", "text": "*RESOLVED* checkout"}}
        message = put(play, bot_id="B0OTHER", username="Alertmanager", text="Alert", blocks=[firing])
        await add(play, message)
        assert message.payload is not None
        event = {"type": "message", "subtype": "message_changed", "channel": play.channel, "channel_type": "channel"}
        before = message.payload
        await play.slack.event(event | {"message": before, "previous_message": before})
        await play.settle()
        assert [entry.source_change for entry in play.case().entries if entry.source] == [""]
        await play.slack.event(event | {"message": before | {"blocks": [ended]}, "previous_message": before})
        await play.slack.event(event | {"message": {"text": "no time"}})
        await play.settle()
        assert [entry.source_change for entry in play.case().entries if entry.source] == ["edited"]
