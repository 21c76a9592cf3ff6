"""What becomes of a message after it was captured is shown on its entry, whose first wording is kept."""

from tests.handlers.test_capture import captured_entries, react
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play


def changes(play: Play) -> list[str]:
    return [entry.source_change for entry in play.case().entries if entry.source]


async def test_an_edit_of_the_message_is_shown_and_the_first_wording_kept(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "it is the cache")
        await react(play, play.ana, ts)
        await play.slack.edit(play.bo, play.channel, ts, "it is not the cache")
        assert changes(play) == ["edited"]
        assert captured_entries(play)[0][1] == "it is the cache"
        assert "it is the cache — Bo Demo #2 (message edited since)" in (
            await type_command(play, play.ana, "/timeline show")
        ).replace("_", "")
        assert "From this message, which was edited since" in await type_command(play, play.ana, "/timeline show 2")


async def test_a_deletion_of_the_message_is_shown_and_the_entry_stays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "it is the cache")
        await react(play, play.ana, ts)
        await play.slack.delete(play.bo, play.channel, ts)
        assert changes(play) == ["deleted"]
        assert captured_entries(play)[0][1] == "it is the cache"


async def test_an_edit_is_noticed_in_a_private_channel_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        play.channel = play.slack.channel("quiet", [play.ana, play.bo], private=True)
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "it is the cache")
        await react(play, play.ana, ts)
        await play.slack.edit(play.bo, play.channel, ts, "it is the queue")
        assert changes(play) == ["edited"]


async def test_a_link_that_unfolds_is_no_edit(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "see https://example.com/graph")
        await react(play, play.ana, ts)
        same = {"ts": ts, "user": play.bo, "text": "see <https://example.com/graph>"}
        unfolded = {**same, "attachments": [{"from_url": "https://example.com/graph", "text": "A graph"}]}
        event = {"type": "message", "subtype": "message_changed", "channel": play.channel, "channel_type": "channel"}
        answer = await play.slack.event(event | {"message": unfolded, "previous_message": same})
        assert answer.ok
        assert changes(play) == [""]


async def test_a_message_that_was_deleted_under_its_thread_is_shown_as_deleted(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "it is the cache")
        await react(play, play.ana, ts)
        gone = {"ts": ts, "subtype": "tombstone", "text": "This message was deleted."}
        event = {"type": "message", "subtype": "message_changed", "channel": play.channel, "channel_type": "channel"}
        assert (await play.slack.event(event | {"message": gone})).ok
        assert (await play.slack.event(event | {"message": {"ts": ts, "text": "back?"}})).ok
        assert changes(play) == ["deleted"]


async def test_what_people_say_otherwise_leaves_no_trace(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        before = len(play.slack.calls)
        ts = await play.slack.say(play.bo, play.channel, "lunch?")
        await play.slack.edit(play.bo, play.channel, ts, "lunch!")
        await play.slack.delete(play.bo, play.channel, ts)
        await play.settle()
        assert captured_entries(play) == []
        assert {call.method for call in play.slack.calls[before:]} <= {"chat.update"}
