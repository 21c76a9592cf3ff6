"""How the other systems look in Slack: what stands there, what failed, and the button that tries again."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain import text as text_rules
from bot.domain.records import Action, Incident
from bot.domain.text import shorten
from bot.integrations import SYSTEMS
from bot.slack.views import blocks
from bot.slack.views.actions import action_row, due_label
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage.links import Link, LinkCount
from storage.queues import SyncState

NAMES = {system.name: system.title for system in SYSTEMS.values()}
"""What people call a system, by the name that links carry."""

_SHOWN = 5
_LONGEST = 600


def overview(
    systems: Iterable[str], counts: tuple[LinkCount, ...], troubled: tuple[Link, ...], unheard: Mapping[str, str]
) -> Message:
    """Each connected system's state, its last errors, and [Try again] where there are any.

    `unheard` says by system why it could not be asked lately what changed there.
    """
    shown: list[Block] = []
    for system in systems:
        if system in unheard:
            error = shorten(unheard[system], _LONGEST)
            shown.append(blocks.section(words.connections.unheard(system=NAMES[system], error=error)))
        shown += _system(system, counts, [link for link in troubled if link.system == system])
    if not shown:
        return blocks.ephemeral(words.connections.nothing())
    return blocks.ephemeral(words.connections.heading(), [blocks.section(words.connections.heading()), *shown])


def _system(system: str, counts: tuple[LinkCount, ...], troubled: list[Link]) -> list[Block]:
    number = {count.state: count.count for count in counts if count.system == system}
    kept, owed = number.get(SyncState.IN_SYNC, 0), number.get(SyncState.PENDING, 0) + number.get(SyncState.CALLING, 0)
    name = NAMES[system]
    if troubled:
        lines = [words.connections.failing(system=name, kept=kept, failed=len(troubled))]
        alike: dict[str, list[Link]] = {}
        for link in troubled:
            alike.setdefault(link.error, []).append(link)
        lines += [_trouble(links) for links in list(alike.values())[:_SHOWN]]
        more = sum(len(links) for links in list(alike.values())[_SHOWN:])
        lines += [words.connections.more(count=more)] if more else []
        return [*blocks.sections("\n".join(lines)), again_button(system)]
    if owed:
        return [blocks.section(words.connections.waiting(system=name, kept=kept, owed=owed))]
    last = [count.synced_at for count in counts if count.system == system and count.synced_at]
    return [blocks.section(words.connections.fine(system=name, kept=kept, at=max(last, default=None)))]


def _trouble(links: list[Link]) -> str:
    """What several links have the same trouble with, and when the first of them is tried again."""
    tries: list[datetime] = [link.due_at for link in links if link.state != SyncState.REJECTED]
    named = ", ".join(link.subject for link in links[:_SHOWN])
    more, error = max(len(links) - _SHOWN, 0), shorten(links[0].error, _LONGEST)
    return words.connections.trouble(subject=named, more=more, error=error, tried=min(tries, default=None))


def again_button(system: str) -> Block:
    """[Try again] for everything of a system."""
    return blocks.actions(
        blocks.button(f"Try {NAMES[system]} again", "connections_again", json.dumps({"system": system}))
    )


def failed(link: Link, sentence: str, *, others: bool) -> Message:
    """Something could not be brought into another system, or into step where it stands; `others`: nor could more."""
    said = words.connections.failed(subject=link.subject, url=link.url, error=sentence, others=others)
    return blocks.message(said, [blocks.section(said), again_button(link.system)])


def mended(links: tuple[Link, ...], *, refused: int) -> Message:
    """What people were told could not be brought into a system is in step; `refused` other things are not."""
    system, subject = NAMES[links[0].system], links[0].subject if len(links) == 1 else ""
    return blocks.message(
        words.connections.failure_mended(system=system, subject=subject, count=len(links), refused=refused)
    )


def again(system: str, count: int) -> Message:
    """[Try again] was pressed."""
    return blocks.ephemeral(words.connections.again(system=NAMES[system], count=count))


def private_actions(incident: Incident, project: str, summary: str) -> Message:
    """A private incident's actions wait; `summary` is the first of them as it would stand in Jira's `project`."""
    said = words.connections.private_actions(key=incident.key, project=project, summary=summary)
    sure = words.connections.private_sure(project=project)
    about = blocks.incident_value(incident)
    agree = blocks.button("Put its actions into Jira", "connections_agree", about, confirm=sure)
    return blocks.message(said, [blocks.section(said), blocks.actions(agree)])


def agreed(incident: Incident, by: str) -> Message:
    """Somebody let a private incident's actions go to Jira: everybody in the channel hears who."""
    return blocks.message(words.connections.agreed(key=incident.key, by=by), response_type="in_channel")


def in_jira(action: Action, incident: Incident, issue: tuple[str, str], *, is_assigned: bool) -> Message:
    """An action stands in Jira now (`issue` is its key and address), with somebody or with nobody."""
    key, url = issue
    said = words.connections.in_jira(
        number=action.number, key=incident.key, issue=key, url=url, owner=action.owner, is_assigned=is_assigned
    )
    shown = [blocks.section(said)]
    if action.owner and not is_assigned and not action.owner.startswith("S"):
        who = blocks.incident_value(incident, user=action.owner)
        shown.append(blocks.actions(blocks.button("Who is it in Jira?", "connections_account", who)))
    return blocks.message(said, shown)


def done_in_jira(action: Action, incident: Incident, issue: tuple[str, str]) -> Message:
    """An action is done because its work item is."""
    key, url = issue
    return blocks.message(
        words.connections.done_in_jira(number=action.number, key=incident.key, text=_text(action), issue=key, url=url)
    )


def reopened_in_jira(action: Action, incident: Incident, issue: tuple[str, str]) -> Message:
    """An action is open again because its work item is."""
    key, url = issue
    said = words.connections.reopened_in_jira(
        number=action.number, key=incident.key, text=_text(action), issue=key, url=url
    )
    return _of_item(said, action)


def moved_in_jira(action: Action, incident: Incident, issue: tuple[str, str]) -> Message:
    """An action has the date that somebody gave its work item."""
    key, url = issue
    due = due_label(action.due_on)
    said = words.connections.moved_in_jira(
        number=action.number, key=incident.key, text=_text(action), issue=key, url=url, due=due
    )
    return _of_item(said, action)


def assigned_in_jira(action: Action, incident: Incident, issue: tuple[str, str], name: str) -> Message:
    """Somebody else has the work item now; `name` is what Jira calls them, empty for nobody."""
    key, url = issue
    said = words.connections.assigned_in_jira(
        number=action.number,
        key=incident.key,
        text=_text(action),
        issue=key,
        url=url,
        owner=action.owner,
        name=shorten(name, 100),
    )
    return _of_item(said, action)


def _text(action: Action) -> str:
    return shorten(text_rules.flatten(action.text), _LONGEST)


def _of_item(said: str, action: Action) -> Message:
    return blocks.message(said, [blocks.section(said), action_row(action, style="")])


def account_form(incident: Incident, user: str, name: str) -> Block:
    """The form that asks who somebody is in Jira."""
    field = blocks.input_block(
        words.connections.account_question(owner=name),
        "account",
        blocks.text_input("account", placeholder="name@company.example", max_length=200),
        hint=words.connections.account_hint(),
    )
    kept = blocks.incident_value(incident, user=user)
    return blocks.modal("Somebody in Jira", "connections_account", [field], submit="Save", private_metadata=kept)


def account_kept(user: str, account: str) -> Message:
    """It is known now who somebody is in Jira."""
    return blocks.message(words.connections.account_kept(owner=user, account=account), response_type="in_channel")


def on_its_way(incident: Incident, system: str) -> Message:
    """Something was asked for in another system."""
    return blocks.ephemeral(words.connections.on_its_way(key=incident.key, system=NAMES[system]))


def in_jsm(incident: Incident, issue: tuple[str, str]) -> Message:
    """The incident stands in the service project (`issue` is its key and address there)."""
    key, url = issue
    return blocks.message(words.connections.in_jsm(key=incident.key, issue=key, url=url))


def in_jsm_already(incident: Incident, issue: tuple[str, str]) -> Message:
    """It stood there before."""
    key, url = issue
    return blocks.ephemeral(words.connections.in_jsm_already(key=incident.key, issue=key, url=url))


def closed_in_jsm(incident: Incident, issue: tuple[str, str]) -> Message:
    """Somebody closed it there: here the time of its end is asked of a person."""
    key, url = issue
    said = words.connections.closed_in_jsm(key=incident.key, issue=key, url=url)
    ref = blocks.incident_value(incident)
    return blocks.message(
        said, [blocks.section(said), blocks.actions(blocks.button("Resolved", "incident_resolved", ref))]
    )


def paging(incident: Incident, number: int) -> Message:
    """A page was asked for, and is not confirmed."""
    return blocks.message(words.connections.paging(key=incident.key, number=number), response_type="in_channel")


def not_paged(incident: Incident, text: str) -> Message:
    """A page could not be sent before its incident was over."""
    return blocks.message(words.connections.not_paged(key=incident.key, text=shorten(text, _LONGEST)))


def paged(incident: Incident, system: str, text: str, number: int) -> Message:
    """The other system has confirmed it."""
    shown = shorten(text, _LONGEST)
    return blocks.message(words.connections.paged(key=incident.key, system=system, text=shown, number=number))
