"""The postmortem's verbs: fill, own, publish, waive."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.errors import Refused
from bot.export.kept import Held
from bot.incident import alike, checks, publishing
from bot.incident import reminders as steps
from bot.incident import whys as chains
from bot.incident.findings import Finding, findings
from bot.incident.lifecycle import SAID
from bot.incident.milestones import reached
from bot.incident.postmortem import is_program
from bot.incident.records import Case, Incident, Milestone, PostmortemStatus, SectionText
from bot.incident.secrets import masked
from bot.incident.sections import BY_SLUG
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit, require, shortened
from bot.scribe import confluence, drafts, recall, secrets
from bot.scribe.desk import Asked, Desk, once, require_able, require_incident
from bot.scribe.pressed import require_owed
from bot.scribe.resolution import resume
from bot.scribe.standing import retire
from bot.slack import blocks
from bot.slack import incidents as shows
from bot.slack import kept as tells
from bot.slack import postmortem as says
from bot.slack import publishing as ends
from bot.slack.blocks import Block, Message
from bot.slack.drafts import filled_in
from bot.slack.postmortem import Filling, Reminded
from bot.slack.text import mrkdwn
from bot.slack.words import words
from storage import audit, cases, deliveries, incidents, reminders, sections
from storage.deliveries import Owed
from storage.reminders import Reminder
from storage.statements import Transaction

_NONE: Mapping[int, bool] = MappingProxyType({})

PUBLISHED_BY = "postmortem.publish"
"""What the audit calls a publication."""


async def overview(desk: Desk, asked: Asked) -> Message:
    """What is filled and what is missing."""

    def look(tx: Transaction) -> tuple[Case, tuple[Held, ...]]:
        case = _case(tx, asked)
        return case, drafts.edited(desk.exporter, case, asked.now)

    case, edited = await desk.store.read(look)
    shown = tells.section_of(edited, case.incident)
    return says.overview(case, asked.now, shown, await recall.alike(desk, asked, case.incident))


async def has_incident(desk: Desk, asked: Asked) -> bool:
    """Whether the channel has an incident of its own."""
    return await desk.store.read(lambda tx: incidents.current(tx, asked.place)) is not None


def _case(tx: Transaction, asked: Asked) -> Case:
    return cases.load(tx, require_incident(tx, asked))


async def section_form(desk: Desk, asked: Asked, slug: str) -> Block:
    """The form of one section, or with an empty slug of the first blank one, with what the record knows of it."""
    if slug and slug not in BY_SLUG:
        sentence = "There is no such section."
        raise Refused(sentence)

    def look(tx: Transaction) -> tuple[Case, str, SectionText | None, tuple[str, ...]]:
        case = _case(tx, asked)
        chosen = slug or next(iter(checks.blank_sections(case)), "summary")
        saved = sections.history(tx, case.incident.id, chosen)
        others = recall.other_causes(tx, case.incident) if chosen == "recurrence" else ()
        return case, chosen, saved[-1] if saved else None, others

    case, chosen, saved, others = await desk.store.read(look)
    past = await recall.alike(desk, asked, case.incident) if chosen in alike.SECTIONS else ()
    # Compiling is work: not where others wait. What somebody left empty on purpose is not filled in again.
    draft = "" if saved else await asyncio.to_thread(filled_in, case, chosen, asked.now, others)
    known = _who_knows(case, chosen) if draft else _known(case, chosen)
    text, version = (saved.text, saved.version) if saved else (draft, 0)
    return says.section_form(case, BY_SLUG[chosen], Filling(text, version, bool(draft), known), past)


def _who_knows(case: Case, slug: str) -> str:
    who = _who_may_know(case, slug)
    return f"Who may know: {mrkdwn(', '.join(who))}" if who else ""


def _known(case: Case, slug: str) -> str:
    """What the record already says about a section, escaped for Slack; empty where nothing."""
    marks = {"detection": (Milestone.DETECTED,), "recovery": (Milestone.MITIGATED, Milestone.RESOLVED)}
    found = reached(case.incident, case.entries)
    lines = [f"{SAID[m]} {found[m].at:%Y-%m-%d %H:%M} UTC" for m in marks.get(slug, ()) if m in found]
    if slug == "root_cause" and case.whys:
        lines.append(f"The last why: {mrkdwn(shortened(chains.quoted(masked(case.whys[-1].text)), 500))}")
    if slug == "response" and case.incident.lead:
        lines.append(f"Lead: {mrkdwn(case.name(case.incident.lead))}")
    return " · ".join(filter(None, [*lines, _who_knows(case, slug)]))


_MARKS_OF = {
    "fault": (Milestone.IMPACT_STARTED, Milestone.DETECTED),
    "impact": (Milestone.IMPACT_STARTED, Milestone.DETECTED),
    "detection": (Milestone.DETECTED,),
    "response": (Milestone.ACKNOWLEDGED,),
    "recovery": (Milestone.MITIGATED, Milestone.RESOLVED),
}


def _who_may_know(case: Case, slug: str) -> tuple[str, ...]:
    """The names of those who could answer: who saw that part of it, then the lead, then who opened it."""
    marks = _MARKS_OF.get(slug, ())
    seen = [entry.author for entry in case.entries if entry.milestone in marks]
    asked = [*seen, case.incident.lead, case.incident.opened_by]
    return tuple(dict.fromkeys(case.name(user) for user in asked if user and not is_program(case, user)))[:3]


async def pick_form(desk: Desk, asked: Asked) -> Block:
    """The form that chooses a section."""
    return await desk.store.read(lambda tx: says.pick_form(_case(tx, asked)))


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote into a section; `version` is the one that they saw, so that nobody's words are lost.

    What is not changed stays as it is; where nobody ever saved one, what the record filled in becomes theirs.
    """

    slug: str
    text: str
    version: int
    is_changed: bool


async def fill(desk: Desk, asked: Asked, written: Written, verdicts: Mapping[int, bool] = _NONE) -> Message | None:
    """Save a section, and what was said in its form of past incidents (by row: was it the same cause)."""
    slug, section = written.slug, BY_SLUG[written.slug]
    text = admit(written.text, section.title) if written.is_changed or not written.version else ""
    if verdicts:
        await recall.require_known(desk, asked, verdicts)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        history = sections.history(tx, incident.id, slug)
        if history and history[-1].version != written.version:
            who = desk.people.name(asked.team, history[-1].author) or history[-1].author
            yours = says.Yours(text if written.is_changed else None, verdicts)
            return says.conflict(cases.load(tx, incident), section, history[-1], who, yours)
        if written.is_changed or not history:
            sections.save(tx, incident.id, slug, text, asked.user, asked.now)
            secrets.warn(tx, incident, Subject(Noun.SECTION, slug), text, asked)
        recall.keep(tx, asked, incident, verdicts)
        return says.saved(cases.glance(tx, incident, 1)[0], section)

    return await once(desk, asked, unit)


async def set_owner(desk: Desk, asked: Asked, owner: str, *, is_handed_over: bool = False) -> Message | None:
    """Say who owes the document; `owner` is a user id. Handed over, the new one also reads it in their DM."""
    person = await require_able(desk, asked, owner, "own it")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        if is_handed_over:
            require_owed(incident)
        incident = replace(incident, postmortem_owner=owner)
        incidents.save(tx, incident)
        if is_handed_over and owner != asked.user:
            # As one of the reminders: the next of them takes its place, and what ends them ends it.
            latest = max((reminder.id for reminder in reminders.of_incident(tx, incident.id)), default=None)
            deliveries.owe(tx, Owed(asked.team, "handed", owner, asked.user, asked.now, incident.id, latest))
        retire(tx, incident, words.reminders.handed_over(owner=person.name), asked.now)
        return shows.said_to_all(words.postmortem.owner(key=incident.key, owner=owner, by=asked.user))

    return await once(desk, asked, unit)


async def to_look_at(desk: Desk, asked: Asked) -> tuple[tuple[Finding, ...], list[Block]]:
    """What is still to be looked at, and what people edited; read before the transaction that recorders wait for."""

    def look(tx: Transaction) -> tuple[tuple[Finding, ...], list[Block]]:
        case = _case(tx, asked)
        return findings(case, asked.now), tells.note(drafts.edited(desk.exporter, case, asked.now), case.incident)

    return await desk.store.read(look)


async def publish(desk: Desk, asked: Asked) -> Message | None:
    """It is finished: no more reminders. Where it is published already, who asks reads since when, and by whom."""
    found, edited = await to_look_at(desk, asked)

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, asked, locking=True)
        if before.postmortem_status is PostmortemStatus.PUBLISHED:
            who = audit.last_who(tx, before.id, PUBLISHED_BY)
            return ends.published_already(before, who, confluence.page_of(tx, desk, before))
        case, _ = cases.glance(tx, before, 1)
        incident = publishing.publish(case, asked.now)
        _finish(tx, asked, incident, "the postmortem was published")
        retire(tx, incident, words.reminders.published(), asked.now)
        page = confluence.bring_along(tx, desk, incident, asked)
        return ends.published(incident, asked.user, found, [*edited, *page])

    return await once(desk, asked, unit)


async def waive(desk: Desk, asked: Asked, reason: str) -> Message | None:
    """It is not needed: no more reminders."""
    reason = require(admit(reason, "That reason"), "Say why it is not needed: `/postmortem waive a drill`.")

    def unit(tx: Transaction) -> Message:
        incident = publishing.waive(require_incident(tx, asked, locking=True), reason)
        _finish(tx, asked, incident, "the postmortem was waived")
        retire(tx, incident, words.reminders.waived(reason=shortened(reason, 300)), asked.now)
        return ends.waived(incident, asked.user)

    return await once(desk, asked, unit)


async def reopen(desk: Desk, asked: Asked) -> Message | None:
    """It was published or waived by mistake: it is asked for again, from the next reminder that lies ahead.

    What stands elsewhere (its page, what customers read) is left as it is. Raises Refused where it is open.
    """

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, asked, locking=True)
        incident = publishing.reopen(before)
        incidents.save(tx, incident)
        return ends.reopened(incident, before, asked.user, resume(tx, desk.rules, incident, asked.now))

    return await once(desk, asked, unit)


def _finish(tx: Transaction, asked: Asked, incident: Incident, note: str) -> None:
    incidents.save(tx, incident)
    reminders.cancel(tx, incident.id, note, asked.now)


async def show_reminders(desk: Desk, asked: Asked) -> Message:
    """What was sent, when, to whom, and what comes next."""

    def look(tx: Transaction) -> tuple[Case, tuple[Reminded, ...]]:
        incident = require_incident(tx, asked)
        had = reminders.of_incident(tx, incident.id)
        return cases.glance(tx, incident, 1)[0], tuple(
            Reminded(reminder, deliveries.of_reminder(tx, reminder.id)) for reminder in had
        )

    case, had = await desk.store.read(look)
    asked_of = {owed.recipient for one in had for owed in one.deliveries if owed.recipient.startswith(("U", "W"))}
    known = {user: person for user in asked_of if (person := desk.people.seen(asked.team, user)) is not None}
    return says.reminders(replace(case, people=case.people | known), had)


async def snooze(desk: Desk, asked: Asked) -> Message | None:
    """Leave the owner alone for a day: what they were told becomes one line, and comes again then."""

    def unit(tx: Transaction) -> Message | None:
        incident = require_incident(tx, asked, locking=True)
        had = reminders.of_incident(tx, incident.id)
        if not had or steps.postmortem_reason_gone(incident):
            require_owed(incident)
            sentence = f"Nothing is asked of {incident.key} any more."
            raise Refused(sentence)
        if until := steps.snoozed_until({one.slot: one.due_at for one in had if one.state == "pending"}):
            return blocks.whisper(words.postmortem.snoozed(key=incident.key, until=until))
        latest = max(had, key=lambda reminder: reminder.id)
        step = steps.snooze(latest.slot, {reminder.slot: reminder.state for reminder in had}, asked.now)
        subject = (incident.team, steps.POSTMORTEM, str(incident.id))
        reminders.schedule(tx, Reminder(0, *subject, step.slot, incident.id, step.due_at, "pending", None, ""))
        why = words.reminders.snoozed(until=step.due_at)
        in_dm = asked.place.channel if asked.place.channel != incident.channel else ""
        retire(tx, incident, why, asked.now, channel=in_dm)
        return blocks.whisper(words.postmortem.snoozed(key=incident.key, until=step.due_at))

    return await once(desk, asked, unit)


async def hand_over_form(desk: Desk, asked: Asked) -> Block:
    """The form behind [Hand over]."""
    return await desk.store.read(lambda tx: says.hand_over_form(_owed(tx, asked)))


def _owed(tx: Transaction, asked: Asked) -> Incident:
    """The incident whose postmortem is still asked for; raises Refused for one of which nothing is."""
    incident = require_incident(tx, asked)
    require_owed(incident)
    return incident


async def waive_form(desk: Desk, asked: Asked) -> Block:
    """The form behind [Not needed …]."""
    return await desk.store.read(lambda tx: says.waive_form(_owed(tx, asked)))
