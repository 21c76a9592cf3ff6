"""No reader or writer of text costs more than in step with its length, whatever it says.

Every public function that takes a text is found and tried; its other arguments are made by their types. One whose
text is no person's is in `NO_TEXT`.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from types import FunctionType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import bounds
from bot.domain import masking as masking_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain.actions import VAGUE_WORDS
from bot.domain.times.language import vocabulary
from bot.domain.whys import BLAME_WORDS
from bot.errors import AfterwordError
from bot.export import FORMATS, Exporter
from tests.support.export import cases
from tests.support.growth import judge
from tests.support.parsers import ENTRIES, functions_in, takes_text
from tests.support.patterns import Attack, module_of, product
from tests.support.text_users import NO_READERS

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

WHERE = (
    *("bot/domain/", "bot/export/", "bot/slack/mrkdwn.py", "bot/slack/message_text.py", "bot/slack/messages_in.py"),
    *("bot/integrations/atlassian.py", "bot/integrations/http.py", "bot/web/slack_endpoint.py"),
)
"""Where texts are read and written. What is elsewhere passes them on."""

FLOORS = (
    "bot/cli/",
    "bot/domain/",
    "bot/export/",
    "bot/integrations/",
    "bot/settings/",
    "bot/slack/",
    "bot/web/",
    "handlers/",
)
"""Where a function that takes a text is tried, or said to be no reader."""
READING = ("read_", "parse_", "unpack_", "split_")
"""The verbs of what reads, among the views: the others write messages, whose texts are cut first."""

BY_NAME: dict[str, object] = {
    "most": 4,
    "limit": 300,
    "size": 12.0,
    "room": 300.0,
    "likeness": 0.6,
    "depth": 0,
    "at": 50,
}
BY_TYPE: dict[str, object] = {
    "date": date(2026, 11, 23),
    "datetime": NOW,
    "tzinfo": BERLIN,
    "Vocabulary": vocabulary("en"),
    "MaskRules": masking_rules.USUAL_RULES,
    "bool": True,
    "int": 0,
}
SHORT = {"language", "source", "channel", "app"}
"""Parameters that hold no text of a person's."""

# The names of functions whose text is one of ours, a name, or already short.
NO_TEXT = {
    "bot/domain/times/cldr.py": "list_items read_places read_words".split(),
    "bot/domain/": (
        "choose_from expand_year weekday_index month_number load_own_words load_inflected_words list_names make_pattern"
        " is_ordinary section_title step_name describe_step is_for_the_channel is_weekly is_of_earlier_resolution"
        " is_of_earlier_day apply_part parse_rules parse_blame_words parse_conditions describe parse_zone"
    ).split(),
    "bot/export/": "find_tone make_anchor shipped_text describe_scripts".split(),
    "bot/integrations/": "need_of error_of_refusal error_of_missing_data get put post path_of".split(),
    "bot/slack/": "date_token mention".split(),
    "bot/web/": "build_bolt".split(),
}
"""What needs a record is not tried here: tests/acceptance/test_long_texts.py exports whole documents."""


def _is_ours(name: str, function: object) -> bool:
    module = module_of(name)
    return isinstance(function, FunctionType) and function.__module__ == module.__name__


def _short(annotation: object) -> str:
    return (annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))).rpartition(
        "."
    )[2]


def trials(name: str) -> dict[str, Callable[[str], object]]:
    """By function and parameter, what is called with a text."""
    found: dict[str, Callable[[str], object]] = {}
    unwanted = {word for where, words in NO_TEXT.items() if name.startswith(where) for word in words}
    for word, function in vars(module_of(name)).items():
        if word.startswith("_") or word in unwanted or not _is_ours(name, function):
            continue
        parameters = inspect.signature(function).parameters.values()
        texts = [each.name for each in parameters if each.annotation in (str, str | None) and each.name not in SHORT]
        filled: dict[str, Any] | None = _fill(parameters, texts)
        if filled is None or not texts:
            continue
        for text in texts:
            found[f"{word}({text})"] = partial(_call, function, filled, (text,))
        if len(texts) > 1:
            found[f"{word}({', '.join(texts)})"] = partial(_call, function, filled, tuple(texts))
    return found


def _fill(  # noqa: C901 - one branch for each kind
    parameters: Any, texts: list[str]
) -> dict[str, Any] | None:
    filled: dict[str, Any] = {}
    for each in parameters:
        kind = _short(each.annotation).strip("'")
        if each.kind is each.VAR_POSITIONAL:
            return None
        if each.name in texts:
            filled[each.name] = "words"
        elif each.name in SHORT:
            filled[each.name] = "en"
        elif each.name in BY_NAME:
            filled[each.name] = BY_NAME[each.name]
        elif kind in BY_TYPE:
            filled[each.name] = BY_TYPE[kind]
        elif each.name == "words":
            filled[each.name] = (*VAGUE_WORDS, *BLAME_WORDS)
        elif each.default is each.empty:
            return None
    return filled


def _call(function: Any, filled: dict[str, Any], texts: tuple[str, ...], text: str) -> object:
    try:
        result = function(**{**filled, **dict.fromkeys(texts, text)})
        return list(result) if inspect.isgenerator(result) else result
    except (AfterwordError, ValueError):
        return None


PIECES = (
    *(
        " ",
        "\t",
        "\n",
        "a",
        "0",
        "-",
        "#",
        "`",
        "&",
        "*",
        "_",
        "|",
        ">",
        "<",
        "[",
        "(",
        "{",
        "\\",
        '"',
        "'",
        "/",
        ":",
        "@",
        "é",
        "日",
    ),
    *(
        "1, ",
        "5, 6 ",
        "a ",
        "a\n",
        "\n\n",
        "- a\n",
        "# a\n",
        "| a ",
        "|\n",
        "``` ",
        "` ",
        "```\n",
        "[a](",
        "](",
        "[[",
        "[x] ",
        "**a ",
        "__",
        "~~",
    ),
    *(
        "<@U1> ",
        "<@U",
        "<https://a.b|",
        "https://a.b/",
        "http://",
        "&amp;",
        "&#",
        "a@",
        "a@b.",
        "<!--",
        "<![CDATA[",
        "<p>",
        "</p>",
        "<li>",
    ),
    *(
        "14:05 ",
        "12:",
        "2026-11-23 ",
        "due friday ",
        "due ",
        "by ",
        "@ana ",
        "because ",
        "see #1 ",
        "(see ",
        "INC-1 ",
        "done 3 ",
        "3 and ",
        "#prevent ",
    ),
    *(
        "password=",
        "token: ",
        "://a:",
        "curl -u ",
        "-----BEGIN PRIVATE KEY-----",
        "\\n",
        "1.2.3.",
        "::1",
        "aB3",
        "xoxb-",
        '{"a":',
        "[1,",
        "--- ",
        "---\n",
    ),
    *(
        "\u202e",
        "\x01",
        "\ud800",
        "\r\n",
        "\u00a0",
        "\U0001f600",
        ":tada:",
        "…",
        "“",
        "\u0301",
        "ß",
        "% ",
        "$(",
        "due (",
    ),
)
BEGINS = ("", "3 ", "due ", "14:05 ", "# ", "see #", "`", "<", "a@", "INC-1")
TAILS = ("", "=", "\n!x", ":")

FEW = tuple(Attack("", piece, "=") for piece in PIECES[:44:2])
MORE = (
    *(text for piece in PIECES for tail in TAILS[:2] if (text := Attack("", piece, tail)) not in FEW),
    *(Attack(begin, piece, ":") for begin in BEGINS[1:] for piece in PIECES[::4]),
)
NAMES = [name for name in product() if name.startswith(WHERE) and trials(name)]
NOTICED = 0.0015
HEAVIEST = 1_000
"""A parser of Markdown does a lot with each character; how long that may take, the sweep of a whole bot says."""


def complaints(name: str, texts: tuple[Attack, ...]) -> list[str]:
    found: list[str] = []
    for function, work in trials(name).items():
        worst = next((bad for each in texts if (bad := judge(work, each, noticed=NOTICED, heaviest=HEAVIEST))), None)
        found += [f"{name}:{function}: {worst}"] if worst else []
    return found


def test_every_reader_of_text_is_tried() -> None:
    found = {name: {word for word, function in functions_in(name) if takes_text(function)} for name in product()}
    known = {name: set(words.split()) for name, words in NO_READERS.items()}
    missing = {
        f"{name}:{word}"
        for name, words in found.items()
        if name.startswith(FLOORS)
        for word in words - _list_trials(name) - known.get(name, set())
        if "views" not in name or word.startswith(READING)
    }
    assert missing - ENTRIES.keys() == set()
    assert {entry for entry in ENTRIES if entry.rpartition(":")[2] not in found[entry.rpartition(":")[0]]} == set()
    assert {f"{name}:{word}" for name, words in known.items() for word in words - found.get(name, set())} == set()


def _list_trials(name: str) -> set[str]:
    return {each.partition("(")[0] for each in trials(name)} if name.startswith(WHERE) else set()


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_needs_more_than_a_text_costs_in_step_with_it(entry: str) -> None:
    assert _worst(entry, FEW) == []


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_needs_more_than_a_text_costs_in_step_with_many(entry: str) -> None:
    assert _worst(entry, MORE) == []


def _worst(entry: str, texts: tuple[Attack, ...]) -> list[str]:
    def work(text: str) -> object:
        try:
            return ENTRIES[entry](text)
        except (AfterwordError, ArithmeticError, LookupError, OSError, TypeError, ValueError):
            return None  # a refusal; no other error, such as RecursionError, is one

    return [str(bad) for each in texts if (bad := judge(work, each, noticed=NOTICED, heaviest=HEAVIEST))][:1]


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("pdf", "docx")])
def test_an_export_costs_in_step_with_its_texts(form: str) -> None:
    """But for the PDF, which a process with limits on time and memory makes: tests/export/sandbox."""
    case, exporter = cases.FULL, Exporter()

    def work(text: str) -> object:
        entries = tuple(replace(entry, text=text) for entry in case.entries[:2])
        whys = tuple(replace(why, text=text) for why in case.whys[:2])
        actions = tuple(replace(action, text=text) for action in case.actions[:2])
        sections = {slug: replace(section, text=text) for slug, section in list(case.sections.items())[:2]}
        incident = replace(case.incident, title=text[: bounds.TITLE])
        filled = replace(case, incident=incident, entries=entries, whys=whys, actions=actions, sections=sections)
        return exporter.render(postmortem_rules.compile_document(filled, cases.NOW), form)

    texts = [Attack("", piece, "=") for piece in PIECES[::6]]
    assert [str(bad) for each in texts if (bad := judge(work, each, least=2_500, noticed=0.1, heaviest=10_000))] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_text_costs_in_step_with_its_length(name: str) -> None:
    assert complaints(name, FEW) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_more_texts_cost_in_step_with_their_length(name: str) -> None:
    assert complaints(name, MORE) == []
