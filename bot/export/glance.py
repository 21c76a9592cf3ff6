"""An incident at a glance: what happened, the impact, the cause, the fix, and what is left to do.

Everything is from the record, shortened. Where people wrote a section, the glance has the beginning of their text, and
never what they took out.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain import text as text_rules
from bot.domain.document import ActionItem, Document, Mark
from bot.domain.incident import text_beyond_milestone
from bot.domain.records import ActionStatus, Milestone
from bot.domain.text import format_clock, shorten
from bot.domain.whys import quote_answer
from bot.export.markdown_reader import MarkdownReader

_LONGEST = 300
_LONGEST_NAME = 80
_reader = MarkdownReader()


@dataclass(frozen=True, slots=True)
class Glance:
    """Plain texts on one line; "" is not recorded, and None is left out, because people have not chosen a text yet.

    `lasted` is the length of the impact if it isn't described; `fixed_by` the number of the entry that `fix` quotes,
    or 0. `actions` are the open ones, those due first in front, or None. `first_day` and `last_day` are those of the
    times in the head, in UTC.
    """

    what: str | None
    impact: str | None
    lasted: timedelta | None
    causes: tuple[str, ...] | None
    fix: str | None
    fixed_by: int
    actions: tuple[ActionItem, ...] | None
    overdue: int
    first_day: date
    last_day: date

    @property
    def day(self) -> date | None:
        """The only day of the times in the head, or None if there are several."""
        return self.first_day if self.first_day == self.last_day else None

    def when(self, at: datetime) -> str:
        """A time of the head: the clock alone if all are of one day. The zone is said once, beside the day."""
        return format_clock(at) if self.day else f"{at.date().isoformat()} {format_clock(at)}"

    def name(self, action: ActionItem) -> str:
        """What an action is called in a list of several."""
        return shorten(text_rules.flatten(action.text), _LONGEST_NAME)


def compile_glance(document: Document) -> Glance:
    """The glance of a document."""
    fix, fixed_by = _find_fix(document)
    actions = None if document.texts("actions") else _list_open_actions(document)
    impact = _find_words(document, "impact")
    days = _list_days(document)
    return Glance(
        what=text_rules.capitalize_title(document.title) if (what := _find_words(document, "summary")) == "" else what,
        impact=impact,
        lasted=document.metrics.time_to_mitigate or document.metrics.time_to_resolve if impact == "" else None,
        causes=_find_causes(document),
        fix=fix,
        fixed_by=fixed_by,
        actions=actions,
        overdue=sum(action.is_overdue for action in actions or ()),
        first_day=min(days),
        last_day=max(days),
    )


def _find_words(document: Document, slug: str) -> str | None:
    """The beginning of what people wrote into a section, "" if they have not; None while several texts are in it."""
    edited = document.texts(slug)
    if edited:
        return shorten(_reader.read_first_paragraph(edited[0].markdown), _LONGEST) if len(edited) == 1 else None
    paragraph, _, _ = document.part(slug).text.partition("\n\n")
    return shorten(text_rules.flatten(paragraph), _LONGEST)


def _find_causes(document: Document) -> tuple[str, ...] | None:
    words = _find_words(document, "root_cause")
    if words is None or words:
        return None if words is None else (words,)
    if document.texts("root_cause") or document.texts("whys"):
        return ()
    roots = sorted(document.roots, key=lambda step: step.number)
    return tuple(shorten(text_rules.capitalize_title(quote_answer(step.text)), _LONGEST) for step in roots)


def _find_fix(document: Document) -> tuple[str | None, int]:
    """What stopped it: the section on recovery, else the entry that marks it as mitigated or resolved."""
    words = _find_words(document, "recovery")
    if words is None or words or document.texts("recovery") or document.texts("timeline"):
        return words, 0
    for mark in (document.mark(Milestone.MITIGATED), document.mark(Milestone.RESOLVED)):
        if quoted := _quote_entry(mark):
            return quoted
    return "", 0


def _quote_entry(mark: Mark) -> tuple[str, int] | None:
    text = text_beyond_milestone(mark.milestone, mark.line.text) if mark.line else ""
    return (shorten(text_rules.flatten(text), _LONGEST), mark.line.number) if mark.line and text else None


def _list_open_actions(document: Document) -> tuple[ActionItem, ...]:
    still = [action for action in document.actions if action.status is ActionStatus.OPEN]
    return tuple(sorted(still, key=lambda action: (action.due_on or date.max, action.number)))


def _list_days(document: Document) -> list[date]:
    shown = (document.started_at, document.opened_at, *(mark.at for mark in document.marks))
    return [at.date() for at in shown if at]
