"""What people read, as docs/style.md has it: for screen readers as for eyes."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from bot.slack.views import blocks
from bot.slack.views import reminders as reminders_views
from bot.slack.views.templates import words
from tests.support.house_offenders import ROOT, modules
from tests.support.interactions import require_spelt_out

TRANSLATED = (
    r"\bowes\b", r"\banew\b", r"asked for again", r"\bnobody\b", r"\bsomebody\b", r"\bwhoever\b", r"\blately\b",
    r"something is missing there", r"there is no\b[^.]*\byet\b", r"\bwhat of\b", r"told of (it|this|that)",
    r"\bstands in\b", r"that I can read\b", r"\bknows no\b", r"\bif they help\b", r"brings? (it|them) back",
    r"\blets? go of\b", r"what is it good for", r"\blies? ahead\b", r"in any case", r"\bof its own\b",
    r"the button keeps", r"whys are welcome", r"lists what there is", r"\bstay in step\b", r"all the same\b",
    r"further on in the channel", r"nothing more is to come", r"by the clock of", r"since that was asked",
    r"no draft of", r"put a backup back", r"is no (id|time|condition|folder|address)\b",
    r"(here|open|published|waived|decided|recorded) already\b", r"takes? the place of ours", r"cannot be had",
    r"\banybody\b", r"\beverybody\b", r"\bin the place of the\b", r"\btake in the\b", r"\bis [\w ]+ meant\?",
    r"\bmay stand in\b", r"\bthe (name|id) of who\b", r"\bcan be (two|several) days\b", r"\bno words of people\b",
    r"\bat (Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d", r"\bwhere people open it\b", r"\bcouldn't be (asked|worked on)\b",
)  # fmt: skip
"""Phrases that read as if translated. docs/style.md says how to say it instead."""
_TRANSLATED = re.compile("|".join(TRANSLATED), re.IGNORECASE)

_TAG = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_EMOJI = re.compile(r":[a-z][a-z0-9_]+:|[\U0001F300-\U0001FAFF\u2600-\u27BF\u23F0-\u23F3]")
QUOTED = ("bot/domain/samples.py", "bot/demo.py", "bot/rehearsal/", "storage/migrations/")
"""What people say in samples and stories, and what is never changed."""
FOR_DEVELOPERS = ("architecture.md", "style.md")
_STIFF = re.compile(r"\b(somebody|nobody|anybody|everybody|(?<!`)anew)\b", re.IGNORECASE)
"""Words that comments and docstrings do without; `anew` in backticks is a stored word."""


def templates() -> Iterator[tuple[str, str]]:
    """The words of each template, without what Jinja reads."""
    for file in sorted((ROOT / "templates").rglob("*.j2")):
        yield str(file.relative_to(ROOT)), _TAG.sub(" ", file.read_text(encoding="utf-8"))


def literals(source: str) -> Iterator[tuple[int, str]]:
    """The strings of a module that can be said to people: with a blank, and no docstring."""
    return ((node.lineno, text) for node, text in strings(ast.parse(source)) if " " in text)


def strings(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Every string but docstrings."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node, node.value


def remarks(source: str) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a module: what only developers read, but for the help of a command."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def list_texts() -> Iterator[tuple[str, str]]:
    """Everything that people read: templates, strings of the product, README and guides, with where it is."""
    yield from templates()
    for name in modules("bot", "handlers", "storage"):
        if not name.startswith(QUOTED):
            source = (ROOT / name).read_text(encoding="utf-8")
            pairs = (*literals(source), *(remarks(source) if name.startswith("bot/cli/") else ()))  # help is docstrings
            yield from ((f"{name}:{line}", text) for line, text in pairs)
    guides = [file for file in sorted((ROOT / "docs").glob("*.md")) if file.name not in FOR_DEVELOPERS]
    news = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    yield "CHANGELOG.md", news.split("\n## [")[1]
    for file in (ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", ROOT / ".env.example", *guides):
        yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


BRITISH = re.compile(
    r"\b(cancell(ed|ing)|(organ|recogn|apolog|summar|prior|minim|maxim)\w*is(e|ed|es|ing|ation|ations)|colour\w*|behaviour\w*"
    r"|favourite|honour|labelled|centre|neighbour\w*)\b",
    re.IGNORECASE,
)
"""Spellings that Slack's own words do not have. What people read has one, the American."""
TECHNICAL = ("bot/export/charts/", "templates/postmortem/page", "bot/manifest.py")
"""Names of other standards, as in an SVG."""


def test_words_are_spelled_as_slack_spells_them() -> None:
    texts = ((place, text) for place, text in list_texts() if not place.startswith(TECHNICAL))
    assert [(place, match[0]) for place, text in texts for match in BRITISH.finditer(text)] == []


def test_every_hint_opens_an_incident_in_the_same_form() -> None:
    texts = ((place, text) for place, text in list_texts() if place.startswith(("templates/slack/", "bot/services/")))
    hints = [(place, match[1]) for place, text in texts for match in re.finditer(r"`/incident open([^`]*)`", text)]
    assert len(hints) > 2
    assert {hint for _, hint in hints} == {" checkout is failing"}


CODES = (
    "channel_not_found", "not_in_channel", "is_archived", "missing_scope", "restricted_action", "access_denied",
    "token_revoked", "account_inactive", "internal_error", "ratelimited", "msg_too_long", "team_access_not_granted",
    "canvas_disabled_user_team", "file_uploads_disabled", "some_new_code",
)  # fmt: skip
_CODE = re.compile(r"\b[a-z]+(_[a-z]+)+\b")


@pytest.mark.parametrize("code", CODES)
def test_an_error_code_of_slack_is_said_in_words_with_the_remedy(code: str) -> None:
    why = words.general.slack_refusal(error=code)
    sentences = [
        why,
        reminders_views.unreachable_message("C0CHECKOUT", code)["text"],
        words.capture.unreadable(why=why),
        words.lookback.unreadable(why=why),
        words.exports.no_canvas(error=code),
        words.exports.remedy(error=code, key="INC-1", form="html"),
    ]
    for text in sentences:
        assert code not in text
        assert _CODE.search(re.sub(r"`[^`]*`", "", text)) is None
        assert text.count(". ") or text.count(": `"), text


REMEDY = re.compile(r"`|[.:?!] \S|, as in |^(Pick|Choose) ")
"""What to do instead: a command to paste, a second sentence, an example, or a form's field to fill."""
IN_FORCE = re.compile(r"\balready\b|\banymore\b|\bno more\b")
"""What was asked for is so, or its reason is gone: there is nothing to do."""


def test_every_refusal_says_what_to_do_instead() -> None:
    found = []
    for name in modules("bot", "handlers"):
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree) if not name.startswith(FROM_FILES) else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused" and node.args:
                sentence = _read_sentence(node.args[0])
                if sentence and not REMEDY.search(sentence) and not IN_FORCE.search(sentence):
                    found.append((name, node.lineno, sentence))
    assert found == []


FROM_FILES = ("bot/export/", "bot/services/documents/drafts.py", "bot/rehearsal/", "bot/cli/")
"""What the command line says of a file: it names the place in it."""


def _read_sentence(node: ast.expr) -> str:
    """What a refusal says, a dash for each value; empty if it is put together, or ends, elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    if not parts or not isinstance(parts[-1], ast.Constant):
        return ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "-" for part in parts)


def test_nothing_that_people_read_sounds_translated() -> None:
    found = [(place, match[0]) for place, text in list_texts() for match in _TRANSLATED.finditer(text)]
    assert found == []


def test_a_sentence_is_in_a_template_or_at_its_raise() -> None:
    """A view holds labels (docs/decisions/0062-a-label-stands-at-its-element.md)."""
    found = []
    for name in modules("bot"):
        if name.startswith("bot/slack/views/") or name.endswith("views.py"):
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
            raises = {id(node) for each in ast.walk(tree) if isinstance(each, ast.Raise) for node in ast.walk(each)}
            found += [f"{name}: {text}" for node, text in strings(tree) if id(node) not in raises and is_sentence(text)]
    assert found == []


def is_sentence(text: str) -> bool:
    return " " in text.strip() and text.rstrip().endswith((".", "!"))


def test_comments_and_docstrings_are_as_plain() -> None:
    found = [
        (f"{name}:{line}", match[0])
        for name in modules("bot", "handlers", "storage")
        if not name.startswith("storage/migrations/")
        for line, text in remarks((ROOT / name).read_text(encoding="utf-8"))
        for match in _STIFF.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Title and status stay in step.", "It goes out all the same.", "INC-7 is open here already.",
        "Nothing more is to come.", "It fires again since that was asked.", "That is no draft of ours.",
        "It is no id.", "It takes the place of ours.", "Port 80 cannot be had.", "Put a backup back.",
        "“13:05” is read by the clock of that moment.", "It is further on in the channel.",
        "1 May has passed. Is 1 May 2027 meant?", "Resolved at Mon 4 May, 8:00 UTC.", "The name of who answered.",
    ],
)  # fmt: skip
def test_a_phrase_that_was_taken_out_would_be_noticed(sentence: str) -> None:
    assert _TRANSLATED.search(sentence)


def test_a_translated_phrase_is_found_where_it_is_said_and_not_in_a_docstring() -> None:
    source = '"""Nobody says this."""\nraise Refused(f"Somebody owes {name} that.")\nverb = "jira.anew"\n'
    found = [(line, match[0]) for line, text in literals(source) for match in _TRANSLATED.finditer(text)]
    assert found == [(2, "Somebody"), (2, "owes")]


def test_a_button_names_what_it_does() -> None:
    """docs/style.md: [Reopen action], not [OK] or [Show]."""
    vague = {"ok", "yes", "no", "show", "show all", "more", "next", "try again", "review", "reopen", "change it", "see"}
    found = []
    for name in modules("bot"):
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "blocks.button":
                of_parts = {
                    id(part) for each in ast.walk(node) if isinstance(each, ast.JoinedStr) for part in each.values
                }
                constants = [each for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                labels = [str(each.value) for each in constants if id(each) not in of_parts]
                found += [f"{name}: {label}" for label in labels if label.strip().lower() in vague]
    assert found == []


def test_an_emoji_has_its_state_in_words_beside_it() -> None:
    """On its own line: in the template's words, or in those that are put in there."""
    sources = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "templates").rglob("*.j2"))]
    lines = [line for source in sources for line in source.splitlines() if _EMOJI.search(line)]
    assert lines
    assert [line for line in lines if not re.search(r"[A-Za-z]{2}", _EMOJI.sub("", line))] == []


def test_the_text_of_a_message_says_what_its_blocks_say() -> None:
    typed = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "sev 9 <!here>"}]}
    message = blocks.message(
        "*INC-7* is open.",
        blocks=[
            blocks.header("INC-7"),
            blocks.section("*INC-7* is open."),
            blocks.section("Ana leads."),
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "Since 14:05 UTC"}]},
            blocks.context("#4 · just now"),
            {"type": "rich_text", "elements": [typed]},
            blocks.actions(blocks.button("Undo", "undo")),
        ],
    )
    assert message["text"].split("\n") == [
        "*INC-7* is open.",
        "Ana leads.",
        "Since 14:05 UTC",
        "#4 · just now",
        "sev 9 &lt;!here&gt;",
    ]
    require_spelt_out(message)


def test_a_text_that_leaves_something_out_is_noticed() -> None:
    short = blocks.message("INC-7 is open.", blocks.context("Ana leads.")) | {"text": "INC-7 is open."}
    with pytest.raises(AssertionError, match="leads"):
        require_spelt_out(short)
