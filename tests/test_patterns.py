"""No regular expression of the product costs more than in step with the length of the text, whatever that says.

A pattern is measured in each way in which it is used, on texts made of its own letters, words and repeats. Texts in
which it might fail late are among them, because that is when it goes back and tries again.
"""

import re
from collections.abc import Callable
from functools import partial

import pytest

from bot.domain import whys as whys_rules
from bot.domain.sections import redact_markdown
from bot.domain.times.language import LANGUAGES, vocabulary
from bot.integrations import atlassian
from bot.rehearsal.page import MARKS
from bot.rehearsal.user import Keyboard
from handlers import COMMANDS
from storage.history.pseudonyms import Alias
from tests.support.growth import judge
from tests.support.patterns import Attack, Found, attacks, call_sites, callers, inside, patterns_in, product

HANDED_ON = {
    "bot/domain/actions.py:_AND": "match",
    "bot/domain/actions.py:_OR_BLANK": "match",
    "bot/domain/pasting/paste_lines.py:_HASHES": "fullmatch",
    "bot/domain/pasting/paste_lines.py:_FRAMED": "fullmatch",
    "bot/domain/pasting/paste_lines.py:_BOLD": "fullmatch",
    "bot/domain/secrets.py:_ISSUED_PATTERNS": "finditer",
    "bot/domain/secrets.py:_NAMED": "search",
    "bot/domain/times/zones.py:_NAMES": "match",
}
"""How patterns are used that stand in a container, or are given to a function."""


def verbs() -> list[re.Pattern[str]]:
    return [form for table in COMMANDS for verb in table.verbs for form in verb._forms]


def blame_words() -> list[re.Pattern[str]]:
    found = whys_rules._pattern(whys_rules.BLAME_WORDS)
    return [found] if found else []


MASK_PATTERNS = "an operator's own: they run in a process with limits, and tests/export/sandbox breaks them off"

BUILT: dict[str, tuple[str, Callable[[], list[re.Pattern[str]]]] | str] = {
    "handlers/command_table.py:_forms": ("fullmatch", verbs),
    "bot/domain/whys.py:_pattern": ("search", blame_words),
    "bot/domain/times/language.py:make_pattern": (
        "match",
        lambda: [each for code in ("en", *LANGUAGES) for each in vocabulary(code).patterns.values()],
    ),
    "bot/domain/secrets.py:find_words": ("finditer", lambda: [re.compile(re.escape("a pool "), re.IGNORECASE)]),
    "storage/history/pseudonyms.py:replace_in": "made of a person's own names: test_replacing_names",
    "storage/facets.py:forget": "made of a person's name, escaped: one literal",
    "bot/domain/sections.py:redact_markdown": "made of a credential's own characters: test_redacting_markdown",
    "bot/domain/masking.py:parse_rules": MASK_PATTERNS,
    "bot/export/mask_patterns.py:run": MASK_PATTERNS,
    "bot/integrations/atlassian.py:need_of": (
        "fullmatch",
        lambda: [re.compile(need.calls) for need in (*atlassian.JIRA, *atlassian.CONFLUENCE)],
    ),
    "bot/rehearsal/page.py:_emphasize": (
        "sub",
        lambda: [re.compile(rf"(?<!\w){pattern}(?!\w)") for pattern, _ in MARKS],
    ),
    "bot/rehearsal/user.py:__init__": ("finditer", lambda: [Keyboard({"Ana": "U1"}, {"ops": "C1"})._parts]),
}
"""Patterns that are made as the program runs: how they are used, and all of them."""

FEW, MANY = 48, 240


def complaints(found: Found, most: int, *, beyond: int = 0) -> list[str]:
    """What is wrong with a pattern on so many texts; `beyond` of them are left to another test."""
    if not found.pattern.pattern:
        return []
    done = attacks(found.pattern, beyond)
    texts = [each for each in attacks(found.pattern, most) if each not in done]
    bad = (
        (method, next(filter(None, (judge(work, each) for each in texts)), None)) for method, work in found.work.items()
    )
    return [f"{found.where} {method}: {worst}" for method, worst in bad if worst]


def built(where: str) -> list[Found]:
    made = BUILT[where]
    return [] if isinstance(made, str) else [Found(each, frozenset((made[0],)), where) for each in made[1]()]


def test_every_pattern_is_found() -> None:
    sites = [site for name in product() for site in call_sites(name)]
    unknown = {site.where for site in sites if site.pattern is None and not site.where.endswith(":")}
    assert unknown == set(BUILT)
    assert {site.where.partition(":")[0] for site in sites} == set(callers())
    for name in {site.where.partition(":")[0] for site in sites}:
        assert patterns_in(name, HANDED_ON) or name in {where.partition(":")[0] for where in BUILT}
    everything = [found.where for name in product() for found in patterns_in(name, HANDED_ON)]
    assert len(everything) >= len({site.where for site in sites})
    assert set(HANDED_ON) <= set(everything)


@pytest.mark.parametrize("name", callers())
def test_a_pattern_costs_in_step_with_the_text(name: str) -> None:
    assert [each for found in patterns_in(name, HANDED_ON) for each in complaints(found, FEW)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", callers())
def test_a_pattern_costs_in_step_with_many_texts(name: str) -> None:
    assert [each for found in patterns_in(name, HANDED_ON) for each in complaints(found, MANY, beyond=FEW)] == []


@pytest.mark.slow
@pytest.mark.parametrize("where", [where for where, made in BUILT.items() if not isinstance(made, str)])
def test_a_pattern_that_is_made_costs_in_step_with_the_text(where: str) -> None:
    found = built(where)
    assert found
    assert [each for one in found for each in complaints(one, FEW)] == []


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\s+x$", "search"),
        (r"[\s,;–-]*\b(?:please|thanks)\b[\s,;.!]*$", "sub"),
        (r"#+\Z", "sub"),
        (r"(?:a|b|ab)*c", "match"),
        (r"(?:[\w+/=]{16,}\s*)+", "fullmatch"),
        (r"(={2,6}|-{2,})\s*([^-=|].*?)\s*(?:={2,6}|-{2,})", "fullmatch"),
        (r"<!\[CDATA\[.*?]]>", "sub"),
        (r"\s*[^=;,\s]+\s*=[^=;]*[^=;,\s][^=;]*", "fullmatch"),
        (r"due\s*[:=]?\s*(?:on\s+)?(?P<when>\S+(?:\s+\S+){0,7}?)\s*!?$", "match"),
    ],
)
def test_a_pattern_that_goes_back_is_found(pattern: str, method: str) -> None:
    # Once in a while noise hides the growth of one that is hardly slow.
    assert any(complaints(Found(re.compile(pattern), frozenset((method,)), "here"), MANY) for _ in range(5))


def test_a_container_holds_its_patterns() -> None:
    def inner(text: str, *, by: re.Pattern[str] = re.compile("a+")) -> bool:
        return bool(by.match(text))

    assert {each.pattern for each in inside({"x": [(re.compile("b+"),)], "y": inner}, set())} == {"a+", "b+"}


@pytest.mark.parametrize("letter", ["a", "\n", "&", "\\", " ", "\n "])
def test_redacting_markdown(letter: str) -> None:
    value = letter * 40 + "x"
    for begin in ("", value[:20]):
        for pump in (letter, f"\\{letter}", f"{letter} "):
            for found in attacks(re.compile("x"), 1)[:1]:
                assert judge(partial(redact_markdown, known=[value]), found._replace(begin=begin, pump=pump)) is None


@pytest.mark.parametrize("pump", ["<@U1|", "<@U1", "U1", "a", "Ana ", "a.", " "])
def test_replacing_names(pump: str) -> None:
    alias = Alias("U1", ("Ana Demo", "a", "a a a"))
    assert judge(lambda text: alias.replace_in(text, "Person 1"), Attack("", pump, "=")) is None
