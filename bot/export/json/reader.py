"""The JSON export read back into a record. What is accepted can be exported again exactly as it came."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot import bounds
from bot.domain import postmortem as postmortem_rules
from bot.domain.facets import Facet, FacetKind
from bot.domain.outline import Outline
from bot.domain.policy import SeverityPolicy, from_plain
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
    Person,
    RecordHistory,
    SectionText,
    SimilarityVerdict,
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
from bot.domain.sections import BY_SLUG, Section
from bot.domain.text import format_iso
from bot.domain.whys import list_active
from bot.errors import Refused
from bot.export.json import FORMAT, VERSION, convert_document
from bot.export.json import schema as json_schema
from bot.export.json.schema import FileHeadJson, PostmortemFile

_NAMED = (("author", "author_id"), ("recorder", "recorder_id"), ("who", "who_id"))


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The record in a file, as of `generated_at`.

    Nothing in it has a row yet: the incident is 0, and the ids of entries, whys and actions are their numbers. The
    workspace is "" if the file names none.
    """

    case: Case
    history: RecordHistory
    generated_at: datetime


def convert_file(file: PostmortemFile) -> FileRecord:
    """The record in a valid file. Raises Refused, naming the place, for what a record cannot hold.

    Numbers must be unique, and references must lead to something (`_require_consistent`).
    """
    entries = tuple(_convert_entry(line, struck=False) for line in file.timeline)
    struck = tuple(_convert_entry(line, struck=True) for line in file.struck.timeline)
    wordings = {line.number: _convert_wordings(line) for line in (*file.timeline, *file.struck.timeline)}
    whys = sorted(
        [_convert_why(why, struck=False) for why in file.whys]
        + [_convert_why(why, struck=True) for why in file.struck.whys],
        key=lambda why: why.number,
    )
    savings = {slug: texts for slug, part in file.sections.items() if (texts := _convert_section(slug, part))}
    return FileRecord(
        Case(
            incident=_convert_incident(file),
            entries=entries,
            whys=list_active(whys),
            sections={slug: texts[-1] for slug, texts in savings.items() if texts[-1].text},
            actions=tuple(_convert_action(action) for action in file.actions),
            people=_collect_people(file),
            attachments=tuple(_convert_files(file)),
            audit=(audit := _convert_audit(file.audit, wordings)),
            edited_sections=tuple(map(_convert_edit, file.kept)),
            revision=len(audit),
            facets=tuple(_convert_facets(file)),
        ),
        RecordHistory(
            struck=struck,
            files=tuple(_convert_refused_file(line.number, one) for line in file.struck.timeline for one in line.files),
            wordings=wordings,
            whys=tuple(whys),
            why_wordings={why.number: _convert_why_wordings(why) for why in (*file.whys, *file.struck.whys)},
            savings=savings,
            verdicts=tuple(
                SimilarityVerdict(int(one.incident.removeprefix("INC-")), one.same_cause, one.said_by.id, one.said_at)
                for one in file.likenesses
            ),
        ),
        file.generated_at,
    )


def find_answered_why(why: json_schema.WhyJson) -> int | None:
    """The number of the why that this one answered. Older exports have only its parent."""
    # Asked for by name, because an answer to the incident itself is null as well.
    return why.answers if "answers" in why.model_fields_set else why.parent


def list_actions(why: json_schema.WhyJson) -> tuple[int, ...]:
    """The numbers of the actions for a why. Older exports name one at most."""
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
    incident, document = file.incident, file.incident.postmortem
    if incident.status is Status.RESOLVED and incident.resolved_at is None:
        raise Refused("incident.resolved_at is missing, although incident.status is resolved.")
    return Incident(
        id=0,
        team=incident.workspace or "",
        channel=incident.channel.id,
        number=int(incident.key.removeprefix("INC-")),
        title=incident.title,
        status=incident.status,
        severity=int(incident.severity.removeprefix("sev")) if incident.severity else None,
        lead=_user_id(incident.lead),
        opened_by=incident.opened_by.id,
        opened_at=incident.opened_at,
        resolved_by=_user_id(incident.resolved_by),
        resolved_at=incident.resolved_at,
        postmortem_status=document.status,
        postmortem_owner=_user_id(document.owner),
        postmortem_reason=document.reason or "",
        published_at=document.published_at,
        channel_name=incident.channel.name or "",
        outline=_convert_outline(document.form) if document.form else None,
        policy=_convert_policy(document.policy) if document.policy else None,
    )


def _convert_outline(form: json_schema.FormJson) -> Outline:
    sections, former = (
        tuple(Section(one.slug, one.title, one.question, one.required) for one in group)
        for group in (form.sections, form.former)
    )
    return Outline(form.name, form.title, sections, former, form.chosen)


def _convert_policy(policy: json_schema.PolicyJson) -> SeverityPolicy:
    values = policy.model_dump(mode="json", exclude_none=True)
    if policy.remind_after is not None:
        values["remind_after"] = [seconds / 3600 for seconds in policy.remind_after]
    return from_plain(values)


def _convert_facets(file: PostmortemFile) -> Iterator[Facet]:
    # Who added a name, and when, is in the audit alone.
    names = ((FacetKind.SERVICE, file.incident.services), (FacetKind.TAG, file.incident.tags))
    for kind, these in names:
        yield from (Facet(kind, name, "", file.incident.opened_at) for name in these)


def _user_id(who: json_schema.PersonJson | None) -> str | None:
    return who.id if who else None


def _collect_people(file: PostmortemFile) -> dict[str, Person]:
    # By the first name in the file. A name that is only the id means that the name was unknown.
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
    size = 0
    for line in file.timeline:
        for number, item in enumerate(line.files):
            place = f"File {number + 1} of entry {line.number}"
            if item.not_kept is not None:
                yield _convert_refused_file(line.number, item)
                continue
            attachment = _convert_stored_file(place, line.number, item, size)
            size += attachment.size
            yield attachment


def _convert_stored_file(place: str, entry: int, item: json_schema.FileJson, total: int) -> Attachment:
    content = item.content or b""
    kind = detect_media_type(content, item.type or "")
    if item.size and not content:
        raise Refused(f"{place} has no content. Export the incident again, with its files.")
    if not kind:
        raise Refused(f"{place} isn't an image, PDF, ZIP or text by its content. Other files aren't kept.")
    if why := describe_too_large(len(content), total):
        raise Refused(f"{place} can't be kept: {why}.")
    return Attachment(0, entry, item.name, kind, len(content), "", AttachmentState.STORED, "", content)


def _convert_refused_file(entry: int, item: json_schema.FileJson) -> Attachment:
    return Attachment(0, entry, item.name, item.type or "", item.size, "", AttachmentState.REFUSED, item.not_kept or "")


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
        raise Refused(f"sections.{slug} has a text, so it needs an author_id and a saved_at.")
    return (SectionText(0, slug, part.text, part.author_id, part.saved_at, 1),)


def _convert_action(action: json_schema.ActionJson) -> Action:
    return Action(
        id=action.number,
        incident_id=0,
        number=action.number,
        text=action.text,
        owner=_user_id(action.owner),
        due_on=action.due,
        overdue_at=action.overdue_at,
        link=action.link or "",
        status=action.status,
        reason=action.reason or "",
        created_by=action.created_by.id,
        created_at=action.created_at,
        closed_at=action.closed_at,
        kind=action.kind,
        held=action.held or "",
    )


def _convert_audit(
    lines: list[json_schema.AuditLineJson], wordings: dict[int, tuple[EntryVersion, ...]]
) -> tuple[AuditLine, ...]:
    written = [AuditLine(line.at, line.who_id, line.verb, line.what, line.delivery or "") for line in lines]
    of_entries = [
        name_entry_change(number, one.change, one.changed_by, one.changed_at)
        for number, found in sorted(wordings.items())
        for one in found
    ]
    return merge_audit([line for line in written if not is_entry_change(line)], of_entries)


_MAX_QUOTED = 60
_SEE = "The format is described in docs/json.md."


def read(content: bytes) -> FileRecord:
    """The record in a file.

    Raises Refused with a sentence that names place and cause: it is no JSON, it is no valid file, or parts of it
    contradict each other. A file is accepted whole or not at all: exporting the record gives every value of the file.
    """
    # Before it is parsed, which takes several times its size in memory.
    if len(content) > bounds.RECORD_FILE:
        raise Refused(f"It is larger than {bounds.RECORD_FILE // 1024**2} MB. No incident is that large.")
    try:
        # The head alone first: of a newer version people should hear that it is newer, not that a property is
        # unknown.
        _require_known_version(FileHeadJson.model_validate_json(content))
        file = PostmortemFile.model_validate_json(content)
    except ValidationError as error:
        raise Refused(_describe_error(error)) from error
    # Parsed a second time for that alone (decision 23): pydantic takes the last of two properties and says nothing.
    json.loads(content, object_pairs_hook=_require_unique_keys)
    _require_consistent(file)
    record = convert_file(file)
    _require_round_trip(file, record)
    return record


def _require_unique_keys(pairs: list[tuple[str, object]]) -> None:
    # JSON allows a property twice in an object. Parsers take the last one, and the first would be lost silently.
    _require_once("property", [name for name, _ in pairs])


def _require_known_version(head: FileHeadJson) -> None:
    if head.format != FORMAT:
        raise Refused(f"It isn't an Afterword postmortem: format must be {FORMAT!r}. {_SEE}")
    if head.version is not None and head.version > VERSION:
        raise Refused(
            f"It has version {head.version} of the format, and this Afterword reads {VERSION}. Update Afterword first."
        )


def _require_consistent(file: PostmortemFile) -> None:
    every_entry, every_why = (*file.timeline, *file.struck.timeline), (*file.whys, *file.struck.whys)
    for what, numbers in (
        ("entry", [line.number for line in every_entry]),
        ("message", [line.message for line in every_entry if line.message]),
        ("why", [why.number for why in every_why]),
        ("action", [action.number for action in file.actions]),
        ("kept text", [f"{text.section} {text.version}" for text in file.kept]),
        ("likeness with", [one.incident for one in file.likenesses]),
    ):
        _require_once(what, numbers)
    _require_known_sections(file)
    whys, actions = {why.number for why in every_why}, {action.number for action in file.actions}
    for why in every_why:
        above = find_answered_why(why)
        if above is not None and (above not in whys or above >= why.number):
            raise Refused(
                f"Why {why.number} can't explain why {above}. A why explains one that comes before it in the file."
            )
        for number in list_actions(why):
            if number not in actions:
                raise Refused(f"Why {why.number} names action {number}, which isn't in the file.")
    for action in file.actions:
        if (action.due is None) != (action.overdue_at is None):
            raise Refused(
                f"Action {action.number} needs both a due day and an overdue_at, which is the end of that day, or "
                f"neither."
            )


def _require_known_sections(file: PostmortemFile) -> None:
    form = file.incident.postmortem.form
    known = [*BY_SLUG, *(section.slug for section in ((*form.sections, *form.former) if form else ()))]
    for slug in file.sections:
        if slug not in known:
            raise Refused(f"sections.{slug}: there is no section {slug!r}; there are {', '.join(known)}. {_SEE}")


def _require_once(what: str, numbers: Iterable[object]) -> None:
    seen: set[object] = set()
    for number in numbers:
        if number in seen:
            raise Refused(f"The file has {what} {number} twice.")
        seen.add(number)


def _require_round_trip(file: PostmortemFile, record: FileRecord) -> None:
    # Export what was read and compare: what would be lost or changed on the way is refused, not dropped silently.
    document = postmortem_rules.compile_document(record.case, record.generated_at, record.history)
    try:
        again = PostmortemFile.model_validate_json(json.dumps(convert_document(document)))
    except ValidationError as error:
        raise Refused(_describe_error(error)) from error
    values = file.model_dump(exclude_unset=True)
    if not file.audit:  # an export may be made without it
        values.pop("audit", None)
    # Summaries come last: an error is better named at its own place than in a sum of it.
    for summary in ("incident", "metrics"):
        values |= {summary: values.pop(summary, {})}
    for place, value, follows in _find_differences(values, again.model_dump(), ""):
        raise Refused(
            f"{place} is {_quote_value(value)}, but the rest of the file makes it {_quote_value(follows)}. Correct "
            f"one of them, or leave it out. {_SEE}"
        )


def _find_differences(value: object, follows: object, place: str) -> Iterator[tuple[str, object, object]]:
    if isinstance(value, dict) and isinstance(follows, dict):
        # Only what the file says is compared: a file of an older version lacks the properties that came later.
        for key, item in value.items():
            yield from _find_differences(item, follows.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(value, list) and isinstance(follows, list) and len(value) == len(follows):
        for number, (one, other) in enumerate(zip(value, follows, strict=True)):
            yield from _find_differences(one, other, f"{place}[{number}]")
    elif value != follows:
        yield place, value, follows


def _quote_value(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, default=lambda odd: format_iso(odd) if isinstance(odd, datetime) else str(odd))
    return text if len(text) <= _MAX_QUOTED else f"{text[: _MAX_QUOTED - 1]}…"


def _describe_error(error: ValidationError) -> str:
    mistakes = error.errors(include_url=False)
    first = mistakes[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    more = f" The file has {len(mistakes) - 1} more mistakes." if len(mistakes) > 1 else ""
    if first["type"] == "json_invalid":
        return f"It can't be read as JSON ({first['msg'].removeprefix('Invalid JSON: ')})."
    if first["type"] == "missing":
        return f"{place} is missing. {_SEE}{more}"
    if first["type"] == "extra_forbidden":
        return f"{place} isn't a property of this format. {_SEE}{more}"
    cause = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place or 'The file'} is {_quote_value(first['input'])}: {cause}. {_SEE}{more}"
