"""Form fields that show recorded values: how they are filled, and how a change is recognized.

A form's metadata holds fingerprints of the values it was filled with (MARKS), and the white space between the fields
that a long text was split into (GAPS).
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
    """A field's block id. `anew` differs each time that a form is shown again with new values.

    Under an unchanged block id Slack keeps what was typed before, and ignores the new initial value.
    """
    return f"{name}{_ANEW}{anew}" if anew else name


def field_name(place: str) -> str:
    """The field's name in a block id."""
    return place.partition(_ANEW)[0]


def field_marks(text: str, shown: str | None = None, **others: str) -> dict[str, Any]:
    """Metadata for a form: fingerprints of the recorded text and of `others` by name.

    `shown` is the text in the fields if it differs: what the person had typed before a conflict.
    """
    held = form_fields_rules.split_into_fields(text if shown is None else shown)
    found = {name: fingerprint(value) for name, value in {TEXT: text, **others}.items()}
    return {MARKS: found, GAPS: list(held.gaps) if held else []}


def read_change(metadata: Mapping[str, Any], name: str, sent: str) -> str | None:
    """The value of a field; None if it was not changed."""
    return None if read_mark(metadata, name) == fingerprint(sent) else sent


def read_text(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The text from one or several fields; None if the form had no field for it."""
    found = {int(match[1] or 0): str(sent[name] or "") for name in sent if (match := _TEXT.fullmatch(name))}
    if not found:
        return None
    gaps = metadata.get(GAPS)
    return form_fields_rules.join_fields(
        (found.get(index, "") for index in range(max(found) + 1)),
        [str(each) for each in gaps] if isinstance(gaps, list) else [],
    )


def read_text_change(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The same, but also None if the text was not changed."""
    text = read_text(metadata, sent)
    return None if text is None else read_change(metadata, TEXT, text)


def read_mark(metadata: Mapping[str, Any], name: str) -> str:
    """The fingerprint of a field's initial value; empty if the form has none."""
    found = metadata.get(MARKS)
    return str(found.get(name, "")) if isinstance(found, dict) else ""
