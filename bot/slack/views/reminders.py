"""Reminders: their texts, and the buttons to answer them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import checks as checks_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import text as text_rules
from bot.domain.records import Action, Case, Incident
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.actions import action_row, due_label, kind_and_link
from bot.slack.views.blocks import Block, Message
from bot.slack.views.postmortem import section_ref
from bot.slack.views.templates import words
from storage.actions import OwedAction

SHOWN = 15
"""Overdue actions that one digest lists. It also counts the rest."""


def postmortem_reminder(case: Case, age: timedelta, recipient: str, unseen: str = "") -> Message:
    """The postmortem is still open, `age` after the resolution: its owner and what is missing.

    `recipient` is the incident's channel, the owner, or the lead if the owner cannot be reached.
    `unseen` is a person who should get this but cannot see the incident's channel.
    """
    incident = case.incident
    owner = case.people.get(incident.postmortem_owner or "")
    text = words.reminders.postmortem(
        key=incident.key,
        title=incident.title,
        age=_age_label(age),
        owner=incident.postmortem_owner,
        owner_name=case.name(incident.postmortem_owner),
        has_left=owner is not None and owner.is_deactivated,
        missing=f"{checks_rules.describe_progress(case)}.",
        channel=incident.channel,
        to="channel"
        if recipient == incident.channel
        else "owner"
        if recipient == incident.postmortem_owner
        else "lead",
        unseen=unseen,
    )
    shown = [blocks.section(text), _buttons(case, is_private=recipient != incident.channel)]
    return blocks.message(text, blocks=shown)


def _buttons(case: Case, *, is_private: bool) -> Block:
    about = section_ref(case.incident, "")
    buttons = [blocks.button("Show what is missing", "postmortem_show", about)]
    if checks_rules.list_blank_sections(case):
        buttons.insert(0, blocks.button("Fill next", "postmortem_fill", about, style="primary"))
    if is_private:
        buttons.append(blocks.button("Snooze 1 day", "postmortem_snooze", about))
    if postmortem_rules.can_publish(case):
        buttons.append(postmortem_views.publish_button(case.incident))
    if is_private:
        buttons.append(postmortem_views.export_button(case.incident))
    buttons.append(blocks.button("Hand over", "postmortem_hand_over", about))
    buttons.append(blocks.button("Not needed …", "postmortem_waive", about))
    return blocks.actions(*buttons)


def new_owner_message(case: Case, by: str) -> Message:
    """To the new owner of a postmortem."""
    incident = case.incident
    text = words.reminders.new_owner(
        key=incident.key,
        title=incident.title,
        channel=incident.channel,
        by=by,
        missing=f"{checks_rules.describe_progress(case)}.",
    )
    return blocks.message(text, _buttons(case, is_private=True))


def hidden_postmortem_reminder() -> Message:
    """To the owner of a postmortem who cannot see the incident's channel."""
    return blocks.message(words.reminders.owed_unseen())


def hidden_action_question() -> Message:
    """To the owner of an action who cannot see the incident's channel."""
    return blocks.message(words.reminders.asked_unseen())


def hidden_reminder_message() -> Message:
    """Replaces a reminder for a person who can no longer see the incident's channel."""
    return blocks.message(words.reminders.retired_unseen())


def hidden_owner_message(incident: Incident) -> Message:
    """To the channel: the new owner of the postmortem cannot see it, and needs an invitation."""
    return blocks.message(words.reminders.handed_unseen(owner=incident.postmortem_owner, key=incident.key))


def closed_reminder(incident: Incident, why: str) -> Message:
    """Replaces a reminder that was answered, or followed by a newer one. `why` is mrkdwn."""
    return blocks.message(words.reminders.reminder_closed(key=incident.key, title=incident.title, why=why))


def closed_digest(why: str) -> Message:
    """Replaces a digest of overdue actions that is outdated. `why` is mrkdwn."""
    return blocks.message(words.reminders.digest_retired(why=why))


def closed_question(action: Action, why: str) -> Message:
    """Replaces a question about an action that is outdated. `why` is mrkdwn."""
    text = shorten(text_rules.flatten(action.text), 300)
    return blocks.message(words.reminders.asked_retired(text=text, number=action.number, why=why))


def _age_label(age: timedelta) -> str:
    """`24 hours`; from 72 hours on in days: `7 days`."""
    hours = max(int(age.total_seconds() // 3600), 0)
    return f"{hours} {'hour' if hours == 1 else 'hours'}" if hours < 72 else f"{hours // 24} days"


@dataclass(frozen=True, slots=True)
class DigestSubject:
    """Whose actions a digest lists, if they are not its reader's own. At most one is set.

    `gone` is the name of a person who left, `group` the id of a user group, `unseen` the id of a person who cannot see
    the incident's channel.
    """

    gone: str = ""
    group: str = ""
    unseen: str = ""


OWN = DigestSubject()


def overdue_digest(owed: Sequence[OwedAction], now: datetime, whose: DigestSubject = OWN, hidden: int = 0) -> Message:
    """A person's overdue actions with their buttons. `hidden` more are in channels that the person cannot see."""
    count = len(owed) + hidden
    text = words.reminders.digest(count=count, gone=whose.gone, group=whose.group, unseen=whose.unseen)
    shown = [blocks.section(text)]
    for item in owed[:SHOWN]:
        shown += [blocks.section(_overdue_line(item, now)), action_row(item.action)]
    if len(owed) > SHOWN:
        shown.append(blocks.context(words.reminders.overdue_more(count=len(owed) - SHOWN)))
    if hidden:
        shown.append(blocks.context(words.reminders.overdue_unseen(count=hidden)))
    return blocks.message(text, blocks=shown)


def _overdue_line(item: OwedAction, now: datetime) -> str:
    action, incident = item.action, item.incident
    return words.reminders.overdue_line(
        text=shorten(text_rules.flatten(action.text), 400),
        number=action.number,
        key=incident.key,
        channel=incident.channel,
        due=due_label(action.due_on),
        days=max((now - action.overdue_at).days + 1, 1) if action.overdue_at else 1,
        more=kind_and_link(action),
    )


def unreachable_message(channel: str, error: str) -> Message:
    """To the person who opened the incident: the bot cannot post to its channel."""
    return blocks.message(words.reminders.unreachable(channel=channel, error=error))
