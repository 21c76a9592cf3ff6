"""From a file in the JSON form back to the record that it tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Refused
from bot.export import json_parts as parts
from bot.export.json_shape import PostmortemFile
from bot.incident.attachments import media_type, too_large
from bot.incident.history import (
    EntryVersion,
    History,
    Verdict,
    WhyVersion,
    entry_deed,
    first_why_wording,
    first_wording,
    is_entry_deed,
    whole_audit,
)
from bot.incident.kept import KeptRegion
from bot.incident.records import Action, Attachment, AuditLine, Case, Entry, Incident, Person, SectionText, Status, Why
from bot.incident.whys import standing

_NAMED = (("author", "author_id"), ("recorder", "recorder_id"), ("who", "who_id"))


@dataclass(frozen=True, slots=True)
class Told:
    """The record that a file tells, as of `generated_at`.

    Nothing in it has a row yet: the incident is 0, entries, whys and actions go by their numbers. The workspace is
    empty where the file names none.
    """

    case: Case
    history: History
    generated_at: datetime


def record_of(file: PostmortemFile) -> Told:
    """The record of a file that has the form; raises Refused, naming the place, for what no record can hold.

    Its numbers must be unique, each with what refers to it.
    """
    entries = tuple(_entry(line, struck=False) for line in file.timeline)
    struck = tuple(_entry(line, struck=True) for line in file.struck.timeline)
    wordings = {line.number: _wordings(line) for line in (*file.timeline, *file.struck.timeline)}
    whys = sorted(
        [_why(why, struck=False) for why in file.whys] + [_why(why, struck=True) for why in file.struck.whys],
        key=lambda why: why.number,
    )
    savings = {slug: found for slug, part in file.sections.items() if (found := _savings(slug, part))}
    return Told(
        Case(
            incident=_incident(file),
            entries=entries,
            whys=standing(whys),
            sections={slug: found[-1] for slug, found in savings.items() if found[-1].text},
            actions=tuple(_action(action) for action in file.actions),
            people=_people(file),
            attachments=tuple(_attachments(file)),
            audit=(audit := _audit(file.audit, wordings)),
            kept=tuple(map(_kept_text, file.kept)),
            revision=len(audit),
        ),
        History(
            struck=struck,
            files=tuple(_refused(line.number, told) for line in file.struck.timeline for told in line.files),
            wordings=wordings,
            whys=tuple(whys),
            why_wordings={why.number: _why_wordings(why) for why in (*file.whys, *file.struck.whys)},
            savings=savings,
            verdicts=tuple(
                Verdict(int(said.incident.removeprefix("INC-")), said.same_cause, said.said_by.id, said.said_at)
                for said in file.likenesses
            ),
        ),
        file.generated_at,
    )


def given_under(why: parts.Why) -> int | None:
    """The number of the why that this one was the answer to."""
    return why.answers if "answers" in why.model_fields_set else why.parent


def actions_of(why: parts.Why) -> tuple[int, ...]:
    """The numbers of the actions that are for a why; an earlier export names one at most."""
    return tuple(why.actions) or ((why.action,) if why.action is not None else ())


def _kept_text(text: parts.Kept) -> KeptRegion:
    return KeptRegion(
        incident_id=0,
        section=text.section,
        version=text.version,
        change=text.change,
        markdown=text.markdown,
        facts=text.facts or "",
        seen=text.seen,
        author=text.author_id or text.author or "",
        source=text.source,
        draft=text.draft or "",
        saved_at=text.saved_at,
    )


def _incident(file: PostmortemFile) -> Incident:
    told, document = file.incident, file.incident.postmortem
    if told.status is Status.RESOLVED and told.resolved_at is None:
        raise Refused("incident.resolved_at is missing, although incident.status is resolved.")
    return Incident(
        id=0,
        team=told.workspace or "",
        channel=told.channel.id,
        number=int(told.key.removeprefix("INC-")),
        title=told.title,
        status=told.status,
        severity=int(told.severity.removeprefix("sev")) if told.severity else None,
        lead=_id(told.lead),
        opened_by=told.opened_by.id,
        opened_at=told.opened_at,
        resolved_by=_id(told.resolved_by),
        resolved_at=told.resolved_at,
        postmortem_status=document.status,
        postmortem_owner=_id(document.owner),
        postmortem_reason=document.reason or "",
        published_at=document.published_at,
        channel_name=told.channel.name or "",
    )


def _id(who: parts.Who | None) -> str | None:
    return who.id if who else None


def _people(file: PostmortemFile) -> dict[str, Person]:
    """Everybody by the name that the file gives first; whose name is only their id is not known."""
    names: dict[str, str] = {}
    for user, name in _named(file):
        names.setdefault(user, name)
    team = file.incident.workspace or ""
    return {user: Person(team, user, name) for user, name in names.items() if name != user}


def _named(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, parts.Who):
        yield node.id, node.name
    elif isinstance(node, list | tuple):
        for member in node:
            yield from _named(member)
    elif isinstance(node, dict):
        yield from _named(list(node.values()))
    elif isinstance(node, parts.Shape):
        for name, key in _NAMED:
            if getattr(node, name, None) and getattr(node, key, None):
                yield getattr(node, key), getattr(node, name)
        yield from _named([value for _, value in node])


def _entry(line: parts.Entry, *, struck: bool) -> Entry:
    return Entry(
        id=line.number,
        incident_id=0,
        number=line.number,
        happened_at=line.happened_at,
        ended_at=line.ended_at,
        approximate=line.approximate,
        text=line.text,
        author=line.author_id,
        recorder=line.recorder_id,
        recorded_at=line.recorded_at,
        kind=line.kind,
        milestone=line.milestone,
        version=max(len(line.versions), 1),
        struck=struck,
        permalink=line.permalink or "",
        source=line.message or "",
        source_change=line.message_since or "",
    )


def _wordings(line: parts.Entry) -> tuple[EntryVersion, ...]:
    return tuple(
        EntryVersion(version, one.change, one.happened_at, one.text, one.by.id, one.at, one.ended_at, one.approximate)
        for version, one in enumerate(line.versions, 1)
    ) or (first_wording(_entry(line, struck=False)),)


def _attachments(file: PostmortemFile) -> Iterator[Attachment]:
    held = 0
    for line in file.timeline:
        for number, told in enumerate(line.files):
            place = f"File {number + 1} of entry {line.number}"
            if told.not_kept is not None:
                yield _refused(line.number, told)
                continue
            kept = _kept(place, line.number, told, held)
            held += kept.size
            yield kept


def _kept(place: str, entry: int, told: parts.File, held: int) -> Attachment:
    content = told.content or b""
    kind = media_type(content, told.type or "")
    if told.size and not content:
        raise Refused(f"{place} has no content. Export the incident anew, with its files.")
    if not kind:
        raise Refused(f"{place} is neither an image, PDF, ZIP nor text by its content, and such are not kept.")
    if why := too_large(len(content), held):
        raise Refused(f"{place} cannot be kept: {why}.")
    return Attachment(0, entry, told.name, kind, len(content), "", "kept", "", content)


def _refused(entry: int, told: parts.File) -> Attachment:
    return Attachment(0, entry, told.name, told.type or "", told.size, "", "refused", told.not_kept or "")


def _why(why: parts.Why, *, struck: bool) -> Why:
    return Why(
        id=why.number,
        incident_id=0,
        number=why.number,
        parent=given_under(why),
        text=why.text,
        author=why.author_id,
        recorded_at=why.recorded_at,
        is_root=why.root,
        struck=struck,
        version=max(len(why.versions), 1),
        actions=actions_of(why),
    )


def _why_wordings(why: parts.Why) -> tuple[WhyVersion, ...]:
    return tuple(
        WhyVersion(version, one.change, one.text, one.by.id, one.at) for version, one in enumerate(why.versions, 1)
    ) or (first_why_wording(_why(why, struck=False)),)


def _savings(slug: str, part: parts.Section) -> tuple[SectionText, ...]:
    if part.versions:
        return tuple(
            SectionText(0, slug, one.text, one.by.id, one.at, version) for version, one in enumerate(part.versions, 1)
        )
    if not part.text:
        return ()
    if part.author_id is None or part.saved_at is None:
        raise Refused(f"sections.{slug} has a text, and so needs its author_id and saved_at.")
    return (SectionText(0, slug, part.text, part.author_id, part.saved_at, 1),)


def _action(told: parts.Action) -> Action:
    return Action(
        id=told.number,
        incident_id=0,
        number=told.number,
        text=told.text,
        owner=_id(told.owner),
        due_on=told.due,
        overdue_at=told.overdue_at,
        link=told.link or "",
        status=told.status,
        reason=told.reason or "",
        created_by=told.created_by.id,
        created_at=told.created_at,
        closed_at=told.closed_at,
        kind=told.kind,
        held=told.held or "",
    )


def _audit(deeds: list[parts.Deed], wordings: dict[int, tuple[EntryVersion, ...]]) -> tuple[AuditLine, ...]:
    told = [AuditLine(deed.at, deed.who_id, deed.verb, deed.what, deed.delivery or "") for deed in deeds]
    of_entries = [
        entry_deed(number, one.change, one.changed_by, one.changed_at)
        for number, found in sorted(wordings.items())
        for one in found
    ]
    return whole_audit([line for line in told if not is_entry_deed(line)], of_entries)
