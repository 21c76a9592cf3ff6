"""How the end of a postmortem looks in Slack, and the way back: published, waived, open again."""

import json

from bot.incident import reminders as steps
from bot.incident.findings import Finding
from bot.incident.records import Incident
from bot.incident.reminders import Step
from bot.slack import blocks
from bot.slack import confluence as about_page
from bot.slack import findings as looks
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage.links import Link


def open_again(incident: Incident) -> Block:
    """The way back from a publication or a waiver, which asks once more: it is for everybody to press."""
    sure = f"The postmortem of {incident.key} is open again then, and its reminders go on."
    return blocks.button("Open it again", "postmortem_reopen", _about(incident), confirm=sure)


def publish(incident: Incident) -> Block:
    """[Publish], which asks once more: everybody in the channel is told."""
    sure = f"The postmortem of {incident.key} is published then, and its reminders end."
    return blocks.button("Publish", "postmortem_publish", _about(incident), confirm=sure)


def export(incident: Incident) -> Block:
    """[Export]: the draft as a file, with the other forms below."""
    return blocks.button("Export", "postmortem_export", _about(incident))


def published(incident: Incident, by: str, found: tuple[Finding, ...], edited: list[Block]) -> Message:
    """It is finished, for everybody; what is still to be looked at hinders nobody, and is said."""
    said = words.postmortem.published(key=incident.key, by=by)
    shown = [blocks.section(said), *edited, *looks.still_open(found, incident), blocks.actions(open_again(incident))]
    return blocks.message(said, shown, response_type="in_channel")


def waived(incident: Incident, by: str) -> Message:
    """It is not needed, for everybody."""
    said = words.postmortem.waived(key=incident.key, by=by, reason=incident.postmortem_reason)
    shown = [blocks.section(said), blocks.actions(open_again(incident))]
    return blocks.message(said, shown, response_type="in_channel")


def reopened(incident: Incident, before: Incident, by: str, ahead: Step | None) -> Message:
    """It is asked for again, for everybody: what it was `before`, and the next reminder, None where none lies ahead."""
    said = words.postmortem.reopened(
        key=incident.key,
        by=by,
        before=str(before.postmortem_status),
        owner=incident.postmortem_owner,
        what=steps.step_words(ahead.slot) if ahead else "",
        due=ahead.due_at if ahead else None,
    )
    buttons = [
        blocks.button("Show what is missing", "postmortem_show", _about(incident)),
        blocks.button("Hand over", "postmortem_hand_over", _about(incident)),
    ]
    return blocks.message(said, [blocks.section(said), blocks.actions(*buttons)], response_type="in_channel")


def published_already(incident: Incident, by: str, page: Link | None) -> Message:
    """It was finished before: by whom, since when, and what one may want of it now. `page` is its page elsewhere."""
    said = words.postmortem.published_already(key=incident.key, by=by, at=incident.published_at)
    row = [
        blocks.button("Show what stands", "postmortem_show", _about(incident)),
        blocks.button("Export", "postmortem_export", _about(incident)),
    ]
    if page is not None:
        row.append(blocks.button("Bring its page up to date", "confluence_publish", _about(incident)))
    row.append(open_again(incident))
    where = [about_page.standing(page)] if page is not None else []
    return blocks.whisper(said, [blocks.section(said), *where, blocks.actions(*row)])


def _about(incident: Incident) -> str:
    """What a button carries to find its incident again."""
    return json.dumps({"incident": incident.id})
