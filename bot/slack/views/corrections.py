"""How corrections look in Slack: an entry taken back, brought back or edited, and the form that edits it.

For entries and whys: the text as it reads now, also below a button that is older than it, and its history.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import text as text_rules
from bot.domain.records import Entry, EntryKind, EntryVersion, Incident, Status, Why, WhyVersion
from bot.domain.secrets import find_credentials, mask_credentials
from bot.domain.text import shorten
from bot.domain.timeline import FormMoment, format_time, list_choices, list_offers
from bot.domain.times import Reading
from bot.slack.mrkdwn import NameOf
from bot.slack.views import blocks
from bot.slack.views import secrets as secrets_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import (
    QUOTED,
    Clocks,
    EntryTime,
    choice_button,
    edit_row,
    entry_blocks,
    entry_ref,
    entry_section,
    time_value,
    utc_label,
)
from bot.slack.views.whys import LONGEST_WHY_QUOTE


@dataclass(frozen=True, slots=True)
class Correction:
    """An incident before and after an entry was corrected. They differ if the entry marks a milestone.

    `is_harmless`: the author confirmed that the text holds no credential.
    """

    before: Incident
    after: Incident
    by: str
    is_harmless: bool = False

    @property
    def is_private(self) -> bool:
        """Whether only the author of the correction sees the answer."""
        return self.before.status is self.after.status

    @property
    def shows_all(self) -> bool:
        """Whether the answer may show the text unmasked: only its author sees it, and called it harmless."""
        return self.is_harmless and self.is_private

    def text(self, text: str) -> str:
        """A text of the entry as the answer shows it."""
        return shorten(text if self.shows_all else mask_credentials(text), QUOTED)

    def answer(self, text: str, shown: list[Block]) -> Message:
        """The answer: private, or to the channel if the incident's status changed. `shown` begins with the text."""
        if self.is_private:
            moved = self.after.status is Status.RESOLVED and self.before.resolved_at != self.after.resolved_at
            note = [blocks.context(words.timeline.resolution_moved(key=self.after.key))] if moved else []
            return blocks.ephemeral(text, blocks=[shown[0], *note, *shown[1:]])
        turned = words.timeline.turned(
            key=self.after.key, status=str(self.after.status), before=str(self.before.status), by=self.by
        )
        return blocks.public(f"{turned}\n{text}", blocks=[blocks.section(turned), *shown])


def strike_receipt(entry: Entry, correction: Correction) -> Message:
    """An entry was struck; a button restores it. Striking a line about a change does not undo the change."""
    text = words.timeline.struck(number=entry.number, text=correction.text(entry.text))
    is_note = entry.kind is EntryKind.NOTE or correction.before != correction.after
    notes = [] if is_note else [blocks.context(_unchanged_note(correction, entry))]
    return correction.answer(text, entry_blocks(text, entry, *notes, is_harmless=correction.is_harmless))


def _unchanged_note(correction: Correction, entry: Entry) -> str:
    other = (correction.after.severity or 2) % 4 + 1
    return words.timeline.change_stays(key=correction.after.key, kind=str(entry.kind), other=other)


def restore_receipt(entry: Entry, correction: Correction) -> Message:
    """A struck entry was restored."""
    text = words.timeline.restored(number=entry.number, text=correction.text(entry.text))
    return correction.answer(text, entry_blocks(text, entry, is_harmless=correction.is_harmless))


def edit_receipt(
    entry: Entry,
    before: Entry,
    clocks: Clocks,
    correction: Correction,
    files: tuple[str, ...] = (),
    named: Reading | None = None,
) -> Message:
    """An entry was edited. `files` are its attachments; other times found in `named` are offered as buttons."""
    text = words.timeline.edited(
        number=entry.number,
        when=clocks.describe_entry(entry),
        text=shorten(mask_credentials(entry.text), QUOTED),
    )
    was = words.timeline.was(
        when=_time_before(before, clocks),
        text=shorten(text_rules.flatten(mask_credentials(before.text)), 500) if before.text != entry.text else "",
        struck=before.struck,
    )
    spans = find_credentials(entry.text)
    warning = secrets_views.warning_blocks(spans, entry_ref(entry), files) if spans and correction.is_private else []
    offered = list_offers(named, entry.happened_at, clocks.now)
    row = edit_row(entry, offered=timeline_views.offer_buttons(entry, offered, clocks.now))
    offer = timeline_views.offer_note(offered, EntryTime.UNCHANGED)
    return correction.answer(text, [entry_section(text, entry), blocks.context(was), *warning, *offer, row])


def outdated_button_message(entry: Entry, clocks: Clocks, who: str, again: Sequence[Block] = ()) -> Message:
    """The button belongs to an older version. Nothing was changed; this shows the current version.

    `again` are buttons that do the same to the current version.
    """
    text = words.timeline.changed_since(
        number=entry.number,
        who=who,
        struck=entry.struck,
        when=clocks.describe_entry(entry),
        text=shorten(mask_credentials(entry.text), QUOTED),
    )
    row = [] if entry.struck else [edit_row(entry, offered=again)]
    return blocks.ephemeral(text, blocks=[entry_section(text, entry), *row])


def _time_before(entry: Entry, clocks: Clocks) -> str:
    """The time before the edit. A range is shown on both clocks, since either end may have been edited."""
    return clocks.format_entry(entry) if entry.ended_at else f"{utc_label(entry, clocks.now)} UTC"


def entry_message(text: Entry | Why, clocks: Clocks) -> Message:
    """A text as it reads now, with its buttons."""
    if isinstance(text, Why):
        shown = shorten(mask_credentials(text.text), LONGEST_WHY_QUOTE)
        summary = words.whys.why(number=text.number, text=shown, struck=text.struck)
        return blocks.ephemeral(summary, whys_views.why_row(text))
    shown = shorten(text.text, QUOTED)
    summary = words.timeline.receipt(number=text.number, when=clocks.describe_entry(text), text=shown)
    note = [blocks.context(words.timeline.state_note(number=text.number, struck=True))] if text.struck else []
    is_harmless = bool(find_credentials(text.text))
    return blocks.ephemeral(summary, blocks=entry_blocks(summary, text, *note, is_harmless=is_harmless))


def time_question(entry: Entry, reading: Reading, clocks: Clocks) -> Message | None:
    """An entry's new time has several readings, one button each. None if the text does not fit into the buttons."""
    text = words.timeline.asked_edit(
        problem=reading.problem,
        number=entry.number,
        text=shorten(mask_credentials(reading.text), QUOTED).replace("\n", "\n>"),
    )
    buttons = [
        choice_button(choice, clocks, f"timeline_edit_at_{index}", _edit_value(entry, reading, choice))
        for index, choice in enumerate(list_choices(reading.question, clocks.now))
    ]
    if reading.text:
        keep = f"Keep {blocks.moment_label(entry.happened_at, clocks.now)}"
        buttons.append(blocks.button(keep, "timeline_edit_at_keep", _edit_value(entry, reading, None)))
    if not buttons or any(
        len(_edit_value(entry, reading, each)) > blocks.BUTTON_VALUE for each in reading.question or (None,)
    ):
        return None
    return blocks.ephemeral(text, blocks.actions(*buttons))


def _edit_value(entry: Entry, reading: Reading, moment: datetime | None) -> str:
    """The value of a button of the question. Without a moment, the entry keeps its time."""
    about = {"incident": entry.incident_id, "entry": entry.number, "version": entry.version}
    return json.dumps(about | {"text": reading.text} | time_value(reading, moment), ensure_ascii=False)


def history(
    text: Entry | Why, versions: Sequence[EntryVersion | WhyVersion], name_of: NameOf, clocks: Clocks
) -> Message:
    """Every wording of a text, and what became of the message that an entry was captured from."""
    heading = words.timeline.history_heading if isinstance(text, Entry) else words.whys.history_heading
    lines = [heading(number=text.number), *(_version_line(one, name_of, clocks) for one in versions)]
    if isinstance(text, Entry) and text.source:
        lines.append(words.capture.origin(permalink=text.permalink, change=text.source_change))
    shown = "\n".join(lines)
    row = [blocks.actions(*_correcting(text))] if isinstance(text, Entry) else []
    return blocks.ephemeral(shown, blocks=[*blocks.sections(shown), *row])


def _correcting(entry: Entry) -> list[Block]:
    this = entry_ref(entry)
    if entry.struck:
        return [blocks.button("Restore", "timeline_restore", this)]
    return [blocks.button("Edit", "timeline_edit", this), blocks.button("Undo", "timeline_undo", this)]


def _version_line(one: EntryVersion | WhyVersion, name_of: NameOf, clocks: Clocks) -> str:
    who = name_of(one.changed_by) or one.changed_by
    at = clocks.format_day(one.changed_at) + f"{one.changed_at:%H:%M}"
    if isinstance(one, WhyVersion):
        text = shorten(text_rules.flatten(mask_credentials(one.text)), 800)
        return words.whys.history_line(version=one.version, change=one.change, text=text, who=who, at=at)
    when = clocks.format(one.happened_at, one.ended_at, approximate=one.approximate)
    text = shorten(text_rules.flatten(one.text), 800)
    return words.timeline.history_line(version=one.version, change=one.change, when=when, text=text, who=who, at=at)


def edit_form(entry: Entry, clocks: Clocks, changed_by: str = "") -> Block:
    """The form behind [Edit]. The time is free text in the editor's zone.

    `changed_by` names who changed the entry since the button was shown.
    """
    notice = words.timeline.changed_before(number=entry.number, who=changed_by) if changed_by else ""
    return _form(entry, clocks, EditedFields(), notice)


@dataclass(frozen=True, slots=True)
class EditedFields:
    """What the editor changed in the form; None for a field that was not changed."""

    when: str | None = None
    text: str | None = None


def _form(entry: Entry, clocks: Clocks, typed: EditedFields, notice: str = "") -> Block:
    moment = FormMoment(entry.happened_at, entry.ended_at, entry.approximate)
    time = format_time(moment, clocks.now, clocks.zone, clocks.language)
    metadata = {
        "incident": entry.incident_id,
        "entry": entry.number,
        "version": entry.version,
        **blocks.field_marks(entry.text, typed.text, when=time),
    }
    edition = str(entry.version) if notice else ""
    when = blocks.text_field(
        "When it happened",
        "when",
        block_id=blocks.field_id("when", edition),
        initial_value=time if typed.when is None else typed.when,
        hint=words.timeline.when_hint(zone=clocks.label or "UTC", when=utc_label(entry, clocks.now)),
    )
    text = entry.text if typed.text is None else typed.text
    shown = [
        *([blocks.section(notice)] if notice else []),
        when,
        *blocks.text_fields("What happened", text, edition=edition),
    ]
    return blocks.modal(
        f"Edit #{entry.number}", "timeline_edit", shown, submit="Save", private_metadata=json.dumps(metadata)
    )


def conflict_form(entry: Entry, clocks: Clocks, typed: EditedFields, who: str) -> Message:
    """The form again, because someone else changed the entry in the meantime: their text above, the typed one below.

    Fields that the editor did not change show the current values. The form holds the current version, so saving it
    overwrites the other change knowingly.
    """
    conflict = words.timeline.conflict_struck if entry.struck else words.timeline.conflict
    notice = conflict(
        number=entry.number, who=who, theirs=shorten(f"{_time_before(entry, clocks)}  {entry.text}", QUOTED)
    )
    return {"response_action": "update", "view": _form(entry, clocks, typed, notice)}


def label(text: Entry | Why, *, inside: bool = False) -> str:
    """`#4` or `Why 2`; `why 2` inside a sentence."""
    return f"#{text.number}" if isinstance(text, Entry) else f"{'why' if inside else 'Why'} {text.number}"


def button_value(text: Entry | Why) -> str:
    """The value of a button about an entry or a why."""
    return entry_ref(text) if isinstance(text, Entry) else whys_views.why_ref(text)


def changed_message(text: Entry | Why, who: str, clocks: Clocks) -> Message:
    """An entry or why in its current version. It replaces the message with the outdated button."""
    shown = shorten(mask_credentials(text.text), QUOTED)
    if isinstance(text, Why):
        summary = words.whys.since(number=text.number, who=who, struck=text.struck, root=text.is_root, text=shown)
        return blocks.ephemeral(summary, whys_views.why_row(text))
    summary = words.timeline.since(
        number=text.number, who=who, struck=text.struck, when=clocks.format_entry(text), text=shown
    )
    return blocks.ephemeral(summary, blocks=entry_blocks(summary, text))
