"""What goes to Jira as a document is a document by Atlassian's own schema, and no word of it is lost."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.integrations.atlassian import LONGEST_ADF, to_adf, utf16_length
from tests.support.integrations.adf_schema import schema
from tests.support.integrations.markdown_pieces import PIECES, WORDS

WHOLE = """# Checkout returns 503s

Raised in **INC-7**, see [the postmortem](https://wiki.example/INC-7) & `a < b`.

1. Alert on *pool exhaustion*
2. Drill
   - each quarter

| when | what |
|------|------|
| 14:05 | paged |

- [ ] write it
- [x] read it

> quoted

```python
pool = 3 < 4
```

---
![graph](https://graphs.example/1.png)
"""


def words_of(node: Any) -> str:
    if isinstance(node, dict):
        return "".join(words_of(value) for value in node.values())
    if isinstance(node, list):
        return "".join(words_of(value) for value in node)
    return node if isinstance(node, str) else ""


def test_the_schema_refuses_what_is_no_document() -> None:
    assert not schema().is_valid("a plain string")
    assert not schema().is_valid({"type": "doc", "version": 1, "content": [{"type": "nonsense"}]})


def test_everything_that_an_action_may_say_fits_the_schema() -> None:
    made = to_adf(WHOLE)
    schema().validate(made)
    kinds = set(re.findall(r'"type": "(\w+)"', json.dumps(made)))
    assert kinds >= {"heading", "table", "taskList", "bulletList", "orderedList", "codeBlock", "blockquote", "rule"}
    assert "mediaSingle" not in kinds


@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(PIECES, max_size=25))
def test_any_markdown_fits_the_schema_and_keeps_its_words(pieces: list[str]) -> None:
    made = to_adf("".join(pieces))
    assert [error.message for error in schema().iter_errors(made)] == []
    shown = words_of(made)
    assert [word for word in WORDS if word in "".join(pieces) and word not in shown] == []


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("use <div> here", "<div>"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("`<b>` and \\<b>", "<b> and <b>"),
        ("- # a heading in a list", "a heading in a list"),
        ("a < b <https://c.example>", "a < b https://c.example"),
    ],
)
def test_what_the_converter_would_drop_is_kept(markdown: str, words: str) -> None:
    texts = re.findall(r'"text": "([^"]*)"', json.dumps(to_adf(markdown)))
    assert words in "".join(texts)


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    document = json.dumps(to_adf("[a](javascript:alert) [b](https://b.example) [c](ftp://c.example)"))
    assert re.findall(r'"href": "([^"]*)"', document) == ["https://b.example"]
    assert "a (javascript:alert)" in document
    assert "c (ftp://c.example)" in document


def test_the_same_text_is_the_same_document() -> None:
    assert to_adf(WHOLE) == to_adf(WHOLE)


def test_a_text_beyond_jiras_limit_is_cut() -> None:
    assert len(words_of(to_adf("word " * 20_000))) < LONGEST_ADF + 100


@pytest.mark.parametrize("deep", ["- " * 200 + "deep", "*a **b " * 100 + "deep" + "***" * 100], ids=["lists", "stars"])
def test_what_is_nested_too_deeply_comes_through_as_it_was_written(deep: str) -> None:
    assert "deep" in words_of(to_adf(deep))


def test_quotations_without_end_come_through_as_they_were_written() -> None:
    assert "deep" in words_of(to_adf("> " * 3000 + "deep"))


def test_emoji_count_twice_as_they_do_for_jira() -> None:
    assert utf16_length(words_of(to_adf("😀" * 40_000))) <= LONGEST_ADF + 100
