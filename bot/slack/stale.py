"""How it is said that a thing has changed since a button about it was shown: how it stands now, with its buttons."""

from bot.incident.records import Entry, Why
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack import timeline as shows
from bot.slack import whys as tells
from bot.slack import whys_corrected as corrections
from bot.slack.blocks import Message
from bot.slack.timeline import QUOTED, Clocks
from bot.slack.words import words


def entry_ref(entry: Entry) -> str:
    """What a button carries to find its entry again."""
    return shows.ref(entry)


def why_ref(why: Why) -> str:
    """What a button carries to find its why again."""
    return tells.ref(why)


def entry(entry: Entry, clocks: Clocks, who: str) -> Message:
    """An entry as it stands now, in place of the receipt whose button was pressed."""
    text = shortened(masked(entry.text), QUOTED)
    said = words.timeline.since(number=entry.number, who=who, struck=entry.struck, when=clocks.both(entry), text=text)
    return blocks.whisper(said, [blocks.section(said), shows.standing_row(entry)])


def why(why: Why, who: str) -> Message:
    """A why as it stands now."""
    text = shortened(masked(why.text), QUOTED)
    said = words.whys.since(number=why.number, who=who, struck=why.struck, root=why.is_root, text=text)
    return blocks.whisper(said, [blocks.section(said), corrections.standing_row(why)])
