"""Alerts in Slack: the suggestion, the storm, and the question whether the incident is over."""

import json
from datetime import datetime

from bot.domain.alerts.groups import AlertGroup, GroupState, Storm
from bot.domain.records import Incident, Status
from bot.domain.secrets import mask_credentials
from bot.domain.text import format_when, shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

STORM_LINES = 10
"""Alert groups that a storm's message lists. It also counts the rest."""


def suggestion(group: AlertGroup, here: Incident | None, attached: Incident | None, now: datetime) -> Message:
    """One alert group with its state and buttons.

    `here` is the incident open in this channel; `attached` is the incident that has the group.
    """
    shown = [blocks.header(group.title), blocks.section(_facts(group, now))]
    if attached is not None:
        by = "" if group.settled_by == "rule" else group.settled_by
        shown.append(blocks.context(words.alerts.attached(key=attached.key, channel=attached.channel, by=by)))
    elif group.stand is GroupState.IGNORED:
        shown.append(blocks.context(words.alerts.ignored(by=group.settled_by)))
        shown.append(blocks.actions(blocks.button("Stop ignoring", "alerts_again", _ref(group))))
    else:
        shown.append(blocks.actions(*_buttons(group, here)))
    return blocks.message(words.alerts.fallback(title=group.title, status=str(group.status)), blocks=shown)


def merged_message(group: AlertGroup) -> Message:
    """Replaces a suggestion whose alerts turned out to belong to an earlier group."""
    return blocks.message(words.alerts.merged(title=group.title))


def _facts(group: AlertGroup, now: datetime) -> str:
    return words.alerts.facts(
        status=str(group.status),
        since=group.starts_at,
        taken_up=group.acknowledged_at,
        by=group.acknowledged_by,
        ended=group.ended_at,
        severity=group.severity,
        service=group.service,
        source=group.source_name,
        link=group.link,
        fired=group.fired,
        firing=group.firing,
        now=now,
    )


def _ref(group: AlertGroup) -> str:
    return json.dumps({"alert": group.id})


def _buttons(group: AlertGroup, here: Incident | None) -> list[Block]:
    this = _ref(group)
    attach = blocks.button("Attach to …", "alerts_attach", this)
    ignore = blocks.button("Ignore", "alerts_ignore", this)
    if here is None:
        return [blocks.button("Open an incident", "alerts_open", this, style="primary"), attach, ignore]
    value = json.dumps({"alert": group.id, "into": here.id})
    first = blocks.button(f"Attach to {here.key}", "alerts_attach_here", value, style="primary")
    return [first, blocks.button("Open an incident", "alerts_open", this), attach, ignore]


def storm_message(storm: Storm, groups: tuple[AlertGroup, ...], count: int, now: datetime) -> Message:
    """The groups of a storm as one message, with a button that shows some of them one by one."""
    lines = [
        words.alerts.storm_line(
            title=shorten(group.title, 120),
            status=str(group.status),
            since=group.starts_at,
            source=group.source_name,
            now=now,
        )
        for group in groups
    ]
    text = words.alerts.storm(count=count, since=storm.began_at, more=max(count - len(groups), 0), now=now)
    if not count:
        return blocks.message(text)
    more = blocks.button(words.alerts.storm_button(count=count), "alerts_more", json.dumps({"storm": storm.id}))
    return blocks.message(text, *blocks.sections("\n".join(lines)), blocks.actions(more))


def ended_blocks(group: AlertGroup, now: datetime) -> list[Block]:
    """A note above a form that the alert has ended. The message with the button may be older than that."""
    return [blocks.section(words.alerts.over(at=group.ended_at, now=now))] if group.ended_at else []


def attach_form(group: AlertGroup, incidents: tuple[Incident, ...], now: datetime) -> Block:
    """The form behind [Attach to …]: a menu of the open incidents in `incidents`."""
    options = [
        blocks.option(f"{incident.key} {mask_credentials(incident.title)}", str(incident.id)) for incident in incidents
    ]
    menu = blocks.menu("into", options, options[0])
    return blocks.modal(
        "Attach an alert",
        "alerts_attach",
        [
            blocks.section(words.alerts.attach_what(title=group.title)),
            *ended_blocks(group, now),
            blocks.input_block("Incident", menu),
        ],
        submit="Attach",
        private_metadata=json.dumps({"alert": group.id, "channel": group.channel}),
    )


def all_ended_message(incident: Incident, count: int, at: datetime, now: datetime) -> Message:
    """To an incident's channel: all its alerts have ended."""
    # It only offers to resolve: people decide (docs/decisions/0020-alerts-only-suggest.md).
    text = words.alerts.calm(key=incident.key, count=count, at=at, now=now)
    clock, value = format_when(at, now), blocks.incident_value(incident, at=at.isoformat())
    sure = words.alerts.resolved_sure(key=incident.key, at=at, now=now)
    buttons = [blocks.button(f"Resolved at {clock}", "alerts_resolved", value, confirm=sure)]
    if incident.status is Status.OPEN:
        buttons.insert(0, blocks.button(f"Mitigated at {clock}", "alerts_mitigated", value))
    return blocks.message(text, blocks.actions(*buttons))
