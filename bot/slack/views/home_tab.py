"""The Home tab: what a person owes, and the open incidents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.domain import checks as checks_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import text as text_rules
from bot.domain.incident import IncidentSpan
from bot.domain.records import Case, Incident, Status
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.actions import action_row, due_label
from bot.slack.views.blocks import Block
from bot.slack.views.postmortem import section_ref
from bot.slack.views.templates import words
from storage.actions import OwedAction

T = TypeVar("T")
U = TypeVar("U")

ACTIONS = 20
POSTMORTEMS = 10
INCIDENTS = 8
"""Items of each kind on a page. With their buttons they stay below the 100 blocks of a Home tab."""


@dataclass(frozen=True, slots=True)
class OwedPage(Generic[T]):
    """A page of the `count` things that a person owes, starting at index `begins`.

    `hidden` of them are in channels that the person cannot see; they are not among the items.
    """

    items: tuple[T, ...]
    begins: int = 0
    count: int = 0
    hidden: int = 0

    def only(self, shown: Sequence[U]) -> "OwedPage[U]":
        """The same page with only these items; the others count as hidden."""
        return OwedPage(tuple(shown), self.begins, self.count, len(self.items) - len(shown))

    @property
    def ends(self) -> int:
        """The index at which the next page begins."""
        return self.begins + len(self.items) + self.hidden


@dataclass(frozen=True, slots=True)
class HomeContent:
    """What a person owes, and the incidents of channels that they can see."""

    actions: OwedPage[OwedAction]
    postmortems: OwedPage[Case]
    incidents: tuple[Incident, ...]
    courses: Mapping[int, IncidentSpan]


def home_view(content: HomeContent, now: datetime) -> Block:
    """The Home tab of a member."""
    opened = [incident for incident in content.incidents if incident.status is not Status.RESOLVED]
    recent = [incident for incident in content.incidents if incident.status is Status.RESOLVED]
    shown = [
        blocks.actions(blocks.button("Open an incident", "incident_form_open", style="primary")),
        blocks.section(words.home.open_heading(count=len(opened))),
        *_incidents(opened, content.courses),
        blocks.divider(),
        *_actions(content.actions, now),
        blocks.divider(),
        *_postmortems(content.postmortems),
    ]
    if recent:
        shown += [blocks.divider(), blocks.section(words.home.recent_heading()), *_incidents(recent, content.courses)]
    return {"type": "home", "blocks": shown}


def guest_view() -> Block:
    """The Home tab of a guest, who may see nothing."""
    return {"type": "home", "blocks": [blocks.section(words.general.no_guests())]}


def _incidents(found: list[Incident], courses: Mapping[int, IncidentSpan]) -> list[Block]:
    lines = [
        words.home.incident_line(
            key=incident.key,
            title=shorten(incident.title, 200),
            status=str(incident.status),
            severity=incident.severity_name,
            channel=incident.channel,
            course=courses[incident.id],
        )
        for incident in found[:INCIDENTS]
    ]
    return [blocks.section(line) for line in lines]


def _actions(page: OwedPage[OwedAction], now: datetime) -> list[Block]:
    shown = [blocks.section(words.home.owed_heading(count=page.count))]
    for item in page.items:
        action = item.action
        line = words.home.owed_line(
            text=shorten(text_rules.flatten(action.text), 300),
            number=action.number,
            key=item.incident.key,
            channel=item.incident.channel,
            due=due_label(action.due_on),
            overdue=action.overdue_at is not None and action.overdue_at <= now,
        )
        shown += [blocks.section(line), action_row(action, style="")]
    return shown + _page_buttons(page, "actions", ACTIONS)


def _postmortems(page: OwedPage[Case]) -> list[Block]:
    shown = [blocks.section(words.home.postmortems_heading(count=page.count))]
    for case in page.items:
        incident = case.incident
        line = words.home.postmortem_line(
            key=incident.key,
            title=shorten(incident.title, 200),
            channel=incident.channel,
            meter=f"{checks_rules.describe_progress(case)}.",
        )
        about = section_ref(incident, "")
        buttons = [postmortem_views.export_button(incident), blocks.button("Hand over", "postmortem_hand_over", about)]
        if postmortem_rules.can_publish(case):
            buttons.insert(0, postmortem_views.publish_button(incident))
        if checks_rules.list_blank_sections(case):
            buttons.insert(0, blocks.button("Fill next", "postmortem_fill", about))
        shown += [blocks.section(line), blocks.actions(*buttons)]
    return shown + _page_buttons(page, "postmortems", POSTMORTEMS)


def _page_buttons(page: OwedPage[T], part: str, size: int) -> list[Block]:
    """The number of hidden items, and buttons to the previous and next page."""
    shown = [blocks.context(words.home.hidden(count=page.hidden))] if page.hidden else []
    targets = []
    if page.begins:
        targets.append((f"Previous {size}", "home_back", page.begins - size))
    if left := page.count - page.ends:
        targets.append((f"Next {min(size, left)}", "home_on", page.ends))
    if targets:
        buttons = (
            blocks.button(label, action, json.dumps({"part": part, "from": begins}))
            for label, action, begins in targets
        )
        position = words.home.page(first=page.begins + 1, last=page.ends, count=page.count)
        shown += [blocks.context(position), blocks.actions(*buttons)]
    return shown
