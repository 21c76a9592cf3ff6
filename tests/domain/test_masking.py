"""A masked copy hides what must not leave, everywhere, and lists each item."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import masking as masking_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain.document import AuditRecord, PastWording
from bot.domain.masking import MaskedItem, MaskRules, parse_rules
from bot.domain.records import Attachment, AttachmentState, Person
from bot.export import Exporter
from tests.export.test_hostile import everywhere
from tests.support.export.cases import FULL, NOW, case, entry

ALL = parse_rules("credentials,emails,addresses", "")
TOKEN = "ghp_" + "a1B2" * 10


def find_spans(text: str, rules: MaskRules = ALL) -> list[str]:
    return [text[start:end] for start, end, _ in rules.spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail ana@shop.example, then ben.k+x@a.b.example.", ["ana@shop.example", "ben.k+x@a.b.example"]),
        ("<ana@shop.example>", ["ana@shop.example"]),
        ("db at 10.2.3.4:5432 and 192.168.0.1/24", ["10.2.3.4", "192.168.0.1"]),
        ("from 2001:db8::1 and fe80::1ff:fe23:4567:890a", ["2001:db8::1", "fe80::1ff:fe23:4567:890a"]),
        ("::ffff:10.0.0.1 mapped", ["::ffff:10.0.0.1"]),
        (f"the token is {TOKEN}", [TOKEN]),
        ("password=hunter2hunter2 at 10.0.0.9", ["hunter2hunter2", "10.0.0.9"]),
    ],
)
def test_what_tells_too_much_is_found(text: str, expected: list[str]) -> None:
    assert find_spans(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "14:05:30 failed over",
        "localhost 127.0.0.1 and ::1 and 0.0.0.0",
        "version 1.2.3 and 1.2.3.4.5",
        "999.1.2.3 is none",
        "std::vector and a::b",
        "@ana said hi at @noon",
        "2 of 3 nodes: ok",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert find_spans(text) == []


def test_the_operators_own_rules_count_too() -> None:
    rules = parse_rules("none", r"ACME-\d+ Example\s+Bank")
    assert find_spans("ticket ACME-12 of Example  Bank, ana@shop.example", rules) == ["ACME-12", "Example  Bank"]


@pytest.mark.parametrize(
    ("usual", "patterns", "sentence"),
    [
        ("emails,phones", "", "there is no rule 'phones'; there are credentials, emails, addresses, and none"),
        ("none", "(", "'(' is no regular expression: "),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_a_sentence(usual: str, patterns: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        parse_rules(usual, patterns)


def test_every_field_that_a_person_fills_is_masked_in_every_form() -> None:
    personal = f"ana@shop.example from 10.2.3.4 with {TOKEN}"
    whole = postmortem_rules.compile_document(everywhere(personal), NOW)
    masked, finds = masking_rules.mask(whole, ALL)
    for form in ("markdown", "html", "json", "csv"):
        text = Exporter().render(masked, form).decode()
        assert not [one for one in ("shop.example", "10.2.3.4", TOKEN) if one in text]
        assert "[masked]" in text
    assert {find.text for find in finds} == {"ana@shop.example", "10.2.3.4", TOKEN}
    assert {"the title", "#1", "why 2", "action 1", "Leadup"} <= {find.where for find in finds}


def test_the_document_itself_stays_whole() -> None:
    whole = postmortem_rules.compile_document(case(entries=(entry(1, NOW, "login from 10.2.3.4"),)), NOW)
    before = Exporter().render(whole, "json")
    masked, finds = masking_rules.mask(whole, ALL)
    assert Exporter().render(whole, "json") == before
    assert masked.timeline[0].text == "login from [masked]"
    assert finds == (MaskedItem("an IP address", "#1", "10.2.3.4"),)


def test_nothing_to_mask_changes_no_word() -> None:
    whole = postmortem_rules.compile_document(FULL, NOW)
    masked, finds = masking_rules.mask(whole, ALL)
    assert not finds
    assert Exporter().render(masked, "markdown") == Exporter().render(whole, "markdown")


def test_files_and_links_into_the_channel_stay_behind() -> None:
    about = case(entries=(entry(1, NOW, "see the graph", permalink="https://shop.slack.example/archives/C1/p1"),))
    file = Attachment(1, 1, "graph.png", "image/png", 9, "", AttachmentState.STORED, "", b"\x89PNG 1234")
    masked, _ = masking_rules.mask(postmortem_rules.compile_document(replace(about, attachments=(file,)), NOW), ALL)
    (attachment,) = masked.timeline[0].files
    assert (attachment.content, attachment.is_kept, attachment.note) == (b"", False, "a masked copy has no files")
    assert masked.timeline[0].permalink == ""


def test_the_names_of_people_are_looked_into_and_their_ids_are_not() -> None:
    people = {"U1": Person("T1", "U1", "ana@shop.example")}
    whole = postmortem_rules.compile_document(replace(case(entries=(entry(1, NOW),)), people=people), NOW)
    masked, _ = masking_rules.mask(whole, ALL)
    assert (masked.timeline[0].author.name, masked.timeline[0].author.id) == ("[masked]", "U1")


@given(st.text(max_size=60), st.sampled_from(["10.2.3.4", "ana@shop.example", "2001:db8::7", TOKEN]))
def test_no_neighbouring_text_hides_a_find(text: str, secret: str) -> None:
    whole = f"{text} {secret} {text}"
    spans = ALL.spans(whole)
    assert any(start <= len(text) + 1 and end >= len(text) + 1 + len(secret) for start, end, _ in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_what_was_said_once_is_in_no_masked_copy() -> None:
    whole = postmortem_rules.compile_document(FULL, NOW)
    once = PastWording("added", "said once", whole.opened_by, NOW)
    line = whole.timeline[0]._replace(versions=(once,), source="C1:1.2")
    part = replace(whole.parts[0], versions=(once,))
    deed = AuditRecord(NOW, whole.opened_by, "timeline.edit", "said once", "")
    masked, _ = masking_rules.mask(replace(whole, timeline=(line,), parts=(part,), struck=(line,), audit=(deed,)), ALL)
    assert (masked.struck, masked.audit, masked.parts[0].versions) == ((), (), ())
    assert (masked.timeline[0].versions, masked.timeline[0].source) == ((), "")


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        ("an e-mail address", "jo@customer.example", "jo@customer.example"),
        ("an IP address", "10.1.2.3", "10.1.2.3"),
        ("a password", "hunter2hunter2", "hunt…"),
        ("a match of your own rule", "acme", "a…"),
    ],
)
def test_a_hint_tells_neither_a_credential_nor_what_an_own_rule_names(kind: str, text: str, hint: str) -> None:
    assert MaskedItem(kind, "#1", text).hint == hint
