"""The scan of a channel's history in Slack: the offer, the result, and the list of messages to tick."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain import secrets as secrets_rules
from bot.domain import text as text_rules
from bot.domain.records import Entry, Incident
from bot.domain.similarity import SPANS, Proposal, ProposalReason
from bot.domain.text import format_day, shorten
from bot.domain.timeline import TimeOffer
from bot.slack.views import blocks
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks

PAGE = 90
"""Messages that one form lists."""

_AUTHOR = 25
"""Characters of the author's name, with the space before it."""
MOST_OFFERED = 5
"""Entries whose receipt offers other times. Of the others it gives the numbers only."""

TICKS = "lookback_messages_"
_WHY = {ProposalReason.MARKED: "marked", ProposalReason.TIME: "has a time", ProposalReason.GRAPH: "link or picture"}


def offer_blocks(incident: Incident) -> list[Block]:
    """To the person who opened an incident: buttons that start a scan of the channel's history."""
    buttons = [
        blocks.button(f"Scan the last {hours} hours", f"lookback_{hours}", blocks.incident_value(incident, hours=hours))
        for hours in SPANS
    ]
    return [blocks.context(words.lookback.offer()), blocks.actions(*buttons)]


def start_receipt(incident: Incident, hours: int) -> Message:
    """The scan has started. The result is a later message."""
    return blocks.ephemeral(words.lookback.scan_started(hours=hours, key=incident.key))


def restart_receipt(incident: Incident) -> Message:
    """A scan of a failed one was started again."""
    return blocks.ephemeral(words.lookback.scan_restarted(key=incident.key))


def result_message(
    incident: Incident, lookback_id: int, found: tuple[Proposal, ...], seen: int, stopped: str
) -> Message:
    """What the scan found, with a button for each form of at most `PAGE` messages. `stopped` says what is missing."""
    if not found:
        text = words.lookback.nothing(key=incident.key, channel=incident.channel, seen=seen)
        return blocks.message(text, *([blocks.context(stopped)] if stopped else []))
    text = words.lookback.result(key=incident.key, channel=incident.channel, seen=seen, count=len(found))
    buttons = [
        blocks.button(
            "Review messages" if len(found) <= PAGE else f"Review {at + 1} to {min(at + PAGE, len(found))}",
            f"lookback_choose_{at // PAGE}",
            json.dumps({"lookback": lookback_id, "page": at // PAGE}),
            style="primary" if at == 0 else "",
        )
        for at in range(0, len(found), PAGE)
    ]
    notes = [blocks.context(stopped)] if stopped else []
    return blocks.message(text, *notes, blocks.actions(*buttons))


def stopped_early_note(seen: int, until: datetime, now: datetime) -> str:
    """The scan ended early, after `seen` messages."""
    return words.lookback.stopped(seen=seen, until=f"{format_day(until.date(), now.date())}, {until:%H:%M}")


def skipped_note(count: int) -> str:
    """Some messages could not be read, and the remedy. Empty if there were none."""
    return words.lookback.skipped(count=count) if count else ""


def failure_message(incident: Incident, lookback_id: int, sentence: str) -> Message:
    """The channel could not be read, why, and a button to try again."""
    text = words.lookback.failed(key=incident.key, channel=incident.channel, sentence=sentence)
    again = blocks.button("Scan again", "lookback_again", json.dumps({"lookback": lookback_id}))
    return blocks.message(text, blocks.actions(again))


def messages_form(
    incident: Incident, shown: list[tuple[Proposal, str]], clocks: Clocks, lookback_id: int, page: int
) -> Block:
    """The messages to tick, each with its author's name, oldest first."""
    ticked = sum(proposal.is_ticked for proposal, _ in shown)
    text = words.lookback.choose(key=incident.key, count=len(shown), ticked=ticked)
    groups = [
        _group(shown[at : at + blocks.GROUP], at, clocks, f"{lookback_id}_{page}")
        for at in range(0, len(shown), blocks.GROUP)
    ]
    return blocks.modal(
        "Review messages",
        "lookback_record",
        [blocks.section(text), *groups],
        submit="Record",
        private_metadata=json.dumps({"lookback": lookback_id}),
    )


def _group(shown: list[tuple[Proposal, str]], at: int, clocks: Clocks, name: str) -> Block:
    options = [(_option(proposal, author, clocks), proposal.is_ticked) for proposal, author in shown]
    label = words.lookback.group_label(first=at + 1, last=at + len(shown))
    return blocks.checkboxes(label, f"{TICKS}{at}", options, block_id=f"lookback_{name}_{at}")


def _option(proposal: Proposal, author: str, clocks: Clocks) -> Block:
    why = f" · {'a credential?' if proposal.is_risky else _WHY[proposal.reason]}"
    why += " · mentions a time" if proposal.named else ""
    when = _when(proposal, clocks)
    # An option is short: the local time goes first, then the end of the author's name, so that the reason stays.
    if len(when + why) > blocks.OPTION - _AUTHOR:
        when = _when(proposal, replace(clocks, label=""))
    author = shorten(author, min(_AUTHOR, blocks.OPTION - len(when + why)) - 1)
    text = text_rules.flatten(secrets_rules.mask_credentials(proposal.text))
    return blocks.option(f"{when} {author}{why}", proposal.ts, text)


def _when(proposal: Proposal, clocks: Clocks) -> str:
    return clocks.format(proposal.at, proposal.end, approximate=proposal.approximate)


def receipt(
    incident: Incident, entries: list[Entry], named: Mapping[str, tuple[datetime, ...]], now: datetime
) -> Message:
    """What was recorded, with the entries' numbers. `named` has other times found in a message, by its source."""
    first, last = entries[0].number, entries[-1].number
    text = words.lookback.recorded(count=len(entries), first=first, last=last, key=incident.key)
    hint = blocks.context(words.lookback.recorded_hint(key=incident.key))
    return blocks.ephemeral(text, hint, *_offer_blocks(incident, entries, named, now))


def _offer_blocks(
    incident: Incident, entries: list[Entry], named: Mapping[str, tuple[datetime, ...]], now: datetime
) -> list[Block]:
    naming = [entry for entry in entries if entry.source in named]
    shown: list[Block] = []
    for entry in naming[:MOST_OFFERED]:
        text = shorten(secrets_rules.mask_credentials(" ".join(entry.text.split())), 200)
        found = [TimeOffer(at) for at in named[entry.source]]
        shown.append(blocks.context(words.lookback.names_a_time(number=entry.number, text=text)))
        shown.append(blocks.actions(*timeline_views.offer_buttons(entry, found, now, channel=incident.channel)))
    if rest := naming[MOST_OFFERED:]:
        numbers = ", ".join(f"#{entry.number}" for entry in rest)
        shown.append(blocks.context(words.lookback.more_name_times(numbers=numbers)))
    return shown
