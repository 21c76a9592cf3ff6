"""Taking credentials out of the record: from every noun that holds them, and from every copy that was made of it."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, replace
from datetime import datetime
from typing import Any, TypeVar

from bot.incident import kept as drafts
from bot.incident import secrets
from bot.incident.records import Action, Incident
from bot.incident.spots import Noun, Redacted, Subject
from bot.slack import secrets as says
from bot.slack.text import escape
from storage import actions, incidents, recall, sections, timeline, whys
from storage import secrets as kept
from storage.secrets import Copy, Reach
from storage.statements import Transaction

_Record = TypeVar("_Record", Incident, Action)
_JSON_PLACES = ("delivery", "inbox", "lookback", "link")
_MESSAGES = ("delivery", "inbox")


class Redaction:
    """One redaction of an incident that is locked: these credentials, by somebody, at a moment."""

    def __init__(self, incident: Incident, values: frozenset[str], by: str, now: datetime) -> None:
        self._incident = incident
        self._values = values
        self._by = by
        self._now = now

    def take_out(self, tx: Transaction) -> Redacted:
        """Replace the credentials wherever they stand, in every wording; what held them."""
        found = [*self._title(tx), *self._entries(tx), *self._whys(tx), *self._sections(tx), *self._actions(tx)]
        elsewhere = self._quoted(tx)
        self._copies(tx, Reach(self._incident.id, self._incident.team, self._incident.opened_at))
        recall.forget(tx)
        return Redacted(tuple(found), elsewhere, self._sources(tx))

    def _title(self, tx: Transaction) -> list[Subject]:
        before = self._incident
        after = _with_clean(before, self._clean, ("title", "postmortem_reason"))
        if after is before:
            return []
        incidents.save(tx, after)
        return [Subject(Noun.TITLE)] if after.title != before.title else []

    def _entries(self, tx: Transaction) -> list[Subject]:
        incident_id = self._incident.id
        marks = {kept.mark_of(value) for value in self._values}
        suspects = {number for mark in marks for number in kept.entries_with(tx, incident_id, mark)}
        done = []
        for number in sorted(suspects):
            entry = timeline.by_number(tx, incident_id, number)
            if entry is None or not any(self._holds(wording.text) for wording in timeline.versions(tx, entry.id)):
                continue
            timeline.redact(tx, entry, self._clean, self._by, self._now)
            done.append(Subject(Noun.ENTRY, str(number)))
        return done

    def _clean(self, text: str) -> str:
        # Twice: where two stood side by side, the second is one of these values only once the first is gone.
        return secrets.without(secrets.without(text, self._values), self._values)

    def _holds(self, text: str) -> bool:
        return self._clean(text) != text

    def _whys(self, tx: Transaction) -> list[Subject]:
        every = whys.every(tx, self._incident.id)
        done = (whys.redact(tx, why, self._clean, self._by, self._now) for why in every)
        return [Subject(Noun.WHY, str(why.number)) for why in done if why is not None]

    def _sections(self, tx: Transaction) -> list[Subject]:
        done = sections.redact(tx, self._incident.id, self._clean, self._by, self._now)
        return [Subject(Noun.SECTION, slug) for slug in done]

    def _actions(self, tx: Transaction) -> list[Subject]:
        done = []
        for action in actions.of_incident(tx, self._incident.id):
            after = _with_clean(action, self._clean, ("text", "link", "reason"))
            if after is not action:
                actions.save(tx, after)
                done.append(Subject(Noun.ACTION, str(action.number)))
        return done

    def _quoted(self, tx: Transaction) -> tuple[tuple[str, str], ...]:
        """The same in the sections of those incidents that were said to have this one's cause, and in their drafts."""
        found = []
        for other_id in recall.quoting(tx, self._incident.id):
            other = incidents.by_id(tx, other_id, locking=True)
            done = sections.redact(tx, other_id, self._clean, self._by, self._now) if other else ()
            found += [(other.key, slug) for slug in done if other]
            self._copies(tx, Reach(other_id))
        return tuple(found)

    def _sources(self, tx: Transaction) -> tuple[str, ...]:
        """The past incidents that this one quotes and that still hold it: theirs is theirs to redact."""
        quoted = [other_id for other_id, is_same in recall.judged(tx, self._incident.id).items() if is_same]
        holding = [other for other in quoted if any(map(self._holds, astuple(recall.words_of(tx, other))))]
        return tuple(other.key for other in (incidents.by_id(tx, other_id) for other_id in holding) if other)

    def _copies(self, tx: Transaction, reach: Reach) -> None:
        for value in self._values:
            for copy in kept.copies(tx, reach, kept.mark_of(value)):
                text = _cleaned(copy, self._values)
                if text != copy.text:
                    kept.rewrite(tx, copy, text)


def _with_clean(record: _Record, clean: Callable[[str], str], names: Iterable[str]) -> _Record:
    """The record with these texts of it cleaned; the very same one where nothing is to be cleaned."""
    texts = {name: str(getattr(record, name)) for name in names}
    changed: dict[str, Any] = {name: clean(text) for name, text in texts.items() if clean(text) != text}
    return replace(record, **changed) if changed else record


def _cleaned(copy: Copy, values: frozenset[str]) -> str:
    if copy.place == "kept":
        return drafts.redacted(copy.text, values)
    if copy.place not in _JSON_PLACES:
        return secrets.without(copy.text, values)
    try:
        forms = _forms(values)  # what a button carries is JSON itself
        text = json.dumps(_walked(json.loads(copy.text), lambda words: secrets.without(words, forms)))
    except ValueError:  # a file's format, which is no JSON
        text = secrets.without(copy.text, values)
    # Words may be cut or wrapped in a way that hides the rest of a credential: then none of them stay.
    still = any(kept.mark_of(value) in text for value in values)
    return json.dumps(says.forgotten()) if still and copy.place in _MESSAGES else text


def _walked(found: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every string in it changed."""
    if isinstance(found, str):
        return change(found)
    if isinstance(found, list):
        return [_walked(item, change) for item in found]
    if isinstance(found, dict):
        return {key: _walked(item, change) for key, item in found.items()}
    return found


def not_again(memo: str, before: str, after: str) -> str:
    """A memo made from what stood `before`, without the words that were redacted meanwhile, as it stands `after`.

    The latter two are one JSON value or empty; the words are known by their place, for nobody keeps a credential.
    """
    if before == after or secrets.REDACTED not in after:
        return memo
    clean = dict(_redacted_in(json.loads(before or "null"), json.loads(after)))
    return json.dumps(_walked(json.loads(memo or "null"), lambda words: clean.get(words, words))) if clean else memo


def _redacted_in(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    if isinstance(before, str) and isinstance(after, str):
        if before != after and secrets.REDACTED in after:
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
