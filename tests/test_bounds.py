"""How long what comes in may be: each bound holds before anything reads the field, and gives the text back."""

import re
from pathlib import Path

import pytest

from bot import bounds
from bot.bounds import BOUNDS
from bot.domain.text import require_length
from bot.errors import Misconfigured, Refused
from bot.export.json.reader import read
from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.payloads import envelope, view_json
from bot.settings import load
from tests.support.house_offenders import modules
from tests.support.interactions import last, on_stage, open_incident, type_command, window
from tests.support.play import Play

TOO_LONG = "14:05 " + "due (see #1 " * (bounds.TEXT // 12) + "and more"
REFUSAL = f"at most {bounds.TEXT:,} can be kept. Split it into several."
OPERATING = Path("docs/operating.md").read_text(encoding="utf-8")


def test_the_page_for_operators_says_every_bound() -> None:
    rows = [f"| {one.field} | {one.most:,} {one.unit} | {one.beyond} |" for one in BOUNDS]
    assert [row for row in rows if row not in OPERATING] == []
    assert OPERATING.count(" characters | ") == sum(one.unit == "characters" for one in BOUNDS)


def test_every_bound_is_in_use() -> None:
    sources = "".join(Path(name).read_text(encoding="utf-8") for name in modules("bot", "handlers"))
    names = [name for name, value in vars(bounds).items() if name.isupper() and isinstance(value, int)]
    assert [name for name in names if f"bounds.{name}" not in sources] == []
    assert {getattr(bounds, name) for name in names if name != "FIELDS"} == {one.most for one in BOUNDS}


@pytest.mark.parametrize("command", ["/timeline", "/why because", "/action", "/incident title", "/postmortem waive"])
async def test_a_command_that_is_too_long_is_given_back(sqlite_url: str, command: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await play.slack.command(play.ana, play.channel, f"{command} {TOO_LONG}")
        assert REFUSAL in answer.text
        assert "and more" not in answer.text
        assert TOO_LONG[:100] in str(answer.body)
        assert "due" not in str(play.case())


async def _whispers(play: Play, text: str, where: str) -> str:
    await play.slack.say(play.ana, where, text)
    await play.settle()
    return " ".join(message.plain for message in play.slack.messages(where, user=play.ana) if message.text != text)


@pytest.mark.parametrize("begin", ["", "done ", "1 "])
async def test_a_dm_that_is_too_long_gets_a_refusal(sqlite_url: str, begin: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert REFUSAL in await _whispers(play, begin + TOO_LONG, play.slack.dm(play.ana))


async def test_a_mention_that_is_too_long_stays_where_it_is(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert REFUSAL in await _whispers(play, f"@afterword {TOO_LONG}", play.channel)
        assert "due" not in str(play.case())


async def test_a_message_that_is_too_long_is_not_recorded_by_menu_or_reaction(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, TOO_LONG)
        await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        await play.settle()
        assert REFUSAL in last(play, play.ana).plain
        await play.slack.react(play.bo, play.channel, ts, "memo")
        await play.settle()
        assert REFUSAL in last(play, play.bo).plain
        assert "due" not in str(play.case())


async def test_a_field_that_is_too_long_keeps_its_form_open(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        await type_command(play, play.ana, "/timeline edit 2")
        await window(play, play.ana, "timeline_edit")
        (view,) = play.slack.workspace.stacks[play.ana]
        state = view_json(play.slack.workspace, view)
        for values in state["state"]["values"].values():
            for value in values.values():
                value.update(value="x" * (bounds.FIELD + 1)) if value["type"] == "plain_text_input" else None
        payload = envelope(play.slack.workspace, "view_submission", play.ana) | {"view": state, "response_urls": []}
        answer = await play.slack.deliver(AppDelivery("interactive", payload))
        assert "a field takes 3,000. Split it into several." in str(answer.body)
        assert "response_action" in str(answer.body)
        assert play.case().entries[-1].text == "failed over"


def test_a_setting_that_is_too_long_is_named() -> None:
    with pytest.raises(
        Misconfigured, match=r"AFTERWORD_BLAME_WORDS has 100,001 characters; at most 100,000 are read\."
    ):
        load({"AFTERWORD_BLAME_WORDS": "x" * (bounds.SETTING + 1)}, env_file=None)


def test_a_file_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Refused, match="It is larger than 256 MB"):
        read(b"{" * (bounds.RECORD_FILE + 1))


def test_what_just_fits_is_taken() -> None:
    assert len(require_length("x" * bounds.TEXT)) == bounds.TEXT
    with pytest.raises(Refused, match=re.escape(REFUSAL)):
        require_length("x" * (bounds.TEXT + 1))
