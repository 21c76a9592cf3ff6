"""How the postmortem looks in Slack: its meter, its forms, its reminders' history."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.export import FORMATS
from bot.incident import checks, publishing
from bot.incident import reminders as steps
from bot.incident.checks import Gap
from bot.incident.findings import findings
from bot.incident.kept import by_region, standing
from bot.incident.postmortem import metrics
from bot.incident.records import Case, Incident, SectionText
from bot.incident.sections import BY_SLUG, Section
from bot.incident.text import shortened
from bot.slack import blocks, fields, recall
from bot.slack import findings as looks
from bot.slack.blocks import Block, Message
from bot.slack.publishing import open_again, publish
from bot.slack.recall import Alike
from bot.slack.text import mrkdwn
from bot.slack.words import words
from storage.deliveries import Delivery
from storage.reminders import Reminder

FIRST = f"{fields.TEXT}_0"
"""The first field of a section's form: an empty one stands below it from the start."""

QUOTED = 2_000
"""Characters of somebody's text in one paragraph above a form."""

IN_ACTIONS = (Gap.ACTION_OWNER, Gap.ACTION_DUE)
"""What the checks say of an action in one line, with a button."""


def overview(case: Case, now: datetime, edited: list[Block], past: tuple[Alike, ...] = ()) -> Message:
    """What is filled and missing, what people `edited` in drafts, what the checks found, and past incidents like it."""
    incident = case.incident
    filled, total = checks.meter(case)
    missing = [gap for gap in checks.missing(case) if gap.gap not in IN_ACTIONS]
    said = words.postmortem.overview(
        key=incident.key,
        title=incident.title,
        meter="█" * filled + "░" * (total - filled),
        filled=filled,
        total=total,
        status=str(incident.postmortem_status).replace("_", " "),
        owner=case.name(incident.postmortem_owner),
        reason=incident.postmortem_reason,
    )
    is_open = not incident.postmortem_status.is_finished
    lines = [words.postmortem.missing_line(title=gap.title, question=gap.question) for gap in missing[:20]]
    body = [words.postmortem.missing_heading(), *lines] if lines else [words.postmortem.complete(is_open=is_open)]
    found = looks.section_of(findings(case, now), incident)
    shown = [
        blocks.section(said),
        looks.metrics_line(metrics(case, now)),
        *blocks.sections("\n".join(body)),
        *edited,
        *found,
    ]
    return blocks.whisper(said, [*shown, next_buttons(case), *recall.proposals(incident, past)])


def next_buttons(case: Case) -> Block:
    """[Fill …] for the first blank section, [Another section], [Export]; then [Publish], or [Open it again]."""
    incident = case.incident
    blank = checks.blank_sections(case)
    first = blocks.button(
        f"Fill {BY_SLUG[blank[0]].title}" if blank else "Edit the summary",
        "postmortem_fill",
        section_ref(incident, blank[0] if blank else "summary"),
        style="primary",
    )
    others = blocks.button("Another section", "postmortem_pick", section_ref(incident, ""))
    export = blocks.button("Export", "postmortem_export", section_ref(incident, ""))
    end = [open_again(incident)] if incident.postmortem_status.is_finished else []
    if publishing.can_publish(case):
        end = [publish(incident)]
    return blocks.actions(first, others, export, *end)


def section_ref(incident: Incident, slug: str) -> str:
    """What a button carries to find its section again."""
    return blocks.about(incident, section=slug)


@dataclass(frozen=True, slots=True)
class Filling:
    """What a section's form holds: `text` as it was saved in `version` (0 for never), or as the record fills it in.

    `known` is what the record knows besides, in mrkdwn.
    """

    text: str
    version: int
    is_draft: bool
    known: str


def section_form(case: Case, section: Section, filling: Filling, past: tuple[Alike, ...] = ()) -> Block:
    """A section's form: its question, what the record already knows, and what was written so far.

    A text beyond one field's 3,000 characters continues in the next field.
    """
    notes = [blocks.context(filling.known)] if filling.known else []
    if filling.is_draft:
        notes.append(blocks.context(words.postmortem.filled_in()))
    notes += [*_edited(case, section), *recall.questions(past)]
    return _form(case, section, notes, (filling.version, filling.text))


def _edited(case: Case, section: Section) -> list[Block]:
    """A line where somebody edited the section in a draft: what is saved in the form does not overwrite that."""
    texts = standing(by_region(case.kept).get(section.slug, ()))
    if not texts:
        return []
    who = case.name(texts[-1].author) or words.kept.somebody()
    return [blocks.context(words.kept.in_form(who=who, at=texts[-1].saved_at))]


@dataclass(frozen=True, slots=True)
class Yours:
    """What somebody sent in a section's form: the text, or None where they left it, and their verdicts of incidents."""

    text: str | None
    verdicts: Mapping[int, bool]


def _form(
    case: Case, section: Section, notes: list[Block], stands: tuple[int, str], yours: Yours | None = None
) -> Block:
    """The form of what `stands` (its version, and its text), or of what somebody sent who was not the first."""
    version, text = stands
    typed = yours.text if yours else None
    metadata = {
        "incident": case.incident.id,
        "channel": case.incident.channel,
        "section": section.slug,
        "version": version,
        **fields.marks(text, typed),
        **({"alike": recall.verdicts_told(yours.verdicts)} if yours else {}),
    }
    anew = str(version) if yours else ""
    shown = fields.texts(section.title, text if typed is None else typed, first=FIRST, optional=True, anew=anew)
    return blocks.modal(
        section.title,
        "postmortem_section",
        [blocks.section(section.question), *notes, *shown],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def pick_form(case: Case) -> Block:
    """The form that chooses a section to fill."""
    options = [blocks.option(one.title, one.slug) for one in BY_SLUG.values() if one.slug != "timeline"]
    return blocks.modal(
        "Fill a section",
        "postmortem_pick",
        [
            blocks.labelled(
                "Which one?", "section", {"type": "static_select", "action_id": "section", "options": options}
            )
        ],
        submit="Next",
        private_metadata=json.dumps({"incident": case.incident.id, "channel": case.incident.channel}),
    )


def saved(case: Case, section: Section) -> Message:
    """A section was saved."""
    filled, total = checks.meter(case)
    said = words.postmortem.saved(title=section.title, key=case.incident.key, filled=filled, total=total)
    return blocks.whisper(said, [blocks.section(said), next_buttons(case)])


def conflict(case: Case, section: Section, theirs: SectionText, who: str, yours: Yours) -> Message:
    """The form once more, because somebody saved the section meanwhile: their text above, what was typed kept.

    Where nothing was typed theirs stands in the fields, too. Saving it now is a choice, so it carries the version that
    its writer has seen.
    """
    notice = words.postmortem.conflict(title=section.title, who=who, emptied=not theirs.text)
    quoted = (theirs.text[at : at + QUOTED] for at in range(0, len(theirs.text), QUOTED))
    notes = [blocks.section(notice), *(blocks.section(mrkdwn(piece)) for piece in quoted)]
    view = _form(case, section, notes, (theirs.version, theirs.text), yours)
    return {"response_action": "update", "view": view}


@dataclass(frozen=True, slots=True)
class Reminded:
    """A reminder with the messages that it became."""

    reminder: Reminder
    deliveries: tuple[Delivery, ...]


def reminders(case: Case, had: tuple[Reminded, ...]) -> Message:
    """What was sent, when, to whom, and what comes next."""
    lines = [words.postmortem.reminders_heading(key=case.incident.key)]
    lines += [_reminder_line(case, one) for one in had]
    to_come = [one.reminder for one in had if one.reminder.state == "pending"]
    if not had:
        lines.append(words.postmortem.no_reminders())
    elif to_come:
        first = min(to_come, key=lambda reminder: reminder.due_at)
        lines.append(words.postmortem.next_reminder(what=steps.step_words(first.slot), due=first.due_at))
    else:
        lines.append(words.postmortem.no_next())
    return blocks.whisper("\n".join(lines))


def _reminder_line(case: Case, one: Reminded) -> str:
    reminder = one.reminder
    line: str = words.postmortem.reminder_line(
        what=steps.step_words(reminder.slot),
        due=f"{reminder.due_at:%Y-%m-%d %H:%M}",
        state="to come" if reminder.state == "pending" else reminder.state,
        settled=f"{reminder.settled_at:%Y-%m-%d %H:%M}" if reminder.settled_at else "",
        to=", ".join(_recipient(case, owed) for owed in one.deliveries if owed.kind == "reminder"),
        note=reminder.note,
    )
    return line


def _recipient(case: Case, owed: Delivery) -> str:
    state = {"sent": "", "pending": "waiting", "cancelled": "withdrawn", "dead": "not delivered"}
    in_channel = owed.recipient == case.incident.channel
    said: str = words.postmortem.recipient(
        name=case.name(owed.recipient),
        channel=owed.recipient if in_channel else "",
        state=state.get(owed.state, "on its way"),
        at=owed.due_at,
    )
    return said


def hand_over_form(incident: Incident) -> Block:
    """The form behind [Hand over]."""
    owner = {"type": "users_select", "action_id": "owner"}
    return _about(incident, "Hand over", "postmortem_hand_over", blocks.labelled("Who owns it now?", "owner", owner))


def waive_form(incident: Incident) -> Block:
    """The form behind [Not needed …]."""
    reason = blocks.text_input("reason", multiline=True, placeholder="a drill, nothing broke")
    return _about(incident, "Not needed", "postmortem_waive", blocks.labelled("Why not?", "reason", reason))


def _about(incident: Incident, title: str, callback: str, field: Block) -> Block:
    metadata = blocks.about(incident, channel=incident.channel)
    about = blocks.section(words.postmortem.about(key=incident.key, title=shortened(incident.title, 300)))
    return blocks.modal(title, callback, [about, field], submit="Save", private_metadata=metadata)


def help_text(systems: Iterable[str] = (), forms: Iterable[str] = tuple(FORMATS)) -> Message:
    """How to use `/postmortem`; `systems` are connected here, and `forms` can be written here."""
    return blocks.whisper(words.postmortem.help(systems=tuple(systems), forms=tuple(forms)))
