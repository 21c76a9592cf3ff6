"""The Home tab: what a person has to do, the open incidents, those resolved last, and a search."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.domain import checks as checks_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import text as text_rules
from bot.domain.incident import IncidentSpan
from bot.domain.library import library_url
from bot.domain.records import Case, Incident, PostmortemStatus
from bot.domain.text import format_age, shorten
from bot.slack.views import blocks
from bot.slack.views import incidents as incidents_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.actions import action_row
from bot.slack.views.blocks import Block
from bot.slack.views.postmortem import section_ref
from bot.slack.views.templates import words
from storage.actions import OwedAction

T = TypeVar("T")
U = TypeVar("U")

ACTIONS = 20
POSTMORTEMS = 10
OPEN = 8
RECENT = 5
"""Items of each kind on a page. With their buttons they stay below the 100 blocks of a Home tab."""

_STATES = {
    PostmortemStatus.OPEN: "open",
    PostmortemStatus.IN_REVIEW: "in review",
    PostmortemStatus.PUBLISHED: "published",
    PostmortemStatus.WAIVED: "not needed",
}


@dataclass(frozen=True, slots=True)
class OwedPage(Generic[T]):
    """A page of the `count` things that a person has to do, starting at index `begins`.

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
    """What a person has to do, and the incidents of channels that they can see.

    `overdue` is how many of all their actions are. `is_new`: they never recorded anything. `zone` is where their times
    are read, `zone_source` why: their `profile`, or that it is `missing` there; empty if the operator chose it.
    """

    actions: OwedPage[OwedAction]
    overdue: int
    postmortems: OwedPage[Case]
    opened: tuple[Incident, ...]
    recent: tuple[Incident, ...]
    courses: Mapping[int, IncidentSpan]
    is_new: bool
    zone: str
    zone_source: str
    library: str = ""


def home_view(content: HomeContent, now: datetime, *, has_ages: bool = True) -> Block:
    """The Home tab of a member. Without ages it differs only if more than the time has changed."""
    shown = [
        *_to_do(content, now),
        *([blocks.section(words.home.examples())] if content.is_new else []),
        blocks.actions(blocks.button("Open an incident", "incident_form_open", style="primary")),
        blocks.divider(),
        *_open(content, now if has_ages else None),
        *_recent(content),
        blocks.divider(),
        incidents_views.search_field("home_search", is_sent_by_enter=True),
        blocks.context(words.home.settings(zone=content.zone, source=content.zone_source)),
        blocks.actions(*_library_button(content), blocks.button("Help", "home_help")),
    ]
    return {"type": "home", "blocks": shown}


def _library_button(content: HomeContent) -> list[Block]:
    if not content.library:
        return []
    return [blocks.link_button("Read postmortems", "library_read_all", f"{content.library}/library")]


def guest_view() -> Block:
    """The Home tab of a guest, who may see nothing."""
    return {"type": "home", "blocks": [blocks.section(words.general.no_guests())]}


def unidentified_view() -> Block:
    """The Home tab of a person of whom Slack has not said yet who they are."""
    return {"type": "home", "blocks": [blocks.section(words.general.unidentified())]}


def help_view(texts: Sequence[str]) -> Block:
    """The window behind [Help]: all that can be typed, a text for each command."""
    shown = [block for text in texts for block in (*blocks.sections(text), blocks.divider())]
    return blocks.modal("What you can type", "home_help", shown[:-1], close={"type": "plain_text", "text": "Close"})


def _to_do(content: HomeContent, now: datetime) -> list[Block]:
    shown: list[Block] = []
    if content.actions.count:
        shown += _actions(content.actions, content.overdue, now)
    if content.postmortems.count:
        shown += [*([blocks.divider()] if shown else []), *_postmortems(content.postmortems, now)]
    return shown or [blocks.section(words.home.caught_up())]


def _open(content: HomeContent, now: datetime | None) -> list[Block]:
    shown = [blocks.section(words.home.open_heading(count=len(content.opened)))]
    for incident in content.opened[:OPEN]:
        line = words.home.open_line(
            key=incident.key,
            title=shorten(incident.title, 200),
            severity=incident.severity,
            status=str(incident.status),
            lead=incident.lead,
            age=format_age(now - content.courses[incident.id].since) if now else "",
        )
        shown.append(blocks.section(line, incidents_views.channel_button(incident)))
    if len(content.opened) > OPEN:
        shown.append(blocks.context(words.home.more_open(count=len(content.opened) - OPEN)))
    return shown


def _recent(content: HomeContent) -> list[Block]:
    if not content.recent:
        return []
    shown = [blocks.divider(), blocks.section(words.home.recent_heading())]
    for incident in content.recent[:RECENT]:
        line = words.home.recent_line(
            key=incident.key,
            title=shorten(incident.title, 200),
            severity=incident.severity,
            channel=incident.channel,
            length=content.courses[incident.id].length,
            postmortem=_STATES[incident.postmortem_status],
        )
        button, *_ = [*blocks.read_button(library_url(content.library, incident)), None]
        shown.append(blocks.section(line, button))
    return shown


def _actions(page: OwedPage[OwedAction], overdue: int, now: datetime) -> list[Block]:
    shown = [blocks.section(words.home.actions_heading(count=page.count, overdue=overdue))]
    for item in page.items:
        action = item.action
        late = action.overdue_at is not None and action.overdue_at <= now
        line = words.home.action_line(
            text=shorten(text_rules.flatten(action.text), 300),
            number=action.number,
            key=item.incident.key,
            channel=item.incident.channel,
            due=action.due_on,
            late=(now - action.overdue_at).days + 1 if late and action.overdue_at else 0,
            today=now.date(),
        )
        shown += [blocks.section(line), action_row(action, style="")]
    return shown + _page_buttons(page, "actions", ACTIONS)


def _postmortems(page: OwedPage[Case], now: datetime) -> list[Block]:
    shown = [blocks.section(words.home.postmortems_heading(count=page.count))]
    for case in page.items:
        incident = case.incident
        filled, total = checks_rules.count_sections(case)
        coming = checks_rules.find_next_section(case)
        line = words.home.postmortem_line(
            key=incident.key,
            title=shorten(incident.title, 200),
            channel=incident.channel,
            filled=filled,
            total=total,
            resolved=incident.resolved_at,
            now=now,
        )
        shown += [blocks.section(line), blocks.actions(*_postmortem_buttons(case, coming))]
    return shown + _page_buttons(page, "postmortems", POSTMORTEMS)


def _postmortem_buttons(case: Case, coming: str) -> list[Block]:
    incident = case.incident
    buttons = [
        postmortem_views.export_button(incident),
        blocks.button("Hand over", "postmortem_hand_over", section_ref(incident, "")),
    ]
    if postmortem_rules.can_publish(case):
        buttons.insert(0, postmortem_views.publish_button(incident))
    if coming:
        label = postmortem_views.fill_label(incident, coming)
        buttons.insert(0, blocks.button(label, "postmortem_fill", section_ref(incident, coming)))
    return buttons


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
