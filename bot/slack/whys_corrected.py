"""How a corrected why looks in Slack: reworded, taken back, brought back; its history; and the hint about blame."""

import json

from bot.incident import code
from bot.incident import whys as rules
from bot.incident.history import WhyVersion
from bot.incident.records import Incident, Why
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks, fields
from bot.slack.blocks import Block, Message
from bot.slack.text import NameOf
from bot.slack.whys import ask, ref
from bot.slack.words import words

QUOTED = 2_000
Chain = tuple[Why, ...]


def standing_row(why: Why) -> Block:
    """The buttons of a why as it stands: [Edit] and [Take back], or [Bring back] where it was taken back."""
    if why.struck:
        return blocks.actions(blocks.button("Bring back", "why_restore", ref(why)))
    return blocks.actions(
        blocks.button("Edit", "why_edit", ref(why)), blocks.button("Take back", "why_delete", ref(why))
    )


def standing(why: Why) -> Message:
    """A why as it reads now, with its buttons."""
    said = words.whys.one(number=why.number, text=shortened(masked(why.text), QUOTED), struck=why.struck)
    return blocks.whisper(said, [blocks.section(said), standing_row(why)])


def edited(why: Why, before: Why) -> Message:
    """A why reads anew."""
    said = words.whys.edited(
        number=why.number,
        text=shortened(masked(why.text), QUOTED),
        before=shortened(code.flat(masked(before.text)), 500),
    )
    return blocks.whisper(said, [blocks.section(said), standing_row(why)])


def struck(why: Why) -> Message:
    """A why was taken back; a button brings it in again."""
    said = words.whys.struck(number=why.number, text=shortened(masked(why.text), QUOTED))
    return blocks.whisper(said, [blocks.section(said), standing_row(why)])


def restored(why: Why) -> Message:
    """A struck why stands again."""
    said = words.whys.restored(number=why.number, text=shortened(masked(why.text), QUOTED))
    return blocks.whisper(said, [blocks.section(said), standing_row(why)])


def told(why: Why, change: str, by: str, incident: Incident, chains: tuple[Chain, Chain]) -> Message:
    """To the thread of the whys: who changed which, in one line.

    `chains` are the whys before and after: where another question is open now, it follows.
    """
    text = shortened(code.flat(masked(why.text)), QUOTED)
    said = words.whys.told(number=why.number, change=change, text=text, by=by, about=_explained(chains[1], why))
    before, after = (rules.open_end(chain) for chain in chains)
    is_same = before is after or (before and after and (before.number, before.text) == (after.number, after.text))
    return blocks.message(said, [blocks.context(said), *([] if is_same else ask(incident, chains[1]))])


def _explained(chain: Chain, why: Why) -> str:
    """What a why explains, as it stands in the chain: another why, or the incident itself."""
    parent = next((one.parent for one in chain if one.number == why.number), None)
    return str(words.whys.explained(number=parent or 0))


def moved(why: Why, chain: Chain) -> Message:
    """A why explains another one now."""
    text = shortened(masked(why.text), QUOTED)
    said = words.whys.moved(number=why.number, text=text, about=_explained(chain, why))
    return blocks.whisper(said, [blocks.section(said), standing_row(why)])


def not_rooted(why: Why, by: str) -> Message:
    """A why is no root cause after all."""
    said = words.whys.no_root(number=why.number, text=shortened(masked(why.text), QUOTED), by=by)
    return blocks.message(said, response_type="in_channel")


def history(why: Why, versions: tuple[WhyVersion, ...], name_of: NameOf) -> Message:
    """Every wording of a why."""
    lines = [words.whys.history_heading(number=why.number)]
    lines += [
        words.whys.history_line(
            version=version.version,
            change=version.change,
            text=shortened(code.flat(masked(version.text)), 800),
            who=name_of(version.changed_by) or version.changed_by,
            at=f"{version.changed_at:%Y-%m-%d %H:%M}",
        )
        for version in versions
    ]
    return blocks.whisper("\n".join(lines))


def edit_form(why: Why, channel: str, entry: int, typed: str | None = None, notice: str = "") -> Block:
    """The form behind [Edit]; `entry` is one that may be cited.

    `typed` is kept where somebody changed the why meanwhile, which `notice` says.
    """
    metadata = {
        "incident": why.incident_id,
        "channel": channel,
        "why": why.number,
        "version": why.version,
        **fields.marks(why.text, typed),
    }
    text, anew = why.text if typed is None else typed, str(why.version) if notice else ""
    return blocks.modal(
        f"Why {why.number}",
        "why_edit",
        [
            *([blocks.section(notice)] if notice else []),
            *fields.texts("Because …", text, hint=words.whys.cite_hint(number=entry), anew=anew),
        ],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def changed_before(why: Why, who: str) -> str:
    """The notice above a form of a why that somebody changed since its button was shown."""
    return str(words.whys.changed_before(number=why.number, who=who))


def stale_form(why: Why, channel: str, entry: int, typed: str, who: str) -> Message:
    """The form once more, because somebody changed the why meanwhile: saving it now is a choice."""
    told = words.whys.stale_struck if why.struck else words.whys.stale
    notice = told(number=why.number, who=who, theirs=shortened(why.text, QUOTED))
    return {"response_action": "update", "view": edit_form(why, channel, entry, typed, notice)}


def hint(why: Why, word: str) -> Message:
    """For the author alone: the answer seems to stop at a person."""
    said = words.whys.hint(number=why.number, word=word)
    return blocks.whisper(said, [blocks.section(said), blocks.actions(blocks.button("Edit", "why_edit", ref(why)))])
