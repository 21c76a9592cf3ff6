"""Edited drafts: import one, list the texts of a section, choose between them; and the import of a whole record.

A record is imported once, without a message, and never over another incident.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot import bounds
from bot.domain import postmortem as postmortem_rules
from bot.domain import sections as sections_rules
from bot.domain.outline import title_of
from bot.domain.records import AuditLine, Case, EditedRegion, EditOrigin, Incident, Milestone, Place, Status
from bot.domain.reminders import ReminderRules
from bot.domain.sections import section_title
from bot.domain.text import clean_input, split_into_fields
from bot.errors import Refused
from bot.export import Exporter, drafts
from bot.export.drafts import DraftRegions, RegionEdits, RegionOutcome, ReturnedRegion
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import compiler as compiler_service
from bot.services.notifications import reminders as reminders_service
from bot.slack.views import drafts as drafts_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import audit as audit_store
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit

if TYPE_CHECKING:
    from bot.export.json.reader import (
        FileRecord,  # its checks take 20 ms to make, and only the command line reads files
    )

DRAFT_IMPORT = "afterword-import"
"""Who stands in the audit for what came from the command line; the text itself tells who wrote it."""


@dataclass(frozen=True, slots=True)
class EditedDraftFile:
    """A draft given back: the file's text, who edited it (a name, or empty) and how it came (`file`, `canvas`, …)."""

    markdown: str
    by: str
    source: str = "file"


@dataclass(frozen=True, slots=True)
class SettledRegion:
    """The result for one region: `is_new` if its text was saved just now; `edits` is how the region is since."""

    region: ReturnedRegion
    is_new: bool
    edits: RegionEdits | None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of importing a draft, and the revision of the record now.

    `is_head_edited` if a person changed the part before the first section, which is not imported.
    """

    incident: Incident
    paper: drafts.ReturnedDraft
    revision: int
    settled: tuple[SettledRegion, ...]
    is_head_edited: bool


def import_draft(store: Store, exporter: Exporter, file: EditedDraftFile, team: str, now: datetime) -> Report:
    """Save what people changed in a draft; the same draft twice changes nothing.

    For the command line: it blocks. `team` may be empty if only one workspace has the incident. Raises Refused, with
    nothing written, for a file that is no draft, or not of an incident here.
    """
    paper = drafts.read(clean_input(file.markdown, "That draft", bounds.DRAFT))
    incident = store.read_now(lambda tx: compiler_service.find_incident(tx, paper.number, team))
    case = store.read_now(lambda tx: case_store.load(tx, incident))
    draft = exporter.compile_draft(postmortem_rules.compile_document(case, now))
    found = drafts.compare(paper, draft)
    edits = _edits(found, paper, file, now)
    new = store.write_now(lambda tx: keep_edits(tx, incident, edits.values(), now))
    case = store.read_now(lambda tx: case_store.load(tx, incident))
    edits_since = {
        one.own.id: one for one in exporter.compile_draft(postmortem_rules.compile_document(case, now)).edits
    }
    settled = (SettledRegion(region, region.id in new, edits_since.get(region.id)) for region in found)
    return Report(incident, paper, case.revision, tuple(settled), drafts.is_head_edited(paper, draft))


def find_edits(
    paper: drafts.ReturnedDraft, draft: DraftRegions, file: EditedDraftFile, now: datetime
) -> dict[str, NewEdit | None]:
    """The edits of a copy that came back by another way than a file, by region.

    None for a text that the document has anyway. A region whose edit is unclear is left out.
    """
    found = drafts.compare(paper, draft)
    same: dict[str, NewEdit | None] = {one.id: None for one in found if one.outcome is RegionOutcome.SAME}
    return same | _edits(found, paper, file, now)


def _edits(
    regions: Iterable[ReturnedRegion], paper: drafts.ReturnedDraft, file: EditedDraftFile, now: datetime
) -> dict[str, NewEdit]:
    changed = (RegionOutcome.EDITED, RegionOutcome.EMPTIED)
    return {one.id: _edit(one, file, paper.copy, now) for one in regions if one.outcome in changed}


def _edit(region: ReturnedRegion, file: EditedDraftFile, copy: str, now: datetime) -> NewEdit:
    key = (region.text, region.facts, region.seen)
    return NewEdit(region.id, EditOrigin.EDITED, *key, file.by, file.source, now, copy)


def keep_edits(
    tx: Transaction, incident: Incident, edits: Iterable[NewEdit], now: datetime, by: str = DRAFT_IMPORT
) -> frozenset[str]:
    """Write down the edits that are not known yet, all or none; the regions that were written."""
    # Locked, else two imports of one draft at the same time would both find its edits new.
    incidents_store.find(tx, incident.id, locking=True)
    history = sections_rules.group_by_region(sections_store.list_edits(tx, incident.id))
    new = [text for text in edits if not _is_known(text, history.get(text.section, ()))]
    tx.clear_notes()
    for text in new:
        sections_store.add_edit(tx, incident.id, text)
    if new:
        audit_store.add_lines(tx, by, "drafts.take", "", now)
    return frozenset(text.section for text in new)


def _is_known(edit: NewEdit, history: tuple[EditedRegion, ...]) -> bool:
    """Whether this edit was imported before, whatever people chose since."""
    key = (edit.markdown, edit.facts, edit.seen)
    return any((text.markdown, text.facts, text.seen) == key for text in history)


def list_edited(exporter: Exporter, case: Case, now: datetime) -> tuple[RegionEdits, ...]:
    """The edited regions in short. If there are any it compiles the document: never call it on the loop."""
    return exporter.compile_preview(postmortem_rules.compile_document(case, now)).edits if case.edited_sections else ()


async def read_edits_note(services: Services, request: Request) -> list[Block]:
    """What waits for a choice between texts, for a draft that is sent; read before any transaction that writes."""

    def look(tx: Transaction) -> list[Block]:
        case = case_store.load(tx, require_incident(tx, request))
        return drafts_views.edits_note(list_edited(services.exporter, case, request.now), case.incident)

    return await services.store.read(look)


async def show_section(services: Services, request: Request, section: str) -> Message:
    """All the texts of one section, to choose from."""
    case, edits = await _load_edits(services, request, section)
    return drafts_views.text_question(edits, case.incident)


async def _load_edits(services: Services, request: Request, section: str) -> tuple[Case, RegionEdits]:
    def find(tx: Transaction) -> tuple[Case, RegionEdits]:
        case = case_store.load(tx, require_incident(tx, request))
        for edits in list_edited(services.exporter, case, request.now):
            if edits.own.id == section:
                return case, edits
        raise Refused(words.edits.nothing(title=title_of(case.incident, section)))

    return await services.store.read(find)


@dataclass(frozen=True, slots=True)
class SeenText:
    """What a person who chooses has seen: the section, its latest version, the digest of what the record knew."""

    section: str
    version: int
    facts: str


async def choose(services: Services, request: Request, seen: SeenText, version: int) -> Message | None:
    """Choose one of the texts, in place of all that were seen with it."""

    def unit(tx: Transaction) -> Message:
        incident, history = _require_unchanged(tx, request, seen)
        text = next(one for one in history if one.version == version)
        sections_store.add_edit(tx, incident.id, _make_choice(seen, text.markdown, text.author, request.now))
        case = case_store.load_latest(tx, incident)
        return drafts_views.keep_receipt(
            case, title_of(incident, seen.section), case.name(text.author), is_blank=not text.markdown
        )

    return await run_once(services, request, unit, verb="drafts.keep")


async def discard(services: Services, request: Request, seen: SeenText) -> Message | None:
    """Let the record write the section again; what people wrote stays in the history."""

    def unit(tx: Transaction) -> Message:
        incident, _ = _require_unchanged(tx, request, seen)
        new = NewEdit(
            seen.section, EditOrigin.GIVEN_UP, "", seen.facts, seen.version, request.user, "slack", request.now
        )
        sections_store.add_edit(tx, incident.id, new)
        return drafts_views.take_receipt(case_store.load_latest(tx, incident), title_of(incident, seen.section))

    return await run_once(services, request, unit, verb="drafts.give_up")


async def rewrite_form(services: Services, request: Request, section: str) -> Block:
    """The form in which a person writes the text that shall be used."""
    case, edits = await _load_edits(services, request, section)
    if split_into_fields(drafts_views.join_texts(edits)) is None:
        raise Refused(words.edits.too_long(title=edits.own.title))
    return drafts_views.rewrite_form(edits, case.incident)


async def rewrite(services: Services, request: Request, seen: SeenText, text: str) -> Message | None:
    """Save the text of a person who saw the others. If another came meanwhile both are kept: nothing typed is lost."""
    markdown = clean_input(text, section_title(seen.section))

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        version = sections_store.add_edit(tx, incident.id, _make_choice(seen, markdown, request.user, request.now))
        case = case_store.load_latest(tx, incident)
        return drafts_views.rewrite_receipt(
            case, title_of(incident, seen.section), is_contested=version > seen.version + 1
        )

    return await run_once(services, request, unit, verb="drafts.write_anew")


def _require_unchanged(tx: Transaction, request: Request, seen: SeenText) -> tuple[Incident, tuple[EditedRegion, ...]]:
    """The incident, locked, and the section's history. Raises Refused if there is more than was seen."""
    incident = require_incident(tx, request, locking=True)
    history = sections_rules.group_by_region(sections_store.list_edits(tx, incident.id)).get(seen.section, ())
    if not history or history[-1].version != seen.version:
        raise Refused(words.edits.conflict(title=title_of(incident, seen.section)))
    return incident, history


def _make_choice(seen: SeenText, markdown: str, author: str, now: datetime) -> NewEdit:
    return NewEdit(seen.section, EditOrigin.CHOSEN, markdown, seen.facts, seen.version, author, "slack", now)


JSON_IMPORT = "afterword import"
"""Who is named in the audit for it: no person in Slack."""

_ID = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Where to import: another workspace or channel than the file's, if named; under the next number if `is_new`."""

    team: str = ""
    channel: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    `is_here` if the same record was here before. Decisions about similar incidents are saved if those are here:
    `left_out` are the keys of the others, `added` of those that came since the same record was imported before.
    """

    incident: Incident
    record: "FileRecord"
    is_here: bool
    left_out: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def import_record(
    store: Store, record: "FileRecord", wish: ImportRequest, rules: ReminderRules, now: datetime
) -> Imported:
    """Write the record of a file in one transaction. Nothing is posted, and reminders due before `now` are skipped.

    Raises Refused if another incident has its key, if its channel has an open one, or if its workspace is unknown.
    """
    result: Imported = store.write_now(lambda tx: _take_in(tx, _place(tx, record, wish), wish, rules, now))
    return result


def _place(tx: Transaction, record: "FileRecord", wish: ImportRequest) -> "FileRecord":
    """The record with its workspace and channel here."""
    for word in (wish.team, wish.channel):
        if word and not _ID.fullmatch(word):
            raise Refused(f"{word!r} isn't an ID. A workspace's begins with T, a channel's with C or G.")
    incident = record.case.incident
    team = wish.team or incident.team or _only_team(tx)
    if wish.channel not in ("", incident.channel):
        incident = replace(incident, channel=wish.channel, channel_name="")
    is_elsewhere = bool(record.case.incident.team) and team != record.case.incident.team
    history = replace(record.history, verdicts=()) if is_elsewhere else record.history
    return replace(record, case=replace(record.case, incident=replace(incident, team=team)), history=history)


def _only_team(tx: Transaction) -> str:
    teams = incidents_store.list_teams(tx)
    if len(teams) != 1:
        raise Refused("The file doesn't name a workspace. Give one with --team.")
    return teams[0]


def _take_in(
    tx: Transaction, record: "FileRecord", wish: ImportRequest, rules: ReminderRules, now: datetime
) -> Imported:
    record, left_out = _drop_unknown_verdicts(tx, record)
    about = record.case.incident
    here = incidents_store.find_by_number(tx, about.team, about.number)
    if here is not None and not wish.is_new:
        if not _is_same(tx, here, record):
            raise Refused(
                f"{about.key} is already here with different content, and wasn't changed. To import the file as a "
                f"new incident, use --as-new."
            )
        return Imported(here, record, is_here=True, left_out=left_out, added=_add_verdicts(tx, here, record))
    _require_free(tx, about)
    if wish.is_new:
        about = replace(about, number=incidents_store.take_incident_number(tx, about.team))
    incident = case_store.restore(tx, replace(record.case, incident=about), record.history)
    _take_over(tx, record, incident, rules, now)
    what = f"{record.case.incident.key}, exported {record.generated_at:%Y-%m-%d %H:%M} UTC"
    audit_store.add_imported(tx, incident.id, AuditLine(now, JSON_IMPORT, audit_store.IMPORTED, what, ""))
    return Imported(incident, record, is_here=False, left_out=left_out)


def _drop_unknown_verdicts(tx: Transaction, record: "FileRecord") -> tuple["FileRecord", tuple[str, ...]]:
    """The record with the decisions about incidents that are here, and the keys of those that are not."""
    team, verdicts = record.case.incident.team, record.history.verdicts
    known = tuple(
        verdict for verdict in verdicts if incidents_store.find_by_number(tx, team, verdict.number) is not None
    )
    left_out = tuple(f"INC-{verdict.number}" for verdict in verdicts if verdict not in known)
    return replace(record, history=replace(record.history, verdicts=known)), left_out


def _is_same(tx: Transaction, here: Incident, record: "FileRecord") -> bool:
    """Whether both records give the same document, whatever the names of people are by now.

    Decisions about similar incidents may be missing here, because those were; they must not differ.
    """
    case, history = case_store.load(tx, here, with_files=True, with_audit=True), case_store.load_history(tx, here)
    existing = {verdict.number: verdict for verdict in history.verdicts}
    if any(existing.get(verdict.number, verdict) != verdict for verdict in record.history.verdicts):
        return False
    ours = postmortem_rules.compile_document(
        replace(case, people={}), record.generated_at, replace(history, people={}, verdicts=())
    )
    theirs = replace(record.case, people={}), record.generated_at, replace(record.history, verdicts=())
    return ours == postmortem_rules.compile_document(*theirs)


def _add_verdicts(tx: Transaction, here: Incident, record: "FileRecord") -> tuple[str, ...]:
    existing = {verdict.number for verdict in case_store.load_history(tx, here).verdicts}
    missing = [verdict for verdict in record.history.verdicts if verdict.number not in existing]
    for verdict in missing:
        case_store.restore_verdict(tx, here, verdict)
    return tuple(f"INC-{verdict.number}" for verdict in missing)


def _require_free(tx: Transaction, about: Incident) -> None:
    if about.status is Status.RESOLVED:
        return
    current = incidents_store.find_current(tx, Place(about.team, about.channel))
    if current is not None and current.status is not Status.RESOLVED:
        raise Refused(
            f"{about.key} isn't resolved, and {current.key} is open in its channel {about.channel}. A channel can "
            f"have one open incident. Resolve that one first, or choose another channel with --channel."
        )


def _take_over(tx: Transaction, record: "FileRecord", incident: Incident, rules: ReminderRules, now: datetime) -> None:
    """Schedule the reminders that are still to come; those due before are skipped."""
    resolving = [entry for entry in record.case.entries if entry.milestone is Milestone.RESOLVED]
    is_owed = incident.status is Status.RESOLVED and not incident.postmortem_status.is_finished
    if is_owed and resolving:
        reminders_service.remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number), after=now)
    reminders_service.take_over(tx, rules, incident, now)
