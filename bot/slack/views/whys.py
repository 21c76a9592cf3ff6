"""The five whys in Slack: the question, the answers, the chain, the corrections, and the hint about blame."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from bot.domain import text as text_rules
from bot.domain import whys as whys_rules
from bot.domain.records import Case, Entry, Incident, Why
from bot.domain.secrets import mask_credentials
from bot.domain.text import shorten
from bot.domain.whys import Doubt, outline_whys
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import utc_label

LONGEST_CAUSE_QUOTE = 300
LONGEST_WHY_QUOTE = 2_000
Chain = tuple[Why, ...]
INDENT = "\u2003\u2003"
"""Em spaces: Slack may swallow plain ones at the start of a line."""

MOST_SHOWN = 15
"""Whys in the message that heads their thread. It is visible in the channel, so it is kept short."""

MOST_CITED = 5
"""Entries shown below one answer. The exports show all."""


def _quote(text: str) -> str:
    """A text on one line, short and without credentials."""
    return shorten(text_rules.flatten(mask_credentials(text)), LONGEST_CAUSE_QUOTE)


def _quote_cause(why: Why) -> str:
    """An answer as the following question quotes it."""
    return shorten(whys_rules.quote_answer(mask_credentials(why.text)), LONGEST_CAUSE_QUOTE)


def _quote_whole(why: Why) -> str:
    return shorten(mask_credentials(why.text), LONGEST_WHY_QUOTE)


def resolution_message(incident: Incident, said: str, hours: tuple[timedelta, ...], asking: list[Block]) -> Message:
    """To the channel, after the resolution: who owns the postmortem, and in `asking` the first question."""
    asked = " and ".join(f"{after.total_seconds() / 3600:g}" for after in hours)
    owner = words.incidents.postmortem_asked(key=incident.key, owner=incident.postmortem_owner, hours=asked)
    shown = [blocks.section(said), blocks.section(owner), *asking]
    return blocks.public(f"{said}\n{owner}", blocks=shown)


def question_notice(incident: Incident, chain: Chain) -> Block:
    """A note that the question follows in a separate message with a thread."""
    return blocks.context(words.whys.below(question=_question_text(incident, chain)))


def thread_message(case: Case) -> Message:
    """The message that heads the thread of the whys: the chain so far, and the open question."""
    incident, chain = case.incident, case.whys
    text = words.whys.opening(key=incident.key, title=incident.title)
    lines = _chain_lines(case)
    shown = blocks.sections("\n".join(lines[:MOST_SHOWN]))
    if len(lines) > MOST_SHOWN:
        shown.append(blocks.context(words.whys.more_whys(count=len(lines) - MOST_SHOWN)))
    asked = f"{text}\n{_question_text(incident, chain)}"
    # It shows in the channel and at the top of its thread, where there are no slash commands.
    return blocks.adapt_whys_message(
        blocks.message(asked, blocks=[blocks.section(text), *shown, *question_blocks(incident, chain)])
    )


def repeated_question(incident: Incident, chain: Chain) -> Message:
    """The open question again, in the thread, after the incident was reopened and resolved again."""
    return blocks.message(_question_text(incident, chain), blocks=question_blocks(incident, chain))


def _question_text(incident: Incident, chain: Chain) -> str:
    if whys_rules.is_ended(chain):
        return words.whys.ended(key=incident.key, number=whys_rules.find_branch_point(chain))
    end = whys_rules.find_open_end(chain)
    about = _quote_cause(end) if end else shorten(mask_credentials(incident.title), LONGEST_CAUSE_QUOTE)
    return words.whys.question(number=_next_depth(chain, end), about=about)


def _next_depth(chain: Chain, end: Why | None) -> int:
    """Which why the open question asks: 1 for the first."""
    return whys_rules.count_depth(chain, end.number) + 1 if end else 1


def _latest_number(chain: Chain) -> int:
    """The latest why that the person saw. It is sent with their answer."""
    # So that another answer in the meantime is noticed (docs/decisions/0026-quick-second-answers-can-be-moved.md).
    return max((why.number for why in chain), default=0)


def question_blocks(incident: Incident, chain: Chain) -> list[Block]:
    """The open question, which quotes the previous answer, with [Answer].

    If every branch ended in a root cause there is no question, but a button to make it an action.
    """
    question = _question_text(incident, chain)
    if whys_rules.is_ended(chain):
        roots = [why for why in chain if why.is_root and not why.actions]
        left = blocks.button("What the postmortem lacks", "postmortem_show", blocks.incident_value(incident))
        buttons = [blocks.button("Make it an action", "why_action", why_ref(why)) for why in roots[-1:]]
        return [blocks.section(question), blocks.actions(*buttons, left)]
    end = whys_rules.find_open_end(chain)
    value = blocks.incident_value(incident, parent=end.number if end else None)
    return [
        blocks.section(question),
        blocks.context(words.whys.how()),
        blocks.actions(blocks.button("Answer", "why_answer", value, style="primary")),
    ]


@dataclass(frozen=True, slots=True)
class AnswerNotes:
    """Shown with an answer: the entries it cites, and a doubt about which question it answers."""

    evidence: tuple[Entry, ...]
    doubt: Doubt | None


def answer_message(why: Why, incident: Incident, chain: Chain, notes: AnswerNotes) -> Message:
    """To the channel: an answer with the entries it cites, and the next question.

    After the fifth answer it asks instead whether this is the root cause.
    """
    text = words.whys.answered(number=why.number, text=_quote_whole(why), by=why.author)
    below = [*_evidence_blocks(notes.evidence), *_doubt_blocks(why, notes.doubt)]
    if whys_rules.count_depth(chain, why.number) >= whys_rules.USUAL_DEPTH:
        return blocks.public(text, *below, blocks.section(words.whys.last(text=_quote_cause(why))), _answer_row(why))
    follow = question_blocks(incident, chain)
    if follow[-1]["type"] == "actions" and not why.is_root:
        follow[-1]["elements"].append(blocks.button("This is a root cause", "why_root", why_ref(why)))
    return blocks.public(text, *below, *follow)


def _doubt_blocks(why: Why, doubt: Doubt | None) -> list[Block]:
    """Someone else answered first: where this answer was put, and a button that moves it."""
    if doubt is None:
        return []
    note = words.whys.doubt(number=doubt.other.number, is_beside=doubt.is_beside)
    value = why_ref(why, other=doubt.other.number, beside=not doubt.is_beside)
    label = f"{'Beneath' if doubt.is_beside else 'Beside'} why {doubt.other.number}"
    return [blocks.context(note), blocks.actions(blocks.button(label, "why_move", value))]


def _evidence_blocks(evidence: tuple[Entry, ...]) -> list[Block]:
    lines = [_evidence_line(entry) for entry in evidence[:MOST_CITED]]
    return [blocks.context("\n".join(lines))] if lines else []


def _evidence_line(entry: Entry) -> str:
    text = _quote(entry.text)
    return words.whys.evidence(number=entry.number, when=utc_label(entry, entry.happened_at), text=text)


def why_ref(why: Why, **more: object) -> str:
    """The value of a button about a why."""
    # With the version shown, as for entries (docs/decisions/0030-a-button-carries-the-version-it-showed.md).
    return json.dumps({"incident": why.incident_id, "why": why.number, "version": why.version} | more)


def _answer_row(why: Why) -> Block:
    return blocks.actions(
        blocks.button("This is the root cause", "why_root", why_ref(why), style="primary"),
        blocks.button("Make it an action", "why_action", why_ref(why)),
        blocks.button("One more why", "why_answer", json.dumps({"incident": why.incident_id, "parent": why.number})),
    )


def root_cause_message(why: Why, by: str, incident: Incident, chain: Chain) -> Message:
    """To the channel: a why is a root cause. If another branch is open, its question follows."""
    text = words.whys.root_cause(number=why.number, text=_quote_cause(why), by=by)
    row = blocks.actions(
        blocks.button("Make it an action", "why_action", why_ref(why)),
        blocks.button("Not a root cause", "why_no_root", why_ref(why)),
    )
    return blocks.public(text, row, *([] if whys_rules.is_ended(chain) else question_blocks(incident, chain)))


def chain_message(case: Case) -> Message:
    """The chain with its branches and cited entries, and the open question."""
    heading = words.whys.chain_heading(key=case.incident.key, count=len(case.whys))
    lines = [heading, *_chain_lines(case, {entry.number: entry for entry in case.entries})]
    shown = blocks.sections("\n".join(lines)) + question_blocks(case.incident, case.whys)
    return blocks.ephemeral(heading, blocks=shown)


def _chain_lines(case: Case, evidence: Mapping[int, Entry] = MappingProxyType({})) -> list[str]:
    """A line for each why, indented by depth, and lines for the cited entries that are in `evidence`."""
    lines = []
    for placed in outline_whys(case.whys):
        why, indent = placed.why, INDENT * placed.depth
        line = words.whys.chain_line(
            number=why.number, text=_quote(why.text), author=case.name(why.author), is_root=why.is_root
        )
        cited = [evidence[number] for number in whys_rules.list_cited(why.text) if number in evidence]
        lines += [indent + line, *(indent + INDENT + _evidence_line(entry) for entry in cited)]
    return lines


def reply_offer(incident: Incident, chain: Chain, line: str) -> Message:
    """To a person who replied in the thread without a mention: a button that records the reply as an answer."""
    end = whys_rules.find_open_end(chain)
    parent = end.number if end else whys_rules.THE_INCIDENT
    about = {"incident": incident.id, "parent": parent, "text": line, "seen": _latest_number(chain)}
    value = json.dumps(about, ensure_ascii=False)
    fits = len(value) <= blocks.BUTTON_VALUE
    row = [blocks.actions(blocks.button("Record it as the answer", "why_reply", value))] if fits else []
    return blocks.ephemeral(words.whys.reply_offer(number=_next_depth(chain, end), text=_quote(line)), *row)


def answer_form(
    incident: Incident, chain: Chain, parent: int | None, entry: int, before: tuple[Why, str] | None = None
) -> Block:
    """The form behind [Answer]. `entry` is the number of an entry, as an example for citing.

    `before` is an answer that the question has already, with its author's name.
    """
    above = whys_rules.find_why(chain, parent) if parent else None
    about = _quote_cause(above) if above else shorten(mask_credentials(incident.title), LONGEST_CAUSE_QUOTE)
    field = blocks.text_field(
        f"Why did this happen: {about}?",
        "answer",
        multiline=True,
        placeholder="because …",
        hint=words.whys.cite_hint(number=entry),
    )
    metadata = blocks.incident_value(
        incident, channel=incident.channel, parent=parent or whys_rules.THE_INCIDENT, seen=_latest_number(chain)
    )
    shown = [*_changed_blocks(above, before), field]
    return blocks.modal("Why?", "why_answer", shown, submit="Answer", private_metadata=metadata)


def _changed_blocks(above: Why | None, before: tuple[Why, str] | None) -> list[Block]:
    """A note if the question was answered or closed since the button was shown."""
    if before is not None:
        why, who = before
        text = _quote_cause(why)
        return [blocks.section(words.whys.answered_before(number=why.number, text=text, by=who))]
    if above is not None and above.is_root:
        return [blocks.section(words.whys.root_before(number=above.number))]
    return []


def why_row(why: Why) -> Block:
    """The buttons of a why: [Edit] and [Take back], or [Bring back] if it is struck."""
    if why.struck:
        return blocks.actions(blocks.button("Bring back", "why_restore", why_ref(why)))
    return blocks.actions(
        blocks.button("Edit", "why_edit", why_ref(why)), blocks.button("Take back", "why_delete", why_ref(why))
    )


def edit_receipt(why: Why, before: Why) -> Message:
    """To its author: a why was edited."""
    text = words.whys.edited(
        number=why.number,
        text=_quote_whole(why),
        before=shorten(text_rules.flatten(mask_credentials(before.text)), 500),
    )
    return blocks.ephemeral(text, why_row(why))


def correction_receipt(why: Why, change: str, chain: Chain) -> Message:
    """To its author: a why was `struck`, `restored` or `moved`."""
    text = _quote_whole(why)
    match change:
        case "struck":
            summary = words.whys.struck(number=why.number, text=text)
        case "restored":
            summary = words.whys.restored(number=why.number, text=text)
        case _:
            summary = words.whys.moved(number=why.number, text=text, about=_explained_text(chain, why))
    return blocks.ephemeral(summary, why_row(why))


def thread_note(why: Why, change: str, by: str, incident: Incident, chains: tuple[Chain, Chain]) -> Message:
    """For the thread of the whys: who changed which, in one line.

    `chains` are the whys before and after. If another question is open now, it follows.
    """
    text = shorten(text_rules.flatten(mask_credentials(why.text)), LONGEST_WHY_QUOTE)
    summary = words.whys.change_line(
        number=why.number, change=change, text=text, by=by, about=_explained_text(chains[1], why)
    )
    before, after = (whys_rules.find_open_end(chain) for chain in chains)
    is_same = before is after or (before and after and (before.number, before.text) == (after.number, after.text))
    follow = [] if is_same else question_blocks(incident, chains[1])
    return blocks.message(summary, blocks=[blocks.context(summary), *follow])


def _explained_text(chain: Chain, why: Why) -> str:
    """What a why explains: another why of the chain, or the incident."""
    parent = next((one.parent for one in chain if one.number == why.number), None)
    return words.whys.what_it_explains(number=parent or 0)


def no_root_cause_message(why: Why, by: str) -> Message:
    """To the channel: a why is no longer a root cause."""
    return blocks.public(words.whys.no_root(number=why.number, text=_quote_whole(why), by=by))


def edit_form(why: Why, channel: str, entry: int, changed_by: str = "") -> Block:
    """The form behind [Edit]; `entry` is one that may be cited.

    `changed_by` is the name of the person who changed the why since the button was shown, or empty.
    """
    notice = words.whys.changed_before(number=why.number, who=changed_by) if changed_by else ""
    return _form(why, channel, entry, None, notice)


def _form(why: Why, channel: str, entry: int, typed: str | None, notice: str) -> Block:
    metadata = {
        "incident": why.incident_id,
        "channel": channel,
        "why": why.number,
        "version": why.version,
        **blocks.field_marks(why.text, typed),
    }
    text, edition = why.text if typed is None else typed, str(why.version) if notice else ""
    return blocks.modal(
        f"Why {why.number}",
        "why_edit",
        [
            *([blocks.section(notice)] if notice else []),
            *blocks.text_fields("Because …", text, hint=words.whys.cite_hint(number=entry), edition=edition),
        ],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def conflict_form(why: Why, channel: str, entry: int, typed: str, who: str) -> Message:
    """The form again, because someone else changed the why in the meantime. Saving now overwrites their text."""
    conflict = words.whys.conflict_struck if why.struck else words.whys.conflict
    notice = conflict(number=why.number, who=who, theirs=shorten(why.text, LONGEST_WHY_QUOTE))
    return {"response_action": "update", "view": _form(why, channel, entry, typed, notice)}


def blame_hint(why: Why, word: str) -> Message:
    """To the author only: the answer seems to blame a person."""
    text = words.whys.hint(number=why.number, word=word)
    return blocks.ephemeral(text, blocks.actions(blocks.button("Edit", "why_edit", why_ref(why))))
