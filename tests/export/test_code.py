"""What people mark as code is code in every form that people read, and stays as it was typed in the others."""

import csv
import io
import json

import pytest
from markdown_it import MarkdownIt

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.records import Case, Milestone
from bot.export import Exporter, drafts, escape
from bot.export.html import HtmlWriter
from bot.export.templates import load_shipped_templates
from bot.integrations import atlassian
from tests.support.export import export_text, storage_format
from tests.support.export.cases import NOW, action, at, case, entry, incident, section_text, why

EXPORTER = Exporter()
SPAN = "ran `kubectl get po` <twice>"
BLOCK = "restarted:\n```bash\nkubectl delete po web-1\n  --now # ]]> <b>`x`</b>\n```\nand it came back"
CODE = "kubectl delete po web-1\n  --now # ]]> <b>`x`</b>"


def case_with(text: str) -> Case:
    """A case that says the text in an entry, a why, an action, a section and the title."""
    return case(
        about=incident(title=" ".join(text.split("\n"))),
        entries=(entry(1, at(14, 5), text), entry(2, at(14, 6), text, milestone=Milestone.DETECTED)),
        whys=(why(1, None, text), why(2, 1, f"{text} (#1)", root=True)),
        sections=(section_text("leadup", text),),
        actions=(action(1, text=text, reason=text),),
    )


def compile_text(text: str) -> Document:
    return postmortem_rules.compile_document(case_with(text), NOW)


def form(text: str, name: str) -> str:
    return EXPORTER.render(compile_text(text), name).decode()


def fences(markdown: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("js-default", {"maxNesting": 200}).parse(markdown)
    return [(token.info, token.content.removesuffix("\n")) for token in tokens if token.type == "fence"]


def spans(markdown: str) -> list[str]:
    tokens = MarkdownIt("js-default", {"maxNesting": 200}).parse(markdown)
    return [one.content for token in tokens for one in token.children or [] if one.type == "code_inline"]


# Two entries, two whys, the evidence of the second, the root cause, a section.
WHOLE = 7
# An action and its reason, in a table of the formats whose cells hold blocks; in Markdown they are spans there.
IN_CELLS = 2


@pytest.mark.parametrize("name", ["markdown", "canvas"])
def test_code_is_code_in_markdown_and_on_a_canvas(name: str) -> None:
    assert fences(form(BLOCK, name)) == [("bash", CODE)] * WHOLE
    # The glance has the title, the cause and an open action; the title of a canvas is kept apart.
    more = {"markdown": 4, "canvas": 3}[name] + IN_CELLS
    assert spans(form(SPAN, name).split("\n---\n")[-1]).count("kubectl get po") == WHOLE + more
    assert "\\`" not in form(SPAN, name)


def test_code_is_code_on_the_page() -> None:
    page = export_text.page(EXPORTER.render(compile_text(BLOCK), "html"))
    assert ["".join(one.itertext()).removesuffix("\n") for one in page.iter("pre")] == [CODE] * (WHOLE + IN_CELLS)
    page = export_text.page(EXPORTER.render(compile_text(SPAN), "html"))
    assert [one.text for one in page.iter("code")].count("kubectl get po") == WHOLE + IN_CELLS + 4
    (title,) = page.iter("title")
    assert title.text == "INC-7: Ran kubectl get po <twice>"


def test_code_is_code_on_paper() -> None:
    page = HtmlWriter(load_shipped_templates()).write_page(compile_text(BLOCK), on_paper=True)
    assert page.count("<pre><code>") == WHOLE + IN_CELLS


def test_code_is_code_in_confluence() -> None:
    page = storage_format.page(form(BLOCK, "confluence"))
    assert len(storage_format.macros(page, "code")) == WHOLE + IN_CELLS
    assert form(BLOCK, "confluence").count("--now # ]]]]><![CDATA[> <b>`x`</b>") == WHOLE + IN_CELLS
    assert form(SPAN, "confluence").count("<code>kubectl get po</code> &lt;twice&gt;") == WHOLE + IN_CELLS + 3


def test_json_and_csv_keep_what_was_typed() -> None:
    document = json.loads(form(BLOCK, "json"))
    assert document["timeline"][0]["text"] == document["whys"][0]["text"] == document["actions"][0]["text"] == BLOCK
    table = csv.DictReader(io.StringIO(form(BLOCK, "csv"), newline=""), strict=True)
    assert [row["text"] for row in table] == [BLOCK, BLOCK]


def test_who_said_it_stands_behind_the_block_in_the_same_item() -> None:
    found = export_text.list_items(form(BLOCK, "markdown"))
    assert f"14:05 restarted:\n{CODE}\nand it came back — Ana Costa (#1)" in found
    assert "14:05\na\n— Ana Costa (#1)" in export_text.list_items(form("```\na\n```", "markdown"))


@pytest.mark.parametrize(
    "text",
    [
        SPAN,
        BLOCK,
        "```\n<!-- afterword:timeline -->\n## Timeline\n```",
        "a\n```\n# comment\n<!-- afterword:whys 2861d11d9007 94d01c5e63aa v2 -->\n```",
        "unbalanced ` and ``` here",
        "````\n```\nnested\n```\n````",
    ],
)
def test_a_draft_with_code_comes_back_as_it_left(text: str) -> None:
    draft = EXPORTER.compile_draft(compile_text(text))
    paper = drafts.read(form(text, "markdown"))
    assert [one.id for one in paper.compiled.regions] == [region.id for region in draft.shown.regions]
    assert {one.outcome for one in drafts.compare(paper, draft)} == {drafts.RegionOutcome.UNTOUCHED}


def test_an_edit_beside_code_is_an_edit_of_that_section_alone() -> None:
    draft = EXPORTER.compile_draft(compile_text(BLOCK))
    next_one = "\n\n<!-- afterword:fault"
    edited = form(BLOCK, "markdown").replace(f"and it came back{next_one}", f"and stayed{next_one}")
    outcomes = {one.id: one.outcome for one in drafts.compare(drafts.read(edited), draft)}
    assert outcomes.pop("leadup") is drafts.RegionOutcome.EDITED
    assert set(outcomes.values()) == {drafts.RegionOutcome.UNTOUCHED}


def test_code_is_code_in_a_work_item_of_jira() -> None:
    found = json.dumps(atlassian.to_adf(f"{escape.block(BLOCK)}\n\n{escape.block(SPAN)}"))
    assert '"type": "codeBlock"' in found
    assert '{"type": "code"}' in found
    assert "kubectl delete po web-1\\n  --now # ]]> <b>`x`</b>" in found


def test_a_picture_shows_no_marks() -> None:
    page = form("the `pool` was full", "html")
    drawing = page[page.index("<svg") : page.rindex("</svg>")] if "<svg" in page else ""
    assert "`" not in drawing
