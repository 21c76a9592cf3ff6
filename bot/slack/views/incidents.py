"""Incidents in Slack: the list, the form that opens one, milestones, search results and similar past incidents.

A milestone whose time has several readings, or contradicts the record, is a question. A text that was typed before
there was an incident is carried along: in the button that opens one, in the form, and into the receipt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.domain import secrets as secrets_rules
from bot.domain import text as text_rules
from bot.domain.facets import Facet, FacetName
from bot.domain.incident import MILESTONE_TEXTS, Clash, IncidentSpan, MilestoneReport, text_beyond_milestone
from bot.domain.library import library_url
from bot.domain.records import Case, Entry, Incident, Milestone
from bot.domain.secrets import mask_credentials
from bot.domain.similarity import find_root_cause, list_unfinished
from bot.domain.text import format_day, shorten
from bot.domain.timeline import FormMoment, PendingEntry, TimeOffer, format_time, list_offers
from bot.domain.times import Reading
from bot.slack.views import blocks
from bot.slack.views import facets as facets_views
from bot.slack.views import history_scan as history_scan_views
from bot.slack.views.blocks import Block, Message, is_ahead, moment_label
from bot.slack.views.templates import words
from bot.slack.views.timeline import QUOTED, Clocks, choice_button, choice_label, entry_blocks, time_value

_LABELS = {**MILESTONE_TEXTS, Milestone.IMPACT_STARTED: "Started"}
_QUOTED = 1_000
_FORM_HOLDS = 3_000


def milestone_form(
    incident: Incident, entries: tuple[Entry, ...], clocks: Clocks, report: MilestoneReport | None = None
) -> Block:
    """The form for a milestone. It proposes the first one that no entry marks yet, or the earlier `report`."""
    reached = {entry.milestone for entry in entries}
    first = next((milestone for milestone in MILESTONE_TEXTS if milestone not in reached), Milestone.RESOLVED)
    options = {milestone: blocks.option(_LABELS[milestone], str(milestone)) for milestone in MILESTONE_TEXTS}
    initial = options[report.milestone if report else first]
    when = blocks.text_field(
        "Time (empty: just now)",
        "when",
        placeholder="14:05, 10 min ago, yesterday 23:50",
        initial_value=_time_text(report, clocks) if report else "",
        hint=words.incidents.milestone_when(zone=clocks.label or "UTC"),
        optional=True,
    )
    text = blocks.text_field(
        "Details",
        "text",
        multiline=True,
        placeholder="Failed over to the replica",
        initial_value=text_beyond_milestone(report.milestone, report.text)[:_FORM_HOLDS] if report else "",
        optional=True,
    )
    return blocks.modal(
        "Milestone",
        "incident_milestone",
        [
            blocks.input_block("Milestone", blocks.menu("milestone", options.values(), initial, "radio_buttons")),
            when,
            text,
        ],
        submit="Record",
        private_metadata=blocks.incident_value(incident, channel=incident.channel),
    )


def milestone_time_question(milestone: Milestone, reading: Reading, clocks: Clocks) -> Message | None:
    """A milestone's time has several readings, one button each. Readings in the future are left out.

    None if there is no other reading, or the text does not fit into the buttons.
    """
    text = words.incidents.milestone_asked(
        problem=reading.problem, name=MILESTONE_TEXTS[milestone], text=shorten(mask_credentials(reading.text), QUOTED)
    )
    past = [choice for choice in dict.fromkeys(reading.question or ()) if not is_ahead(choice, clocks.now)]
    values = {choice: _value(milestone, reading, choice) for choice in (*past, None)}
    if not past or any(len(value) > blocks.BUTTON_VALUE for value in values.values()):
        return None
    buttons = [
        choice_button(choice, clocks, f"incident_at_{index}", values[choice]) for index, choice in enumerate(past)
    ]
    buttons.append(blocks.button("Just now", "incident_at_now", values[None]))
    return blocks.ephemeral(text, blocks.actions(*buttons))


def _value(milestone: Milestone, reading: Reading, moment: datetime | None) -> str:
    about = {"milestone": str(milestone), "text": reading.text}
    return json.dumps(about | time_value(reading, moment), ensure_ascii=False)


def milestone_answered_message(milestone: Milestone, moment: datetime, clocks: Clocks) -> Message:
    """Replaces the question once it is answered. The outcome goes to the channel."""
    return blocks.ephemeral(
        words.incidents.milestone_answered(name=MILESTONE_TEXTS[milestone], when=choice_label(moment, clocks))
    )


def _time_text(report: MilestoneReport, clocks: Clocks) -> str:
    """The reported time as the form reads it, in the person's zone."""
    return format_time(FormMoment(report.at, report.end, report.approximate), clocks.now, clocks.zone, clocks.language)


def contradiction_text(incident: Incident, report: MilestoneReport, clash: Clash[Entry], clocks: Clocks) -> str:
    """A sentence that says what the milestone contradicts."""
    return words.incidents.contradicts(
        key=incident.key,
        name=MILESTONE_TEXTS[report.milestone],
        when=clocks.format(report.at, report.end, approximate=report.approximate),
        other=MILESTONE_TEXTS[clash.milestone].lower(),
        other_when=clocks.format(clash.at),
        number=clash.by.number if clash.by else 0,
        is_twice=clash.is_twice,
        is_later=clash.is_later,
    )


def contradiction_question(
    incident: Incident, report: MilestoneReport, clash: Clash[Entry], clocks: Clocks
) -> Message | None:
    """The milestone contradicts the record: a button for each way out. Nothing is recorded until one is pressed.

    None if the report does not fit into a button.
    """
    value, name = _clash_value(incident, report, clash), MILESTONE_TEXTS[report.milestone].lower()
    if len(value) > blocks.BUTTON_VALUE:
        return None
    quoted = text_rules.flatten(mask_credentials(text_beyond_milestone(report.milestone, report.text)))
    question = words.incidents.contradiction(
        problem=contradiction_text(incident, report, clash, clocks), text=shorten(quoted, _QUOTED)
    )
    clock, number = moment_label(report.at, clocks.now), clash.by.number if clash.by else 0
    if clash.is_twice:
        choices = [(f"{clock} counts", "milestone_keep")]
        choices += [(f"Correct #{number} to {clock}", "milestone_move")] if number else []
        choices.append((f"Keep #{number}, add an entry", "milestone_note"))
    else:
        choices = [(f"Record {name} {clock}", "milestone_keep")]
        choices += [(f"Record it, and correct #{number}", "milestone_correct")] if number else []
    choices.append(("Change the time", "milestone_change"))
    return blocks.ephemeral(question, blocks.actions(*(blocks.button(*choice, value) for choice in choices)))


def _clash_value(incident: Incident, report: MilestoneReport, clash: Clash[Entry]) -> str:
    values = {
        "incident": incident.id,
        "milestone": str(report.milestone),
        "at": report.at.isoformat(),
        "end": report.end.isoformat() if report.end else "",
        "approximate": report.approximate,
        "text": report.text,
        "other": clash.by.number if clash.by else 0,
    }
    return json.dumps(values, ensure_ascii=False)


def read_report(value: dict[str, Any]) -> MilestoneReport:
    """The report in a button's value."""
    end = str(value.get("end") or "")
    return MilestoneReport(
        Milestone(value["milestone"]),
        datetime.fromisoformat(value["at"]),
        str(value["text"]),
        datetime.fromisoformat(end) if end else None,
        bool(value.get("approximate")),
    )


def milestone_receipt(report: MilestoneReport, now: datetime) -> Message:
    """To the person who pressed the button: the milestone is recorded. The channel sees it, too."""
    name = MILESTONE_TEXTS[report.milestone].lower()
    return blocks.ephemeral(words.incidents.milestone_recorded(name=name, at=report.at, now=now))


def opened_message(
    incident: Incident,
    receipt: list[Block] | None = None,
    *,
    proposals: Sequence[FacetName] = (),
    facets: str = "",
) -> Message:
    """To the person who opened the incident: next steps, and the offer of a history scan.

    The channel gets the live message. `receipt` belongs to the entry that was recorded with it. `proposals` are names
    to set by a button, `facets` is the line of those that it has.
    """
    text = words.incidents.opened(key=incident.key, title=incident.title, by=incident.opened_by)
    hint = blocks.context(words.incidents.opened_hint())
    named = [blocks.context(facets)] if facets else []
    row = facets_views.proposal_row(incident, proposals, facets_views.OPENED)
    offer = history_scan_views.offer_blocks(incident)
    shown = [blocks.section(text), *(receipt or []), hint, *named, *row, *offer]
    return blocks.ephemeral(text, blocks=shown)


def welcome_message(reaction: str) -> Message:
    """To a channel that the bot was invited to: how to record."""
    text = words.general.welcome(reaction=reaction)
    start = blocks.button("Open an incident", "incident_form_open", style="primary")
    return blocks.message(text, blocks.actions(start))


def channel_message(text: str) -> Message:
    """A change, visible to the whole channel."""
    return blocks.public(text)


def change_receipt(text: str) -> Message:
    """A change, to the person who made it. The others see it in the live message."""
    return blocks.ephemeral(text)


def reached_receipt(text: str, entry: Entry) -> Message:
    """A milestone was recorded; the others see it in the live message."""
    undo = blocks.button("Undo", "timeline_undo", blocks.entry_value(entry))
    return blocks.ephemeral(text, blocks=[blocks.section(text, undo)])


def new_lead_message(incident: Incident, by: str) -> Message:
    """To a person whom another one made the lead. It names no title: they may not be in the channel yet."""
    return blocks.message(words.incidents.new_lead(key=incident.key, by=by, channel=incident.channel))


def list_message(
    found: Sequence[tuple[Incident, IncidentSpan, Sequence[Facet]]], names: Sequence[FacetName], now: datetime
) -> Message:
    """A list of incidents, of those with these names if there are any.

    The caller has left out those that the reader may not see.
    """
    wanted = ", ".join(f"{name.kind} {name.name}" for name in names)
    lines = [words.incidents.list_heading(count=len(found), wanted=wanted)]
    lines += [
        words.incidents.list_line(
            key=incident.key,
            title=incident.title,
            status=str(incident.status),
            severity=words.general.severity(number=incident.severity),
            channel=incident.channel,
            course=course,
            facets=facets_views.short_line(facets),
            now=now,
        )
        for incident, course, facets in found
    ]
    return blocks.ephemeral("\n".join(lines))


def open_form(channel: str, title: str = "", severity: int | None = None, alert: int | None = None) -> Block:
    """The form behind [Open an incident]. `alert` is the id of the alert group that the incident is for."""
    severities = [blocks.option(words.incidents.severity_option(number=each), str(each)) for each in (1, 2, 3, 4)]
    place: Block = {
        "type": "conversations_select",
        "action_id": "channel",
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    place |= {"initial_conversation": channel} if channel else {"default_to_current_conversation": True}
    menu = blocks.menu("severity", severities, severities[severity - 1] if severity else None)
    return blocks.modal(
        "Open an incident",
        "incident_open",
        [
            blocks.text_field("What's wrong?", "title", placeholder="Checkout is failing", initial_value=title),
            blocks.input_block("Channel", place),
            blocks.input_block("Severity", menu, optional=True),
        ],
        submit="Open",
        private_metadata=json.dumps({"channel": channel} | ({"alert": alert} if alert else {})),
    )


def pending_value(packed: Mapping[str, Any]) -> str:
    """The value of a button that opens an incident with a pending entry; empty if the entry cannot be carried.

    A text with a credential is not carried, since it could not be redacted there. Nor is one that is too long.
    """
    if not packed:
        return ""
    value = json.dumps({"carry": dict(packed)}, ensure_ascii=False)
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in value)  # lone surrogates break JSON in Slack
    is_harmless = not secrets_rules.find_credentials(str(packed.get("line", "")))
    return value if is_text and is_harmless and len(value) <= blocks.BUTTON_VALUE else ""


def open_with_entry_form(channel: str, pending: PendingEntry, clocks: Clocks) -> Block:
    """The form behind [Open an incident] with the pending entry and its time above the fields."""
    view = open_form(channel)
    named: tuple[TimeOffer, ...] = ()
    if pending.is_paste:
        text, written = words.incidents.carries_lines(count=len(pending.line.splitlines())), ""
    else:
        reading = pending.reading()
        named = list_offers(reading, reading.utc or pending.typed_at, clocks.now)
        written = reading.written or ""
        when = clocks.format(reading.utc or pending.typed_at, reading.end_utc, approximate=reading.approximate)
        text = words.incidents.carries(when=when, text=shorten(reading.text, 1_000))
    times = [moment_label(offer.at, clocks.now) for offer in named]
    typed = words.incidents.typed_at(at=clocks.format(pending.typed_at), written=written, times=times)
    metadata = json.loads(view["private_metadata"]) | {"carry": pending.pack()}
    return view | {
        "blocks": [blocks.section(text), blocks.context(typed), *view["blocks"]],
        "private_metadata": json.dumps(metadata, ensure_ascii=False),
    }


def pending_receipt(incident: Incident, receipt: list[Block]) -> Message:
    """The pending entry is recorded in the incident that another person opened in the meantime."""
    return blocks.ephemeral(words.incidents.carried_there(key=incident.key, title=incident.title), *receipt)


def already_recorded_blocks(incident: Incident, entry: Entry) -> list[Block]:
    """The pending entry was recorded before and is not recorded twice."""
    text = shorten(secrets_rules.mask_credentials(entry.text), QUOTED)
    summary = words.capture.already(number=entry.number, key=incident.key, who="", text=text)
    gone = [blocks.context(words.timeline.state_note(number=entry.number, struck=True))] if entry.struck else []
    return entry_blocks(summary, entry, *gone)


def paste_preview_blocks(incident: Incident, pending: PendingEntry) -> list[Block]:
    """A pending paste: a button that previews the lines, as `/timeline paste` does."""
    about = {"incident": incident.id, "line": pending.line, "typed_at": pending.typed_at.isoformat()}
    value = json.dumps(about, ensure_ascii=False)
    preview = blocks.button("Preview the lines", "timeline_paste_open", value, style="primary")
    return [blocks.section(words.incidents.carried_lines()), blocks.actions(preview)]


FIELD = "alike_"
_SHARED = 6


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A past incident, the words that it shares with the current one, and its address in the library, or ""."""

    case: Case
    shared: tuple[str, ...]
    address: str = ""


@dataclass(frozen=True, slots=True)
class SearchMatches:
    """The best matches, how many more there are, and whether they have only some of the words.

    `library` is where the library is, or "".
    """

    cases: list[Case]
    more: int = 0
    is_any: bool = False
    library: str = ""


def search_results(found: SearchMatches, asked: tuple[str, ...], today: date) -> Message:
    """The results of `/incident search`. The caller has left out what the reader may not see."""
    return blocks.ephemeral(_heading(found, asked), *_results(found, today))


def _heading(found: SearchMatches, asked: tuple[str, ...]) -> str:
    quoted = shorten(" ".join(asked), 200)
    return words.recall.found_heading(words=quoted, is_any=found.is_any, count=len(found.cases) + found.more)


def no_results_message(asked: tuple[str, ...]) -> Message:
    """The search found nothing that the reader may see."""
    return blocks.ephemeral(words.recall.nothing(words=shorten(" ".join(asked), 200)))


def _results(found: SearchMatches, today: date) -> list[Block]:
    shown = [
        blocks.section(_incident_text(case, today), read_or_go_button(found.library, case.incident))
        for case in found.cases
    ]
    return [*shown, *([blocks.context(words.recall.more(count=found.more))] if found.more else [])]


def channel_button(incident: Incident) -> Block:
    """[Go to channel]."""
    return blocks.link_button("Go to channel", "incident_channel", incident.channel_link)


def read_or_go_button(library: str, incident: Incident) -> Block:
    """[Read] in the library, whose page leads to the channel; without a library [Go to channel]."""
    button, *_ = [*blocks.read_button(library_url(library, incident)), channel_button(incident)]
    return button


def search_field(name: str, text: str = "", *, is_sent_by_enter: bool = False) -> Block:
    """The field for the words to search for."""
    field = blocks.text_input(name, placeholder="connection pool", initial_value=text)
    if is_sent_by_enter:
        field["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
    hint = words.recall.enter() if is_sent_by_enter else ""
    return blocks.input_block(
        "Search incidents", field, hint=hint, optional=is_sent_by_enter, dispatch_action=is_sent_by_enter
    )


def search_window(text: str, found: SearchMatches, asked: tuple[str, ...], today: date) -> Block:
    """The window behind the search field of the Home tab: the field again, and the results."""
    if found.cases:
        heading = _heading(found, asked)
    else:
        heading = words.recall.nothing(words=shorten(" ".join(asked), 200)) if asked else words.recall.no_words()
    shown = [search_field("text", shorten(text, 3_000)), blocks.section(heading), *_results(found, today)]
    return blocks.modal("Search incidents", "incident_search", shown, submit="Search", close=_CLOSE)


_CLOSE = {"type": "plain_text", "text": "Close"}


def _incident_text(case: Case, today: date, shared: tuple[str, ...] = ()) -> str:
    incident = case.incident
    left = list_unfinished(case)
    return words.recall.incident(
        key=incident.key,
        title=incident.title,
        severity=incident.severity,
        status="resolved" if incident.resolved_at else f"{incident.status} since",
        channel=incident.channel,
        day=format_day((incident.resolved_at or incident.opened_at).date(), today),
        cause=shorten(text_rules.flatten(mask_credentials(find_root_cause(case))), 400),
        actions=len(case.actions),
        done=len(case.actions) - len(left),
        left=[shorten(text_rules.flatten(mask_credentials(action.text)), 120) for action in left[:3]],
        shared=", ".join(shared[:_SHARED]),
    )


def proposal_blocks(incident: Incident, found: tuple[SimilarCase, ...], today: date) -> list[Block]:
    """Similar incidents below `/postmortem`, each with two buttons; empty if there are none."""
    if not found:
        return []
    shown = [blocks.divider(), blocks.section(words.recall.proposals())]
    for one in found:
        value = {"incident": incident.id, "other": one.case.incident.id}
        same = blocks.button("Same cause", "recall_same", json.dumps(value))
        other = blocks.button("Not this one", "recall_other", json.dumps(value))
        shown += [
            blocks.section(_incident_text(one.case, today, one.shared)),
            blocks.actions(same, other, *blocks.read_button(one.address)),
        ]
    return shown


def question_fields(found: tuple[SimilarCase, ...], today: date) -> list[Block]:
    """Similar incidents as fields of a section's form. The choice is saved with the form."""
    shown = []
    for one in found:
        incident = one.case.incident
        radio = blocks.menu(f"{FIELD}{incident.id}", [_SAME, _OTHER], kind="radio_buttons")
        field = blocks.input_block(words.recall.question(key=incident.key), radio, optional=True)
        shown += [blocks.section(_incident_text(one.case, today, one.shared)), field]
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
