"""Sections that people edited in a draft: the list of them, and the choice between two texts."""

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

# Markdown to mrkdwn, in this order: if `**bold**` became `*bold*` first, it would then be read as italic.
_MARKUP = (
    (re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)", re.MULTILINE), ""),
    (re.compile(r"(?<![*\w])\*(?=[^\s*])([^*\n]+)(?<=\S)\*(?![*\w])"), r"_\1_"),
    (re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE), r"*\1*"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"*\1*"),
    (re.compile(r"^([^\S\n]*+)[-*] ", re.MULTILINE), r"\1• "),
)


def edited_section_blocks(edited: tuple[RegionEdits, ...], incident: Incident) -> tuple[Block, ...]:
    """The edited sections in `/postmortem`, each with a button; those that need a choice come first."""
    return tuple(
        _edited_section(region, incident)
        for region in sorted(edited, key=lambda region: not region.is_contested)[:MOST]
    )


def _edited_section(region: RegionEdits, incident: Incident) -> Block:
    last = region.texts[-1]
    text = words.edits.line(
        title=region.own.title,
        who=_author_name(last),
        at=last.saved_at,
        count=len(region.texts),
        is_blank=not last.markdown,
        is_contested=region.is_contested,
    )
    label = "Choose text" if region.is_contested else "Compare texts"
    return blocks.section(
        text, blocks.button(label, "draft_look", blocks.incident_value(incident, section=region.own.id))
    )


def edits_note(edited: tuple[RegionEdits, ...], incident: Incident) -> list[Block]:
    """A line about sections that have several texts, with [Choose text]; empty if there are none."""
    contested = [region for region in edited if region.is_contested]
    if not contested:
        return []
    value = blocks.incident_value(incident, section=contested[0].own.id)
    note = words.edits.note(titles=[region.own.title for region in contested])
    return [blocks.section(note, blocks.button("Choose text", "draft_look", value))]


def text_question(region: RegionEdits, incident: Incident) -> Message:
    """All texts of a section, each with a button that chooses it."""
    title = region.own.title
    question = words.edits.choice(
        title=title, key=incident.key, has_place=region.has_place, is_contested=region.is_contested
    )
    seen = {"section": region.own.id, "seen": region.version, "facts": region.facts}
    room = ROOM // (len(region.texts) + 1)
    below: list[Block] = []
    for text in region.texts:
        is_late = region.has_place and text.facts != region.facts
        heading = words.edits.edited(who=_author_name(text), at=text.saved_at, is_late=is_late)
        value = blocks.incident_value(incident, **seen, keep=text.version)
        below += [blocks.divider(), blocks.section(heading, _keep_button(text, len(region.texts), value))]
        below += _text_blocks(text.markdown or words.edits.emptied(), room)
    if region.has_place:
        take = blocks.button("Use the record's text", "draft_take", blocks.incident_value(incident, **seen))
        below += [blocks.divider(), blocks.section(words.edits.record_heading(), take)]
        below += _text_blocks(region.own.body, room)
    rewrite = blocks.button("Write a new text", "draft_anew", blocks.incident_value(incident, section=region.own.id))
    return blocks.ephemeral(question, *below, blocks.actions(rewrite))


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
    return text.author.name if text.author else words.edits.unknown_author()


def rewrite_form(region: RegionEdits, incident: Incident) -> Block:
    """The form behind [Write a new text]: the record's text above, all edited texts together in the field."""
    metadata = blocks.incident_value(
        incident,
        channel=incident.channel,
        section=region.own.id,
        seen=region.version,
        facts=region.facts,
        **blocks.field_marks(join_texts(region)),
    )
    shown: list[Block] = []
    if region.has_place:
        shown += [blocks.section(words.edits.record_heading()), *_text_blocks(region.own.body, blocks.SECTION)]
    shown.append(blocks.context(words.edits.rewrite_hint()))
    shown += blocks.text_fields("Your text", join_texts(region), first=FIRST, optional=True)
    return blocks.modal(region.own.title, "draft_anew", shown, submit="Save", private_metadata=metadata)


def join_texts(region: RegionEdits) -> str:
    """All edited texts of the section, one below the other."""
    return "\n\n".join(text.markdown for text in region.texts if text.markdown)


def keep_receipt(case: Case, title: str, who: str, *, is_blank: bool) -> Message:
    """The edited text was chosen. `who` wrote it; empty if unknown."""
    who = who or words.edits.unknown_author()
    return _receipt(case, words.edits.edit_chosen(title=title, key=case.incident.key, who=who, is_blank=is_blank))


def take_receipt(case: Case, title: str) -> Message:
    """The record's text was chosen."""
    return _receipt(case, words.edits.record_chosen(title=title, key=case.incident.key))


def rewrite_receipt(case: Case, title: str, *, is_contested: bool) -> Message:
    """A new text was saved. `is_contested`: someone else saved another one first, and both are shown."""
    return _receipt(case, words.edits.rewrite_saved(title=title, key=case.incident.key, is_contested=is_contested))


def _receipt(case: Case, text: str) -> Message:
    return blocks.ephemeral(text, next_row(case))
