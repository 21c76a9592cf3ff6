"""The five whys: answer, mark as root cause, show; and their corrections: edit, take back, bring back, move.

The author of a correction gets a receipt with buttons; everyone else reads one line in the thread of the whys.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial

from bot.domain import whys as whys_rules
from bot.domain.records import Entry, Incident, Status, Why
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, require_text
from bot.domain.whys import find_blame_word
from bot.errors import Refused
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.corrections import TYPED, ShownVersion, VersionedText, find_last_editor, require_active
from bot.slack.views import blocks
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery
from storage.queues import DeliveryKind

EXAMPLE = "Say why, as in `/why because the connection pool ran out`."


async def answer(
    services: Services, request: Request, text: str, parent: int | None, seen: int | None = None
) -> Message | None:
    """Record an answer and ask the next question; it explains `parent`, or else the latest open why.

    `seen` is the latest why that its author could see (None if they typed it): if another person was quicker, the
    answer says so, with the button that moves it.
    """
    text = require_text(clean_input(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident = _require_resolved(tx, request, locking=True)
        chain = whys_store.list_chain(tx, incident.id)
        why = whys_store.add(tx, incident.id, whys_rules.parent_of_next(chain, parent), text, request.user, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.WHY, str(why.number)), text, request)
        is_told = parent is not None and seen is None  # `/why branch 2 …` says itself what it explains
        doubt = None if is_told else whys_rules.find_doubt(chain, why, seen)
        said = whys_views.answer_message(
            why, incident, (*chain, why), whys_views.AnswerNotes(_list_cited(tx, why), doubt)
        )
        return announce(tx, request, incident, said)

    return await run_once(services, request, unit, verb="whys.answer")


async def hint(services: Services, request: Request, text: str) -> Message | None:
    """The hint to the author of an answer that seems to stop at a person; None if it does not."""
    word = find_blame_word(text, services.policy.blame_words)
    if not word:
        return None

    def look(tx: Transaction) -> Message | None:
        mine = [
            why for why in whys_store.list_chain(tx, require_incident(tx, request).id) if why.author == request.user
        ]
        latest = next(
            (why for why in reversed(mine) if find_blame_word(why.text, services.policy.blame_words) == word), None
        )
        return whys_views.blame_hint(latest, word) if latest else None

    return await services.store.read(look)


def _list_cited(tx: Transaction, why: Why) -> tuple[Entry, ...]:
    found = (timeline_store.find_by_number(tx, why.incident_id, number) for number in whys_rules.list_cited(why.text))
    return tuple(entry for entry in found if entry is not None and not entry.struck)


def announce(tx: Transaction, request: Request, incident: Incident, said: Message) -> Message:
    """A message for everyone, sent to the thread of the whys; the person who caused it reads it privately.

    Without a thread (the bot cannot post into the channel) the reply itself is for everyone.
    """
    if not enqueue_thread_note(tx, request, incident, said):
        return said
    note = blocks.context(words.whys.asked_in_thread())
    return blocks.ephemeral(said["text"], blocks=[*said["blocks"], note])


def enqueue_thread_note(tx: Transaction, request: Request, incident: Incident, said: Message) -> bool:
    """Enqueue a message to the thread of the whys; False if there is no thread yet."""
    thread = incidents_store.read_whys_thread(tx, incident.id)
    if thread:
        note = blocks.adapt_whys_message({key: value for key, value in said.items() if key != "response_type"})
        deliveries_store.enqueue_message(tx, incident, note | {"thread_ts": thread}, request.now)
    return bool(thread)


def open_thread(tx: Transaction, request: Request, incident: Incident) -> None:
    """After the resolution: enqueue the first question for the channel, or the open one for the existing thread."""
    thread = incidents_store.read_whys_thread(tx, incident.id)
    kind, body = DeliveryKind.WHYS_THREAD, ""
    if thread:
        said = whys_views.repeated_question(incident, whys_store.list_chain(tx, incident.id))
        kind, body = DeliveryKind.MESSAGE, json.dumps(blocks.adapt_whys_message(said) | {"thread_ts": thread})
    deliveries_store.enqueue(
        tx, NewDelivery(request.team, kind, incident.channel, body, request.now, incident.id, fallback=request.user)
    )


def _require_resolved(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    incident = require_incident(tx, request, locking=locking)
    if incident.status is not Status.RESOLVED:
        raise Refused(
            f"{incident.key} is not resolved yet. First make it stop: `/incident resolved` asks the first why."
        )
    return incident


async def mark_root(
    services: Services, request: Request, number: int | None, shown: ShownVersion = TYPED
) -> Message | None:
    """The numbered why, else the latest open one, is a root cause: its branch ends there."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        if number is not None:
            why = whys_rules.find_why(whys_store.list_all(tx, incident.id), number)
            if now := _show_if_stale(tx, services, request, why, shown):
                return now
        why = whys_rules.find_why_to_mark(whys_store.list_chain(tx, incident.id), number)
        if not why.is_root:
            why = whys_store.amend(tx, replace(why, is_root=True), "root", request.user, request.now)
        said = whys_views.root_cause_message(why, request.user, incident, whys_store.list_chain(tx, incident.id))
        return announce(tx, request, incident, said)

    return await run_once(services, request, unit, verb="whys.mark_root")


def _show_if_stale(
    tx: Transaction, services: Services, request: Request, why: Why, shown: ShownVersion
) -> Message | None:
    """How a why reads now, if it changed after its button was shown. Raises Refused for one that was taken back."""
    now = _whys(services, request).show_if_stale(tx, why, shown)
    if now is None:
        require_active(tx, services, request, why)
    return now


async def unmark_root(services: Services, request: Request, number: int, shown: ShownVersion = TYPED) -> Message | None:
    """The numbered why is no root cause after all."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        why = whys_rules.find_why(whys_store.list_all(tx, incident.id), number)
        if now := _show_if_stale(tx, services, request, why, shown):
            return now
        why = whys_rules.find_why(whys_store.list_chain(tx, incident.id), number)
        if not why.is_root:
            raise Refused(f"Why {number} is not marked as a root cause.")
        why = whys_store.amend(tx, replace(why, is_root=False), "no root", request.user, request.now)
        return announce(tx, request, incident, whys_views.no_root_cause_message(why, request.user))

    return await run_once(services, request, unit, verb="whys.unmark_root")


async def show(services: Services, request: Request) -> Message:
    """The chain and the open question."""
    return await services.store.read(
        lambda tx: whys_views.chain_message(case_store.load(tx, require_incident(tx, request)))
    )


def find_example_entry(tx: Transaction, incident_id: int) -> int:
    """The number of the latest entry, as an example of what an answer may cite."""
    latest = timeline_store.list_latest(tx, incident_id, 1)
    return latest[-1].number if latest else 1


async def form(services: Services, request: Request, parent: int | None) -> Block:
    """The form that answers the question after `parent`."""

    def look(tx: Transaction) -> Block:
        incident = _require_resolved(tx, request)
        chain = whys_store.list_chain(tx, incident.id)
        if parent:
            require_active(tx, services, request, whys_rules.find_why(whys_store.list_all(tx, incident.id), parent))
        before = whys_rules.find_answer(chain, parent)
        who = (services.slack.directory.name(request.team, before.author) or before.author) if before else ""
        return whys_views.answer_form(
            incident, chain, parent, find_example_entry(tx, incident.id), (before, who) if before else None
        )

    return await services.store.read(look)


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """The offer to record a reply in the thread as the answer to a question (named by its parent)."""

    said: Message
    question: int


async def offer_answer(services: Services, request: Request, line: str) -> AnswerOffer | None:
    """The offer to record a reply as an answer; None if it cannot be one, or if no question is open."""
    if not whys_rules.may_answer(line):
        return None

    def look(tx: Transaction) -> AnswerOffer | None:
        incident = require_incident(tx, request)
        chain = whys_store.list_chain(tx, incident.id)
        if incident.status is not Status.RESOLVED or whys_rules.is_ended(chain):
            return None
        end = whys_rules.find_open_end(chain)
        return AnswerOffer(
            whys_views.reply_offer(incident, chain, line), end.number if end else whys_rules.THE_INCIDENT
        )

    return await services.store.read(look)


async def find_request(services: Services, request: Request, thread_ts: str) -> Request | None:
    """The request, about the incident whose whys have this thread; None for another thread."""
    if not thread_ts:
        return None
    incident = await services.store.read(lambda tx: incidents_store.find_by_whys_thread(tx, request.place, thread_ts))
    return replace(request, incident_id=incident.id) if incident else None


def _why(tx: Transaction, request: Request, number: int, *, locking: bool = False) -> tuple[Incident, Why]:
    """The incident and its numbered why, struck or not. Raises Refused if there is none."""
    incident = require_incident(tx, request, locking=locking)
    return incident, whys_rules.find_why(whys_store.list_all(tx, incident.id), number)


def _amend(tx: Transaction, request: Request, incident: Incident, why: Why, change: str) -> tuple[Why, tuple[Why, ...]]:
    """Save a changed why and tell the thread who did so, with the open question if that is another one now.

    Returns the why and the chain afterwards.
    """
    before = whys_store.list_chain(tx, incident.id)
    save = whys_store.move if change == "moved" else partial(whys_store.amend, change=change)
    why = save(tx, why, by=request.user, now=request.now)
    after = whys_store.list_chain(tx, incident.id)
    enqueue_thread_note(
        tx, request, incident, whys_views.thread_note(why, change, request.user, incident, (before, after))
    )
    return why, after


async def edit(services: Services, request: Request, number: int, text: str) -> Message | None:
    """Change the text of a why, as `/why edit 2 because …`."""
    text = require_text(clean_input(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, request, number, locking=True)
        return _reword(tx, request, incident, before, text)

    return await run_once(services, request, unit, verb="whys.edit")


async def save_form(
    services: Services, request: Request, number: int, text: str | None, version: int
) -> Message | None:
    """Save the form behind [Edit]; `version` is the one that its writer saw, so that no one's words are overwritten.

    Without a text nothing was changed in the form, and nothing is saved.
    """
    if text is None:
        return await show_one(services, request, number)
    text = require_text(clean_input(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, request, number, locking=True)
        if before.version != version:
            who, example = find_last_editor(tx, services, request, before), find_example_entry(tx, before.incident_id)
            return whys_views.conflict_form(before, request.place.channel, example, text, who)
        return _reword(tx, request, incident, before, text)

    return await run_once(services, request, unit, verb="whys.save_form")


def _reword(tx: Transaction, request: Request, incident: Incident, before: Why, text: str) -> Message:
    why, _ = _amend(tx, request, incident, replace(before, text=text, struck=False), "edited")
    secrets_service.warn(tx, incident, RecordRef(RecordKind.WHY, str(why.number)), text, request)
    return whys_views.edit_receipt(why, before)


class _WhyText(VersionedText[Why]):
    already_active = "stands already."

    def find(self, tx: Transaction, incident: Incident, number: int) -> Why:
        return whys_rules.find_why(whys_store.list_all(tx, incident.id), number)

    def find_last(self, tx: Transaction, incident: Incident) -> Why:
        return whys_rules.find_last_by(whys_store.list_all(tx, incident.id), self.request.user)

    def save(self, tx: Transaction, incident: Incident, text: Why, change: str, shown: ShownVersion) -> Message:
        why, chain = _amend(tx, self.request, incident, text, change)
        return whys_views.correction_receipt(why, change, chain)

    def edit_form(self, tx: Transaction, text: Why, changed_by: str) -> Block:
        example = find_example_entry(tx, text.incident_id)
        return whys_views.edit_form(text, self.request.place.channel, example, changed_by)


def _whys(services: Services, request: Request) -> _WhyText:
    return _WhyText(services, request, Clocks(request.now, UTC, ""))  # a why shows no times


async def strike(
    services: Services, request: Request, number: int | None, shown: ShownVersion = TYPED
) -> Message | None:
    """Take a why back: the numbered one, or else the user's last answer. What explained it explains its parent."""
    return await _whys(services, request).strike(number, shown, verb="whys.strike")


async def restore(services: Services, request: Request, number: int) -> Message | None:
    """Bring a struck why back."""
    return await _whys(services, request).restore(number, TYPED, verb="whys.restore")


async def show_one(services: Services, request: Request, number: int) -> Message:
    """`/why edit 2` without words: the why with its buttons."""
    return await _whys(services, request).show(number)


async def show_history(services: Services, request: Request, number: int) -> Message:
    """Every wording of a why."""
    return await _whys(services, request).history(number)


async def edit_form(services: Services, request: Request, number: int, shown: ShownVersion) -> Block:
    """The form that edits a why. Raises Refused for one that was taken back."""
    return await _whys(services, request).form(number, shown)


async def move(
    services: Services, request: Request, wish: whys_rules.MoveWhy, shown: ShownVersion = TYPED
) -> Message | None:
    """Move a why, with everything that explains it, beneath another one; or next to another, under the same parent."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        every, chain = whys_store.list_all(tx, incident.id), whys_store.list_chain(tx, incident.id)
        for number in (wish.number, wish.other):
            require_active(tx, services, request, whys_rules.find_why(every, number))
        why = whys_rules.find_why(every, wish.number)
        if now := _whys(services, request).show_if_stale(tx, why, shown):
            return now
        parent = whys_rules.parent_after_move(chain, whys_rules.find_why(chain, wish.number), wish)
        why, chain = _amend(tx, request, incident, replace(why, parent=parent), "moved")
        return whys_views.correction_receipt(why, "moved", chain)

    return await run_once(services, request, unit, verb="whys.move")
