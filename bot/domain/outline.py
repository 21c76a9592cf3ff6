"""Outlines: which sections a postmortem has, in which order, and which of them a publication needs.

People call an outline a form (`/postmortem form short`); in the code a form is a window of Slack. An incident keeps the
outline that it had when it was resolved, or that a person chose since. What was written for a section that an outline
lacks is shown after its sections: choosing another one never loses a text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot.domain.facets import Facet, FacetKind
from bot.domain.records import Case, Incident
from bot.domain.sections import BY_SLUG, SECTIONS, Section, section_title
from bot.domain.text import clean, find_nearest, to_one_line

DEFAULT, STANDARD_NAME = "default", "standard"
"""The outline of incidents that no rule gives another, and the name of ours."""

MOST_SECTIONS, MOST_OUTLINES = 40, 40
LONGEST_TITLE, LONGEST_QUESTION = 60, 300

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
SLUG = re.compile(r"[a-z][a-z0-9_]{0,59}")

ALSO_WRITTEN = "Also written: "
"""What stands before the title of a section that is written and not in the outline."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The sections of a postmortem, in order.

    `former` are sections of earlier outlines of the incident, so that texts keep their titles. A person `is_chosen` it,
    so no rule replaces it.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    former: tuple[Section, ...] = ()
    is_chosen: bool = False

    @property
    def is_standard(self) -> bool:
        """Whether it is ours: the 14 sections."""
        return self.sections == SECTIONS

    @property
    def requirements(self) -> tuple[str, ...]:
        """The slugs of the sections that a publication needs."""
        return tuple(section.slug for section in self.sections if section.is_required)

    def find(self, slug: str) -> Section:
        """The section, also one that the outline lacks."""
        known = (section for section in (*self.sections, *self.former) if section.slug == slug)
        return (
            next(known, None) or BY_SLUG.get(slug) or Section(slug, section_title(slug), ask_about(section_title(slug)))
        )

    def has(self, slug: str) -> bool:
        """Whether the section is one of its own."""
        return any(section.slug == slug for section in self.sections)


STANDARD = Outline(STANDARD_NAME, "Standard form", SECTIONS)


def ask_about(title: str) -> str:
    """The question of a section that has none."""
    return f"What should readers know about this: {title}?"


def outline_of(incident: Incident) -> Outline:
    """The outline of an incident."""
    return incident.outline or STANDARD


def title_of(incident: Incident, slug: str) -> str:
    """What people call a section of an incident's postmortem, also one that only a team's own template has."""
    return outline_of(incident).find(slug).title


def give_outline(incident: Incident, outline: Outline, *, is_chosen: bool = False) -> Incident:
    """The incident with another outline. Sections that only earlier ones have are remembered, for their texts."""
    before = outline_of(incident)
    former = {one.slug: one for one in (*before.former, *before.sections) if BY_SLUG.get(one.slug) != one}
    lost = tuple(one for one in former.values() if not outline.has(one.slug))
    new = replace(outline, former=lost, is_chosen=is_chosen)
    return replace(incident, outline=None if new == STANDARD else new)


def list_sections(case: Case) -> tuple[Section, ...]:
    """The sections of a case's document: those of its outline, then those that are written and not in it."""
    outline = outline_of(case.incident)
    return (*outline.sections, *(outline.find(slug) for slug in list_also_written(case, outline)))


def list_also_written(case: Case, outline: Outline) -> tuple[str, ...]:
    """The slugs of sections that have a text and are not in an outline: ours in their order, then others."""
    written = [slug for slug, text in case.sections.items() if clean(text.text) and not outline.has(slug)]
    order = list(BY_SLUG)
    return tuple(sorted(written, key=lambda slug: (order.index(slug) if slug in BY_SLUG else len(order), slug)))


class OutlineMistake(ValueError):
    """What is wrong in an outline's definition, and at which table and key ("" for the table itself)."""

    def __init__(self, table: str, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.table, self.key, self.sentence = table, key, sentence


def define_outline(name: str, values: Mapping[str, object]) -> tuple[Outline, tuple[OutlineMistake, ...]]:
    """The outline that a definition describes: a table for each section, by its slug, and a title; and its mistakes.

    What a section of ours leaves out is as we write it.
    """
    mistakes: list[OutlineMistake] = []
    title, sections = "", []
    for key, value in values.items():
        try:
            if isinstance(value, dict):
                sections.append(_define_section(key, value))
            else:
                title = _read_setting(key, value)
        except OutlineMistake as mistake:
            mistakes.append(mistake)
    if not sections and not mistakes:
        mistakes.append(OutlineMistake("", "", "It has no section. Write at least one, as in [summary]."))
    if len(sections) > MOST_SECTIONS:
        mistakes.append(OutlineMistake("", "", f"It has {len(sections)} sections. {MOST_SECTIONS} are the most."))
    mistakes += _find_twins(sections)
    usual = "Default form" if name == DEFAULT else f"{section_title(name.replace('-', '_'))} form"
    return Outline(name, title or usual, tuple(sections)), tuple(mistakes)


def _read_setting(key: str, value: object) -> str:
    """The title, the only setting above the sections."""
    if key == "title":
        return _require_line("", key, value, LONGEST_TITLE)
    near = find_nearest(key, ["title", *BY_SLUG])
    hint = f"Did you mean {'title' if near == 'title' else f'[{near}]'}?" if near else "Only title can stand there."
    raise OutlineMistake("", key, f"There's no setting {key[:60]}. {hint}")


def _define_section(slug: str, values: Mapping[str, object]) -> Section:
    if not SLUG.fullmatch(slug):
        raise OutlineMistake(
            slug, "", f"A section's name has small letters, digits and _, and begins with a letter: {slug[:60]!r}."
        )
    for key in values:
        if key not in ("title", "question", "required"):
            near = find_nearest(key, ["title", "question", "required"])
            hint = f"Did you mean {near}?" if near else "It can have title, question and required."
            raise OutlineMistake(slug, key, f"A section has no setting {key[:60]}. {hint}")
    ours = BY_SLUG.get(slug)
    title = _require_line(slug, "title", values.get("title", section_title(slug)), LONGEST_TITLE)
    usual = ours.question if ours else ask_about(title)
    question = _require_line(slug, "question", values.get("question", usual), LONGEST_QUESTION)
    is_required = values.get("required", bool(ours and ours.is_required))
    if not isinstance(is_required, bool):
        raise OutlineMistake(slug, "required", "Write required = true or required = false.")
    return Section(slug, title, question, is_required)


def _require_line(table: str, key: str, value: object, most: int) -> str:
    if not isinstance(value, str) or not to_one_line(value):
        raise OutlineMistake(table, key, f'Write {key} as text between quotes, as in {key} = "Costs".')
    line = to_one_line(value)
    if len(line) > most:
        raise OutlineMistake(table, key, f"This {key} has {len(line)} characters. {most} are the most.")
    return line


def _find_twins(sections: Iterable[Section]) -> Iterator[OutlineMistake]:
    seen: dict[str, str] = {}
    for section in sections:
        other = seen.setdefault(section.title.casefold(), section.slug)
        if other != section.slug:
            # In a canvas, and wherever a marker was lost, a section is known by its title.
            sentence = f"It has the same title as [{other}]: {section.title}. Give each section its own."
            yield OutlineMistake(section.slug, "title", sentence)


def find_section(outline: Outline, typed: str, also: Iterable[str] = ()) -> tuple[str, ...]:
    """The slugs of the sections that a few typed words may mean: the one with just that name, else those that begin so.

    `also` are slugs that the outline lacks and people may name, too.
    """
    wanted = to_one_line(typed).casefold().replace("_", " ")
    names = {
        one.slug: (one.slug.replace("_", " "), one.title.casefold())
        for one in (*outline.sections, *map(outline.find, also))
    }
    exact = tuple(slug for slug, known in names.items() if wanted in known)
    return exact or tuple(slug for slug, known in names.items() if any(name.startswith(wanted) for name in known))


def find_near_section(outline: Outline, typed: str) -> str:
    """The slug of the section that a typed name is nearly that of; empty if there is none."""
    names = {
        name: one.slug
        for one in outline.sections
        for name in (one.slug, *one.title.casefold().split())
        if len(name) > 2
    }
    return names.get(find_nearest(to_one_line(typed).casefold(), names) or "", "")


@dataclass(frozen=True, slots=True)
class OutlineRules:
    """The names of the outlines that incidents are given, by service, tag (both folded) and severity (`none` without).

    The first rule that fits counts, in this order; then `usual`.
    """

    by_service: Mapping[str, str] = field(default_factory=dict)
    by_tag: Mapping[str, str] = field(default_factory=dict)
    by_severity: Mapping[str, str] = field(default_factory=dict)
    usual: str = DEFAULT

    @property
    def needs_facets(self) -> bool:
        """Whether services or tags matter."""
        return bool(self.by_service or self.by_tag)

    def pick(self, known: Mapping[str, Outline], incident: Incident, facets: Iterable[Facet] = ()) -> Outline:
        """The outline for an incident, of those that are known; ours if none of them fits."""
        keys = {kind: {facet.key for facet in facets if facet.kind is kind} for kind in FacetKind}
        names = [name for key, name in self.by_service.items() if key in keys[FacetKind.SERVICE]]
        names += [name for key, name in self.by_tag.items() if key in keys[FacetKind.TAG]]
        names += [self.by_severity.get(incident.severity_name or "none", ""), self.usual]
        return next((known[name] for name in names if name in known), STANDARD)
