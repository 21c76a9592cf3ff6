"""Facts to document: everything that the record knows of an incident, and nothing that it does not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.incident import facts, kept
from bot.incident.document import (
    ActionItem,
    Deed,
    Document,
    KeptText,
    Likeness,
    Mark,
    Metrics,
    Part,
    Participant,
    WhyStep,
)
from bot.incident.history import History, first_why_wording, is_untouched
from bot.incident.lines import Cast, Line, Who, standing_lines, struck_lines, wording
from bot.incident.milestones import M, Reached, began_at, reached
from bot.incident.outline import outline
from bot.incident.plain import one_line, plain
from bot.incident.records import (
    Action,
    ActionStatus,
    Case,
    Incident,
    Milestone,
    PostmortemStatus,
    SectionText,
    Why,
)
from bot.incident.sections import SECTIONS, Section
from bot.incident.whys import cited, standing

_NO_HISTORY = History()


def compile(case: Case, now: datetime, history: History = _NO_HISTORY) -> Document:  # noqa: A001 - the trade's word
    """The document of a case as of `now` (aware): what is overdue is judged by it, and it stands in `generated_at`.

    The history goes into the forms that tell it.
    """
    incident = case.incident
    cast = Cast({**case.people, **history.people})
    lines = standing_lines(case, history, cast)
    found = reached(incident, lines)
    started = began_at(found) or (lines[0].happened_at if lines else None)
    resolved = found[Milestone.RESOLVED].at if Milestone.RESOLVED in found else None
    document = Document(
        key=incident.key,
        number=incident.number,
        title=one_line(incident.title),
        severity=incident.severity_name,
        status=incident.status,
        channel_id=incident.channel,
        channel_name=one_line(incident.channel_name),
        opened_at=incident.opened_at,
        opened_by=cast.who(incident.opened_by),
        started_at=started,
        resolved_at=resolved,
        duration=_span(started, resolved),
        marks=_marks(found),
        metrics=_metrics(found, incident, now),
        lead=cast.known(incident.lead),
        postmortem_status=incident.postmortem_status,
        postmortem_reason=plain(incident.postmortem_reason),
        owner=cast.known(incident.postmortem_owner),
        published_at=incident.published_at,
        participants=_participants(case, lines, cast.known(incident.lead)),
        parts=_parts(case, history, cast),
        timeline=lines,
        spans_days=_spans_days(lines),
        whys=_whys(case.whys, history, cast, lines),
        actions=tuple(_action(action, cast, now) for action in sorted(case.actions, key=lambda item: item.number)),
        generated_at=now.astimezone(UTC),
        audit=tuple(Deed(deed.at, cast.who(deed.who), deed.verb, deed.what, deed.delivery) for deed in case.audit),
        workspace=incident.team,
        resolved_by=cast.known(incident.resolved_by),
        struck=struck_lines(history, cast),
        struck_whys=_struck_whys(history, cast),
        likenesses=_likenesses(history, cast),
        kept=tuple(_kept(case, cast)),
        revision=case.revision,
        people=cast.everyone(),  # last, when everybody has been named
    )
    return replace(document, facts=facts.digests(document))


def _spans_days(lines: tuple[Line, ...]) -> bool:
    if not lines:
        return False
    day = lines[0].happened_at.date()
    return lines[-1].happened_at.date() != day or any(line.ended_at and line.ended_at.date() != day for line in lines)


def _marks(found: Mapping[Milestone, Reached[Line]]) -> tuple[Mark, ...]:
    """Every milestone in order, reached or not."""
    return tuple(
        Mark(milestone, found[milestone].at, found[milestone].by) if milestone in found else Mark(milestone, None, None)
        for milestone in Milestone
    )


def _span(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end and end >= start else None


def metrics(case: Case, now: datetime) -> Metrics:
    """The spans that people compare, as of `now` (aware)."""
    told = (entry for entry in case.entries if not entry.struck)
    return _metrics(reached(case.incident, told), case.incident, now)


def _metrics(found: Mapping[Milestone, Reached[M]], incident: Incident, now: datetime) -> Metrics:
    at = {milestone: found[milestone].at if milestone in found else None for milestone in Milestone}
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


def is_program(case: Case, user: str) -> bool:
    """Whether an id is of no person, as where monitoring told what happened."""
    person = case.people.get(user)
    return person is not None and person.is_bot


def _participants(case: Case, lines: tuple[Line, ...], lead: Who | None) -> tuple[Participant, ...]:
    authored: dict[str, list[Line]] = {}
    recorded: dict[str, int] = {}
    everyone = {lead.id: lead} if lead else {}
    recorders: dict[str, Who] = {}
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
        if not is_program(case, id_)
    )


def _participant(who: Who, lines: list[Line], recorded: int, *, is_lead: bool) -> Participant:
    first, last = (lines[0].happened_at, lines[-1].happened_at) if lines else (None, None)
    return Participant(who, is_lead, len(lines), recorded, first, last)


def _parts(case: Case, history: History, cast: Cast) -> tuple[Part, ...]:
    return tuple(
        _part(section, case.sections.get(section.slug), history.savings.get(section.slug, ()), cast)
        for section in SECTIONS
    )


def _part(section: Section, written: SectionText | None, savings: tuple[SectionText, ...], cast: Cast) -> Part:
    text = plain(written.text) if written else ""
    versions = () if text and len(savings) == 1 else savings
    told = tuple(wording(cast, "saved", saving.text, saving.author, saving.saved_at) for saving in versions)
    if not written or not text:
        return Part(section.slug, section.title, "", None, None, told)
    return Part(section.slug, section.title, text, cast.known(written.author), written.saved_at, told)


def _kept(case: Case, cast: Cast) -> Iterator[KeptText]:
    for history in kept.by_region(case.kept).values():
        stand = kept.standing(history)
        for text in history:
            author, words = _editor(text.author, case, cast), plain(text.markdown)
            told = words, text.facts, text.seen, author, text.source, text.draft, text.saved_at
            yield KeptText(text.section, text.version, text.change, *told, stands=text in stand)


def _editor(author: str, case: Case, cast: Cast) -> Who | None:
    """Somebody in Slack; or a name that was given on the command line, whose id is empty."""
    if author in case.people:
        return cast.who(author)
    return Who("", one_line(author)) if author else None


def _whys(whys: Iterable[Why], history: History, cast: Cast, lines: tuple[Line, ...]) -> tuple[WhyStep, ...]:
    by_number = {line.number: line for line in lines}
    answers = {why.number: why.parent for why in history.whys}
    return tuple(
        replace(
            _why(placed.why, history, cast),
            depth=placed.depth,
            is_branch=placed.is_branch,
            answers=answers.get(placed.why.number, placed.why.parent),
            evidence=tuple(by_number[number] for number in cited(plain(placed.why.text)) if number in by_number),
        )
        for placed in outline(standing(whys))
    )


def _struck_whys(history: History, cast: Cast) -> tuple[WhyStep, ...]:
    return tuple(_why(why, history, cast) for why in sorted(history.whys, key=lambda why: why.number) if why.struck)


def _why(why: Why, history: History, cast: Cast) -> WhyStep:
    found = history.why_wordings.get(why.id, ())
    told = () if is_untouched(first_why_wording(why), found) else found
    return WhyStep(
        number=why.number,
        parent=why.parent,
        depth=0,
        is_branch=False,
        text=plain(why.text),
        author=cast.who(why.author),
        recorded_at=why.recorded_at,
        is_root=why.is_root,
        actions=why.actions,
        answers=why.parent,
        versions=tuple(wording(cast, one.change, one.text, one.changed_by, one.changed_at) for one in told),
    )


def _action(action: Action, cast: Cast, now: datetime) -> ActionItem:
    is_open = action.status is ActionStatus.OPEN
    return ActionItem(
        number=action.number,
        text=plain(action.text),
        owner=cast.known(action.owner),
        due_on=action.due_on,
        status=action.status,
        is_overdue=is_open and action.overdue_at is not None and action.overdue_at <= now,
        reason=plain(action.reason),
        link=plain(action.link),
        kind=action.kind.value if action.kind else "",
        held=action.held,
        overdue_at=action.overdue_at,
        created_by=cast.who(action.created_by),
        created_at=action.created_at,
        closed_at=action.closed_at,
    )


def _likenesses(history: History, cast: Cast) -> tuple[Likeness, ...]:
    return tuple(
        Likeness(f"INC-{said.number}", said.is_same, cast.who(said.said_by), said.said_at)
        for said in sorted(history.verdicts, key=lambda said: said.number)
    )
