"""Past incidents in Slack: search results, and proposals of similar ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.domain import text as text_rules
from bot.domain.records import Case, Incident
from bot.domain.secrets import mask_credentials
from bot.domain.similarity import find_root_cause, list_unfinished
from bot.domain.text import format_day, shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

FIELD = "alike_"
_SHARED = 6


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A past incident, and the words that it shares with the current one."""

    case: Case
    shared: tuple[str, ...]


def search_results(cases: list[Case], more: int, asked: tuple[str, ...], *, is_any: bool) -> Message:
    """The results of `/incident search`. The caller has left out what the reader may not see."""
    heading = words.recall.found_heading(words=shorten(" ".join(asked), 200), is_any=is_any, count=len(cases) + more)
    return blocks.ephemeral(heading, *_results(cases, more))


def no_results_message(asked: tuple[str, ...]) -> Message:
    """The search found nothing that the reader may see."""
    return blocks.ephemeral(words.recall.nothing(words=shorten(" ".join(asked), 200)))


def _results(cases: list[Case], more: int) -> list[Block]:
    shown = [blocks.section(_incident_text(case), channel_button(case.incident)) for case in cases]
    return [*shown, *([blocks.context(words.recall.more(count=more))] if more else [])]


def channel_button(incident: Incident) -> Block:
    """[Go to channel]."""
    return blocks.link_button("Go to channel", "incident_channel", incident.channel_link)


def search_field(name: str, text: str = "", *, is_sent_by_enter: bool = False) -> Block:
    """The field for the words to search for."""
    field = blocks.text_input(name, placeholder="connection pool", initial_value=text)
    if is_sent_by_enter:
        field["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
    hint = "Press Enter to search." if is_sent_by_enter else ""
    return blocks.input_block(
        "Search incidents", field, hint=hint, optional=is_sent_by_enter, dispatch_action=is_sent_by_enter
    )


def search_window(text: str, cases: list[Case], more: int, asked: tuple[str, ...], *, is_any: bool) -> Block:
    """The window behind the search field of the Home tab: the field again, and the results."""
    quoted = shorten(" ".join(asked), 200)
    if cases:
        heading = words.recall.found_heading(words=quoted, is_any=is_any, count=len(cases) + more)
    else:
        heading = words.recall.nothing(words=quoted) if asked else words.recall.no_words()
    shown = [search_field("text", shorten(text, 3_000)), blocks.section(heading), *_results(cases, more)]
    return blocks.modal("Search incidents", "incident_search", shown, submit="Search", close=_CLOSE)


_CLOSE = {"type": "plain_text", "text": "Close"}


def _incident_text(case: Case, shared: tuple[str, ...] = ()) -> str:
    incident = case.incident
    left = list_unfinished(case)
    return words.recall.incident(
        key=incident.key,
        title=incident.title,
        severity=incident.severity,
        status="resolved" if incident.resolved_at else f"{incident.status} since",
        channel=incident.channel,
        day=format_day((incident.resolved_at or incident.opened_at).date(), date.min),
        cause=shorten(text_rules.flatten(mask_credentials(find_root_cause(case))), 400),
        actions=len(case.actions),
        done=len(case.actions) - len(left),
        left=[shorten(text_rules.flatten(mask_credentials(action.text)), 120) for action in left[:3]],
        shared=", ".join(shared[:_SHARED]),
    )


def proposal_blocks(incident: Incident, found: tuple[SimilarCase, ...]) -> list[Block]:
    """Similar incidents below `/postmortem`, each with two buttons; empty if there are none."""
    if not found:
        return []
    shown = [blocks.divider(), blocks.section(words.recall.proposals())]
    for one in found:
        value = {"incident": incident.id, "other": one.case.incident.id}
        same = blocks.button("Same cause", "recall_same", json.dumps(value))
        other = blocks.button("Not this one", "recall_other", json.dumps(value))
        shown += [blocks.section(_incident_text(one.case, one.shared)), blocks.actions(same, other)]
    return shown


def question_fields(found: tuple[SimilarCase, ...]) -> list[Block]:
    """Similar incidents as fields of a section's form. The choice is saved with the form."""
    shown = []
    for one in found:
        incident = one.case.incident
        radio = blocks.menu(f"{FIELD}{incident.id}", [_SAME, _OTHER], kind="radio_buttons")
        field = blocks.input_block(words.recall.question(key=incident.key), radio, optional=True)
        shown += [blocks.section(_incident_text(one.case, one.shared)), field]
    return shown


_SAME = blocks.option("Same cause", "same")
_OTHER = blocks.option("Not this one", "other")


def read_verdicts(values: dict[str, object]) -> dict[int, bool]:
    """The verdicts in a form's values: by the other incident's id, whether it had the same cause."""
    return {
        int(name.removeprefix(FIELD)): value == "same"
        for name, value in values.items()
        if name.startswith(FIELD) and value in ("same", "other")
    }


def verdict_values(verdicts: Mapping[int, bool]) -> dict[str, str]:
    """The verdicts as form values, for a form that keeps them after a conflict."""
    return {f"{FIELD}{row}": "same" if is_same else "other" for row, is_same in verdicts.items()}


def verdict_receipt(case: Case, other: Case, buttons: Block, *, is_same: bool) -> Message:
    """A verdict on a past incident was recorded, with its effect."""
    verdict = words.recall.same if is_same else words.recall.other
    text = verdict(key=other.incident.key, here=case.incident.key, left=len(list_unfinished(other)))
    return blocks.ephemeral(text, buttons)
