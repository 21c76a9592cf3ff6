"""The policy by severity, for one incident.

What a resolution says where no postmortem is required; asking for one all the same; and what counts once the severity
changes after the resolution.
"""

from datetime import datetime

from bot.domain import incident as incident_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain.policy import PostmortemRule
from bot.domain.records import Entry, Incident, Milestone
from bot.domain.reminders import limit_rules
from bot.domain.text import format_hours
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.notifications.reminders import remind, retire
from bot.services.whys import open_thread
from bot.slack.views import policy as policy_views
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words
from storage import case as case_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction


def describe_unrequired(services: Services, request: Request, incident: Incident, summary: str) -> Message:
    """The answer to a resolution after which no postmortem is required."""
    rules = limit_rules(incident.policy, services.policy.reminders)
    owner = incident.postmortem_owner or incident_rules.find_default_owner(incident) or request.user
    name = services.slack.directory.name_or_id(request.team, owner)
    return policy_views.unrequired_message(incident, summary, name, format_hours(rules.after_resolution))


async def choose(services: Services, request: Request) -> Message | None:
    """[Write one]: a person wants the postmortem although it is not required; from now on it is."""

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, request, locking=True)
        postmortem_rules.require_owed(before)
        incident = incident_rules.choose_postmortem(before, request.user)
        incidents_store.save(tx, incident)
        by = services.slack.directory.name_or_id(request.team, request.user)
        renew_reminders(tx, services, incident, "the postmortem was asked for", request.now)
        retire(tx, incident, words.policy.is_chosen(by=by), request.now)
        if incidents_store.read_live_message(tx, incident.id):
            open_thread(tx, request, incident)
        owner = incident.postmortem_owner or ""
        name = services.slack.directory.name_or_id(request.team, owner)
        return policy_views.chosen_receipt(case_store.load(tx, incident), name, is_self=owner == request.user)

    return await run_once(services, request, unit, verb="postmortem.choose")


def follow_severity(tx: Transaction, services: Services, request: Request, incident: Incident) -> Incident:
    """The incident after its severity changed: if it is resolved, with the policy of that, and its reminders."""
    changed = incident_rules.change_policy(incident, services.find_policies(request.team).find(incident.severity))
    if changed == incident:
        return incident
    renew_reminders(tx, services, changed, "the severity changed", request.now)
    if changed.rule is not PostmortemRule.REQUIRED:
        retire(tx, changed, words.policy.is_changed(), request.now)
    return changed


def renew_reminders(tx: Transaction, services: Services, incident: Incident, why: str, now: datetime) -> None:
    """Withdraw the reminders that are to come, and schedule those of the policy that counts now."""
    reminders_store.cancel(tx, incident.id, why, now)
    if resolving := find_resolving(timeline_store.list_active(tx, incident.id)):
        remind(tx, services.policy.reminders, incident, resolving, after=now)


def find_resolving(entries: tuple[Entry, ...]) -> Entry | None:
    """The entry that resolved the incident."""
    marks = [entry for entry in entries if entry.milestone is Milestone.RESOLVED]
    return max(marks, key=lambda entry: entry.number) if marks else None
