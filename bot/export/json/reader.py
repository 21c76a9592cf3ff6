"""The JSON export read back into a record. What is accepted can be exported again exactly as it came."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import (
    Action,
    Attachment,
    AttachmentState,
    AuditLine,
    Case,
    EditedRegion,
    Entry,
    EntryVersion,
    Incident,
    Likeness,
    Person,
    RecordHistory,
    SectionText,
    Status,
    Why,
    WhyVersion,
    describe_too_large,
    detect_media_type,
    first_why_wording,
    first_wording,
    is_entry_change,
    merge_audit,
    name_entry_change,
)
from bot.domain.text import format_iso
from bot.domain.whys import list_active
from bot.errors import Refused
from bot.export.json import FORMAT, VERSION, convert_document
from bot.export.json import schema as json_schema
from bot.export.json.schema import FileHeadJson, PostmortemFile

_NAMED = (("author", "author_id"), ("recorder", "recorder_id"), ("who", "who_id"))


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The record that a file tells, as of `generated_at`.

    Nothing in it has a row yet: the incident is 0, entries, whys and actions go by their numbers. The workspace is
    empty where the file names none.
    """

    case: Case
    history: RecordHistory
    generated_at: datetime


def convert_file(file: PostmortemFile) -> FileRecord:
    """The record of a file that has the form; raises Refused, naming the place, for what no record can hold.

    Its numbers must be unique, each with what refers to it.
    """
    entries = tuple(_convert_entry(line, struck=False) for line in file.timeline)
    struck = tuple(_convert_entry(line, struck=True) for line in file.struck.timeline)
    wordings = {line.number: _convert_wordings(line) for line in (*file.timeline, *file.struck.timeline)}
    whys = sorted(
        [_convert_why(why, struck=False) for why in file.whys]
        + [_convert_why(why, struck=True) for why in file.struck.whys],
        key=lambda why: why.number,
    )
    savings = {slug: found for slug, part in file.sections.items() if (found := _convert_section(slug, part))}
    return FileRecord(
        Case(
            incident=_convert_incident(file),
            entries=entries,
            whys=list_active(whys),
            sections={slug: found[-1] for slug, found in savings.items() if found[-1].text},
            actions=tuple(_convert_action(action) for action in file.actions),
            people=_collect_people(file),
            attachments=tuple(_convert_files(file)),
            audit=(audit := _convert_audit(file.audit, wordings)),
            kept=tuple(map(_convert_edit, file.kept)),
            revision=len(audit),
        ),
        RecordHistory(
            struck=struck,
            files=tuple(
                _convert_refused_file(line.number, told) for line in file.struck.timeline for told in line.files
            ),
            wordings=wordings,
            whys=tuple(whys),
            why_wordings={why.number: _convert_why_wordings(why) for why in (*file.whys, *file.struck.whys)},
            savings=savings,
            verdicts=tuple(
                Likeness(int(said.incident.removeprefix("INC-")), said.same_cause, said.said_by.id, said.said_at)
                for said in file.likenesses
            ),
        ),
        file.generated_at,
    )


def find_answered_why(why: json_schema.WhyJson) -> int | None:
    """The number of the why that this one was the answer to."""
    return why.answers if "answers" in why.model_fields_set else why.parent


def list_actions(why: json_schema.WhyJson) -> tuple[int, ...]:
    """The numbers of the actions that are for a why; an earlier export names one at most."""
    return tuple(why.actions) or ((why.action,) if why.action is not None else ())


def _convert_edit(text: json_schema.EditedTextJson) -> EditedRegion:
    return EditedRegion(
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


def _convert_incident(file: PostmortemFile) -> Incident:
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
        lead=_user_id(told.lead),
        opened_by=told.opened_by.id,
        opened_at=told.opened_at,
        resolved_by=_user_id(told.resolved_by),
        resolved_at=told.resolved_at,
        postmortem_status=document.status,
        postmortem_owner=_user_id(document.owner),
        postmortem_reason=document.reason or "",
        published_at=document.published_at,
        channel_name=told.channel.name or "",
    )


def _user_id(who: json_schema.PersonJson | None) -> str | None:
    return who.id if who else None


def _collect_people(file: PostmortemFile) -> dict[str, Person]:
    """Everybody by the name that the file gives first; whose name is only their id is not known."""
    names: dict[str, str] = {}
    for user, name in _walk_names(file):
        names.setdefault(user, name)
    team = file.incident.workspace or ""
    return {user: Person(team, user, name) for user, name in names.items() if name != user}


def _walk_names(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, json_schema.PersonJson):
        yield node.id, node.name
    elif isinstance(node, list | tuple):
        for member in node:
            yield from _walk_names(member)
    elif isinstance(node, dict):
        yield from _walk_names(list(node.values()))
    elif isinstance(node, json_schema.Shape):
        for name, key in _NAMED:
            if getattr(node, name, None) and getattr(node, key, None):
                yield getattr(node, key), getattr(node, name)
        yield from _walk_names([value for _, value in node])


def _convert_entry(line: json_schema.EntryJson, *, struck: bool) -> Entry:
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


def _convert_wordings(line: json_schema.EntryJson) -> tuple[EntryVersion, ...]:
    return tuple(
        EntryVersion(version, one.change, one.happened_at, one.text, one.by.id, one.at, one.ended_at, one.approximate)
        for version, one in enumerate(line.versions, 1)
    ) or (first_wording(_convert_entry(line, struck=False)),)


def _convert_files(file: PostmortemFile) -> Iterator[Attachment]:
    held = 0
    for line in file.timeline:
        for number, told in enumerate(line.files):
            place = f"File {number + 1} of entry {line.number}"
            if told.not_kept is not None:
                yield _convert_refused_file(line.number, told)
                continue
            kept = _convert_stored_file(place, line.number, told, held)
            held += kept.size
            yield kept


def _convert_stored_file(place: str, entry: int, told: json_schema.FileJson, held: int) -> Attachment:
    content = told.content or b""
    kind = detect_media_type(content, told.type or "")
    if told.size and not content:
        raise Refused(f"{place} has no content. Export the incident anew, with its files.")
    if not kind:
        raise Refused(f"{place} is neither an image, PDF, ZIP nor text by its content, and such are not kept.")
    if why := describe_too_large(len(content), held):
        raise Refused(f"{place} cannot be kept: {why}.")
    return Attachment(0, entry, told.name, kind, len(content), "", AttachmentState.STORED, "", content)


def _convert_refused_file(entry: int, told: json_schema.FileJson) -> Attachment:
    return Attachment(0, entry, told.name, told.type or "", told.size, "", AttachmentState.REFUSED, told.not_kept or "")


def _convert_why(why: json_schema.WhyJson, *, struck: bool) -> Why:
    return Why(
        id=why.number,
        incident_id=0,
        number=why.number,
        parent=find_answered_why(why),
        text=why.text,
        author=why.author_id,
        recorded_at=why.recorded_at,
        is_root=why.root,
        struck=struck,
        version=max(len(why.versions), 1),
        actions=list_actions(why),
    )


def _convert_why_wordings(why: json_schema.WhyJson) -> tuple[WhyVersion, ...]:
    return tuple(
        WhyVersion(version, one.change, one.text, one.by.id, one.at) for version, one in enumerate(why.versions, 1)
    ) or (first_why_wording(_convert_why(why, struck=False)),)


def _convert_section(slug: str, part: json_schema.SectionJson) -> tuple[SectionText, ...]:
    if part.versions:
        return tuple(
            SectionText(0, slug, one.text, one.by.id, one.at, version) for version, one in enumerate(part.versions, 1)
        )
    if not part.text:
        return ()
    if part.author_id is None or part.saved_at is None:
        raise Refused(f"sections.{slug} has a text, and so needs its author_id and saved_at.")
    return (SectionText(0, slug, part.text, part.author_id, part.saved_at, 1),)


def _convert_action(told: json_schema.ActionJson) -> Action:
    return Action(
        id=told.number,
        incident_id=0,
        number=told.number,
        text=told.text,
        owner=_user_id(told.owner),
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


def _convert_audit(
    deeds: list[json_schema.AuditLineJson], wordings: dict[int, tuple[EntryVersion, ...]]
) -> tuple[AuditLine, ...]:
    told = [AuditLine(deed.at, deed.who_id, deed.verb, deed.what, deed.delivery or "") for deed in deeds]
    of_entries = [
        name_entry_change(number, one.change, one.changed_by, one.changed_at)
        for number, found in sorted(wordings.items())
        for one in found
    ]
    return merge_audit([line for line in told if not is_entry_change(line)], of_entries)


MAX_BYTES = 256 * 1024**2
"""Bytes of a file: the files of an incident alone may be 100 MB, and a third more in Base64."""

_MAX_QUOTED = 60
_SEE = "docs/json.md tells the form."


def read(content: bytes) -> FileRecord:
    """The record that a file tells.

    Raises Refused with a sentence that names the place and the cause: it is no JSON, it has another form, or parts of
    it contradict each other. What is accepted is accepted whole: exporting the record gives every value of the file.
    """
    if len(content) > MAX_BYTES:
        raise Refused(f"It is larger than {MAX_BYTES // 1024**2} MB, which no incident is.")
    try:
        _require_known_version(FileHeadJson.model_validate_json(content))
        file = PostmortemFile.model_validate_json(content)
    except ValidationError as error:
        raise Refused(_describe_error(error)) from error
    json.loads(content, object_pairs_hook=_require_unique_keys)
    _require_consistent(file)
    told = convert_file(file)
    _require_round_trip(file, told)
    return told


def _require_unique_keys(pairs: list[tuple[str, object]]) -> None:
    """JSON lets a property stand twice in an object; whoever reads it takes the last, and the first would be lost."""
    _require_once("property", [name for name, _ in pairs])


def _require_known_version(head: FileHeadJson) -> None:
    if head.format != FORMAT:
        raise Refused(f"It is no postmortem of Afterword: format must be {FORMAT!r}. {_SEE}")
    if head.version is not None and head.version > VERSION:
        raise Refused(
            f"It has version {head.version} of the form, and this Afterword reads {VERSION}. "
            "Bring Afterword up to date first."
        )


def _require_consistent(file: PostmortemFile) -> None:
    every_entry, every_why = (*file.timeline, *file.struck.timeline), (*file.whys, *file.struck.whys)
    for what, numbers in (
        ("entry", [line.number for line in every_entry]),
        ("message", [line.message for line in every_entry if line.message]),
        ("why", [why.number for why in every_why]),
        ("action", [action.number for action in file.actions]),
        ("kept text", [f"{text.section} {text.version}" for text in file.kept]),
        ("likeness with", [said.incident for said in file.likenesses]),
    ):
        _require_once(what, numbers)
    whys, actions = {why.number for why in every_why}, {action.number for action in file.actions}
    for why in every_why:
        above = find_answered_why(why)
        if above is not None and (above not in whys or above >= why.number):
            raise Refused(f"Why {why.number} cannot explain why {above}: a why explains one of the file before it.")
        for number in list_actions(why):
            if number not in actions:
                raise Refused(f"Why {why.number} names action {number}, which the file does not have.")
    for action in file.actions:
        if (action.due is None) != (action.overdue_at is None):
            raise Refused(
                f"Action {action.number} has a due day exactly where it has an overdue_at, which ends that day."
            )


def _require_once(what: str, numbers: Iterable[object]) -> None:
    seen: set[object] = set()
    for number in numbers:
        if number in seen:
            raise Refused(f"The file has {what} {number} twice.")
        seen.add(number)


def _require_round_trip(file: PostmortemFile, told: FileRecord) -> None:
    """Export what was read, and compare: what would be lost or changed on the way is refused, not dropped."""
    document = postmortem_rules.compile_document(told.case, told.generated_at, told.history)
    try:
        again = PostmortemFile.model_validate_json(json.dumps(convert_document(document)))
    except ValidationError as error:
        raise Refused(_describe_error(error)) from error
    given = file.model_dump(exclude_unset=True)
    if not file.audit:  # an export may be made without it
        given.pop("audit", None)
    for summary in ("incident", "metrics"):  # what they sum up is the better place to name
        given |= {summary: given.pop(summary, {})}
    for place, said, follows in _find_differences(given, again.model_dump(), ""):
        raise Refused(
            f"{place} is {_quote_value(said)}, but from the rest of the file it follows that it is "
            f"{_quote_value(follows)}. "
            f"Correct one of them, or leave it out. {_SEE}"
        )


def _find_differences(said: object, follows: object, place: str) -> Iterator[tuple[str, object, object]]:
    if isinstance(said, dict) and isinstance(follows, dict):
        for key, value in said.items():
            yield from _find_differences(value, follows.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(said, list) and isinstance(follows, list) and len(said) == len(follows):
        for number, (one, other) in enumerate(zip(said, follows, strict=True)):
            yield from _find_differences(one, other, f"{place}[{number}]")
    elif said != follows:
        yield place, said, follows


def _quote_value(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, default=lambda odd: format_iso(odd) if isinstance(odd, datetime) else str(odd))
    return text if len(text) <= _MAX_QUOTED else f"{text[: _MAX_QUOTED - 1]}…"


def _describe_error(error: ValidationError) -> str:
    """The first mistake as a sentence."""
    mistakes = error.errors(include_url=False)
    first = mistakes[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    more = f" There are {len(mistakes) - 1} more mistakes." if len(mistakes) > 1 else ""
    if first["type"] == "json_invalid":
        return f"It cannot be read as JSON ({first['msg'].removeprefix('Invalid JSON: ')})."
    if first["type"] == "missing":
        return f"{place} is missing. {_SEE}{more}"
    if first["type"] == "extra_forbidden":
        return f"{place} is no property of this form. {_SEE}{more}"
    cause = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place or 'The file'} is {_quote_value(first['input'])}: {cause}. {_SEE}{more}"
