"""The postmortem in Slack: overview, findings with their buttons, forms, reminders, publication and waiver."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot import bounds
from bot.domain import checks as checks_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import reminders as reminders_rules
from bot.domain import sections as sections_rules
from bot.domain import text as text_rules
from bot.domain.checks import MOST_NAMED, Finding, Remedy
from bot.domain.document import Metrics
from bot.domain.outline import Outline, list_also_written, outline_of, title_of
from bot.domain.postmortem import compile_document, measure
from bot.domain.records import Action, ActionStatus, Case, Incident, Person, PostmortemStatus, SectionText, Why
from bot.domain.reminders import ReminderState, ReminderStep
from bot.domain.sections import Section, group_by_region, list_active
from bot.domain.text import format_duration, shorten, take_sentences
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views import incidents as incidents_views
from bot.slack.views import outline as outline_views
from bot.slack.views.actions import LINK_LIKE, due_label
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import SimilarCase
from bot.slack.views.templates import words
from storage.deliveries import Delivery
from storage.queues import DeliveryKind, DeliveryState
from storage.reminders import Reminder

MOST = 10
"""Findings that one message shows at most. The others show once these are fixed."""

GLANCED = 3
"""Findings that fit on one screen of a phone, beside all the rest."""

MOST_ASKED = 5
"""Findings that are asked about before publishing."""

SENTENCES, LONGEST_SUMMARY = 3, 400
LONGEST_ITEM, MOST_ITEMS = 200, 5
"""Characters of an action or a root cause in a publication, and how many of each."""
MOST_THANKED = 15

LONGEST_FINDING_QUOTE = 1_000
LINK = "finding_link_"
"""Prefix of the action ids of buttons that link an action to a root cause."""


def finding_blocks(findings: Sequence[Finding], incident: Incident, most: int = MOST) -> list[Block]:
    """The findings, each with its button, `most` of them; empty if there are none."""
    if not findings:
        return []
    shown = [blocks.section(words.findings.heading(count=len(findings)))]
    for finding in findings[:most]:
        text = words.findings.line(sentence=finding.sentence, is_question=finding.is_question)
        if finding.mend is Remedy.LINK_ACTION:
            shown += [blocks.section(text), blocks.actions(*_link_buttons(finding, incident))]
        else:
            shown.append(blocks.section(text, _button(finding, incident)))
    return shown


def _button(finding: Finding, incident: Incident, label: str = "") -> Block:
    own_label, action, about = _remedy_button(finding, incident)
    return blocks.button(label or own_label, action, blocks.incident_value(incident, **about))


_REMEDIES = {
    Remedy.ADD_ENTRY: ("Add entry", "timeline_form_open", ""),
    Remedy.MARK: ("Add milestone", "incident_milestone", ""),
    Remedy.COMPLETE_ACTION: ("Edit action", "finding_action", "action"),
    Remedy.ADD_ACTION: ("Add action", "why_action", "why"),
    Remedy.LINK_ACTION: ("Add action", "why_action", "why"),
    Remedy.SET_LEAD: ("Set lead", "finding_lead", ""),
    Remedy.SET_SEVERITY: ("Set severity", "finding_severity", ""),
}
"""Label and action id of a remedy's button, and what the target of the finding is called in its value."""


def _remedy_button(finding: Finding, incident: Incident) -> tuple[str, str, dict[str, object]]:
    """Label, action id, and what the value of the button names besides the incident."""
    if finding.mend is Remedy.EDIT_ENTRY:
        return f"Edit #{finding.target}", "timeline_edit", {"entry": finding.target}
    if finding.mend is Remedy.FILL_SECTION:
        return fill_label(incident, finding.section), "postmortem_fill", {"section": finding.section}
    label, action, about = _REMEDIES[finding.mend]
    return label, action, {about: finding.target} if about else {}


def fill_label(incident: Incident, slug: str) -> str:
    """The words on the button that opens a section's form."""
    return f"Fill: {title_of(incident, slug)}"


def _link_buttons(finding: Finding, incident: Incident) -> list[Block]:
    """A button for each action that may address the root cause, and one to add a new action."""
    row = [
        _link_button(f"Action {number}", number, incident, why=finding.target, action=number, back="overview")
        for number in finding.choices[:MOST_NAMED]
    ]
    return [*row, _button(finding, incident)]


def _link_button(label: str, number: int, incident: Incident, **about: object) -> Block:
    return blocks.button(label, f"{LINK}{number}", blocks.incident_value(incident, **about))


def link_offer_blocks(incident: Incident, roots: tuple[Why, ...], number: int) -> list[Block]:
    """Below a new action that is linked to no why: a button for each root cause without an action."""
    if not roots:
        return []
    named = [(why.number, shorten(text_rules.flatten(why.text), 120)) for why in roots[:MOST_NAMED]]
    row = [_link_button(f"For why {why}", why, incident, why=why, action=number) for why, _ in named]
    return [blocks.context(words.findings.which_root(roots=named)), blocks.actions(*row)]


def link_receipt(why: Why, action: Action) -> Message:
    """An action was linked to a why."""
    return blocks.ephemeral(words.findings.link_receipt(why=why.number, number=action.number))


def metrics_line(metrics: Metrics, *, is_whole: bool = False) -> Block:
    """How long it lasted, and how long it took to notice; `is_whole` has the other milestones, too."""
    spans = [("Lasted", metrics.time_to_resolve), ("detected after", metrics.time_to_detect)]
    if is_whole:
        spans += [("acknowledged after", metrics.time_to_acknowledge), ("mitigated after", metrics.time_to_mitigate)]
    known = [(name, format_duration(length)) for name, length in spans if length is not None]
    return blocks.context(words.findings.metrics(spans=known))


def action_form(action: Action, incident: Incident, person: Person | None, groups: actions_views.Groups) -> Block:
    """The form behind [Owner, date, link]. `person` is the current owner as last seen.

    A value that its field cannot show stays as it is unless another is chosen, and the form says so.
    """
    is_shown = actions_views.can_show_owner(action.owner, person, groups)
    owner = action.owner if is_shown else None
    link = action.link if len(action.link) <= bounds.FIELD else ""
    due = action.due_on.isoformat() if action.due_on else ""
    stays = [] if is_shown else [words.findings.owner_stays(name=person.name if person else action.owner)]
    stays += [] if link == action.link else [words.findings.link_stays()]
    marks = blocks.field_marks("", owner=owner or "", due=due, link=link)
    metadata = {"action": action.id, "incident": incident.id, "channel": incident.channel, **marks}
    return blocks.modal(
        f"Action {action.number}",
        "finding_action",
        [
            actions_views.heading(action),
            *(blocks.context(each) for each in stays),
            *actions_views.owner_fields("Owner", groups, owner, optional=True),
            blocks.input_block("Due date", blocks.due_picker(action.due_on), optional=True),
            blocks.text_field("Ticket link", "link", initial_value=link, placeholder=LINK_LIKE, optional=True),
        ],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def lead_form(incident: Incident) -> Block:
    """The form behind [Set lead]."""
    lead = {"type": "users_select", "action_id": "lead"}
    return _section_form(incident, "Set lead", "finding_lead", blocks.input_block("Who led the response?", lead))


def severity_form(incident: Incident) -> Block:
    """The form behind [Set severity]."""
    options = [blocks.option(f"sev{number}", str(number)) for number in range(1, 5)]
    field = blocks.input_block(
        "How severe was it? sev1 is worst", blocks.menu("severity", options, kind="radio_buttons")
    )
    return _section_form(incident, "Set severity", "finding_severity", field)


def action_receipt(action: Action, case: Case, today: date) -> Message:
    """An action's owner, date or link was changed."""
    due = due_label(action.due_on, today)
    facts = [case.name(action.owner), due and f"due {due}", action.link]
    text = words.findings.completed(
        number=action.number,
        key=case.incident.key,
        text=shorten(action.text, LONGEST_FINDING_QUOTE),
        facts=" · ".join(fact for fact in facts if fact),
    )
    return blocks.ephemeral(text)


def reopen_button(incident: Incident) -> Block:
    """[Reopen postmortem] after a publication or waiver. It asks for confirmation, since anyone may press it."""
    sure = words.postmortem.reopen_sure(key=incident.key)
    return blocks.button("Reopen postmortem", "postmortem_reopen", _about(incident), confirm=sure)


def publish_button(incident: Incident) -> Block:
    """[Publish]. It asks for confirmation, since the whole channel sees the result."""
    sure = words.postmortem.publish_sure(key=incident.key)
    return blocks.button("Publish", "postmortem_publish", _about(incident), confirm=sure)


def export_button(incident: Incident) -> Block:
    """[Export]: the draft as a file."""
    return blocks.button("Export", "postmortem_export", _about(incident))


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication tells besides the case: who responded (names), how long it lasted, who published it (a name).

    `page` links its Confluence page, or offers one. `address` is that of its page in the library, or "".
    """

    responders: tuple[str, ...]
    duration: timedelta | None
    by: str
    page: tuple[Block, ...] = ()
    address: str = ""


def published_message(case: Case, publication: Publication, now: datetime) -> Message:
    """To the channel: what happened, why, what is still to be done, and where to read it all."""
    incident = case.incident
    still_open = [action for action in case.actions if action.status is ActionStatus.OPEN]
    facts = (incident.severity_name, publication.duration and format_duration(publication.duration))
    text = words.postmortem.published(
        key=incident.key,
        title=shorten(incident.title, 200),
        facts=", ".join(fact for fact in facts if fact),
        summary=take_sentences(postmortem_rules.read_section(case, "summary"), SENTENCES, LONGEST_SUMMARY),
        roots=[take_sentences(cause, 2, LONGEST_ITEM) for cause in postmortem_rules.list_root_causes(case)][
            :MOST_ITEMS
        ],
        actions=[_open_action(action, case, now) for action in still_open[:MOST_ITEMS]],
        more=max(len(still_open) - MOST_ITEMS, 0),
        done=sum(action.status is ActionStatus.DONE for action in case.actions),
        responders=publication.responders[:MOST_THANKED],
        others=max(len(publication.responders) - MOST_THANKED, 0),
        by=publication.by,
    )
    # Made when it is pressed: a file that was exported before the publication is a draft, and out of date (decision
    # 51).
    get = blocks.button("Get the document", "postmortem_export", blocks.incident_value(incident, form="html"))
    end = blocks.actions(*blocks.read_button(publication.address), get, reopen_button(incident))
    return blocks.public(text, blocks=[*blocks.sections(text), *publication.page, end])


def _open_action(action: Action, case: Case, now: datetime) -> tuple[str, str, str]:
    """Its text, the name of its owner, and its due date."""
    text = shorten(text_rules.flatten(action.text), LONGEST_ITEM)
    return text, case.name(action.owner), due_label(action.due_on, now.date())


def published_receipt(incident: Incident) -> Message:
    """To the person who published anyway; the publication itself is in the channel."""
    return blocks.ephemeral(words.postmortem.published_anyway(key=incident.key))


def publish_question(incident: Incident, found: Sequence[Finding], edited: list[Block]) -> Message:
    """To the person who publishes: what readers would stumble over, each with [Fix], and [Publish anyway]."""
    text = words.postmortem.publish_question(key=incident.key, count=len(found) + len(edited))
    shown = [
        blocks.section(
            words.findings.line(sentence=finding.sentence, is_question=False), _button(finding, incident, "Fix")
        )
        for finding in found[:MOST_ASKED]
    ]
    if len(found) > MOST_ASKED:
        shown.append(blocks.context(words.findings.later(count=len(found) - MOST_ASKED)))
    anyway = blocks.button("Publish anyway", "postmortem_publish_anyway", _about(incident))
    return blocks.ephemeral(text, *shown, *edited, blocks.actions(anyway))


def waived_message(incident: Incident, by: str) -> Message:
    """To the channel: the postmortem was waived."""
    text = words.postmortem.waived(key=incident.key, by=by, reason=incident.postmortem_reason)
    shown = [blocks.section(text), blocks.actions(reopen_button(incident))]
    return blocks.public(text, blocks=shown)


def reopened_message(case: Case, before: Incident, by: str, ahead: ReminderStep | None, now: datetime) -> Message:
    """To the channel: the postmortem is open again. `before` is its earlier state, `ahead` the next reminder."""
    incident = case.incident
    text = words.postmortem.reopened(
        key=incident.key,
        by=by,
        before=str(before.postmortem_status),
        owner=case.name(incident.postmortem_owner),
        due=ahead.due_at if ahead else None,
        now=now,
    )
    buttons = [
        blocks.button("What's missing", "postmortem_show", _about(incident)),
        blocks.button("Hand over", "postmortem_hand_over", _about(incident)),
    ]
    return blocks.public(text, blocks.actions(*buttons))


def already_published_message(incident: Incident, by: str, page: Sequence[Block], now: datetime) -> Message:
    """It was published before: by whom (a name), when, and what to do now. `page` links its Confluence page, if any."""
    text = words.postmortem.published_already(key=incident.key, by=by, at=incident.published_at, now=now)
    row = [
        blocks.button("Show postmortem", "postmortem_show", _about(incident)),
        blocks.button("Export", "postmortem_export", _about(incident)),
    ]
    if page:
        row.append(blocks.button("Update page", "confluence_publish", _about(incident)))
    row.append(reopen_button(incident))
    return blocks.ephemeral(text, *page, blocks.actions(*row))


def _about(incident: Incident) -> str:
    """The value of a button about the incident."""
    return blocks.incident_value(incident)


FIRST = f"{blocks.TEXT}_0"
"""The first field of a section's form."""

LONGEST_SECTION_QUOTE = 2_000
"""Characters of another person's text in one paragraph above a form."""

PROPOSED = 1
"""Similar incidents, and edited sections, that the meter shows."""


@dataclass(frozen=True, slots=True)
class ToCheck:
    """What a person may want to look at besides blank sections: findings, edited sections, similar incidents.

    `edited` are the blocks of one edited section each, `review` those of its review.
    """

    found: tuple[Finding, ...]
    edited: tuple[Block, ...] = ()
    review: tuple[Block, ...] = ()
    past: tuple[SimilarCase, ...] = ()
    offer: Outline | None = None


def overview(case: Case, now: datetime, check: ToCheck, *, is_whole: bool = False) -> Message:
    """What is filled and missing, and what to check. It fits one screen of a phone, unless it is the `is_whole` one."""
    incident = case.incident
    filled, total = checks_rules.count_sections(case)
    most, others = (MOST, None) if is_whole else (GLANCED, PROPOSED)
    text = words.postmortem.overview(
        key=incident.key,
        title=incident.title,
        meter="█" * filled + "░" * (total - filled),
        filled=filled,
        total=total,
        status="" if incident.postmortem_status is PostmortemStatus.OPEN else str(incident.postmortem_status),
        owner=case.name(incident.postmortem_owner),
        reason=incident.postmortem_reason,
    )
    blank = [title_of(incident, slug) for slug in checks_rules.sort_by_weight(case)]
    rest = words.postmortem.blank(titles=blank, is_open=not incident.postmortem_status.is_finished)
    hidden = 0 if is_whole else max(len(check.found) - most, 0)
    is_cut = not is_whole and (hidden > 0 or len(check.edited) > PROPOSED or len(check.past) > PROPOSED)
    shown = [
        blocks.section(text),
        next_row(case),
        blocks.section(rest),
        metrics_line(measure(case, now), is_whole=is_whole),
        *check.review,
        *finding_blocks(check.found, incident, most),
        *outline_views.offer_blocks(incident, check.offer),
        *check.edited[:others],
        *incidents_views.proposal_blocks(incident, check.past[:others], now.date()),
    ]
    if is_cut:
        shown.append(_more_row(hidden, incident))
    elif len(check.found) > most:
        shown.append(blocks.context(words.findings.later(count=len(check.found) - most)))
    return blocks.ephemeral(text, blocks=shown)


def _more_row(hidden: int, incident: Incident) -> Block:
    """How many findings are left out, with [Show all checks]."""
    button = blocks.button("Show all checks", "postmortem_show_all", _about(incident))
    return blocks.section(words.findings.more(count=hidden), button) if hidden else blocks.actions(button)


def next_row(case: Case) -> Block:
    """[Fill: …] for the section to fill next, [Other sections], [Export]; then [Publish], or [Reopen postmortem]."""
    incident = case.incident
    slug = checks_rules.find_next_section(case)
    first = (
        blocks.button(fill_label(incident, slug), "postmortem_fill", section_ref(incident, slug), style="primary")
        if slug
        else _edit_button(incident)
    )
    others = blocks.button("Other sections", "postmortem_pick", section_ref(incident, ""))
    end = [reopen_button(incident)] if incident.postmortem_status.is_finished else []
    if postmortem_rules.can_publish(case):
        end = [publish_button(incident)]
    return blocks.actions(first, others, export_button(incident), *end)


def _edit_button(incident: Incident) -> Block:
    """[Edit summary], or the first section of a form without one."""
    outline = outline_of(incident)
    slug = "summary" if outline.has("summary") else outline.sections[0].slug
    label = "Edit summary" if slug == "summary" else f"Edit: {title_of(incident, slug)}"
    return blocks.button(label, "postmortem_fill", section_ref(incident, slug))


def section_ref(incident: Incident, slug: str) -> str:
    """The value of a button about a section; an empty slug leaves the choice open."""
    return blocks.incident_value(incident, section=slug)


@dataclass(frozen=True, slots=True)
class SectionFilling:
    """The text for a section's form: as saved in `version`, or drafted from the record (version 0).

    `known` is what else the record knows, as mrkdwn.
    """

    text: str
    version: int
    is_draft: bool
    known: str


def section_form(
    case: Case, section: Section, filling: SectionFilling, past: tuple[SimilarCase, ...], today: date
) -> Block:
    """A section's form: what the record knows, the question, and the text so far.

    A text of more than 3,000 characters continues in the next field.
    """
    notes = [blocks.context(filling.known)] if filling.known else []
    if filling.is_draft:
        notes.append(blocks.context(words.postmortem.filled_in()))
    notes += [*_edited_note(case, section), *incidents_views.question_fields(past, today)]
    return _form(case, section, notes, (filling.version, filling.text))


def _edited_note(case: Case, section: Section) -> list[Block]:
    """A note that the section was edited in a draft, and that the form does not overwrite that text."""
    texts = list_active(group_by_region(case.edited_sections).get(section.slug, ()))
    if not texts:
        return []
    who = case.name(texts[-1].author) or words.edits.unknown_author()
    return [blocks.context(words.edits.in_form(who=who, at=texts[-1].saved_at))]


@dataclass(frozen=True, slots=True)
class SentSection:
    """The values of a submitted section form: the text, None if unchanged, and verdicts about similar incidents."""

    text: str | None
    verdicts: Mapping[int, bool]


def _form(
    case: Case, section: Section, notes: list[Block], saved: tuple[int, str], sent: SentSection | None = None
) -> Block:
    """The form with the saved text `saved` (version and text), or after a conflict with the submitted `sent`."""
    version, text = saved
    typed = sent.text if sent else None
    metadata = {
        "incident": case.incident.id,
        "channel": case.incident.channel,
        "section": section.slug,
        "version": version,
        **blocks.field_marks(text, typed),
        **({"alike": incidents_views.verdict_values(sent.verdicts)} if sent else {}),
    }
    edition = str(version) if sent else ""
    shown = blocks.text_fields(
        section.question, text if typed is None else typed, first=FIRST, optional=True, edition=edition
    )
    return blocks.modal(
        section.title,
        "postmortem_section",
        [*notes, *shown],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def pick_form(case: Case) -> Block:
    """The form to choose a section."""
    outline = outline_of(case.incident)
    found = [*outline.sections, *map(outline.find, list_also_written(case, outline))]
    options = [blocks.option(one.title, one.slug) for one in found if one.slug != "timeline"]
    return blocks.modal(
        "Fill a section",
        "postmortem_pick",
        [blocks.input_block("Which section?", blocks.menu("section", options))],
        submit="Next",
        private_metadata=blocks.incident_value(case.incident, channel=case.incident.channel),
    )


def section_receipt(case: Case, section: Section) -> Message:
    """A section was saved."""
    filled, total = checks_rules.count_sections(case)
    text = words.postmortem.saved(title=section.title, key=case.incident.key, filled=filled, total=total)
    return blocks.ephemeral(text, next_row(case))


def conflict_form(case: Case, section: Section, theirs: SectionText, who: str, sent: SentSection) -> Message:
    """The form again, because someone else saved the section in the meantime: their text above, the typed one below.

    If nothing was typed, the fields show their text, too. The form holds their version, so saving it overwrites their
    text knowingly.
    """
    notice = words.postmortem.conflict(title=section.title, who=who, emptied=not theirs.text)
    quoted = (theirs.text[at : at + LONGEST_SECTION_QUOTE] for at in range(0, len(theirs.text), LONGEST_SECTION_QUOTE))
    notes = [blocks.section(notice), *(blocks.section(mrkdwn(piece)) for piece in quoted)]
    view = _form(case, section, notes, (theirs.version, theirs.text), sent)
    return {"response_action": "update", "view": view}


@dataclass(frozen=True, slots=True)
class ReminderHistory:
    """A reminder and its messages."""

    reminder: Reminder
    deliveries: tuple[Delivery, ...]


def reminders_message(case: Case, had: tuple[ReminderHistory, ...], now: datetime) -> Message:
    """Which reminders were sent, when and to whom, and the next one."""
    lines = [words.postmortem.reminders_heading(key=case.incident.key)]
    lines += [_reminder_line(case, one, now) for one in had]
    to_come = [one.reminder for one in had if one.reminder.state is ReminderState.PENDING]
    if not had:
        lines.append(words.postmortem.no_reminders())
    elif to_come:
        first = min(to_come, key=lambda reminder: reminder.due_at)
        what = reminders_rules.describe_step(first.slot)
        lines.append(words.postmortem.next_reminder(what=what, due=first.due_at, now=now))
    else:
        lines.append(words.postmortem.no_next())
    return blocks.ephemeral("\n".join(lines))


def _reminder_line(case: Case, one: ReminderHistory, now: datetime) -> str:
    reminder = one.reminder
    return words.postmortem.reminder_line(
        what=reminders_rules.describe_step(reminder.slot),
        due=reminder.due_at,
        state="to come" if reminder.state is ReminderState.PENDING else reminder.state,
        settled=reminder.settled_at,
        to=", ".join(_recipient(case, owed, now) for owed in one.deliveries if owed.kind is DeliveryKind.REMINDER),
        note=reminder.note,
        now=now,
    )


def _recipient(case: Case, owed: Delivery, now: datetime) -> str:
    state = {
        DeliveryState.SENT: "",
        DeliveryState.PENDING: "waiting",
        DeliveryState.CANCELLED: "withdrawn",
        DeliveryState.DEAD: "not delivered",
    }
    in_channel = owed.recipient == case.incident.channel
    return words.postmortem.recipient(
        name=case.name(owed.recipient),
        channel=owed.recipient if in_channel else "",
        state=state.get(owed.state, "on its way"),
        at=owed.due_at,
        now=now,
    )


def hand_over_form(incident: Incident) -> Block:
    """The form behind [Hand over]."""
    owner = {"type": "users_select", "action_id": "owner"}
    return _section_form(incident, "Hand over", "postmortem_hand_over", blocks.input_block("Who owns it now?", owner))


def waive_form(incident: Incident) -> Block:
    """The form behind [Not needed …]."""
    reason = blocks.text_input("reason", multiline=True, placeholder="a drill, nothing broke")
    return _section_form(incident, "Not needed", "postmortem_waive", blocks.input_block("Why not?", reason))


def _section_form(incident: Incident, title: str, callback: str, field: Block) -> Block:
    metadata = blocks.incident_value(incident, channel=incident.channel)
    about = blocks.section(words.postmortem.about(key=incident.key, title=shorten(incident.title, 300)))
    return blocks.modal(title, callback, [about, field], submit="Save", private_metadata=metadata)


def draft_text(case: Case, slug: str, now: datetime, other_causes: tuple[str, ...] = ()) -> str:
    """The section drafted from the record, as plain text; empty if the record has nothing for it."""
    return words.drafts.section(draft=sections_rules.draft_section(compile_document(case, now), slug, other_causes))
