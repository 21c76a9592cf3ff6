"""The JSON form read back: the same record, or one sentence that says what is wrong where."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from bot import bounds
from bot.domain import postmortem as postmortem_rules
from bot.domain.outline import define_outline, give_outline
from bot.domain.records import Attachment, AttachmentState, Case, Status
from bot.domain.sections import BY_SLUG
from bot.errors import Refused
from bot.export import Exporter
from bot.export.json import reader as json_reader
from bot.export.json.reader import FileRecord
from tests.export.test_escape import TEXTS
from tests.export.test_hostile import HOSTILE, everywhere
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident, section_text, why
from tests.support.export.json_mutations import spoil

EXPORTER = Exporter()
PNG = b"\x89PNG\r\n\x1a\nabc"
WITH_FILES = replace(
    FULL,
    attachments=(
        Attachment(
            1, 5, '"><b>.png', "image/png", len(PNG), "https://files.slack.com/a", AttachmentState.STORED, "", PNG
        ),
        Attachment(2, 5, "empty.txt", "text/plain", 0, "https://files.slack.com/b", AttachmentState.STORED, "", b""),
        Attachment(3, 6, "b", "", 99, "https://files.slack.com/c", AttachmentState.WANTED, "", b""),
    ),
)


def export_case(about: Case) -> bytes:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "json")


def again(record: FileRecord) -> bytes:
    return EXPORTER.render(postmortem_rules.compile_document(record.case, record.generated_at, record.history), "json")


def without_audit(content: bytes) -> Any:
    """The file as an object; a case without its audit gets the part that follows from its entries."""
    return {key: value for key, value in json.loads(content).items() if key != "audit"}


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN, WITH_FILES], ids=["full", "empty", "with files"])
def test_what_was_exported_is_read_back_the_same(about: Case) -> None:
    content = export_case(about)
    record = json_reader.read(content)
    assert without_audit(again(record)) == without_audit(content)
    assert json_reader.read(again(record)) == record
    assert again(json_reader.read(again(record))) == again(record)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_field_is_read_back_the_same(text: str) -> None:
    content = export_case(everywhere(text))
    assert without_audit(again(json_reader.read(content))) == without_audit(content)


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_any_text_in_every_field_is_read_back_the_same(text: str) -> None:
    content = export_case(everywhere(text))
    assert without_audit(again(json_reader.read(content))) == without_audit(content)


def test_an_entry_cited_behind_an_invisible_character_is_cited_before_and_after() -> None:
    about = case(entries=(entry(4, at(14, 5)),), whys=(why(1, None, "see \u200e#4"),))
    (step,) = json.loads(export_case(about))["whys"]
    assert [cited["number"] for cited in step["evidence"]] == [4]
    assert json_reader.read(export_case(about)).case.whys[0].text == "see #4"


def test_a_program_may_leave_out_what_follows_from_the_rest() -> None:
    written = {
        "format": "afterword.postmortem",
        "version": 1,
        "generated_at": "2026-11-29T13:00:00+01:00",
        "incident": {
            "key": "INC-7",
            "title": " Checkout\u202e  fails ",
            "status": "resolved",
            "channel": {"id": "C1"},
            "opened_by": {"id": "U1", "name": "Ana Demo"},
            "opened_at": "2026-11-23T14:07:00Z",
            "resolved_at": "2026-11-23T15:10:00Z",
        },
        "timeline": [
            {
                "number": 1,
                "happened_at": "2026-11-23T15:05:00+01:00",
                "text": "Failed over\r\nto replica",
                "author_id": "U2",
                "author": "Bo Demo",
                "recorder_id": "U1",
                "recorded_at": "2026-11-23T14:06:00Z",
            }
        ],
        "sections": {"fault": {"text": "It broke", "author_id": "U1", "saved_at": "2026-11-23T16:00:00Z"}},
    }
    record = json_reader.read(json.dumps(written).encode())
    assert (record.case.incident.title, record.case.incident.team) == ("Checkout fails", "")
    (line,) = record.case.entries
    assert (line.text, line.happened_at) == ("Failed over\nto replica", at(14, 5))
    assert {user: person.name for user, person in record.case.people.items()} == {"U1": "Ana Demo", "U2": "Bo Demo"}
    assert record.case.sections["fault"].text == "It broke"
    assert [deed.verb for deed in record.case.audit] == ["timeline.added"]


def change_export(change: Callable[[Any], object], about: Case = WITH_FILES) -> bytes:
    value = json.loads(export_case(about))
    change(value)
    return json.dumps(value).encode()


def put(*way: str | int, to: object) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        *before, last = way
        for key in before:
            value = value[key]
        value[last] = to

    return change


BROKEN: tuple[tuple[Callable[[Any], object], str], ...] = (
    (put("format", to="else"), "It isn't an Afterword postmortem: format must be 'afterword.postmortem'"),
    (put("version", to=2), "It has version 2 of the format, and this Afterword reads 1. Update Afterword"),
    (put("version", to=0), "version is 0: should be 1"),
    (lambda value: value.pop("timeline"), "timeline is missing."),
    (put("timeline", 3, "happened_at", to="yesterday"), 'timeline[3].happened_at is "yesterday": should be a valid'),
    (put("timeline", 3, "happened_at", to="2026-11-23T14:05:00"), "should have timezone info"),
    (put("timeline", 3, "recorded_at", to="0001-01-01T00:00:00+05:00"), "it must be in the years 1900 to 8999"),
    (put("timeline", 3, "number", to="4"), 'timeline[3].number is "4": should be a valid integer'),
    (put("timeline", 3, "number", to=10**30), "timeline[3].number is 1000"),
    (put("timeline", 3, "number", to=3), "The file has entry 3 twice."),
    (put("timeline", 3, "milestone", to="over"), "timeline[3].milestone is"),
    (put("timeline", 3, "odd", to=1), "timeline[3].odd isn't a property of this format."),
    (put("timeline", 3, "author", to="Somebody Else"), 'is "Somebody Else", but the rest of the file makes it'),
    (put("timeline", 1, "happened_at", to="2026-11-23T18:00:00Z"), "timeline[1].number is 2, but the rest"),
    (put("incident", "milestones", "detected", to=None), "incident.milestones.detected is null, but the rest"),
    (put("incident", "people", to=[]), "incident.people is a list of 0, but the rest of the file"),
    (put("incident", "key", to="INC-0"), 'incident.key is "INC-0": '),
    (put("incident", "resolved_at", to=None), "incident.resolved_at is missing, although incident.status is resolved."),
    (put("incident", "severity", to="sev5"), "incident.severity is \"sev5\": should be 'sev1'"),
    (put("metrics", "time_to_detect", to=1), "metrics.time_to_detect is 1.0, but the rest of the file makes it"),
    (put("whys", 1, "parent", to=9), "whys[1].parent is 9, but the rest"),
    (put("whys", 1, "answers", to=2), "Why 2 can't explain why 2"),
    (put("whys", 1, "actions", to=[1, 9]), "Why 2 names action 9, which isn't in the file."),
    (put("whys", 1, "action", to=9), "Why 2 names action 9, which isn't in the file."),
    (put("sections", "odd", to={"text": None}), "there is no section 'odd'; there are summary, leadup"),
    (put("sections", "summary", "author_id", to=None), "sections.summary has a text, so it needs an author_id"),
    (put("actions", 0, "overdue_at", to=None), "Action 1 needs both a due day and an overdue_at"),
    (put("actions", 0, "overdue", to=False), "actions[0].overdue is false, but the rest of the file"),
    (put("timeline", 4, "files", 0, "content", to=None), "File 1 of entry 5 has no content."),
    (put("timeline", 4, "files", 0, "content", to="AAAA"), "File 1 of entry 5 isn't an image"),
    (put("timeline", 4, "files", 0, "size", to=4), "timeline[4].files[0].size is 4, but the rest of the file makes it"),
    (put("timeline", 4, "files", 0, "type", to="image/gif"), 'timeline[4].files[0].type is "image/gif", but the'),
    (put("timeline", 4, "files", 0, "sha256", to="0" * 64), "timeline[4].files[0].sha256 is"),
    (put("timeline", 5, "files", 0, "content", to="AAAA"), "timeline[5].files[0].content is"),
    (put("incident", "title", to="x" * 200_000), "incident.title is"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_what_is_wrong_is_named_with_its_place_and_cause(change: Callable[[Any], object], sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        json_reader.read(change_export(change))
    assert sentence in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"format": "\\ud800"}'),
        *(b"[" * 100_000, b"{" * 9, b'{"a": NaN}', b"1" * 9999),
    ],
    ids=["empty", "cut", "null", "list", "no UTF-8", "half a pair", "deep", "open", "NaN", "long"],
)
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        json_reader.read(content)
    assert str(refusal.value).startswith(
        ("It can't be read as JSON", "It isn't an Afterword postmortem", "The file is")
    )


def test_a_file_of_any_size_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "RECORD_FILE", 1024**2)
    with pytest.raises(Refused, match="larger than 1 MB"):
        json_reader.read(b"[" * (1024**2 + 1))


def test_an_open_incident_cannot_say_when_it_was_resolved() -> None:
    about = case(about=incident(status=Status.OPEN, resolved_at=None, resolved_by=None))
    with pytest.raises(Refused, match=r"incident.resolved_at is .* makes it null"):
        json_reader.read(change_export(put("incident", "resolved_at", to="2026-11-23T15:10:00Z"), about))


def outcome(content: bytes) -> FileRecord | str:
    """The record, or the sentence that refuses it."""
    try:
        return json_reader.read(content)
    except Refused as refusal:
        return str(refusal)


@pytest.mark.parametrize("seed", range(6))
def test_a_spoiled_file_is_refused_with_a_sentence_or_read_as_a_whole_record(seed: int) -> None:
    chance, content = random.Random(seed), export_case(WITH_FILES)
    found = [outcome(spoil(content, chance)) for _ in range(120)]
    refused = [result for result in found if isinstance(result, str)]
    assert [result for result in refused if not 10 < len(result) < 600 or not result.isprintable()] == []
    assert 40 < len(refused) < 120
    for result in found:
        assert isinstance(result, str) or json_reader.read(again(result)) == result


def test_an_earlier_file_that_names_one_action_of_a_why_is_read() -> None:
    linked = replace(FULL.whys[4], actions=(2, 3))
    document = json.loads(export_case(replace(FULL, whys=(*FULL.whys[:4], linked))))
    assert [one["actions"] for one in document["whys"] if one["number"] == 5] == [[2, 3]]
    for one in document["whys"]:
        del one["actions"]
    (read,) = [one for one in json_reader.read(json.dumps(document).encode()).case.whys if one.actions]
    assert (read.number, read.actions) == (5, (2,))


def test_a_property_that_stands_twice_is_refused_for_one_of_them_would_be_lost() -> None:
    content = change_export(lambda document: document).replace(b'"timeline": ', b'"timeline": [], "timeline": ', 1)
    with pytest.raises(Refused, match="The file has property timeline twice"):
        json_reader.read(content)


SHORT = define_outline("short", {"summary": {"title": "What happened"}, "costs": {"required": True}})[0]


def with_form(**more: Any) -> Case:
    """An incident with a form of its own, texts in it and beside it."""
    texts = (section_text("costs", "Six hours."), section_text("detection", "A customer called."))
    return case(about=replace(give_outline(incident(), SHORT, is_chosen=True), **more), sections=texts)


def test_a_form_and_what_was_written_beside_it_are_read_back_the_same() -> None:
    content = export_case(with_form())
    record = json_reader.read(content)
    assert record.case.incident.outline == with_form().incident.outline
    assert {slug: text.text for slug, text in record.case.sections.items()} == {
        "costs": "Six hours.",
        "detection": "A customer called.",
    }
    assert without_audit(again(record)) == without_audit(content)
    document = json.loads(content)
    assert document["sections"]["detection"]["title"] == "Detection"
    # Programs that look for one of the 14 find it, whatever the form.
    assert set(BY_SLUG) <= document["sections"].keys()


def test_a_text_of_a_form_before_keeps_its_title() -> None:
    other = define_outline("other", {"impact": {}})[0]
    about = replace(with_form(), incident=give_outline(with_form().incident, other))
    content = export_case(about)
    assert json.loads(content)["sections"]["costs"] == json.loads(export_case(with_form()))["sections"]["costs"]
    assert without_audit(again(json_reader.read(content))) == without_audit(content)


def test_a_file_from_before_there_were_forms_is_read() -> None:
    document = json.loads(export_case(FULL))
    del document["incident"]["postmortem"]["form"]
    assert json_reader.read(json.dumps(document).encode()).case.incident.outline is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda form: form["sections"].append(form["sections"][0]), "each section must be there once"),
        (lambda form: form.update(sections=[]), "form.sections"),
        (lambda form: form["sections"][0].update(title=""), "form.sections[0].title"),
        (lambda form: form["sections"][0].update(slug="--> <b>"), "form.sections[0].slug"),
        (lambda form: form["sections"].pop(), "there is no section 'costs'"),
        (lambda form: form.update(name="Short Form"), "form.name"),
    ],
)
def test_a_form_that_is_none_is_refused_with_its_place(change: Callable[[Any], object], sentence: str) -> None:
    document = json.loads(export_case(with_form()))
    change(document["incident"]["postmortem"]["form"])
    with pytest.raises(Refused) as refused:
        json_reader.read(json.dumps(document).encode())
    assert sentence in str(refused.value)
