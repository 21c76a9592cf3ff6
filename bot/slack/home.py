"""How the Home tab looks: what one person owes, and what is open."""

from dataclasses import dataclass
from datetime import datetime

from bot.incident import checks
from bot.incident.records import Case, Incident, Status
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.actions import due_words, ref
from bot.slack.blocks import Block
from bot.slack.postmortem import section_ref
from bot.slack.words import words
from storage.actions import OwedAction

ACTIONS = 20
POSTMORTEMS = 10
INCIDENTS = 8
"""How many of each are drawn: with their buttons they stay below the 100 blocks of a Home tab."""


@dataclass(frozen=True, slots=True)
class Owing:
    """What one person owes, and the incidents of the channels that they may look into."""

    actions: tuple[OwedAction, ...]
    postmortems: tuple[Case, ...]
    incidents: tuple[Incident, ...]


def home(owing: Owing, now: datetime) -> Block:
    """The view to publish."""
    opened = [incident for incident in owing.incidents if incident.status is not Status.RESOLVED]
    recent = [incident for incident in owing.incidents if incident.status is Status.RESOLVED]
    shown = [
        blocks.actions(blocks.button("Open an incident", "incident_form_open", style="primary")),
        blocks.section(words.home.open_heading(count=len(opened))),
        *_incidents(opened),
        blocks.divider(),
        *_actions(owing.actions, now),
        blocks.divider(),
        *_postmortems(owing.postmortems),
    ]
    if recent:
        shown += [blocks.divider(), blocks.section(words.home.recent_heading()), *_incidents(recent)]
    return {"type": "home", "blocks": shown}


def closed() -> Block:
    """The view for guests, who may see nothing."""
    return {"type": "home", "blocks": [blocks.section(words.general.no_guests())]}


def _incidents(found: list[Incident]) -> list[Block]:
    lines = [
        words.home.incident_line(
            key=incident.key,
            title=shortened(incident.title, 200),
            status=str(incident.status),
            severity=incident.severity_name,
            channel=incident.channel,
            at=f"{incident.resolved_at or incident.opened_at:%Y-%m-%d %H:%M}",
        )
        for incident in found[:INCIDENTS]
    ]
    return [blocks.section(line) for line in lines] + _more(len(found), INCIDENTS)


def _actions(owed: tuple[OwedAction, ...], now: datetime) -> list[Block]:
    shown = [blocks.section(words.home.owed_heading(count=len(owed)))]
    for item in owed[:ACTIONS]:
        action = item.action
        line = words.home.owed_line(
            text=shortened(" ".join(action.text.split()), 300),
            number=action.number,
            key=item.incident.key,
            due=due_words(action.due_on),
            overdue=action.overdue_at is not None and action.overdue_at <= now,
        )
        buttons = (
            blocks.button("Done", "action_done", ref(action)),
            blocks.button("New date", "action_date", ref(action)),
        )
        shown += [blocks.section(line), blocks.actions(*buttons)]
    return shown + _more(len(owed), ACTIONS)


def _postmortems(cases: tuple[Case, ...]) -> list[Block]:
    shown = [blocks.section(words.home.postmortems_heading(count=len(cases)))]
    for case in cases[:POSTMORTEMS]:
        incident, blank = case.incident, checks.blank_sections(case)
        line = words.home.postmortem_line(
            key=incident.key,
            title=shortened(incident.title, 200),
            channel=incident.channel,
            meter=f"{checks.sentence(case)}.",
        )
        button = blocks.button("Fill next", "postmortem_fill", section_ref(incident, blank[0])) if blank else None
        shown.append(blocks.section(line, button))
    return shown + _more(len(cases), POSTMORTEMS)


def _more(count: int, drawn: int) -> list[Block]:
    return [blocks.context(words.home.more(count=count - drawn))] if count > drawn else []
