"""How updates for customers look in Slack: before they go out, and after."""

import json
from collections.abc import Iterable
from typing import Any

from bot.domain.masking import MaskedItem
from bot.domain.records import Component, Incident
from bot.integrations.statuspage.client import ComponentStatus, PublicStatus
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import masked_item_blocks
from bot.slack.views.templates import words

LONGEST = 2_000
"""Characters of an update: the window that confirms it must hold it."""

STATUSES = {status.value: status.value.capitalize() for status in PublicStatus}
WORKINGS = {
    ComponentStatus.DEGRADED.value: "Degraded performance",
    ComponentStatus.PARTIAL_OUTAGE.value: "Partial outage",
    ComponentStatus.MAJOR_OUTAGE.value: "Major outage",
    ComponentStatus.MAINTENANCE.value: "Under maintenance",
    ComponentStatus.OPERATIONAL.value: "Operational",
}
_MAILS = "mails"


def overview(incident: Incident, status: str, url: str) -> Message:
    """What customers read of the incident, and [Tell customers …]."""
    if not url:
        text = words.statuspage.nothing_yet(key=incident.key)
    else:
        text = words.statuspage.current_state(key=incident.key, status=STATUSES.get(status, status), url=url)
    return blocks.ephemeral(text, tell_button(incident, with_draft=bool(url)))


def not_connected() -> Message:
    """No page is connected."""
    return blocks.ephemeral(words.statuspage.not_connected())


def tell_button(incident: Incident, *, with_draft: bool = False) -> Block:
    """[Tell customers …], and [Postmortem draft …] if there is a public incident for it."""
    ref = blocks.incident_value(incident)
    tell = blocks.button("Tell customers …", "statuspage_form", ref, style="primary")
    draft = [blocks.button("Postmortem draft …", "statuspage_draft", ref)] if with_draft else []
    return blocks.actions(tell, *draft)


def draft_form(incident: Incident, finds: tuple[MaskedItem, ...]) -> Block:
    """The window that lists what is masked in the postmortem before it becomes a draft on Statuspage."""
    shown = [blocks.section(words.statuspage.draft_question(key=incident.key)), *masked_item_blocks(finds)]
    about = blocks.incident_value(incident, channel=incident.channel)
    return blocks.modal("Draft for customers", "statuspage_draft", shown, submit="Create draft", private_metadata=about)


def drafting_message(incident: Incident, by: str) -> Message:
    """Someone ordered the draft."""
    return blocks.public(words.statuspage.drafting(key=incident.key, by=by))


def draft_message(incident: Incident) -> Message:
    """The draft is on Statuspage."""
    return blocks.message(words.statuspage.drafted(key=incident.key))


def form(incident: Incident, components: Iterable[Component], status: str) -> Block:
    """The window for an update: status, text, components, and whether mails go out."""
    fields = [
        blocks.input_block("Status", _select("status", STATUSES, status)),
        blocks.text_field(
            "Update for customers", "body", multiline=True, max_length=LONGEST, hint=words.statuspage.hint()
        ),
    ]
    names = {component.id: component.name for component in list(components)[:100]}
    if names:
        chosen = _select("components", names, "") | {"type": "multi_static_select"}
        working = _select("working", WORKINGS, ComponentStatus.PARTIAL_OUTAGE)
        fields.append(blocks.input_block("Affected components", chosen, optional=True))
        fields.append(blocks.input_block("Component status", working))
    mails = blocks.option("Email all subscribers", _MAILS)
    fields.append(blocks.checkboxes("Email", _MAILS, [(mails, False)]))
    about = blocks.incident_value(incident, channel=incident.channel)
    return blocks.modal("Tell customers", "statuspage_update", fields, submit="Next", private_metadata=about)


def confirm(incident: Incident, update: dict[str, Any], names: Iterable[str]) -> Block:
    """The window that shows the exact words once more: nothing goes out that a person has not seen."""
    status = STATUSES[update["status"]]
    shown = [
        blocks.section(words.statuspage.confirm_question(status=status, mails=update["mails"])),
        *blocks.sections("\n".join(f"&gt; {mrkdwn(line)}" for line in update["body"].splitlines())),
    ]
    if update["status"] == PublicStatus.RESOLVED:
        shown.append(blocks.context(words.statuspage.restored()))
    elif update["components"]:
        working = WORKINGS[update["working"]].lower()
        shown.append(blocks.context(words.statuspage.confirm_components(names=", ".join(names), working=working)))
    about = {"incident": incident.id, "channel": incident.channel, "update": update}
    return blocks.modal(
        "Tell customers this?",
        "statuspage_confirm",
        shown,
        submit="Publish",
        private_metadata=json.dumps(about, ensure_ascii=False),
    )


def publishing_message(incident: Incident, status: str, by: str) -> Message:
    """Someone published an update; Statuspage has not answered yet."""
    return blocks.public(words.statuspage.on_its_way(key=incident.key, status=STATUSES[status], by=by))


def update_message(incident: Incident, status: str, url: str) -> Message:
    """Customers can read the update."""
    return blocks.message(words.statuspage.update_sent(key=incident.key, status=STATUSES.get(status, status), url=url))


def still_open(incident: Incident, status: str, url: str) -> Message:
    """The incident is over, and customers do not know yet."""
    text = words.statuspage.still_open(key=incident.key, status=STATUSES.get(status, status).lower(), url=url)
    return blocks.message(text, tell_button(incident))


def _select(action: str, options: dict[str, str], initial: str) -> Block:
    choices = {value: blocks.option(text, value) for value, text in options.items()}
    return blocks.menu(action, choices.values(), choices.get(initial))
