"""The words that Slack shows of the blocks of a message, as mrkdwn: what is no mrkdwn in them is escaped.

Buttons and menus are no words of a message. Of a kind that is not known here whatever looks like words is taken.
Slack's reference names the kinds and their fields: https://docs.slack.dev/reference/block-kit/blocks

What Slack tells is JSON of any shape: these read it so that nothing that stands in it can raise.

What hangs below a message: what an app attached, messages that were forwarded, and previews of links.

Slack's reference of an attachment: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
How a forwarded message looks is not documented; the shapes here are those that apps have met.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from bot.slack.mrkdwn import escape, unescaped

Told = dict[str, Any]

LONGEST_NUMBER = 10**18
"""Beyond it a number is no word that anybody wrote, and Python may refuse to spell it out."""


def string(value: object) -> str:
    """Words, or a number as words; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if -LONGEST_NUMBER < value < LONGEST_NUMBER else ""


def whole(value: object) -> int:
    """A number of bytes or of anything else that is counted; 0 for what is none."""
    said = string(value)
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 18 else 0


def object_in(value: object) -> Told:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_in(value: object) -> list[Told]:
    """The JSON objects of a list; none for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def joined(parts: Iterable[str]) -> str:
    """Words that stand below each other, without those that say nothing."""
    return "\n".join(said for part in parts if (said := part.strip()))


DEEPEST_BLOCK = 24
"""Objects and lists within each other; Slack's own blocks stay far above it."""

CELLS = " · "
"""Between the cells of a table's row: behind ` | ` a time would be read."""

_WORDS = frozenset(
    {
        *("text", "title", "subtitle", "header", "heading", "headline", "label", "name", "value", "body", "subtext"),
        *("message", "content", "summary", "description", "caption", "footer", "alt_text", "fallback"),
    }
)
"""In a block of an unknown kind, the names of what may be words; other strings are ids, addresses and styles."""

_CONTROL = re.compile(r"_(?:select|input|buttons?|picker)$|^(?:button|overflow|datepicker|timepicker|datetimepicker)$")
_MARKS = re.compile(r"[\s*_~`•◦▪]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """What blocks show. `is_whole` is false where one of an unknown kind shows something that could not be read."""

    text: str
    is_whole: bool


def shown_in(blocks: object) -> Shown:
    """The words of a list of blocks, a line for each part."""
    reader = _Reader()
    text = joined(line for block in objects_in(blocks) for line in reader.lines(block))
    return Shown(text, is_whole=not reader.missed)


def words_of(text: str, blocks: list[Told], *, is_app: bool) -> str:
    """What a message says that has both a text and blocks: Slack shows the blocks alone.

    The text is Slack's own rendering where the blocks are what a person typed, and better than ours wherever it says
    the same; where an app wrote it, it stands in the notification only.
    """
    shown = shown_in(blocks)
    is_typed = not is_app and all(block.get("type") == "rich_text" for block in blocks)
    if not shown.text or (text and (is_typed or _is_same(text, shown.text))):
        return text
    return shown.text if shown.is_whole else joined([shown.text, text])


def _is_same(text: str, other: str) -> bool:
    """Whether two texts differ in nothing but their marks, as `*bold*` and `• item` do."""
    return _MARKS.sub("", unescaped(text)) == _MARKS.sub("", unescaped(other))


def _plain(words: object) -> str:
    """Words without any mark-up. Slack escapes them in some payloads and not in others, so they are resolved first."""
    return escape(unescaped(string(words)))


@dataclass(slots=True)
class _Reader:
    missed: bool = False

    def lines(self, piece: object, depth: int = 0) -> Iterator[str]:
        """The words of a block, of a part of one, or of a list of such, line by line."""
        if depth > DEEPEST_BLOCK:
            return
        if isinstance(piece, dict):
            yield from self._parts(piece, depth + 1)
        elif isinstance(piece, list):
            for each in piece:
                yield from self.lines(each, depth + 1)
        elif words := _plain(piece):
            yield words

    def _parts(self, piece: Told, depth: int) -> Iterator[str]:
        kind = string(piece.get("type"))
        if kind in _KINDS:
            yield from _KINDS[kind](self, piece, depth)
        elif not _CONTROL.search(kind):
            yield from self._whatever(piece, depth, kind)

    def _whatever(self, piece: Told, depth: int, kind: str) -> Iterator[str]:
        found = list(_once(self._named(piece, depth)))
        # An empty object of no kind shows nothing; a block of one does.
        self.missed = self.missed or (bool(kind) and not found)
        yield from found

    def _named(self, piece: Told, depth: int) -> Iterator[str]:
        for name, value in piece.items():
            is_hidden = name == "value" and "text" in piece  # what a choice stands for
            if isinstance(value, dict) or (name in _WORDS and not is_hidden):
                yield from self.lines(value, depth)
            elif isinstance(value, list):
                yield from self.lines([each for each in value if isinstance(each, dict | list)], depth)


_Shower = Callable[[_Reader, Told, int], Iterator[str]]


def _once(lines: Iterator[str]) -> Iterator[str]:
    """Lines without repeats: the title of a picture is often its alternative text as well."""
    yield from dict.fromkeys(lines)


def _showing(*names: str) -> _Shower:
    """A kind that shows these fields in this order."""

    def shown(reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
        for name in names:
            yield from reader.lines(piece.get(name), depth)

    return shown


def _fields_once(*names: str) -> _Shower:
    return lambda reader, piece, depth: _once(_showing(*names)(reader, piece, depth))


def _mrkdwn(_reader: _Reader, piece: Told, _depth: int) -> Iterator[str]:
    yield string(piece.get("text"))


def _rich_text(_reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
    yield from (_rich(element, depth) for element in objects_in(piece.get("elements")))


def _rich_part(_reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
    yield _rich(piece, depth)


def _number(_reader: _Reader, piece: Told, _depth: int) -> Iterator[str]:
    yield _plain(piece.get("text")) or _plain(piece.get("value"))


def _container(reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
    title = list(reader.lines(piece.get("rich_text_title"), depth)) or reader.lines(piece.get("title"), depth)
    yield from title
    yield from _showing("subtitle", "child_blocks")(reader, piece, depth)


def _table(reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
    yield from reader.lines(piece.get("caption"), depth)
    rows = piece.get("rows")
    for row in rows if isinstance(rows, list) else ():
        cells = row if isinstance(row, list) else [row]
        yield CELLS.join(" ".join(" ".join(reader.lines(cell, depth + 2)).split()) for cell in cells).strip(CELLS)


def _chart(reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
    yield from reader.lines(piece.get("title"), depth)
    chart = object_in(piece.get("chart"))
    yield from (_point(each) for each in objects_in(chart.get("segments")))
    for series in objects_in(chart.get("series")):
        points = ", ".join(_point(each) for each in objects_in(series.get("data")))
        yield ": ".join(part for part in (_plain(series.get("name")), points) if part)
    yield from _showing("x_label", "y_label")(reader, object_in(chart.get("axis_config")), depth)


def _point(told: Told) -> str:
    return " ".join(part for part in (_plain(told.get("label")), _plain(told.get("value"))) if part)


def _source(_reader: _Reader, piece: Told, _depth: int) -> Iterator[str]:
    yield _link(piece)


_nothing = _showing()

_KINDS: dict[str, _Shower] = {
    **dict.fromkeys(("plain_text", "raw_text", "markdown", "header", "alert"), _showing("text")),
    **dict.fromkeys(("actions", "context_actions", "divider", "icon"), _nothing),
    **dict.fromkeys(("context", "carousel"), _showing("elements")),
    **dict.fromkeys(("table", "data_table"), _table),
    **dict.fromkeys(
        ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"),
        _rich_part,
    ),
    "mrkdwn": _mrkdwn,
    "rich_text": _rich_text,
    "raw_number": _number,
    "section": _showing("text", "fields", "accessory"),
    "image": _fields_once("title", "alt_text"),
    "video": _fields_once("title", "author_name", "provider_name", "description", "alt_text"),
    "input": _showing("label", "hint"),
    "card": _showing("hero_image", "title", "subtitle", "body", "subtext"),
    "container": _container,
    "data_visualization": _chart,
    "plan": _showing("title", "tasks"),
    "task_card": _showing("title", "details", "output", "sources"),
    "url": _source,
}


def _rich(element: Told, depth: int) -> str:
    """A part of a rich text and all that is in it, as the same would stand in mrkdwn."""
    if depth > DEEPEST_BLOCK:
        return ""
    kind = string(element.get("type"))
    if "elements" not in element:
        return _PIECES.get(kind, _piece)(element)
    parts = [_rich(each, depth + 1) for each in objects_in(element["elements"])]
    if kind != "rich_text_list":
        return "".join(parts)
    return "\n".join(_item(element, number) + part for number, part in enumerate(parts, 1))


def _item(element: Told, number: int) -> str:
    match element.get("style"):
        case "bullet":
            return "• "
        case "ordered":
            return f"{whole(element.get('offset')) + number}. "
        case _:
            return ""


def _piece(piece: Told) -> str:
    """A piece of a kind that is not known here."""
    names = ("text", "title", "name", "label", "fallback", "value", "url")
    return next((words for name in names if (words := _plain(piece.get(name)))), "")


def _link(piece: Told) -> str:
    label, address = _plain(piece.get("text")), _address(string(piece.get("url")))
    if not address:
        return label
    return f"<{address}|{label}>" if label else f"<{address}>"


def _address(url: str) -> str:
    """An address as it may stand within `<` and `>`."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _date(piece: Told) -> str:
    """What is shown where a reader's own clock is not known: the fallback, else the moment in UTC."""
    if fallback := _plain(piece.get("fallback")):
        return fallback
    seconds = whole(piece.get("timestamp"))
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if 0 < seconds < 10**11 else ""


def _naming(before: str, name: str, after: str) -> Callable[[Told], str]:
    """A piece that names somebody or something by an id; without one it says nothing."""

    def named(piece: Told) -> str:
        about = _plain(piece.get(name))
        return f"{before}{about}{after}" if about else ""

    return named


_PIECES: dict[str, Callable[[Told], str]] = {
    "user": _naming("<@", "user_id", ">"),
    "channel": _naming("<#", "channel_id", ">"),
    "usergroup": _naming("<!subteam^", "usergroup_id", ">"),
    "broadcast": _naming("<!", "range", ">"),
    "team": _naming("", "team_id", ""),
    "emoji": _naming(":", "name", ":"),
    "link": _link,
    "date": _date,
}


DEEPEST_FORWARD = 4
"""Messages forwarded within forwarded ones."""

_ADDRESS = re.compile(r"https?://[^\s<>|]+")
_PREVIEWS = ("from_url", "original_url", "is_msg_unfurl", "is_reply_unfurl", "is_app_unfurl")
_NOTHING = frozenset(
    {
        "[no preview available]",
        "this content can't be displayed.",
        "this content can’t be displayed.",
        "this message contains interactive elements.",
    }
)
"""What Slack itself puts where an app wrote no words."""


class _Attached(Enum):
    ATTACHED = auto()
    FORWARDED = auto()
    PREVIEW = auto()


def words_in(text: object) -> str:
    """Somebody's own words; empty for the words with which Slack says that there are none."""
    said = string(text).strip()
    return "" if said.lower() in _NOTHING else said


def words_below(attachments: object, said: str, depth: int = 0) -> str:
    """The words of what hangs below a message that says `said`. A preview says no more than its link does.

    It is taken only where there is nothing else.
    """
    if depth > DEEPEST_FORWARD:
        return ""
    kept: list[str] = []
    previews: list[str] = []
    for kind, told in _sorted(attachments, said):
        if kind is _Attached.FORWARDED:
            kept.append(_forwarded(told, depth, is_named=bool(said)))
        else:
            (previews if kind is _Attached.PREVIEW else kept).append(_attached(told))
    found = joined(kept)
    return found if said or found else joined(previews)


def files_below(attachments: object, said: str, depth: int = 0) -> Iterator[Told]:
    """The files of forwarded messages and of what was attached, as Slack tells of them."""
    if depth > DEEPEST_FORWARD:
        return
    for kind, told in _sorted(attachments, said):
        if kind is not _Attached.PREVIEW:
            yield from objects_in(told.get("files"))
            for below in _below(told):
                yield from files_below(below, string(told.get("text")), depth + 1)


def _sorted(attachments: object, said: str) -> Iterator[tuple[_Attached, Told]]:
    told = objects_in(attachments)
    links = {unescaped(address) for address in _ADDRESS.findall(said)} if told else set()
    return ((_kind_of(one, links), one) for one in told)


def _kind_of(told: Told, links: set[str]) -> _Attached:
    """A message was forwarded where Slack says so, and where no link in the words leads to it."""
    if told.get("is_share") is True:
        return _Attached.FORWARDED
    if not any(told.get(name) for name in _PREVIEWS):
        return _Attached.ATTACHED
    is_message = told.get("is_msg_unfurl") is True or told.get("is_reply_unfurl") is True
    is_linked = unescaped(string(told.get("from_url"))) in links
    return _Attached.FORWARDED if is_message and not is_linked else _Attached.PREVIEW


def _attached(told: Told) -> str:
    """An attachment in the order in which Slack shows it."""
    author = told.get("author_name") or told.get("service_name")
    blocks = shown_in(told.get("blocks"))
    above = [words_in(part) for part in (told.get("pretext"), author, told.get("title"), told.get("text"))]
    found = joined([*above, *_fields(told), blocks.text, words_in(told.get("footer"))])
    if found and blocks.is_whole:
        return found
    return joined([found, words_in(told.get("fallback"))]) or _picture(told)


def _picture(told: Told) -> str:
    """The address of what an attachment without any words shows or leads to."""
    names = ("image_url", "thumb_url", "title_link", "from_url")
    return next((f"<{found[0]}>" for name in names if (found := _ADDRESS.match(string(told.get(name))))), "")


def _fields(told: Told) -> Iterator[str]:
    for each in objects_in(told.get("fields")):
        title, value = string(each.get("title")).strip(), string(each.get("value")).strip()
        yield f"{title.removesuffix(':')}: {value}" if title and value else title or value


def _forwarded(told: Told, depth: int, *, is_named: bool) -> str:
    """A message of somebody else's: its words behind its author's name.

    Where it has none but files, those are named if `is_named`, beside the words of who forwarded it.
    """
    messages = [object_in(each.get("message")) for each in objects_in(told.get("message_blocks"))]
    blocks = [block for message in messages for block in objects_in(message.get("blocks"))]
    text = words_in(told.get("text"))
    own = words_of(text, blocks or objects_in(told.get("blocks")), is_app=bool(told.get("bot_id")))
    above = [words_in(told.get(name)) for name in ("pretext", "title")]
    below = (words_below(each, own, depth + 1) for each in _below(told))
    body = joined([*above, own, *_fields(told), *below])
    files = [name for file in objects_in(told.get("files")) if (name := string(file.get("name") or file.get("title")))]
    if not body and files:
        body = ", ".join(files) if is_named else ""
    elif not body:
        body = words_in(told.get("fallback")) or _picture(told)
    author = _author(told)
    return f"{author}: {body}" if author and body else body


def _below(told: Told) -> Iterator[object]:
    """What hung below the forwarded message itself."""
    yield told.get("attachments")
    for each in objects_in(told.get("message_blocks")):
        yield object_in(each.get("message")).get("attachments")


def _author(told: Told) -> str:
    for name in ("author_name", "author_subname"):
        if said := string(told.get(name)).strip():
            return said
    author = string(told.get("author_id"))
    return f"<@{author}>" if author.isascii() and author.isalnum() else ""
