"""Document to JSON, the format for other programs (docs/json.md)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.document import (
    ActionItem,
    AuditRecord,
    Document,
    DocumentOutline,
    DocumentSection,
    EditedText,
    FileItem,
    Metrics,
    PastWording,
    PersonName,
    SimilarIncident,
    TimelineLine,
    WhyStep,
)
from bot.domain.outline import ALSO_WRITTEN
from bot.domain.policy import SeverityPolicy, to_plain
from bot.domain.records import Milestone
from bot.domain.text import format_iso

FORMAT = "afterword.postmortem"
# It goes up only if what is there already changes its meaning; new properties leave it as it is (docs/json.md).
VERSION = 1

_Object = dict[str, object]


def write_json(document: Document) -> bytes:
    """The document as one JSON object, indented, UTF-8, with a line end. docs/postmortem.schema.json is its schema.

    Times are ISO 8601 in UTC with Z, spans are seconds, what is not known is null, people are `{id, name}`.
    """
    rest = json.dumps(convert_document(replace(document, timeline=())), ensure_ascii=False, indent=2)
    counting = document.counting
    lines = ",".join([_write_line(line, counting) for line in document.timeline])
    # The first: no text has a line end in it, and what comes before has no other list of this name.
    return (rest.replace(_NO_LINES, f"{_NO_LINES[:-1]}{lines}\n  ]", 1) if lines else rest).encode() + b"\n"


_NO_LINES = '\n  "timeline": []'
# With an indent Python's encoder takes ten times as long as the one in C. A flat object that is indented differs from
# one that is not only between its values.
_FLAT = json.JSONEncoder(ensure_ascii=False, separators=(",\n      ", ": "))


def _write_line(line: TimelineLine, counting: Mapping[Milestone, int]) -> str:
    """A line of the timeline where it belongs, indented."""
    shown = _convert_line(line, counting)
    if line.files or line.versions:
        return "\n    " + json.dumps(shown, ensure_ascii=False, indent=2).replace("\n", "\n    ")
    return f"\n    {{\n      {_FLAT.encode(shown)[1:-1]}\n    }}"


def convert_document(document: Document) -> _Object:
    """The document as plain dictionaries, lists, strings and numbers."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "generated_at": format_iso(document.generated_at),
        "incident": _convert_incident(document),
        "metrics": _convert_metrics(document.metrics),
        "timeline": [_convert_line(line, document.counting) for line in document.timeline],
        "whys": [_convert_why(step) for step in document.whys],
        "sections": {part.slug: _convert_section(part) for part in (*document.parts, *document.absent)},
        "actions": [_convert_action(action) for action in document.actions],
        "kept": [_convert_edit(text) for text in document.kept],
        "audit": [_convert_audit_line(line) for line in document.audit],
        "struck": {
            "timeline": [_convert_line(line, {}) for line in document.struck],
            "whys": [_convert_why(step) for step in document.struck_whys],
        },
        "likenesses": [_convert_likeness(one) for one in document.likenesses],
    }


def _convert_incident(document: Document) -> _Object:
    return {
        "key": document.key,
        "workspace": document.workspace or None,
        "title": document.title,
        "severity": document.severity or None,
        "services": list(document.services),
        "tags": list(document.tags),
        "status": document.status.value,
        "channel": {"id": document.channel_id, "name": document.channel_name or None},
        "lead": _convert_person(document.lead),
        "opened_by": _convert_person(document.opened_by),
        "opened_at": format_iso(document.opened_at),
        "started_at": _format_time(document.started_at),
        "resolved_at": _format_time(document.resolved_at),
        "resolved_by": _convert_person(document.resolved_by),
        "duration": _count_seconds(document.duration),
        "milestones": {mark.milestone.value: _format_time(mark.at) for mark in document.marks},
        "people": [_convert_person(who) for who in document.people],
        "postmortem": {
            "status": document.postmortem_status.value,
            "reason": document.postmortem_reason or None,
            "owner": _convert_person(document.owner),
            "published_at": _format_time(document.published_at),
            "form": _convert_outline(document.outline),
            "policy": _convert_policy(document.policy) if document.policy else None,
        },
    }


def _convert_outline(outline: DocumentOutline | None) -> _Object | None:
    if outline is None:
        return None
    names = ("slug", "title", "question", "required")
    sections, former = (
        [dict(zip(names, section, strict=True)) for section in group] for group in (outline.sections, outline.former)
    )
    about = {"name": outline.name, "title": outline.title, "chosen": outline.is_chosen}
    return {**about, "sections": sections, "former": former}


def _convert_policy(policy: SeverityPolicy) -> _Object:
    after = policy.after_resolution
    left_out = dict.fromkeys(("weeks", "sections", "due", "rest_hours", "rest_days", "owner"))
    always = {"also": list(policy.also), "chosen": policy.is_chosen, "review": "optional"}
    seconds = None if after is None else [_count_seconds(span) for span in after]
    return {**left_out, **always, **to_plain(policy), "remind_after": seconds}


def _convert_metrics(metrics: Metrics) -> _Object:
    return {
        "time_to_detect": _count_seconds(metrics.time_to_detect),
        "time_to_acknowledge": _count_seconds(metrics.time_to_acknowledge),
        "time_to_mitigate": _count_seconds(metrics.time_to_mitigate),
        "time_to_resolve": _count_seconds(metrics.time_to_resolve),
        "postmortem_age": _count_seconds(metrics.postmortem_age),
    }


def _convert_line(line: TimelineLine, counting: Mapping[Milestone, int]) -> _Object:
    counts = counting.get(line.milestone) if line.milestone else None
    return {
        "number": line.number,
        "happened_at": format_iso(line.happened_at),
        "ended_at": _format_time(line.ended_at),
        "approximate": line.approximate,
        "text": line.text,
        "milestone": line.milestone.value if line.milestone else None,
        "counts": counts == line.number if counts else None,
        "kind": line.kind.value,
        "author": line.author.name,
        "author_id": line.author.id,
        "recorder": line.recorder.name,
        "recorder_id": line.recorder.id,
        "recorded_at": format_iso(line.recorded_at),
        "permalink": line.permalink or None,
        "message": line.source or None,
        "message_since": line.source_change or None,
        "files": list(map(_convert_file, line.files)),
        "versions": list(map(_convert_version, line.versions)),
    }


def _convert_version(wording: PastWording) -> _Object:
    return {**_convert_wording(wording), **_convert_times(wording)}


def _convert_times(wording: PastWording) -> _Object:
    return {
        "happened_at": _format_time(wording.happened_at),
        "ended_at": _format_time(wording.ended_at),
        "approximate": wording.approximate,
    }


def _convert_file(file: FileItem) -> _Object:
    """A file with its content in base64, or the reason why it is not kept."""
    return {
        "name": file.name,
        "type": file.media_type or None,
        "size": file.size,
        "sha256": hashlib.sha256(file.content).hexdigest() if file.content else None,
        "not_kept": file.note or None,
        "content": base64.b64encode(file.content).decode() if file.content else None,
    }


def _convert_why(step: WhyStep) -> _Object:
    return {
        "number": step.number,
        "parent": step.parent,
        "answers": step.answers,
        "text": step.text,
        "root": step.is_root,
        "evidence": [
            {"number": line.number, "happened_at": format_iso(line.happened_at), "text": line.text}
            for line in step.evidence
        ],
        "action": step.action,
        "actions": list(step.actions),
        "author": step.author.name,
        "author_id": step.author.id,
        "recorded_at": format_iso(step.recorded_at),
        "versions": [_convert_wording(one) for one in step.versions],
    }


def _convert_section(part: DocumentSection) -> _Object:
    return {
        "title": part.title.removeprefix(ALSO_WRITTEN),
        "text": part.text or None,
        "author": part.author.name if part.author else None,
        "author_id": part.author.id if part.author else None,
        "saved_at": _format_time(part.saved_at),
        "versions": [_convert_wording(one) for one in part.versions],
    }


def _convert_wording(wording: PastWording) -> _Object:
    return {
        "change": wording.change,
        "text": wording.text,
        "by": _convert_person(wording.by),
        "at": format_iso(wording.at),
    }


def _convert_action(action: ActionItem) -> _Object:
    return {
        "number": action.number,
        "text": action.text,
        "owner": _convert_person(action.owner),
        "due": action.due_on.isoformat() if action.due_on else None,
        "status": action.status.value,
        "overdue": action.is_overdue,
        "reason": action.reason or None,
        "link": action.link or None,
        "kind": action.kind or None,
        "held": action.held or None,
        "overdue_at": _format_time(action.overdue_at),
        "created_by": _convert_person(action.created_by),
        "created_at": _format_time(action.created_at),
        "closed_at": _format_time(action.closed_at),
    }


def _convert_likeness(verdict: SimilarIncident) -> _Object:
    return {
        "incident": verdict.key,
        "same_cause": verdict.is_same,
        "said_by": _convert_person(verdict.said_by),
        "said_at": format_iso(verdict.said_at),
    }


def _convert_edit(text: EditedText) -> _Object:
    """A text that came back in an edited draft. `facts` and `seen` identify the draft that its author had."""
    return {
        "section": text.section,
        "version": text.version,
        "change": text.change.value,
        "markdown": text.markdown,
        "facts": text.facts or None,
        "seen": text.seen,
        "author": text.author.name if text.author else None,
        "author_id": (text.author.id or None) if text.author else None,
        "source": text.source,
        "draft": text.draft or None,
        "saved_at": format_iso(text.saved_at),
        "stands": text.stands,
    }


def _convert_audit_line(line: AuditRecord) -> _Object:
    return {
        "at": format_iso(line.at),
        "who": line.who.name,
        "who_id": line.who.id,
        "verb": line.verb,
        "what": line.what,
        "delivery": line.delivery or None,
    }


def _convert_person(who: PersonName | None) -> dict[str, str] | None:
    return {"id": who.id, "name": who.name} if who else None


def _format_time(moment: datetime | None) -> str | None:
    return format_iso(moment) if moment else None


def _count_seconds(length: timedelta | None) -> int | float | None:
    if length is None:
        return None
    seconds = length.total_seconds()
    # Whole seconds as whole numbers, so that a file that is read and written again stays the same to the byte.
    return int(seconds) if seconds.is_integer() else seconds
