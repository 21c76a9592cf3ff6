"""Plain text to Markdown that shows exactly that text, and to HTML with its web addresses as links.

Only what would take effect as markup is escaped. Code in the text (`bot.domain.text`) is code in the Markdown, too;
every other backtick is escaped.

Rules after CommonMark 0.31 and the GitHub Flavored Markdown extensions (tables, strikethrough, autolinks, footnotes,
`$` mathematics). The text must have LF line ends and no control characters, as `bot.domain.text` leaves it. The
templates must never put `(`, `[` or `:` directly behind such a text.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial

import markupsafe
from markupsafe import Markup

from bot.domain.text import Piece, PieceKind, flatten, split_at_only_span, split_pieces

_CODE = "\ufdd0"
"""A placeholder for spans of code while the words around them are escaped: a noncharacter, which no plain text has."""

_IN_URL = rf"[^\s<>\"'`\\\[\]{{}}|^(){_CODE}]"
_ENDS_URL = rf"[^\s<>\"'`\\\[\]{{}}|^().,;:!?*~{_CODE}]"
# Each alternative begins with one literal character, and checks what comes before it by looking back. So the engine
# can jump from one such character to the next. If one alternative began with a repeated one (`_+`), it would try them
# all at each letter, which takes four times as long.
_URL = rf"h(?<!\wh)ttps?://(?:{_IN_URL}|\({_IN_URL}*\))*(?:{_ENDS_URL}|\({_IN_URL}*\))"
# A URL of these characters alone is shown by every renderer as it is written; of others (%-codes, letters beyond
# ASCII, xn-- names) a renderer may decode the text of an autolink, so their text is given apart from the address.
SIMPLE_URL = r"https?://(?!\S*xn--)[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][A-Za-z0-9/?#@!$&()*+,;=:._~-]*)?"
_SIMPLE_URL = re.compile(SIMPLE_URL)

_MARKUP = (
    rf"\\(?=[!-/:-@\[-`{{-~{_CODE}]|https?://|$)"  # would escape what follows, or break the line
    r"|`"
    r"|\*(?:(?<! \*)|(?! ))"  # between two spaces a star is a star
    r"|_(?:(?<!\w_)_*|_*(?!\w))"  # inside a word an underscore is an underscore
    r"|~(?:(?<=\S~)[~$]*|~+)|\$(?:(?<=\S\$)[~$]*|\$+)"  # what could close; one that can only open never takes effect
    r"|](?=[\[(:])"  # without it no link, image, definition or footnote comes about
    r"|!(?=\[|https?://)"
    r"|<(?=[A-Za-z/!?]|[^\s<>]*@)"  # HTML and autolinks
    r"|&(?=#?[0-9A-Za-z]{1,40};)"  # entities
)
WEB_ADDRESS = re.compile(_URL)
"""An http or https URL in running text, without the punctuation of the sentence around it."""
_MARKUP_IN_URL = re.compile(_MARKUP)
_MARKUP_OR_URL = re.compile(f"{_URL}|{_MARKUP}")
_OPENS_BLOCK = re.compile(
    r"#{1,6}(?=\s|$)|[-+](?=\s|$)|>"  # headings, lists, quotations
    r"|(?P<number>[0-9]{1,9})[.)](?=\s|$)"
    r"|[-=|:](?=[-=|:\s]*$)"  # underlines of headings, rules, the second row of a table
)
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]{1,40};)")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_CLOSES_HEADING = re.compile(r"(?<!#)#++\Z")
_LIKE_OURS = re.compile(r"^(?:<!--|#)", re.MULTILINE)
_RUN = re.compile("`+")
_NO_BREAK_SPACE = "\u00a0"


def inline(text: str) -> str:
    """One line that follows something else on its line. Line ends become spaces."""
    return _escape_around_code(flatten(text) if "```" in text else text.replace("\n", " "), _escape_markup)


def verbatim(text: str) -> str:
    """Like `inline`, for what never holds code: a name, or words between the code of a document."""
    return _escape_markup(text.replace("\n", " "))


def heading(text: str) -> str:
    """One line for a heading, at whose end a bare `#` would vanish."""
    return _CLOSES_HEADING.sub(lambda found: "\\#" * len(found[0]), inline(text))


def cell(text: str) -> str:
    """One line inside a cell of a table."""
    return inline(text).replace("|", "\\|")


def block(text: str) -> str:
    """Paragraphs on lines of their own. Line breaks are kept; leading spaces become no-break spaces."""
    return _escape_blocks(text, "", _escape_line)


def item(text: str, depth: int = 0) -> str:
    """The text of a list item, after something else on its line. Further lines are indented to stay in the item.

    `depth` counts the lists around the item's list. If the text ends with a block of code, what follows is a new
    paragraph.
    """
    if "`" not in text and "\n" not in text:  # nearly all
        return _escape_markup(text)
    if "\n" not in text and "```" not in text:
        return _escape_around_code(text, _escape_markup)
    return _escape_blocks(text, "  " * (depth + 1), _escape_markup)


def code(text: str) -> str:
    """A span of code inside a line; "" for nothing but blanks."""
    fence = "`" * (_longest_run(text) + 1)
    is_bare = text[:1] not in ("`", " ") and text[-1:] not in ("`", " ")
    pad = "" if is_bare else " "
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else ""


def code_block(text: str, language: str = "") -> str:
    """A block of code."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, _RUN.findall(text)), default=0) if "`" in text else 0


def _escape_blocks(text: str, indent: str, opening: Callable[[str], str]) -> str:
    """Paragraphs and blocks of code. `opening` escapes the first line of the first paragraph."""
    if "```" not in text:
        return _escape_around_code(text, partial(_escape_paragraphs, indent=indent, opening=opening))
    parts = list(_split_at_code(text))
    written = [
        _write_code_block(part, indent)
        if isinstance(part, Piece)
        else _escape_around_code(
            part, partial(_escape_paragraphs, indent=indent, opening=_escape_line if index else opening)
        )
        for index, part in enumerate(parts)
    ]
    if indent:  # the item begins before this text, and continues after it
        before, behind = ([""] if isinstance(part, Piece) else [] for part in (parts[0], parts[-1]))
        written = [*before, *written, *behind]
    return f"\n\n{indent}".join(written)


def _split_at_code(text: str) -> Iterator[str | Piece]:
    """The blocks of code, and the text between them."""
    begin = 0
    for piece in split_pieces(text):
        if piece.kind is PieceKind.BLOCK:
            if between := text[begin : piece.start].strip():
                yield between
            yield piece
            begin = piece.end
    if rest := text[begin:].strip():
        yield rest


def _write_code_block(piece: Piece, indent: str) -> str:
    # Markers and headings of a draft begin a line, so code that looks like one is indented.
    written = code_block(piece.text, piece.language)
    margin = indent or (" " if _LIKE_OURS.search(written) else "")
    return ("" if indent else margin) + written.replace("\n", f"\n{margin}")


def _escape_around_code(text: str, escaped: Callable[[str], str]) -> str:
    """The text escaped except its code. Blocks of code become spans."""
    if "`" not in text:
        return escaped(text)
    if only := split_at_only_span(text):
        before, span, after = only
        return escaped(f"{before}{_CODE}{after}").replace(_CODE, code(span))
    found = split_pieces(text)
    words = "".join([piece.text if piece.kind is PieceKind.WORDS else _CODE for piece in found])
    spans = [code(piece.text.replace("\n", " ")) for piece in found if piece.kind is not PieceKind.WORDS]
    between = escaped(words).split(_CODE)
    return "".join([part for pair in zip(between, [*spans, ""], strict=True) for part in pair])


def _escape_paragraphs(text: str, indent: str, opening: Callable[[str], str]) -> str:
    first, *others = _BLANK_LINES.split(text)
    return f"\n\n{indent}".join(
        [
            _escape_paragraph(first, indent, opening),
            *(_escape_paragraph(other, indent, _escape_line) for other in others),
        ]
    )


def _escape_paragraph(text: str, indent: str, opening: Callable[[str], str]) -> str:
    first, *others = text.split("\n")
    return f"\\\n{indent}".join([opening(first), *map(_escape_line, others)])


def _escape_line(line: str) -> str:
    body = line.strip(" \t")
    margin = line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4)
    return _NO_BREAK_SPACE * len(margin) + escape_line_start(_escape_markup(body))


def escape_line_start(marked: str) -> str:
    """A line of Markdown, escaped so that it opens no block: no list, heading, quotation or rule."""
    opens = _OPENS_BLOCK.match(marked)
    if not opens:
        return marked
    number = opens["number"] or ""
    return f"{number}\\{marked[len(number) :]}"


def _escape_match(found: re.Match[str]) -> str:
    what = found[0]
    if len(what) == 1:  # nearly all
        return f"\\{what}"
    if what[0] == "h":  # nothing but an address begins with a letter
        return f"<{what}>" if _SIMPLE_URL.fullmatch(what) else _write_link(what)
    return "".join(f"\\{character}" for character in what)


_escape_markup = partial(_MARKUP_OR_URL.sub, _escape_match)


def _write_link(url: str) -> str:
    text = _MARKUP_IN_URL.sub(lambda found: "".join(f"\\{character}" for character in found[0]), url)
    return f"[{text}](<{_ENTITY.sub('&amp;', url)}>)"


_ISSUE = re.compile(r"https?://\S+/browse/([A-Z][A-Z0-9_]*-[0-9]+)")
_LINK = Markup('<a href="{}">{}</a>')


def link_addresses(text: str) -> Markup:
    """Plain text as HTML, its web addresses as links."""
    if "://" not in text:  # nearly all
        return markupsafe.escape(text)
    pieces, end = [], 0
    for address in WEB_ADDRESS.finditer(text):
        link = markupsafe.escape(address[0])
        pieces.append(f'{markupsafe.escape(text[end : address.start()])}<a href="{link}">{link}</a>')
        end = address.end()
    return Markup(f"{''.join(pieces)}{markupsafe.escape(text[end:])}")  # noqa: S704 (all of it is escaped)


def link_ticket(link: str) -> Markup:
    """The address of a work item in Jira as a link with its key; "" for any other."""
    issue = _ISSUE.fullmatch(link)
    return _LINK.format(link, issue[1]) if issue else Markup()


def yaml(text: str) -> str:
    """A scalar of YAML: a JSON string is one, whatever the text (YAML 1.2, section 1.3)."""
    return json.dumps(text, ensure_ascii=False)
