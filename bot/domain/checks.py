"""What a postmortem still lacks, and what in its record contradicts itself or looks unfinished.

Each finding names what fixes it. Nothing here refuses anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain import text as text_rules
from bot.domain.incident import SAID, choose_clearest, find_contradicted, impact_start, list_reached_milestones
from bot.domain.records import Action, ActionStatus, Case, Entry, Milestone, Status
from bot.domain.sections import BY_SLUG, SECTIONS, list_filled
from bot.domain.text import clean, shorten
from bot.domain.whys import list_without_action

LONGEST_GAP = timedelta(minutes=30)
"""A longer gap in the timeline during the incident is a question."""

AHEAD = timedelta(minutes=1)
"""Clocks differ: a time further ahead than this is in the future."""

QUOTED = 120
NAMED = 60
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


class Remedy(StrEnum):
    """How to fix a finding: the form that its button opens."""

    EDIT_ENTRY = "edit_entry"
    ADD_ENTRY = "add_entry"
    MARK = "mark"
    FILL_SECTION = "fill_section"
    COMPLETE_ACTION = "complete_action"
    ADD_ACTION = "add_action"
    LINK_ACTION = "link_action"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `sentence` describes it in plain text; `is_question`: it may well be right as it is.

    `target` is what the remedy is about: the number of an entry, of a why, or the row of an action; `section` a slug;
    `choices` are the numbers of the actions of which one may be for the why.
    """

    kind: FindingKind
    sentence: str
    mend: Remedy
    target: int | None = None
    section: str = ""
    is_question: bool = False
    choices: tuple[int, ...] = ()


def list_findings(case: Case, now: datetime) -> tuple[Finding, ...]:
    """Everything found in the case as of `now` (aware): definite errors first, then questions."""
    entries = sorted((e for e in case.entries if not e.struck), key=lambda e: (e.happened_at, e.number))
    found = [
        *_future(entries, now),
        *_order(case, entries),
        *_find_unmarked(case, entries),
        *_roots(case),
        *_actions(case),
        *_placeholders(case),
        *_gaps(case, entries),
    ]
    return tuple(sorted(found, key=lambda finding: finding.is_question))


def _future(entries: list[Entry], now: datetime) -> Iterator[Finding]:
    for entry in entries:
        if entry.happened_at > now + AHEAD:
            sentence = f"#{entry.number} is in the future: {_stamp(entry.happened_at)}."
            yield Finding(FindingKind.FUTURE, sentence, Remedy.EDIT_ENTRY, entry.number)


def _order(case: Case, entries: list[Entry]) -> Iterator[Finding]:
    marks = list_reached_milestones(case.incident, entries)
    for milestone, mark in marks.items():
        if later := find_contradicted(marks, milestone, mark.at):
            other = choose_clearest(marks, later)
            sentence = (
                f"{SAID[milestone]} ({_stamp(mark.at)}) is before {SAID[other].lower()} ({_stamp(marks[other].at)}). "
                "One of the two times is wrong."
            )
            mend = Remedy.MARK if mark.by is None else Remedy.EDIT_ENTRY
            yield Finding(FindingKind.ORDER, sentence, mend, mark.by.number if mark.by else None)


def _find_unmarked(case: Case, entries: list[Entry]) -> Iterator[Finding]:
    if case.incident.status is not Status.RESOLVED:
        return
    marks = list_reached_milestones(case.incident, entries)
    if Milestone.DETECTED not in marks:
        yield Finding(FindingKind.DETECTION, "No entry says when it was detected.", Remedy.MARK)
    if Milestone.MITIGATED not in marks:
        sentence = "No entry says when it got better (mitigated), only when it was over."
        yield Finding(FindingKind.RECOVERY, sentence, Remedy.MARK, is_question=True)


def _roots(case: Case) -> Iterator[Finding]:
    """Root causes without an action (decision 38).

    An action made from a why is for that one. An action for no why counts for the only root cause that has none; if
    there are several, it is a question.
    """
    active = {action.number: action for action in case.actions if action.status is not ActionStatus.DROPPED}
    bare = list_without_action(case.whys, active)
    loose = [active[number] for number in list_unlinked_actions(case)]
    if loose and len(bare) == 1:
        return
    for why in bare:
        if loose:
            named = ", ".join(f"action {action.number} {_quote(action.text, NAMED)}" for action in loose[:MOST_NAMED])
            sentence = f"Which action is for the root cause in why {why.number}, {_quote(why.text)}? There is {named}."
            numbers = tuple(action.number for action in loose)
            yield Finding(FindingKind.ROOT, sentence, Remedy.LINK_ACTION, why.number, is_question=True, choices=numbers)
        else:
            sentence = f"The root cause in why {why.number} has no action: {_quote(why.text)}"
            yield Finding(FindingKind.ROOT, sentence, Remedy.ADD_ACTION, why.number)
    written = case.sections.get("root_cause")
    is_marked = any(why.is_root and not why.struck for why in case.whys)
    if not is_marked and not active and written is not None and clean(written.text):
        yield Finding(FindingKind.ROOT, "There is a root cause, and no action against it.", Remedy.ADD_ACTION)


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
            listed = f"{', '.join(others)} and {last}" if others else last
            sentence = f"Action {action.number} has {listed}: {_quote(action.text)}"
            is_question = lacking == ["no link to a ticket"]
            yield Finding(FindingKind.ACTION, sentence, Remedy.COMPLETE_ACTION, action.id, is_question=is_question)


def _missing_words(action: Action) -> list[str]:
    if action.status is not ActionStatus.OPEN:
        return []
    lacks = (
        ("no owner", not action.owner),
        ("no due date", action.due_on is None),
        ("no link to a ticket", not action.link),
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
    for slug, section in BY_SLUG.items():
        written = case.sections.get(slug)
        left = find_placeholder(written.text) if written else ""
        if left:
            sentence = f"{section.title} still holds a placeholder: {_quote(left)}"
            yield Finding(FindingKind.PLACEHOLDER, sentence, Remedy.FILL_SECTION, section=slug)


def _gaps(case: Case, entries: list[Entry]) -> Iterator[Finding]:
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
            minutes = int((entry.happened_at - until).total_seconds()) // 60
            sentence = (
                f"Nothing is recorded for {_long(minutes)} between #{last.number} ({_stamp(until)}) and "
                f"#{entry.number} ({_stamp(entry.happened_at)}). Did nothing happen?"
            )
            yield Finding(FindingKind.GAP, sentence, Remedy.ADD_ENTRY, is_question=True)
        ended = entry.ended_at or entry.happened_at
        if until is None or ended >= until:
            until, last = ended, entry


def _long(minutes: int) -> str:
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _quote(text: str, most: int = QUOTED) -> str:
    return f"“{shorten(text_rules.flatten(clean(text)), most)}”"


# Named first when only a few can be named: the parts that readers look for.
_BY_WEIGHT = (
    "root_cause", "impact", "actions", "summary", "timeline", "whys", "detection",
    "recovery", "response", "fault", "leadup", "lessons", "recurrence", "backlog_check",
)  # fmt: skip
_MOST_NAMED = 2


class Gap(StrEnum):
    """What kind of thing is missing."""

    SECTION = "section"
    WHYS = "whys"
    ROOT = "root"
    LEAD = "lead"
    SEVERITY = "severity"
    ACTION_OWNER = "action_owner"
    ACTION_DUE = "action_due"


@dataclass(frozen=True, slots=True)
class Missing:
    """One missing thing: `title` names it, `question` asks for it.

    `section` is the slug of the section that it belongs to (empty for lead and severity); `action` is the number of the
    action that lacks something.
    """

    gap: Gap
    title: str
    question: str
    section: str = ""
    action: int | None = None


def list_missing(case: Case) -> tuple[Missing, ...]:
    """Everything the case lacks: blank sections in document order, then lead, severity and what open actions lack."""
    found = [_blank(case, slug) for slug in list_blank_sections(case)]
    if case.incident.lead is None:
        found.append(Missing(Gap.LEAD, "Incident lead", "Who led the response?"))
    if case.incident.severity is None:
        found.append(Missing(Gap.SEVERITY, "Severity", "How severe was it, sev1 to sev4?"))
    for action in case.actions:
        found.extend(_lacking(action))
    return tuple(found)


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
        for section in SECTIONS
        if not (recorded.get(section.slug) or section.slug in in_drafts or _is_written(case, section.slug))
    )


def count_sections(case: Case) -> tuple[int, int]:
    """How many sections are filled, and of how many."""
    return len(SECTIONS) - len(list_blank_sections(case)), len(SECTIONS)


def sort_by_weight(case: Case) -> tuple[str, ...]:
    """The slugs of the blank sections, those that readers look for first."""
    blank = list_blank_sections(case)
    return tuple(slug for slug in _BY_WEIGHT if slug in blank)


def describe_progress(case: Case) -> str:
    """How complete the document is, important blanks first, without a full stop: it may be part of a longer message."""
    filled, total = count_sections(case)
    names = [BY_SLUG[slug].title for slug in sort_by_weight(case)]
    if not names:
        return f"All {total} sections are done"
    named = names[:_MOST_NAMED]
    if len(names) > _MOST_NAMED:
        named.append(f"{len(names) - _MOST_NAMED} more")
    subject = " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
    return f"{subject} {'are' if len(names) > 1 else 'is'} empty; {filled} of {total} sections done"


def _is_written(case: Case, slug: str) -> bool:
    written = case.sections.get(slug)
    return written is not None and bool(clean(written.text))


def _blank(case: Case, slug: str) -> Missing:
    section = BY_SLUG[slug]
    if slug == "whys":
        return Missing(Gap.WHYS, section.title, section.question, slug)
    if slug == "root_cause" and any(not why.struck for why in case.whys):
        return Missing(Gap.ROOT, section.title, "Which of the whys is the root cause?", slug)
    return Missing(Gap.SECTION, section.title, section.question, slug)


def _lacking(action: Action) -> list[Missing]:
    if action.status is not ActionStatus.OPEN:
        return []
    needs = (
        (action.owner, Gap.ACTION_OWNER, "Owner", "Who does it?"),
        (action.due_on, Gap.ACTION_DUE, "Due date", "By when is it done?"),
    )
    return [
        Missing(gap, f"{name} of action {action.number}", question, "actions", action.number)
        for value, gap, name, question in needs
        if value is None
    ]
