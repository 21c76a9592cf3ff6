"""The text of a message as mrkdwn, from its blocks and attachments. Parts that are no mrkdwn are escaped.

Nothing here raises, whatever the JSON. Buttons and menus are left out. From an unknown kind of block everything that
looks like text is taken. The kinds: https://docs.slack.dev/reference/block-kit/blocks

Attachments are what an app attached, forwarded messages, and previews of links:
https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments. Forwarded messages are not
documented; the shapes here were observed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from bot.slack.mrkdwn import escape, unescape

JsonObject = dict[str, Any]

LONGEST_NUMBER = 10**18
"""A larger number is not text that a person wrote, and Python may refuse to print it."""


def read_string(value: object) -> str:
    """A text, or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if -LONGEST_NUMBER < value < LONGEST_NUMBER else ""


def read_count(value: object) -> int:
    """A count, for example of bytes; 0 for anything else."""
    text = read_string(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def read_object(value: object) -> JsonObject:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def read_objects(value: object) -> list[JsonObject]:
    """The JSON objects of a list; none for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def join_lines(parts: Iterable[str]) -> str:
    """The parts that are not blank, one below the other."""
    return "\n".join(line for part in parts if (line := part.strip()))


DEEPEST_BLOCK = 24
"""Depth of nested objects and lists that is read. Slack's blocks do not come near it."""

CELLS = " · "
"""Between the cells of a table row. It is not ` | `, because the time grammar reads a time after that."""

_WORDS = frozenset(
    {
        *("text", "title", "subtitle", "header", "heading", "headline", "label", "name", "value", "body", "subtext"),
        *("message", "content", "summary", "description", "caption", "footer", "alt_text", "fallback"),
    }
)
"""Fields of an unknown kind of block that may hold text. Other strings are ids, addresses and styles."""

_CONTROL = re.compile(r"_(?:select|input|buttons?|picker)$|^(?:button|overflow|datepicker|timepicker|datetimepicker)$")
_MARKS = re.compile(r"[\s*_~`•◦▪]+")


@dataclass(frozen=True, slots=True)
class BlockText:
    """The text of blocks. `is_whole` is false if nothing could be read from a block of an unknown kind."""

    text: str
    is_whole: bool


def read_blocks(blocks: object) -> BlockText:
    """The text of a list of blocks, a line for each part."""
    reader = _Reader()
    text = join_lines(line for block in read_objects(blocks) for line in reader.lines(block))
    return BlockText(text, is_whole=not reader.missed)


def choose_text(text: str, blocks: list[JsonObject], *, is_app: bool) -> str:
    """The text of a message that has both a text and blocks, of which Slack shows the blocks only.

    For a typed message the text is Slack's rendering of the blocks, and is preferred if it says the same. The text of
    an app's message shows in notifications only.
    """
    visible = read_blocks(blocks)
    # Only Slack's own editor makes messages of rich text alone; an app may write anything into `text`.
    is_typed = not is_app and all(block.get("type") == "rich_text" for block in blocks)
    if not visible.text or (text and (is_typed or _is_same(text, visible.text))):
        return text
    return visible.text if visible.is_whole else join_lines([visible.text, text])


def _is_same(text: str, other: str) -> bool:
    """Whether two texts are the same except for marks like `*` and `•`."""
    return _MARKS.sub("", unescape(text)) == _MARKS.sub("", unescape(other))


def _plain_text(words: object) -> str:
    """Escaped text. Slack escapes it in some payloads and not in others, so entities are resolved first."""
    return escape(unescape(read_string(words)))


@dataclass(slots=True)
class _Reader:
    missed: bool = False

    def lines(self, piece: object, depth: int = 0) -> Iterator[str]:
        """The text of a block, of a part of one, or of a list of them, line by line."""
        if depth > DEEPEST_BLOCK:
            return
        if isinstance(piece, dict):
            yield from self._parts(piece, depth + 1)
        elif isinstance(piece, list):
            for each in piece:
                yield from self.lines(each, depth + 1)
        elif words := _plain_text(piece):
            yield words

    def _parts(self, piece: JsonObject, depth: int) -> Iterator[str]:
        kind = read_string(piece.get("type"))
        if kind in _KINDS:
            yield from _KINDS[kind](self, piece, depth)
        elif not _CONTROL.search(kind):
            yield from self._unknown_kind(piece, depth, kind)

    def _unknown_kind(self, piece: JsonObject, depth: int, kind: str) -> Iterator[str]:
        lines = list(_without_repeats(self._named_fields(piece, depth)))
        # Only an object with a type is a block whose text may have been missed.
        self.missed = self.missed or (bool(kind) and not lines)
        yield from lines

    def _named_fields(self, piece: JsonObject, depth: int) -> Iterator[str]:
        for name, value in piece.items():
            is_hidden = name == "value" and "text" in piece  # the value of an option, which is not shown
            if isinstance(value, dict) or (name in _WORDS and not is_hidden):
                yield from self.lines(value, depth)
            elif isinstance(value, list):
                yield from self.lines([each for each in value if isinstance(each, dict | list)], depth)


_KindReader = Callable[[_Reader, JsonObject, int], Iterator[str]]


def _without_repeats(lines: Iterator[str]) -> Iterator[str]:
    """Lines without repeats: the title and the alternative text of an image are often the same."""
    yield from dict.fromkeys(lines)


def _field_reader(*names: str) -> _KindReader:
    """A reader of these fields, in this order."""

    def read(reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
        for name in names:
            yield from reader.lines(piece.get(name), depth)

    return read


def _distinct_field_reader(*names: str) -> _KindReader:
    return lambda reader, piece, depth: _without_repeats(_field_reader(*names)(reader, piece, depth))


def _mrkdwn(_reader: _Reader, piece: JsonObject, _depth: int) -> Iterator[str]:
    yield read_string(piece.get("text"))


def _rich_text(_reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
    yield from (_rich(element, depth) for element in read_objects(piece.get("elements")))


def _rich_part(_reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
    yield _rich(piece, depth)


def _number(_reader: _Reader, piece: JsonObject, _depth: int) -> Iterator[str]:
    yield _plain_text(piece.get("text")) or _plain_text(piece.get("value"))


def _container(reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
    title = list(reader.lines(piece.get("rich_text_title"), depth)) or reader.lines(piece.get("title"), depth)
    yield from title
    yield from _field_reader("subtitle", "child_blocks")(reader, piece, depth)


def _table(reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
    yield from reader.lines(piece.get("caption"), depth)
    rows = piece.get("rows")
    for row in rows if isinstance(rows, list) else ():
        cells = row if isinstance(row, list) else [row]
        yield CELLS.join(" ".join(" ".join(reader.lines(cell, depth + 2)).split()) for cell in cells).strip(CELLS)


def _chart(reader: _Reader, piece: JsonObject, depth: int) -> Iterator[str]:
    yield from reader.lines(piece.get("title"), depth)
    chart = read_object(piece.get("chart"))
    yield from (_point(each) for each in read_objects(chart.get("segments")))
    for series in read_objects(chart.get("series")):
        points = ", ".join(_point(each) for each in read_objects(series.get("data")))
        yield ": ".join(part for part in (_plain_text(series.get("name")), points) if part)
    yield from _field_reader("x_label", "y_label")(reader, read_object(chart.get("axis_config")), depth)


def _point(point: JsonObject) -> str:
    return " ".join(part for part in (_plain_text(point.get("label")), _plain_text(point.get("value"))) if part)


def _source(_reader: _Reader, piece: JsonObject, _depth: int) -> Iterator[str]:
    yield _link(piece)


_nothing = _field_reader()

_KINDS: dict[str, _KindReader] = {
    **dict.fromkeys(("plain_text", "raw_text", "markdown", "header", "alert"), _field_reader("text")),
    **dict.fromkeys(("actions", "context_actions", "divider", "icon"), _nothing),
    **dict.fromkeys(("context", "carousel"), _field_reader("elements")),
    **dict.fromkeys(("table", "data_table"), _table),
    **dict.fromkeys(
        ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"),
        _rich_part,
    ),
    "mrkdwn": _mrkdwn,
    "rich_text": _rich_text,
    "raw_number": _number,
    "section": _field_reader("text", "fields", "accessory"),
    "image": _distinct_field_reader("title", "alt_text"),
    "video": _distinct_field_reader("title", "author_name", "provider_name", "description", "alt_text"),
    "input": _field_reader("label", "hint"),
    "card": _field_reader("hero_image", "title", "subtitle", "body", "subtext"),
    "container": _container,
    "data_visualization": _chart,
    "plan": _field_reader("title", "tasks"),
    "task_card": _field_reader("title", "details", "output", "sources"),
    "url": _source,
}


def _rich(element: JsonObject, depth: int) -> str:
    """A part of a rich text with its children, as mrkdwn."""
    if depth > DEEPEST_BLOCK:
        return ""
    kind = read_string(element.get("type"))
    if "elements" not in element:
        return _PIECES.get(kind, _piece)(element)
    parts = [_rich(each, depth + 1) for each in read_objects(element["elements"])]
    if kind != "rich_text_list":
        return "".join(parts)
    return "\n".join(_item(element, number) + part for number, part in enumerate(parts, 1))


def _item(element: JsonObject, number: int) -> str:
    match element.get("style"):
        case "bullet":
            return "• "
        case "ordered":
            return f"{read_count(element.get('offset')) + number}. "
        case _:
            return ""


def _piece(piece: JsonObject) -> str:
    """An element of an unknown kind."""
    names = ("text", "title", "name", "label", "fallback", "value", "url")
    return next((words for name in names if (words := _plain_text(piece.get(name)))), "")


def _link(piece: JsonObject) -> str:
    label, address = _plain_text(piece.get("text")), _address(read_string(piece.get("url")))
    if not address:
        return label
    return f"<{address}|{label}>" if label else f"<{address}>"


def _address(url: str) -> str:
    """An address quoted for use between `<` and `>`."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _date(piece: JsonObject) -> str:
    """A date element without the reader's zone: the fallback text, else the moment in UTC."""
    if fallback := _plain_text(piece.get("fallback")):
        return fallback
    seconds = read_count(piece.get("timestamp"))
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if 0 < seconds < 10**11 else ""


def _id_reader(before: str, name: str, after: str) -> Callable[[JsonObject], str]:
    """A reader of an element that holds an id; empty without one."""

    def read(piece: JsonObject) -> str:
        about = _plain_text(piece.get(name))
        return f"{before}{about}{after}" if about else ""

    return read


_PIECES: dict[str, Callable[[JsonObject], str]] = {
    "user": _id_reader("<@", "user_id", ">"),
    "channel": _id_reader("<#", "channel_id", ">"),
    "usergroup": _id_reader("<!subteam^", "usergroup_id", ">"),
    "broadcast": _id_reader("<!", "range", ">"),
    "team": _id_reader("", "team_id", ""),
    "emoji": _id_reader(":", "name", ":"),
    "link": _link,
    "date": _date,
}


DEEPEST_FORWARD = 4
"""Depth of forwarded messages within forwarded messages that is read."""

_ADDRESS = re.compile(r"https?://[^\s<>|]+")
_PREVIEWS = ("from_url", "original_url", "is_msg_unfurl", "is_reply_unfurl", "is_app_unfurl")
_PLACEHOLDERS = frozenset(
    {
        "[no preview available]",
        "this content can't be displayed.",
        "this content can’t be displayed.",
        "this message contains interactive elements.",
    }
)
"""Slack's texts for a message without text."""


class _AttachmentKind(Enum):
    ATTACHED = auto()
    FORWARDED = auto()
    PREVIEW = auto()


def drop_placeholder(value: object) -> str:
    """A text; empty if it is one of Slack's placeholders for no text."""
    text = read_string(value).strip()
    return "" if text.lower() in _PLACEHOLDERS else text


def attachment_text(attachments: object, own: str, depth: int = 0) -> str:
    """The text of a message's attachments. `own` is the message's own text.

    Previews of links are used only if there is no other text, because the link is in the message already.
    """
    if depth > DEEPEST_FORWARD:
        return ""
    texts: list[str] = []
    previews: list[str] = []
    for kind, attachment in _classify(attachments, own):
        if kind is _AttachmentKind.FORWARDED:
            texts.append(_forwarded_text(attachment, depth, is_named=bool(own)))
        else:
            (previews if kind is _AttachmentKind.PREVIEW else texts).append(_attached_text(attachment))
    text = join_lines(texts)
    return text if own or text else join_lines(previews)


def attachment_files(attachments: object, own: str, depth: int = 0) -> Iterator[JsonObject]:
    """The files of forwarded messages and attachments, as Slack's JSON."""
    if depth > DEEPEST_FORWARD:
        return
    for kind, attachment in _classify(attachments, own):
        if kind is not _AttachmentKind.PREVIEW:
            yield from read_objects(attachment.get("files"))
            for below in _nested_attachments(attachment):
                yield from attachment_files(below, read_string(attachment.get("text")), depth + 1)


def _classify(attachments: object, own: str) -> Iterator[tuple[_AttachmentKind, JsonObject]]:
    objects = read_objects(attachments)
    links = {unescape(address) for address in _ADDRESS.findall(own)} if objects else set()
    return ((_attachment_kind(each, links), each) for each in objects)


def _attachment_kind(attachment: JsonObject, links: set[str]) -> _AttachmentKind:
    """It is a forwarded message if Slack says so, or if it is a message that no link in the text leads to."""
    if attachment.get("is_share") is True:
        return _AttachmentKind.FORWARDED
    if not any(attachment.get(name) for name in _PREVIEWS):
        return _AttachmentKind.ATTACHED
    is_message = attachment.get("is_msg_unfurl") is True or attachment.get("is_reply_unfurl") is True
    is_linked = unescape(read_string(attachment.get("from_url"))) in links
    return _AttachmentKind.FORWARDED if is_message and not is_linked else _AttachmentKind.PREVIEW


def _attached_text(attachment: JsonObject) -> str:
    """The text of an attachment, in the order in which Slack shows it."""
    author = attachment.get("author_name") or attachment.get("service_name")
    blocks = read_blocks(attachment.get("blocks"))
    above = [
        drop_placeholder(part)
        for part in (attachment.get("pretext"), author, attachment.get("title"), attachment.get("text"))
    ]
    text = join_lines([*above, *_fields(attachment), blocks.text, drop_placeholder(attachment.get("footer"))])
    if text and blocks.is_whole:
        return text
    return join_lines([text, drop_placeholder(attachment.get("fallback"))]) or _picture_link(attachment)


def _picture_link(attachment: JsonObject) -> str:
    """A link to the image or page of an attachment without text."""
    names = ("image_url", "thumb_url", "title_link", "from_url")
    addresses = (_ADDRESS.match(read_string(attachment.get(name))) for name in names)
    return next((f"<{match[0]}>" for match in addresses if match), "")


def _fields(attachment: JsonObject) -> Iterator[str]:
    for each in read_objects(attachment.get("fields")):
        title, value = read_string(each.get("title")).strip(), read_string(each.get("value")).strip()
        yield f"{title.removesuffix(':')}: {value}" if title and value else title or value


def _forwarded_text(attachment: JsonObject, depth: int, *, is_named: bool) -> str:
    """A forwarded message: its author's name and its text.

    If it has files but no text, `is_named` makes the files' names its text.
    """
    messages = [read_object(each.get("message")) for each in read_objects(attachment.get("message_blocks"))]
    blocks = [block for message in messages for block in read_objects(message.get("blocks"))]
    text = drop_placeholder(attachment.get("text"))
    own = choose_text(text, blocks or read_objects(attachment.get("blocks")), is_app=bool(attachment.get("bot_id")))
    above = [drop_placeholder(attachment.get(name)) for name in ("pretext", "title")]
    below = (attachment_text(each, own, depth + 1) for each in _nested_attachments(attachment))
    body = join_lines([*above, own, *_fields(attachment), *below])
    files = [
        name
        for file in read_objects(attachment.get("files"))
        if (name := read_string(file.get("name") or file.get("title")))
    ]
    if not body and files:
        body = ", ".join(files) if is_named else ""
    elif not body:
        body = drop_placeholder(attachment.get("fallback")) or _picture_link(attachment)
    author = _author_name(attachment)
    return f"{author}: {body}" if author and body else body


def _nested_attachments(attachment: JsonObject) -> Iterator[object]:
    """The attachments of the forwarded message."""
    yield attachment.get("attachments")
    for each in read_objects(attachment.get("message_blocks")):
        yield read_object(each.get("message")).get("attachments")


def _author_name(attachment: JsonObject) -> str:
    for field in ("author_name", "author_subname"):
        if name := read_string(attachment.get(field)).strip():
            return name
    author = read_string(attachment.get("author_id"))
    return f"<@{author}>" if author.isascii() and author.isalnum() else ""
