"""How the five whys look in Slack."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from bot.incident import code
from bot.incident import whys as rules
from bot.incident.examples import Examples
from bot.incident.outline import outline
from bot.incident.records import Case, Entry, Incident, Why
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.incident.whys import Doubt
from bot.slack import blocks, threads
from bot.slack.blocks import Block, Message
from bot.slack.timeline import when
from bot.slack.words import words

QUOTED = 300
INDENT = "\u2003\u2003"
"""Em spaces: Slack may swallow plain ones at the start of a line."""

MOST_SHOWN = 15
"""Whys that the message at the head of their thread shows: it stands in the channel."""

MOST_CITED = 5
"""Entries that are shown below one answer; the exports show all."""


def after_resolution(incident: Incident, said: str, hours: tuple[timedelta, ...], asking: list[Block]) -> Message:
    """After the resolution: who owns the postmortem, and `asking`: the open question, or where it is asked."""
    asked = " and ".join(f"{after.total_seconds() / 3600:g}" for after in hours)
    owner = words.incidents.postmortem_asked(key=incident.key, owner=incident.postmortem_owner, hours=asked)
    shown = [blocks.section(said), blocks.section(owner), *asking]
    return blocks.message(f"{said}\n{owner}", shown, response_type="in_channel")


def asked_below(incident: Incident, chain: tuple[Why, ...]) -> Block:
    """That the question comes in a message of its own, in whose thread it is answered."""
    return blocks.context(words.whys.below(question=_question(incident, chain)))


def opening(case: Case) -> Message:
    """The message in whose thread the whys are asked and answered: the chain so far, and the open question."""
    incident, chain = case.incident, case.whys
    said = words.whys.opening(key=incident.key, title=incident.title)
    lines = _lines(case)
    shown = blocks.sections("\n".join(lines[:MOST_SHOWN]))
    if len(lines) > MOST_SHOWN:
        shown.append(blocks.context(words.whys.more_whys(count=len(lines) - MOST_SHOWN)))
    asked = f"{said}\n{_question(incident, chain)}"
    # It stands in the channel, and above its thread, where the answers are written.
    return threads.for_whys(blocks.message(asked, [blocks.section(said), *shown, *ask(incident, chain)]))


def asked_again(incident: Incident, chain: tuple[Why, ...]) -> Message:
    """The open question once more, in the thread: the incident was reopened and is resolved again."""
    return blocks.message(_question(incident, chain), ask(incident, chain))


def _question(incident: Incident, chain: tuple[Why, ...]) -> str:
    if rules.is_ended(chain):
        return str(words.whys.ended(key=incident.key, number=rules.to_branch(chain)))
    end = rules.open_end(chain)
    number = rules.depth(chain, end.number) + 1 if end else 1
    about = rules.quoted(masked(end.text)) if end else masked(incident.title)
    return str(words.whys.question(number=number, about=shortened(about, QUOTED)))


def ask(incident: Incident, chain: tuple[Why, ...]) -> list[Block]:
    """The open question, quoting the answer before it, with the button that answers it.

    Where every branch ended in a root cause nothing is asked: the root causes want actions.
    """
    question = _question(incident, chain)
    if rules.is_ended(chain):
        roots = [why for why in chain if why.is_root and not why.actions]
        left = blocks.button("What the postmortem lacks", "postmortem_show", blocks.about(incident))
        buttons = [blocks.button("Make it an action", "why_action", ref(why)) for why in roots[-1:]]
        return [blocks.section(question), blocks.actions(*buttons, left)]
    end = rules.open_end(chain)
    value = blocks.about(incident, parent=end.number if end else None)
    return [
        blocks.section(question),
        blocks.context(words.whys.how()),
        blocks.actions(blocks.button("Answer", "why_answer", value, style="primary")),
    ]


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside an answer: the entries that it cites, and whether it may be meant for another question."""

    evidence: tuple[Entry, ...]
    doubt: Doubt | None


def answered(why: Why, incident: Incident, chain: tuple[Why, ...], beside: Beside) -> Message:
    """An answer with the entries that it cites, for everybody, and what follows.

    That is the next question, or after the fifth whether this is the root cause.
    """
    said = words.whys.answered(number=why.number, text=shortened(masked(why.text), 2_000), by=why.author)
    shown = [blocks.section(said), *_evidence(beside.evidence), *_doubt(why, beside.doubt)]
    if rules.depth(chain, why.number) >= rules.USUAL_DEPTH:
        shown.append(blocks.section(words.whys.last(text=shortened(rules.quoted(masked(why.text)), QUOTED))))
        shown.append(_offers(why))
        return blocks.message(said, shown, response_type="in_channel")
    follow = ask(incident, chain)
    if follow[-1]["type"] == "actions" and not why.is_root:
        follow[-1]["elements"].append(blocks.button("This is a root cause", "why_root", ref(why)))
    return blocks.message(said, [*shown, *follow], response_type="in_channel")


def _doubt(why: Why, doubt: Doubt | None) -> list[Block]:
    """Somebody else was quicker: what this was taken for, and the button that says that it is meant otherwise."""
    if doubt is None:
        return []
    said = words.whys.doubt(number=doubt.other.number, is_beside=doubt.is_beside)
    ref_ = json.loads(ref(why)) | {"other": doubt.other.number, "beside": not doubt.is_beside}
    label = f"{'Beneath' if doubt.is_beside else 'Beside'} why {doubt.other.number}"
    return [blocks.context(said), blocks.actions(blocks.button(label, "why_move", json.dumps(ref_)))]


def _evidence(evidence: tuple[Entry, ...]) -> list[Block]:
    lines = [_cited(entry) for entry in evidence[:MOST_CITED]]
    return [blocks.context("\n".join(lines))] if lines else []


def _cited(entry: Entry) -> str:
    text = shortened(code.flat(masked(entry.text)), QUOTED)
    return str(words.whys.evidence(number=entry.number, when=when(entry, entry.happened_at), text=text))


def ref(why: Why) -> str:
    """What a button carries to find its why again."""
    return json.dumps({"incident": why.incident_id, "why": why.number, "version": why.version})


def _offers(why: Why) -> Block:
    return blocks.actions(
        blocks.button("This is the root cause", "why_root", ref(why), style="primary"),
        blocks.button("Make it an action", "why_action", ref(why)),
        blocks.button("One more why", "why_answer", json.dumps({"incident": why.incident_id, "parent": why.number})),
    )


def rooted(why: Why, by: str, incident: Incident, chain: tuple[Why, ...]) -> Message:
    """A why is a root cause; it may become an action. Where another branch is open, its question follows."""
    said = words.whys.root(number=why.number, text=shortened(rules.quoted(masked(why.text)), QUOTED), by=by)
    row = blocks.actions(
        blocks.button("Make it an action", "why_action", ref(why)),
        blocks.button("Not a root cause", "why_no_root", ref(why)),
    )
    follow = [] if rules.is_ended(chain) else ask(incident, chain)
    return blocks.message(said, [blocks.section(said), row, *follow], response_type="in_channel")


def tree(case: Case) -> Message:
    """The chain with its branches and what they cite, and the open question."""
    heading = words.whys.chain_heading(key=case.incident.key, count=len(case.whys))
    lines = [heading, *_lines(case, {entry.number: entry for entry in case.entries})]
    shown = blocks.sections("\n".join(lines)) + ask(case.incident, case.whys)
    return blocks.whisper(heading, shown)


def _lines(case: Case, evidence: Mapping[int, Entry] = MappingProxyType({})) -> list[str]:
    """The chain with its branches, a line each, and below it those entries of the evidence that it cites."""
    lines = []
    for placed in outline(case.whys):
        why, indent = placed.why, INDENT * placed.depth
        lines.append(
            indent
            + words.whys.chain_line(
                number=why.number,
                text=shortened(code.flat(masked(why.text)), QUOTED),
                author=case.name(why.author),
                is_root=why.is_root,
            )
        )
        lines += [indent + INDENT + _cited(evidence[n]) for n in rules.cited(why.text) if n in evidence]
    return lines


def offered(incident: Incident, chain: tuple[Why, ...], line: str) -> Message:
    """To who replied in the thread without a word to the bot: what is recorded there, and the button that does it."""
    end = rules.open_end(chain)
    number = rules.depth(chain, end.number) + 1 if end else 1
    value = json.loads(blocks.about(incident, parent=end.number if end else rules.THE_INCIDENT, text=line))
    carried = json.dumps(value | {"seen": max((why.number for why in chain), default=0)}, ensure_ascii=False)
    fits = len(carried) <= blocks.BUTTON_VALUE
    said = words.whys.offered(number=number, text=shortened(code.flat(masked(line)), QUOTED))
    row = [blocks.actions(blocks.button("Record it as the answer", "why_reply", carried))] if fits else []
    return blocks.whisper(said, [blocks.section(said), *row])


def answer_form(
    incident: Incident, chain: tuple[Why, ...], parent: int | None, entry: int, before: tuple[Why, str] | None = None
) -> Block:
    """The form behind [Answer]; `entry` is one that may be cited.

    `before` is the answer that the question has already, and who gave it.
    """
    above = rules.by_number(chain, parent) if parent else None
    about = masked(rules.quoted(above.text) if above else incident.title)
    question = f"Why did this happen: {shortened(about, QUOTED)}?"
    return blocks.modal(
        "Why?",
        "why_answer",
        [
            *_told_before(above, before),
            blocks.labelled(
                question,
                "answer",
                blocks.text_input("answer", multiline=True, placeholder="because …"),
                hint=words.whys.cite_hint(number=entry),
            ),
        ],
        submit="Answer",
        private_metadata=json.dumps(
            {
                "incident": incident.id,
                "channel": incident.channel,
                "parent": parent or rules.THE_INCIDENT,
                "seen": max((why.number for why in chain), default=0),
            }
        ),
    )


def _told_before(above: Why | None, before: tuple[Why, str] | None) -> list[Block]:
    """What the button that was pressed may not have shown: the question is answered, or not asked any more."""
    if before is not None:
        why, who = before
        text = shortened(rules.quoted(masked(why.text)), QUOTED)
        return [blocks.section(words.whys.answered_before(number=why.number, text=text, by=who))]
    if above is not None and above.is_root:
        return [blocks.section(words.whys.root_before(number=above.number))]
    return []


def help_text(examples: Examples) -> Message:
    """How to use `/why`."""
    return blocks.whisper(words.whys.help(n=examples))
