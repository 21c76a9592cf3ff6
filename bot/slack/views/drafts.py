"""Sections that people edited in a draft: the list of them, and the choice between two texts."""

import json
import re
from collections.abc import Iterator

from bot.domain.document import EditedText
from bot.domain.records import Case, Incident
from bot.domain.secrets import mask_credentials
from bot.domain.text import shorten
from bot.export.drafts import RegionEdits
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.postmortem import FIRST, next_row
from bot.slack.views.templates import words

MOST = 6
"""Edited sections that one overview shows."""

ROOM = 7_500
"""Characters of all the texts in one message."""

_MARKUP = (
    (re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)", re.MULTILINE), ""),
    (re.compile(r"(?<![*\w])\*(?=[^\s*])([^*\n]+)(?<=\S)\*(?![*\w])"), r"_\1_"),
    (re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE), r"*\1*"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"*\1*"),
    (re.compile(r"^(\s*)[-*] ", re.MULTILINE), r"\1• "),
)


def edited_section_blocks(edited: tuple[RegionEdits, ...], incident: Incident) -> list[Block]:
    """The edited sections below `/postmortem`, each with a button; those that need a choice come first."""
    if not edited:
        return []
    ordered = sorted(edited, key=lambda held: not held.is_contested)
    shown = [blocks.section(words.edits.heading())]
    for held in ordered[:MOST]:
        label = "Choose" if held.is_contested else "Show"
        last = held.texts[-1]
        text = words.edits.line(
            title=held.own.title,
            who=_author_name(last),
            at=last.saved_at,
            count=len(held.texts),
            is_blank=not last.markdown,
            is_contested=held.is_contested,
        )
        shown.append(
            blocks.section(
                text, blocks.button(label, "draft_look", blocks.incident_value(incident, section=held.own.id))
            )
        )
    if len(edited) > MOST:
        shown.append(blocks.context(words.edits.more(count=len(edited) - MOST)))
    return shown


def edits_note(edited: tuple[RegionEdits, ...], incident: Incident) -> list[Block]:
    """A line about edited sections for a draft that is sent, with [Choose] if needed. Empty if there are none."""
    if not edited:
        return []
    contested = [held for held in edited if held.is_contested]
    note = [blocks.context(words.edits.note(edited=len(edited) - len(contested), contested=len(contested)))]
    if contested:
        value = blocks.incident_value(incident, section=contested[0].own.id)
        note.append(blocks.actions(blocks.button("Choose", "draft_look", value)))
    return note


def text_question(held: RegionEdits, incident: Incident) -> Message:
    """All texts of a section, each with a button that chooses it."""
    title = held.own.title
    summary = words.edits.choice(
        title=title, key=incident.key, has_place=held.has_place, is_contested=held.is_contested
    )
    seen = {"section": held.own.id, "seen": held.version, "facts": held.facts}
    room = ROOM // (len(held.texts) + 1)
    shown = [blocks.section(summary)]
    for text in held.texts:
        is_late = held.has_place and text.facts != held.facts
        heading = words.edits.edited(who=_author_name(text), at=text.saved_at, is_late=is_late)
        shown.append(blocks.divider())
        shown.append(
            blocks.section(
                heading, _keep_button(text, len(held.texts), blocks.incident_value(incident, **seen, keep=text.version))
            )
        )
        shown += _text_blocks(text.markdown or words.edits.emptied(), room)
    if held.has_place:
        take = blocks.button("Take the record's", "draft_take", blocks.incident_value(incident, **seen))
        shown += [
            blocks.divider(),
            blocks.section(words.edits.record_heading(), take),
            *_text_blocks(held.own.body, room),
        ]
    rewrite = blocks.button("Write anew", "draft_anew", blocks.incident_value(incident, section=held.own.id))
    return blocks.ephemeral(summary, blocks=[*shown, blocks.actions(rewrite)])


def _keep_button(text: EditedText, of: int, value: str) -> Block:
    if not text.markdown:
        return blocks.button("Leave it blank", "draft_keep", value)
    label = "Keep the edited text" if of == 1 else f"Keep {shorten(_author_name(text), 40)}'s text"
    return blocks.button(label, "draft_keep", value, style="primary" if of == 1 else "")


def _text_blocks(markdown: str, room: int) -> Iterator[Block]:
    """Markdown as mrkdwn, cut to `room` characters. The exported file has all of it."""
    text = mask_credentials(markdown)
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    yield from blocks.sections(mrkdwn(shorten(text, room)))
    if len(text) > room:
        yield blocks.context(words.edits.cut())


def _author_name(text: EditedText) -> str:
    return text.author.name if text.author else words.edits.somebody()


def rewrite_form(held: RegionEdits, incident: Incident) -> Block:
    """The form behind [Write anew]: the record's text above, all edited texts together in the field."""
    metadata = {
        "incident": incident.id,
        "channel": incident.channel,
        "section": held.own.id,
        "seen": held.version,
        "facts": held.facts,
        **blocks.field_marks(join_texts(held)),
    }
    record = (
        [blocks.section(words.edits.record_heading()), *_text_blocks(held.own.body, blocks.SECTION)]
        if held.has_place
        else []
    )
    return blocks.modal(
        held.own.title,
        "draft_anew",
        [
            *record,
            blocks.context(words.edits.rewrite_hint()),
            *blocks.text_fields(held.own.title, join_texts(held), first=FIRST, optional=True),
        ],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def join_texts(held: RegionEdits) -> str:
    """All edited texts of the section, one below the other."""
    return "\n\n".join(text.markdown for text in held.texts if text.markdown)


def keep_receipt(case: Case, title: str, who: str, *, is_blank: bool) -> Message:
    """The edited text was chosen. `who` wrote it; empty if unknown."""
    who = who or words.edits.somebody()
    return _receipt(case, words.edits.edit_chosen(title=title, key=case.incident.key, who=who, is_blank=is_blank))


def take_receipt(case: Case, title: str) -> Message:
    """The record's text was chosen."""
    return _receipt(case, words.edits.record_chosen(title=title, key=case.incident.key))


def rewrite_receipt(case: Case, title: str, *, is_contested: bool) -> Message:
    """A new text was saved. `is_contested`: someone else saved another one first, and both are shown."""
    return _receipt(case, words.edits.rewrite_saved(title=title, key=case.incident.key, is_contested=is_contested))


def _receipt(case: Case, said: str) -> Message:
    return blocks.ephemeral(said, next_row(case))
