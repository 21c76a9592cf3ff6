from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.text import PieceKind, clean, flatten, split_pieces, strip_code_marks
from bot.export import escape
from tests.support.deadlines import working_at_most

# Raw HTML is on: nothing may rest on the reader being careful.
READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
HARMLESS = {"text", "hardbreak", "softbreak", "link_open", "link_close", "code_inline"}
NAUGHTY = (
    *"\\`*_~$[]()<>&#|!:+-=.1 \n\t\"'@^{}a",
    "  ", "    ", "\n\n", "\\\n", "  \n", "**", "__", "~~", "```", "~~~", "---", "===", "***", "- ", "+ ", "* ", "1. ",
    "``", "`a`", "```\nb\n```",
    "1) ", "# ", "## ", "> ", "| a | b |", "\n|--|--|\n", ":-:", "[x]", "[x]: http://a.example\n", "](", "![", "[^1]: ",
    "<b>", "</b>", "<!--", "<script>", "<?", "<a@b.c>", "<http://a.example>", "&amp;", "&#42;", "&copy", "<!channel>",
    "http://a.example", "https://b.example/x_y?q=%41&copy;#z", "https://xn--bcher-kva.example/(a)/ü", "https://c.example.",
    "javascript:alert(1)", "www.d.example", "{{ 7*7 }}", "\u00a0", "\u3000", "é", "snake_case", "ﬀ",
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(NAUGHTY)).map("".join)).map(clean).filter(bool)


def visible_words(tokens: list[Token]) -> Iterator[str]:
    """What a reader of the page sees of inline tokens."""
    for token in tokens:
        assert token.type in HARMLESS, token
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith(("http://", "https://"))
        yield "\n" if token.type.endswith("break") else token.content


def visible_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def agree(visible: str, expected: str) -> bool:
    """Whether the same is read; where a block of code stands, its lines are its own, and only the letters count."""
    if "```" in expected or visible_lines(visible) == visible_lines(strip_code_marks(expected)):
        return "".join(visible.split()) == "".join(strip_code_marks(expected).split())
    return False


def expected_pieces(text: str) -> list[tuple[PieceKind, str]]:
    """The code of a text."""
    return [(piece.kind, piece.text) for piece in split_pieces(text) if piece.marks]


def code_in(markdown: str) -> list[tuple[PieceKind, str]]:
    """The code that a reader finds."""
    found = []
    for token in READER.parse(markdown):
        if token.type == "fence":
            found.append((PieceKind.BLOCK, token.content.removesuffix("\n")))
        found += [(PieceKind.SPAN, one.content) for one in token.children or [] if one.type == "code_inline"]
    return found


def read(markdown: str) -> tuple[list[str], str]:
    """The kinds of the blocks that open, and the text in them."""
    tokens = READER.parse(markdown)
    kinds = [token.type for token in tokens if token.nesting == 1 or (token.nesting == 0 and token.type != "inline")]
    lines = ("".join(visible_words(one.children or [])) if one.type == "inline" else one.content for one in tokens)
    return [kind for kind in kinds if kind != "fence"], "\n".join(filter(None, lines))


@given(TEXTS)
@settings(deadline=None)
def test_any_text_in_a_block_is_shown_as_it_is_and_makes_nothing_but_paragraphs(text: str) -> None:
    kinds, visible = read(escape.block(text))
    assert set(kinds) <= {"paragraph_open"}
    assert agree(visible, text)
    assert code_in(escape.block(text)) == expected_pieces(text)


@given(TEXTS)
@settings(deadline=None)
def test_any_text_in_a_list_item_stays_in_its_item(text: str) -> None:
    kinds, visible = read(f"- 14:05 UTC {escape.item(text)} — Ana (#4)\n- next\n")
    assert kinds[0] == "bullet_list_open"
    assert kinds.count("list_item_open") == 2
    assert set(kinds) == {"bullet_list_open", "list_item_open", "paragraph_open"}
    assert agree(visible, f"14:05 UTC {text} — Ana (#4)\nnext")
    assert code_in(f"- 14:05 UTC {escape.item(text)} — Ana (#4)\n- next\n") == expected_pieces(text)


@given(TEXTS)
@settings(deadline=None)
def test_any_text_in_a_nested_item_stays_in_its_item(text: str) -> None:
    kinds, visible = read(f"- one\n  - two {escape.item(text, 1)} — Ana\n- next\n")
    assert kinds.count("bullet_list_open") == 2
    assert kinds.count("list_item_open") == 3
    assert agree(visible, f"one\ntwo {text} — Ana\nnext")


@given(TEXTS)
@settings(deadline=None)
def test_any_text_in_a_heading_is_one_heading(text: str) -> None:
    kinds, visible = read(f"# INC-7: {escape.heading(text)}\n")
    assert kinds == ["heading_open"]
    assert visible.split() == ["INC-7:", *strip_code_marks(flatten(text)).split()]


@given(TEXTS)
@settings(deadline=None)
def test_any_text_in_a_cell_stays_in_its_cell(text: str) -> None:
    kinds, visible = read(f"| INC-7 | x |\n|:--|:--|\n| Title | {escape.cell(text)} |\n")
    assert kinds.count("table_open") == 1
    assert kinds.count("td_open") == 2
    assert visible.split() == ["INC-7", "x", "Title", *strip_code_marks(flatten(text)).split()]


@pytest.mark.parametrize(
    "text",
    [
        "p99 < 500ms, 3 > 2 & rising, 50 % of snake_case_names",
        "[ERROR] db-1 is down! (see #4, ~5 min) - not - a list",
        "C:\\temp\\new costs $5; 2 * 3 = 6",
        "#4 failed, @ana knows; 14:05-14:10",
        'R&D said: it\'s "fine"',
    ],
)
def test_ordinary_text_reads_as_it_was_written(text: str) -> None:
    assert escape.block(text) == text
    assert escape.item(text) == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("see https://a.example/b_c.", "see <https://a.example/b_c>."),
        ("(https://a.example/x_(y))", "(<https://a.example/x_(y)>)"),
        ("!https://a.example/%41_", "\\![https://a.example/%41\\_](<https://a.example/%41_>)"),
        ("# a\n1. b\n- c", "\\# a\\\n1\\. b\\\n\\- c"),
        ("a\n\n    b", "a\n\n\u00a0\u00a0\u00a0\u00a0b"),
        ("**a** __b__ ~~c~~", "\\*\\*a\\*\\* \\_\\_b\\_\\_ \\~\\~c\\~\\~"),
        ("<b>&lt;</b>", "\\<b>\\&lt;\\</b>"),
        ("[a](b) ![c](d)", "[a\\](b) \\![c\\](d)"),
    ],
)
def test_what_would_take_effect_is_escaped(text: str, markdown: str) -> None:
    assert escape.block(text) == markdown


@pytest.mark.parametrize("write", [escape.block, escape.item, escape.inline, escape.heading, escape.cell])
@pytest.mark.parametrize("piece", ["*_`[", "<a@", "&#", "https://a(", "\n \n", "$~", "\\", "](", "http://."])
def test_forty_thousand_naughty_characters_are_escaped_without_delay(write: Callable[[str], str], piece: str) -> None:
    text = clean((piece * 40_000)[:40_000])
    with working_at_most(5):
        assert len(write(text)) >= len(text) - text.count("\n")
