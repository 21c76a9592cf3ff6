"""Services and tags in Slack: what an incident has, the form, what is proposed, and one name for another."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.facets import MOST, Facet, FacetKind, FacetName, list_names
from bot.domain.records import Incident
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

_LABELS = {FacetKind.SERVICE: "Services", FacetKind.TAG: "Tags"}
_EXAMPLES = {FacetKind.SERVICE: "checkout, payments", FacetKind.TAG: "database, pool"}
OPTIONS = 100
"""Choices that Slack shows in one menu."""
OPENED, STATUS = "opened", "status"
"""The messages in which names are proposed: the receipt of an opening, and `/incident status`."""


@dataclass(frozen=True, slots=True)
class FacetChoices:
    """What the form offers: the names that the incident has, those proposed, and others that the person may know."""

    facets: tuple[Facet, ...]
    proposals: tuple[FacetName, ...]
    known: dict[FacetKind, tuple[str, ...]]

    def options(self, kind: FacetKind) -> list[str]:
        """The names of one kind, each once, those of the incident first."""
        proposals = (each.name for each in self.proposals if each.kind is kind)
        names = (*list_names(self.facets, kind), *proposals, *self.known.get(kind, ()))
        return list({FacetName(kind, name).key: name for name in reversed(names)}.values())[::-1][:OPTIONS]


def card_line(facets: Sequence[Facet]) -> str:
    """`Services: checkout, payments · Tag: pool`; empty without any."""
    services, tags = (list_names(facets, kind) for kind in FacetKind)
    return words.facets.card(services=services, tags=tags) if facets else ""


def short_line(facets: Sequence[Facet]) -> str:
    """The bare names, for a line of a list."""
    services, tags = (list_names(facets, kind) for kind in FacetKind)
    return words.facets.line(services=services, tags=tags) if facets else ""


def receipt(incident: Incident, facets: Sequence[Facet], hints: Iterable[str]) -> Message:
    """To the person who changed them; the others see it in the live message."""
    services, tags = (list_names(facets, kind) for kind in FacetKind)
    text = words.facets.saved(key=incident.key, services=services, tags=tags)
    return blocks.ephemeral(text, *map(blocks.context, hints))


def new_name_hints(kind: FacetKind, names: Sequence[str], likes: dict[str, str]) -> list[str]:
    """About names that no one used before: one that is perhaps several, and one that is perhaps a misspelling."""
    several = [name for name in names if " " in name]
    hints = [words.facets.several(kind=str(kind), names=several)] if several else []
    return hints + [words.facets.like(kind=str(kind), name=name, other=other) for name, other in likes.items()]


def form(incident: Incident, choices: FacetChoices) -> Block:
    """The form behind [Services and tags]: menus of what was used before, and fields for new names."""
    fields = [field for kind in FacetKind for field in _fields(kind, choices)]
    shown = {str(kind): list_names(choices.facets, kind) for kind in FacetKind}
    metadata = blocks.incident_value(incident, channel=incident.channel, shown=shown)
    return blocks.modal("Services and tags", "facets_form", fields, submit="Save", private_metadata=metadata)


def _fields(kind: FacetKind, choices: FacetChoices) -> list[Block]:
    names, chosen = choices.options(kind), set(list_names(choices.facets, kind))
    other = blocks.text_field(
        words.facets.new_names(kind=str(kind)) if names else _LABELS[kind],
        f"facets_new_{kind}",
        placeholder=_EXAMPLES[kind],
        optional=True,
    )
    if not names:
        return [other]
    options = [blocks.option(name, name) for name in names]
    menu = blocks.menu(f"facets_{kind}", options, kind="multi_static_select") | {"max_selected_items": MOST}
    if initial := [option for option in options if option["value"] in chosen]:
        menu["initial_options"] = initial
    return [blocks.input_block(_LABELS[kind], menu, optional=True), other]


def proposal_row(incident: Incident, proposals: Sequence[FacetName], place: str) -> list[Block]:
    """One row of buttons that set what an alert or the title names; empty without any."""
    buttons = [
        blocks.button(
            shorten(f"Add {each.kind} {each.name}", 75),
            f"facets_add_{index}",
            blocks.incident_value(incident, kind=str(each.kind), name=each.name, place=place),
        )
        for index, each in enumerate(proposals)
    ]
    return [blocks.actions(*buttons)] if buttons else []


@dataclass(frozen=True, slots=True)
class Renaming:
    """One name for another: the incidents of the old name that the person sees, and those of the new one."""

    kind: FacetKind
    old: str
    new: str
    count: int
    others: int = 0


def merge_question(wanted: Renaming) -> Message:
    """The new name is taken: nothing is changed until the button is pressed."""
    text = words.facets.merging(
        kind=str(wanted.kind), old=wanted.old, new=wanted.new, count=wanted.count, others=wanted.others
    )
    value = json.dumps({"kind": str(wanted.kind), "old": wanted.old, "new": wanted.new}, ensure_ascii=False)
    return blocks.ephemeral(text, blocks.actions(blocks.button("Merge", "facets_merge", value, style="danger")))


def renamed_receipt(renaming: Renaming) -> Message:
    """It has another name everywhere."""
    text = words.facets.renamed(kind=str(renaming.kind), old=renaming.old, new=renaming.new, count=renaming.count)
    return blocks.ephemeral(text)
