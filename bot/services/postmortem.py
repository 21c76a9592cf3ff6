"""The postmortem: fill sections, own, publish, waive; and forms for what the checks found.

Channels are archived once an incident is over, so a postmortem is finished from a direct message, or from any channel
by its key. A person who may look into the incident's channel may do there what they may do in it; if Slack does not
answer, no one may.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from types import MappingProxyType

from bot.domain import actions as actions_rules
from bot.domain import checks as checks_rules
from bot.domain import outline as outline_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import reminders as reminders_rules
from bot.domain import similarity as similarity_rules
from bot.domain import whys as whys_rules
from bot.domain.checks import Finding, list_findings
from bot.domain.incident import MILESTONE_TEXTS, list_reached_milestones
from bot.domain.library import library_url
from bot.domain.policy import PostmortemRule
from bot.domain.postmortem import is_monitoring
from bot.domain.records import Action, ActionStatus, Case, Incident, Milestone, Person, PostmortemStatus, SectionText
from bot.domain.reminders import ReminderKind, ReminderState
from bot.domain.secrets import RecordKind, RecordRef, mask_credentials
from bot.domain.sections import section_title
from bot.domain.text import clean_input, format_day_time, require_text, shorten
from bot.domain.times import due_dates
from bot.errors import OutdatedButton, Refused
from bot.services import incidents as incidents_service
from bot.services import outline as outline_service
from bot.services import review as review_service
from bot.services import secrets as secrets_service
from bot.services.actions import require_action, require_ahead, require_open, require_owner
from bot.services.context import Request, Services, require_able, require_incident, require_visible, run_once
from bot.services.corrections import require_active
from bot.services.documents import drafts as drafts_service
from bot.services.notifications.reminders import describe_snooze, notify_owner, resume, retire, update_reminders
from bot.slack.directory import find_zone
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views import drafts as drafts_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views import reminders as reminders_views
from bot.slack.views import review as review_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.postmortem import Publication, ReminderHistory, SectionFilling, ToCheck, draft_text
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery
from storage.postmortem import sections as sections_store
from storage.queues import DeliveryKind
from storage.reminders import Reminder

_NONE: Mapping[int, bool] = MappingProxyType({})

PUBLISHED_BY = "postmortem.publish"
"""What the audit calls a publication."""


async def overview(services: Services, request: Request, *, is_whole: bool = False) -> Message:
    """What is filled, what is missing, and what to check; `is_whole` leaves nothing out."""

    def look(tx: Transaction) -> tuple[Case, ToCheck]:
        case = _case(tx, request)
        edited = drafts_service.list_edited(services.exporter, case, request.now)
        offer = outline_service.find_offer(tx, services, case.incident)
        return case, ToCheck(
            list_findings(case, request.now), drafts_views.edited_section_blocks(edited, case.incident), offer=offer
        )

    case, found = await services.store.read(look)
    zone = services.zone_for(await services.slack.directory.look_up(request.team, request.user))
    review = review_views.status_blocks(case, request.user, zone, request.now)
    past = await incidents_service.find_similar(services, request, case.incident)
    check = replace(found, past=past, review=tuple(review))
    return await asyncio.to_thread(postmortem_views.overview, case, request.now, check, is_whole=is_whole)


async def has_incident(services: Services, request: Request) -> bool:
    """Whether the channel has its own incident."""
    return await services.store.read(lambda tx: incidents_store.find_current(tx, request.place)) is not None


def _case(tx: Transaction, request: Request) -> Case:
    return case_store.load(tx, require_incident(tx, request))


async def section_form(services: Services, request: Request, slug: str) -> Block:
    """The form of one section, or with an empty slug of the first blank one, with what the record knows of it."""

    def look(tx: Transaction) -> tuple[Case, str, SectionText | None, tuple[str, ...]]:
        case = _case(tx, request)
        outline = outline_rules.outline_of(case.incident)
        chosen = slug or checks_rules.find_next_section(case) or outline.sections[0].slug
        saved = sections_store.list_versions_of(tx, case.incident.id, chosen)
        others = incidents_service.list_other_causes(tx, case.incident) if chosen == "recurrence" else ()
        return case, chosen, saved[-1] if saved else None, others

    case, chosen, saved, others = await services.store.read(look)
    past = (
        await incidents_service.find_similar(services, request, case.incident)
        if chosen in similarity_rules.SECTIONS
        else ()
    )
    # Compiling takes long: in a thread, so that others need not wait. A section that was left empty on purpose is saved
    # as empty, and is not filled in again.
    draft = "" if saved else await asyncio.to_thread(draft_text, case, chosen, request.now, others)
    known = _who_knows(case, chosen) if draft else _describe_known(case, chosen, request.now)
    text, version = (saved.text, saved.version) if saved else (draft, 0)
    return postmortem_views.section_form(
        case,
        outline_rules.outline_of(case.incident).find(chosen),
        SectionFilling(text, version, bool(draft), known),
        past,
        request.now.date(),
    )


def _who_knows(case: Case, slug: str) -> str:
    who = _who_may_know(case, slug)
    return f"Ask: {mrkdwn(', '.join(who))}" if who else ""


def _describe_known(case: Case, slug: str, now: datetime) -> str:
    """What the record already knows for a section, escaped for Slack; empty if nothing."""
    marks = {"detection": (Milestone.DETECTED,), "recovery": (Milestone.MITIGATED, Milestone.RESOLVED)}
    found = list_reached_milestones(case.incident, case.entries)
    lines = [
        f"{MILESTONE_TEXTS[m]} {format_day_time(found[m].at, now.date())}" for m in marks.get(slug, ()) if m in found
    ]
    if slug == "root_cause" and case.whys:
        lines.append(f"Last why: {mrkdwn(shorten(whys_rules.quote_answer(mask_credentials(case.whys[-1].text)), 500))}")
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
    return tuple(dict.fromkeys(case.name(user) for user in asked if user and not is_monitoring(case, user)))[:3]


async def pick_form(services: Services, request: Request) -> Block:
    """The form that chooses a section."""
    return await services.store.read(lambda tx: postmortem_views.pick_form(_case(tx, request)))


@dataclass(frozen=True, slots=True)
class WrittenSection:
    """A section as written in its form; `version` is the one that was seen, so that no one's words are lost.

    An unchanged text stays as it is; if no one ever saved one, the text that the record filled in becomes the author's.
    """

    slug: str
    text: str
    version: int
    is_changed: bool


async def fill(
    services: Services, request: Request, written: WrittenSection, verdicts: Mapping[int, bool] = _NONE
) -> Message | None:
    """Save a section and the decisions about past incidents in its form (by row: whether it was the same cause)."""
    slug = written.slug
    text = clean_input(written.text, section_title(slug)) if written.is_changed or not written.version else ""
    if verdicts:
        await incidents_service.require_known(services, request, verdicts)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        # Also one that the outline lost while the form was open: its text is kept, and shown at the end.
        section = outline_rules.outline_of(incident).find(slug)
        history = sections_store.list_versions_of(tx, incident.id, slug)
        # Someone saved it while the form was open: the form comes back with both texts.
        if history and history[-1].version != written.version:
            who = services.slack.directory.name_or_id(request.team, history[-1].author)
            yours = postmortem_views.SentSection(text if written.is_changed else None, verdicts)
            return postmortem_views.conflict_form(case_store.load(tx, incident), section, history[-1], who, yours)
        if written.is_changed or not history:
            sections_store.save(tx, incident.id, slug, text, request.user, request.now)
            secrets_service.warn(tx, incident, RecordRef(RecordKind.SECTION, slug), text, request)
        incidents_service.save_verdicts(tx, request, incident, verdicts)
        if bool(text) != bool(history and history[-1].text):
            update_reminders(tx, incident, request.now)
        return postmortem_views.section_receipt(case_store.load_latest(tx, incident), section)

    return await run_once(services, request, unit, verb="postmortem.fill")


def _is_owed(incident: Incident) -> bool:
    return incident.resolved_at is not None and not incident.postmortem_status.is_finished


async def set_owner(
    services: Services, request: Request, owner: str, *, is_handed_over: bool = False
) -> Message | None:
    """Set the owner of the document, a user id. Once it is waiting, the new owner gets a DM; no one else is told.

    It `is_handed_over` by a reminder's form, which refuses if nothing is waiting any more.
    """
    person = await require_able(services, request, owner, "own it")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        if is_handed_over:
            postmortem_rules.require_owed(incident)
        incident = replace(incident, postmortem_owner=owner)
        incidents_store.save(tx, incident)
        if _is_owed(incident) and owner != request.user:
            # As one of the reminders: the next of them takes its place, and what ends them ends it.
            latest = max((reminder.id for reminder in reminders_store.list_by_incident(tx, incident.id)), default=None)
            deliveries_store.enqueue(
                tx,
                NewDelivery(request.team, DeliveryKind.HANDOVER, owner, request.user, request.now, incident.id, latest),
            )
        retire(tx, incident, words.reminders.handed_over(owner=person.name), request.now)
        return blocks.ephemeral(words.postmortem.owner(key=incident.key, owner=owner))

    return await run_once(services, request, unit, verb="postmortem.set_owner")


@dataclass(frozen=True, slots=True)
class _BeforePublishing:
    """What a publication tells of the whole record, and what is asked first: read before recorders have to wait."""

    findings: tuple[Finding, ...]
    edited: list[Block]
    responders: tuple[str, ...]
    duration: timedelta | None


async def publish(services: Services, request: Request, *, is_sure: bool = False) -> Message | None:
    """Publish: no more reminders. If it is published already, the answer says since when, and by whom.

    What readers would stumble over is asked about first, unless the person `is_sure`: they pressed [Publish anyway].
    """
    # Before the transaction: it compiles the document, which takes long for a long timeline.
    record = await _read_before_publishing(services, request)

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, request, locking=True)
        if before.postmortem_status is PostmortemStatus.PUBLISHED:
            who = audit_store.find_last_author(tx, before.id, PUBLISHED_BY)
            page = services.integrations.page.current(tx, before)
            return postmortem_views.already_published_message(
                before, services.slack.directory.name_or_id(request.team, who), page, request.now
            )
        case = case_store.load_latest(tx, before)
        incident = postmortem_rules.publish(case, request.now)
        review_service.require_reviewed(tx, case, is_required=before.policy is not None and before.policy.needs_review)
        if not is_sure and (record.findings or record.edited):
            return postmortem_views.publish_question(incident, record.findings, record.edited)
        _finish(tx, request, incident, "the postmortem was published")
        review_service.end(tx, request, incident, words.review.is_published())
        retire(tx, incident, words.reminders.published(), request.now)
        page = services.integrations.page.after_publication(tx, incident, request.now)
        by = services.slack.directory.name_or_id(request.team, request.user)
        publication = Publication(
            record.responders, record.duration, by, tuple(page), library_url(services.policy.library, incident)
        )
        message = postmortem_views.published_message(replace(case, incident=incident), publication, request.now)
        if not is_sure:
            return message
        # As a message of its own, so that the answer takes the place of the question and its buttons.
        deliveries_store.enqueue_message(
            tx, incident, {key: value for key, value in message.items() if key != "response_type"}, request.now
        )
        return postmortem_views.published_receipt(incident)

    return await run_once(services, request, unit, verb="postmortem.publish")


async def _read_before_publishing(services: Services, request: Request) -> _BeforePublishing:
    def look(tx: Transaction) -> _BeforePublishing:
        case = _case(tx, request)
        edited = drafts_service.list_edited(services.exporter, case, request.now)
        return _BeforePublishing(
            tuple(one for one in list_findings(case, request.now) if one.is_asked_before_publishing),
            drafts_views.edits_note(edited, case.incident),
            postmortem_rules.list_responders(case),
            postmortem_rules.find_duration(case),
        )

    return await services.store.read(look)


async def waive(services: Services, request: Request, reason: str) -> Message | None:
    """It is not needed: no more reminders."""
    reason = require_text(clean_input(reason, "That reason"), "Say why it isn't needed: `/postmortem waive a drill`")

    def unit(tx: Transaction) -> Message:
        incident = postmortem_rules.waive(require_incident(tx, request, locking=True), reason)
        _finish(tx, request, incident, "the postmortem was waived")
        review_service.end(tx, request, incident, words.review.is_waived())
        retire(tx, incident, words.reminders.waived(reason=shorten(reason, 300)), request.now)
        return postmortem_views.waived_message(
            incident, services.slack.directory.name_or_id(request.team, request.user)
        )

    return await run_once(services, request, unit, verb="postmortem.waive")


async def skip_optional(services: Services, request: Request) -> Message | None:
    """[Not needed]: an optional postmortem is waived, for the reason that it is optional."""
    incident = await services.store.read(lambda tx: require_incident(tx, request))
    if incident.rule is not PostmortemRule.OPTIONAL:
        postmortem_rules.require_owed(incident)
        raise OutdatedButton(f"The postmortem of {incident.key} is asked for now. To waive it: `/postmortem waive …`")
    return await waive(services, request, words.policy.skip_reason(severity=incident.severity))


async def reopen(services: Services, request: Request) -> Message | None:
    """Undo a publication or a waiver by mistake: reminders continue with the next one that lies ahead.

    Copies in other systems (its page, customer updates) stay as they are. Raises Refused if it is open.
    """

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, request, locking=True)
        incident = postmortem_rules.reopen(before)
        incidents_store.save(tx, incident)
        ahead = resume(tx, services.policy.reminders, incident, request.now)
        case = case_store.load_latest(tx, incident)
        by = services.slack.directory.name_or_id(request.team, request.user)
        return postmortem_views.reopened_message(case, before, by, ahead, request.now)

    return await run_once(services, request, unit, verb="postmortem.reopen")


def _finish(tx: Transaction, request: Request, incident: Incident, note: str) -> None:
    incidents_store.save(tx, incident)
    reminders_store.cancel(tx, incident.id, note, request.now)


async def show_reminders(services: Services, request: Request) -> Message:
    """What was sent, when, to whom, and what comes next."""

    def look(tx: Transaction) -> tuple[Case, tuple[ReminderHistory, ...]]:
        incident = require_incident(tx, request)
        had = reminders_store.list_by_incident(tx, incident.id)
        return case_store.load_latest(tx, incident), tuple(
            ReminderHistory(reminder, deliveries_store.list_by_reminder(tx, reminder.id)) for reminder in had
        )

    case, had = await services.store.read(look)
    asked_of = {owed.recipient for one in had for owed in one.deliveries if owed.recipient.startswith(("U", "W"))}
    known = {
        user: person for user in asked_of if (person := services.slack.directory.get(request.team, user)) is not None
    }
    return postmortem_views.reminders_message(replace(case, people=case.people | known), had, request.now)


async def snooze(services: Services, request: Request) -> Message | None:
    """Leave the owner alone for a day: their reminder becomes one line, and comes again then."""

    def unit(tx: Transaction) -> Message | None:
        incident = require_incident(tx, request, locking=True)
        had = reminders_store.list_by_incident(tx, incident.id)
        reader, today = (request.team, request.user), request.now.date()
        rules = reminders_rules.limit_rules(incident.policy, services.policy.reminders)
        describe = partial(describe_snooze, tx, rules, reader, today=today)
        if not had or reminders_rules.postmortem_reason_gone(incident):
            postmortem_rules.require_owed(incident)
            raise Refused(f"{incident.key} has no more reminders.")
        if until := reminders_rules.find_snooze_end(
            {one.slot: one.due_at for one in had if one.state is ReminderState.PENDING}
        ):
            return reminders_views.snooze_receipt(incident, describe(until))
        latest = max(had, key=lambda reminder: reminder.id)
        step = reminders_rules.plan_snooze(
            latest.slot, {reminder.slot: reminder.state for reminder in had}, request.now
        )
        subject = (incident.team, ReminderKind.POSTMORTEM, str(incident.id))
        reminders_store.schedule(
            tx, Reminder(0, *subject, step.slot, incident.id, step.due_at, ReminderState.PENDING, None, "")
        )
        until_label = describe(step.due_at)
        in_dm = request.place.channel if request.place.channel != incident.channel else ""
        retire(tx, incident, words.reminders.snoozed(until=until_label), request.now, channel=in_dm)
        return reminders_views.snooze_receipt(incident, until_label)

    return await run_once(services, request, unit, verb="postmortem.snooze")


async def hand_over_form(services: Services, request: Request) -> Block:
    """The form behind [Hand over]."""
    return await services.store.read(lambda tx: postmortem_views.hand_over_form(_require_owed(tx, request)))


def _require_owed(tx: Transaction, request: Request) -> Incident:
    """The incident, if its postmortem is still owed. Raises Refused if not."""
    incident = require_incident(tx, request)
    postmortem_rules.require_owed(incident)
    return incident


async def lead_form(services: Services, request: Request) -> Block:
    """The form behind [Set lead]."""
    return await services.store.read(lambda tx: postmortem_views.lead_form(require_incident(tx, request)))


async def severity_form(services: Services, request: Request) -> Block:
    """The form behind [Set severity]."""
    return await services.store.read(lambda tx: postmortem_views.severity_form(require_incident(tx, request)))


async def waive_form(services: Services, request: Request) -> Block:
    """The form behind [Not needed …]."""
    return await services.store.read(lambda tx: postmortem_views.waive_form(_require_owed(tx, request)))


@dataclass(frozen=True, slots=True)
class CompletedAction:
    """The changes in the form of an action: its owner (the id of a person or a group), due date, link.

    `changed` names the fields; the others stay as they are, even if another person changed them meanwhile.
    """

    owner: str | None
    due_on: date | None
    link: str
    changed: frozenset[str]


async def action_form(services: Services, request: Request, action_id: int) -> Block:
    """The form that gives an action its owner, date and link."""
    groups = await services.slack.directory.names.groups(request.team)

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        action = _of(tx, incident.id, action_id)
        require_open(action)
        return postmortem_views.action_form(
            action, incident, services.slack.directory.get(request.team, action.owner or ""), groups
        )

    return await services.store.read(look)


async def complete(services: Services, request: Request, action_id: int, completion: CompletedAction) -> Message | None:
    """Give an action its owner, date and link; raises Refused, naming the field, for what cannot be."""
    link = actions_rules.parse_link(completion.link) if "link" in completion.changed else ""
    if "due" in completion.changed and completion.due_on is not None:
        await require_ahead(services, request, completion.due_on)
    if "owner" in completion.changed:
        owner = completion.owner
        keeper = await require_owner(services, request, owner or request.user)
    else:
        # The owner now, not the one in the form: their zone decides when the day ends.
        owner = await services.store.read(lambda tx: _of(tx, require_incident(tx, request).id, action_id).owner)
        keeper = await _keeper(services, request, owner or request.user)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = _of(tx, incident.id, action_id)
        require_open(before)
        action = _complete(before, completion, link, find_zone(keeper))
        if action != before:
            actions_store.save(tx, action)
        if action.owner != before.owner:
            notify_owner(tx, incident, action, request.user, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ACTION, str(action.number)), link, request)
        return postmortem_views.action_receipt(action, case_store.load_latest(tx, incident), request.now.date())

    return await run_once(services, request, unit, verb="findings.complete")


async def _keeper(services: Services, request: Request, owner: str) -> Person:
    """The current owner, who is not checked again: they may have left since."""
    if owner.startswith("S"):
        return await require_owner(services, request, owner)
    return await services.slack.directory.look_up(request.team, owner)


def _complete(action: Action, completion: CompletedAction, link: str, zone: tzinfo) -> Action:
    """The action with the changes. If owner or day changed, its day ends in the zone of the owner again."""
    if "owner" in completion.changed:
        action = replace(action, owner=completion.owner)
    if "due" in completion.changed:
        action = replace(action, due_on=completion.due_on)
    if "link" in completion.changed:
        action = replace(action, link=link)
    if completion.changed & {"owner", "due"}:
        action = replace(action, overdue_at=due_dates.overdue_at(action.due_on, zone) if action.due_on else None)
    return action


async def link(services: Services, request: Request, why: int, action: int) -> Message | None:
    """Link an action to a why, both by their numbers."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        about = whys_rules.find_why(whys_store.list_all(tx, incident.id), why)
        require_active(tx, services, request, about)
        found = require_action(tx, incident, action)
        if found.status is ActionStatus.DROPPED:
            require_open(found)
        whys_store.link(tx, about, found)
        return postmortem_views.link_receipt(about, found)

    return await run_once(services, request, unit, verb="findings.link")


def _of(tx: Transaction, incident_id: int, action_id: int) -> Action:
    action = actions_store.find(tx, action_id)
    if action is None or action.incident_id != incident_id:
        raise Refused("That action isn't here anymore.")
    return action


MOST_NAMED = 8


async def find_request(services: Services, request: Request, number: int | None, example: str = "") -> Request:
    """The request, about INC-7 if a number is given; in a direct message else about the one that its author owes.

    `example` is what they typed, for the sentence that asks which. Raises Refused for an unknown incident, for several
    possible ones, and for a person who may not look into its channel.
    """
    if number is not None:
        found = await services.store.read(lambda tx: incidents_store.find_by_number(tx, request.team, number))
        if found is None:
            raise Refused(f"There's no INC-{number}. To see all incidents: `/incident list`")
        return await require_access(services, request, found)
    if not request.place.channel.startswith("D"):
        return request
    owed = await services.store.read(
        lambda tx: incidents_store.list_owed_by(tx, request.team, request.user, MOST_NAMED)
    )
    if not owed:
        return request
    if len(owed) > 1:
        raise Refused(describe_choice(owed, example))
    return await require_access(services, request, owed[0])


async def require_access(services: Services, request: Request, incident: Incident) -> Request:
    """The request about an incident, for a person who may look into its channel; raises Refused for anyone else."""
    here = replace(request, incident_id=incident.id)
    await require_visible(services, here)
    return replace(here, sees=incident.id, is_told_there=True)


def describe_choice(incidents: tuple[Incident, ...], example: str) -> str:
    """The sentence for a person who owes several postmortems and names none."""
    keys = [incident.key for incident in incidents]
    listed = f"{', '.join(keys[:-1])} and {keys[-1]}"
    return f"Which one? {listed} are waiting for you: `{example or '/postmortem'} {keys[0]}`"


def announce_in_channel(request: Request) -> Request:
    """The request of a button or a form, whose reply to everyone goes to the incident's channel."""
    return replace(request, is_told_there=request.incident_id is not None)
