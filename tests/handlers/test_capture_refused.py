"""What cannot be captured is said in one sentence with the remedy, to the person who tried, and to no one else."""

import pytest

from bot.domain.records import Person
from tests.handlers.test_capture import AGAIN, DONE, captured_entries, marks, react, whispers
from tests.support.deadlines import until
from tests.support.interactions import labels, last, on_stage, open_incident, type_command
from tests.support.play import Play


async def test_without_an_incident_the_person_is_offered_to_open_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await react(play, play.ana, ts)
        (whisper,) = whispers(play, play.ana)
        assert "No open incident here." in whisper.plain
        assert labels(whisper) == ["Open an incident"]
        assert marks(play, ts) == {"memo": [play.ana]}
        answer = await play.slack.shortcut(play.bo, play.channel, ts, "timeline_add_message")
        assert answer.ok
        await play.settle()
        assert labels(last(play, play.bo)) == ["Open an incident"]
        await play.slack.say(play.chandra, play.channel, "@afterword errors are back")
        await play.settle()
        assert labels(last(play, play.chandra)) == ["Open an incident"]


async def test_a_message_that_vanished_is_said_to_be_gone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused={"message_not_found", "thread_not_found"}) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        answer = await play.slack.react(play.ana, play.channel, ts, "memo")
        assert answer is not None
        await type_command(play, play.ana, "/timeline undo")
        await play.slack.delete(play.bo, play.channel, ts)
        event = {
            "type": "reaction_added",
            "user": play.chandra,
            "reaction": "memo",
            "item": {"type": "message", "channel": play.channel, "ts": ts},
            "event_ts": "1795437300.000900",
        }
        assert (await play.slack.event(event)).ok
        await play.settle()
        assert "That message is gone" in whispers(play, play.chandra)[-1].plain


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("not_in_channel", "Invite me with `/invite @afterword`"),
        ("missing_scope", "The app doesn't have the permission. An admin adds it"),
        ("access_denied", "Until then, use *Add to timeline* in the message's menu."),
    ],
)
async def test_a_history_that_the_bot_may_not_read_is_said_with_the_way_that_works(
    sqlite_url: str, error: str, sentence: str
) -> None:
    async with on_stage(sqlite_url, refused={error, *AGAIN}) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        play.slack.fail("conversations.history", error)
        await react(play, play.ana, ts)
        assert sentence in whispers(play, play.ana)[-1].plain
        assert captured_entries(play) == []
        await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        await play.settle()
        assert len(captured_entries(play)) == 1


@pytest.mark.parametrize(
    "fault", [{"error": "ratelimited"}, {"drop": "before", "times": 2}, {"status": 503, "html": True}]
)
@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_what_slack_does_not_give_now_is_recorded_when_the_event_comes_again(
    sqlite_url: str, transport: str, fault: dict[str, object]
) -> None:
    errors = {"ratelimited", "internal_error", "dispatch_failed", "operation_timeout"}
    async with on_stage(sqlite_url, refused=errors, transport=transport) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        play.slack.fail("conversations.history", **fault)  # type: ignore[arg-type]
        patience, play.slack.patience = play.slack.patience, 0.5  # a socket never gets a no
        answer = await play.slack.react(play.ana, play.channel, ts, "memo")
        play.slack.patience = patience
        await until(lambda: not play.slack.api.faults["conversations.history"])
        assert answer is not None
        assert not answer.ok
        assert captured_entries(play) == []
        await play.pass_time(minutes=1)
        (again,) = await play.slack.redeliver_unacked()
        assert again.ok
        await play.settle()
        assert captured_entries(play) == [("12:30", "failing over", play.bo, play.ana)]
        assert DONE in marks(play, ts)
        play.slack.calls[:] = [call for call in play.slack.calls if call.answer]


async def test_guests_and_people_of_another_organisation_are_told_who_can(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        guest = play.slack.user("Gus Demo", "Europe/Berlin", guest=True)
        outsider = play.slack.user("Olga Demo", "Europe/Berlin")
        play.slack.workspace.channels[play.channel].members |= {guest, outsider}
        stranger = {"id": outsider, "real_name": "Olga Demo", "is_stranger": True, "profile": {}}
        await play.slack.event({"type": "user_change", "user": stranger})
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        for person in (guest, outsider):
            await react(play, person, ts)
            await play.slack.say(person, play.channel, "@afterword it broke")
            await play.slack.shortcut(person, play.channel, ts, "timeline_add_message")
            await play.settle()
            assert len([one for one in whispers(play, person) if "Ask a member of this workspace" in one.plain]) == 3
        assert captured_entries(play) == []


async def test_a_shortcut_needs_no_trigger_that_is_still_good(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        answer = await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        await play.pass_time(minutes=2)
        again = await play.slack.deliver_again(answer)
        assert again.ok
        await play.settle()
        assert len(captured_entries(play)) == 1


async def test_what_the_bot_said_itself_is_not_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        card = next(one for one in play.slack.messages(play.channel) if one.user == play.slack.bot_user_id)
        await react(play, play.ana, card.ts)
        assert "I wrote that message from the record" in whispers(play, play.ana)[-1].plain
        assert captured_entries(play) == []


async def test_the_bots_own_reaction_records_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_REACTION": DONE}) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await play.slack.react(play.slack.bot_user_id, play.channel, ts, DONE)
        await play.settle()
        assert captured_entries(play) == []


async def test_a_mention_in_passing_is_answered_with_how_to_record(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.say(play.ana, play.channel, "should we ask @afterword about it?")
        await play.slack.say(play.bo, play.channel, "@afterword help")
        await play.settle()
        assert "Start the message with @afterword" in whispers(play, play.ana)[-1].plain
        assert "Recording without a command" in whispers(play, play.bo)[-1].plain
        assert captured_entries(play) == []


async def test_a_time_still_to_come_is_refused_in_a_whisper(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.say(play.ana, play.channel, "@afterword 2026-11-24 14:05 UTC failed over")
        await play.settle()
        assert "hasn't happened yet" in whispers(play, play.ana)[-1].plain
        assert captured_entries(play) == []


async def test_a_credential_in_a_message_is_recorded_and_its_recorder_warned(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "the token was AKIA" + "ABCDEFGHIJKLMNOP")
        await react(play, play.ana, ts)
        assert len(captured_entries(play)) == 1
        assert "Redact" in labels(whispers(play, play.ana)[-1])


async def an_alert(play: Play, **parts: object) -> str:
    """A message of another bot, as its webhook posts it."""
    workspace = play.slack.workspace
    place = workspace.channels[play.channel]
    return workspace.put(place, "", "", **parts).ts


async def test_an_alert_of_another_bot_is_recorded_in_its_own_name(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        parts = [{"title": "HighErrorRate", "text": "5xx above 5 % on <https://grafana.example.com/d/1|checkout>"}]
        ts = await an_alert(play, attachments=parts)
        event = await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        assert event.delivery is not None
        assert captured_entries(play) == []  # no one is named as its author
        payload = event.delivery.payload
        payload["message"] |= {"bot_id": "B0ALERTS", "username": "Alertmanager", "subtype": "bot_message"}
        payload["trigger_id"] = "2.2"
        await play.slack.deliver_again(event)
        await play.settle()
        ((_, text, author, _),) = captured_entries(play)
        assert text == "HighErrorRate\n5xx above 5 % on checkout (https://grafana.example.com/d/1)"
        assert author == "B0ALERTS"
        assert play.case().people["B0ALERTS"] == Person("T0REHEARSE", "B0ALERTS", "Alertmanager", is_bot=True)
