"""How a corrected entry looks in Slack: taken back, brought back, reworded, and the form that rewords it."""

import json
from dataclasses import dataclass

from bot.incident import code
from bot.incident.history import EntryVersion
from bot.incident.records import Entry, EntryKind, Incident, Status
from bot.incident.secrets import found, masked
from bot.incident.text import shortened
from bot.incident.timeline import FORM_HOLDS
from bot.slack import blocks
from bot.slack import secrets as warns
from bot.slack.blocks import Block, Message
from bot.slack.text import NameOf
from bot.slack.timeline import QUOTED, Clocks, edit_row, ref, when
from bot.slack.words import words


@dataclass(frozen=True, slots=True)
class Turn:
    """The incident before and after somebody corrected an entry: the same, unless the entry marked where it stands."""

    before: Incident
    after: Incident
    by: str

    @property
    def is_private(self) -> bool:
        """Whether only the author of the correction is told of it."""
        return self.before.status is self.after.status

    def told(self, said: str, row: list[Block]) -> Message:
        """The correction, to its author; to everybody where the incident stands otherwise than before."""
        if self.is_private:
            moved = self.after.status is Status.RESOLVED and self.before.resolved_at != self.after.resolved_at
            note = [blocks.context(words.timeline.resolution_moved(key=self.after.key))] if moved else []
            return blocks.whisper(said, [blocks.section(said), *note, *row])
        turned = words.timeline.turned(
            key=self.after.key, status=str(self.after.status), before=str(self.before.status), by=self.by
        )
        shown = [blocks.section(turned), blocks.section(said), *row]
        return blocks.message(f"{turned}\n{said}", shown, response_type="in_channel")


def struck(entry: Entry, turn: Turn) -> Message:
    """An entry was taken back; a button brings it in again. A line about a change takes the change not back with it."""
    said = words.timeline.struck(number=entry.number, text=shortened(masked(entry.text), QUOTED))
    row = [blocks.actions(blocks.button("Bring back", "timeline_restore", ref(entry)))]
    if entry.kind is not EntryKind.NOTE and turn.before == turn.after:
        row.insert(0, blocks.context(_stays(turn, entry)))
    return turn.told(said, row)


def _stays(turn: Turn, entry: Entry) -> str:
    other = (turn.after.severity or 2) % 4 + 1
    return str(words.timeline.change_stays(key=turn.after.key, kind=str(entry.kind), other=other))


def restored(entry: Entry, turn: Turn) -> Message:
    """A struck entry stands again."""
    said = words.timeline.restored(number=entry.number, text=shortened(masked(entry.text), QUOTED))
    return turn.told(said, [edit_row(entry)])


def edited(entry: Entry, before: Entry, clocks: Clocks, turn: Turn, files: tuple[str, ...] = ()) -> Message:
    """An entry, with which these files are kept, reads anew."""
    said = words.timeline.edited(
        number=entry.number,
        when=clocks.both(entry),
        text=shortened(masked(entry.text), QUOTED),
        before=shortened(f"{when(before, clocks.now)} UTC  {masked(before.text)}", 500),
    )
    spans = found(entry.text)
    warning = warns.warning(spans, ref(entry), files) if spans and turn.is_private else []
    return turn.told(said, [*warning, edit_row(entry)])


def standing(entry: Entry, clocks: Clocks) -> Message:
    """An entry as it reads now, with its buttons."""
    said = words.timeline.receipt(when=clocks.both(entry), text=shortened(entry.text, QUOTED))
    note = words.timeline.standing(number=entry.number, struck=entry.struck)
    return blocks.whisper(said, [blocks.section(said), blocks.context(note), edit_row(entry)])


def history(entry: Entry, versions: tuple[EntryVersion, ...], name_of: NameOf) -> Message:
    """Every wording of an entry, and what became of the message that it was captured from."""
    lines = [words.timeline.history_heading(number=entry.number)]
    lines += [
        words.timeline.history_line(
            version=version.version,
            change=version.change,
            when=f"{version.happened_at:%Y-%m-%d %H:%M}",
            text=shortened(code.flat(version.text), 800),
            who=name_of(version.changed_by) or version.changed_by,
            at=f"{version.changed_at:%Y-%m-%d %H:%M}",
        )
        for version in versions
    ]
    if entry.source:
        lines.append(words.capture.origin(permalink=entry.permalink, change=entry.source_change))
    return blocks.whisper("\n".join(lines))


def edit_form(entry: Entry, clocks: Clocks) -> Block:
    """The form behind [Edit]: the time typed freely, in the editor's own zone."""
    local = entry.happened_at.astimezone(clocks.zone)
    written = f"{'~' if entry.approximate else ''}{local:%Y-%m-%d %H:%M}"
    if entry.ended_at:
        written += f" - {entry.ended_at.astimezone(clocks.zone):%H:%M}"
    return _form(entry, clocks, (written, entry.text[:FORM_HOLDS]))


def _form(entry: Entry, clocks: Clocks, typed: tuple[str, str], notice: str = "") -> Block:
    written, text = typed
    metadata = {"incident": entry.incident_id, "entry": entry.number, "version": entry.version}
    is_long = len(entry.text) > FORM_HOLDS
    shown = [blocks.section(notice)] if notice else []
    shown += [
        blocks.labelled(
            "When it happened",
            "when",
            blocks.text_input("when", initial_value=written),
            hint=f"Read in {clocks.label or 'UTC'} unless you name a zone; kept as {entry.happened_at:%H:%M} UTC.",
        ),
        blocks.labelled(
            "What happened",
            "text",
            blocks.text_input("text", multiline=True, initial_value=text),
            hint="Only the first 3,000 characters fit here; the rest is kept." if is_long else "",
        ),
    ]
    return blocks.modal(
        f"Entry #{entry.number}", "timeline_edit", shown, submit="Save", private_metadata=json.dumps(metadata)
    )


def stale_form(entry: Entry, clocks: Clocks, typed: tuple[str, str], who: str) -> Message:
    """The form once more, because somebody changed the entry meanwhile: their wording above, what was typed kept.

    `typed` is the time and the text as they stand in the form; saving it now is a choice, so it carries the version
    that its author has seen.
    """
    notice = words.timeline.stale_edit(
        number=entry.number, who=who, theirs=shortened(f"{when(entry, clocks.now)} UTC  {entry.text}", QUOTED)
    )
    return {"response_action": "update", "view": _form(entry, clocks, typed, notice)}
