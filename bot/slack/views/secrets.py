"""Warnings about credentials, and the answers to [Redact] and [Not a secret]."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.records import Incident
from bot.domain.secrets import RecordKind, RecordRef, RedactedRecord, SecretLocation, SecretSpan
from bot.domain.sections import section_title
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

QUOTED = 2_000
MOST_NAMED = 5
"""Files, and records of another incident, that a message names. The buttons concern all of them."""

MOST_OFFERED = 5
"""Other incidents that one answer offers. The others show once these are redacted."""

MOST_CARRIED = 20
"""Locations in one button. Their credentials are redacted everywhere in that incident."""


def warning_blocks(spans: Iterable[SecretSpan], value: str, files: Sequence[str] = ()) -> list[Block]:
    """To the author only, below the receipt: the kinds of credential, [Redact] and [Not a secret].

    `value` is the buttons' value. `files` are the names of attached files; [Redact with files] removes them, too.
    """
    kinds = list(dict.fromkeys(span.kind for span in spans))
    named = [shorten(name, 80) for name in files[:MOST_NAMED]]
    text = words.secrets.warning(kinds=kinds, files=named, more=len(files) - len(named))
    row = [blocks.button("Redact", "secret_redact", value, style="danger")]
    if files:
        row.append(blocks.button("Redact with files", "secret_redact_files", value, style="danger"))
    row.append(blocks.button("Not a secret", "secret_harmless", value))
    return [blocks.section(text), blocks.actions(*row)]


def warning_message(
    spans: Iterable[SecretSpan], subject: RecordRef, incident: Incident, files: Sequence[str] = ()
) -> Message:
    """The warning as a separate message, which names the record."""
    text = words.secrets.warned_of(what=name_record(subject), key=incident.key, title=incident.title)
    return blocks.message(text, *warning_blocks(spans, record_ref(subject, incident), files))


def record_ref(subject: RecordRef, incident: Incident) -> str:
    """The value of a button about a record."""
    return blocks.incident_value(incident, noun=str(subject.kind), which=subject.which)


def read_subject(value: dict[str, object]) -> RecordRef:
    """The record in a button's value. Buttons below an entry hold its number only."""
    if "noun" in value:
        return RecordRef(RecordKind(str(value["noun"])), str(value["which"]))
    return RecordRef(RecordKind.ENTRY, str(value["entry"]))


def name_record(subject: RecordRef) -> str:
    """The record within a sentence, such as "the title"."""
    which = section_title(subject.which) if subject.kind in (RecordKind.SECTION, RecordKind.DRAFT) else subject.which
    return words.secrets.name(noun=str(subject.kind), which=which)


def capital_name(subject: RecordRef) -> str:
    """The record at the beginning of a sentence."""
    name = name_record(subject)
    return name[:1].upper() + name[1:]


@dataclass(frozen=True, slots=True)
class OtherIncident:
    """Another incident that holds the same credential: one location for each record and credential."""

    incident: Incident
    spots: tuple[SecretLocation, ...]


def redaction_receipt(
    subject: RecordRef, done: RedactedRecord, files: tuple[str, ...], also: tuple[OtherIncident, ...]
) -> Message:
    """The credential was redacted in all records of the incident, and these files were removed.

    `also` are other incidents that still hold it and in which the reader may redact it.
    """
    others = [name_record(other) for other in done.subjects if other != subject]
    offered = [there.incident.key for there in also[:MOST_OFFERED]]
    text = words.secrets.redacted(
        what=capital_name(subject),
        others=[*others, *_other_sections(done)],
        files=files,
        still_in=[key for key in done.still_in if key not in offered],
    )
    return blocks.ephemeral(text, *_offer_blocks(also))


@dataclass(frozen=True, slots=True)
class OutsideCopies:
    """What was made of an incident before a redaction: files sent to Slack, a canvas, a page that is updated."""

    files: int
    has_canvas: bool
    has_page: bool


def words_receipt(
    subject: RecordRef, done: RedactedRecord, outside: OutsideCopies, also: tuple[OtherIncident, ...]
) -> Message:
    """Words were redacted in all records of the incident; `also` as in `redaction_receipt`."""
    others = [name_record(other) for other in done.subjects if other != subject]
    stale = [f"{outside.files} {'file' if outside.files == 1 else 'files'} in Slack"] if outside.files else []
    text = words.secrets.redacted_words(
        what=capital_name(subject),
        others=[*others, *_other_sections(done)],
        stale=[*stale, *(["the canvas"] if outside.has_canvas else [])],
        has_page=outside.has_page,
    )
    return blocks.ephemeral(text, *_offer_blocks(also))


def other_redaction_receipt(incident: Incident, done: RedactedRecord, also: tuple[OtherIncident, ...]) -> Message:
    """The credential was redacted in another incident."""
    what = [*(name_record(subject) for subject in done.subjects), *_other_sections(done)]
    text = words.secrets.redacted_there(key=incident.key, title=incident.title, what=what)
    return blocks.ephemeral(text, *_offer_blocks(also))


def _other_sections(done: RedactedRecord) -> list[str]:
    return [words.secrets.elsewhere(title=section_title(slug), key=key) for key, slug in done.elsewhere]


def _offer_blocks(also: tuple[OtherIncident, ...]) -> list[Block]:
    """For each other incident a line with the records that hold the credential, and [Redact in INC-1]."""
    shown = [
        blocks.section(
            words.secrets.also_in(
                key=there.incident.key,
                title=shorten(there.incident.title, 150),
                what=list(dict.fromkeys(name_record(spot.subject) for spot in there.spots))[:MOST_NAMED],
                more=max(len({spot.subject for spot in there.spots}) - MOST_NAMED, 0),
            ),
            blocks.button(
                f"Redact in {there.incident.key}", "secret_redact_there", _locations_value(there), style="danger"
            ),
        )
        for there in also[:MOST_OFFERED]
    ]
    if len(also) > MOST_OFFERED:
        shown.append(blocks.context(words.secrets.more_elsewhere(count=len(also) - MOST_OFFERED)))
    return shown


def _locations_value(there: OtherIncident) -> str:
    """Where the credential is, without its text. The first locations suffice to find the others."""
    locations = [
        [str(spot.subject.kind), spot.subject.which, spot.part, spot.start, spot.length, spot.rest]
        for spot in there.spots[:MOST_CARRIED]
    ]
    return json.dumps({"incident": there.incident.id, "spots": locations})


def read_locations(value: dict[str, Any]) -> tuple[SecretLocation, ...]:
    """The locations in a button's value."""
    return tuple(
        SecretLocation(RecordRef(RecordKind(str(noun)), str(which)), *map(int, numbers))
        for noun, which, *numbers in value["spots"]
    )


def harmless_receipt(subject: RecordRef, text: str) -> Message:
    """The text was confirmed as harmless and is unchanged."""
    return blocks.ephemeral(words.secrets.harmless(what=capital_name(subject), text=shorten(text, QUOTED)))


def forgotten_reply() -> Message:
    """The answer to a repeated request if the first answer quoted a credential."""
    return blocks.ephemeral(words.secrets.reply_forgotten())
