"""The language in which a person's times are read: that of their Slack profile, if Slack tells it."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain import times
from bot.slack.directory import find_language
from storage import people as people_store
from tests.handlers.test_capture import AGAIN, react
from tests.handlers.test_people import as_told
from tests.support.history_scans import looked_back, say, talk, until
from tests.support.interactions import on_stage, open_incident, type_command, window
from tests.support.play import NOON, TEAM, Play


def read_language(play: Play, user: str) -> str:
    """The language that the database has for someone."""
    found = play.bot.store.read_now(lambda tx: people_store.find(tx, TEAM, user))
    return found.locale if found else "nobody"


async def speaking(play: Play, locale: str) -> str:
    """Someone new whose Slack is in this language."""
    user: str = play.slack.user("Dana Demo", "Europe/Berlin", locale=locale)
    play.slack.workspace.channels[play.channel].members.add(user)
    return user


async def test_the_language_is_asked_for_and_kept(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        dana = await speaking(play, "de-DE")
        await type_command(play, dana, "/timeline failed over")
        assert read_language(play, dana) == "de-DE"
        (call,) = [call for call in play.slack.calls if call.method == "users.info" and call.args["user"] == dana]
        assert str(call.args["include_locale"]).lower() in ("1", "true")


async def test_the_list_of_everybody_tells_it_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        dana = await speaking(play, "pt-BR")
        await play.pass_time(days=1, minutes=1)
        await play.bot.directory_refresher.wait()
        assert read_language(play, dana) == "pt-BR"


async def test_a_change_of_language_is_heard_and_an_event_without_one_changes_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        dana = await speaking(play, "de-DE")
        await type_command(play, dana, "/timeline failed over")
        await play.slack.change_person(dana, locale="fr-FR")
        assert read_language(play, dana) == "fr-FR"
        await play.slack.event({"type": "user_change", "user": as_told(dana, "Dana New Demo", "Asia/Tokyo")})
        assert read_language(play, dana) == "fr-FR"
        assert "Dana New Demo" in await type_command(play, dana, "/timeline show")


async def test_somebody_whose_language_nobody_told_is_read_in_english(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        dana = play.slack.user("Dana Demo", "Europe/Berlin")
        await play.slack.event({"type": "team_join", "user": as_told(dana, "Dana Demo", "Europe/Berlin")})
        person = play.bot.services.slack.directory.get(TEAM, dana)
        assert person is not None
        assert (person.locale, find_language(person)) == ("", "en")


@pytest.fixture
def languages_read(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The language in which each line was read, by the line: the grammar itself is not changed."""
    languages: dict[str, str] = {}
    real: Callable[..., Any] = times.read
    signature = inspect.signature(real)

    def read(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        languages[bound.arguments["text"]] = bound.arguments["language"]
        return real(*args, **named)

    monkeypatch.setattr(times, "read", read)
    return languages


async def test_every_way_in_reads_in_its_authors_language(sqlite_url: str, languages_read: dict[str, str]) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        dana = await speaking(play, "de-DE")
        await type_command(play, dana, "/timeline before there was an incident")
        await open_incident(play)
        await type_command(play, dana, "/timeline 12:05 failed over")
        await type_command(play, dana, "/timeline edit 2 12:06 failed over to B")
        await type_command(play, dana, "/incident mitigated 12:07 traffic moved")
        await type_command(play, dana, "/timeline paste\n12:08 one\n12:09 two")
        await play.slack.say(dana, play.channel, "@afterword 12:10 said to the bot")
        ts = await play.slack.say(dana, play.channel, "said in the channel")
        await react(play, play.bo, ts)  # whoever puts the reaction on: the words are Dana's
        view = await window(play, dana, "timeline_edit")
        await play.slack.submit(dana, view, {"when": "12:11"})
        await play.settle()
    assert {line: language for line, language in languages_read.items() if language != "de-DE"} == {}
    assert len([line for line in languages_read if line]) >= 8


async def test_a_look_back_reads_each_message_in_its_authors_language(
    sqlite_url: str, languages_read: dict[str, str]
) -> None:
    async with talk(sqlite_url) as play:
        dana = await speaking(play, "de-DE")
        say(play, dana, "10:05 erster Alarm")
        say(play, play.bo, "04:06 second alert")
        until(play, NOON)
        await looked_back(play)
    assert languages_read["10:05 erster Alarm"] == "de-DE"
    assert languages_read["04:06 second alert"] == "en-US"
