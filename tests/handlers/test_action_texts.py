"""The words of an action: a gentle hint where no one can tell when it is done, and how they are changed."""

from bot.domain.secrets import REDACTED
from tests.handlers.test_secrets import PASSWORD
from tests.support.interactions import having, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play


def has_hint(play: Play, user: str) -> bool:
    return any("doesn't say when action 1 is done" in m.plain for m in play.slack.messages(play.channel, user=user))


async def test_a_vague_action_is_recorded_and_its_author_alone_gets_a_hint_that_mends_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.bo, "/action improve monitoring @Chandra Demo due friday")
        assert "*Action 1* of INC-1: improve monitoring" in answer
        await play.settle()
        assert has_hint(play, play.bo)
        assert not has_hint(play, play.ana)
        assert not has_hint(play, play.chandra)
        view = await window(play, play.bo, "action_edit")
        assert (await play.slack.submit(play.bo, view, {"text": " "})).errors == {
            "text": "What needs doing? Write it in a few words."
        }
        await play.slack.submit(play.bo, view, {"text": "page when the pool is above 80%"})
        await play.settle()
        shown = last(play, play.bo)
        assert "Action 1 of INC-1 now reads: page when the pool is above 80%\nChanged by Bo Demo." in shown.plain
        assert not any("now reads" in message.plain for message in play.slack.messages(play.channel))
        assert play.case().actions[0].text == "page when the pool is above 80%"


async def test_the_words_are_the_operators_choice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_VAGUE_WORDS": "none"}) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/action improve monitoring")
        await play.settle()
        assert not has_hint(play, play.bo)


async def test_an_action_is_worded_anew_by_command_and_its_credentials_are_warned_of(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action cap the retries")
        answer = await type_command(play, play.bo, "/action edit 1 cap the retries at 3")
        assert "Action 1 of INC-1 now reads: cap the retries at 3" in answer
        assert "Before: _cap the retries_" in answer
        assert "cap the retries at 3" in await type_command(play, play.bo, "/action edit 1")
        assert (await window(play, play.bo, "action_edit")).title == "Action 1"
        assert "has no action 4" in await type_command(play, play.bo, "/action edit 4 something")
        await type_command(play, play.bo, f"/action edit 1 use password={PASSWORD}")
        await play.settle()
        dm = play.slack.dm(play.bo)
        assert "This looks like a password." in having(play, play.bo, "secret_redact", dm).plain
        await press(play, play.bo, "secret_redact", channel=dm)
        assert play.case().actions[0].text == f"use password={REDACTED}"
