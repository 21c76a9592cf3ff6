"""Messages lose the buttons that do nothing useful any more, in the transaction of the change that made them so.

It concerns messages that are stored as they were sent and have an address in Slack: posts of publications, questions,
notices to owners. Prompts, reminders and suggestions are composed anew by themselves; private answers have no address
(docs/decisions/0052-an-old-receipt-is-replaced-when-it-is-pressed.md).
"""

import json
from datetime import datetime
from typing import Any

from bot.domain.records import ActionStatus, Incident, Status
from bot.slack.views import blocks
from storage import actions as actions_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind

_RESOLVED = frozenset({"incident_resolved", "alerts_resolved"})
_MITIGATED = frozenset({"incident_mitigated", "alerts_mitigated"})
_RECORD = frozenset({"incident_milestone", "timeline_form_open"})
_POSTMORTEM = frozenset({"postmortem_publish", "postmortem_hand_over", "postmortem_snooze", "postmortem_waive"})
_OPEN_ACTION = frozenset(
    {"action_done", "action_date", "action_hand_over", "action_drop", "action_edit", "finding_action"}
)
_DECIDED = {
    "masked actions into Jira": frozenset({"connections_agree"}),
    "masked copy onto Confluence": frozenset({"confluence_look"}),
    "page on Confluence": frozenset({"confluence_anew", "confluence_overwrite", "confluence_back"}),
}
"""By what the audit calls a decision (up to a colon): the buttons of its question."""


def drop(tx: Transaction, now: datetime) -> None:
    """Update the messages of each incident that the transaction noted as changed."""
    for incident_id in dict.fromkeys(incident_id for incident_id, _ in tx.changed):
        incident = incidents_store.find(tx, incident_id)
        if incident is not None:
            _drop_in(tx, incident, now)


def _drop_in(tx: Transaction, incident: Incident, now: datetime) -> None:
    state = _ButtonState(tx, incident)
    for message in deliveries_store.list_messages(tx, incident.id):
        body = json.loads(message.body) if '"action_id"' in message.body else {}
        shown = body.get("blocks") or []
        left = blocks.drop_buttons(shown, state.is_over)
        if left != shown:
            body["blocks"] = left
            deliveries_store.save_body(tx, message, json.dumps(body))
            if message.sent_ts:
                enqueue_update(tx, incident, message, body, now)


def enqueue_update(tx: Transaction, incident: Incident, message: Delivery, body: dict[str, Any], now: datetime) -> None:
    """Enqueue that a message which was sent shows this from now on."""
    update = {"of": message.id, "ts": message.sent_ts, "to": message.recipient, "about": incident.channel, **body}
    deliveries_store.enqueue(
        tx,
        NewDelivery(
            message.team, DeliveryKind.REPLACED_REMINDER, message.sent_channel, json.dumps(update), now, incident.id
        ),
    )


class _ButtonState:
    """Whether a button about an incident does something useful, as the record is in this transaction."""

    def __init__(self, tx: Transaction, incident: Incident) -> None:
        self._tx = tx
        self._incident = incident
        what = {what.partition(":")[0] for incident_id, what in tx.changed if incident_id == incident.id}
        self._decided = frozenset[str]().union(*(_DECIDED[each] for each in what & _DECIDED.keys()))

    def is_over(self, action: str, value: dict[str, Any]) -> bool:
        incident = self._incident
        if value.get("incident") not in (None, incident.id):
            return False
        if "action" in value:
            return self._is_action_over(action, value["action"])
        if "entry" in value and "version" in value:
            entry = timeline_store.find_by_number(self._tx, incident.id, int(value["entry"]))
            return entry is None or entry.version != value["version"]
        return (
            action in self._decided
            or (action in _RESOLVED and incident.status is Status.RESOLVED)
            or (action in _MITIGATED and incident.status is not Status.OPEN)
            or (action in _RECORD and incident.is_closed)
            or (action == "postmortem_reopen" and not incident.postmortem_status.is_finished)
            or (action in _POSTMORTEM and (incident.resolved_at is None or incident.postmortem_status.is_finished))
        )

    def _is_action_over(self, name: str, action_id: object) -> bool:
        action = actions_store.find(self._tx, action_id) if isinstance(action_id, int) else None
        if action is None or name == "action_reopen":
            return action is None or action.status is ActionStatus.OPEN
        return name in _OPEN_ACTION and action.status is not ActionStatus.OPEN
