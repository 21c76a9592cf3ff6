"""The numbers that help texts and hints name are there, so that what is copied does something."""

import re

import pytest

from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import on_stage, open_incident, type_command, window


@pytest.mark.parametrize("command", ["/why", "/action", "/timeline"])
async def test_a_help_text_names_what_there_is(sqlite_url: str, command: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("the pool ran out", "retries piled up", "nobody had sized it"):
            await type_command(play, play.ana, f"/why because {text}")
        for text in ("Load test", "Alarm on the pool"):
            await type_command(play, play.ana, f"/action {text}")
        await type_command(play, play.ana, "/action done 1")
        case = play.case()
        known = {
            "/why": {why.number for why in case.whys},
            "/action": {action.number for action in case.actions} | {3},
            "/timeline": {entry.number for entry in case.entries},
        }[command]
        answer = await type_command(play, play.ana, f"{command} help")
        named = re.findall(
            r"(?:branch|root|move|beside|beneath|edit|delete|show|done|drop|reopen|action) #?(\d+)\b", answer
        )
        assert named
        assert {int(number) for number in named} <= known
        cited = re.findall(r"(?<!\w)#(\d+)", answer)
        assert {int(number) for number in cited} <= {entry.number for entry in case.entries}


async def test_examples_of_help_do_what_they_say(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        answer = await type_command(play, play.ana, "/why help")
        (number,) = re.findall(r"`/why branch (\d+) the alert", answer)
        assert "the alert was muted as well" in await type_command(
            play, play.bo, f"/why branch {number} the alert was muted as well"
        )


async def test_before_anything_is_recorded_the_first_numbers_are_named(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        assert "`/why branch 1 " in await type_command(play, play.ana, "/why help")
        assert "`/timeline delete 1`" in await type_command(play, play.ana, "/timeline help")
        assert "`/action done 1`" in await type_command(play, play.ana, "/action help")


async def test_the_form_of_an_answer_cites_an_entry_that_there_is(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        latest = max(entry.number for entry in play.case().entries)
        view = await window(play, play.bo, "why_answer")
        assert f"#{latest} cites entry {latest} as evidence" in view.plain


async def test_a_list_of_actions_shows_how_to_open_one_of_them(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action Load test")
        assert "`/action 1` shows one with its buttons." in await type_command(play, play.ana, "/action list")


async def test_a_severity_that_stays_is_changed_by_another(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident sev 3")
        assert "To change it: `/incident sev 4`" in await type_command(play, play.ana, "/timeline delete 2")
