"""What people wrote into the draft itself: which of their texts stand.

A draft leaves as a file, a canvas or a page, people edit it there, and it comes back. Every text that came back is
kept; this module says which of them are still meant, and never decides between two people.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.incident.secrets import REDACTED


class Change(StrEnum):
    """How a text came to be: out of an edited draft, by somebody's choice, or by giving the region to the record."""

    EDITED = "edited"
    CHOSEN = "chosen"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class KeptRegion:
    """One text of one region of the draft; versions count within the region and are only ever added.

    `section` is the region's id, mostly a section's slug; `markdown` is the person's own, empty where they emptied the
    region. `facts` is the digest of what the record knew in the draft that they edited (empty where its marker was
    lost), `seen` the latest version that it showed them. `author` is a user id, a name given on the command line, or
    empty; `source` is `file`, `canvas`, `confluence` or `slack`; `draft` tells that copy from others (of a file, when
    it was compiled), and is empty where nothing does.
    """

    incident_id: int
    section: str
    version: int
    change: Change
    markdown: str
    facts: str
    seen: int
    author: str
    source: str
    draft: str
    saved_at: datetime


def standing(history: Iterable[KeptRegion]) -> tuple[KeptRegion, ...]:
    """The texts of one region that nothing has taken the place of, oldest first; its history in order of versions.

    A text takes the place of those that its author saw, and of what they themselves made of the same draft before.
    What they have not seen stands beside it: then there are several, until somebody who sees them all chooses.
    """
    stand: list[KeptRegion] = []
    for text in history:
        stand = [other for other in stand if other.version > text.seen and not _goes_on(other, text)]
        if text.change is not Change.GIVEN_UP:
            stand.append(text)
    return tuple(stand)


def by_region(history: Iterable[KeptRegion]) -> dict[str, tuple[KeptRegion, ...]]:
    """The history of each region, by its id."""
    found: dict[str, tuple[KeptRegion, ...]] = {}
    for text in history:
        found[text.section] = (*found.get(text.section, ()), text)
    return found


def filled(history: Iterable[KeptRegion]) -> frozenset[str]:
    """The regions in which a text stands that is not blank."""
    return frozenset(
        region for region, texts in by_region(history).items() if any(text.markdown for text in standing(texts))
    )


def redacted(markdown: str, known: Iterable[str]) -> str:
    """The text without the known credentials, also where Markdown's escapes stand inside them."""
    for value in sorted(known, key=len, reverse=True):
        markdown = re.sub("".join(map(_in_markdown, value)), lambda _: REDACTED, markdown)
    return markdown


def _in_markdown(character: str) -> str:
    """A pattern for one character of a plain text, as an exported draft may have it."""
    if character == "\n":
        return r"\\?\n[ \u00a0]*"
    if character == "&":
        return r"(?:\\?&(?:amp;)?)"
    return character if character.isalnum() else rf"\\?{re.escape(character)}"


def _goes_on(before: KeptRegion, text: KeptRegion) -> bool:
    """Whether somebody gave back the same copy once more. Without a name it may be somebody else."""
    if not (text.author and text.draft) or {before.change, text.change} != {Change.EDITED}:
        return False
    return (before.author, before.source, before.draft) == (text.author, text.source, text.draft)
