"""What people and Confluence make of a page is read back region by region."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.confluence import StorageXhtml
from bot.export.confluence.reader import NotAPageError, render_body
from bot.export.confluence.regions import exceeds_markdown, render_markdown, split_page
from bot.export.markdown_reader import MarkdownReader
from tests.export.confluence.test_writer import MARKDOWN
from tests.export.test_escape import NAUGHTY
from tests.support.deadlines import working_at_most
from tests.support.export.cases import FULL, NOW

XHTML = StorageXhtml(MarkdownReader())
MACRO = '<ac:structured-macro ac:name="{}">{}</ac:structured-macro>'
ANCHOR = MACRO.format("anchor", '<ac:parameter ac:name="">afterword-{}</ac:parameter>')
CODE = MACRO.format("code", "<ac:plain-text-body><![CDATA[a &amp; ]]]]><![CDATA[> b]]></ac:plain-text-body>")
TITLED = '<ac:parameter ac:name="title">More</ac:parameter><ac:rich-text-body><p>inside</p></ac:rich-text-body>'
EMOTICON = "<ac:emoticon {} />"
SMILE = 'ac:name="smile" ac:emoji-shortname=":smile:" ac:emoji-fallback="🙂"'
SHIP, TICK = 'ac:name="blue-star" ac:emoji-shortname=":ship-it:"', 'ac:name="tick"'
TASK = "<ac:task><ac:task-status>complete</ac:task-status><ac:task-body>a</ac:task-body></ac:task>"
CELL = '<ac:layout-section ac:type="single"><ac:layout-cell>{}</ac:layout-cell></ac:layout-section>'


@pytest.fixture(scope="module")
def page() -> str:
    return Exporter().render(postmortem_rules.compile_document(FULL, NOW), "confluence").decode()


def region(body: str, id_: str = "leadup") -> str:
    return f"<h2>{ANCHOR.format(id_)}Leadup</h2>{body}"


def read_regions(storage: str) -> dict[str, str]:
    parts = split_page(storage).parts.items()
    return {id_: render_body(block.element for block in part.whole) for id_, part in parts}


def rewritten(page: str) -> str:
    """The page as Confluence's editor gives it back."""
    page = re.sub(r"<(p|h2|ul|li|table|tr|td|th)>", r'<\1 local-id="5b3c">', page)
    page = re.sub(r'ac:name="(info|status|anchor|toc)">', r'ac:schema-version="1" ac:macro-id="9f" ac:name="\1">', page)
    page = re.sub(r"<(t[dh]) local-id=\"5b3c\">(.*?)</t[dh]>", r"<\1><p>\2</p></\1>", page)
    page = re.sub(r"<li local-id=\"5b3c\">((?:(?!<ul|</li>).)*)", r"<li><p>\1</p>", page)
    page = page.replace("<tbody>", '<colgroup><col style="width: 70px;" /></colgroup><tbody>')
    page = page.replace("</table>", "</table><p />").replace("strong>", "b>").replace("em>", "i>")
    page = page.replace(" — ", "&nbsp;&mdash; ").replace("é", "&eacute;").replace("\n", "")
    return f"<ac:layout>{CELL.format(page)}</ac:layout>"


def test_the_regions_of_a_page_are_the_sections_as_markdown(page: str) -> None:
    regions = read_regions(page)
    assert list(regions) == [section.slug for section in SECTIONS]
    assert regions["leadup"] == "Version 4.12 went out with a new client library."
    assert regions["whys"].split("\n")[4] == "    - **4.** Nobody saw it fill"
    assert "| 15:10 | Resolved Queue drained | Ana Costa | #7 |" in regions["timeline"]
    assert "INC-7" not in "".join(regions.values())


def test_what_confluence_rewrites_by_itself_is_no_edit(page: str) -> None:
    assert rewritten(page) != page
    assert read_regions(rewritten(page)) == read_regions(page)


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("new client library", "new client", "leadup"),
        ("<td>Ana Costa</td><td>#7</td>", "<td>Ana</td><td>#7</td>", "timeline"),
        ("Failing over made it stop.</p>", "Failing over made it stop.</p><p>And more.</p>", "summary"),
        ("<p>Version", "<h3>Version", "leadup"),
        ("Incident summary</h2>", "In short</h2>", ""),
    ],
)
def test_an_edit_shows_in_its_region_alone(page: str, old: str, new: str, touched: str) -> None:
    assert page.count(old) == 1
    edited = page.replace(old, new)
    if "<h3>" in new:
        edited = edited.replace("library.</p>", "library.</h3>")
    before, after = read_regions(page), read_regions(edited)
    assert [id_ for id_ in before if before[id_] != after[id_]] == ([touched] if touched else [])


def test_a_region_is_itself_wherever_it_was_moved_and_whatever_it_is_called(page: str) -> None:
    pieces = page.split("<h2>")
    moved = "<h2>".join([pieces[0], *reversed(pieces[1:])]).replace("Leadup</h2>", "Before it</h2>")
    assert read_regions(moved) == read_regions(page)


def test_a_heading_that_lost_its_anchor_is_found_by_its_title(page: str) -> None:
    assert read_regions(page.replace(ANCHOR.format("leadup"), "")) == read_regions(page)


def test_an_anchor_that_the_editor_put_before_its_heading_still_leads_to_it() -> None:
    assert read_regions(f"<p>{ANCHOR.format('own')}</p><p /><h2>Own</h2><p>text</p>") == {"own": "text"}


@pytest.mark.parametrize(
    ("body", "markdown"),
    [
        ("", ""),
        ("<p /><p>&nbsp;</p>", ""),
        ("<p># no heading, *no* [link](x) &lt;!here&gt;</p>", "\\# no heading, \\*no\\* [link\\](x) \\<!here>"),
        ("<p>1. no list<br />- nor here</p>", "1\\. no list\\\n\\- nor here"),
        ("<p>a<strong> b </strong>c</p>", "a **b** c"),
        ('<p>see <a href="https://a.example/b">there</a></p>', "see [there](<https://a.example/b>)"),
        ("<ol><li>a</li><li><p>b</p><p>c</p></li></ol>", "1. a\n2. b\n\n   c"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ('<p>due <time datetime="2026-12-01" /></p>', "due 2026-12-01"),
        ('<p><ac:image><ri:attachment ri:filename="a.png" /></ac:image></p>', "(picture: a.png)"),
        ('<p><ac:link><ri:user ri:account-id="557058" /></ac:link> knows</p>', "557058 knows"),
        (
            '<ac:image ac:width="7"><ri:attachment ri:filename="a.png" ri:version-at-save="1" /></ac:image>',
            "(picture: a.png)",
        ),
        (f"<p>well {EMOTICON.format(SMILE)} done</p>", "well 🙂 done"),
        (f"<p>{EMOTICON.format(SHIP)}</p>", ":ship-it:"),
        (f"<p>{EMOTICON.format(TICK)}</p>", ":tick:"),
        (CODE, "```\na &amp; ]]> b\n```"),
        (MACRO.format("expand", TITLED), "**More**\n\ninside"),
        (f"<ac:task-list>{TASK}</ac:task-list>", "- [x] a"),
        (MACRO.format("view-file", '<ac:parameter ac:name="name">a</ac:parameter>'), "(view-file: a)"),
    ],
)
def test_what_people_write_into_a_region_becomes_markdown(body: str, markdown: str) -> None:
    assert read_regions(region(body)) == {"leadup": markdown}


MENTION = "<p>seen by <ac:link><ri:user {} /></ac:link>, who slept</p>"


@pytest.mark.parametrize(
    ("person", "name"),
    [
        ('ri:account-id="acc-1"', "seen by Bo Demo, who slept"),
        ('ri:account-id="acc-1" ri:local-id="9f"', "seen by Bo Demo, who slept"),
        ('ri:account-id="acc-2"', "seen by someone, who slept"),
        ('ri:username="bo"', "seen by bo, who slept"),
        ('ri:userkey="8a7f"', "seen by someone, who slept"),
    ],
)
def test_a_mention_becomes_the_name_of_the_person_in_the_words_of_a_draft(person: str, name: str) -> None:
    page = split_page(region(MENTION.format(person)))
    assert render_markdown(page.parts["leadup"].own, {"acc-1": "Bo *Demo*".replace("*", "")}) == name
    assert exceeds_markdown(page.parts["leadup"].own)


def test_ids_of_the_editors_own_make_no_edit_of_a_mention() -> None:
    plain, saved = ('ri:account-id="acc-1"', 'ri:local-id="9f" ri:account-id="acc-1"')
    one, other = (split_page(region(MENTION.format(person))).parts["leadup"].digest for person in (plain, saved))
    assert one == other


def test_a_name_is_text_and_no_markdown() -> None:
    page = split_page(region(MENTION.format('ri:account-id="acc-1"')))
    assert render_markdown(page.parts["leadup"].own, {"acc-1": "Bo_*x*_"}) == "seen by Bo\\_\\*x\\*\\_, who slept"


@pytest.mark.parametrize("picture", ["<p>{}</p>", "{}"])
def test_our_picture_is_no_word_of_a_region_however_the_editor_keeps_it(picture: str) -> None:
    image = '<ac:image ac:width="760"><ri:attachment ri:filename="timeline.svg" ri:version-at-save="2" /></ac:image>'
    page = split_page(region(picture.format(image) + "<p>a</p>", "timeline"))
    assert render_markdown(page.parts["timeline"].own) == "a"
    assert (
        page.parts["timeline"].digest
        == split_page(region(f"<p>{image}</p><p>a</p>", "timeline")).parts["timeline"].digest
    )
    assert not exceeds_markdown(page.parts["timeline"].own)


@pytest.mark.parametrize(
    "storage", ["<p>", "<p></q>", "<x:y />", "<!DOCTYPE p [<!ENTITY a 'b'>]><p>&a;</p>", "<p>&nope;</p>", "a & b"]
)
def test_what_is_no_page_is_a_sentence(storage: str) -> None:
    with pytest.raises(NotAPageError, match="no well-formed page"):
        read_regions(storage)


def test_everything_that_markdown_can_say_comes_back_the_same() -> None:
    once = read_regions(region(str(XHTML.render_blocks(MARKDOWN))).replace("h1", "h3"))["leadup"]
    assert "```py\nif a ]]> b & c:\n```" in once
    assert "- [ ] open *task*\n- [x] done" in once
    assert read_regions(region(str(XHTML.render_blocks(once)))) == {"leadup": once}


@given(st.one_of(st.text(), st.lists(st.sampled_from(NAUGHTY)).map("".join)))
@settings(deadline=None)
def test_the_words_of_any_text_come_back(text: str) -> None:
    words = re.findall(r"[A-Za-z]+", text)
    read = read_regions(region(f"<p>{XHTML.render_line(re.sub(r'[^A-Za-z ]', ' ', text))}</p>"))["leadup"]
    assert re.findall(r"[A-Za-z]+", read) == words


def test_a_page_nested_beyond_reason_is_read() -> None:
    deep = "<blockquote>" * 2_000 + "deep" + "</blockquote>" * 2_000
    with working_at_most(20):
        assert "deep" in read_regions(region(deep))["leadup"]
        assert "deep" in read_regions(region("<p>" + "<em>" * 2_000 + "deep" + "</em>" * 2_000 + "</p>"))["leadup"]
        assert "deep" in render_markdown(split_page("<div>" * 2_000 + "<p>deep</p>" + "</div>" * 2_000).head)
