"""The whys stand in one order, and as deep as the tree is, in every form."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.domain.whys import list_active, outline_whys
from bot.export import Exporter, drafts
from bot.export.charts import draw_whys
from bot.slack.views import whys as whys_views
from tests.support.export import export_text
from tests.support.export.cases import NOW, at, case, entry, why
from tests.support.export.svg_geometry import parse_picture

Outline = list[tuple[int, int]]
"""Numbers with the depth at which each stands, in the order of reading."""

EXPORTER = Exporter()
NAMESPACES = 'xmlns:ac="ac" xmlns:ri="ri"'
_NUMBER = re.compile(r"([0-9]+)\.\Z")


@st.composite
def trees(draw: st.DrawFn) -> Case:
    """Whys as they can grow: each explains an earlier one or the incident itself, some are taken back."""
    count = draw(st.integers(1, 16))
    above = [draw(st.none() | st.integers(1, number - 1)) if number > 1 else None for number in range(1, count + 1)]
    texts = [draw(st.sampled_from(["the pool was full", "see #1", "two\nlines", "one\n\nmore"])) for _ in above]
    whys = tuple(
        why(number, parent, text, root=draw(st.booleans()), struck=draw(st.integers(0, 5)) == 0)
        for number, (parent, text) in enumerate(zip(above, texts, strict=True), 1)
    )
    return case(entries=(entry(1, at(14, 5), "failed over"),), whys=list_active(whys))


def expected_outline(about: Case) -> Outline:
    """The rule, said without the code: depth first, by number, as deep as there are whys above."""

    def below(parent: int | None, depth: int) -> Iterator[tuple[int, int]]:
        for one in sorted((each for each in about.whys if each.parent == parent), key=lambda each: each.number):
            yield one.number, depth
            yield from below(one.number, depth + 1)

    return list(below(None, 0))


def of_markdown(markdown: str) -> Outline:
    """What a Markdown reader makes of the nested lists of the five whys."""
    found: Outline = []
    depth = 0
    for token in MarkdownIt("js-default").parse(section(markdown)):
        if token.type.endswith("_list_open"):
            depth += 1
        elif token.type.endswith("_list_close"):
            depth -= 1
        elif token.type == "inline" and token.children:
            bold = next((each.content for each in token.children if each.content), "")
            if number := _NUMBER.fullmatch(bold):
                found.append((int(number[1]), depth - 1))
    return found


def section(markdown: str) -> str:
    return markdown.split("## Five whys\n", 1)[1].split("\n## ", 1)[0]


def of_lists(element: ET.Element, depth: int = -1) -> Outline:
    """The same of HTML and of Confluence's storage format."""
    found: Outline = []
    for child in element:
        inside = depth + (child.tag == "ul")
        if child.tag == "strong" and (number := _NUMBER.fullmatch(child.text or "")):
            found.append((int(number[1]), depth))
        found += of_lists(child, inside)
    return found


def of_html(html: bytes) -> Outline:
    found = next(one for one in export_text.page(html).iter("section") if one.get("id") == "whys")
    return of_lists(found)


def of_confluence(xml: str) -> Outline:
    begin, end = xml.index(">afterword-whys<"), xml.index(">afterword-root_cause<")
    lists = re.sub(r"</?h2>|<ac:structured-macro.*", "", xml[begin + 16 : end].split("</h2>", 1)[1])
    return of_lists(ET.fromstring(f"<root {NAMESPACES}>{lists}</root>"))


def of_json(content: bytes) -> Outline:
    parents = {one["number"]: one["parent"] for one in json.loads(content)["whys"]}

    def depth(number: int) -> int:
        return 0 if parents[number] is None else depth(parents[number]) + 1

    return [(number, depth(number)) for number in parents]


def of_slack(about: Case) -> Outline:
    lines = "\n".join(
        block["text"]["text"] for block in whys_views.chain_message(about)["blocks"] if block["type"] == "section"
    )
    matches = (re.match(r"(\u2003*)([0-9]+)\. ", line) for line in lines.split("\n"))
    return [(int(line[2]), len(line[1]) // 2) for line in matches if line]


@settings(deadline=None, max_examples=60)
@given(trees())
def test_every_form_shows_the_whys_in_one_order_and_as_deep_as_the_tree_is(about: Case) -> None:
    wanted = expected_outline(about)
    document = postmortem_rules.compile_document(about, NOW)
    forms = {form: EXPORTER.render(document, form) for form in ("markdown", "html", "confluence", "canvas", "json")}
    found = {
        "rule": [(placed.why.number, placed.depth) for placed in outline_whys(about.whys)],
        "document": [(step.number, step.depth) for step in document.whys],
        "markdown": of_markdown(forms["markdown"].decode()),
        "canvas": of_markdown(forms["canvas"].decode()),
        "html": of_html(forms["html"]),
        "confluence": of_confluence(forms["confluence"].decode()),
        "json": of_json(forms["json"]),
        "slack": of_slack(about),
    }
    assert found == dict.fromkeys(found, wanted)


@settings(deadline=None, max_examples=40)
@given(trees())
def test_the_picture_tells_the_whys_in_the_same_order(about: Case) -> None:
    picture = draw_whys(postmortem_rules.compile_document(about, NOW))
    wanted = [str(number) for number, _ in expected_outline(about)]
    if picture is None:
        assert not wanted
        return
    heads = [one.text or "" for one in parse_picture(picture.svg).iter() if one.get("font-weight") == "600"]
    assert [head.split(" ")[0] for head in heads[1:]] == wanted


@settings(deadline=None, max_examples=40)
@given(trees())
def test_the_draft_of_any_tree_comes_back_as_it_left(about: Case) -> None:
    document = postmortem_rules.compile_document(about, NOW)
    draft = EXPORTER.compile_draft(document)
    paper = drafts.read(EXPORTER.render(document, "markdown").decode())
    assert {one.outcome for one in drafts.compare(paper, draft)} == {drafts.RegionOutcome.UNTOUCHED}


def test_a_chain_that_is_deeper_than_lists_can_be_names_what_each_why_explains() -> None:
    chain = case(whys=tuple(why(number, number - 1 or None) for number in range(1, 50)))
    document = postmortem_rules.compile_document(chain, NOW)
    markdown = EXPORTER.render(document, "markdown").decode()
    assert [depth for _, depth in of_markdown(markdown)] == [min(depth, 30) for depth in range(49)]
    assert "- **32.** (explains 31) " in markdown
    assert "- **31.** the pool" in markdown
    assert len(of_html(EXPORTER.render(document, "html"))) == 49


def test_the_whys_of_the_players_read_as_they_were_answered() -> None:
    """1 is explained by 2 and 3, 3 by 4 and so on: what a person saw read 1, 3, 4, 5, 6, 7, 2."""
    above = {1: None, 2: 1, 3: 1, 4: 3, 5: 4, 6: 3, 7: 6}
    document = postmortem_rules.compile_document(
        case(whys=tuple(why(number, parent) for number, parent in above.items())), NOW
    )
    assert of_markdown(EXPORTER.render(document, "markdown").decode()) == [
        (1, 0), (2, 1), (3, 1), (4, 2), (5, 3), (6, 2), (7, 3),
    ]  # fmt: skip
