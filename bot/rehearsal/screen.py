"""What a person sees: mrkdwn and blocks as text, messages and modals as values, and whom they ping."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from typing import Any

from rich.emoji import Emoji

from bot.rehearsal.workspace import Json, Message, View

TOKEN = re.compile(r"<([^<>\n]+)>")
DATE_PART = re.compile(r"\{(\w+)\}")
BROADCASTS = ("channel", "here", "everyone")
Namer = Callable[[str], str]


def unescape(text: str) -> str:
    """Slack's three entities, back to the characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """The three characters that Slack escapes, as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class PersonReader:
    """Reads as one person does: `name_of` gives the name for an id, `zone` is where dates are shown."""

    def __init__(self, name_of: Namer, zone: tzinfo = UTC) -> None:
        self.name_of = name_of
        self.zone = zone

    def mrkdwn(self, text: str) -> str:
        """Text with mentions as names, links as their labels, dates in the reader's zone, entities decoded."""
        return unescape(TOKEN.sub(lambda match: self._token(match[1]), text))

    def _token(self, inside: str) -> str:
        body, _, label = inside.partition("|")
        if body.startswith("!date^"):
            return self._date(body, label)
        if body.startswith("!"):
            return label or f"@{body[1:].split('^')[0]}"
        if body[:1] in "@#":
            return f"{body[0]}{self.name_of(body[1:])}"
        return label or body

    def _date(self, body: str, fallback: str) -> str:
        parts = body.split("^")
        if len(parts) < 3 or not parts[1].isdigit():
            return fallback
        return self.date(int(parts[1]), parts[2])

    def date(self, seconds: int, form: str) -> str:
        """A Unix time in Slack's date format, as this reader sees it."""
        at = datetime.fromtimestamp(seconds, self.zone)
        return DATE_PART.sub(lambda match: _format_date_part(match[1], at), form)

    def blocks(self, blocks: list[Json]) -> str:
        """All the text of the blocks, a line for each part."""
        return "\n".join(line for block in blocks for line in self._block(block) if line)

    def _block(self, block: Json) -> Iterator[str]:
        kind = block.get("type")
        if kind == "markdown":
            yield self.mrkdwn(block.get("text", ""))
        elif kind == "rich_text":
            yield from (self.rich(part) for part in block.get("elements", ()))
        elif kind == "table":
            yield from (" | ".join(self._cell(cell) for cell in row) for row in block.get("rows", ()))
        else:
            yield from self._parts(block)

    def _parts(self, block: Json) -> Iterator[str]:
        for key in ("title", "label", "text", "hint", "description", "alt_text"):
            yield self.words(block.get(key))
        for part in [*block.get("fields", ()), *block.get("elements", ())]:
            yield self.element(part)
        for key in ("accessory", "element"):
            yield self.element(block.get(key) or {})

    def words(self, piece: Any) -> str:
        """A text object (or a bare string) as it is read."""
        if isinstance(piece, str):
            return piece
        if not isinstance(piece, dict):
            return ""
        text = str(piece.get("text", ""))
        return self.mrkdwn(text) if piece.get("type") == "mrkdwn" else text

    def element(self, element: Json) -> str:
        """An element as it is read: a text, a button's words, the choices of a menu, what an input shows."""
        if element.get("type") in ("mrkdwn", "plain_text"):
            return self.words(element)
        if element.get("type") == "overflow":
            return "⋯ " + " · ".join(self.words(option.get("text")) for option in element.get("options", ()))
        shown = [self.words(element.get("text")), self.words(element.get("placeholder"))]
        shown += [self.words(option.get("text")) for option in element.get("options", ())]
        shown += [str(element.get("initial_value") or ""), str(element.get("alt_text") or "")]
        return " ".join(words for words in shown if words)

    def rich(self, part: Json) -> str:
        """A part of a rich_text block, and all that is in it."""
        kind = part.get("type", "")
        if "elements" in part:
            glue = "\n" if kind == "rich_text_list" else ""
            return glue.join(self.rich(inner) for inner in part["elements"])
        if kind == "date":
            return self.date(int(part.get("timestamp", 0)), part.get("format", "{date}"))
        if kind in ("user", "channel"):
            return f"{'@' if kind == 'user' else '#'}{self.name_of(part.get(kind + '_id', ''))}"
        named = {"emoji": f":{part.get('name')}:", "broadcast": f"@{part.get('range')}"}
        named["usergroup"] = f"@{part.get('usergroup_id')}"
        return named.get(kind) or str(part.get("text") or part.get("url") or "")

    def _cell(self, cell: Json) -> str:
        return self.rich(cell) if cell.get("type") == "rich_text" else str(cell.get("text", ""))


def _format_date_part(name: str, at: datetime) -> str:
    day = f"{at:%B} {at.day}"
    suffix = "th" if 10 <= at.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(at.day % 10, "th")
    hour = f"{at.hour % 12 or 12}:{at:%M}"
    shown = {
        "date_num": f"{at:%Y-%m-%d}",
        "date": f"{day}{suffix}, {at.year}",
        "date_short": f"{at:%b} {at.day}, {at.year}",
        "date_long": f"{at:%A}, {day}{suffix}, {at.year}",
        "time": f"{hour} {at:%p}",
        "time_secs": f"{hour}:{at:%S} {at:%p}",
    }
    return shown.get(name.replace("_pretty", ""), "{" + name + "}")


def find_pings_in_text(text: str) -> set[str]:
    """The people, groups and broadcasts that live mentions in mrkdwn would ping."""
    return {ping for match in TOKEN.finditer(text) if (ping := _parse_ping(match[1].split("|")[0]))}


def _parse_ping(body: str) -> str:
    if body.startswith("@"):
        return body[1:]
    if body.startswith("!subteam^"):
        return body.split("^")[1]
    return body[1:] if body.startswith("!") and body[1:] in BROADCASTS else ""


def find_pings_in_blocks(piece: Any) -> set[str]:
    """The same for blocks: mrkdwn objects, markdown blocks, and the mention elements of rich text."""
    if isinstance(piece, list):
        return set().union(*(find_pings_in_blocks(inner) for inner in piece))
    if not isinstance(piece, dict):
        return set()
    kind = piece.get("type")
    if kind in ("mrkdwn", "markdown"):
        return find_pings_in_text(str(piece.get("text", "")))
    mentioned = {"user": "user_id", "usergroup": "usergroup_id", "broadcast": "range"}.get(str(kind))
    if mentioned and mentioned in piece:
        return {str(piece[mentioned])}
    return set().union(*(find_pings_in_blocks(inner) for inner in piece.values()))


def list_elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element, with its block."""
    for block in blocks:
        if block.get("type") in ("actions", "context_actions"):
            yield from ((block, element) for element in block.get("elements", ()))
        for key in ("accessory", "element"):
            if isinstance(block.get(key), dict) and "action_id" in block[key]:
                yield block, block[key]


def list_buttons(blocks: list[Json]) -> list[tuple[str, str, str]]:
    """Each button, and each line of a menu that is no field of a form: (words, action_id, value)."""
    buttons = []
    for block, element in list_elements(blocks):
        is_menu = element["type"] in ("overflow", "static_select") and block["type"] != "input"
        if is_menu or element["type"] in ("button", "workflow_button"):
            parts = element.get("options", ()) if is_menu else [element]
            buttons += [(each["text"]["text"], element.get("action_id", ""), each.get("value", "")) for each in parts]
    return buttons


@dataclass(frozen=True)
class ShownMessage:
    """A message as it was when it was looked at; `text` is raw, `plain` is what a person reads.

    `pings` are the ids (and "channel", "here", "everyone") that live mentions in text or blocks would ping.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json]
    thread_ts: str
    ephemeral_for: str
    metadata: Json | None
    reactions: dict[str, list[str]]
    edited: bool
    files: list[str]
    attachments: list[Json] = field(default_factory=list)
    reader: PersonReader = field(default_factory=lambda: PersonReader(str), repr=False, compare=False)

    @property
    def plain(self) -> str:
        """Everything a person reads: the blocks if there are any, else the text; then the attachments."""
        shown = self.reader.blocks(self.blocks) if self.blocks else self.reader.mrkdwn(self.text)
        return "\n".join([shown, *(self._attachment(one) for one in self.attachments)]).strip()

    def _attachment(self, attachment: Json) -> str:
        if attachment.get("blocks"):
            return self.reader.blocks(attachment["blocks"])
        return self.reader.mrkdwn(str(attachment.get("text") or attachment.get("fallback") or ""))

    @property
    def buttons(self) -> list[tuple[str, str, str]]:
        """Each button and line of a menu: (words, action_id, value)."""
        return list_buttons(self.blocks)

    @property
    def pings(self) -> set[str]:
        """Who would be pinged by the text, the blocks or the attachments."""
        return (
            find_pings_in_text(self.text) | find_pings_in_blocks(self.blocks) | find_pings_in_blocks(self.attachments)
        )


@dataclass(frozen=True)
class ShownView:
    """A modal as it was when it was looked at; pass it to `submit`, `close`, `click_in_view`."""

    id: str
    title: str
    blocks: list[Json]
    callback_id: str
    private_metadata: str
    user: str
    submit: str = ""
    hash: str = ""
    reader: PersonReader = field(default_factory=lambda: PersonReader(str), repr=False, compare=False)

    @property
    def plain(self) -> str:
        """Everything a person reads, title first."""
        return "\n".join(part for part in (self.title, self.reader.blocks(self.blocks), self.submit) if part)

    @property
    def buttons(self) -> list[tuple[str, str, str]]:
        """Each button and line of a menu: (words, action_id, value)."""
        return list_buttons(self.blocks)


def show_message(message: Message, reader: PersonReader) -> ShownMessage:
    """A copy of a message that later changes do not reach."""
    same = [each.name for each in fields(ShownMessage) if each.name not in ("edited", "reader")]
    values = {name: deepcopy(getattr(message, name)) for name in same}
    return ShownMessage(**values, edited=bool(message.edited), reader=reader)


def show_view(view: View, reader: PersonReader) -> ShownView:
    """A modal as it is now."""
    body = view.body
    return ShownView(
        id=view.id,
        title=(body.get("title") or {}).get("text", ""),
        blocks=view.blocks,
        callback_id=body.get("callback_id", ""),
        private_metadata=body.get("private_metadata", ""),
        user=view.user,
        submit=(body.get("submit") or {}).get("text", ""),
        hash=view.hash,
        reader=reader,
    )


NAMED = re.compile(r":[a-z0-9_+-]+:")

_SLACKS_OWN = {
    ":memo:": "📝",
    ":warning:": "⚠️",
    ":large_green_circle:": "🟢",
    ":large_orange_circle:": "🟠",
    ":large_yellow_circle:": "🟡",
}
"""Emoji that Rich names differently or draws narrower."""


def find_emoji(name: str) -> str:
    """The character of `:memo:`; the name itself if it is unknown."""
    return _SLACKS_OWN.get(name) or Emoji.replace(name)


def replace_emoji(text: str) -> str:
    """A text with characters in place of emoji names."""
    return NAMED.sub(lambda match: find_emoji(match[0]), text)
