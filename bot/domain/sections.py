"""The 14 sections of a postmortem, and what people wrote into drafts of them.

A draft leaves as a file, a canvas or a page, people edit it there, and it comes back. Every text that came back is
stored; `list_active` says which still apply, and never decides between two people (decision 19).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.records import EditedRegion, EditOrigin
from bot.domain.secrets import REDACTED


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the document: `slug` names it in the record and in exports; `question` helps to write it."""

    slug: str
    title: str
    question: str


SECTIONS = (
    Section("summary", "Incident summary", "In three sentences: what broke, for whom, and what made it stop?"),
    Section("leadup", "Leadup", "What changed beforehand, even days earlier, that set this up?"),
    Section("fault", "Fault", "What did the system do, and what should it have done instead?"),
    Section("impact", "Impact", "Who felt it, how many, for how long, and what could they not do?"),
    Section("detection", "Detection", "What told us first, and what would have told us in half the time?"),
    Section("response", "Response", "Who came, how soon, and what slowed them down?"),
    Section("recovery", "Recovery", "Which step made it better, and how did we know that it was over?"),
    Section("timeline", "Timeline", "Is anything that happened still missing from the timeline?"),
    Section("whys", "Five whys", "Why did it happen, and why did that happen in turn?"),
    Section("root_cause", "Root cause", "Which one thing, had it been different, would prevent this whole class?"),
    Section("backlog_check", "Backlog check", "Did planned or parked work exist that would have helped?"),
    Section("recurrence", "Recurrence", "Has this cause struck before, and why was what we did then not enough?"),
    Section(
        "lessons", "Lessons learned", "What went well, where were we lucky, and what was harder than it should be?"
    ),
    Section("actions", "Corrective actions", "Who does what, by when, so that this does not come back?"),
)


BY_SLUG = {section.slug: section for section in SECTIONS}


def section_title(slug: str) -> str:
    """What people call a section; one that only a team's own template has goes by the words of its slug."""
    return BY_SLUG[slug].title if slug in BY_SLUG else slug.replace("_", " ").capitalize()


def list_active(history: Iterable[EditedRegion]) -> tuple[EditedRegion, ...]:
    """The texts of one region that nothing has replaced, oldest first; its history in order of versions.

    A text replaces those that its author saw, and their own earlier edits of the same draft. Next to one that they had
    not seen it adds a second text, until a person who sees both chooses.
    """
    stand: list[EditedRegion] = []
    for text in history:
        stand = [other for other in stand if other.version > text.seen and not _is_same_copy(other, text)]
        if text.change is not EditOrigin.GIVEN_UP:
            stand.append(text)
    return tuple(stand)


def group_by_region(history: Iterable[EditedRegion]) -> dict[str, tuple[EditedRegion, ...]]:
    """The history of each region, by its id."""
    found: dict[str, tuple[EditedRegion, ...]] = {}
    for text in history:
        found[text.section] = (*found.get(text.section, ()), text)
    return found


def list_filled(history: Iterable[EditedRegion]) -> frozenset[str]:
    """The regions with an active text that is not blank."""
    return frozenset(
        region
        for region, texts in group_by_region(history).items()
        if any(text.markdown for text in list_active(texts))
    )


def redact_markdown(markdown: str, known: Iterable[str]) -> str:
    """The text without the known credentials, even with Markdown's escapes inside them."""
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


def _is_same_copy(before: EditedRegion, text: EditedRegion) -> bool:
    """Whether the same person gave back the same copy once more. Without a name it may be another person."""
    if not (text.author and text.draft) or {before.change, text.change} != {EditOrigin.EDITED}:
        return False
    return (before.author, before.source, before.draft) == (text.author, text.source, text.draft)
