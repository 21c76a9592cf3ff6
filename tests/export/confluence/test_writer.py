from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Attachment, AttachmentState, Case
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.confluence import AttachedChart, ConfluenceWriter, StorageXhtml
from bot.export.markdown_reader import MarkdownReader
from bot.export.templates import load_shipped_templates, load_team_templates
from tests.export.test_escape import NAUGHTY
from tests.support.deadlines import working_at_most
from tests.support.export import storage_format
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, section_text

EXPORTER = Exporter()
XHTML = StorageXhtml(MarkdownReader())
MARKDOWN = """\
# One

text *em* **strong** ~~gone~~ `a <b>` [link](https://a.example/?a=1&b=2 "t") ![picture](https://a.example/p.png)
soft\\
hard <b>raw</b> &copy;

1. one

   more
2. two
   - nested

| left | right |
|------|------:|
| a \\| b | *c* |

7. seven

> quoted
> > twice

```python
if a ]]> b & c:
```

```cobol
stop
```

    indented

---

- [ ] open *task*
- [x] done
"""


def page_of(about: Case) -> str:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "confluence").decode()


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN])
def test_the_page_is_well_formed_with_an_anchor_in_the_heading_of_each_section(about: Case) -> None:
    page = storage_format.page(page_of(about))
    assert storage_format.anchors(page) == [f"afterword-{section.slug}" for section in SECTIONS]
    assert [storage_format.visible(heading) for heading in page.iter("h2")] == [section.title for section in SECTIONS]
    assert "h1" not in storage_format.tags(page)


def test_the_page_begins_with_a_panel_the_facts_as_page_properties_and_the_contents() -> None:
    page = storage_format.page(page_of(FULL))
    panel, facts, toc, *_ = page
    assert [macro.get(f"{{{storage_format.AC}}}name") for macro in (panel, facts, toc)] == ["info", "details", "toc"]
    text = storage_format.visible(panel)
    assert text.startswith("SEV2Yellow ResolvedGreen At a glance What happened: Checkout failed for 43 minutes.")
    assert text.endswith("Compiled by Afterword on 2026-11-29 12:00 UTC.")
    assert storage_format.visible(facts).startswith("When 2026-11-23, times in UTC Severity sev2")
    assert "Mitigated 14:41, after 43 min Resolved 15:10 Duration 1 h 12 min" in storage_format.visible(facts)
    assert "Responders Ana Costa, Chloé Martin, Ben Okafor" in storage_format.visible(facts)


def test_where_the_impact_has_no_start_the_head_says_from_when_it_counts() -> None:
    about = case(entries=tuple(one for one in FULL.entries if one.number != 2))
    text = storage_format.visible(storage_format.page(page_of(about)))
    assert "Started 14:05 (when it was detected; the start of the impact is not recorded)" in text
    assert "Duration 1 h 5 min, from when it was detected" in text
    first = storage_format.visible(storage_format.page(page_of(case(entries=(entry(1, at(14, 5)),)))))
    assert "Started 14:05 (the first entry; the start of the impact is not recorded)" in first
    assert "Duration 1 h 5 min, from the first entry" in first


def test_those_with_an_account_are_mentioned_in_the_head_and_nowhere_else() -> None:
    page, _ = EXPORTER.write_confluence_page(
        postmortem_rules.compile_document(FULL, NOW), {"U1": "acc-ana", "U9": "acc-else"}
    )
    mentions = [
        user.get(f"{{{storage_format.RI}}}account-id")
        for user in storage_format.page(page).iter(f"{{{storage_format.RI}}}user")
    ]
    assert mentions == ["acc-ana", "acc-ana"]
    assert page.rindex("ri:user") < page.index("<h2>")


def test_the_corrective_actions_are_a_table_with_owner_date_state_and_link() -> None:
    rows = [storage_format.visible(row) for row in storage_format.page(page_of(FULL)).iter("tr")]
    assert "Action Owner Due Status Kind Cause Ticket" in rows
    assert "#1 Pool connections per process Ana Costa 2026-11-27 OverdueRed – – OPS-12" in rows
    assert "#2 Load test with many customers Not recorded Not recorded OpenBlue – – –" in rows
    assert "#4 Move to another database Ana Costa 2026-11-27 DroppedGrey too large – – –" in rows
    assert '<a href="https://tracker.example.com/browse/OPS-12">OPS-12</a>' in page_of(FULL)


def test_what_somebody_wrote_of_the_actions_stands_before_their_table() -> None:
    about = case(sections=(section_text("actions", "By hand"),), actions=FULL.actions)
    text = storage_format.visible(storage_format.page(page_of(about)))
    assert text.index("By hand") < text.index("Action Owner Due Status Kind Cause Ticket")


def test_every_entry_is_a_row_with_its_minute_milestone_people_and_number() -> None:
    page = storage_format.page(page_of(FULL))
    rows = [storage_format.visible(row) for row in page.iter("tr")]
    assert "14:05 DetectedPurple Alert checkout_5xx fired Ana Costa, recorded by Ben Okafor #3" in rows
    assert "14:20–14:32 Restarted the pool: active: 200 no change Ana Costa #5" in rows
    assert "Restarted the pool:<br />\u00a0\u00a0active: 200<br /><br />no change" in page_of(FULL)
    assert '<time datetime="2026-11-23" />' in page_of(FULL)


def test_a_long_timeline_is_folded_and_whole() -> None:
    entries = tuple(entry(number, at(0, 0), f"step {number}.") for number in range(1, 601))
    page = storage_format.page(page_of(case(entries=entries)))
    folds = storage_format.macros(page, "expand")
    assert len(folds) == 3
    assert storage_format.visible(folds[2][0]) == "00:00 – 00:00, 100 entries"
    assert [row[3].text for row in page.iter("tr") if len(row) == 4 and row[3].tag == "td"] == [
        f"#{number}" for number in range(1, 601)
    ]


def test_a_persons_words_on_the_timeline_stand_before_the_table() -> None:
    text = storage_format.visible(
        storage_format.page(page_of(case(entries=FULL.entries, sections=(section_text("timeline", "By hand"),))))
    )
    assert text.index("By hand") < text.index("All times are UTC") < text.index("13:52 Deploy")


def test_a_file_and_a_changed_message_are_named_beside_their_entry() -> None:
    file = Attachment(1, 1, "a<b>.png", "image/png", 3, "https://files.slack.com/a", AttachmentState.STORED, "", b"abc")
    lost = replace(file, id=2, state=AttachmentState.REFUSED, note="it is larger than 10 MB", content=b"")
    about = replace(case(entries=(entry(1, at(14, 5), source_change="edited"),)), attachments=(file, lost))
    text = storage_format.visible(storage_format.page(page_of(about)))
    assert "File a<b>.png, 3 B, in the HTML and JSON exports File a<b>.png, 3 B, not kept: it is larger than" in text
    assert "#1; its message was edited later" in text


def test_pictures_that_hang_on_the_page_are_shown_in_their_region() -> None:
    writer = ConfluenceWriter(load_shipped_templates())
    attached = (
        AttachedChart("timeline", "timeline.svg", 'The "timeline" <drawn>'),
        AttachedChart("whys", "whys.svg", "Whys"),
    )
    page = storage_format.page(writer.write_body(postmortem_rules.compile_document(FULL, NOW), attached))
    images = list(page.iter(f"{{{storage_format.AC}}}image"))
    assert [image.get(f"{{{storage_format.AC}}}alt") for image in images] == ['The "timeline" <drawn>', "Whys"]
    assert [image[0].get(f"{{{storage_format.RI}}}filename") for image in images] == ["timeline.svg", "whys.svg"]
    assert [image.get(f"{{{storage_format.AC}}}width") for image in images] == ["760", "760"]
    assert "ac:image" not in page_of(FULL)


@pytest.mark.parametrize("name", ["../a.svg", "a/b.svg", "https://a.example/b.svg", "", "a b.svg", ".svg"])
def test_a_picture_is_named_by_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        AttachedChart("timeline", name, "")


def test_everything_that_markdown_can_say_has_its_element() -> None:
    page = storage_format.page(XHTML.render_blocks(MARKDOWN))
    found = storage_format.tags(page)
    for tag in "h1 p em strong del code a br ul ol li table blockquote hr ac:task-list".split():
        assert tag in found
    assert [link.get("href") for link in page.iter("a")] == ["https://a.example/?a=1&b=2", "https://a.example/p.png"]
    assert [listed.get("start") for listed in page.iter("ol")] == [None, "7"]
    codes = [macro.findtext(f"{{{storage_format.AC}}}plain-text-body") for macro in storage_format.macros(page, "code")]
    assert codes == ["if a ]]> b & c:", "stop", "indented"]
    languages = [macro.findtext(f"{{{storage_format.AC}}}parameter") for macro in storage_format.macros(page, "code")]
    assert languages == ["py", None, None]
    tasks = list(page.iter(f"{{{storage_format.AC}}}task"))
    assert [storage_format.visible(task) for task in tasks] == ["1incompleteopen task", "2completedone"]
    assert "<b>raw</b> ©" in storage_format.visible(page)


def test_without_regions_of_its_own_a_template_still_makes_a_whole_page() -> None:
    own = "# {{ document.title }}\n\n{% for row in rows %}\n- {{ row[2] }}\n{% endfor %}\n"
    writer = ConfluenceWriter(load_team_templates({"document.md.j2": own}))
    page = storage_format.page(writer.write_body(postmortem_rules.compile_document(FULL, NOW)))
    assert "Queue drained" in storage_format.visible(page)
    assert storage_format.macros(page, "info") == []


@given(st.one_of(st.text(), st.lists(st.sampled_from(NAUGHTY)).map("".join)))
@settings(deadline=None)
def test_any_markdown_of_a_person_is_well_formed_and_harmless(text: str) -> None:
    page = storage_format.page(XHTML.render_blocks(text))
    assert all(str(link.get("href")).startswith(("http://", "https://")) for link in page.iter("a"))
    allowed = {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "em",
        "strong",
        "del",
        "code",
        "a",
        "br",
        "ul",
        "ol",
        "li",
        "hr",
    }
    allowed |= {"table", "tbody", "tr", "th", "td", "blockquote", "ac:structured-macro", "ac:plain-text-body"}
    assert set(storage_format.tags(page)) <= allowed | {
        "ac:parameter",
        "ac:task-list",
        "ac:task",
        "ac:task-id",
        "ac:task-status",
        "ac:task-body",
    }


@pytest.mark.parametrize(
    "text", ["*" * 5_000 + "a" + "*" * 5_000, "[" * 5_000, "> " * 500 + "deep", "- " * 300 + "deep", "| a " * 2_000]
)
def test_what_is_nested_beyond_reason_stays_whole(text: str) -> None:
    words = {word for word in text.split() if word.isalpha()}
    with working_at_most(20):
        assert all(word in storage_format.visible(storage_format.page(XHTML.render_blocks(text))) for word in words)


@pytest.mark.parametrize("reference", ["&#x202e;", "&#x2066;", "&#xfffe;", "\u202e", "\x00", "\ufffe"])
def test_no_character_reference_brings_in_what_may_not_leave(reference: str) -> None:
    for markdown in (
        f"a{reference}b",
        f"`a{reference}b`",
        f"```\na{reference}b\n```",
        f"[a{reference}b](https://a.example/{reference})",
    ):
        written = str(XHTML.render_blocks(markdown))
        storage_format.page(written)
        assert not set(written) & {"\u202e", "\u2066", "\ufffe", "\x00"}
