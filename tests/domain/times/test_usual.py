"""Two quick looks spare most lines the grammar of times, and find the same times as the whole grammar."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.times.evidence import opens_silently
from bot.domain.times.grammar import HEAD, _find_usual, find_any, find_time
from bot.domain.times.language import LANGUAGES, list_names, vocabulary
from bot.domain.times.scan import Scan, to_plain
from bot.domain.times.zone_names import ABBREVIATIONS, cities, place_names

ROOT = Path(__file__).parents[3]
FORMS = (
    "14:05 {} 3 nodes failed",
    "00:05 {}",
    "9:05 {} x",
    "29:75 {} x",
    "14:05 the {} will",
    "{} 14:05 failed",
    "{} at 2pm failed",
    "{} 5 min ago x",
)
LINES = (
    "14:05 failed over",
    "14:05 ratio of reads",
    "14:05 min of downtime",
    "12:30 split",
    "14:05 failed 5 minutes ago",
    "14:05 deploy starts, planned",
    "14:05 server time was off",
    "ana [14:05] failed over",
    "step 7 of round 3 done",
    "Estern 14:05 failed",
    "14:05 Estern failed",
    "14:05 ok",
    "14:05 ok - 15:05 not",
    "kaksi 14:05",
    "now 14:05 failed",
    "Just now 2 nodes failed",
    "right now 2 nodes",
    "an hour and 20 minutes and some seconds or so 2 ago",
)


def words_of_times() -> Iterator[str]:
    """Words that mean something to the grammar, in every language, and those of our own pages, which mostly do not."""
    yield from sorted(word for kind in vocabulary("en").words.values() for word in kind)
    yield from sorted({word for code in LANGUAGES for kind in list_names(code).values() for word in kind})[::9]
    yield from sorted({*ABBREVIATIONS, *place_names(), *cities()})[::9]
    pages = "".join((ROOT / "docs" / page).read_text() for page in ("times.md", "alerts.md", "operating.md"))
    yield from sorted(set(re.findall(r"[A-Za-z']{2,}", pages)))[::3]


def is_spared(head: str, language: str) -> bool:
    scan = Scan(head, vocabulary(language))
    return opens_silently(scan) or _find_usual(scan) is not None


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_found_at_a_look_is_what_the_grammar_finds(language: str) -> None:
    words = vocabulary(language)
    lines = [*LINES, *(form.format(word) for word in dict.fromkeys(words_of_times()) for form in FORMS)]
    heads = [to_plain(line)[:HEAD] for line in lines]
    wrong = [head for head in heads if re.search("[0-9]", head) and find_time(head, words) != find_any(head, words)]
    assert not wrong
    spared = sum(is_spared(head, language) for head in heads)
    assert len(heads) > spared > len(heads) // 20


@pytest.mark.parametrize("line", ["14:05 failed over", "14:05 Failed, again", "step 7 of round 3 done", "503 errors"])
def test_the_usual_line_is_spared_the_grammar(line: str) -> None:
    assert is_spared(line, "en") is (line != "503 errors")


@pytest.mark.parametrize(
    "line",
    [
        "9:05 failed",
        "14:05 UTC failed",
        "14:05 ratio",
        "14:05 yesterday",
        "ana [14:05] x",
        "at 14:05 x",
        "Berlin 14:05",
    ],
)
def test_whatever_may_belong_to_a_time_is_left_to_the_grammar(line: str) -> None:
    assert not is_spared(line, "en")
