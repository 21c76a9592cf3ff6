"""The words that Slack shows of the blocks of a message, as mrkdwn: what is no mrkdwn in them is escaped.

Buttons and menus are no words of a message. Of a kind that is not known here whatever looks like words is taken.
Slack's reference names the kinds and their fields: https://docs.slack.dev/reference/block-kit/blocks
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.slack.text import escape, unescaped
from bot.slack.told import Told, joined, object_in, objects_in, string, whole

DEEPEST = 24
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
        if depth > DEEPEST:
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


_Kind = Callable[[_Reader, Told, int], Iterator[str]]


def _once(lines: Iterator[str]) -> Iterator[str]:
    """Lines without repeats: the title of a picture is often its alternative text as well."""
    yield from dict.fromkeys(lines)


def _fields(*names: str) -> _Kind:
    """A kind that shows these fields in this order."""

    def shown(reader: _Reader, piece: Told, depth: int) -> Iterator[str]:
        for name in names:
            yield from reader.lines(piece.get(name), depth)

    return shown


def _fields_once(*names: str) -> _Kind:
    return lambda reader, piece, depth: _once(_fields(*names)(reader, piece, depth))


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
    yield from _fields("subtitle", "child_blocks")(reader, piece, depth)


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
    yield from _fields("x_label", "y_label")(reader, object_in(chart.get("axis_config")), depth)


def _point(told: Told) -> str:
    return " ".join(part for part in (_plain(told.get("label")), _plain(told.get("value"))) if part)


def _source(_reader: _Reader, piece: Told, _depth: int) -> Iterator[str]:
    yield _link(piece)


_nothing = _fields()

_KINDS: dict[str, _Kind] = {
    **dict.fromkeys(("plain_text", "raw_text", "markdown", "header", "alert"), _fields("text")),
    **dict.fromkeys(("actions", "context_actions", "divider", "icon"), _nothing),
    **dict.fromkeys(("context", "carousel"), _fields("elements")),
    **dict.fromkeys(("table", "data_table"), _table),
    **dict.fromkeys(
        ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"),
        _rich_part,
    ),
    "mrkdwn": _mrkdwn,
    "rich_text": _rich_text,
    "raw_number": _number,
    "section": _fields("text", "fields", "accessory"),
    "image": _fields_once("title", "alt_text"),
    "video": _fields_once("title", "author_name", "provider_name", "description", "alt_text"),
    "input": _fields("label", "hint"),
    "card": _fields("hero_image", "title", "subtitle", "body", "subtext"),
    "container": _container,
    "data_visualization": _chart,
    "plan": _fields("title", "tasks"),
    "task_card": _fields("title", "details", "output", "sources"),
    "url": _source,
}


def _rich(element: Told, depth: int) -> str:
    """A part of a rich text and all that is in it, as the same would stand in mrkdwn."""
    if depth > DEEPEST:
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
