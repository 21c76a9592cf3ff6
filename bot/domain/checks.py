"""Which sections of a postmortem are still empty, and what in its record is contradictory or unfinished.

Each finding names what fixes it. Nothing here refuses anything.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from bot.domain import text as text_rules
from bot.domain.incident import (
    MILESTONE_TEXTS,
    choose_clearest,
    find_contradicted,
    impact_start,
    list_reached_milestones,
)
from bot.domain.outline import list_sections, outline_of
from bot.domain.records import Action, ActionStatus, Case, Entry, Milestone, Status
from bot.domain.secrets import mask_credentials
from bot.domain.sections import list_filled
from bot.domain.text import clean, format_clock, format_day_time, format_duration, shorten
from bot.domain.whys import list_active, list_without_action, quote_answer

LONGEST_GAP = timedelta(minutes=30)
"""A longer gap in the timeline during the incident is a question."""

AHEAD = timedelta(minutes=1)
"""Clocks differ: a time further ahead than this is in the future."""

# Characters of a text that a finding quotes: enough to know it by, since its button opens the whole.
QUOTED = 60
NAMED = 40
MOST_NAMED = 4
"""Actions that a question names, the latest of them; as many buttons fit next to [Add an action]."""


class FindingKind(StrEnum):
    """The kind of a finding."""

    FUTURE = "future"
    ORDER = "order"
    DETECTION = "detection"
    RECOVERY = "recovery"
    ROOT = "root"
    ACTION = "action"
    PLACEHOLDER = "placeholder"
    GAP = "gap"
    LEAD = "lead"
    SEVERITY = "severity"


class Remedy(StrEnum):
    """How to fix a finding: the form that its button opens."""

    EDIT_ENTRY = "edit_entry"
    ADD_ENTRY = "add_entry"
    MARK = "mark"
    FILL_SECTION = "fill_section"
    COMPLETE_ACTION = "complete_action"
    ADD_ACTION = "add_action"
    LINK_ACTION = "link_action"
    SET_LEAD = "set_lead"
    SET_SEVERITY = "set_severity"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `sentence` describes it in plain text; `is_question`: it may well be right as it is.

    `target` is what the remedy is about: the number of an entry, of a why, or the row of an action; `section` a slug;
    `choices` are the numbers of the actions of which one may be for the why; `is_ownerless` is of an action.
    """

    kind: FindingKind
    sentence: str
    mend: Remedy
    target: int | None = None
    section: str = ""
    is_question: bool = False
    choices: tuple[int, ...] = ()
    is_ownerless: bool = False

    @property
    def is_asked_before_publishing(self) -> bool:
        """Whether readers would stumble over it: times that contradict each other, an action without an owner."""
        return self.kind is FindingKind.ORDER or (self.kind is FindingKind.ACTION and self.is_ownerless)


def list_findings(case: Case, now: datetime) -> tuple[Finding, ...]:
    """Everything found in the case as of `now` (aware): definite errors first, then questions; by weight in both."""
    entries = sorted((e for e in case.entries if not e.struck), key=lambda e: (e.happened_at, e.number))
    found = [
        *_order(case, entries, now),
        *_future(entries, now),
        *_roots(case),
        *_actions(case),
        *_placeholders(case),
        *_find_unmarked(case, entries),
        *_find_unset(case),
        *_gaps(case, entries, now),
    ]
    return tuple(sorted(found, key=lambda finding: finding.is_question))


def _future(entries: list[Entry], now: datetime) -> Iterator[Finding]:
    for entry in entries:
        if entry.happened_at > now + AHEAD:
            sentence = f"#{entry.number} is in the future: {format_day_time(entry.happened_at, now.date())}."
            yield Finding(FindingKind.FUTURE, sentence, Remedy.EDIT_ENTRY, entry.number)


def _order(case: Case, entries: list[Entry], now: datetime) -> Iterator[Finding]:
    marks = list_reached_milestones(case.incident, entries)
    for milestone, mark in marks.items():
        if later := find_contradicted(marks, milestone, mark.at):
            other = choose_clearest(marks, later)
            first, second = _name_both(mark.at, marks[other].at, now)
            first = f"{first.removesuffix(' UTC')} UTC"
            sentence = f"{MILESTONE_TEXTS[milestone]} ({first}) is before {MILESTONE_TEXTS[other].lower()} ({second})."
            mend = Remedy.MARK if mark.by is None else Remedy.EDIT_ENTRY
            yield Finding(FindingKind.ORDER, sentence, mend, mark.by.number if mark.by else None)


def _find_unmarked(case: Case, entries: list[Entry]) -> Iterator[Finding]:
    if case.incident.status is not Status.RESOLVED:
        return
    marks = list_reached_milestones(case.incident, entries)
    if Milestone.DETECTED not in marks:
        yield Finding(FindingKind.DETECTION, "No entry says when it was detected.", Remedy.MARK)
    if Milestone.MITIGATED not in marks:
        sentence = "No entry says when it was mitigated."
        yield Finding(FindingKind.RECOVERY, sentence, Remedy.MARK, is_question=True)


def _roots(case: Case) -> Iterator[Finding]:
    """Root causes without an action (decision 38).

    An action made from a why is for that one. An action for no why counts for the only root cause that has none; if
    there are several, it is a question.
    """
    active = {action.number: action for action in case.actions if action.status is not ActionStatus.DROPPED}
    bare = list_without_action(case.whys, active)
    loose = [active[number] for number in list_unlinked_actions(case)]
    # The only action left is for the only root cause left: asking would be a formality (decision 38).
    if loose and len(bare) == 1:
        return
    for why in bare:
        if loose:
            named = ", ".join(f"Action {action.number} {_quote(action.text, NAMED)}" for action in loose[:MOST_NAMED])
            sentence = f"Which action is for the root cause in why {why.number}, {_quote(why.text)}? {named}."
            numbers = tuple(action.number for action in loose)
            yield Finding(FindingKind.ROOT, sentence, Remedy.LINK_ACTION, why.number, is_question=True, choices=numbers)
        else:
            sentence = f"The root cause in why {why.number} has no action: {_quote(why.text)}"
            yield Finding(FindingKind.ROOT, sentence, Remedy.ADD_ACTION, why.number)
    written = case.sections.get("root_cause")
    is_marked = any(why.is_root and not why.struck for why in case.whys)
    if not is_marked and not active and written is not None and clean(written.text):
        yield Finding(FindingKind.ROOT, "The root cause has no action.", Remedy.ADD_ACTION)


def list_unlinked_actions(case: Case) -> tuple[int, ...]:
    """The numbers of the active actions that are for no why, the latest first."""
    linked = {number for why in case.whys if not why.struck for number in why.actions}
    active = [action.number for action in case.actions if action.status is not ActionStatus.DROPPED]
    return tuple(sorted((number for number in active if number not in linked), reverse=True))


def _actions(case: Case) -> Iterator[Finding]:
    for action in case.actions:
        lacking = _missing_words(action)
        if lacking:
            *others, last = lacking
            listed = f"{', '.join(others)} or {last}" if others else last
            sentence = f"Action {action.number} has no {listed}: {_quote(action.text)}"
            yield Finding(
                FindingKind.ACTION,
                sentence,
                Remedy.COMPLETE_ACTION,
                action.id,
                is_question=lacking == ["ticket"],
                is_ownerless=not action.owner,
            )


def _missing_words(action: Action) -> list[str]:
    if action.status is not ActionStatus.OPEN:
        return []
    lacks = (
        ("owner", not action.owner),
        ("due date", action.due_on is None),
        ("ticket", not action.link),
    )
    return [words for words, is_lacking in lacks if is_lacking]


# Only what no one writes on purpose: placeholder words, and a template's own brackets.
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]*\}\}"
    r"|[\[<](?:insert|describe|your|add|fill in|enter|todo|tbd|name|date|time|link|what|who|when|why|how)\b"
    r"[^\[\]<>\n]*[\]>]"
    r"|(?-i:\b(?:TODO|TBD|TBC|FIXME|XXX)\b)"
    r"|_Not recorded_"
    r"|\blorem ipsum\b",
    re.IGNORECASE,
)


def find_placeholder(text: str) -> str:
    """The first placeholder of a template that was left in a text, or empty."""
    for match in _PLACEHOLDER.finditer(text):
        is_label = text.startswith("](", match.end() - 1)  # the words of a Markdown link
        if not is_label:
            return match[0]
    return ""


def _placeholders(case: Case) -> Iterator[Finding]:
    for section in list_sections(case):
        slug = section.slug
        written = case.sections.get(slug)
        left = find_placeholder(written.text) if written else ""
        if left:
            sentence = f"{section.title} still has a placeholder: {_quote(left)}"
            yield Finding(FindingKind.PLACEHOLDER, sentence, Remedy.FILL_SECTION, section=slug)


def _find_unset(case: Case) -> Iterator[Finding]:
    if case.incident.status is not Status.RESOLVED:
        return
    if case.incident.lead is None:
        yield Finding(FindingKind.LEAD, "No lead is recorded.", Remedy.SET_LEAD)
    if case.incident.severity is None:
        yield Finding(FindingKind.SEVERITY, "No severity is set.", Remedy.SET_SEVERITY)


def _gaps(case: Case, entries: list[Entry], now: datetime) -> Iterator[Finding]:
    """Silences during the incident; the time before and after it does not matter."""
    marks = list_reached_milestones(case.incident, entries)
    started = impact_start(marks)
    resolved = marks[Milestone.RESOLVED].at if Milestone.RESOLVED in marks else None
    during = [
        entry
        for entry in entries
        if (started is None or entry.happened_at >= started) and (resolved is None or entry.happened_at <= resolved)
    ]
    until, last = None, None
    for entry in during:
        is_over = last is not None and last.milestone is Milestone.RESOLVED  # and was reopened later
        if until is not None and last is not None and not is_over and entry.happened_at - until > LONGEST_GAP:
            first, second = _name_both(until, entry.happened_at, now)
            length = format_duration(entry.happened_at - until)
            sentence = f"Nothing is recorded from {first} to {second} ({length}). Anything to add?"
            yield Finding(FindingKind.GAP, sentence, Remedy.ADD_ENTRY, is_question=True)
        ended = entry.ended_at or entry.happened_at
        if until is None or ended >= until:
            until, last = ended, entry


def _name_both(first: datetime, second: datetime, now: datetime) -> tuple[str, str]:
    """Two times for one sentence: with their days only if these differ."""
    first, second = first.astimezone(UTC), second.astimezone(UTC)
    if first.date() == second.date():
        return format_clock(first), f"{format_clock(second)} UTC"
    return format_day_time(first, now.date()), format_day_time(second, now.date())


def _quote(text: str, most: int = QUOTED) -> str:
    return f"“{shorten(text_rules.flatten(clean(text)), most)}”"


# Named first when only a few can be named: the parts that readers look for.
_BY_WEIGHT = (
    "root_cause", "impact", "actions", "summary", "timeline", "whys", "detection",
    "recovery", "response", "fault", "leadup", "lessons", "recurrence", "backlog_check",
)  # fmt: skip


def list_blank_sections(case: Case) -> tuple[str, ...]:
    """The slugs of the sections that are still empty, in document order.

    The record also fills timeline, whys, root cause and actions; the others need a person's words, in the section or in
    an edited draft.
    """
    in_drafts = list_filled(case.edited_sections)
    recorded = {
        "timeline": any(not entry.struck for entry in case.entries),
        "whys": any(not why.struck for why in case.whys),
        "root_cause": any(why.is_root and not why.struck for why in case.whys),
        "actions": bool(case.actions),
    }
    return tuple(
        section.slug
        for section in outline_of(case.incident).sections
        if not (recorded.get(section.slug) or section.slug in in_drafts or _is_written(case, section.slug))
    )


def count_sections(case: Case) -> tuple[int, int]:
    """How many sections are filled, and of how many."""
    total = len(outline_of(case.incident).sections)
    return total - len(list_blank_sections(case)), total


def sort_by_weight(case: Case) -> tuple[str, ...]:
    """The slugs of the blank sections, those that readers look for first; of a team's own form the required ones."""
    blank, outline = list_blank_sections(case), outline_of(case.incident)
    if outline.is_standard:
        return tuple(slug for slug in _BY_WEIGHT if slug in blank)
    return (
        *(slug for slug in blank if slug in outline.requirements),
        *(slug for slug in blank if slug not in outline.requirements),
    )


def find_next_section(case: Case) -> str:
    """The slug of the section to fill next, the one that readers look for first; empty if none is blank.

    Timeline and whys come last: they have their own commands.
    """
    blank = sort_by_weight(case)
    return next((slug for slug in blank if slug not in ("timeline", "whys")), blank[0] if blank else "")


def _is_written(case: Case, slug: str) -> bool:
    written = case.sections.get(slug)
    return written is not None and bool(clean(written.text))


MOST_ITEMS, ITEM = 5, 200
"""Items of each kind on an agenda, and the characters of one."""


class Agenda(NamedTuple):
    """What a review has to talk about, each on one line: what looks wrong or unfinished, and whys without an answer."""

    findings: tuple[str, ...]
    whys: tuple[str, ...]


def make_agenda(case: Case, now: datetime) -> Agenda:
    """The agenda of a case, by the record as of `now`. Credentials are masked."""
    findings = (_shorten_item(finding.sentence) for finding in list_findings(case, now))
    return Agenda(tuple(findings)[:MOST_ITEMS], tuple(_shorten_item(text) for text in _open_whys(case))[:MOST_ITEMS])


def _open_whys(case: Case) -> Iterable[str]:
    """The last answer of each chain that has not reached a root cause."""
    chain = list_active(case.whys)
    explained = {why.parent for why in chain}
    return (quote_answer(why.text) for why in chain if why.number not in explained and not why.is_root)


def _shorten_item(text: str) -> str:
    return shorten(text_rules.flatten(mask_credentials(text)), ITEM)
