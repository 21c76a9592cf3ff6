"""The sections of a postmortem in Slack: which there are, the other choices, and what a choice has changed."""

from collections.abc import Sequence

from bot.domain import checks as checks_rules
from bot.domain.outline import Outline, outline_of
from bot.domain.records import Case, Incident
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

MOST_OFFERED = 5
"""Choices with a button of their own; the others are in the text."""

LISTED = 12
"""Titles of sections that one line names."""


def choice_message(incident: Incident, known: Sequence[Outline], troubles: Sequence[str]) -> Message:
    """The sections that an incident's postmortem has, with a button for each other choice."""
    current = outline_of(incident)
    others = [one for one in known if one.name != current.name]
    text = words.outline.current(key=incident.key, title=current.title, sections=_list_titles(current))
    lines = [words.outline.other(name=one.name, title=one.title, sections=_list_titles(one)) for one in others]
    shown = [blocks.section(text), *blocks.sections("\n".join(lines or [words.outline.only()]))]
    if others:
        shown.append(blocks.actions(*(choose_button(incident, one) for one in others[:MOST_OFFERED])))
    shown += [blocks.context(words.outline.broken(sentence=sentence)) for sentence in troubles]
    return blocks.ephemeral(text, blocks=shown)


def _list_titles(outline: Outline) -> str:
    """The titles of the sections, in order."""
    titles = [section.title for section in outline.sections]
    more = len(titles) - LISTED
    return words.outline.titles(titles=titles[:LISTED] if more > 2 else titles, more=more if more > 2 else 0)


def choose_button(incident: Incident, outline: Outline) -> Block:
    """[Use Short form]: gives the postmortem other sections."""
    value = blocks.incident_value(incident, outline=outline.name)
    return blocks.button(f"Use {outline.title}", f"outline_choose_{outline.name}", value)


def offer_blocks(incident: Incident, outline: Outline | None) -> list[Block]:
    """The rules would choose other sections by now. Empty if they would not."""
    if outline is None:
        return []
    return [blocks.section(words.outline.offer(title=outline.title), choose_button(incident, outline))]


def receipt(case: Case, also: Sequence[str], row: Block) -> Message:
    """Other sections were chosen; `also` are the titles of those that are written and not among them.

    `row` are the buttons of what comes next.
    """
    outline = outline_of(case.incident)
    filled, total = checks_rules.count_sections(case)
    text = words.outline.receipt(
        key=case.incident.key,
        title=outline.title,
        sections=_list_titles(outline),
        filled=filled,
        total=total,
        also=also,
    )
    return blocks.ephemeral(text, row)
