"""Facts to document: everything that the record knows of an incident, and nothing that it does not."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from bot.incident.document import (
    ActionItem,
    Deed,
    Document,
    FileItem,
    Line,
    Mark,
    Metrics,
    Part,
    Participant,
    Who,
    WhyStep,
)
from bot.incident.plain import one_line, plain
from bot.incident.records import (
    Action,
    ActionStatus,
    Attachment,
    Case,
    Incident,
    Milestone,
    PostmortemStatus,
    Status,
    Why,
)
from bot.incident.sections import SECTIONS
from bot.incident.whys import cited, standing

_IN_TIME = attrgetter("happened_at", "number")


def compile(case: Case, now: datetime) -> Document:  # noqa: A001 - the trade's word
    """The document of a case as of `now` (aware): what is overdue is judged by it, and it stands in `generated_at`."""
    incident = case.incident
    cast = _Cast(case)
    lines = _lines(case, cast)
    marks = _marks(case, lines)
    at = {mark.milestone: mark.at for mark in marks}
    started = _started_at(at, lines)
    resolved = at[Milestone.RESOLVED]
    return Document(
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
        marks=marks,
        metrics=_metrics(at, incident, now),
        lead=cast.known(incident.lead),
        postmortem_status=incident.postmortem_status,
        postmortem_reason=plain(incident.postmortem_reason),
        owner=cast.known(incident.postmortem_owner),
        published_at=incident.published_at,
        participants=_participants(lines, cast.known(incident.lead)),
        parts=_parts(case, cast),
        timeline=lines,
        spans_days=_spans_days(lines),
        whys=_whys(case.whys, cast, lines),
        actions=tuple(_action(action, cast, now) for action in sorted(case.actions, key=lambda item: item.number)),
        generated_at=now.astimezone(UTC),
        audit=tuple(Deed(deed.at, cast.who(deed.who), deed.verb, deed.what, deed.delivery) for deed in case.audit),
        people=cast.everyone(),  # last, when everybody has been named
    )


class _Cast:
    """The people of one case, each named once, in the order in which the document comes to them."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._seen: dict[str, Who] = {}

    def who(self, user: str) -> Who:
        found = self._seen.get(user)
        if found is None:
            found = self._seen[user] = Who(user, one_line(self._case.name(user)) or user)
        return found

    def known(self, user: str | None) -> Who | None:
        return self.who(user) if user else None

    def everyone(self) -> tuple[Who, ...]:
        return tuple(self._seen.values())


def _lines(case: Case, cast: _Cast) -> tuple[Line, ...]:
    files = _files(case.attachments)
    who = cast.who
    standing = sorted((entry for entry in case.entries if not entry.struck), key=_IN_TIME)
    return tuple(
        Line(
            entry.number,
            entry.happened_at,
            entry.ended_at,
            entry.approximate,
            plain(entry.text),
            who(entry.author),
            who(entry.recorder),
            entry.recorded_at,
            entry.kind,
            entry.milestone,
            entry.permalink,
            entry.source_change,
            files.get(entry.id, ()),
        )
        for entry in standing
    )


def _files(attachments: Iterable[Attachment]) -> dict[int, tuple[FileItem, ...]]:
    """The files of each entry, by its row."""
    found: dict[int, tuple[FileItem, ...]] = {}
    for file in attachments:
        is_kept = file.state == "kept"
        note = "" if is_kept else plain(file.note) or "it is not fetched yet"
        item = FileItem(
            one_line(file.name) or "file", one_line(file.media_type), file.size, is_kept, note, file.content
        )
        found[file.entry_id] = (*found.get(file.entry_id, ()), item)
    return found


def _spans_days(lines: tuple[Line, ...]) -> bool:
    if not lines:
        return False
    day = lines[0].happened_at.date()
    return lines[-1].happened_at.date() != day or any(line.ended_at and line.ended_at.date() != day for line in lines)


def _marks(case: Case, lines: tuple[Line, ...]) -> tuple[Mark, ...]:
    marked = sorted((line for line in lines if line.milestone), key=lambda line: line.number)
    # The record may correct itself: the latest entry that marks a milestone is the one that counts.
    latest = {line.milestone: line for line in marked}
    return tuple(_mark(case, milestone, latest.get(milestone)) for milestone in Milestone)


def _mark(case: Case, milestone: Milestone, line: Line | None) -> Mark:
    if milestone is not Milestone.RESOLVED:
        return Mark(milestone, line.happened_at if line else None, line)
    if case.incident.status is not Status.RESOLVED:  # it was reopened: what resolved it did not last
        return Mark(milestone, None, None)
    return Mark(milestone, line.happened_at if line else case.incident.resolved_at, line)


def _started_at(at: dict[Milestone, datetime | None], lines: tuple[Line, ...]) -> datetime | None:
    noticed = [moment for moment in (at[Milestone.DETECTED], at[Milestone.ACKNOWLEDGED]) if moment]
    first_line = lines[0].happened_at if lines else None
    return at[Milestone.IMPACT_STARTED] or min(noticed, default=first_line)


def _span(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end and end >= start else None


def metrics(case: Case, now: datetime) -> Metrics:
    """The spans that people compare, as of `now` (aware)."""
    return _metrics({m.milestone: m.at for m in _marks(case, _lines(case, _Cast(case)))}, case.incident, now)


def _metrics(at: dict[Milestone, datetime | None], incident: Incident, now: datetime) -> Metrics:
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


def _participants(lines: tuple[Line, ...], lead: Who | None) -> tuple[Participant, ...]:
    authored: dict[str, list[Line]] = {}
    recorded: dict[str, int] = {}
    everyone = {lead.id: lead} if lead else {}
    for line in lines:
        authored.setdefault(line.author.id, []).append(line)
        if line.was_told:
            recorded[line.recorder.id] = recorded.get(line.recorder.id, 0) + 1
    everyone |= {own[0].author.id: own[0].author for own in authored.values()}
    everyone |= {line.recorder.id: line.recorder for line in lines if line.recorder.id not in everyone}
    return tuple(
        _participant(who, authored.get(id_, []), recorded.get(id_, 0), is_lead=who == lead)
        for id_, who in everyone.items()
    )


def _participant(who: Who, lines: list[Line], recorded: int, *, is_lead: bool) -> Participant:
    first, last = (lines[0].happened_at, lines[-1].happened_at) if lines else (None, None)
    return Participant(who, is_lead, len(lines), recorded, first, last)


def _parts(case: Case, cast: _Cast) -> tuple[Part, ...]:
    return tuple(_part(case, section.slug, section.title, cast) for section in SECTIONS)


def _part(case: Case, slug: str, title: str, cast: _Cast) -> Part:
    written = case.sections.get(slug)
    text = plain(written.text) if written else ""
    if not written or not text:
        return Part(slug, title, "", None, None)
    return Part(slug, title, text, cast.known(written.author), written.saved_at)


def _whys(whys: Iterable[Why], cast: _Cast, lines: tuple[Line, ...]) -> tuple[WhyStep, ...]:
    children: dict[int | None, list[Why]] = {}
    for why in standing(whys):
        children.setdefault(why.parent, []).append(why)
    by_number = {line.number: line for line in lines}
    return tuple(
        WhyStep(
            why.number,
            why.parent,
            depth,
            is_branch,
            plain(why.text),
            cast.who(why.author),
            why.recorded_at,
            why.is_root,
            tuple(by_number[number] for number in cited(why.text) if number in by_number),
            why.action,
        )
        for why, depth, is_branch in _in_reading_order(children)
    )


def _in_reading_order(children: dict[int | None, list[Why]]) -> Iterator[tuple[Why, int, bool]]:
    """Each why, then what branches off it one deeper, then its own chain onwards. No recursion: chains may be long."""
    waiting = [(why, 0, False) for why in reversed(children.get(None, []))]
    while waiting:
        why, depth, is_branch = waiting.pop()
        yield why, depth, is_branch
        below = children.get(why.number, [])
        waiting.extend((onwards, depth, False) for onwards in below[:1])
        waiting.extend((branch, depth + 1, True) for branch in reversed(below[1:]))


def _action(action: Action, cast: _Cast, now: datetime) -> ActionItem:
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
    )
