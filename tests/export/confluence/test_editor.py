"""The page is one that Cloud's editor takes: converted to its own document, it is valid by Atlassian's schema.

Where it is not, Confluence opens the page in its legacy editor.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.exceptions import best_match

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Attachment, AttachmentState, Case
from bot.export import Exporter
from bot.export.confluence import StorageXhtml
from bot.export.markdown_reader import MarkdownReader
from tests.export.confluence.test_writer import MARKDOWN
from tests.export.test_escape import NAUGHTY
from tests.export.test_hostile import HOSTILE, everywhere
from tests.support.export.adf_conversion import document
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, action, at, case, entry, section_text
from tests.support.integrations.adf_schema import schema

EXPORTER = Exporter()
XHTML = StorageXhtml(MarkdownReader())
TABLE_IN_A_PANEL = (
    '<ac:structured-macro ac:name="info"><ac:rich-text-body><table><tbody><tr><td>a</td></tr></tbody></table>'
    "</ac:rich-text-body></ac:structured-macro>"
)
NESTED = [
    "> # A heading\n> | a | b |\n> |---|---|\n> | c | d |\n>\n> ---\n> > twice\n> > > thrice",
    "- # A heading\n- > quoted\n- | a |\n  |---|\n  | b |\n- ---\n- [ ] a task\n  - [x] below",
    "1. one\n\n   ```\n   code\n   ```\n\n   > quoted\n   >\n   > - item\n   >   > deep",
    "> - item\n>   # heading in it\n>\n>   | a |\n>   |---|\n>   | b |",
    "- [ ] open\n- [x] done\n\n> - [ ] quoted task",
    "> ```\n> code\n> ```",
    "-\n-\n",
    ">",
    "| a | b |\n|---|---|\n| `x` **`y`** | [z](https://a.example) |",
    "***both*** ~~*x*~~ **bold `code` bold**",
]


def require_taken(storage: str) -> dict[str, Any]:
    """The page's document, valid by the schema."""
    made = document(storage)
    if not schema().is_valid(made):
        raise AssertionError(best_match(schema().iter_errors(made)))
    return made


def page_of(about: Case, *, pictures: bool = True) -> str:
    compiled = postmortem_rules.compile_document(about, NOW)
    return EXPORTER.write_confluence_page(compiled)[0] if pictures else EXPORTER.render(compiled, "confluence").decode()


def many(count: int) -> Case:
    return case(entries=tuple(entry(number, at(0, 0), f"step {number}.") for number in range(1, count + 1)))


def with_files() -> Case:
    file = Attachment(1, 1, "a<b>.png", "image/png", 3, "https://files.slack.com/a", AttachmentState.STORED, "", b"abc")
    return replace(case(entries=(entry(1, at(14, 5), source_change="edited"),)), attachments=(file,))


@pytest.mark.parametrize(
    "wrong",
    [
        TABLE_IN_A_PANEL,
        "<blockquote><blockquote><p>a</p></blockquote></blockquote>",
        "<ul><li><h2>a</h2></li></ul>",
        '<p><ac:image ac:width="7"><ri:attachment ri:filename="a.svg" /></ac:image></p>',
        "<table><tbody><tr><td><table><tbody><tr><td>a</td></tr></tbody></table></td></tr></tbody></table>",
    ],
)
def test_what_the_editor_does_not_take_is_refused_here(wrong: str) -> None:
    with pytest.raises(AssertionError):
        require_taken(wrong)


@pytest.mark.parametrize("pictures", [True, False])
@pytest.mark.parametrize(
    "about", [FULL, NOTHING_KNOWN, many(160), with_files()], ids=["full", "nothing known", "long", "files"]
)
def test_the_page_is_taken_by_the_editor(about: Case, pictures: bool) -> None:
    require_taken(page_of(about, pictures=pictures))


@pytest.mark.parametrize("text", [*HOSTILE[:-1], *NESTED])
def test_a_page_full_of_what_people_typed_is_taken_by_the_editor(text: str) -> None:
    require_taken(page_of(everywhere(text)))


@pytest.mark.parametrize("text", [*NESTED, MARKDOWN])
def test_whatever_stands_inside_whatever_in_markdown_is_taken_by_the_editor(text: str) -> None:
    require_taken(str(XHTML.render_blocks(text)))


@given(st.lists(st.sampled_from([*NAUGHTY, "\n> ", "\n- ", "\n  - ", "\n>> ", "\n1. ", "\n   ", "\n| a |\n|---|\n"])))
@settings(deadline=None, max_examples=150)
def test_any_markdown_of_a_person_is_taken_by_the_editor(pieces: list[str]) -> None:
    require_taken(str(XHTML.render_blocks("".join(pieces))))


def test_the_facts_are_a_table_of_page_properties_beside_the_panel() -> None:
    made = require_taken(page_of(FULL))
    kinds = [(block["type"], block.get("attrs", {}).get("extensionKey", "")) for block in made["content"][:3]]
    assert kinds == [("panel", ""), ("bodiedExtension", "details"), ("extension", "toc")]
    assert [block["type"] for block in made["content"][1]["content"]] == ["table"]


def test_a_persons_section_and_actions_are_taken_together() -> None:
    about = case(
        sections=(section_text("actions", "> # see\n> > below"),), actions=(action(1, text="a\nb", reason="| c"),)
    )
    require_taken(page_of(about))
