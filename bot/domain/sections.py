"""The 14 sections of a postmortem: the record's facts for each, and what people wrote into drafts of them.

A draft leaves as a file, a canvas or a page, people edit it there, and it comes back. Every text that came back is
stored; `list_active` says which still apply, and never decides between two people.

`draft_section` returns the facts for a section that no one has written yet. Facts only: templates make sentences of
them. Fault and lessons have none, because people write those; timeline, whys and actions are lists.

An edit in a draft stays as long as the facts of its section do (decision 19). So a fact must not change by time alone
(an action becomes overdue), a person's new name, or another template; and everything that a section shows must be in
it. Every fact added here makes each edit of that section a question once.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import text as text_rules
from bot.domain.document import Document, TimelineLine
from bot.domain.incident import text_beyond_milestone
from bot.domain.records import EditedRegion, EditOrigin, EntryKind, Milestone
from bot.domain.secrets import REDACTED, mask_credentials
from bot.domain.text import clean, shorten

# Facts and not stories: a section is filled with what the record can prove, in few words (decision 15).
QUOTED = 300
MOST_BEFORE = 15
"""Entries before the impact that are worth looking at for what led up to it: the latest of them."""

MOST_PEOPLE = 12


@dataclass(frozen=True, slots=True)
class DraftMilestone:
    """A milestone as its entry reports it; `number` is 0 and `who` empty if only the incident itself knows.

    `after` is the time since an earlier milestone, named by `since`; `text` is empty if the entry says no more.
    """

    milestone: Milestone
    at: datetime
    after: timedelta | None = None
    since: Milestone | None = None
    who: str = ""
    number: int = 0
    text: str = ""
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class LeadupEntry:
    """An entry from before the impact."""

    at: datetime
    text: str
    who: str
    number: int


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """The facts of one section, in the order in which they are shown; empty means unknown, or not part of it.

    `started_at` and `ended_at` are of the whole incident, and `began` names its first milestone; `arrivals` are names
    with the time of each one's first entry; `other_causes` the keys of incidents with another cause.
    """

    title: str = ""
    severity: str = ""
    began: Milestone | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: timedelta | None = None
    lead: str = ""
    moments: tuple[DraftMilestone, ...] = ()
    arrivals: tuple[tuple[str, datetime], ...] = ()
    before: tuple[LeadupEntry, ...] = ()
    roots: tuple[str, ...] = ()
    other_causes: tuple[str, ...] = ()


def _words(text: str) -> str:
    """A person's words on one line. Others read them here, so credentials are masked."""
    return shorten(text_rules.flatten(mask_credentials(clean(text))), QUOTED)


def _summary(document: Document) -> SectionDraft:
    if not document.timeline:
        return SectionDraft()
    reached = (m for m in (Milestone.IMPACT_STARTED, Milestone.DETECTED, Milestone.ACKNOWLEDGED) if _at(document, m))
    return SectionDraft(
        title=mask_credentials(document.title),
        severity=document.severity,
        began=next(reached, None),
        started_at=document.started_at,
        ended_at=document.resolved_at,
        duration=document.duration,
    )


def _at(document: Document, milestone: Milestone) -> datetime | None:
    return document.mark(milestone).at


def _leadup(document: Document) -> SectionDraft:
    """Entries from before the impact; none while its start is unknown."""
    started = _at(document, Milestone.IMPACT_STARTED) or _at(document, Milestone.DETECTED)
    if started is None:
        return SectionDraft()
    earlier = [line for line in document.timeline if line.happened_at < started and _is_note(line)]
    latest = earlier[-MOST_BEFORE:]
    return SectionDraft(
        before=tuple(LeadupEntry(line.happened_at, _words(line.text), line.author.name, line.number) for line in latest)
    )


def _is_note(line: TimelineLine) -> bool:
    return line.kind is EntryKind.NOTE and line.milestone is None


def _impact(document: Document) -> SectionDraft:
    """The impact from its start to its mitigation, else its resolution; nothing while its start is unknown."""
    if _at(document, Milestone.IMPACT_STARTED) is None:
        return SectionDraft()
    end = Milestone.MITIGATED if _at(document, Milestone.MITIGATED) else Milestone.RESOLVED
    return SectionDraft(moments=_moments(document, (Milestone.IMPACT_STARTED, None), (end, Milestone.IMPACT_STARTED)))


def _draft_response(document: Document) -> SectionDraft:
    acknowledged = _moments(document, (Milestone.ACKNOWLEDGED, Milestone.DETECTED))
    came = sorted((person.first_at, person.who.name) for person in document.participants if person.first_at)
    arrivals = tuple((name, first) for first, name in came[:MOST_PEOPLE])
    lead = document.lead.name if document.lead else ""
    return SectionDraft(lead=lead, moments=acknowledged, arrivals=arrivals if len(came) > 1 else ())


def _moments(document: Document, *wanted: tuple[Milestone, Milestone | None]) -> tuple[DraftMilestone, ...]:
    """The milestones that were reached, each with the time since the previous one."""
    found = (_moment(document, milestone, since) for milestone, since in wanted)
    return tuple(moment for moment in found if moment is not None)


def _moment(document: Document, milestone: Milestone, since: Milestone | None) -> DraftMilestone | None:
    mark = document.mark(milestone)
    if mark.at is None:
        return None
    begun = _at(document, since) if since else None
    after = mark.at - begun if begun is not None and begun <= mark.at else None
    line = mark.line
    if line is None:
        return DraftMilestone(milestone, mark.at, after=after, since=since)
    text = _words(text_beyond_milestone(milestone, line.text))
    return DraftMilestone(milestone, mark.at, after, since, line.author.name, line.number, text, line.approximate)


def _detection(document: Document) -> SectionDraft:
    return SectionDraft(moments=_moments(document, (Milestone.DETECTED, Milestone.IMPACT_STARTED)))


def _recovery(document: Document) -> SectionDraft:
    ends = ((milestone, Milestone.IMPACT_STARTED) for milestone in (Milestone.MITIGATED, Milestone.RESOLVED))
    return SectionDraft(moments=_moments(document, *ends))


def _root_cause(document: Document) -> SectionDraft:
    return SectionDraft(roots=tuple(_words(step.text) for step in document.roots))


_OF: dict[str, Callable[[Document], SectionDraft]] = {
    "summary": _summary,
    "leadup": _leadup,
    "impact": _impact,
    "detection": _detection,
    "response": _draft_response,
    "recovery": _recovery,
    "root_cause": _root_cause,
}


def draft_section(document: Document, slug: str, other_causes: tuple[str, ...] = ()) -> SectionDraft:
    """The facts for a section by its slug; an empty draft if there are none."""
    if slug == "recurrence":
        return SectionDraft(other_causes=other_causes)
    return _OF[slug](document) if slug in _OF else SectionDraft()


_FIELD, _ROW = "\x1f", "\x1e"
"""No text of a document has control characters in it (`clean`)."""


def digest_sections(document: Document) -> dict[str, str]:
    """The digest of the facts of each of the 14 sections, by slug."""
    return {part.slug: digest_facts(list_facts(document, part.slug)) for part in document.parts}


def digest_facts(text: str) -> str:
    """Twelve hexadecimal digits: enough to see a change, not meant against forgery."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def list_facts(document: Document, section: str) -> str:
    """The facts of one section, written in a way that only serves to compare them."""
    written = next((part.text for part in document.parts if part.slug == section), "")
    rows = _KNOWN[section](document) if section in _KNOWN else ()
    return _ROW.join([written, *rows])


def _row(*facts: object) -> str:
    return _FIELD.join(map(str, facts))


def _marks(*milestones: Milestone) -> Callable[[Document], Iterator[str]]:
    def rows(document: Document) -> Iterator[str]:
        for mark in map(document.mark, milestones):
            line = mark.line
            yield _row(mark.milestone, mark.at, *((line.number, line.approximate, line.author.id) if line else ()))

    return rows


_acknowledged = _marks(Milestone.DETECTED, Milestone.ACKNOWLEDGED)


def _response_facts(document: Document) -> Iterator[str]:
    yield from _acknowledged(document)
    for one in document.participants:
        yield _row(one.who.id, one.is_lead, one.authored, one.recorded, one.first_at, one.last_at)


def _timeline(document: Document) -> Iterator[str]:
    # Every change of an entry is a version of it. Versions are counted because digesting ten thousand texts would take
    # as long as writing them.
    yield _ROW.join([f"{line.number}.{line.version}" for line in document.timeline])
    for line in document.timeline:
        if line.source_change or line.files:
            files = ((file.name, file.size, file.is_kept, file.note) for file in line.files)
            yield _row(line.number, line.source_change, *files)


def _whys(document: Document) -> Iterator[str]:
    for step in sorted(document.whys, key=lambda step: step.number):
        cited = ((line.number, line.happened_at, line.text) for line in step.evidence)
        yield _row(step.number, step.parent, step.text, step.author.id, step.is_root, *cited)


def _roots(document: Document) -> Iterator[str]:
    roots = sorted(document.roots, key=lambda step: step.number)
    return (_row(step.number, step.text, step.author.id) for step in roots)


def _actions(document: Document) -> Iterator[str]:
    for item in document.actions:
        owner = item.owner.id if item.owner else None
        facts = (item.number, item.text, item.status, item.held, item.reason, owner, item.due_on, item.kind, item.link)
        yield _row(*facts)


_KNOWN: dict[str, Callable[[Document], Iterable[str]]] = {
    "impact": _marks(Milestone.IMPACT_STARTED, Milestone.MITIGATED),
    "detection": _marks(Milestone.IMPACT_STARTED, Milestone.DETECTED),
    "response": _response_facts,
    "recovery": _marks(Milestone.IMPACT_STARTED, Milestone.MITIGATED, Milestone.RESOLVED),
    "timeline": _timeline,
    "whys": _whys,
    "root_cause": _roots,
    "actions": _actions,
}


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the document: `slug` names it in the record and in exports; `question` helps to write it.

    A postmortem cannot be published while one that `is_required` is empty.
    """

    slug: str
    title: str
    question: str
    is_required: bool = False


SECTIONS = (
    Section(
        "summary",
        "Incident summary",
        "In three sentences: what broke, for whom, and what made it stop?",
        is_required=True,
    ),
    Section("leadup", "Leadup", "What changed beforehand, even days earlier, that set this up?"),
    Section("fault", "Fault", "What did the system do, and what should it have done instead?"),
    Section("impact", "Impact", "Who felt it, how many, for how long, and what could they not do?", is_required=True),
    Section("detection", "Detection", "What told us first, and what would have told us in half the time?"),
    Section("response", "Response", "Who came, how soon, and what slowed them down?"),
    Section("recovery", "Recovery", "Which step made it better, and how did we know that it was over?"),
    Section("timeline", "Timeline", "Is anything that happened still missing from the timeline?"),
    Section("whys", "Five whys", "Why did it happen, and why did that happen in turn?"),
    Section(
        "root_cause",
        "Root cause",
        "Which one thing, had it been different, would have prevented this kind of incident?",
        is_required=True,
    ),
    Section("backlog_check", "Backlog check", "Did planned or parked work exist that would have helped?"),
    Section("recurrence", "Recurrence", "Has this cause struck before, and why was what we did then not enough?"),
    Section(
        "lessons", "Lessons learned", "What went well, where were we lucky, and what was harder than it should be?"
    ),
    Section(
        "actions", "Corrective actions", "Who does what, by when, so that it doesn't happen again?", is_required=True
    ),
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
        markdown = re.sub("".join(map(_in_markdown, _UNITS.findall(value))), lambda _: REDACTED, markdown)
    return markdown


# What is written several ways in Markdown is taken whole: one way to match each, else a long value takes for ever.
_UNITS = re.compile(r"\\+|\n[ \u00a0]*|[^\\\n]")


def _in_markdown(unit: str) -> str:
    """A pattern for a character of a plain text, a line's end or a run of backslashes, as a draft may have it."""
    if unit[0] == "\\":
        return rf"\\{{{len(unit)},{2 * len(unit) + 1}}}+"
    if unit[0] == "\n":
        return r"\\?\n(?:\\?[ \u00a0])*+"
    if unit == "&":
        return r"(?:\\?&(?:amp;)?)"
    return unit if unit.isalnum() else rf"\\?{re.escape(unit)}"


def _is_same_copy(before: EditedRegion, text: EditedRegion) -> bool:
    """Whether the same person gave back the same copy once more. Without a name it may be another person."""
    if not (text.author and text.draft) or {before.change, text.change} != {EditOrigin.EDITED}:
        return False
    return (before.author, before.source, before.draft) == (text.author, text.source, text.draft)
