"""A play that is checked against Slack's limits at its end, and short ways to act in it."""

import html
import json
import re
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from bot.rehearsal.block_kit import check_blocks, check_size
from bot.rehearsal.screen import ShownMessage, ShownView
from bot.rehearsal.server import StandIn
from bot.slack.views.blocks import MORE
from tests.support.play import Play, playing
from tests.support.posted_buttons import POSTED, list_buttons

_COMMAND = re.compile(r"`/(?:timeline|why|incident|action|postmortem)[^`]*`")
"""What Slack refuses if it is typed in a thread."""

_SENDING = ("chat.postMessage", "chat.postEphemeral", "chat.update")

_CUT = 3_400
"""Texts of messages longer than this may have been cut."""

LONGEST_TEXT = 4_000
"""Slack documents this for the text of a message with blocks."""


_RECEIPT = re.compile(r"\*#\d+ · ")


def is_receipt(text: str) -> bool:
    """Whether this says that an entry is recorded: a receipt begins with its number and time."""
    return bool(_RECEIPT.match(text))


@asynccontextmanager
async def on_stage(database_url: str, *, refused: Iterable[str] = (), **more: Any) -> AsyncIterator[Play]:
    """`playing`; fails if Slack refused anything that the bot sent, except with these error words."""
    async with playing(database_url, **more) as play:
        yield play
        await play.settle()
        require_sayable(play.slack, frozenset(refused))


def require_sayable(slack: StandIn, refused: frozenset[str] = frozenset()) -> None:
    """Every acknowledgement, answer, post and window of the play is within Slack's limits, and suits its place."""
    bad = [(call.method, call.answer) for call in slack.calls if not call.ok and call.answer["error"] not in refused]
    assert not bad
    assert [answer.error for answer in slack.answers if answer.error and answer.error not in refused] == []
    in_threads = [
        call.args for call in slack.calls if call.args.get("thread_ts") and call.method.startswith("chat.post")
    ]
    in_threads += [call.args for call in slack.calls if call.method == "files.completeUploadExternal"]
    in_threads = [args for args in in_threads if args.get("thread_ts")]
    assert [found for args in in_threads for found in _COMMAND.findall(json.dumps(args))] == []
    acks = [answer.body for answer in slack.answers if isinstance(answer.body, dict)]
    answers = [call.args for call in slack.calls if call.method == "response_url"]
    posts = [call.args for call in slack.calls if call.method in _SENDING and call.ok]
    for content in (*acks, *answers, *posts):
        require_spelt_out(content)
    # Those of the outbox have an address that is stored: their buttons are taken away once they are outdated.
    shown = [
        _blocks_of(call.args) for call in slack.calls if call.method == "chat.postMessage" and call.args.get("metadata")
    ]
    assert {name for blocks in shown for name in list_buttons(blocks)} - POSTED == set()
    for content in (*acks, *answers):
        assert "refused" not in content
        assert len(str(content.get("text", ""))) <= LONGEST_TEXT
        check_blocks(content.get("blocks") or [])
        check_size(content.get("blocks") or [])


def require_spelt_out(content: dict[str, Any]) -> None:
    """The `text` of a message says all that its blocks say, headlines and buttons aside, unless it was cut.

    Nor does it say a line more often than they do.

    Screen readers read nothing else, and neither do notifications.
    """
    blocks = _blocks_of(content)
    text = str(content.get("text", ""))
    if len(text) < _CUT:
        shown = "\n".join(_texts_in(blocks))
        missing = _words_in(shown) - _words_in(text)
        assert not missing, (sorted(missing), text, blocks)
        doubled = _count_lines(text) - (_count_lines(shown) | Counter(dict.fromkeys(_count_lines(text), 1)))
        assert not doubled, (doubled, text, blocks)


def _blocks_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = content.get("blocks") or []
    found: list[dict[str, Any]] = json.loads(blocks) if isinstance(blocks, str) else blocks
    return found


def _texts_in(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["type"] not in ("header", "actions", "input"):
            yield from _strings_in({key: value for key, value in block.items() if key != "accessory"})


def _strings_in(value: object) -> Iterator[str]:
    """Every `text` that is a string, however deep."""
    if isinstance(value, list):
        for each in value:
            yield from _strings_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "text" and isinstance(each, str):
                yield html.unescape(each)
            else:
                yield from _strings_in(each)


def _count_lines(text: str) -> Counter[str]:
    return Counter(html.unescape(line).strip() for line in text.splitlines() if line.strip())


def _words_in(text: str) -> set[str]:
    return set(re.findall(r"\w+", html.unescape(text)))


async def type_command(play: Play, user: str, text: str, channel: str = "") -> str:
    """Type a command; what the person reads for it."""
    answer = await play.slack.command(user, channel or play.channel, text)
    assert answer.status == 200, answer
    return answer.text


async def open_incident(play: Play, title: str = "Checkout is failing", channel: str = "") -> None:
    """Ana opens an incident, and its live message is in the channel."""
    await type_command(play, play.ana, f"/incident open {title}", channel)
    await play.settle()


def last(play: Play, user: str, channel: str = "") -> ShownMessage:
    """The newest message that the person sees in the channel."""
    return play.slack.messages(channel or play.channel, user=user)[-1]


def having(play: Play, user: str, action: str, channel: str = "") -> ShownMessage:
    """The newest message that shows this person a button of this action, or a line of a menu that stands for one."""
    seen = play.slack.messages(channel or play.channel, user=user)
    return next(message for message in reversed(seen) if action in actions_of(message))


def actions_of(message: ShownMessage) -> list[str]:
    """The action ids of its buttons, and of those that the lines of its menus stand for."""
    return [json.loads(value)["do"] if action == MORE else action for _, action, value in message.buttons]


def as_pressed(message: ShownMessage, action: str, value: str | None = None) -> tuple[str, str | None]:
    """The action id and value to click for a button, whether it stands alone or behind [⋯]."""
    if action in [button[1] for button in message.buttons]:
        return action, value
    lines = [line for _, menu, line in message.buttons if menu == MORE]
    return MORE, next(line for line in lines if json.loads(line)["do"] == action and value in (None, line))


async def press(play: Play, user: str, action: str, value: str | None = None, channel: str = "") -> ShownMessage:
    """Press a button of the newest message that has it; the newest message the person sees after that."""
    shown = having(play, user, action, channel)
    answer = await play.slack.click(user, shown, *as_pressed(shown, action, value))
    assert answer.ok, answer
    await play.settle()
    return last(play, user, channel)


async def window(play: Play, user: str, action: str, channel: str = "") -> ShownView:
    """Press a button that opens a window; the window."""
    await press(play, user, action, channel=channel)
    (view,) = play.slack.views(user)
    return view


def count_phone_lines(message: ShownMessage, width: int = 40) -> int:
    """The lines of a message on a phone. A button is beside its text, and buttons share a row if they fit."""
    return sum(_lines_of(message, block, width) for block in message.blocks)


def _lines_of(message: ShownMessage, block: dict[str, Any], width: int) -> int:
    controls = [*block.get("elements", ())] if block["type"] == "actions" else []
    if controls:
        rows, left = 1, width
        for size in (len(_name_control(control)) + 2 for control in controls):
            rows, left = (rows, left - size) if size <= left else (rows + 1, width - size)
        return rows
    beside = block.get("accessory")
    room = width - len(_name_control(beside)) - 4 if beside else width
    text = message.reader.blocks([{key: value for key, value in block.items() if key != "accessory"}])
    text = re.sub(r":[a-z_]+:", "!!", text).replace("*", "")
    return sum(max(len(textwrap.wrap(line, room)), 1) for line in text.splitlines())


def _name_control(control: dict[str, Any]) -> str:
    return str((control.get("text") or control.get("placeholder") or {"text": "…"})["text"])


def labels(message: ShownMessage) -> list[str]:
    """The words on its buttons."""
    return [button[0] for button in message.buttons]


def count_messages(play: Play, words: str) -> int:
    """How many messages of the channel have these words, bold or not."""
    return sum(words in message.plain.replace("*", "") for message in play.slack.messages(play.channel))


def entry_texts(play: Play) -> list[str]:
    """The texts of the timeline."""
    return [entry.text for entry in play.case().entries]


def action_statuses(play: Play) -> list[str]:
    """The status of each action, by number."""
    return [str(action.status) for action in play.case().actions]


async def export_text(play: Play, form: str = "markdown") -> str:
    """The document, as `/postmortem export` brings it into the channel."""
    await type_command(play, play.ana, f"/postmortem export {form}")
    await play.settle()
    return play.slack.files[-1].bytes.decode()
