"""How incidents look in Slack."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.incident.milestones import Course
from bot.incident.records import Case, Incident, Status
from bot.incident.secrets import masked
from bot.slack import blocks, lookback, timeline
from bot.slack.blocks import Block, Message
from bot.slack.words import words

CARD_ENTRIES = 5


def opened(incident: Incident, receipt: list[Block] | None = None) -> Message:
    """To who opened it: what to do next, and the offer to look back. The channel gets the live message.

    `receipt` is that of what was recorded with it.
    """
    said = words.incidents.opened(key=incident.key, title=incident.title, by=incident.opened_by)
    hint = blocks.context(words.incidents.opened_hint())
    shown = [blocks.section(said), *(receipt or []), hint, *lookback.offer(incident)]
    return blocks.whisper(said, shown)


def welcome(reaction: str) -> Message:
    """To a channel that the bot was invited into: how to record, in four lines."""
    said = words.general.welcome(reaction=reaction)
    start = blocks.button("Open an incident", "incident_form_open", style="primary")
    return blocks.message(said, [blocks.section(said), blocks.actions(start)])


def said_to_all(text: str) -> Message:
    """A change that everybody in the channel should see."""
    return blocks.message(text, response_type="in_channel")


def listing(found: Sequence[tuple[Incident, Course]]) -> Message:
    """The workspace's incidents, as far as the reader may see them."""
    lines = [words.incidents.list_heading(count=len(found))]
    lines += [
        words.incidents.list_line(
            key=incident.key,
            title=incident.title,
            status=str(incident.status),
            severity=incident.severity_name,
            channel=incident.channel,
            course=course,
        )
        for incident, course in found
    ]
    return blocks.whisper("\n".join(lines))


def card(case: Case, total: int, course: Course, now: datetime) -> Message:
    """The live message: how it stands, the last entries (of so many in all), and what can be done next."""
    incident = case.incident
    facts = words.incidents.card_facts(
        status=str(incident.status).capitalize(),
        severity=incident.severity_name,
        lead=case.name(incident.lead),
        course=course,
        entries=total,
    )
    lines = "\n".join(timeline.line(entry, case, now) for entry in case.entries)
    shown = [blocks.header(f"{incident.key} {masked(incident.title)}"), blocks.section(facts), *blocks.sections(lines)]
    return blocks.message(f"{incident.key} {facts}", [*shown, blocks.actions(*_card_buttons(incident))])


def _card_buttons(incident: Incident) -> list[Block]:
    value = blocks.about(incident)
    buttons = [
        blocks.button("Add entry", "timeline_form_open", value, style="primary"),
        blocks.button("Milestone", "incident_milestone", value),
        blocks.button("Whole timeline", "timeline_show", value),
    ]
    if incident.status is Status.OPEN:
        buttons.append(blocks.button("Mitigated", "incident_mitigated", value))
    if incident.status is not Status.RESOLVED:
        buttons.append(
            blocks.button("Resolved", "incident_resolved", value, confirm=f"Is {incident.key} over, as of now?")
        )
    else:
        buttons.append(blocks.button("Postmortem", "postmortem_show", value))
    return buttons


def overview(case: Case, total: int, course: Course, now: datetime) -> Message:
    """The channel's incident, for the one who asked."""
    return card(case, total, course, now) | {"response_type": "ephemeral"}


def open_form(channel: str, title: str = "", severity: int | None = None, alert: int | None = None) -> Block:
    """The form behind [Open an incident]; `alert` is the group of alerts that it was pressed for."""
    severities = [blocks.option(words.incidents.severity_option(number=each), str(each)) for each in (1, 2, 3, 4)]
    chosen: Block = {"type": "static_select", "action_id": "severity", "options": severities}
    if severity:
        chosen["initial_option"] = severities[severity - 1]
    return blocks.modal(
        "Open an incident",
        "incident_open",
        [
            blocks.labelled(
                "What is wrong?",
                "title",
                blocks.text_input("title", placeholder="Checkout is failing", initial_value=title),
            ),
            blocks.labelled(
                "Where is it worked on?",
                "channel",
                {
                    "type": "conversations_select",
                    "action_id": "channel",
                    "filter": {"include": ["public", "private"], "exclude_bot_users": True},
                }
                | ({"initial_conversation": channel} if channel else {"default_to_current_conversation": True}),
            ),
            blocks.labelled("How bad is it?", "severity", chosen, optional=True),
        ],
        submit="Open",
        private_metadata=json.dumps({"channel": channel} | ({"alert": alert} if alert else {})),
    )


def help_text(systems: Iterable[str] = ()) -> Message:
    """How to use `/incident`; `systems` are the other systems that are connected."""
    return blocks.whisper(words.incidents.help(systems=tuple(systems)))
