"""How the five whys look in Slack."""

import json
from datetime import timedelta

from bot.incident import whys as rules
from bot.incident.records import Case, Incident, Why
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.words import words

QUOTED = 300
INDENT = "\u2003\u2003"
"""Em spaces: Slack may swallow plain ones at the start of a line."""


def first_question(
    incident: Incident, chain: tuple[Why, ...], said: str, after_resolution: tuple[timedelta, ...]
) -> Message:
    """After the resolution: who owns the postmortem, and the first why (or the next, where some were answered)."""
    hours = " and ".join(f"{after.total_seconds() / 3600:g}" for after in after_resolution)
    owner = words.incidents.postmortem_asked(key=incident.key, owner=incident.postmortem_owner, hours=hours)
    shown = [blocks.section(said), blocks.section(owner), *ask(incident, chain)]
    return blocks.message(f"{said}\n{owner}", shown, response_type="in_channel")


def ask(incident: Incident, chain: tuple[Why, ...]) -> list[Block]:
    """The open question, quoting the answer before it, with the button that answers it."""
    latest = chain[-1] if chain else None
    number = rules.depth(chain, latest.number) + 1 if latest else 1
    about = rules.quoted(latest.text) if latest else incident.title
    question = words.whys.question(number=number, about=shortened(about, QUOTED))
    value = json.dumps({"incident": incident.id, "parent": latest.number if latest else None})
    return [
        blocks.section(question),
        blocks.context(words.whys.how()),
        blocks.actions(blocks.button("Answer", "why_answer", value, style="primary")),
    ]


def answered(why: Why, incident: Incident, chain: tuple[Why, ...]) -> Message:
    """An answer, for everybody, and what follows: the next question, or after the fifth the root cause."""
    number = rules.depth(chain, why.number)
    said = words.whys.answered(number=number, text=shortened(why.text, 2_000), by=why.author)
    follow = ask(incident, (*[w for w in chain if w.number != why.number], why))
    if number >= rules.USUAL_DEPTH:
        follow = [blocks.section(words.whys.last(text=shortened(rules.quoted(why.text), QUOTED))), _offers(why)]
    return blocks.message(said, [blocks.section(said), *follow], response_type="in_channel")


def _offers(why: Why) -> Block:
    value = json.dumps({"incident": why.incident_id, "why": why.number})
    return blocks.actions(
        blocks.button("This is the root cause", "why_root", value, style="primary"),
        blocks.button("Make it an action", "why_action", value),
        blocks.button("One more why", "why_answer", json.dumps({"incident": why.incident_id, "parent": why.number})),
    )


def rooted(why: Why, by: str) -> Message:
    """A why is a root cause; it may become an action."""
    said = words.whys.root(number=why.number, text=shortened(rules.quoted(why.text), QUOTED), by=by)
    value = json.dumps({"incident": why.incident_id, "why": why.number})
    row = blocks.actions(blocks.button("Make it an action", "why_action", value))
    return blocks.message(said, [blocks.section(said), row], response_type="in_channel")


def tree(case: Case) -> Message:
    """The chain with its branches, and the open question."""
    chain = case.whys
    lines = [words.whys.chain_heading(key=case.incident.key, count=len(chain))]
    lines += [
        INDENT * (rules.depth(chain, why.number) - 1)
        + words.whys.chain_line(
            number=why.number,
            text=shortened(why.text, QUOTED),
            author=case.name(why.author),
            is_root=why.is_root,
        )
        for why in chain
    ]
    shown = blocks.sections("\n".join(lines)) + ask(case.incident, chain)
    return blocks.whisper(lines[0], shown)


def answer_form(incident: Incident, chain: tuple[Why, ...], parent: int | None) -> Block:
    """The form behind [Answer]."""
    about = rules.quoted(rules.by_number(chain, parent).text) if parent is not None else incident.title
    question = f"Why did this happen: {shortened(about, QUOTED)}?"
    return blocks.modal(
        "Why?",
        "why_answer",
        [blocks.labelled(question, "answer", blocks.text_input("answer", multiline=True, placeholder="because …"))],
        submit="Answer",
        private_metadata=json.dumps({"incident": incident.id, "channel": incident.channel, "parent": parent}),
    )


def help_text() -> Message:
    """How to use `/why`."""
    return blocks.whisper(words.whys.help())
