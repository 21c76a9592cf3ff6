"""The rules of a postmortem: how it is compiled from a case, when its status may change, and the order of an export.

The document has everything that the record knows of an incident, and nothing that it does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain import sections as sections_rules
from bot.domain.checks import list_blank_sections
from bot.domain.document import (
    ActionItem,
    AuditRecord,
    Cast,
    Document,
    DocumentOutline,
    DocumentSection,
    EditedText,
    Mark,
    Metrics,
    Participant,
    PersonName,
    SimilarIncident,
    TimelineLine,
    WhyStep,
    build_past_wording,
    list_active_lines,
    list_struck_lines,
)
from bot.domain.facets import FacetKind, list_names
from bot.domain.incident import M, ReachedMilestone, impact_start, list_reached_milestones
from bot.domain.outline import ALSO_WRITTEN, list_also_written, outline_of
from bot.domain.records import (
    Action,
    ActionStatus,
    Case,
    Incident,
    Milestone,
    PostmortemStatus,
    RecordHistory,
    SectionText,
    Status,
    Why,
    first_why_wording,
    is_untouched,
)
from bot.domain.sections import SECTIONS, Section
from bot.domain.text import clean, to_one_line
from bot.domain.whys import list_active, list_cited, outline_whys, quote_answer
from bot.errors import OutdatedButton, Refused

_NO_HISTORY = RecordHistory()


def compile_document(case: Case, now: datetime, history: RecordHistory = _NO_HISTORY) -> Document:
    """The document of a case as of `now` (aware), which decides what is overdue and is its `generated_at`.

    The history is for the formats that show it.
    """
    incident = case.incident
    cast = Cast({**case.people, **history.people})
    lines = list_active_lines(case, history, cast)
    found = list_reached_milestones(incident, lines)
    started = impact_start(found) or (lines[0].happened_at if lines else None)
    resolved = found[Milestone.RESOLVED].at if Milestone.RESOLVED in found else None
    document = Document(
        key=incident.key,
        number=incident.number,
        title=to_one_line(incident.title),
        severity=incident.severity_name,
        status=incident.status,
        channel_id=incident.channel,
        channel_name=to_one_line(incident.channel_name),
        opened_at=incident.opened_at,
        opened_by=cast.who(incident.opened_by),
        started_at=started,
        resolved_at=resolved,
        duration=_span(started, resolved),
        marks=_marks(found),
        metrics=_metrics(found, incident, now),
        lead=cast.find(incident.lead),
        postmortem_status=incident.postmortem_status,
        postmortem_reason=clean(incident.postmortem_reason),
        owner=cast.find(incident.postmortem_owner),
        published_at=incident.published_at,
        participants=_participants(case, lines, cast.find(incident.lead)),
        parts=_parts(case, history, cast),
        absent=_absent(case),
        outline=_outline(incident),
        timeline=lines,
        spans_days=_spans_days(lines),
        whys=_whys(case.whys, history, cast, lines),
        actions=tuple(_action(action, cast, now) for action in sorted(case.actions, key=lambda item: item.number)),
        generated_at=now.astimezone(UTC),
        audit=tuple(
            AuditRecord(line.at, cast.who(line.who), line.verb, line.what, line.delivery) for line in case.audit
        ),
        workspace=incident.team,
        resolved_by=cast.find(incident.resolved_by),
        struck=list_struck_lines(history, cast),
        struck_whys=_struck_whys(history, cast),
        likenesses=_likenesses(history, cast),
        kept=tuple(_edited_texts(case, cast)),
        revision=case.revision,
        policy=incident.policy,
        services=tuple(map(to_one_line, list_names(case.facets, FacetKind.SERVICE))),
        tags=tuple(map(to_one_line, list_names(case.facets, FacetKind.TAG))),
        people=cast.everyone(),  # last, when all have been named
    )
    return replace(document, facts=sections_rules.digest_sections(document))


def _spans_days(lines: tuple[TimelineLine, ...]) -> bool:
    if not lines:
        return False
    day = lines[0].happened_at.date()
    return lines[-1].happened_at.date() != day or any(line.ended_at and line.ended_at.date() != day for line in lines)


def _marks(milestones: Mapping[Milestone, ReachedMilestone[TimelineLine]]) -> tuple[Mark, ...]:
    """Every milestone in order, reached or not."""
    return tuple(
        Mark(milestone, milestones[milestone].at, milestones[milestone].by)
        if milestone in milestones
        else Mark(milestone, None, None)
        for milestone in Milestone
    )


def _span(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end and end >= start else None


def measure(case: Case, now: datetime) -> Metrics:
    """The spans that people compare, as of `now` (aware)."""
    entries = (entry for entry in case.entries if not entry.struck)
    return _metrics(list_reached_milestones(case.incident, entries), case.incident, now)


def _metrics(milestones: Mapping[Milestone, ReachedMilestone[M]], incident: Incident, now: datetime) -> Metrics:
    at = {milestone: milestones[milestone].at if milestone in milestones else None for milestone in Milestone}
    impact, detected = at[Milestone.IMPACT_STARTED], at[Milestone.DETECTED]
    return Metrics(
        time_to_detect=_span(impact, detected),
        time_to_acknowledge=_span(detected, at[Milestone.ACKNOWLEDGED]),
        time_to_mitigate=_span(impact, at[Milestone.MITIGATED]),
        time_to_resolve=_span(impact, at[Milestone.RESOLVED]),
        postmortem_age=_age(at[Milestone.RESOLVED], incident, now),
    )


def _age(resolved: datetime | None, incident: Incident, now: datetime) -> timedelta | None:
    if incident.postmortem_status is PostmortemStatus.WAIVED:
        return None
    return _span(resolved, incident.published_at or now)


def find_duration(case: Case) -> timedelta | None:
    """How long the incident lasted, from the start of its impact or its first entry; None if it is not resolved."""
    entries = [entry for entry in case.entries if not entry.struck]
    found = list_reached_milestones(case.incident, entries)
    started = impact_start(found) or min((entry.happened_at for entry in entries), default=None)
    return _span(started, found[Milestone.RESOLVED].at if Milestone.RESOLVED in found else None)


def list_responders(case: Case) -> tuple[str, ...]:
    """The names of the lead, and of those who saw what is in the timeline, in the order in which they came."""
    entries = sorted(case.entries, key=lambda entry: (entry.happened_at, entry.number))
    users = [case.incident.lead, *(entry.author for entry in entries if not entry.struck)]
    return tuple(dict.fromkeys(case.name(user) for user in users if user and not is_monitoring(case, user)))


def list_root_causes(case: Case) -> tuple[str, ...]:
    """The root causes, each on one line: those marked among the whys, or else what the section says."""
    marked = [quote_answer(why.text) for why in case.whys if why.is_root and not why.struck]
    written = read_section(case, "root_cause")
    return tuple(marked) or ((written,) if written else ())


def read_section(case: Case, slug: str) -> str:
    """What people wrote for a section, in a draft or in its form; empty if they did not."""
    in_drafts = sections_rules.list_active(sections_rules.group_by_region(case.edited_sections).get(slug, ()))
    written = case.sections.get(slug)
    return clean(in_drafts[-1].markdown if in_drafts else written.text if written else "")


def is_monitoring(case: Case, user: str) -> bool:
    """Whether an id is a program's (monitoring), not a person's."""
    person = case.people.get(user)
    return person is not None and person.is_bot


def _participants(case: Case, lines: tuple[TimelineLine, ...], lead: PersonName | None) -> tuple[Participant, ...]:
    authored: dict[str, list[TimelineLine]] = {}
    recorded: dict[str, int] = {}
    everyone = {lead.id: lead} if lead else {}
    recorders: dict[str, PersonName] = {}
    for line in lines:
        author, recorder = line.author.id, line.recorder.id
        authored.setdefault(author, []).append(line)
        if recorder != author:
            recorded[recorder] = recorded.get(recorder, 0) + 1
            recorders[recorder] = line.recorder
    everyone |= {own[0].author.id: own[0].author for own in authored.values()}
    everyone |= {id_: who for id_, who in recorders.items() if id_ not in everyone}
    return tuple(
        _participant(who, authored.get(id_, []), recorded.get(id_, 0), is_lead=who == lead)
        for id_, who in everyone.items()
        if not is_monitoring(case, id_)
    )


def _participant(who: PersonName, lines: list[TimelineLine], recorded: int, *, is_lead: bool) -> Participant:
    first, last = (lines[0].happened_at, lines[-1].happened_at) if lines else (None, None)
    return Participant(who, is_lead, len(lines), recorded, first, last)


def _parts(case: Case, history: RecordHistory, cast: Cast) -> tuple[DocumentSection, ...]:
    outline = outline_of(case.incident)
    also = (outline.find(slug) for slug in list_also_written(case, outline))
    shown = (*outline.sections, *(replace(one, title=f"{ALSO_WRITTEN}{one.title}") for one in also))
    return tuple(
        _part(section, case.sections.get(section.slug), history.savings.get(section.slug, ()), cast)
        for section in shown
    )


def _outline(incident: Incident) -> DocumentOutline | None:
    """The outline that the incident keeps; None for the 14 sections."""
    if incident.outline is None:
        return None
    outline = incident.outline
    sections, former = (
        tuple((one.slug, one.title, one.question, one.is_required) for one in group)
        for group in (outline.sections, outline.former)
    )
    return DocumentOutline(outline.name, outline.title, sections, former, outline.is_chosen)


def _absent(case: Case) -> tuple[DocumentSection, ...]:
    """The sections of the 14 that are not shown."""
    outline = outline_of(case.incident)
    shown = {*(one.slug for one in outline.sections), *list_also_written(case, outline)}
    left = (section for section in SECTIONS if section.slug not in shown)
    return tuple(DocumentSection(section.slug, section.title, "", None, None) for section in left)


def _part(
    section: Section, written: SectionText | None, savings: tuple[SectionText, ...], cast: Cast
) -> DocumentSection:
    text = clean(written.text) if written else ""
    versions = () if text and len(savings) == 1 else savings
    wordings = tuple(
        build_past_wording(cast, "saved", saving.text, saving.author, saving.saved_at) for saving in versions
    )
    if not written or not text:
        return DocumentSection(section.slug, section.title, "", None, None, wordings)
    return DocumentSection(section.slug, section.title, text, cast.find(written.author), written.saved_at, wordings)


def _edited_texts(case: Case, cast: Cast) -> Iterator[EditedText]:
    for history in sections_rules.group_by_region(case.edited_sections).values():
        stand = sections_rules.list_active(history)
        for text in history:
            author, words = _editor(text.author, case, cast), clean(text.markdown)
            origin = words, text.facts, text.seen, author, text.source, text.draft, text.saved_at
            yield EditedText(text.section, text.version, text.change, *origin, stands=text in stand)


def _editor(author: str, case: Case, cast: Cast) -> PersonName | None:
    """A person in Slack, or a name that was given on the command line, whose id is empty."""
    if author in case.people:
        return cast.who(author)
    return PersonName("", to_one_line(author)) if author else None


def _whys(
    whys: Iterable[Why], history: RecordHistory, cast: Cast, lines: tuple[TimelineLine, ...]
) -> tuple[WhyStep, ...]:
    by_number = {line.number: line for line in lines}
    answers = {why.number: why.parent for why in history.whys}
    return tuple(
        replace(
            _why(placed.why, history, cast),
            depth=placed.depth,
            is_branch=placed.is_branch,
            answers=answers.get(placed.why.number, placed.why.parent),
            evidence=tuple(by_number[number] for number in list_cited(clean(placed.why.text)) if number in by_number),
        )
        for placed in outline_whys(list_active(whys))
    )


def _struck_whys(history: RecordHistory, cast: Cast) -> tuple[WhyStep, ...]:
    return tuple(_why(why, history, cast) for why in sorted(history.whys, key=lambda why: why.number) if why.struck)


def _why(why: Why, history: RecordHistory, cast: Cast) -> WhyStep:
    found = history.why_wordings.get(why.id, ())
    wordings = () if is_untouched(first_why_wording(why), found) else found
    return WhyStep(
        number=why.number,
        parent=why.parent,
        depth=0,
        is_branch=False,
        text=clean(why.text),
        author=cast.who(why.author),
        recorded_at=why.recorded_at,
        is_root=why.is_root,
        actions=why.actions,
        answers=why.parent,
        versions=tuple(
            build_past_wording(cast, one.change, one.text, one.changed_by, one.changed_at) for one in wordings
        ),
    )


def _action(action: Action, cast: Cast, now: datetime) -> ActionItem:
    is_open = action.status is ActionStatus.OPEN
    return ActionItem(
        number=action.number,
        text=clean(action.text),
        owner=cast.find(action.owner),
        due_on=action.due_on,
        status=action.status,
        is_overdue=is_open and action.overdue_at is not None and action.overdue_at <= now,
        reason=clean(action.reason),
        link=clean(action.link),
        kind=action.kind.value if action.kind else "",
        held=action.held,
        overdue_at=action.overdue_at,
        created_by=cast.who(action.created_by),
        created_at=action.created_at,
        closed_at=action.closed_at,
    )


def _likenesses(history: RecordHistory, cast: Cast) -> tuple[SimilarIncident, ...]:
    return tuple(
        SimilarIncident(f"INC-{verdict.number}", verdict.is_same, cast.who(verdict.said_by), verdict.said_at)
        for verdict in sorted(history.verdicts, key=lambda verdict: verdict.number)
    )


def publish(case: Case, now: datetime) -> Incident:
    """The incident with its postmortem published; raises Refused, naming the blanks, or if it is not resolved."""
    incident = case.incident
    _require_resolved(incident)
    outline = outline_of(incident)
    if blank := list_blank_required(case):
        titles = _list_words([outline.find(slug).title for slug in blank])
        verb, command = "is" if len(blank) == 1 else "are", f"`/postmortem fill {blank[0].replace('_', ' ')}`"
        raise Refused(
            f"Not published: {titles} {verb} still empty. Start with {command}",
            offer=f"fill_section {blank[0]} {incident.id} {outline.find(blank[0]).title}",
        )
    return replace(incident, postmortem_status=PostmortemStatus.PUBLISHED, postmortem_reason="", published_at=now)


def can_publish(case: Case) -> bool:
    """Whether `publish` would accept it now."""
    is_asked = case.incident.status is Status.RESOLVED and not case.incident.postmortem_status.is_finished
    return is_asked and not list_blank_required(case)


def list_blank_required(case: Case) -> tuple[str, ...]:
    """The slugs of the empty sections without which it cannot be published."""
    incident, blank = case.incident, list_blank_sections(case)
    policy = incident.policy
    needed = outline_of(incident).requirements if policy is None or policy.sections is None else policy.sections
    return tuple(slug for slug in needed if slug in blank)  # a section that its form lacks is not missing


MOST_PROPOSED = 8
"""Reviewers that a form proposes."""


def require_reviewable(incident: Incident) -> None:
    """Raises Refused unless the postmortem of an incident can be reviewed now."""
    if incident.status is not Status.RESOLVED:
        raise Refused(f"{incident.key} isn't resolved yet. Resolve it first: `/incident resolved`")
    if incident.postmortem_status.is_finished:
        word = str(incident.postmortem_status)
        raise OutdatedButton(
            f"The postmortem of {incident.key} is already {word}. Reopen it first: `/postmortem reopen {incident.key}`"
        )


def propose_reviewers(case: Case, but: str) -> tuple[str, ...]:
    """Who may review if no one is named: who led, who owns it, who wrote sections, who has to do something; not `but`.

    Only people: no programs, groups, or people who left.
    """
    incident = case.incident
    writers = [section.author for section in case.sections.values()]
    owners = [action.owner for action in sorted(case.actions, key=lambda action: action.number)]
    asked = dict.fromkeys(filter(None, (incident.lead, incident.postmortem_owner, *writers, *owners)))
    return tuple(user for user in asked if user != but and _can_review(case, user))[:MOST_PROPOSED]


def _can_review(case: Case, user: str) -> bool:
    person = case.people.get(user)
    return user.startswith(("U", "W")) and not (person and (person.is_bot or person.is_deactivated or person.is_guest))


def waive(incident: Incident, reason: str) -> Incident:
    """The incident whose postmortem is not needed; raises Refused if it is not resolved, or finished already."""
    _require_resolved(incident)
    if incident.postmortem_status is PostmortemStatus.PUBLISHED:
        key = incident.key
        raise OutdatedButton(
            f"The postmortem of {key} is already published. Reopen it first: `/postmortem reopen {key}`"
        )
    if (incident.postmortem_status, incident.postmortem_reason) == (PostmortemStatus.WAIVED, reason):
        raise OutdatedButton(f"The postmortem of {incident.key} is already waived, for this reason.")
    return replace(incident, postmortem_status=PostmortemStatus.WAIVED, postmortem_reason=reason)


def reopen(incident: Incident) -> Incident:
    """The incident with its postmortem open again; raises Refused unless it is published or waived."""
    if not incident.postmortem_status.is_finished:
        raise OutdatedButton(f"The postmortem of {incident.key} is already open.")
    return replace(incident, postmortem_status=PostmortemStatus.OPEN, postmortem_reason="", published_at=None)


def require_owed(incident: Incident) -> None:
    """Raises Refused for a reminder's button once the postmortem is finished or the incident is open again."""
    key, status = incident.key, incident.postmortem_status
    if status.is_finished:
        word = "published" if status is PostmortemStatus.PUBLISHED else "waived"
        raise OutdatedButton(f"The postmortem of {key} is already {word}. Reopen it: `/postmortem reopen {key}`")
    if incident.resolved_at is None:
        raise OutdatedButton(f"{key} is open again. Its postmortem starts when it's resolved.")


def _require_resolved(incident: Incident) -> None:
    if incident.status is not Status.RESOLVED:
        raise Refused(f"{incident.key} isn't resolved yet. Resolve it first: `/incident resolved`")


def _list_words(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


MARKDOWN, CANVAS = "markdown", "canvas"
"""The usual form, and the one that is no file."""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """A document in a format, for a channel, ordered by a user.

    A `masked` copy leaves out what readers outside should not see, and all files. `agreed`: a person who knew that
    other organisations can read the channel confirmed the post.
    """

    form: str
    to: str
    by: str
    masked: bool = False
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class RegionMark:
    """How a region was left in a copy outside: `reads` are digests of how it may read there, between blanks.

    `facts` and `seen` are what the marker of a draft carries besides (see `bot.domain.sections`). `heading` is what its
    heading said: under another form of the incident it may say something else.
    """

    reads: str
    facts: str = ""
    seen: int = 0
    heading: str = ""
