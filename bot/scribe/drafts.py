"""The verbs about drafts that people edited: take one back, show where two texts stand, choose."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Refused
from bot.export import Exporter, returned
from bot.export.kept import Draft, Held
from bot.export.returned import Fate, Returned
from bot.incident import kept as rules
from bot.incident import postmortem
from bot.incident.fields import pieces
from bot.incident.kept import Change, KeptRegion
from bot.incident.records import Case, Incident
from bot.incident.sections import title_of
from bot.incident.text import admit
from bot.scribe import documents
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.slack import kept as says
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage import audit, cases, incidents, kept
from storage.kept import NewText
from storage.statements import Transaction
from storage.store import Store

BY = "afterword-import"
"""Who stands in the audit for what came from the command line; the text itself tells who wrote it."""

LONGEST = 3_000_000
"""Characters of a whole draft that comes back: three times a timeline of ten thousand entries."""


@dataclass(frozen=True, slots=True)
class Given:
    """A draft given back: the file's text, who edited it (a name, or empty) and how it came (`file`, `canvas`, …)."""

    markdown: str
    by: str
    source: str = "file"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one region: `is_new` where its text was kept just now; `held` as the region stands since."""

    region: Returned
    is_new: bool
    held: Held | None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a draft that came back, and at which revision the record is now.

    `is_head_edited` where somebody changed what stands before the first section, which is not taken.
    """

    incident: Incident
    paper: returned.Paper
    revision: int
    settled: tuple[Settled, ...]
    is_head_edited: bool


def take(store: Store, exporter: Exporter, given: Given, team: str, now: datetime) -> Report:
    """Keep what people changed in a draft; the same draft twice changes nothing.

    For the command line: it blocks. `team` may be empty where one workspace alone has the incident. Raises Refused,
    with nothing written, for what is no draft or of no incident of ours.
    """
    paper = returned.read(admit(given.markdown, "That draft", LONGEST))
    incident = store.read_now(lambda tx: documents.named(tx, paper.number, team))
    case = store.read_now(lambda tx: cases.load(tx, incident))
    draft = exporter.draft(postmortem.compile(case, now))
    found = returned.compared(paper, draft)
    edits = _edits(found, paper, given, now)
    new = store.write_now(lambda tx: keep_edits(tx, incident, edits.values(), now))
    case = store.read_now(lambda tx: cases.load(tx, incident))
    held = {one.own.id: one for one in exporter.draft(postmortem.compile(case, now)).held}
    settled = (Settled(region, region.id in new, held.get(region.id)) for region in found)
    return Report(incident, paper, case.revision, tuple(settled), returned.is_head_edited(paper, draft))


def edits_in(paper: returned.Paper, draft: Draft, given: Given, now: datetime) -> dict[str, NewText | None]:
    """The texts to be kept of a copy that came back otherwise than in a file, by region.

    None where the document says so anyway; a region of which nobody can tell what was meant is not there.
    """
    found = returned.compared(paper, draft)
    same: dict[str, NewText | None] = {one.id: None for one in found if one.fate is Fate.SAME}
    return same | _edits(found, paper, given, now)


def _edits(found: Iterable[Returned], paper: returned.Paper, given: Given, now: datetime) -> dict[str, NewText]:
    changed = (Fate.EDITED, Fate.EMPTIED)
    return {one.id: _edit(one, given, paper.copy, now) for one in found if one.fate in changed}


def _edit(region: Returned, given: Given, copy: str, now: datetime) -> NewText:
    told = (region.text, region.facts, region.seen)
    return NewText(region.id, Change.EDITED, *told, given.by, given.source, now, copy)


def keep_edits(
    tx: Transaction, incident: Incident, edits: Iterable[NewText], now: datetime, by: str = BY
) -> frozenset[str]:
    """Write down the edits that are not known yet, all or none; the regions that were written."""
    incidents.by_id(tx, incident.id, locking=True)
    history = rules.by_region(kept.of_incident(tx, incident.id))
    new = [text for text in edits if not _is_known(text, history.get(text.section, ()))]
    tx.clear_notes()
    for text in new:
        kept.add(tx, incident.id, text)
    if new:
        audit.keep(tx, by, "drafts.take", "", now)
    return frozenset(text.section for text in new)


def _is_known(edit: NewText, history: tuple[KeptRegion, ...]) -> bool:
    """The very edit was taken before, whatever somebody chose since."""
    told = (edit.markdown, edit.facts, edit.seen)
    return any((text.markdown, text.facts, text.seen) == told for text in history)


def edited(exporter: Exporter, case: Case, now: datetime) -> tuple[Held, ...]:
    """The regions in which people's texts stand, at a glance. It compiles where there are any: call it off the loop."""
    return exporter.glance(postmortem.compile(case, now)).held if case.kept else ()


async def look(desk: Desk, asked: Asked, section: str) -> Message:
    """All the texts of one section, to choose from."""
    case, held = await _held(desk, asked, section)
    return says.choice(held, case.incident)


async def _held(desk: Desk, asked: Asked, section: str) -> tuple[Case, Held]:
    def find(tx: Transaction) -> tuple[Case, Held]:
        case = cases.load(tx, require_incident(tx, asked))
        for held in edited(desk.exporter, case, asked.now):
            if held.own.id == section:
                return case, held
        raise Refused(words.kept.nothing(title=title_of(section)))

    return await desk.store.read(find)


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw who chooses: a section, its latest version, and the digest of what the record knew."""

    section: str
    version: int
    facts: str


async def keep(desk: Desk, asked: Asked, seen: Seen, version: int) -> Message | None:
    """Let one of the texts stand, in place of all that were seen with it."""

    def unit(tx: Transaction) -> Message:
        incident, history = _unchanged(tx, asked, seen)
        text = next(one for one in history if one.version == version)
        kept.add(tx, incident.id, _chosen(seen, text.markdown, text.author, asked.now))
        case = cases.glance(tx, incident, 1)[0]
        return says.kept(case, title_of(seen.section), case.name(text.author), is_blank=not text.markdown)

    return await once(desk, asked, unit)


async def give_up(desk: Desk, asked: Asked, seen: Seen) -> Message | None:
    """Let the record write the section again; what people wrote stays in the history."""

    def unit(tx: Transaction) -> Message:
        incident, _ = _unchanged(tx, asked, seen)
        new = NewText(seen.section, Change.GIVEN_UP, "", seen.facts, seen.version, asked.user, "slack", asked.now)
        kept.add(tx, incident.id, new)
        return says.taken(cases.glance(tx, incident, 1)[0], title_of(seen.section))

    return await once(desk, asked, unit)


async def anew_form(desk: Desk, asked: Asked, section: str) -> Block:
    """The form in which somebody writes what is to stand."""
    case, held = await _held(desk, asked, section)
    if pieces(says.together(held)) is None:
        raise Refused(words.kept.too_long(title=held.own.title))
    return says.anew_form(held, case.incident)


async def write_anew(desk: Desk, asked: Asked, seen: Seen, text: str) -> Message | None:
    """What somebody wrote who saw the others. Where one came meanwhile both stand: nothing typed is lost."""
    markdown = admit(text, title_of(seen.section))

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        version = kept.add(tx, incident.id, _chosen(seen, markdown, asked.user, asked.now))
        case = cases.glance(tx, incident, 1)[0]
        return says.written(case, title_of(seen.section), is_contested=version > seen.version + 1)

    return await once(desk, asked, unit)


def _unchanged(tx: Transaction, asked: Asked, seen: Seen) -> tuple[Incident, tuple[KeptRegion, ...]]:
    """The incident, locked, and the section's history; raises Refused where there is more than was seen."""
    incident = require_incident(tx, asked, locking=True)
    history = rules.by_region(kept.of_incident(tx, incident.id)).get(seen.section, ())
    if not history or history[-1].version != seen.version:
        raise Refused(words.kept.stale(title=title_of(seen.section)))
    return incident, history


def _chosen(seen: Seen, markdown: str, author: str, now: datetime) -> NewText:
    return NewText(seen.section, Change.CHOSEN, markdown, seen.facts, seen.version, author, "slack", now)
