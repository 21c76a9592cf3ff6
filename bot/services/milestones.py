"""Milestones of an incident, reached now, at a typed time, or by a button that may be older than the incident's state.

If a milestone contradicts the record, a question comes first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import incident as incident_rules
from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.incident import Clash, MilestoneReport
from bot.domain.policy import PostmortemRule
from bot.domain.records import Entry, EntryKind, Incident, Milestone, Status
from bot.domain.reminders import limit_rules
from bot.domain.secrets import RecordKind, RecordRef, find_credentials, mask_credentials
from bot.domain.text import clean_input, shorten
from bot.domain.timeline import list_offers
from bot.domain.times import Reading
from bot.errors import OutdatedButton, Refused
from bot.services import outline as outline_service
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, require_open_record, run_once
from bot.services.corrections import amend_entry
from bot.services.notifications.reminders import remind
from bot.services.policy import describe_unrequired
from bot.services.timeline import parse_form_time, read_own_clocks, require_entry
from bot.services.whys import open_thread
from bot.slack.views import corrections as corrections_views
from bot.slack.views import incidents as incidents_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks
from storage import alerts as alerts_store
from storage import attachments as attachments_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.timeline import NewEntry

Check = Callable[[Transaction, Incident], None]
"""May refuse a milestone in the transaction that writes it."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """A milestone that was reached, and the reading of its time.

    `named` is the reading whose times are offered, if that is not `reading`.
    """

    milestone: Milestone
    reading: Reading
    named: Reading | None = None
    check: Check | None = None


async def reach(
    services: Services, request: Request, milestone: Milestone, line: str, check: Check | None = None
) -> Message | None:
    """A milestone was reached, now or at the time that the line begins with; resolving asks the first why."""
    clocks = await read_own_clocks(services, request)
    reading = times.read(line, request.now, clocks.zone, language=clocks.language)
    if (
        reading.question is not None
        and (question := incidents_views.milestone_time_question(milestone, reading, clocks)) is not None
    ):
        return question
    return await _reach(services, request, _Reach(milestone, reading, check=check), clocks)


async def reach_at(services: Services, request: Request, milestone: Milestone, reading: Reading) -> Message | None:
    """The same at the one of its readings that was chosen; without a time as of now."""
    return await _reach(services, request, _Reach(milestone, reading), await read_own_clocks(services, request))


async def show_answer(services: Services, request: Request, milestone: Milestone, at: datetime | None) -> Message:
    """What takes the place of the question about a milestone's time."""
    return incidents_views.milestone_answered_message(
        milestone, at or request.now, await read_own_clocks(services, request)
    )


async def reach_by_form(
    services: Services, request: Request, milestone: Milestone, when: str, text: str
) -> Message | None:
    """The same from the form behind [Milestone]: `when` as typed (empty for now), and the words."""
    clocks = await read_own_clocks(services, request)
    if when:
        reading = replace(parse_form_time(when, request.now, clocks), text=text)
        return await _reach(services, request, _Reach(milestone, reading), clocks)
    # The field says that empty means now: a time that the words begin with is offered, and not taken.
    named = times.read(text, request.now, clocks.zone, language=clocks.language)
    untimed = replace(times.read("", request.now, clocks.zone), text=text)
    return await _reach(services, request, _Reach(milestone, untimed, named), clocks)


async def milestone_form(services: Services, request: Request) -> Block:
    """The form behind [Milestone]."""
    clocks = await read_own_clocks(services, request)

    def look(tx: Transaction) -> Block:
        incident = require_open_record(tx, request)
        return incidents_views.milestone_form(incident, timeline_store.list_active(tx, incident.id), clocks)

    return await services.store.read(look)


async def rebuild_form(services: Services, request: Request, report: MilestoneReport) -> Block:
    """The form behind [Change the time], filled in with what was typed."""
    clocks = await read_own_clocks(services, request)
    return await services.store.read(
        lambda tx: incidents_views.milestone_form(require_incident(tx, request), (), clocks, report)
    )


async def _reach(services: Services, request: Request, reach: _Reach, clocks: Clocks) -> Message | None:
    milestone, reading, check = reach.milestone, reach.reading, reach.check
    if reading.question is not None:
        as_in = timeline_rules.format_choices(reading.question, request.now)
        raise Refused(f"Not recorded. {reading.problem} Type the full time, as in {as_in}.", field="when")
    moment = reading.utc or request.now
    timeline_rules.require_past(moment, request.now)
    text = clean_input(reading.text, "That entry") or incident_rules.MILESTONE_TEXTS[milestone]
    policies = services.find_policies(request.team)
    report = MilestoneReport(milestone, moment, text, reading.end_utc, reading.approximate)

    def unit(tx: Transaction) -> Message:
        before = require_open_record(tx, request, locking=True)
        if check is not None:
            check(tx, before)
        entries = timeline_store.list_active(tx, before.id)
        on_call = incident_rules.find_on_call(entries)
        incident = incident_rules.reach_milestone(before, milestone, request.user, moment, policies, on_call)
        if against := incident_rules.find_clash(before, entries, milestone, moment, request.now):
            return _ask_about(before, report, against, clocks)
        reply, written = _write(tx, services, request, (before, incident), report, clocks)
        return timeline_views.add_offer(
            reply, written, list_offers(reach.named or reading, moment, request.now), request.now
        )

    return await run_once(services, request, unit, verb="incidents.reach")


def _ask_about(incident: Incident, report: MilestoneReport, against: Clash[Entry], clocks: Clocks) -> Message:
    """The question which of two is right; raises Refused, so that the words are given back, where no button holds them.

    A credential is not put where it cannot be redacted any more.
    """
    question = incidents_views.contradiction_question(incident, report, against, clocks)
    if question is not None and not find_credentials(report.text):
        return question
    sentence = incidents_views.contradiction_text(incident, report, against, clocks)
    raise Refused(f"{sentence} It isn't recorded yet. Send the milestone alone, and its words as an entry.")


async def settle(services: Services, request: Request, report: MilestoneReport) -> Message | None:
    """Record a milestone as typed although it contradicts the record: a person confirmed it.

    The answer is for the person alone; a resolution is posted.
    """
    clocks = await read_own_clocks(services, request)
    return await run_once(
        services, request, lambda tx: _settle(tx, services, request, report, clocks), verb="incidents.settle"
    )


def _settle(tx: Transaction, services: Services, request: Request, report: MilestoneReport, clocks: Clocks) -> Message:
    before = require_open_record(tx, request, locking=True)
    # The button stays after a press: its second press must not record the milestone twice.
    entries = timeline_store.list_active(tx, before.id)
    for entry in entries:
        if (entry.milestone, entry.happened_at, entry.text) == (report.milestone, report.at, report.text):
            raise Refused(f"That's already recorded, as #{entry.number}.")
    policies, on_call = services.find_policies(request.team), incident_rules.find_on_call(entries)
    incident = incident_rules.reach_milestone(before, report.milestone, request.user, report.at, policies, on_call)
    return _write(tx, services, request, (before, incident), report, clocks)[0]


async def settle_and_correct(services: Services, request: Request, report: MilestoneReport, other: int) -> Block:
    """The same; the form that corrects the entry which it contradicts."""
    clocks = await read_own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        require_entry(tx, require_incident(tx, request), other)
        return _settle(tx, services, request, report, clocks)

    await run_once(services, request, unit, verb="incidents.settle_and_correct")
    entry = await services.store.read(lambda tx: require_entry(tx, require_incident(tx, request), other))
    return corrections_views.edit_form(entry, clocks)


async def correct(services: Services, request: Request, report: MilestoneReport, other: int) -> Message | None:
    """Move the entry that marks the milestone already to the time that was typed, and give it the words, if any."""
    clocks = await read_own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        before = require_entry(tx, incident, other)
        text = incident_rules.text_beyond_milestone(report.milestone, report.text) or before.text
        entry = replace(before, happened_at=report.at, ended_at=report.end, approximate=report.approximate, text=text)
        entry, turn = amend_entry(tx, services, request, (incident, replace(entry, struck=False)), "edited")
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), text, request)
        return corrections_views.edit_receipt(entry, before, clocks, turn, attachments_store.list_names(tx, entry.id))

    return await run_once(services, request, unit, verb="incidents.correct")


async def record_note(services: Services, request: Request, report: MilestoneReport) -> Message | None:
    """Record it as an entry without a mark: the milestone stays where it is."""
    clocks = await read_own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        new = NewEntry(report.at, report.text, request.user, request.user, request.now, report.end, report.approximate)
        entry = timeline_store.append(tx, incident.id, new)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), report.text, request)
        return timeline_views.receipt(entry, incident, clocks, reading=None, notes=timeline_views.ReceiptNotes())

    return await run_once(services, request, unit, verb="incidents.note")


def _write(
    tx: Transaction,
    services: Services,
    request: Request,
    turn: tuple[Incident, Incident],
    report: MilestoneReport,
    clocks: Clocks,
) -> tuple[Message, Entry]:
    """The milestone written down, and the incident moved on from how it stood before."""
    before, incident = turn
    former = incident_rules.list_reached_milestones(before, timeline_store.list_active(tx, before.id)).get(
        report.milestone
    )
    if report.milestone is Milestone.RESOLVED:
        incident = outline_service.fit_outline(tx, services, incident)
    incidents_store.save(tx, incident)
    kind = EntryKind.NOTE if incident.status is before.status else EntryKind.STATUS
    new = NewEntry(
        report.at,
        report.text,
        request.user,
        request.user,
        request.now,
        report.end,
        report.approximate,
        kind,
        report.milestone,
    )
    entry = timeline_store.append(tx, incident.id, new)
    secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), report.text, request)
    if report.milestone is Milestone.RESOLVED:
        return _resolve(tx, services, request, incident, entry, clocks), entry
    reply = incidents_views.reached_receipt(
        words.incidents.milestone_reached(
            key=incident.key,
            name=incident_rules.MILESTONE_TEXTS[report.milestone].lower(),
            day=clocks.day(entry),
            when=clocks.format_entry(entry),
            text=shorten(mask_credentials(incident_rules.text_beyond_milestone(report.milestone, report.text)), 1_000),
            number=entry.number,
            instead=former.by.number if former and former.by else 0,
        ),
        entry,
    )
    return reply, entry


def _resolve(
    tx: Transaction, services: Services, request: Request, incident: Incident, entry: Entry, clocks: Clocks
) -> Message:
    remind(tx, services.policy.reminders, incident, entry)
    text = incident_rules.text_beyond_milestone(Milestone.RESOLVED, entry.text)
    summary = words.incidents.resolved(
        key=incident.key,
        day=clocks.day(entry),
        when=clocks.format_entry(entry),
        text=shorten(mask_credentials(text), 1_000),
        by=services.slack.directory.name_or_id(request.team, request.user),
        number=entry.number,
        length=timeline_store.measure_span(tx, incident).length,
    )
    # If there is a live message, the bot can post here, and the whys get a thread; else the reply itself asks.
    if incident.rule is not PostmortemRule.REQUIRED:
        return describe_unrequired(services, request, incident, summary)
    can_post = bool(incidents_store.read_live_message(tx, incident.id))
    if can_post:
        open_thread(tx, request, incident)
    chain = whys_store.list_chain(tx, incident.id)
    asking = [whys_views.question_notice(incident, chain)] if can_post else whys_views.question_blocks(incident, chain)
    rules = limit_rules(incident.policy, services.policy.reminders)
    return whys_views.resolution_message(incident, summary, rules.after_resolution, asking)


async def reach_by_button(
    services: Services, request: Request, milestone: Milestone, as_of: datetime | None = None
) -> Message | None:
    """Reach a milestone; `as_of` is the time on the button, when all alerts had ended.

    Raises Refused if the incident has changed since: it is that far already, was reopened, or one of its alerts fires
    again.
    """
    line = f"{as_of:%Y-%m-%d %H:%M:%S} UTC" if as_of else ""

    def check(tx: Transaction, incident: Incident) -> None:
        _require_news(tx, incident, milestone, as_of)

    return await reach(services, request, milestone, line, check)


def _require_news(tx: Transaction, incident: Incident, milestone: Milestone, as_of: datetime | None) -> None:
    """Raises Refused for a milestone's button if the incident has changed since it was shown.

    `as_of` is when its alerts had all ended, for a button that was offered because of that.
    """
    key, status = incident.key, incident.status
    if milestone is Milestone.MITIGATED and status is not Status.OPEN:
        raise OutdatedButton(f"{key} is already {status}. To record another time: `/incident mitigated 14:05`")
    if as_of is None or status is Status.RESOLVED:
        return
    if count := alerts_store.count_firing(tx, incident.id):
        fire = "1 of its alerts is firing" if count == 1 else f"{count} of its alerts are firing"
        raise OutdatedButton(f"{key} isn't over yet: {fire} again since I asked.")
    reopened = [
        entry for entry in timeline_store.list_active(tx, incident.id) if _reopens(entry) and entry.recorded_at > as_of
    ]
    if reopened:
        raise OutdatedButton(f"{key} was reopened since I asked (#{reopened[-1].number}).")


def _reopens(entry: Entry) -> bool:
    return entry.kind is EntryKind.STATUS and entry.milestone is None and entry.number > 1
