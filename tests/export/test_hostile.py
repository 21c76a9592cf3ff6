"""Every field that a person can fill, filled by someone who means harm."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.records import Case, Milestone, Person
from bot.domain.sections import SECTIONS
from bot.domain.text import PieceKind, clean, flatten, split_pieces, strip_code_marks, to_one_line
from bot.export import Exporter
from tests.export.test_escape import TEXTS
from tests.support.export import export_text, storage_format
from tests.support.export.cases import NOW, action, at, case, entry, incident, section_text, why
from tests.support.export.export_text import letters

EXPORTER = Exporter()
HOSTILE = [
    "<!channel> <@U1|x> <https://a.example|b>",
    "# a\n## Timeline\n\n- b\n1. c\n> d\n\n    code\n---\n===\n***",
    "</style></title><script>alert(1)</script><img src=x onerror=alert(1)><!-- ]]>",
    "| a | b |\n|---|---|\n| c | d |",
    "{{ 7*7 }}{% raw %}{# x #}${7*7}",
    "a\x1b[31mb\x08c\x7fd\x85e\ufffef",
    "\u202eevil\u2066 text\u200f",
    "[a](javascript:alert(1)) ![b](http://a.example/c) [d]: http://b.example",
    '" onmouseover="alert(1)" \' & &amp; &#60;script&#62;',
    "```\ncode\n~~~\n`x` **b** _c_ ~~d~~ $e$ $$f$$",
    "\ud800 \x00 \U0001fffe",
    "---\ntitle: x\n---",
    "long " * 8_000,
]
HOSTILE_CODE = [
    "`` ` `` <b> `a | b` ]]> `]]>` ```\n<!-- afterword:whys -->\n## Timeline\n</code></pre><b>`x`\n]]>\n```\nand `one",
    "```sh\nkubectl get po | grep -v Running\n```\nthen ```` ```x``` ```` don`t",
]
HARMLESS_ON_A_CANVAS = {
    *("inline", "text", "softbreak", "hardbreak", "bullet_list", "list_item", "paragraph", "heading", "table", "thead"),
    *("tbody", "tr", "th", "td", "strong", "em", "link"),
}


def everywhere(text: str) -> Case:
    """A case that says the text wherever a person can say something."""
    whys = (why(1, None, text), why(2, 1, text, root=True), why(3, 1, text), why(4, None, text))
    made = case(
        about=incident(title=text, channel_name=text, postmortem_reason=text),
        entries=(
            entry(1, at(14, 5), text, milestone=Milestone.DETECTED, recorder="U2"),
            entry(2, at(14, 6), f"second {text}", ended_at=at(0, 1, day=24)),
        ),
        whys=whys,
        sections=tuple(section_text(section.slug, text) for section in SECTIONS if section.slug != "root_cause"),
        actions=(action(1, text=text, link=text, reason=text),),
    )
    return replace(made, people={user: Person("T1", user, text) for user in made.people})


def compile_text(text: str) -> Document:
    return postmortem_rules.compile_document(everywhere(text), NOW)


def without(text: str, name: str) -> set[str]:
    """What stands for code in a form, where the text has none: blocks, or code at all (in a title blocks are spans)."""
    # Two marks on two lines are none, until a title or a name puts them on one.
    kinds = {piece.kind for shown in (clean(text), flatten(clean(text))) for piece in split_pieces(shown)}
    is_there = PieceKind.BLOCK in kinds if name in ("fence", "pre") else kinds & {PieceKind.BLOCK, PieceKind.SPAN}
    return set() if is_there else {name}


def check_markdown(text: str) -> None:
    markdown = EXPORTER.render(compile_text(text), "markdown").decode()
    found = export_text.headings(markdown)
    assert found[0][0] == "h1"
    assert [name for tag, name in found[1:]] == [section.title for section in SECTIONS]
    assert {tag for tag, _ in found[1:]} == {"h2"}
    forbidden = {"html_block", "html_inline", "image", "code_block", "blockquote_open", "hr", *without(text, "fence")}
    # A line break keeps backticks from being code; titles and names are one line, in which they can be.
    forbidden |= without(text, "code_inline") & without(to_one_line(text), "code_inline")
    assert not export_text.block_kinds(markdown) & (forbidden | {"s_open", "ordered_list_open"})
    assert markdown.split("\n")[1:4] == ["incident: INC-7", "generated_at: 2026-11-29T12:00:00Z", "revision: 0"]


def check_html(text: str) -> None:
    page = export_text.page(EXPORTER.render(compile_text(text), "html"))
    tags = [element.tag for element in page.iter()]
    forbidden = {"script", "img", "iframe", "blockquote", *without(text, "pre")}
    forbidden |= without(text, "code") & without(to_one_line(text), "code")
    assert not forbidden & set(tags)
    assert tags.count("style") == tags.count("h1") == tags.count("table") == 1
    assert not [name for element in page.iter() for name in element.keys() if name.startswith("on")]  # noqa: SIM118
    assert all(link.startswith(("http://", "https://", "#")) for link in export_text.links(page))
    shown = letters(export_text.visible_text(page))
    expected = letters(strip_code_marks(clean(text)))
    # Title, two entries, four whys, thirteen sections, the root cause, an action with its link and reason, and more.
    assert shown.count(expected) >= 24


def check_confluence(text: str) -> None:
    page = storage_format.page(EXPORTER.render(compile_text(text), "confluence").decode())
    found = storage_format.tags(page)
    assert not {"ac:task-list", "ac:image", "blockquote", "del", "h1", "h3", "hr", *without(text, "code")} & set(found)
    assert bool(storage_format.macros(page, "code")) == (not without(text, "pre"))
    assert storage_format.anchors(page) == [f"afterword-{section.slug}" for section in SECTIONS]
    assert found.count("table") == 3
    assert letters(storage_format.visible(page)).count(letters(strip_code_marks(clean(text)))) >= 24


def check_canvas(text: str) -> None:
    canvas = EXPORTER.render(compile_text(text), "canvas").decode()
    is_cut = len(text) > 10_000  # and the sentence that says so holds a command
    code = {"code_inline", "fence"} - without(text, "code_inline") - without(text, "fence")
    assert export_text.kinds(canvas) <= HARMLESS_ON_A_CANVAS | code | ({"code_inline"} if is_cut else set())
    assert [level for level, _ in export_text.headings(f"\n---\n{canvas}")] == ["h2"] * 14
    if not code:  # in code nothing is live
        assert not re.search(r"(?<!\\)!\[[^\]]*\][(\[]|<[@#!]", canvas)
    shown = letters(export_text.read_text(canvas))
    assert shown.count(letters(strip_code_marks(clean(text)))) >= (10 if is_cut else 24)


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE])
def test_hostile_text_in_every_field_leaves_the_markdown_whole(text: str) -> None:
    check_markdown(text)


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE])
def test_hostile_text_in_every_field_is_only_ever_text_on_the_page(text: str) -> None:
    check_html(text)


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE])
def test_hostile_text_in_every_field_is_only_ever_text_in_confluence(text: str) -> None:
    check_confluence(text)


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE])
def test_hostile_text_in_every_field_is_only_ever_text_on_a_canvas(text: str) -> None:
    check_canvas(text)


@given(TEXTS)
@example("!http://0")
@settings(deadline=None)
def test_no_text_breaks_the_page_of_confluence_or_the_canvas(text: str) -> None:
    check_confluence(text)
    check_canvas(text)


@given(TEXTS)
@settings(deadline=None)  # a whole document twice: slow on a busy machine, not wrong
def test_no_text_breaks_the_markdown_or_the_page(text: str) -> None:
    check_markdown(text)
    check_html(text)


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE])
def test_hostile_text_survives_json_and_csv(text: str) -> None:
    document = compile_text(text)
    data = json.loads(EXPORTER.render(document, "json"))
    assert data["timeline"][0]["text"] == (data["sections"]["fault"]["text"] or "") == clean(text)
    table = io.StringIO(EXPORTER.render(document, "csv").decode(), newline="")
    assert [row["number"] for row in csv.DictReader(table, strict=True)] == ["1", "2"]


@pytest.mark.parametrize("form", ["markdown", "html", "confluence", "canvas", "json", "csv"])
def test_nothing_that_reorders_what_is_read_leaves_in_any_form(form: str) -> None:
    written_out = EXPORTER.render(compile_text("\u202eevil\u2066 text\u200f"), form).decode()
    assert not set(written_out) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert "evil text" in written_out
