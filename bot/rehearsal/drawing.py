"""The workspace drawn as HTML for one person's eyes: every word of it escaped, marks of mrkdwn shown."""

import re
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from bot.rehearsal.emoji import with_signs
from bot.rehearsal.inputs import STATEFUL, choices
from bot.rehearsal.reading import TOKEN, Reader
from bot.rehearsal.records import Json

CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
MARKS = ((r"\*([^*\n]+)\*", "strong"), (r"_([^_\n]+)_", "em"), (r"~([^~\n]+)~", "s"))
CANVAS = MarkdownIt("js-default", {"html": False}).disable("image")
LINKS = ("https://", "http://", "mailto:")


class Drawing:
    """Draws the templates of `templates/web/workspace*`; what a block does not have is drawn as nothing."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=PackageLoader("templates", package_path="web"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals |= {"choices": choices, "is_input": STATEFUL.__contains__}
        self.environment.filters["canvas"] = drawn_canvas

    def draw(self, name: str, reader: Reader, **given: Any) -> str:
        """A template, with the filters that read as this person does."""
        words = partial(drawn_object, reader)
        return self.environment.get_template(name).render(
            **given, mrkdwn=partial(drawn, reader), words=words, rich=partial(drawn_rich, reader)
        )


def drawn_canvas(markdown: str) -> Markup:
    """What a canvas looks like: Markdown, in which HTML is text and pictures stay links."""
    return Markup(CANVAS.render(markdown))  # noqa: S704 (the parser lets no HTML through)


def drawn(reader: Reader, text: str) -> Markup:
    """What mrkdwn looks like in HTML: mentions, links, dates, emphasis, code."""
    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [_prose(reader, text[end : match.start()]), _code(reader, match)]
        end = match.end()
    return Markup().join([*pieces, _prose(reader, text[end:])])


def _code(reader: Reader, match: re.Match[str]) -> Markup:
    tag = "pre" if match[1] else "code"
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), reader.mrkdwn(match[1] or match[2]))  # noqa: S704 (our own tag)


def _prose(reader: Reader, text: str) -> Markup:
    pieces, end = [], 0
    for match in TOKEN.finditer(text):
        pieces += [_emphasised(reader, text[end : match.start()]), _token(reader, match)]
        end = match.end()
    return Markup().join([*pieces, _emphasised(reader, text[end:])])


def _token(reader: Reader, match: re.Match[str]) -> Markup:
    target = match[1].partition("|")[0]
    shown = reader.mrkdwn(match[0])
    if target.startswith(LINKS):
        return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(target, shown)
    return Markup('<span class="mention">{}</span>').format(shown) if target[:1] in "@#!" else escape(shown)


def _emphasised(reader: Reader, text: str) -> Markup:
    html = str(escape(reader.mrkdwn(text)))
    for pattern, tag in MARKS:
        html = re.sub(rf"(?<!\w){pattern}(?!\w)", rf"<{tag}>\1</{tag}>", html)
    return Markup(with_signs(html))  # noqa: S704 (escaped above)


def drawn_object(reader: Reader, piece: Any) -> Markup:
    """A text object, or a bare string, as HTML."""
    if isinstance(piece, dict) and piece.get("type") == "mrkdwn":
        return drawn(reader, str(piece.get("text", "")))
    plain = str(escape(reader.words(piece)))
    return Markup(with_signs(plain))  # noqa: S704 (escaped above)


def drawn_rich(reader: Reader, part: Json) -> Markup:
    """A part of a rich_text block as HTML."""
    kind = part.get("type", "")
    tags = {"rich_text_list": "ul", "rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}
    if "elements" not in part:
        style = part.get("style") or {}
        shown = escape(reader.rich(part))
        for name, tag in (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code")):
            if style.get(name):
                shown = Markup("<{0}>{1}</{0}>").format(Markup(tag), shown)  # noqa: S704 (our own tag)
        return shown
    inner = [drawn_rich(reader, one) for one in part["elements"]]
    if kind == "rich_text_list":
        inner = [Markup("<li>{}</li>").format(one) for one in inner]
    tag = Markup(tags.get(kind, "div"))  # noqa: S704 (our own tag)
    return Markup("<{0}>{1}</{0}>").format(tag, Markup().join(inner))
