"""Credentials in texts: warn the author, redact the record and every copy, or leave the text as it is.

A redaction also removes what the program itself copied from one record into another. What people typed elsewhere is
another record's: the person who redacts is offered to redact it there, if they may look into that channel.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from bot.domain import secrets as secrets_rules
from bot.domain import sections as sections_rules
from bot.domain.facets import fold
from bot.domain.records import Action, Incident, System
from bot.domain.secrets import (
    LEAST,
    RecordKind,
    RecordRef,
    RedactedRecord,
    SecretLocation,
    SecretWording,
    locate,
    read_value,
    redact_values,
)
from bot.errors import Refused
from bot.services import corrections as corrections_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.notifications import reminders as reminders_service
from bot.slack.mrkdwn import escape
from bot.slack.views import secrets as secrets_views
from bot.slack.views.blocks import Message
from bot.slack.views.secrets import OtherIncident, OutsideCopies
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import search as search_store
from storage import secrets as secrets_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery
from storage.postmortem import reviews as reviews_store
from storage.postmortem import sections as sections_store
from storage.queues import DeliveryKind
from storage.secrets import SearchScope, SecretCopy, choose_mark

_Record = TypeVar("_Record", Incident, Action)
_JSON_PLACES = ("delivery", "inbox", "lookback", "link")
_MESSAGES = ("delivery", "inbox")
_CANVAS = "canvas"
_SHOWN = {
    "delivery": outdated_buttons_service.show_stored,
    "alert": outdated_buttons_service.show_alerts,
    "alert_link": outdated_buttons_service.show_alerts,
}
"""What Slack shows of a copy that was rewritten, by its place."""


class Redaction:
    """One redaction in a locked incident: these credentials or words, by a person, at a moment.

    Of a credential no part may stay in a message; words that a person chose are ordinary ones, and may.
    """

    def __init__(
        self, incident: Incident, values: frozenset[str], by: str, now: datetime, *, are_words: bool = False
    ) -> None:
        self._incident = incident
        self._values = values
        self._by = by
        self._now = now
        self._are_words = are_words

    def take_out(self, tx: Transaction) -> RedactedRecord:
        """Replace the credentials everywhere, in every version. Returns what contained them."""
        found = [*self._title(tx), *self._entries(tx), *self._whys(tx), *self._sections(tx)]
        found += [*self._actions(tx), *self._reviews(tx)]
        elsewhere = self._redact_quotes(tx)
        # Since the incident was opened: no earlier reply can quote it, and the inbox knows no incident to look for.
        self._copies(tx, SearchScope(self._incident.id, self._incident.team, self._incident.opened_at))
        if found:
            links_store.enqueue_written(tx, self._incident.id, self._now)
            self._update_prompts(tx)
            outdated_buttons_service.show_composed(tx, self._incident, self._now)
            for owner in {action.owner for action in actions_store.list_all(tx, self._incident.id)}:
                reminders_service.settle_digests(tx, self._incident.team, owner, self._now)
            outdated_buttons_service.drop_in(tx, self._incident.id, self._now)
        # After the texts: the triggers put the clean words into the index, which still holds the old ones until it is
        # merged.
        search_store.purge(tx)
        return RedactedRecord(tuple(found), elsewhere, self._sources(tx))

    def _title(self, tx: Transaction) -> list[RecordRef]:
        before = self._incident
        after = _with_clean(before, self._clean, ("title", "postmortem_reason"))
        if after is before:
            return []
        incidents_store.save(tx, after)
        return [RecordRef(RecordKind.TITLE)] if after.title != before.title else []

    def _entries(self, tx: Transaction) -> list[RecordRef]:
        incident_id = self._incident.id
        # By a part that JSON and Markdown never escape, so that one search finds every copy; then each is looked at
        # closely.
        marks = {secrets_store.choose_mark(value) for value in self._values}
        suspects = {number for mark in marks for number in secrets_store.list_entries(tx, incident_id, mark)}
        done = []
        for number in sorted(suspects):
            entry = timeline_store.find_by_number(tx, incident_id, number)
            if entry is None or not any(
                self._contains(wording.text) for wording in timeline_store.list_versions(tx, entry.id)
            ):
                continue
            timeline_store.redact(tx, entry, self._clean, self._by, self._now)
            done.append(RecordRef(RecordKind.ENTRY, str(number)))
        return done

    def _clean(self, text: str) -> str:
        # Twice: where two stood side by side, the second is one of these values only once the first is gone.
        return secrets_rules.redact_values(secrets_rules.redact_values(text, self._values), self._values)

    def _contains(self, text: str) -> bool:
        return self._clean(text) != text

    def _whys(self, tx: Transaction) -> list[RecordRef]:
        every = whys_store.list_all(tx, self._incident.id)
        done = (whys_store.redact(tx, why, self._clean, self._by, self._now) for why in every)
        return [RecordRef(RecordKind.WHY, str(why.number)) for why in done if why is not None]

    def _sections(self, tx: Transaction) -> list[RecordRef]:
        done = sections_store.redact(tx, self._incident.id, self._clean, self._by, self._now)
        return [RecordRef(RecordKind.SECTION, slug) for slug in done]

    def _reviews(self, tx: Transaction) -> list[RecordRef]:
        done = reviews_store.redact(tx, self._incident.id, self._clean)
        return [RecordRef(RecordKind.REVIEW, user) for user in done]

    def _actions(self, tx: Transaction) -> list[RecordRef]:
        done = []
        for action in actions_store.list_all(tx, self._incident.id):
            after = _with_clean(action, self._clean, ("text", "link", "reason"))
            if after is not action:
                actions_store.save(tx, after)
                done.append(RecordRef(RecordKind.ACTION, str(action.number)))
        return done

    def _update_prompts(self, tx: Transaction) -> None:
        """Enqueue updates of the messages in the whys' thread, which quote whys and the entries that they cite."""
        for prompt in deliveries_store.list_prompts(tx, self._incident.id):
            if prompt.sent_ts:
                incident, body = self._incident, {"of": prompt.id}
                kind = DeliveryKind.WHY_PROMPT_UPDATE
                new = NewDelivery(incident.team, kind, incident.channel, body, self._now, incident.id)
                deliveries_store.enqueue(tx, new)

    def _redact_quotes(self, tx: Transaction) -> tuple[tuple[str, str], ...]:
        """The same in the sections and drafts of incidents with the same cause, which quote this one."""
        found = []
        for other_id in search_store.list_quoting(tx, self._incident.id):
            # Locked before its sections are versioned, as a form that is being saved there would take the same
            # version.
            other = incidents_store.find(tx, other_id, locking=True)
            done = sections_store.redact(tx, other_id, self._clean, self._by, self._now) if other else ()
            found += [(other.key, slug) for slug in done if other]
            self._copies(tx, SearchScope(other_id))
        return tuple(found)

    def _sources(self, tx: Transaction) -> tuple[str, ...]:
        """The past incidents that this one quotes and that still hold it: theirs is theirs to redact."""
        quoted = [
            other_id for other_id, is_same in search_store.list_verdicts(tx, self._incident.id).items() if is_same
        ]
        holding = [other for other in quoted if any(map(self._contains, astuple(search_store.read_texts(tx, other))))]
        return tuple(other.key for other in (incidents_store.find(tx, other_id) for other_id in holding) if other)

    def _copies(self, tx: Transaction, reach: SearchScope) -> None:
        for value in self._values:
            for copy in secrets_store.list_copies(tx, reach, secrets_store.choose_mark(value)):
                text = _clean_copy(copy, self._values, are_words=self._are_words)
                if text != copy.text:
                    secrets_store.rewrite(tx, copy, text)
                    if copy.place in _SHOWN:
                        _SHOWN[copy.place](tx, int(copy.key), self._now)


def _with_clean(record: _Record, clean: Callable[[str], str], names: Iterable[str]) -> _Record:
    """The record with these texts cleaned; the same object if nothing is to be cleaned."""
    texts = {name: str(getattr(record, name)) for name in names}
    changed: dict[str, Any] = {name: clean(text) for name, text in texts.items() if clean(text) != text}
    return replace(record, **changed) if changed else record


def _clean_copy(copy: SecretCopy, values: frozenset[str], *, are_words: bool) -> str:
    if copy.place == "kept":
        return sections_rules.redact_markdown(copy.text, values)
    if copy.place == "facet":  # in whatever case: names are compared without it
        return "" if any(fold(value) in fold(copy.text) for value in values) else copy.text
    if copy.place not in _JSON_PLACES:
        return secrets_rules.redact_values(copy.text, values)
    try:
        forms = _forms(values)  # what a button carries is JSON itself
        text = json.dumps(_map_strings(json.loads(copy.text), lambda words: secrets_rules.redact_values(words, forms)))
    except ValueError:  # a file's format, which is no JSON
        text = secrets_rules.redact_values(copy.text, values)
    # Words may be cut or wrapped in a way that hides the rest of a credential: then none of them stay.
    if are_words:
        still = any(secrets_rules.has_remainder(text, value) for value in values)
    else:
        still = any(secrets_store.choose_mark(value) in text for value in values)
    return json.dumps(secrets_views.forgotten_reply()) if still and copy.place in _MESSAGES else text


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _map_strings(item, change) for key, item in value.items()}
    return value


def strip_redacted(memo: str, before: str, after: str) -> str:
    """A memo made from `before`, without the words that were redacted meanwhile, as `after` shows.

    The latter two are one JSON value or empty. The words are found by their place, since no one stores the credential.
    """
    if before == after or secrets_rules.REDACTED not in after:
        return memo
    clean = dict(_redacted_in(json.loads(before or "null"), json.loads(after)))
    return (
        json.dumps(_map_strings(json.loads(memo or "null"), lambda words: clean.get(words, words))) if clean else memo
    )


def _redacted_in(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    if isinstance(before, str) and isinstance(after, str):
        if before != after and secrets_rules.REDACTED in after:
            yield before, after
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() & after.keys():
            yield from _redacted_in(before[key], after[key])
    elif isinstance(before, list) and isinstance(after, list):
        for was, is_ in zip(before, after, strict=False):
            yield from _redacted_in(was, is_)


def _forms(values: frozenset[str]) -> frozenset[str]:
    """Each credential as typed, as mrkdwn, and as a button's JSON."""
    shown = values | {escape(value) for value in values}
    quoted = {json.dumps(value, ensure_ascii=is_ascii)[1:-1] for value in shown for is_ascii in (True, False)}
    return shown | quoted


FindValues = Callable[[Transaction], tuple[Incident, frozenset[str]]]
"""The incident that is about to be redacted, and the credentials; it may refuse."""


@dataclass(frozen=True, slots=True)
class OtherCopies:
    """What was found before a redaction, to be looked at again within it: much of it may be reached by itself."""

    incidents: tuple[OtherIncident, ...]

    def left(self, tx: Transaction) -> tuple[OtherIncident, ...]:
        """The locations that still contain it."""
        now = (replace(there, spots=tuple(s for s in there.spots if _value(tx, there, s))) for there in self.incidents)
        return tuple(there for there in now if there.spots)


def _value(tx: Transaction, there: OtherIncident, spot: SecretLocation) -> str:
    return read_value(spot, secrets_store.read_text(tx, there.incident.id, spot))


async def find(services: Services, request: Request, find_values: FindValues) -> OtherCopies:
    """Where else the credentials are, word for word, in incidents that this person may look into."""

    def look(tx: Transaction) -> tuple[OtherIncident, ...]:
        incident, values = find_values(tx)
        return _find_others(tx, incident, tuple(sorted(value for value in values if len(value) >= LEAST)))

    found = await services.store.read(look)
    if not found:
        return OtherCopies(())
    channels = (there.incident.channel for there in found)
    seen = await services.visible_channels(request.team, request.user, channels, request.place.channel)
    return OtherCopies(tuple(there for there in found if there.incident.channel in seen))


def _find_others(tx: Transaction, incident: Incident, values: tuple[str, ...]) -> tuple[OtherIncident, ...]:
    by_incident: dict[int, tuple[Incident, dict[tuple[RecordRef, str], SecretLocation]]] = {}
    for value in values:
        mark = choose_mark(value)
        for other, wordings in secrets_store.find_in_other_incidents(tx, incident, mark) if mark else ():
            known = by_incident.setdefault(other.id, (other, {}))[1]
            known |= {(spot.subject, value): spot for spot in _locate_all(wordings, value)}
    # Its title may hold one as well, and is shown: never with it.
    clean = ((replace(other, title=redact_values(other.title, values)), known) for other, known in by_incident.values())
    return tuple(OtherIncident(other, tuple(known.values())) for other, known in clean if known)


def _locate_all(wordings: Iterable[SecretWording], value: str) -> list[SecretLocation]:
    return [spot for wording in wordings if (spot := locate(wording, value)) is not None]


async def redact_there(services: Services, request: Request, marked: tuple[SecretLocation, ...]) -> Message | None:
    """[Redact in INC-1]: remove what is at these locations of another incident from all of it, in every version.

    The incident is the one that the button names; the boundary has checked that the person may look into it.
    """

    def find_values(tx: Transaction) -> tuple[Incident, frozenset[str]]:
        incident = incidents_store.find(tx, request.incident_id or 0)
        if incident is None or incident.team != request.team:
            raise Refused(TEXT_GONE)
        values = (read_value(spot, secrets_store.read_text(tx, incident.id, spot)) for spot in marked)
        return incident, frozenset(filter(None, values))

    also = await find(services, request, find_values)

    def unit(tx: Transaction) -> Message:
        incident, values = find_values(tx)  # again, in this transaction: it may have changed since Slack was asked
        locked = incidents_store.find(tx, incident.id, locking=True)
        if locked is None or not values:
            raise Refused(TEXT_GONE)
        done = Redaction(locked, values, request.user, request.now).take_out(tx)
        return secrets_views.other_redaction_receipt(incidents_store.find(tx, locked.id) or locked, done, also.left(tx))

    return await run_once(services, request, unit, verb="secrets.redact_there")


log = logging.getLogger(__name__)

DROPPED = "it was deleted when its entry was redacted"
TEXT_GONE = "That text isn't there anymore: it was redacted or edited meanwhile."


async def redact(
    services: Services, request: Request, subject: RecordRef, *, with_files: bool = False
) -> Message | None:
    """Replace what looks like a credential in an entry, a why, an action, a section or the title by "[redacted]".

    It is removed from every version of every text of the incident, from sections of other incidents that quote it, from
    what waits to be sent, and from stored replies. The history says who redacted and when. `with_files` also deletes
    the entry's files. If other incidents have the same words, the answer offers those.
    """

    def find_values(tx: Transaction) -> tuple[Incident, frozenset[str]]:
        incident, texts = _find_wordings(tx, request, subject, locking=False)
        return incident, frozenset().union(*map(secrets_rules.list_values, texts))

    also = await find(services, request, find_values)

    def unit(tx: Transaction) -> Message:
        incident, texts = _find_wordings(tx, request, subject)
        values = frozenset().union(*map(secrets_rules.list_values, texts))
        entry = (
            timeline_store.find_by_number(tx, incident.id, subject.number) if subject.kind is RecordKind.ENTRY else None
        )
        files = attachments_store.list_names(tx, entry.id) if entry and with_files else ()
        if not values and not files:
            is_redacted = any(secrets_rules.REDACTED in text for text in texts)
            state = "is already redacted" if is_redacted else "has nothing that looks like a credential"
            raise Refused(f"{secrets_views.capital_name(subject)} {state}.{_as_words(subject)}")
        done = Redaction(incident, values, request.user, request.now).take_out(tx)
        if entry and files:
            attachments_store.discard(tx, entry.id, DROPPED)
            outdated_buttons_service.drop_in(tx, incident.id, request.now)
        return secrets_views.redaction_receipt(subject, done, files, also.left(tx))

    reply = await run_once(services, request, unit, verb="secrets.redact")
    await _wipe(services)
    return reply


async def redact_words(services: Services, request: Request, subject: RecordRef, words: str) -> Message | None:
    """Replace words by "[redacted]" in an entry or a why, and in all of its incident, as `redact` does a credential.

    For its authors, the incident's lead and the postmortem's owner. The answer names what holds the words outside the
    record; the page on Confluence is brought up to date by itself.
    """
    if not secrets_rules.is_redactable(words):
        raise Refused(
            "Those words are too short to redact: they're a part of many others. Quote three characters or more."
        )

    def find_values(tx: Transaction, *, locking: bool = False) -> tuple[Incident, frozenset[str]]:
        incident = require_incident(tx, request, locking=locking)
        authors, texts = _wordings(tx, incident, subject)
        if not texts:
            raise _missing(subject, incident)
        if request.user not in authors | {incident.lead, incident.postmortem_owner}:
            name = secrets_views.name_record(subject)
            raise Refused(
                f"Only its author, the incident's lead or the postmortem's owner can redact words of {name}. Ask one "
                "of them."
            )
        values = secrets_rules.find_words(texts, words)
        if not values:
            name = secrets_views.capital_name(subject)
            raise Refused(f"{name} doesn't contain those words. Copy them as they're written there.")
        return incident, values

    also = await find(services, request, find_values)

    def unit(tx: Transaction) -> Message:
        incident, values = find_values(tx, locking=True)
        done = Redaction(incident, values, request.user, request.now, are_words=True).take_out(tx)
        outside = _list_outside(tx, incident)
        return secrets_views.words_receipt(subject, done, outside, also.left(tx))

    reply = await run_once(services, request, unit, verb="secrets.redact_words")
    await _wipe(services)
    return reply


def _list_outside(tx: Transaction, incident: Incident) -> OutsideCopies:
    """What was made of the record before."""
    has_page = any(
        link.system == System.CONFLUENCE and link.external_id for link in links_store.list_by_incident(tx, incident.id)
    )
    has_canvas = sections_store.find_copy(tx, incident.id, _CANVAS) is not None
    return OutsideCopies(deliveries_store.count_exports(tx, incident.id), has_canvas, has_page)


async def redact_elsewhere(services: Services, request: Request, spots: tuple[SecretLocation, ...]) -> Message | None:
    """[Redact in INC-1]: the same, at these spots of another incident."""
    reply = await redact_there(services, request, spots)
    await _wipe(services)
    return reply


async def _wipe(services: Services) -> None:
    if not await asyncio.to_thread(secrets_store.wipe, services.store):
        log.warning(
            "A redacted text is still in the database's -wal file. It goes at the next quiet moment, or when the bot "
            "stops.",
            {"event": "redacted_text_in_wal"},
        )


async def dismiss_warning(services: Services, request: Request, subject: RecordRef) -> Message:
    """[Not a secret]: what was written as it reads, without the warning; an entry with its buttons."""
    incident, texts = await services.store.read(lambda tx: _find_wordings(tx, request, subject, locking=False))
    about = {"noun": str(subject.kind), "which": subject.which}
    # [Redact] stays, for a second thought: it is the only way to redact an action.
    await services.store.write(
        lambda tx: outdated_buttons_service.drop_answered(tx, incident.id, ["secret_harmless"], request.now, **about)
    )
    services.slack.outbox.notify()
    if subject.kind is RecordKind.ENTRY:
        return await corrections_service.show(services, request, subject.number)
    return secrets_views.harmless_receipt(subject, texts[-1])


def warn(tx: Transaction, incident: Incident, subject: RecordRef, text: str, request: Request) -> None:
    """Enqueue a DM to the author of a text that seems to contain a credential.

    For texts whose answer is public, or that have none; the receipt of an entry carries the warning itself.
    """
    spans = secrets_rules.find_credentials(text)
    if spans:
        entry = (
            timeline_store.find_by_number(tx, incident.id, subject.number) if subject.kind is RecordKind.ENTRY else None
        )
        files = attachments_store.list_names(tx, entry.id) if entry else ()
        message = secrets_views.warning_message(spans, subject, incident, files)
        deliveries_store.enqueue_message(tx, incident, message, request.now, to=request.user)


def _find_wordings(
    tx: Transaction, request: Request, subject: RecordRef, *, locking: bool = True
) -> tuple[Incident, tuple[str, ...]]:
    """The incident and every version of the subject. The author of one may redact it from a DM as well.

    Raises Refused if there is no such text, and if the person may not touch it.
    """
    found = incidents_store.find(tx, request.incident_id, locking=locking) if request.incident_id else None
    if found is not None and found.team == request.team:
        authors, texts = _wordings(tx, found, subject)
        if request.user in authors:
            return found, texts
    incident = require_incident(tx, request, locking=locking)
    texts = _wordings(tx, incident, subject)[1]
    if not texts:
        raise _missing(subject, incident)
    return incident, texts


def _missing(subject: RecordRef, incident: Incident) -> Refused:
    show = {RecordKind.ENTRY: "/timeline show", RecordKind.WHY: "/why show", RecordKind.ACTION: "/action list"}
    hint = f" To see what there is: `{show[subject.kind]}`" if subject.kind in show else ""
    return Refused(f"{incident.key} has no {secrets_views.name_record(subject).removeprefix('the ')}.{hint}")


def _as_words(subject: RecordRef) -> str:
    """How words that look like nothing are redacted."""
    command = {RecordKind.ENTRY: "/timeline", RecordKind.WHY: "/why"}.get(subject.kind)
    return f' To redact other words: `{command} redact {subject.which} "the words"`' if command else ""


def _wordings(tx: Transaction, incident: Incident, subject: RecordRef) -> tuple[set[str], tuple[str, ...]]:
    """The authors of a text and all its versions; nothing if there is no such text."""
    match subject.kind:
        case RecordKind.ENTRY:
            return _entry(tx, incident, subject.number)
        case RecordKind.WHY:
            return _why(tx, incident, subject.number)
        case RecordKind.ACTION:
            found = [one for one in actions_store.list_all(tx, incident.id) if one.number == subject.number]
            changed_by = {
                line.who
                for line in audit_store.list_all(tx, incident.id)
                if f"action {subject.number}" in line.what.split(", ")
            }
            texts = tuple(text for one in found for text in (one.link, one.reason, one.text))
            return changed_by | {one.created_by for one in found}, texts
        case RecordKind.SECTION:
            saved = sections_store.list_versions_of(tx, incident.id, subject.which)
            return {one.author for one in saved}, tuple(one.text for one in saved)
        case RecordKind.TITLE:
            # The first entry tells the title that it was opened with, also once it is called otherwise.
            return {incident.opened_by}, (*_entry(tx, incident, 1)[1], incident.title)
        case RecordKind.REVIEW:
            review = reviews_store.find(tx, incident.id)
            reviewer = review.find(subject.which) if review else None
            return ({reviewer.user}, (reviewer.words,)) if reviewer else (set(), ())
        case RecordKind.DRAFT:
            edited = [one for one in sections_store.list_edits(tx, incident.id) if one.section == subject.which]
            return {one.author for one in edited}, tuple(one.markdown for one in edited)


def _entry(tx: Transaction, incident: Incident, number: int) -> tuple[set[str], tuple[str, ...]]:
    entry = timeline_store.find_by_number(tx, incident.id, number)
    if entry is None:
        return set(), ()
    return {entry.author, entry.recorder}, tuple(one.text for one in timeline_store.list_versions(tx, entry.id))


def _why(tx: Transaction, incident: Incident, number: int) -> tuple[set[str], tuple[str, ...]]:
    wordings = [
        wording
        for why in whys_store.list_all(tx, incident.id)
        if why.number == number
        for wording in whys_store.list_versions(tx, why.id)
    ]
    return {wording.changed_by for wording in wordings}, tuple(wording.text for wording in wordings)
