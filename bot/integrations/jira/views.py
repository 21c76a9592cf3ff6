"""How work items in Jira look in Slack: the questions before they are made, and what happened to them.

`issue` is always the key and the address of a work item.
"""

from datetime import date

from bot.domain import text as text_rules
from bot.domain.records import Action, Incident
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views.actions import action_row, due_label
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

_LONGEST = 600


def consent_question(incident: Incident, project: str, summary: str) -> Message:
    """A private incident's actions wait for consent; `summary` is the first of them, as it would be in `project`."""
    text = words.connections.private_actions(key=incident.key, project=project, summary=summary)
    sure = words.connections.private_sure(project=project)
    about = blocks.incident_value(incident)
    agree = blocks.button("Send actions to Jira", "connections_agree", about, confirm=sure)
    return blocks.message(text, blocks.actions(agree))


def consent_message(incident: Incident, by: str) -> Message:
    """Someone agreed that a private incident's actions go to Jira; the whole channel sees who."""
    return blocks.public(words.connections.agreed(key=incident.key, by=by))


def work_item_message(action: Action, incident: Incident, issue: tuple[str, str], *, is_assigned: bool) -> Message:
    """An action is in Jira now, or has another assignee there."""
    key, url = issue
    text = words.connections.in_jira(
        number=action.number, key=incident.key, issue=key, url=url, owner=action.owner, is_assigned=is_assigned
    )
    shown = [blocks.section(text)]
    if action.owner and not is_assigned and not action.owner.startswith("S"):
        who = blocks.incident_value(incident, user=action.owner, action=action.id)
        shown.append(blocks.actions(blocks.button("Find in Jira", "connections_account", who)))
    return blocks.message(text, blocks=shown)


def done_message(action: Action, incident: Incident, issue: tuple[str, str]) -> Message:
    """An action is done because its work item is."""
    key, url = issue
    return blocks.message(
        words.connections.done_in_jira(
            number=action.number, key=incident.key, text=_short_text(action), issue=key, url=url
        )
    )


def reopening_message(action: Action, incident: Incident, issue: tuple[str, str]) -> Message:
    """An action is open again because its work item is."""
    key, url = issue
    text = words.connections.reopened_in_jira(
        number=action.number, key=incident.key, text=_short_text(action), issue=key, url=url
    )
    return _with_buttons(text, action)


def due_date_message(action: Action, incident: Incident, issue: tuple[str, str], today: date) -> Message:
    """An action has the due date that its work item was given."""
    key, url = issue
    due = due_label(action.due_on, today)
    text = words.connections.moved_in_jira(
        number=action.number, key=incident.key, text=_short_text(action), issue=key, url=url, due=due
    )
    return _with_buttons(text, action)


def assignee_message(action: Action, incident: Incident, issue: tuple[str, str], name: str) -> Message:
    """The work item has another assignee; `name` is their name in Jira, empty for none."""
    key, url = issue
    text = words.connections.assigned_in_jira(
        number=action.number,
        key=incident.key,
        text=_short_text(action),
        issue=key,
        url=url,
        owner=action.owner,
        name=shorten(name, 100),
    )
    return _with_buttons(text, action)


def _short_text(action: Action) -> str:
    return shorten(text_rules.flatten(action.text), _LONGEST)


def _with_buttons(text: str, action: Action) -> Message:
    return blocks.message(text, action_row(action, style=""))


def account_form(incident: Incident, user: str, name: str) -> Block:
    """The form that asks who someone is in Jira."""
    field = blocks.text_field(
        words.connections.account_question(owner=name),
        "account",
        placeholder="name@company.example",
        max_length=200,
        hint=words.connections.account_hint(),
    )
    about = blocks.incident_value(incident, user=user)
    return blocks.modal("Jira account", "connections_account", [field], submit="Save", private_metadata=about)


def account_message(user: str, account: str) -> Message:
    """Someone's account in Jira was chosen."""
    return blocks.public(words.connections.account_kept(owner=user, account=account))
