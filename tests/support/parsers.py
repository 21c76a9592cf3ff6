"""Every reader and writer of text of the product, found by walking its modules, and how each is given a text.

A function or method is one of them if it takes a text, bytes or JSON. Most are called with arguments made by their
types. The others have an entry in `ENTRIES`; what is not about a person's text is in `tests/test_parsers.py`.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import FunctionType
from typing import Any

from bot.clock import SystemClock
from bot.domain import facets as facets_rules
from bot.domain import masking as masking_rules
from bot.domain import secrets as secrets_rules
from bot.domain import similarity as similarity_rules
from bot.domain import text as text_rules
from bot.domain.alerts.groups import parse_conditions
from bot.domain.alerts.payloads import parse_alertmanager, parse_jsm, parse_pagerduty
from bot.domain.announcements.posts import parse_digest
from bot.domain.announcements.updates import read_promise, split_update
from bot.domain.facets import FacetKind
from bot.domain.library import parse_filters
from bot.domain.outline import STANDARD, define_outline, find_near_section, find_section
from bot.domain.pasting.paste import read_lines
from bot.domain.review import parse_order
from bot.domain.sections import redact_markdown
from bot.domain.timeline import unpack_pending_entry
from bot.domain.times.zones import parse_zone
from bot.domain.whys import parse_blame_words
from bot.errors import Refused
from bot.export import canvas
from bot.export.canvas_markdown import CanvasMarkdown
from bot.export.confluence import StorageXhtml
from bot.export.confluence.regions import render_markdown, split_page
from bot.export.drafts import split
from bot.export.json.reader import read
from bot.export.markdown_reader import MarkdownReader
from bot.integrations import http
from bot.integrations.confluence.client import add_mark, check_storage
from bot.integrations.jira import client as jira_client
from bot.integrations.jira.remote_changes import read_event
from bot.integrations.links import CustomerUpdateMemo, IssueMemo, PageMemo, PagingMemo, read_page_record
from bot.settings import load
from bot.slack import message_text, messages_in, mrkdwn
from bot.slack.clock import read_date
from bot.slack.directory import parse_person
from bot.slack.errors import retry_after
from bot.slack.views import blocks
from bot.slack.views.paste import split_text
from bot.web.slack_endpoint import Guard, find_kind, to_plain
from handlers import COMMANDS, requests
from handlers.boundary import apology, refusal
from handlers.postmortem import name_postmortem, read_message
from tests.support.patterns import module_of

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
TEXTS = ("str", "bytes", "Any", "object")
"""Types that a text comes in: those of JSON have `Any`."""

_markdown, _canvas, _xhtml = MarkdownReader(), CanvasMarkdown(MarkdownReader()), StorageXhtml(MarkdownReader())
_BODY = {"team_id": "T1", "channel_id": "C1", "user_id": "U1", "command": "/timeline", "trigger_id": "1"}
_PERSON = {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}, "trigger_id": "1"}


def _message(text: str) -> dict[str, Any]:
    """A message with the text wherever a message may have one."""
    rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}, {"type": "link", "url": text}]}
    shown = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}, "fields": [{"type": "mrkdwn", "text": text}]},
        {"type": "rich_text", "elements": [rich]},
        {"type": "header", "text": {"type": "plain_text", "text": text}},
    ]
    attached = {"text": text, "fallback": text, "title": text, "fields": [{"title": text, "value": text}]}
    return {
        "ts": "1.1",
        "user": "U1",
        "text": text,
        "blocks": shown,
        "attachments": [attached],
        "files": [{"name": text, "mimetype": text, "size": 1, "url_private": text}],
    }


def _view(text: str) -> dict[str, Any]:
    state = {"values": {"text": {"text": {"type": "plain_text_input", "value": text}}}}
    return _PERSON | {"view": {"id": "V1", "private_metadata": text, "state": state}}


def _member(text: str) -> dict[str, Any]:
    about = {"alertname": text, "severity": text, text[:20]: text}
    times = {"startsAt": "2026-11-23T12:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": text}
    return {"status": "firing", "labels": about, "annotations": {"summary": text, "description": text}, **times}


def _pagerduty(text: str) -> dict[str, Any]:
    data = {"id": text, "title": text, "urgency": text, "priority": {"summary": text}, "service": {"summary": text}}
    return {"event": {"id": text, "event_type": "incident.triggered", "data": data | {"html_url": text}}}


def _jsm(text: str) -> dict[str, Any]:
    return {"action": "Create", "alert": {"alertId": text, "message": text, "priority": text, "tags": [text] * 3}}


def _issue(text: str) -> dict[str, Any]:
    fields = {"status": {"name": text}, "assignee": {"accountId": text, "displayName": text}, "duedate": text}
    return {"key": text, "fields": fields | {"updated": text}}


def _parse_commands(text: str) -> None:
    for table in COMMANDS:
        for begin in ("", *(f"{word} " for verb in table.verbs for word in verb.known_by)):
            with suppress(Refused):
                table.parse(f"{begin}{text}")


ENTRIES: dict[str, Callable[[str], object]] = {
    "bot/domain/alerts/payloads.py:parse_alertmanager": lambda t: parse_alertmanager(
        {"groupKey": t, "alerts": [_member(t)] * 2}, NOW
    ),
    "bot/domain/alerts/payloads.py:parse_pagerduty": lambda t: parse_pagerduty(_pagerduty(t), NOW),
    "bot/domain/alerts/payloads.py:parse_jsm": lambda t: parse_jsm(_jsm(t), NOW),
    "bot/domain/announcements/posts.py:parse_digest": lambda t: parse_digest(t, t, UTC),
    "bot/domain/announcements/updates.py:split_update": lambda t: split_update(f"{t}, next {t}", NOW, UTC),
    "bot/domain/announcements/updates.py:read_promise": lambda t: read_promise(t, NOW, UTC),
    "bot/domain/library.py:parse_filters": lambda t: parse_filters(
        dict.fromkeys(("q", "month", "owner", "service", "severity", "status"), t)
    ),
    "bot/domain/outline.py:define_outline": lambda t: define_outline(t, {t: {"title": t, "question": t}, "title": t}),
    "bot/domain/outline.py:find_near_section": lambda t: find_near_section(STANDARD, t),
    "bot/domain/outline.py:find_section": lambda t: find_section(STANDARD, t),
    "bot/domain/review.py:parse_order": lambda t: parse_order(t, NOW, UTC),
    "bot/domain/facets.py:parse": lambda t: facets_rules.parse(t, FacetKind.SERVICE),
    "bot/domain/facets.py:read_name": lambda t: facets_rules.read_name(t, FacetKind.TAG),
    "bot/domain/facets.py:parse_renaming": lambda t: facets_rules.parse_renaming(t, FacetKind.TAG),
    "bot/domain/facets.py:require_room": lambda t: facets_rules.require_room([t], FacetKind.TAG),
    "bot/domain/facets.py:split_filters": facets_rules.split_filters,
    "bot/domain/facets.py:list_phrases": facets_rules.list_phrases,
    "bot/domain/facets.py:find_like": lambda t: facets_rules.find_like(t[:40], [t]),
    "bot/domain/masking.py:MaskRules.spans": masking_rules.USUAL_RULES.spans,
    "bot/domain/masking.py:find_matches": lambda t: masking_rules.find_matches(masking_rules.USUAL_RULES.patterns, t),
    "bot/domain/secrets.py:redact_values": lambda t: secrets_rules.redact_values(t, (t[:40], "x")),
    "bot/domain/secrets.py:find_words": lambda t: secrets_rules.find_words([t], t[:40]),
    "bot/domain/sections.py:redact_markdown": lambda t: redact_markdown(t, [t[:40] + "x"]),
    "bot/domain/similarity.py:extract_words": similarity_rules.extract_words,
    "bot/domain/similarity.py:append_text": lambda t: similarity_rules.append_text(t, t),
    "bot/domain/text.py:find_nearest": lambda t: text_rules.find_nearest(t[:40], ["help", "lead"]),
    "bot/domain/text.py:join_fields": lambda t: text_rules.join_fields([t], ()),
    "bot/domain/whys.py:parse_blame_words": lambda t: parse_blame_words(t, ()),
    "bot/export/canvas.py:split_regions": lambda t: canvas.split_regions(f"# Impact\n\n{t}", {"Impact": "impact"}),
    "bot/export/canvas.py:read_headings": lambda t: canvas.read_headings(f"# Impact\n\n{t}", {"Impact": "impact"}),
    "bot/export/canvas.py:merge": lambda t: canvas.merge({"impact": t}, {"impact": t}, ()),
    "bot/export/canvas_markdown.py:CanvasMarkdown.render_pieces": lambda t: list(_canvas.render_pieces(t)),
    "bot/export/canvas_markdown.py:CanvasMarkdown.render_line": _canvas.render_line,
    "bot/export/confluence/__init__.py:StorageXhtml.render_blocks": _xhtml.render_blocks,
    "bot/export/confluence/__init__.py:StorageXhtml.render_line": _xhtml.render_line,
    "bot/export/confluence/regions.py:split_page": lambda t: render_markdown(split_page(t).head),
    "bot/export/json/reader.py:read": lambda t: read(t.encode("utf-8", "replace")),
    "bot/export/markdown_reader.py:MarkdownReader.parse_blocks": lambda t: _markdown.parse_blocks(t, lambda _: ""),
    "bot/export/markdown_reader.py:MarkdownReader.parse": _markdown.parse,
    "bot/export/markdown_reader.py:MarkdownReader.render_line": lambda t: _markdown.render_line(t, lambda _: ""),
    "bot/export/markdown_reader.py:MarkdownReader.parse_tokens": _markdown.parse_tokens,
    "bot/export/markdown_reader.py:MarkdownReader.read_first_paragraph": _markdown.read_first_paragraph,
    "bot/export/markdown_reader.py:MarkdownReader.find_headings": lambda t: list(_markdown.find_headings(t)),
    "bot/integrations/confluence/client.py:check_storage": check_storage,
    "bot/integrations/confluence/client.py:add_mark": lambda t: add_mark(t, "afterword-x"),
    "bot/integrations/http.py:error_of_refusal": lambda t: http.error_of_refusal(
        "Jira", 400, {"retry-after": t, "date": t, "location": t}, {"errors": {t: t}, "message": t}, {}
    ),
    "bot/integrations/http.py:complaints": lambda t: http.complaints({"errorMessages": [t], "errors": {"x": t}}),
    "bot/integrations/http.py:field_complaints": lambda t: http.field_complaints({"errors": {t: t}}),
    "bot/integrations/http.py:retry_after": lambda t: http.retry_after({"retry-after": t, "date": t}),
    "bot/integrations/jira/client.py:read_issue": lambda t: jira_client.read_issue(_issue(t), "https://x.example"),
    "bot/integrations/jira/client.py:read_date": jira_client.read_date,
    "bot/integrations/jira/client.py:issue_path": jira_client.issue_path,
    "bot/integrations/jira/client.py:quote_jql": jira_client.quote_jql,
    "bot/integrations/jira/remote_changes.py:read_event": lambda t: read_event(
        {"webhookEvent": "jira:issue_updated", "timestamp": 1, "issue": _issue(t)}, t, "https://x.example"
    ),
    "bot/integrations/links.py:IssueMemo.from_json": lambda t: IssueMemo.from_json(json.dumps({"text": t})),
    "bot/integrations/links.py:PagingMemo.from_json": lambda t: PagingMemo.from_json(json.dumps({"text": t})),
    "bot/integrations/links.py:CustomerUpdateMemo.from_json": lambda t: CustomerUpdateMemo.from_json(
        json.dumps({"text": t})
    ),
    "bot/integrations/links.py:PageMemo.from_json": lambda t: PageMemo.from_json(json.dumps({"text": t})),
    "bot/integrations/links.py:read_page_record": lambda t: read_page_record({"page": t}),
    "bot/slack/directory.py:parse_person": lambda t: parse_person(
        "T1", {"id": "U1", "real_name": t, "tz": t, "profile": {"display_name": t}, "locale": t}
    ),
    "bot/slack/message_text.py:read_blocks": lambda t: message_text.read_blocks(_message(t)["blocks"]),
    "bot/slack/message_text.py:choose_text": lambda t: message_text.choose_text(t, _message(t)["blocks"], is_app=True),
    "bot/slack/message_text.py:attachment_text": lambda t: message_text.attachment_text(_message(t)["attachments"], t),
    "bot/slack/message_text.py:attachment_files": lambda t: list(
        message_text.attachment_files([_message(t) | {"message_blocks": [{"message": _message(t)}]}], t)
    ),
    "bot/slack/messages_in.py:parse_message": lambda t: messages_in.parse_message(_message(t), "C1", "A1"),
    "bot/slack/mrkdwn.py:to_plain_text": lambda t: mrkdwn.to_plain_text(t, lambda about: about),
    "bot/slack/views/blocks.py:read_value": blocks.read_value,
    "bot/web/slack_endpoint.py:to_plain": lambda t: to_plain(_BODY | {"text": t, t: [t]}),
    "bot/web/slack_endpoint.py:find_kind": lambda t: find_kind({"type": t}),
    "handlers/command_table.py:CommandTable.parse": _parse_commands,
    "handlers/postmortem.py:name_postmortem": name_postmortem,
    "handlers/postmortem.py:read_message": read_message,
    "handlers/requests.py:command_of": lambda t: requests.command_of(_BODY | {"text": t, "trigger_id": t}, NOW),
    "handlers/requests.py:click_of": lambda t: requests.click_of(
        _PERSON | {"actions": [{"type": "plain_text_input", "value": t, "action_id": t}], "message": _message(t)}, NOW
    ),
    "handlers/requests.py:submission_of": lambda t: requests.submission_of(_view(t), NOW),
    "handlers/requests.py:event_of": lambda t: requests.event_of(
        {"team_id": "T1", "event_id": t, "event": {"user": "U1", "text": t, "event_ts": t}}, "C1", NOW
    ),
    "bot/domain/alerts/groups.py:parse_conditions": parse_conditions,
    "bot/domain/pasting/paste_lines.py:HeadingContext.find_heading": lambda t: read_lines(t, NOW, UTC),
    "bot/domain/pasting/paste_lines.py:HeadingContext.read": lambda t: read_lines(f"Monday\n{t}", NOW, UTC),
    "bot/domain/timeline.py:unpack_pending_entry": lambda t: unpack_pending_entry({"line": t, "text": t}),
    "bot/domain/times/zones.py:parse_zone": parse_zone,
    "bot/export/drafts.py:CompiledMarkdown.add_front_matter": lambda t: split(t).add_front_matter("a: b"),
    "bot/settings/__init__.py:load": lambda t: load({"AFTERWORD_BLAME_WORDS": t, "AFTERWORD_ALERTS_OPEN": t}, None),
    "bot/slack/clock.py:read_date": lambda t: read_date({"Date": t}),
    "bot/slack/errors.py:retry_after": lambda t: retry_after({"Retry-After": t}),
    "bot/slack/message_text.py:drop_placeholder": message_text.drop_placeholder,
    "bot/slack/message_text.py:join_lines": lambda t: message_text.join_lines([t, t]),
    "bot/slack/views/blocks.py:read_text": lambda t: blocks.read_text({}, {"text": t}),
    "bot/slack/views/blocks.py:read_text_change": lambda t: blocks.read_text_change({}, {"text": t}),
    "bot/slack/views/paste.py:split_text": split_text,
    "bot/web/slack_endpoint.py:Guard.admit": lambda t: Guard("s", SystemClock()).admit(
        {"x-slack-request-timestamp": t[:12], "x-slack-signature": t, "content-type": t}, t.encode("utf-8", "replace")
    ),
    "handlers/boundary.py:refusal": lambda t: refusal(Refused("No.", carrying={"line": t}), t),
    "handlers/boundary.py:apology": apology,
    "handlers/requests.py:chosen_in": lambda t: requests.chosen_in({"text": t, "at": t}),
    "handlers/requests.py:asked_at_in": lambda t: requests.asked_at_in({"asked": t}),
    "handlers/requests.py:require_event": lambda t: requests.require_event(
        {"team_id": "T1", "event": {"type": "message", "ts": t, "text": t}}
    ),
}
"""How what needs more than a text is given one."""


def functions_in(name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions of a file, and the public methods of its classes, by name."""
    module = module_of(name)
    for word, value in list(vars(module).items()):
        if word.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if isinstance(value, FunctionType):
            yield word, value
        for inner, found in list(vars(value).items()) if isinstance(value, type) else ():
            method = getattr(found, "__func__", found)
            if isinstance(method, FunctionType) and not inner.startswith("_"):
                yield f"{word}.{inner}", method


def takes_text(function: Callable[..., Any]) -> bool:
    """Whether it is no coroutine, and one of its arguments may be a text or hold one."""
    if inspect.iscoroutinefunction(function):
        return False
    kinds = [str(each.annotation) for each in inspect.signature(function).parameters.values()]
    return any(word in kind for kind in kinds for word in TEXTS)
