"""The five whys in Slack: the question, the answers, the chain, the corrections, and the hint about blame."""

import json
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from bot.domain import text as text_rules
from bot.domain import whys as whys_rules
from bot.domain.records import Case, Entry, Incident, Status, Why
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


def resolution_message(incident: Incident, text: str, hours: tuple[timedelta, ...], asking: list[Block]) -> Message:
    """To the channel, after the resolution: who owns the postmortem, and in `asking` the first question."""
    asked = " and ".join(f"{after.total_seconds() / 3600:g}" for after in hours)
    owner = words.incidents.postmortem_asked(key=incident.key, owner=incident.postmortem_owner, hours=asked)
    shown = [blocks.section(text), blocks.section(owner), *asking]
    return blocks.public(f"{text}\n{owner}", blocks=shown)


def question_notice(incident: Incident, chain: Chain) -> Block:
    """For the channel: that the whys go on in their thread. Their first question heads it, in the next message."""
    return blocks.context(words.whys.again(question=_question_text(incident, chain)) if chain else words.whys.next())


class QuestionPlace(Enum):
    """Where a question is asked, since people answer differently there."""

    CHANNEL = "channel"
    HEAD = "head"
    """The message at the head of the thread of the whys, which the channel shows as well."""
    THREAD = "thread"


_HOW = {
    QuestionPlace.CHANNEL: words.whys.how_in_channel,
    QuestionPlace.HEAD: words.whys.how_at_head,
    QuestionPlace.THREAD: words.whys.how_in_thread,
}


def thread_message(case: Case) -> Message:
    """The message that heads the thread of the whys: the chain so far, and the open question.

    While the incident is open again nothing is asked.
    """
    incident, chain = case.incident, case.whys
    text = words.whys.opening(key=incident.key, title=incident.title if chain else "")  # the first question quotes it
    lines = _chain_lines(case)
    shown = blocks.sections("\n".join(lines[:MOST_SHOWN]))
    if len(lines) > MOST_SHOWN:
        shown.append(blocks.context(words.whys.more_whys(count=len(lines) - MOST_SHOWN)))
    if incident.status is not Status.RESOLVED:
        waits = blocks.context(words.whys.waits_again(key=incident.key))
        return blocks.message(text, blocks=[blocks.section(text), *shown, waits])
    asked = f"{text}\n{_question_text(incident, chain)}"
    return blocks.adapt_whys_message(
        blocks.message(
            asked, blocks=[blocks.section(text), *shown, *question_blocks(incident, chain, QuestionPlace.HEAD)]
        )
    )


def _question_text(incident: Incident, chain: Chain) -> str:
    if whys_rules.is_ended(chain):
        return words.whys.ended(key=incident.key, number=whys_rules.find_branch_point(chain))
    end = whys_rules.find_open_end(chain)
    if end is not None and _is_deep(chain, end):
        return words.whys.last(depth=whys_rules.count_depth(chain, end.number), text=_quote_cause(end))
    return words.whys.question(number=_next_depth(chain, end), about=_quote_asked(incident, end))


def _quote_asked(incident: Incident, why: Why | None) -> str:
    """What a question asks about: a why, or the incident itself."""
    return _quote_cause(why) if why else shorten(mask_credentials(incident.title), LONGEST_CAUSE_QUOTE)


def _is_deep(chain: Chain, why: Why) -> bool:
    """Whether a why is so deep that it may be the root cause."""
    return whys_rules.count_depth(chain, why.number) >= whys_rules.USUAL_DEPTH


def _next_depth(chain: Chain, end: Why | None) -> int:
    """Which why the open question asks: 1 for the first."""
    return whys_rules.count_depth(chain, end.number) + 1 if end else 1


def _latest_number(chain: Chain) -> int:
    """The latest why that the person saw. It is sent with their answer."""
    # So that another answer in the meantime is noticed (docs/decisions/0026-quick-second-answers-can-be-moved.md).
    return max((why.number for why in chain), default=0)


def question_blocks(incident: Incident, chain: Chain, place: QuestionPlace = QuestionPlace.CHANNEL) -> list[Block]:
    """The open question, which quotes the previous answer, with [Answer].

    After the fifth answer it asks instead whether this is the root cause. If every branch ended in one there is no
    question, but a button to make it an action.
    """
    question = blocks.section(_question_text(incident, chain))
    end = whys_rules.find_open_end(chain)
    if whys_rules.is_ended(chain):
        return [question, _ended_row(incident, chain)]
    if end is not None and _is_deep(chain, end):
        return [question, _answer_row(end)]
    value = blocks.incident_value(incident, parent=end.number if end else None)
    row = [blocks.button("Answer", "why_answer", value, style="primary")]
    if end is not None and place is not QuestionPlace.HEAD:
        row.append(blocks.button("This is a root cause", "why_root", why_ref(end)))
    return [question, blocks.context(_HOW[place]()), blocks.actions(*row)]


def _ended_row(incident: Incident, chain: Chain) -> Block:
    bare = [why for why in chain if why.is_root and not why.actions]
    buttons = [blocks.button("Make it an action", "why_action", why_ref(why)) for why in bare[-1:]]
    left = blocks.button("Check the postmortem", "postmortem_show", blocks.incident_value(incident))
    return blocks.actions(*buttons, left)


def answer_note(why: Why, by: str, evidence: tuple[Entry, ...]) -> list[Block]:
    """For all who read no thread: an answer, and the entries that it cites."""
    text = words.whys.answered(number=why.number, text=_quote_whole(why), by=by)
    return [blocks.section(text), *evidence_blocks(evidence)]


def branch_note(why: Why, by: str) -> str:
    """For the thread: an answer to another question than the one that was asked there last."""
    return words.whys.branched(number=why.number, parent=why.parent or 0, text=_quote_whole(why), by=by)


def root_note(why: Why, by: str) -> str:
    """For all: a why is a root cause."""
    return words.whys.root_cause(number=why.number, text=_quote_cause(why), by=by)


def no_root_note(why: Why, by: str) -> str:
    """For all: a why is no longer a root cause."""
    return words.whys.no_root(number=why.number, text=_quote_cause(why), by=by)


def root_blocks(note: str, why: Why, incident: Incident, chain: Chain, place: QuestionPlace) -> list[Block]:
    """A root cause with its buttons, and the open question if another branch has one."""
    row = [] if why.actions else [blocks.button("Make it an action", "why_action", why_ref(why))]
    row.append(blocks.button("Not a root cause", "why_no_root", why_ref(why)))
    if whys_rules.is_ended(chain):
        row.append(blocks.button("Check the postmortem", "postmortem_show", blocks.incident_value(incident)))
        ended = words.whys.ended(key=incident.key, number=whys_rules.find_branch_point(chain))
        return [blocks.section(note), blocks.context(ended), blocks.actions(*row)]
    return [blocks.section(note), blocks.actions(*row), *question_blocks(incident, chain, place)]


def public_message(shown: list[Block]) -> Message:
    """To the channel, while the whys have no thread."""
    first = next(str(block["text"]["text"]) for block in shown if block["type"] == "section")
    return blocks.public(first, blocks=shown)


def private_message(incident: Incident, chain: Chain, doubt: list[Block]) -> Message:
    """To the person who changed the whys: that all can read it in the thread, and what is asked now."""
    end = whys_rules.find_open_end(chain)
    text = f"{words.whys.posted()}\n{_question_text(incident, chain)}"
    how = words.whys.how_at_last() if end and _is_deep(chain, end) else words.whys.how_alone()
    shown = [blocks.section(text), *([] if whys_rules.is_ended(chain) else [blocks.context(how)]), *doubt]
    return blocks.ephemeral(text, blocks=shown)


def doubt_message(doubt: list[Block]) -> Message:
    """To the author of an answer in the thread, who reads the rest there."""
    return blocks.ephemeral(str(doubt[0]["elements"][0]["text"]), blocks=doubt)


def prompt_message(case: Case, note: str, root: Why | None, evidence: tuple[Entry, ...]) -> Message:
    """The newest message in the thread: what happened, if the question does not tell it, and the open question."""
    incident, chain = case.incident, case.whys
    if root is not None:
        shown = root_blocks(note, root, incident, chain, QuestionPlace.THREAD)
    else:
        shown = [*([blocks.context(note)] if note else []), *evidence_blocks(evidence)]
        shown += question_blocks(incident, chain, QuestionPlace.THREAD)
    asked = _question_text(incident, chain)
    return blocks.adapt_whys_message(blocks.message(f"{note}\n{asked}" if note else asked, blocks=shown))


def closed_prompt(case: Case, note: str, about: int | None) -> Message:
    """What is left of a message in the thread once a newer one asks: what happened, and who answered. No buttons.

    `about` is the number of the why it asked about; None if it asked nothing.
    """
    asked = _closed_question(case, about) if about is not None else ""
    text = "\n".join(filter(None, (note, asked))) or words.whys.posted()
    return blocks.adapt_whys_message(blocks.message(text, blocks=[blocks.context(text)]))


def _closed_question(case: Case, about: int) -> str:
    """A question that is not asked any more, with its answer; empty if the why it asked about was removed."""
    chain = case.whys
    above = next((why for why in chain if why.number == about), None)
    if above is None and about != whys_rules.THE_INCIDENT:
        return ""
    number, quoted = _next_depth(chain, above), _quote_asked(case.incident, above)
    answer = next((why for why in chain if why.parent == (about or None)), None)
    if answer is not None:
        text, by = shorten(text_rules.flatten(mask_credentials(answer.text)), LONGEST_WHY_QUOTE), answer.author
        return words.whys.closed(number=number, about=quoted, by=case.name(by), answer=answer.number, text=text)
    if above is not None and above.is_root:
        return words.whys.closed_by_root(number=number, about=quoted)
    return words.whys.question(number=number, about=quoted)


def doubt_blocks(why: Why, doubt: Doubt | None) -> list[Block]:
    """Someone else answered first: where this answer was put, and a button that moves it."""
    if doubt is None:
        return []
    note = words.whys.doubt(number=doubt.other.number, is_beside=doubt.is_beside)
    value = why_ref(why, other=doubt.other.number, beside=not doubt.is_beside)
    label = f"Put it {'beneath' if doubt.is_beside else 'beside'} why {doubt.other.number}"
    return [blocks.context(note), blocks.actions(blocks.button(label, "why_move", value))]


def evidence_blocks(evidence: tuple[Entry, ...]) -> list[Block]:
    """The entries that an answer cites."""
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


def chain_message(case: Case) -> Message:
    """The chain with its branches and cited entries, and the open question once the incident is resolved."""
    heading = words.whys.chain_heading(key=case.incident.key, count=len(case.whys))
    text = "\n".join([heading, *_chain_lines(case, {entry.number: entry for entry in case.entries})])
    is_asked = case.incident.status is Status.RESOLVED
    waits = [blocks.context(words.whys.waits(key=case.incident.key))]
    asking = question_blocks(case.incident, case.whys) if is_asked else waits
    return blocks.ephemeral(text, blocks=[*blocks.sections(text), *asking])


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


def answer_form(
    incident: Incident, chain: Chain, parent: int, entry: int, answered: tuple[Why, str] | None, *, in_thread: bool
) -> Block:
    """The form behind [Answer]. `entry` is the number of an entry, as an example for citing.

    `answered` is the answer (and its author's name) to the question of the button: another is open now.
    """
    above = whys_rules.find_why(chain, parent) if parent else None
    field = blocks.text_field(
        f"Why {_quote_asked(incident, above)}?",
        "answer",
        multiline=True,
        placeholder="because …",
        hint=words.whys.cite_hint(number=entry),
    )
    metadata = blocks.incident_value(
        incident, channel=incident.channel, parent=parent, seen=_latest_number(chain), in_thread=in_thread
    )
    shown = [*_changed_blocks(above, answered), field]
    title = words.whys.title(number=_next_depth(chain, above))
    return blocks.modal(title, "why_answer", shown, submit="Answer", private_metadata=metadata)


def _changed_blocks(above: Why | None, answered: tuple[Why, str] | None) -> list[Block]:
    """A note if the question was answered or closed since the button was shown."""
    if answered is not None:
        why, who = answered
        return [blocks.section(words.whys.answered_before(number=why.number, text=_quote_cause(why), by=who))]
    if above is not None and above.is_root:
        return [blocks.section(words.whys.root_before(number=above.number))]
    return []


def why_row(why: Why) -> Block:
    """The buttons of a why: [Edit] and [Remove], or [Restore] if it is struck."""
    if why.struck:
        return blocks.actions(blocks.button("Restore", "why_restore", why_ref(why)))
    return blocks.actions(
        blocks.button("Edit", "why_edit", why_ref(why)), blocks.button("Remove", "why_delete", why_ref(why))
    )


def edit_receipt(why: Why, before: Why) -> Message:
    """To its author: a why was edited."""
    text = words.whys.edited(
        number=why.number,
        text=_quote_whole(why),
        before=shorten(text_rules.flatten(mask_credentials(before.text)), 500),
    )
    return blocks.ephemeral(text, why_row(why))


def correction_receipt(why: Why, change: str, before: Chain, after: Chain) -> Message:
    """To its author: a why was `struck`, `restored` or `moved`; if struck, what its own whys explain now."""
    text = _quote_whole(why)
    match change:
        case "struck":
            moved = [one.number for one in before if one.parent == why.number]
            about = words.whys.what_it_explains(number=_parent_of(before, why) or 0)
            summary = words.whys.struck(number=why.number, text=text, moved=moved, about=about)
        case "restored":
            summary = words.whys.restored(number=why.number, text=text)
        case _:
            summary = words.whys.moved(number=why.number, text=text, about=_explained_text(after, why))
    return blocks.ephemeral(summary, why_row(why))


def change_note(why: Why, change: str, by: str, chain: Chain) -> str:
    """For the thread of the whys: who changed which, in one line. `chain` are the whys afterwards."""
    text = shorten(text_rules.flatten(mask_credentials(why.text)), LONGEST_WHY_QUOTE)
    return words.whys.change_line(number=why.number, change=change, text=text, by=by, about=_explained_text(chain, why))


def thread_note(note: str) -> Message:
    """A line in the thread that asks nothing."""
    return blocks.message(note, blocks=[blocks.context(note)])


def asks_the_same(before: Chain, after: Chain) -> bool:
    """Whether the open question is the same as before, in the same words."""
    old, new = (whys_rules.find_open_end(chain) for chain in (before, after))
    if old is None or new is None:
        return old is new and whys_rules.is_ended(before) == whys_rules.is_ended(after)
    return (old.number, old.text) == (new.number, new.text)


def _explained_text(chain: Chain, why: Why) -> str:
    """What a why explains: another why of the chain, or the incident."""
    return words.whys.what_it_explains(number=_parent_of(chain, why) or 0)


def _parent_of(chain: Chain, why: Why) -> int | None:
    return next((one.parent for one in chain if one.number == why.number), None)


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
