"""The live message: the state of an incident, who is expected to do what next, and the latest entries."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import text as text_rules
from bot.domain.facets import FacetName
from bot.domain.incident import IncidentSpan, is_rename
from bot.domain.records import AuditLine, Case, Entry, EntryKind, Incident, Milestone, Status
from bot.domain.secrets import mask_credentials
from bot.domain.similarity import find_root_cause
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views import facets as facets_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import SimilarCase
from bot.slack.views.templates import words

ENTRIES = 3
CHANGES = 3
SIMILAR = 2
_QUOTED = 200


@dataclass(frozen=True, slots=True)
class CardChange:
    """A change of an incident, when it was made and by whom, as in `sev2 by Ana Demo`."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class CardContent:
    """What a live message shows. The entries of `case` are the latest that a person wrote, at most `ENTRIES`.

    `marks` are the milestones reached, with their times. `changes` are the latest, newest first.
    """

    case: Case
    course: IncidentSpan
    marks: dict[Milestone, datetime]
    changes: Sequence[CardChange] = ()
    similar: Sequence[SimilarCase] = ()


_SEVERITY = re.compile(r"sev[1-4]\Z")
_NEW_LEAD = re.compile(r"(.+?) (?:leads|takes over the lead from .+)", re.DOTALL)


def entry_change(entry: Entry, case: Case) -> CardChange:
    """The change that an entry of bookkeeping or a milestone is about."""
    value = ""
    if entry.kind is EntryKind.SEVERITY and (found := _SEVERITY.search(entry.text)):
        value = found[0]
    elif entry.kind is EntryKind.LEAD and (found := _NEW_LEAD.fullmatch(entry.text)):
        value = found[1]
    kind = "rename" if is_rename(entry) else str(entry.milestone or entry.kind)
    by = case.name(entry.recorder)
    return CardChange(entry.recorded_at, words.live_message.entry_change(kind=kind, value=value, by=by))


def audit_change(line: AuditLine, by: str) -> CardChange | None:
    """The change that a line of the audit is about, `by` a person's name; None if the card does not mention it."""
    what = words.live_message.audit_change(verb=line.verb, what=line.what.partition(",")[0], by=by)
    return CardChange(line.at, what) if what else None


def live_message(content: CardContent, now: datetime) -> Message:
    """The live message as it reads now."""
    case, incident = content.case, content.case.incident
    text = words.live_message.headline(key=incident.key, title=incident.title)
    # Only what people wrote: changes of the record are in the last row, once (decision 49).
    lines = timeline_views.entry_lines(case.entries, case, now, zone="UTC", most=_QUOTED)
    shown = [
        blocks.header(f"{incident.key} {mask_credentials(incident.title)}"),
        blocks.section(
            "\n".join(filter(None, (_facts(content, now), facets_views.card_line(case.facets), _next_step(case))))
        ),
        *blocks.sections("\n".join(lines)),
        *(blocks.context(line) for line in (_recent(content, now), _similar(content.similar, now)) if line),
    ]
    return blocks.message(text, blocks=[*shown, blocks.actions(*_buttons(incident))])


def overview(content: CardContent, proposals: Sequence[FacetName], now: datetime) -> Message:
    """The same as a private answer, with what is proposed above its buttons."""
    card = live_message(content, now)
    *above, buttons = card["blocks"]
    row = facets_views.proposal_row(content.case.incident, proposals, facets_views.STATUS)
    return blocks.replace_blocks(card, [*above, *row, buttons]) | {"response_type": "ephemeral"}


def _facts(content: CardContent, now: datetime) -> str:
    incident, course = content.case.incident, content.course
    marks = [
        words.live_message.mark(name=str(milestone), at=at, is_same_day=at.date() == course.since.date(), now=now)
        for milestone, at in content.marks.items()
        if milestone in (Milestone.DETECTED, Milestone.MITIGATED)
    ]
    return words.live_message.facts(
        severity=words.general.severity(number=incident.severity),
        status=str(incident.status).capitalize(),
        lead=content.case.name(incident.lead),
        has_impact=Milestone.IMPACT_STARTED in content.marks,
        course=words.incidents.lasted(course=course, now=now),
        marks=marks,
    )


def _next_step(case: Case) -> str:
    incident = case.incident
    return words.live_message.next_step(
        status=str(incident.status),
        postmortem=str(incident.postmortem_status),
        lead=case.name(incident.lead),
        owner=case.name(incident.postmortem_owner),
        has_severity=incident.severity is not None,
        rule=str(incident.rule),
    )


def _recent(content: CardContent, now: datetime) -> str:
    if content.case.incident.is_closed:
        return ""
    days = {change.at.date() for change in content.changes}
    # One day other than today is said once, and not with each.
    day = days.pop() if len(days) == 1 and len(content.changes) > 1 and now.date() not in days else None
    changes = [
        change.what
        if day
        else words.live_message.change(what=change.what, at=change.at, is_today=change.at.date() == now.date(), now=now)
        for change in content.changes
    ]
    return words.live_message.recent(changes=changes, day=day, now=now) if changes else ""


def _similar(similar: Iterable[SimilarCase], now: datetime) -> str:
    found = [
        words.live_message.similar(
            key=one.case.incident.key,
            at=one.case.incident.opened_at,
            now=now,
            channel=one.case.incident.channel,
            about=shorten(text_rules.flatten(mask_credentials(_about(one.case))), 120),
        )
        for one in similar
    ]
    return "\n".join(found)


def _about(case: Case) -> str:
    return find_root_cause(case) or case.incident.title


def _buttons(incident: Incident) -> list[Block]:
    value = blocks.incident_value(incident)
    if incident.is_closed:
        return [
            blocks.button("Postmortem", "postmortem_show", value),
            blocks.button("Whole timeline", "timeline_show", value),
        ]
    more = [
        blocks.button("Milestone", "incident_milestone", value),
        blocks.button("Whole timeline", "timeline_show", value),
        blocks.button("Services and tags", "facets_open", value),
    ]
    if incident.status is Status.OPEN:
        more.insert(0, blocks.button("Mitigated", "incident_mitigated", value))
    over = (
        blocks.button("Postmortem", "postmortem_show", value)
        if incident.status is Status.RESOLVED
        else blocks.button(
            "Resolved", "incident_resolved", value, confirm=words.live_message.resolved_sure(key=incident.key)
        )
    )
    return [blocks.button("Add entry", "timeline_form_open", value, style="primary"), over, blocks.overflow(*more)]


def moved_message(incident: Incident, ts: str) -> Message:
    """The one line that an old live message becomes; the new one has this time stamp."""
    link = f"https://slack.com/archives/{incident.channel}/p{ts.replace('.', '')}"
    return blocks.message(words.live_message.moved(key=incident.key, link=link))
