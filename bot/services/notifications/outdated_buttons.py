"""Messages lose the buttons that do nothing useful any more, in the transaction of the change that made them so.

It concerns messages that are stored as they were sent and have an address in Slack: posts of publications, questions,
notices to owners, warnings, results of scans. Prompts, reminders and suggestions are rewritten by themselves;
private answers have no address (docs/decisions/0052-an-old-receipt-is-replaced-when-it-is-pressed.md).

They also lose words that were redacted, and people who were forgotten, as do messages that are composed from the
record.

Every request that changes more than entries ends in `drop`. Other changes name what they did: a redaction, entries
from a scan, a change in another system.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from bot.domain import secrets as secrets_rules
from bot.domain.policy import PostmortemRule
from bot.domain.records import ActionStatus, EditOrigin, Incident, Status
from bot.domain.reminders import OF_ACTIONS
from bot.domain.secrets import RecordKind, RecordRef
from bot.services.announcements import posts as posts_service
from bot.slack.messages_in import message_source
from bot.slack.views import blocks
from bot.slack.views import history_scan as history_scan_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views import secrets as secrets_views
from bot.slack.views.blocks import IsOver
from bot.slack.views.policy import CHOOSE, SKIP
from storage import actions as actions_store
from storage import alerts as alerts_store
from storage import attachments as attachments_store
from storage import deliveries as deliveries_store
from storage import history_scan as history_scan_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage import secrets as secrets_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.postmortem import sections as sections_store
from storage.queues import DeliveryKind

_RESOLVED = frozenset({"incident_resolved", "alerts_resolved"})
_MITIGATED = frozenset({"incident_mitigated", "alerts_mitigated"})
_RECORD = frozenset({"incident_milestone", "timeline_form_open"})
_POSTMORTEM = frozenset(
    {"postmortem_publish", "postmortem_hand_over", "postmortem_snooze", "postmortem_waive", CHOOSE, SKIP}
)
_OPEN_ACTION = frozenset(
    {
        *("action_done", "action_date", "action_hand_over", "action_drop", "action_edit", "finding_action"),
        "connections_account",
    }
)
_WARNING = frozenset({"secret_redact", "secret_redact_files", "secret_harmless"})
_DECIDED = {
    "masked actions into Jira": frozenset({"connections_agree"}),
    "masked copy onto Confluence": frozenset({"confluence_look"}),
    "page on Confluence": frozenset({"confluence_anew", "confluence_overwrite", "confluence_back"}),
}
"""By what the audit calls a decision (up to a colon): the buttons of its question."""


def drop(tx: Transaction, now: datetime) -> None:
    """Update the messages of each incident that the transaction noted as changed."""
    for incident_id in dict.fromkeys(incident_id for incident_id, _ in tx.changed):
        drop_in(tx, incident_id, now)


def drop_in(tx: Transaction, incident_id: int, now: datetime) -> None:
    """Update the messages about an incident, as its record is in this transaction."""
    incident = incidents_store.find(tx, incident_id)
    if incident is None:
        return
    state = _ButtonState(tx, incident)
    for message in deliveries_store.list_messages(tx, incident.id):
        _take_away(tx, incident, message, partial(state.is_over, reader=message.recipient), now)


def drop_answered(tx: Transaction, incident_id: int, names: Iterable[str], now: datetime, **about: object) -> None:
    """Take away these buttons of an incident's messages, as far as they carry `about`: their question is answered."""
    incident, answered = incidents_store.find(tx, incident_id), frozenset(names)

    def is_over(action: str, value: dict[str, Any]) -> bool:
        return action in answered and all(value.get(name, part) == part for name, part in about.items())

    if incident is not None:
        for message in deliveries_store.list_messages(tx, incident.id):
            _take_away(tx, incident, message, is_over, now)


def drop_in_channel(tx: Transaction, team: str, channel: str, button: tuple[str, str], now: datetime) -> None:
    """Take away a button (its action id and its value) of the messages about all incidents of a channel."""
    name, carried = button
    for message in deliveries_store.list_messages_in(tx, team, channel, f'"{name}"'):
        incident = incidents_store.find(tx, message.incident_id or 0)
        if incident is not None:
            is_over = partial(_is_that, name, blocks.read_value(carried))
            _take_away(tx, incident, message, is_over, now)


def _is_that(name: str, carried: dict[str, Any], action: str, value: dict[str, Any]) -> bool:
    return (action, value) == (name, carried)


def _take_away(tx: Transaction, incident: Incident, message: Delivery, is_over: IsOver, now: datetime) -> None:
    """Take the buttons that are over from one message, sent or still to be sent."""
    body = message.content if '"action_id"' in message.body else {}
    shown = body.get("blocks") or []
    left = blocks.drop_buttons(shown, is_over)
    if left != shown:
        body["blocks"] = left
        deliveries_store.save_body(tx, message, body)
        if message.sent_ts:
            enqueue_update(tx, incident, message, body, now)


def enqueue_update(tx: Transaction, incident: Incident, message: Delivery, body: dict[str, Any], now: datetime) -> None:
    """Enqueue that a message which was sent shows this from now on."""
    update = {"of": message.id, "ts": message.sent_ts, "to": message.recipient, "about": incident.channel, **body}
    deliveries_store.enqueue(
        tx,
        NewDelivery(message.team, DeliveryKind.REPLACED_REMINDER, message.sent_channel, update, now, incident.id),
    )


_STORED_AS_SENT = (DeliveryKind.MESSAGE, DeliveryKind.OWNER_NOTICE)
_ASKED = 200
"""Reminders of one kind about one action."""

_COMPOSED = (DeliveryKind.LIVE_MESSAGE, DeliveryKind.WHYS_THREAD, DeliveryKind.REMINDER, DeliveryKind.HANDOVER)


def show_stored(tx: Transaction, delivery_id: int, now: datetime) -> None:
    """Words went from the body of a delivery: if it shows in Slack as it is stored, enqueue that it shows this now."""
    message = deliveries_store.find(tx, delivery_id)
    if message is None or not message.sent_ts:
        return
    incident = incidents_store.find(tx, message.incident_id or 0)
    if message.kind in _STORED_AS_SENT and incident is not None:
        enqueue_update(tx, incident, message, message.content, now)
    elif message.kind is DeliveryKind.REPLACED_REMINDER and "text" in message.content:
        body = message.content
        if not deliveries_store.is_line_replaced(tx, message, body["ts"]):
            about = (message.incident_id, message.reminder_id)
            deliveries_store.enqueue(
                tx, NewDelivery(message.team, message.kind, message.recipient, message.body, now, *about)
            )


def show_composed(tx: Transaction, incident: Incident, now: datetime, *, but: str = "") -> None:
    """Words went from a record: enqueue that messages which were composed from it are composed again.

    Not those to the recipient `but`.
    """
    posts_service.rewrite(tx, incident, now, but=but)
    owed = [*deliveries_store.list_by_incident(tx, incident.id), *_list_asked(tx, incident)]
    lines = {(one.recipient, one.content.get("ts")) for one in owed if one.kind is DeliveryKind.REPLACED_REMINDER}
    for one in owed:
        is_shown = bool(one.sent_ts) and (one.sent_channel, one.sent_ts) not in lines
        if one.kind in _COMPOSED and is_shown and one.recipient != but:
            kind, body = DeliveryKind.REPLACED_REMINDER, {"anew_of": one.id, "redacted": True}
            about = (incident.id, one.reminder_id)
            deliveries_store.enqueue(tx, NewDelivery(one.team, kind, one.sent_channel, body, now, *about))


def _list_asked(tx: Transaction, incident: Incident) -> Iterator[Delivery]:
    """What was sent about the incident's actions: each person is asked about theirs, whatever the incident."""
    for action in actions_store.list_all(tx, incident.id):
        for kind in OF_ACTIONS:
            for reminder in reminders_store.list_latest(tx, incident.team, kind, str(action.id), _ASKED):
                yield from deliveries_store.list_by_reminder(tx, reminder.id)


def show_alerts(tx: Transaction, alert_id: int, now: datetime) -> None:
    """Words went from a group of alerts: enqueue that its message is composed again, or that of its storm."""
    group = alerts_store.find(tx, alert_id)
    if group is None:
        return
    if group.ts and alerts_store.mark_outdated(tx, group.id):
        body = {"alert": group.id}
        deliveries_store.enqueue(tx, NewDelivery(group.team, DeliveryKind.ALERT, group.channel, body, now))
    if group.storm_id is not None and alerts_store.mark_storm_outdated(tx, group.storm_id):
        body = {"storm": group.storm_id}
        deliveries_store.enqueue(tx, NewDelivery(group.team, DeliveryKind.ALERT, group.channel, body, now))


class _ButtonState:
    """Whether a button about an incident does something useful, as the record is in this transaction."""

    def __init__(self, tx: Transaction, incident: Incident) -> None:
        self._tx = tx
        self._incident = incident
        self._changed = {what.partition(":")[0] for incident_id, what in tx.changed if incident_id == incident.id}
        self._decided = frozenset[str]().union(*(_DECIDED[each] for each in self._changed & _DECIDED.keys()))

    def is_over(self, action: str, value: dict[str, Any], reader: str) -> bool:
        """Whether a button in a message to a `reader` (a person or a channel) is outdated."""
        if value.get("incident") not in (None, self._incident.id):
            return False
        if "action" in value and not action.startswith(postmortem_views.LINK):
            return self._is_action_over(action, value, reader)
        if action in _WARNING and "noun" in value:
            return self._is_warning_over(action, secrets_views.read_subject(value))
        if "lookback" in value:
            return self._incident.is_closed or self._is_scan_over(value)
        return self._is_text_over(action, value) or self._is_state_over(action)

    def _is_text_over(self, action: str, value: dict[str, Any]) -> bool:
        """Whether the why, the section or the entry that a button is about has what it asks for, or is gone."""
        if action.startswith(postmortem_views.LINK) or action == "why_action":
            return self._is_why_over(action, value.get("why"))
        if action == "postmortem_fill":  # the summary's is also [Edit summary]
            return value["section"] != "summary" and bool(self._read_section(value["section"]))
        if action == "draft_look":
            return f"draft {value['section']}" in self._changed and self._is_text_chosen(value["section"])
        if "entry" in value and "version" in value:
            entry = timeline_store.find_by_number(self._tx, self._incident.id, int(value["entry"]))
            return entry is None or entry.version != value["version"]
        return False

    def _is_state_over(self, action: str) -> bool:
        """Whether the incident has what a button asks for."""
        incident = self._incident
        return (
            action in self._decided
            or (action in _RESOLVED and incident.status is Status.RESOLVED)
            or (action in _MITIGATED and incident.status is not Status.OPEN)
            or (action in _RECORD and incident.is_closed)
            or (action == "finding_lead" and bool(incident.lead))
            or (action == "finding_severity" and incident.severity is not None)
            or (action == "postmortem_reopen" and not incident.postmortem_status.is_finished)
            or (action in (CHOOSE, SKIP) and incident.rule is PostmortemRule.REQUIRED)
            or (action in _POSTMORTEM and (incident.resolved_at is None or incident.postmortem_status.is_finished))
        )

    def _is_action_over(self, name: str, value: dict[str, Any], reader: str) -> bool:
        action_id = value["action"]
        action = actions_store.find(self._tx, action_id) if isinstance(action_id, int) else None
        if action is None or name == "action_reopen":
            return action is None or action.status is ActionStatus.OPEN
        # To a person it says "your action"; in the channel anyone may press it.
        owner = value.get("user") or (reader if reader.startswith(("U", "W")) else action.owner)
        return name in _OPEN_ACTION and (action.status is not ActionStatus.OPEN or action.owner != owner)

    def _is_why_over(self, name: str, number: object) -> bool:
        """A button about a why that was removed, or that asks which action is for it and was answered."""
        why = next((one for one in whys_store.list_chain(self._tx, self._incident.id) if one.number == number), None)
        return number is not None and (why is None or (name != "why_action" and bool(why.actions)))

    def _read_section(self, slug: str) -> str:
        saved = sections_store.list_latest(self._tx, self._incident.id).get(slug)
        return saved.text if saved else ""

    def _is_warning_over(self, name: str, subject: RecordRef) -> bool:
        """Whether no version of the text has a credential any more. A struck one is still in the history."""
        subjects = [subject]
        if subject.kind is RecordKind.TITLE:  # the first entry tells the title that it was opened with
            subjects.append(RecordRef(RecordKind.ENTRY, "1"))
        texts = (text for one in subjects for text in secrets_store.list_texts(self._tx, self._incident.id, one))
        if any(map(secrets_rules.find_credentials, texts)):
            return False
        entry = (
            timeline_store.find_by_number(self._tx, self._incident.id, subject.number)
            if name == "secret_redact_files"
            else None
        )
        return entry is None or not attachments_store.list_names(self._tx, entry.id)

    def _is_scan_over(self, value: dict[str, Any]) -> bool:
        """[Review], once all messages of its page are recorded; [Try again], once there is a newer scan."""
        scan = history_scan_store.find(self._tx, value["lookback"])
        if scan is None or "page" not in value:
            return scan is None or scan.id < history_scan_store.find_latest(self._tx, self._incident.id)
        first = value["page"] * history_scan_views.PAGE
        page = scan.found[first : first + history_scan_views.PAGE]
        return all(message_source(scan.channel, one.ts) in self._sources for one in page)

    @cached_property
    def _sources(self) -> frozenset[str]:
        return timeline_store.list_sources(self._tx, self._incident.id)

    def _is_text_chosen(self, section: str) -> bool:
        """Whether a person chose one of a section's texts, and no one has written another since."""
        *_, last = [one for one in sections_store.list_edits(self._tx, self._incident.id) if one.section == section]
        return last.change is not EditOrigin.EDITED and last.seen == last.version - 1
