import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.domain.sections import SECTIONS
from bot.domain.text import remove_controls
from bot.export import Exporter, canvas
from bot.export.canvas import HEAD, CanvasWriter, split_regions
from bot.export.canvas_markdown import CanvasMarkdown
from bot.export.markdown_reader import MarkdownReader
from bot.export.templates import load_shipped_templates
from tests.export.confluence.test_writer import MARKDOWN
from tests.export.test_escape import NAUGHTY
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, section_text

EXPORTER = Exporter()
CANVAS = CanvasMarkdown(MarkdownReader())
# Everything on that a canvas might understand: nothing may rest on its reader being careful.
READER = MarkdownIt("gfm-like", {"html": True, "linkify": False, "maxNesting": 200})
PLAIN = MarkdownIt("js-default", {"html": False, "linkify": False}).disable("image")
PLAIN.validateLink = lambda url: url.startswith(("http://", "https://"))  # type: ignore[method-assign]
MENTIONS = (
    "![](@U1)",
    "![](#C1)",
    "<@U1>",
    "<#C1>",
    "<!here>",
    "![x](@U1)",
    "![][@U1]",
    "![](slack_date:2026-11-23)",
    ":::",
)
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from([*NAUGHTY, *MENTIONS])).map("".join))


def canvas_of(about: Case) -> str:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "canvas").decode()


def render_text(markdown: str) -> str:
    return "".join(CANVAS.render_pieces(markdown))


def all_tokens(tokens: list[Token]) -> list[Token]:
    return [*tokens, *(child for token in tokens for child in token.children or [])]


def letters(reader: MarkdownIt, markdown: str) -> str:
    """The letters and digits that a reader shows; breaks and marks of lists do not count."""
    found = all_tokens(reader.parse(markdown))
    return "".join(re.findall(r"\w", "".join(token.content for token in found if token.type != "inline")))


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN])
def test_the_sections_stand_in_order_under_headings_of_the_second_level(about: Case) -> None:
    found = READER.parse(canvas_of(about))
    headings = [inline.content for opening, inline in pairwise(found) if opening.tag == "h2" and opening.nesting > 0]
    assert headings == [section.title for section in SECTIONS]
    assert not {"html_block", "html_inline", "front_matter"} & {token.type for token in all_tokens(found)}
    assert "afterword:" not in canvas_of(about)
    assert canvas_of(about).startswith("**At a glance**\n\n- **What happened:** ")


def test_every_entry_is_an_item_with_its_minute_and_number() -> None:
    text = canvas_of(FULL)
    assert "- **14:05** *Detected* · Alert checkout_5xx fired — Ana Costa, recorded by Ben Okafor (#3)\n" in text
    assert (
        "- **14:20–14:32** Restarted the pool:  \n    \u00a0\u00a0active: 200\n\n    no change — Ana Costa (#5)\n"
        in text
    )
    assert "    - **2.** Its pool was full\n        - **3.** 4.12 opens a connection" in text


def test_a_timeline_that_is_too_long_says_how_many_entries_are_elsewhere() -> None:
    entries = tuple(entry(number, at(0, 0), f"step {number}: {'x' * 400}.") for number in range(1, 4_001))
    text = canvas_of(case(entries=entries, sections=(section_text("lessons", "All of it."),)))
    assert 900_000 < len(text.encode()) <= canvas.MAX_BYTES
    last = int(re.findall(r"\(#(\d+)\)", text)[-1])
    assert (
        f"\n\n*{4_000 - last:,} more entries of this section are in the file: `/postmortem export markdown`.*\n\n"
        in text
    )
    assert text.rstrip().endswith("*Not recorded*")
    assert "All of it." in text


def test_whatever_is_long_the_canvas_fits() -> None:
    huge = "\n\n".join(["ä" * 30_000] * 20)
    texts = tuple(section_text(section.slug, huge) for section in SECTIONS if section.slug != "root_cause")
    text = canvas_of(replace(case(sections=texts)))
    assert len(text.encode()) <= canvas.MAX_BYTES
    assert len(re.findall(r"\d+ more parts of this section", text)) > 8


def test_everything_that_markdown_can_say_is_said_in_what_canvases_know() -> None:
    text = render_text(f"{MARKDOWN}\n#### four *deep*\n\n###### six")
    assert "four *deep*" in text
    assert "**six**" in text
    assert "[link](https://a.example/?a=1&b=2)" in text
    assert "\\![picture](https://a.example/p.png)" in text
    assert "- [ ] open *task*\n- [x] done" in text
    assert "| left | right |\n| --- | --- |\n| a \\| b | *c* |" in text
    assert "```python\nif a ]]> b & c:\n```" in text
    assert "1. one\n\n    more\n2. two\n    - nested\n" in text
    assert "> quoted\n>\n> > twice" in text
    assert letters(READER, text) == letters(PLAIN, f"{MARKDOWN}\n#### four *deep*\n\n###### six")


def test_a_table_beyond_the_limit_becomes_a_list() -> None:
    table = "| a | b |\n|---|---|\n" + "".join(f"| {row} | [x](https://a.example/{row}) |\n" for row in range(200))
    text = render_text(table)
    assert "table_open" not in {token.type for token in READER.parse(text)}
    assert "- 199 · [x](https://a.example/199)" in text


@pytest.mark.parametrize("mention", MENTIONS)
def test_no_text_becomes_a_mention(mention: str) -> None:
    about = case(entries=(entry(1, at(14, 5), f"ask {mention} now"),), sections=(section_text("fault", mention),))
    for text in (canvas_of(about), render_text(f"ask {mention} now {mention}")):
        assert not re.search(r"!\[[^\]]*\][(\[]|<[@#!]|^:::", text, re.MULTILINE)
    shown = [token for token in READER.parse(render_text(f"ask {mention} now")) if token.children]
    assert "".join(child.content for token in shown for child in token.children or []) == f"ask {mention} now"


@given(TEXTS)
@example("*a**b* **&nbsp;x** *&#42;*")
@example("[a\\]b](https://a.example) ![c](https://b.example/(d))")
@example("# a #\\#\n#### b\n- > 1. ```\n  > x")
@example("- \\\n\\\n0")
@settings(deadline=None)
def test_any_markdown_of_a_person_keeps_its_words_and_makes_nothing_else(text: str) -> None:
    markdown = remove_controls(text)
    made = render_text(markdown)
    tokens = all_tokens(READER.parse(made))
    assert not {"html_block", "html_inline", "image", "code_block"} & {token.type for token in tokens}
    assert not {"h4", "h5", "h6"} & {token.tag for token in tokens}
    assert all(
        str(token.attrs["href"]).startswith(("http://", "https://")) for token in tokens if token.type == "link_open"
    )
    assert letters(READER, made) == letters(PLAIN, markdown)


def test_a_region_is_found_again_by_its_heading() -> None:
    writer = CanvasWriter(load_shipped_templates())
    document = postmortem_rules.compile_document(FULL, NOW)
    text = writer(document).decode()
    headings = writer.index_headings(document)
    regions = split_regions(text, headings)
    assert list(regions) == [HEAD, *(section.slug for section in SECTIONS)]
    assert regions["leadup"].partition("\n\n")[2] == "Version 4.12 went out with a new client library."
    assert regions["whys"].partition("\n\n")[2].startswith("- **1.** The payment API")
    edited = split_regions(text.replace("a new client library", "*two* libraries"), headings)
    assert {id_ for id_ in regions if regions[id_] != edited[id_]} == {"leadup"}


STARTS = "- **14:05** a|- 14:05 b|- **14:05**|- c|-|-d|  - e|  f| g| - h|\t- i|j|||   |> l|1. m|* n|# o|---|===|    k"
OTHERS = ["```", "  ```", "[a]: https://b.example", "- [a]", "|a|", "|-|"]
LINES = st.lists(st.sampled_from([*STARTS.split("|"), *OTHERS]), max_size=9).map("\n".join)
INSIDE = [*NAUGHTY, *MENTIONS, *"ab12 \\`*_~<>&[]()!|:.#", "  ", "\u00a0", "\\*", "`x`", "&amp;", "**", "~~", "é", "—"]
ADDRESSES = [
    "<https://a.example/b?c=d&e_f=*g*>",
    "https://a.example/_b_",
    "[a](<https://b.example>)",
    "<https://a>",
    "<b@c.d>",
]
ROWS = st.tuples(
    st.sampled_from(["- **14:05** ", "- 14:05 ", "- **~14:05–14:07** ", "- ", "- **14:05**"]),
    st.lists(st.sampled_from([*INSIDE, *ADDRESSES])).map("".join),
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(LINES, st.lists(ROWS, min_size=1, max_size=3).map("\n".join)))
@example(MARKDOWN)
@example("j\n- **14:05** a\n\n- **14:06** b")
@example("- **14:05** a\n\n - b")
@example("- **14:05** a\n b\n- **14:06** c")
@example("- **14:05** a\u200e\n\u200e- **14:06** b")
def test_rows_are_written_as_the_parser_would_have_them(markdown: str) -> None:
    assert "".join(CANVAS._render_rows(remove_controls(markdown))) in ("", "".join(CANVAS._render_blocks(markdown)))


def test_of_a_long_timeline_only_what_is_unusual_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = MarkdownReader.parse_blocks

    def watch_parse(reader: MarkdownReader, markdown: str, line: Any) -> Any:
        parsed.append(markdown)
        return parse(reader, markdown, line)

    monkeypatch.setattr(MarkdownReader, "parse_blocks", watch_parse)
    texts = (
        "failed over, 12% of requests still 503",
        "ran `kubectl get po`",
        "see https://grafana.example/d/a_b?x=1&y=2",
        "down *to* 2 * 3 [FIRING:1] (max_connections) <3 & ~5",
        "two\nlines",
    )
    entries = tuple(entry(number, at(14, 5), texts[number % len(texts)]) for number in range(100))
    written = canvas_of(case(entries=entries))
    assert written.count("(#") == 100
    assert sum("(#" in markdown for markdown in parsed) == 20
