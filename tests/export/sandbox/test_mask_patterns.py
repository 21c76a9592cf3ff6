"""The operator's own patterns, however badly they behave: they stop no one, and nothing leaves unlooked."""

from dataclasses import replace

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.masking import MASKED, MaskRules, parse_rules
from bot.export.mask_patterns import apply_patterns, mask_in_sandbox
from tests.support.export.cases import FULL, NOW, case, entry

pytestmark = pytest.mark.process

ENDLESS = r"x(a+)+$"
TRAP = "x" + "a" * 60 + "!"
"""At which that pattern takes longer than the world is old."""


def spans(rules: MaskRules, text: str) -> list[str]:
    return [text[start:end] for start, end, _ in apply_patterns(rules, [text, "something else"]).spans(text)]


def test_what_they_find_apart_is_what_they_find() -> None:
    rules = parse_rules("credentials,emails,addresses", r"ACME-\d+ (?i:example)")
    assert spans(rules, "ACME-12 of EXAMPLE told jo@customer.example") == ["ACME-12", "EXAMPLE", "jo@customer.example"]
    document = postmortem_rules.compile_document(FULL, NOW)
    assert mask_in_sandbox(document, rules)[0] != document


def test_a_text_at_which_they_take_too_long_is_masked_whole_and_the_rest_as_usual() -> None:
    record = case(entries=(entry(1, NOW, TRAP), entry(2, NOW, "of ACME-12")))
    document, finds = mask_in_sandbox(
        postmortem_rules.compile_document(record, NOW), parse_rules("none", rf"{ENDLESS} ACME-\d+")
    )
    assert [line.text for line in document.timeline] == [MASKED, f"of {MASKED}"]
    assert [(find.kind, find.where) for find in finds] == [
        ("a text that took your own rules too long", "#1"),
        ("a match of your own rule", "#2"),
    ]


def test_many_such_texts_take_no_longer_and_all_of_them_are_masked() -> None:
    record = case(entries=tuple(entry(number, NOW, f"{number} {TRAP}") for number in range(1, 200)))
    document, _ = mask_in_sandbox(postmortem_rules.compile_document(record, NOW), parse_rules("none", ENDLESS))
    assert {line.text for line in document.timeline} == {MASKED}


def test_where_nobody_could_look_everything_is_masked() -> None:
    rules = replace(parse_rules("none", "ACME"), looked={})
    assert [text for text in ("hello", " ") if rules.spans(text)] == ["hello"]


def test_without_patterns_no_process_is_started() -> None:
    rules = parse_rules("emails", "")
    assert apply_patterns(rules, ["x"]) is rules
