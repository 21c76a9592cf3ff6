"""The fields of forms that hold what the record has: how they are filled, and what somebody changed in them.

A form carries, under MARKS, the mark of what each of its fields was filled with, and under GAPS the white space
where the fields of one text meet.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain import form_fields as form_fields_rules
from bot.domain.form_fields import fingerprint
from bot.slack.views import blocks
from bot.slack.views.blocks import Block
from bot.slack.views.templates import words

MARKS, GAPS = "marks", "gaps"
TEXT = "text"
_ANEW = "@"

_TEXT = re.compile(rf"{TEXT}(?:_(\d+))?")


def text_fields(
    label: str, text: str, *, first: str = TEXT, hint: str = "", optional: bool = False, anew: str = ""
) -> list[Block]:
    """The fields to edit a text in: as many as it needs, plus an empty one if it needs more than one.

    `first` names the first field: `text`, or `text_0` if an empty field follows from the start. `anew` is as in
    `field_id`. A text that no number of fields holds gets a sentence instead, which says that it stays as it is.
    """
    held = form_fields_rules.split_into_fields(text)
    if held is None:
        return [blocks.section(words.general.too_long_for_form(label=label, count=f"{len(text):,}"))]
    more = [""] if len(held.parts) > 1 or first != TEXT else []
    return [
        blocks.input_block(
            label if index == 0 else "… and on",
            field_id(name, anew),
            blocks.text_input(name, multiline=True, initial_value=piece),
            hint=hint if index == 0 else "",
            optional=optional or bool(more),
        )
        for index, piece in enumerate([*held.parts, *more])
        for name in [first if index == 0 else f"{TEXT}_{index}"]
    ]


def field_id(name: str, anew: str = "") -> str:
    """Where a field stands, by its name; `anew` is another each time that the form takes its own place.

    Under the same id Slack keeps what stood in the field before.
    """
    return f"{name}{_ANEW}{anew}" if anew else name


def field_name(place: str) -> str:
    """The name of the field that stands there."""
    return place.partition(_ANEW)[0]


def field_marks(text: str, shown: str | None = None, **others: str) -> dict[str, Any]:
    """What a form carries of its fields: the text that the record has, and `others` by name.

    `shown` is what stands in the fields instead of the text: what somebody typed who is asked once more.
    """
    held = form_fields_rules.split_into_fields(text if shown is None else shown)
    found = {name: fingerprint(value) for name, value in {TEXT: text, **others}.items()}
    return {MARKS: found, GAPS: list(held.gaps) if held else []}


def read_change(metadata: Mapping[str, Any], name: str, sent: str) -> str | None:
    """What was sent in a field; None where it is what the field was filled with."""
    return None if read_mark(metadata, name) == fingerprint(sent) else sent


def read_text(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The text that was sent, in one field or in several; None where the form had no field for it."""
    found = {int(match[1] or 0): str(sent[name] or "") for name in sent if (match := _TEXT.fullmatch(name))}
    if not found:
        return None
    gaps = metadata.get(GAPS)
    return form_fields_rules.join_fields(
        (found.get(index, "") for index in range(max(found) + 1)),
        [str(each) for each in gaps] if isinstance(gaps, list) else [],
    )


def read_text_change(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The same; None too where it is the text that the fields were filled with."""
    text = read_text(metadata, sent)
    return None if text is None else read_change(metadata, TEXT, text)


def read_mark(metadata: Mapping[str, Any], name: str) -> str:
    """The mark of what a field was filled with; empty where the form carries none."""
    found = metadata.get(MARKS)
    return str(found.get(name, "")) if isinstance(found, dict) else ""
