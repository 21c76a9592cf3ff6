"""How other systems look in Slack: their state, failures and [Try again], pages to people on call, the service project.

`issue` is always the key and the address of an issue. A system with more messages has its own `views`.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.records import Incident, System
from bot.domain.text import shorten
from bot.integrations.links import describe_subject
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage.links import Link, LinkCount
from storage.queues import SyncState

_SHOWN = 5
_LONGEST = 600


def overview(
    systems: Iterable[str],
    counts: tuple[LinkCount, ...],
    troubled: tuple[Link, ...],
    unheard: Mapping[str, str],
    now: datetime,
) -> Message:
    """Each connected system's state, its last errors, and [Try again] if it has any.

    `unheard` says by system why its last poll failed.
    """
    shown: list[Block] = []
    for system in systems:
        failed = [link for link in troubled if link.system == system]
        shown += _system_blocks(system, counts, failed, unheard.get(system, ""), now)
    if not shown:
        return blocks.ephemeral(words.connections.nothing())
    return blocks.ephemeral(words.connections.heading(), *shown)


def _system_blocks(
    system: str, counts: tuple[LinkCount, ...], troubled: list[Link], unheard: str, now: datetime
) -> list[Block]:
    number = {count.state: count.count for count in counts if count.system == system}
    done, owed = number.get(SyncState.IN_SYNC, 0), number.get(SyncState.PENDING, 0) + number.get(SyncState.CALLING, 0)
    name = System(system).display_name
    shown = []
    if unheard:
        # It has the counts only if no other line does: a system is not both red and green.
        known = {"in_sync": 0, "owed": 0} if troubled else {"in_sync": done, "owed": owed}
        unknown = words.connections.changes_unknown(system=name, error=shorten(unheard, _LONGEST), **known)
        shown.append(blocks.section(unknown))
    if troubled:
        lines = [words.connections.failing(system=name, in_sync=done, failed=len(troubled))]
        alike: dict[str, list[Link]] = {}
        for link in troubled:
            alike.setdefault(link.error, []).append(link)
        lines += [_failure_line(links, now) for links in list(alike.values())[:_SHOWN]]
        more = sum(len(links) for links in list(alike.values())[_SHOWN:])
        lines += [words.connections.more(count=more)] if more else []
        return [*shown, *blocks.sections("\n".join(lines)), retry_button(system)]
    if shown:
        return shown
    if owed:
        return [blocks.section(words.connections.waiting(system=name, in_sync=done, owed=owed))]
    last = [count.synced_at for count in counts if count.system == system and count.synced_at]
    return [blocks.section(words.connections.fine(system=name, in_sync=done, at=max(last, default=None), now=now))]


def _failure_line(links: list[Link], now: datetime) -> str:
    """The links that fail with the same error, and when the first of them is tried again."""
    tries: list[datetime] = [link.due_at for link in links if link.state != SyncState.REJECTED]
    named = ", ".join(describe_subject(link.subject) for link in links[:_SHOWN])
    more, error = max(len(links) - _SHOWN, 0), shorten(links[0].error, _LONGEST)
    return words.connections.trouble(subject=named, more=more, error=error, tried=min(tries, default=None), now=now)


def retry_button(system: str) -> Block:
    """[Try Jira again], or [Page on call again]: for everything of a system."""
    name = System(system).display_name
    label = "Page on call again" if system == System.PAGING else f"Try {name} again"
    return blocks.actions(blocks.button(label, "connections_again", json.dumps({"system": system})))


def failure_message(link: Link, sentence: str, *, others: bool) -> Message:
    """A sync job failed. `others`: more of this system fail with the same error."""
    text = words.connections.failed(subject=describe_subject(link.subject), url=link.url, error=sentence, others=others)
    return blocks.message(text, retry_button(link.system))


def recovery_message(links: tuple[Link, ...], *, refused: int) -> Message:
    """Failures that were reported are over; `refused` other jobs are still rejected."""
    subject = describe_subject(links[0].subject) if len(links) == 1 else ""
    system = System(links[0].system).display_name
    return blocks.message(
        words.connections.failure_mended(system=system, subject=subject, count=len(links), refused=refused)
    )


def retry_message(system: str, count: int) -> Message:
    """[Try again] was pressed."""
    return blocks.ephemeral(
        words.connections.again(system=System(system).display_name, is_paging=system == System.PAGING, count=count)
    )


def opening_message(incident: Incident) -> Message:
    """The incident was ordered; Jira has not answered yet."""
    return blocks.ephemeral(
        words.connections.on_its_way(key=incident.key, system=System.SERVICE_MANAGEMENT.display_name)
    )


def service_incident_message(incident: Incident, issue: tuple[str, str]) -> Message:
    """The incident was created in the service project."""
    key, url = issue
    return blocks.message(words.connections.in_jsm(key=incident.key, issue=key, url=url))


def known_service_incident_message(incident: Incident, issue: tuple[str, str]) -> Message:
    """It was there before."""
    key, url = issue
    return blocks.ephemeral(words.connections.in_jsm_already(key=incident.key, issue=key, url=url))


def closure_question(incident: Incident, issue: tuple[str, str]) -> Message:
    """It was closed there. A person has to say when the incident ended."""
    key, url = issue
    text = words.connections.closed_in_jsm(key=incident.key, issue=key, url=url)
    ref = blocks.incident_value(incident)
    return blocks.message(text, blocks.actions(blocks.button("Resolved", "incident_resolved", ref)))


def paging_message(incident: Incident, number: int) -> Message:
    """A page was asked for, and is not confirmed."""
    return blocks.public(words.connections.paging(key=incident.key, number=number))


def unsent_page_message(incident: Incident, text: str) -> Message:
    """A page could not be sent before its incident was over."""
    return blocks.message(words.connections.not_paged(key=incident.key, text=shorten(text, _LONGEST)))


def confirmed_page_message(incident: Incident, system: str, text: str, number: int) -> Message:
    """The other system has confirmed it."""
    shown = shorten(text, _LONGEST)
    return blocks.message(words.connections.paged(key=incident.key, system=system, text=shown, number=number))
