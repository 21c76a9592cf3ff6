"""What a postmortem still lacks, so that a person can be asked for it."""

from dataclasses import dataclass
from enum import StrEnum

from bot.incident.kept import filled
from bot.incident.plain import plain
from bot.incident.records import Action, ActionStatus, Case
from bot.incident.sections import BY_SLUG, SECTIONS

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
    """One thing that is missing: `title` names it, `question` asks for it.

    `section` is the slug of the section where it belongs (empty for lead and severity); `action` is the number of the
    action that lacks something.
    """

    gap: Gap
    title: str
    question: str
    section: str = ""
    action: int | None = None


def missing(case: Case) -> tuple[Missing, ...]:
    """Everything the case lacks: blank sections in document order, then lead, severity and what open actions lack."""
    found = [_blank(case, slug) for slug in blank_sections(case)]
    if case.incident.lead is None:
        found.append(Missing(Gap.LEAD, "Incident lead", "Who led the response?"))
    if case.incident.severity is None:
        found.append(Missing(Gap.SEVERITY, "Severity", "How severe was it, sev1 to sev4?"))
    for action in case.actions:
        found.extend(_lacking(action))
    return tuple(found)


def blank_sections(case: Case) -> tuple[str, ...]:
    """The slugs of the sections that nobody has filled, in document order.

    Timeline, whys, root cause and actions are also filled by what was recorded; the others need a person's words, be
    they written into the section or into a draft that came back.
    """
    in_drafts = filled(case.kept)
    recorded = {
        "timeline": any(not entry.struck for entry in case.entries),
        "whys": _has_whys(case),
        "root_cause": any(why.is_root and not why.struck for why in case.whys),
        "actions": bool(case.actions),
    }
    return tuple(
        section.slug
        for section in SECTIONS
        if not (recorded.get(section.slug) or section.slug in in_drafts or _is_written(case, section.slug))
    )


def meter(case: Case) -> tuple[int, int]:
    """How many sections are filled, and of how many."""
    return len(SECTIONS) - len(blank_sections(case)), len(SECTIONS)


def by_weight(case: Case) -> tuple[str, ...]:
    """The slugs of the blank sections, those that readers look for first."""
    blank = blank_sections(case)
    return tuple(slug for slug in _BY_WEIGHT if slug in blank)


def sentence(case: Case) -> str:
    """How far the document is, weightiest blanks first, without a full stop: it may stand inside a longer message."""
    filled, total = meter(case)
    names = [BY_SLUG[slug].title for slug in by_weight(case)]
    if not names:
        return f"All {total} sections are done"
    named = names[:_MOST_NAMED]
    if len(names) > _MOST_NAMED:
        named.append(f"{len(names) - _MOST_NAMED} more")
    subject = " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
    return f"{subject} {'are' if len(names) > 1 else 'is'} empty; {filled} of {total} sections done"


def _has_whys(case: Case) -> bool:
    return any(not why.struck for why in case.whys)


def _is_written(case: Case, slug: str) -> bool:
    written = case.sections.get(slug)
    return written is not None and bool(plain(written.text))


def _blank(case: Case, slug: str) -> Missing:
    section = BY_SLUG[slug]
    if slug == "whys":
        return Missing(Gap.WHYS, section.title, section.question, slug)
    if slug == "root_cause" and _has_whys(case):
        return Missing(Gap.ROOT, section.title, "Which of the whys is the root cause?", slug)
    return Missing(Gap.SECTION, section.title, section.question, slug)


def _lacking(action: Action) -> list[Missing]:
    if action.status is not ActionStatus.OPEN:
        return []
    found = []
    if action.owner is None:
        found.append(
            Missing(Gap.ACTION_OWNER, f"Owner of action {action.number}", "Who does it?", "actions", action.number)
        )
    if action.due_on is None:
        found.append(
            Missing(
                Gap.ACTION_DUE, f"Due date of action {action.number}", "By when is it done?", "actions", action.number
            )
        )
    return found
