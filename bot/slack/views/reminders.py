"""Reminders and nudges: their texts, and the buttons to answer them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from bot.domain import checks as checks_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import text as text_rules
from bot.domain.outline import title_of
from bot.domain.records import Action, Case, Incident
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.actions import action_row, due_label, ticket_link
from bot.slack.views.blocks import Block, Message
from bot.slack.views.postmortem import fill_label, section_ref
from bot.slack.views.templates import words
from storage.actions import OwedAction

SHOWN = 15
"""Overdue actions that one digest lists. It also counts the rest."""


def postmortem_reminder(case: Case, now: datetime, recipient: str, unseen: str = "") -> Message:
    """The postmortem is still open: whom it waits for, how much is left, and the form of the next section.

    `now` is in the reader's zone. `recipient` is the incident's channel, the owner, or the lead if the owner cannot be
    reached. `unseen` is a person who should get this but cannot see the incident's channel.
    """
    incident = case.incident
    owner = case.people.get(incident.postmortem_owner or "")
    has_left, is_unseen = owner is not None and owner.is_deactivated, unseen and unseen == incident.postmortem_owner
    text = words.reminders.postmortem(
        key=incident.key,
        title=shorten(incident.title, 300),
        resolved=incident.resolved_at or now,
        now=now,
        owner=case.name(incident.postmortem_owner),
        trouble="left" if has_left else "unseen" if is_unseen else "",
        channel=incident.channel,
        to="channel"
        if recipient == incident.channel
        else "owner"
        if recipient == incident.postmortem_owner
        else "lead",
        **_remaining(case),
    )
    shown = [blocks.section(text), _buttons(case, is_private=recipient != incident.channel)]
    return blocks.message(text, blocks=shown)


def postmortem_notice(case: Case, now: datetime) -> Message:
    """The same to those who hear of it besides the owner: whom it waits for, without buttons."""
    incident = case.incident
    owner = case.people.get(incident.postmortem_owner or "")
    text = words.reminders.postmortem(
        key=incident.key,
        title=shorten(incident.title, 300),
        resolved=incident.resolved_at or now,
        now=now,
        owner=case.name(incident.postmortem_owner),
        trouble="left" if owner is not None and owner.is_deactivated else "",
        channel=incident.channel,
        to="also",
        **_remaining(case),
    )
    return blocks.message(text)


class _Remaining(TypedDict):
    left: int
    section: str


def _remaining(case: Case) -> _Remaining:
    """How many sections are left, and the title of the next."""
    slug = checks_rules.find_next_section(case)
    return {
        "left": len(checks_rules.list_blank_sections(case)),
        "section": title_of(case.incident, slug) if slug else "",
    }


def _buttons(case: Case, *, is_private: bool) -> Block:
    """At most three buttons, the next thing to do first; what is pressed once in a while is in the menu."""
    about, slug = section_ref(case.incident, ""), checks_rules.find_next_section(case)
    buttons = [blocks.button("What's missing", "postmortem_show", about)]
    if slug:
        fill = fill_label(case.incident, slug)
        buttons.insert(0, blocks.button(fill, "postmortem_fill", section_ref(case.incident, slug), style="primary"))
    menu = [blocks.button("Hand over", "postmortem_hand_over", about)]
    if is_private:
        buttons.append(blocks.button("Snooze 1 day", "postmortem_snooze", about))
        menu.append(postmortem_views.export_button(case.incident))
    if postmortem_rules.can_publish(case):
        buttons.insert(0, postmortem_views.publish_button(case.incident))
    menu.append(blocks.button("Not needed …", "postmortem_waive", about))
    return blocks.actions(*buttons, blocks.overflow(*menu))


def new_owner_message(case: Case, by: str) -> Message:
    """To the new owner of a postmortem."""
    incident = case.incident
    text = words.reminders.new_owner(
        key=incident.key,
        title=shorten(incident.title, 300),
        channel=incident.channel,
        by=by,
        **_remaining(case),
    )
    return blocks.message(text, _buttons(case, is_private=True))


def snooze_receipt(incident: Incident, until: str) -> Message:
    """To the person who pressed [Snooze 1 day]; `until` is when the reminder comes."""
    return blocks.ephemeral(words.reminders.snooze_receipt(key=incident.key, until=until))


def hidden_postmortem_reminder() -> Message:
    """To the owner of a postmortem who cannot see the incident's channel."""
    return blocks.message(words.reminders.owed_unseen())


def hidden_action_question() -> Message:
    """To the owner of an action who cannot see the incident's channel."""
    return blocks.message(words.reminders.asked_unseen())


def hidden_assignment() -> Message:
    """To a person who was given an action of a channel that they cannot see."""
    return blocks.message(words.reminders.assigned_unseen())


def hidden_notice() -> Message:
    """To the owner of an action that changed, who cannot see the incident's channel."""
    return blocks.message(words.reminders.changed_unseen())


def hidden_reminder_message() -> Message:
    """Replaces a reminder for a person who can no longer see the incident's channel."""
    return blocks.message(words.reminders.retired_unseen())


def redacted_message() -> Message:
    """Replaces a message that cannot be composed again, after a redaction."""
    return blocks.message(words.reminders.redacted())


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
        shown += [blocks.section(_overdue_line(item, now)), action_row(item.action, style="")]
    if len(owed) > SHOWN:
        shown.append(blocks.context(words.reminders.overdue_more(count=len(owed) - SHOWN)))
    if hidden:
        shown.append(blocks.context(words.reminders.overdue_unseen(count=hidden)))
    if whose == OWN and len(owed) > 1:
        shown.append(blocks.actions(_all_done_button(owed[:SHOWN])))
    lines = [_overdue_line(item, now) for item in owed[:SHOWN]]
    return blocks.message("\n".join([text, *lines]), blocks=shown)


def _all_done_button(owed: Sequence[OwedAction]) -> Block:
    """[All done]: it finishes every action that the digest lists."""
    about = json.dumps({"actions": [item.action.id for item in owed]})
    sure = words.reminders.all_done_sure(count=len(owed))
    return blocks.button("All done", "actions_all_done", about, confirm=sure)


def _overdue_line(item: OwedAction, now: datetime) -> str:
    action, incident = item.action, item.incident
    return words.reminders.overdue_line(
        text=shorten(text_rules.flatten(action.text), 400),
        number=action.number,
        key=incident.key,
        channel=incident.channel,
        due=due_label(action.due_on, now.date()),
        days=max((now - action.overdue_at).days + 1, 1) if action.overdue_at else 1,
        ticket=ticket_link(action),
    )


def unreachable_message(channel: str, error: str) -> Message:
    """To the person who opened the incident: the bot cannot post to its channel."""
    return blocks.message(words.reminders.unreachable(channel=channel, why=words.general.slack_refusal(error=error)))


def unclaimed_message(incident: Incident, unset: Sequence[str], now: datetime) -> Message:
    """An incident has no lead, no severity, or neither."""
    text = words.nudges.unclaimed(
        key=incident.key,
        title=incident.title,
        link=incident.channel_link,
        unset=unset,
        opened_at=incident.opened_at,
        now=now,
    )
    return blocks.message(text)


def silence_message(incident: Incident, since: datetime, now: datetime) -> Message:
    """Nothing was recorded in a severe incident for a while."""
    text = words.nudges.silence(
        key=incident.key,
        title=incident.title,
        link=incident.channel_link,
        severity=incident.severity_name,
        since=since,
        now=now,
    )
    return blocks.message(text)


def hidden_message() -> Message:
    """To a person who may not look into the incident's channel: nothing about it."""
    return blocks.message(words.nudges.hidden())
