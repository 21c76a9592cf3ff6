"""Suggestions in the channel of alerts, the buttons on them, and groups of alerts as entries of a timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.alerts import groups as alerts_rules
from bot.domain.alerts.groups import (
    AFTERWORD,
    PROGRAMS,
    Alert,
    AlertGroup,
    AlertStatus,
    GroupState,
    propose_severity,
    sort_key,
)
from bot.domain.records import Incident, Milestone, Place, Status
from bot.errors import OutdatedButton, Refused
from bot.services.context import OPENING, Request, Services, run_once
from bot.services.incidents import LISTED, Opening, compose_opened, open_in
from bot.slack.views import alerts as alerts_views
from bot.slack.views import incidents as incidents_views
from bot.slack.views.blocks import Block, Message
from storage import alerts as alerts_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery
from storage.queues import DeliveryKind
from storage.timeline import NewEntry

HISTORY = 500
"""At most so many events of a group become entries when it is attached."""


def attach(tx: Transaction, group: AlertGroup, incident: Incident, by: str, now: datetime) -> AlertGroup:
    """Attach a group to an incident: its events become entries. The caller saves the group.

    `by` is who decided: a user id, or `rule`. The incident was read with locking.
    """
    tx.note(incident.id, f"alert {group.id}")
    group = replace(group, stand=GroupState.ATTACHED, settled_by=by, incident_id=incident.id, storm_id=None)
    return _write_entries(tx, incident, group, _lines(alerts_store.list_events(tx, group, HISTORY)), now)


def join(tx: Transaction, group: AlertGroup, incident: Incident, alerts: Sequence[Alert], now: datetime) -> AlertGroup:
    """What is new of an attached group, in the timeline unless the postmortem is finished; the caller saves the group.

    The incident was read with locking.
    """
    if incident.is_closed:
        return group
    return _write_entries(tx, incident, group, _lines(alerts), now)


@dataclass(frozen=True, slots=True)
class _EntryDraft:
    """An entry to be: what one or several alerts did, from the first of them to the last."""

    status: AlertStatus
    titles: tuple[str, ...]
    first: datetime
    last: datetime
    by: str = ""
    more: str = ""
    link: str = ""


def _lines(alerts: Iterable[Alert]) -> list[_EntryDraft]:
    """One line for each event, at its own time; one for all of a status if there are too many of it.

    A line depends only on its own event, so it reads the same whatever came before it.
    """
    found: list[_EntryDraft] = []
    for status in AlertStatus:
        these = sorted((alert for alert in alerts if alert.status is status), key=sort_key)
        # Above a few, one line for all: a storm must not fill the timeline that people read.
        found.extend(_span_lines(these) if len(these) > alerts_rules.FEW else map(_line, these))
    return sorted(found, key=lambda line: line.first)


def _line(alert: Alert) -> _EntryDraft:
    is_first = alert.status is AlertStatus.FIRING
    more = ", ".join(part for part in (alert.service, alert.severity) if part and is_first)
    by = "" if alert.is_start else alert.by
    return _EntryDraft(alert.status, (alert.title,), alert.at, alert.at, by, more, alert.link if is_first else "")


def _span_lines(these: Sequence[Alert]) -> list[_EntryDraft]:
    # By fingerprint, so that an alert which fired twice is named once.
    titles = tuple({alert.fingerprint: alert.title for alert in these}.values())
    first = these[0]
    return [replace(_line(first), titles=titles, last=these[-1].at, by="")]


def _write_entries(
    tx: Transaction, incident: Incident, group: AlertGroup, lines: list[_EntryDraft], now: datetime
) -> AlertGroup:
    """Add lines to an incident's timeline. Beyond a limit only ends: a flapping alert has no news."""
    for line in lines:
        # The last end is written even then: without it the timeline would look as if the alert still fired.
        if group.entries >= alerts_rules.ENTRIES_AT_MOST and not (
            group.ended_at and line.status is AlertStatus.RESOLVED
        ):
            continue
        text = alerts_rules.describe(line.status, line.titles, by=line.by, more=line.more)
        new = NewEntry(line.first, text + (f" {line.link}" if line.link else ""), group.source, AFTERWORD, now)
        if line.last > line.first:
            new = replace(new, ended_at=line.last)
        timeline_store.append(tx, incident.id, replace(new, milestone=_marks(tx, incident, line, now)))
        group = replace(group, entries=group.entries + 1)
    return group


def _marks(tx: Transaction, incident: Incident, line: _EntryDraft, now: datetime) -> Milestone | None:
    """The milestone that a line marks, if no entry marks it yet, or only a later event of monitoring.

    An alert that fired after people had opened the incident did not detect it.
    """
    milestone = alerts_rules.MARKED.get(line.status)
    if milestone is None or (line.status is AlertStatus.FIRING and line.first > incident.opened_at):
        return None
    marking = timeline_store.find_milestone(tx, incident.id, milestone)
    if marking is None:
        return milestone
    # Version 1: once a person has edited the entry, its milestone is theirs, and monitoring leaves it alone.
    is_ours = marking.author in PROGRAMS and marking.recorder == AFTERWORD and marking.version == 1
    if not is_ours or marking.happened_at <= line.first:
        return None
    # Taken from the old entry first: an incident has one entry for each milestone.
    timeline_store.amend(tx, replace(marking, milestone=None), "edited", AFTERWORD, now)
    return milestone


AT_ONCE = 5
"""So many groups of a storm come out of it at a press of the button."""


def enqueue_message(tx: Transaction, group: AlertGroup, due_at: datetime) -> None:
    """Enqueue a group's message, or that of the storm that counts it; once until it is sent."""
    if group.stand is GroupState.ON_HOLD and group.storm_id is not None:
        enqueue_storm(tx, group.team, group.channel, group.storm_id, due_at)
    # Only the first change enqueues a delivery. It is composed when it is sent, so it shows the later changes as
    # well.
    elif alerts_store.mark_outdated(tx, group.id):
        deliveries_store.enqueue(
            tx, NewDelivery(group.team, DeliveryKind.ALERT, group.channel, {"alert": group.id}, due_at)
        )


def enqueue_storm(tx: Transaction, team: str, channel: str, storm_id: int, due_at: datetime) -> None:
    """Enqueue a storm's message."""
    if alerts_store.mark_storm_outdated(tx, storm_id):
        deliveries_store.enqueue(tx, NewDelivery(team, DeliveryKind.ALERT, channel, {"storm": storm_id}, due_at))


def compose(tx: Transaction, body: dict[str, Any], now: datetime) -> tuple[Message, str] | None:
    """What a message of alerts says now, and the time stamp of the one that it takes the place of, if any.

    What changes from here on owes another wording.
    """
    if "storm" in body:
        return _storm(tx, body["storm"], now)
    group = alerts_store.find(tx, body["alert"])
    if group is None:
        return None
    # Before the words are made, not after the post: a change from here on must enqueue another update, or it is lost.
    alerts_store.mark_current(tx, group.id)
    if group.stand is GroupState.ON_HOLD:
        return None
    if group.stand is GroupState.MERGED:
        return (alerts_views.merged_message(group), group.ts) if group.ts else None
    return alerts_views.suggestion(group, _open_here(tx, group), _incident_of(tx, group), now), group.ts


def _storm(tx: Transaction, storm_id: int, now: datetime) -> tuple[Message, str] | None:
    storm = alerts_store.find_storm(tx, storm_id)
    if storm is None:
        return None
    # As for a group: a change from here on needs another update.
    alerts_store.mark_storm_current(tx, storm_id)
    groups = alerts_store.list_of_storm(tx, storm_id, alerts_views.STORM_LINES)
    return alerts_views.storm_message(storm, groups, alerts_store.count_of_storm(tx, storm_id), now), storm.ts


def record_sent(tx: Transaction, body: dict[str, Any], channel: str, ts: str) -> None:
    """Save where a message about alerts was posted."""
    if "storm" in body:
        alerts_store.save_storm_place(tx, body["storm"], ts)
    else:
        alerts_store.save_place(tx, body["alert"], channel, ts)


def _open_here(tx: Transaction, group: AlertGroup) -> Incident | None:
    """The incident that is open in the channel of alerts."""
    incident = incidents_store.find_current(tx, Place(group.team, group.channel))
    return incident if incident is not None and incident.status is not Status.RESOLVED else None


def _incident_of(tx: Transaction, group: AlertGroup) -> Incident | None:
    return incidents_store.find(tx, group.incident_id) if group.incident_id else None


async def open_form(services: Services, request: Request, alert_id: int) -> Block:
    """The form behind [Open an incident] of a suggestion: the usual one, filled in with what the alert says."""
    group = await services.store.read(lambda tx: _require_undecided(tx, request, alert_id))
    opening = Opening(group.title, propose_severity(group.severity))
    view = incidents_views.open_form(request.place.channel, opening.title, opening.severity, alert=group.id)
    return view | {"blocks": [*alerts_views.ended_blocks(group, request.now), *view["blocks"]]}


async def open_incident(
    services: Services, request: Request, alert_id: int, opening: Opening, channel: str
) -> Message | None:
    """Open an incident in a channel from the suggestion whose button was pressed (`request`)."""

    def unit(tx: Transaction) -> Message:
        group = _require_undecided(tx, request, alert_id, locking=True)
        incident = open_in(tx, services, request.at(Place(request.team, channel)), opening)
        _save_decision(tx, attach(tx, group, incident, request.user, request.now), request.now)
        return compose_opened(tx, services.policy, incident)

    return await run_once(services, request, unit, verb="suggestions.open_from")


async def attach_form(services: Services, request: Request, alert_id: int) -> Block:
    """The form behind [Attach to …]: the open incidents that this person may see."""

    def look(tx: Transaction) -> tuple[AlertGroup, tuple[Incident, ...]]:
        # More than are shown, because some are resolved, and some are in channels that this person cannot see.
        return _require_undecided(tx, request, alert_id), incidents_store.list_latest(tx, request.team, LISTED * 4)

    group, found = await services.store.read(look)
    is_open = [incident for incident in found if incident.status is not Status.RESOLVED]
    visible = await services.visible_channels(
        request.team, request.user, (one.channel for one in is_open), request.place.channel
    )
    shown = tuple(incident for incident in is_open if incident.channel in visible)[:LISTED]
    if not shown:
        raise Refused("You don't have access to any open incident. Press [Open an incident] instead.")
    return alerts_views.attach_form(group, shown, request.now)


async def attach_to(services: Services, request: Request, alert_id: int, incident_id: int) -> Message | None:
    """Attach a suggested group to an open incident that the person may look into."""
    # Slack is asked before the transaction, since people who record wait for that.
    found = await services.store.read(lambda tx: incidents_store.find(tx, incident_id))
    channels = [found.channel] if found is not None and found.team == request.team else []
    visible = await services.visible_channels(request.team, request.user, channels, request.place.channel)

    def unit(tx: Transaction) -> None:
        group = _require_undecided(tx, request, alert_id, locking=True)
        incident = incidents_store.find(tx, incident_id, locking=True)
        if incident is None or incident.team != request.team or incident.channel not in visible:
            raise Refused("You don't have access to that incident. Choose another one.")
        if incident.status is Status.RESOLVED:
            raise Refused(f"{incident.key} has been resolved. Choose another one, or open a new one.")
        _save_decision(tx, attach(tx, group, incident, request.user, request.now), request.now)

    reply = await run_once(services, request, unit, verb="suggestions.attach_to")
    if found is not None:
        services.slack.live_messages.mark_stale(Place(found.team, found.channel), found.id)
    return reply


async def ignore(services: Services, request: Request, alert_id: int) -> Message | None:
    """Ignore a group. Its message says who did so, and keeps showing the state of the alert."""

    def unit(tx: Transaction) -> None:
        group = _require_undecided(tx, request, alert_id, locking=True)
        _save_decision(tx, replace(group, stand=GroupState.IGNORED, settled_by=request.user), request.now)

    return await run_once(services, request, unit, verb="suggestions.ignore")


async def suggest_again(services: Services, request: Request, alert_id: int) -> Message | None:
    """Something is to come of it after all."""

    def unit(tx: Transaction) -> None:
        group = _group(tx, request, alert_id, locking=True)
        _require_free(tx, group)
        if group.stand is not GroupState.IGNORED:
            raise Refused("That alert isn't ignored anymore.")
        _save_decision(tx, replace(group, stand=GroupState.SUGGESTED, settled_by=""), request.now)

    return await run_once(services, request, unit, verb="suggestions.suggest_again")


async def show_more(services: Services, request: Request, storm_id: int) -> Message | None:
    """Give a few groups of a storm their own messages, firing ones first."""

    def unit(tx: Transaction) -> None:
        storm = alerts_store.find_storm(tx, storm_id)
        if storm is None or (storm.team, storm.channel) != (request.team, request.place.channel):
            raise Refused("Those alerts belong to another channel. Answer them there.")
        found = alerts_store.list_of_storm(tx, storm_id, AT_ONCE)
        if not found:
            raise OutdatedButton("All of those alerts already have their own message, or are dealt with.")
        for each in found:
            # Read again with a lock: between the list and here someone may have decided about it.
            group = alerts_store.find(tx, each.id, locking=True)
            if group is not None and group.stand is GroupState.ON_HOLD:
                _save_decision(tx, replace(group, stand=GroupState.SUGGESTED, storm_id=None), request.now)
        enqueue_storm(tx, storm.team, storm.channel, storm_id, request.now)

    return await run_once(services, request, unit, verb="suggestions.show_more")


def _save_decision(tx: Transaction, group: AlertGroup, now: datetime) -> None:
    alerts_store.save(tx, group)
    enqueue_message(tx, group, now)


def _group(tx: Transaction, request: Request, alert_id: int, *, locking: bool = False) -> AlertGroup:
    """The group that a button names. Raises Refused if it is not of this channel."""
    group = alerts_store.find(tx, alert_id, locking=locking)
    if group is None:
        raise OutdatedButton(f"That alert is too old and was deleted. Start an incident: {OPENING}")
    if (group.team, group.channel) != (request.team, request.place.channel):
        raise Refused("That alert belongs to another channel. Answer it there.")
    if group.stand is GroupState.MERGED:
        raise OutdatedButton("That alert is part of one that began earlier. Use the buttons on that one's message.")
    return group


def _require_undecided(tx: Transaction, request: Request, alert_id: int, *, locking: bool = False) -> AlertGroup:
    """The same group. Raises Refused if another person has decided already."""
    group = _group(tx, request, alert_id, locking=locking)
    _require_free(tx, group)
    if group.stand is GroupState.IGNORED:
        person = people_store.find(tx, group.team, group.settled_by)
        who = person.name if person else "A person"
        raise OutdatedButton(f"{who} has ignored that alert. To undo that, press [Stop ignoring] on its message.")
    return group


def _require_free(tx: Transaction, group: AlertGroup) -> None:
    incident = _incident_of(tx, group)
    if incident is not None:
        raise OutdatedButton(f"That alert is already in {incident.key}. Its updates go into that timeline.")
