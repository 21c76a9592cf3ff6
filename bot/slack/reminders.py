"""What reminders say, and the buttons that answer them."""

from datetime import datetime, timedelta

from bot.incident import checks
from bot.incident.records import Case
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.actions import due_words, ref
from bot.slack.blocks import Message
from bot.slack.postmortem import section_ref
from bot.slack.words import words
from storage.actions import OwedAction

SHOWN = 15
"""Overdue actions that one digest lists with their buttons; it says how many more there are."""


def postmortem(case: Case, age: timedelta, recipient: str) -> Message:
    """The postmortem is still open, so long after the resolution: whose it is and what is missing.

    `recipient` is the incident's channel, the owner, or the lead where the owner cannot be reached.
    """
    incident = case.incident
    owner = case.people.get(incident.postmortem_owner or "")
    said = words.reminders.postmortem(
        key=incident.key,
        title=incident.title,
        age=_age(age),
        owner=incident.postmortem_owner,
        owner_name=case.name(incident.postmortem_owner),
        has_left=owner is not None and owner.is_deactivated,
        missing=f"{checks.sentence(case)}.",
        channel=incident.channel,
        to="channel"
        if recipient == incident.channel
        else "owner"
        if recipient == incident.postmortem_owner
        else "lead",
    )
    buttons = [blocks.button("Show what is missing", "postmortem_show", section_ref(incident, ""))]
    if checks.blank_sections(case):
        buttons.insert(0, blocks.button("Fill next", "postmortem_fill", section_ref(incident, ""), style="primary"))
    return blocks.message(said, [blocks.section(said), blocks.actions(*buttons)])


def _age(age: timedelta) -> str:
    """`24 hours`, and from three days on `7 days`."""
    hours = max(int(age.total_seconds() // 3600), 0)
    return f"{hours} {'hour' if hours == 1 else 'hours'}" if hours < 72 else f"{hours // 24} days"


def overdue(owed: tuple[OwedAction, ...], now: datetime, gone: str = "") -> Message:
    """One person's overdue actions, each with its buttons; `gone` is their name where others get it, for they left."""
    said = words.reminders.overdue(count=len(owed), gone=gone)
    shown = [blocks.section(said)]
    for item in owed[:SHOWN]:
        action, incident = item.action, item.incident
        days = max((now - action.overdue_at).days + 1, 1) if action.overdue_at else 1
        line = words.reminders.overdue_line(
            text=shortened(" ".join(action.text.split()), 400),
            number=action.number,
            key=incident.key,
            due=due_words(action.due_on),
            days=days,
        )
        shown.append(blocks.section(line))
        shown.append(
            blocks.actions(
                blocks.button("Done", "action_done", ref(action), style="primary"),
                blocks.button("New date", "action_date", ref(action)),
            )
        )
    if len(owed) > SHOWN:
        shown.append(blocks.context(f"… and {len(owed) - SHOWN} more; these are the longest overdue."))
    return blocks.message(said, shown)


def unreachable(channel: str, error: str) -> Message:
    """To whoever opened the incident: the channel cannot be posted into."""
    return blocks.message(words.reminders.unreachable(channel=channel, error=error))
