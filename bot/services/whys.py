"""The five whys: answer, mark as root cause, show; and their corrections: edit, take back, bring back, move.

The whys are asked in a thread. A message there that asks the open question is a prompt: a delivery of its own kind,
which is composed from the record whenever it is sent. Only the newest one has buttons; once another asks, the one
before is brought up to date and shows who answered it (docs/decisions/0047-only-the-newest-prompt-has-buttons.md).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from functools import partial

from bot.domain import whys as whys_rules
from bot.domain.records import Entry, Incident, Status, Why
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, require_text
from bot.domain.whys import find_blame_word
from bot.errors import OutdatedButton, Refused
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.corrections import TYPED, ShownVersion, VersionedText, find_last_editor, require_active
from bot.slack.sender import OutgoingMessage
from bot.slack.views import blocks
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.timeline import Clocks
from bot.slack.views.whys import Chain
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind

EXAMPLE = "Why did it happen? Try `/why because the connection pool ran out`"


def require_reason(text: str) -> str:
    """The text of an answer as it is recorded; raises Refused for none."""
    text = whys_rules.spell_because(require_text(clean_input(text, "That answer"), EXAMPLE))
    if not whys_rules.has_reason(text):
        raise Refused(EXAMPLE)
    return text


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """Where an answer comes from. `parent` is the why that its question was about; None for the open one.

    `seen` is the latest why that its author could see, None if they typed it. `in_thread`: they read the thread, so
    nothing that is posted there is repeated to them.
    """

    parent: int | None = None
    seen: int | None = None
    in_thread: bool = False


async def answer(services: Services, request: Request, text: str, source: QuestionSource) -> Message | None:
    """Record an answer and ask the next question.

    If another person was quicker, the answer's author is told so, with the button that moves it.
    """
    text = require_reason(text)

    def unit(tx: Transaction) -> Message | None:
        incident = _require_resolved(tx, request, locking=True)
        before = whys_store.list_chain(tx, incident.id)
        parent = whys_rules.parent_of_next(before, source.parent)
        why = whys_store.add(tx, incident.id, parent, text, request.user, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.WHY, str(why.number)), text, request)
        is_told = source.parent is not None and source.seen is None  # `/why branch 2 …` says itself what it explains
        doubt = whys_views.doubt_blocks(why, None if is_told else whys_rules.find_doubt(before, why, source.seen))
        by, chain = services.slack.directory.name_or_id(request.team, request.user), (*before, why)
        is_asked = not whys_rules.is_ended(before) and parent == whys_rules.parent_of_next(before, None)
        note = "" if is_asked else whys_views.branch_note(why, by)
        if _post(tx, request, incident, PromptBody(note, why.number, answer=why.number)):
            return _reply(request_in_thread=source.in_thread, incident=incident, chain=chain, doubt=doubt)
        shown = whys_views.answer_note(why, by, _list_cited(tx, why))
        return whys_views.public_message([*shown, *doubt, *whys_views.question_blocks(incident, chain)])

    return await run_once(services, request, unit, verb="whys.answer")


def _reply(*, request_in_thread: bool, incident: Incident, chain: Chain, doubt: list[Block]) -> Message | None:
    """To the person who changed the whys; in the thread nothing but a doubt, since they read the rest there."""
    if not request_in_thread:
        return whys_views.private_message(incident, chain, doubt)
    return whys_views.doubt_message(doubt) if doubt else None


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


@dataclass(frozen=True, slots=True)
class PromptBody:
    """What a message in the thread followed, apart from the open question, which it always asks.

    `note` says what happened, as mrkdwn. `about` is the number of the why it asks about, or `THE_INCIDENT`; None if it
    asks nothing. `answer` is the number of the answer whose evidence it shows, `root` that of a root cause.
    """

    note: str
    about: int | None
    answer: int | None = None
    root: int | None = None


def _post(tx: Transaction, request: Request, incident: Incident, body: PromptBody) -> bool:
    """Enqueue the next message in the thread, in place of the last one with buttons; False if there is no thread.

    Until the message at its head is sent there is nothing to post: the head shows the chain as it is then.
    """
    thread = incidents_store.read_whys_thread(tx, incident.id)
    if thread:
        update_prompt(tx, request, incident.id)
        packed = asdict(body) | {"thread": thread}
        _enqueue(tx, request, incident, DeliveryKind.WHY_PROMPT, packed)
    return bool(thread) or deliveries_store.is_whys_thread_waiting(tx, incident.id)


def update_prompt(tx: Transaction, request: Request, incident_id: int) -> None:
    """Enqueue an update of the newest prompt, if there is one."""
    latest = deliveries_store.find_latest_prompt(tx, incident_id)
    incident = incidents_store.find(tx, incident_id) if latest else None
    # Composed when it is sent, so one update shows whatever changed until then (decision 47).
    if latest is not None and incident is not None:
        _enqueue(tx, request, incident, DeliveryKind.WHY_PROMPT_UPDATE, {"of": latest.id})


def _enqueue(
    tx: Transaction, request: Request, incident: Incident, kind: DeliveryKind, body: Mapping[str, object]
) -> None:
    deliveries_store.enqueue(tx, NewDelivery(incident.team, kind, incident.channel, body, request.now, incident.id))


def compose_prompt(tx: Transaction, incident: Incident, delivery: Delivery) -> OutgoingMessage | None:
    """A prompt by the current record, or its update; None if that was never sent."""
    prompt, is_update = delivery, delivery.kind is DeliveryKind.WHY_PROMPT_UPDATE
    if is_update:
        found = deliveries_store.find(tx, int(delivery.content["of"]))
        if found is None or not found.sent_ts:
            return None
        prompt = found
    packed = prompt.content
    thread, body = str(packed.pop("thread")), PromptBody(**packed)
    latest = deliveries_store.find_latest_prompt(tx, incident.id)
    case = case_store.load_latest(tx, incident)
    if incident.status is Status.RESOLVED and latest is not None and latest.id == prompt.id:
        known = {why.number: why for why in case.whys}
        answered, root = known.get(body.answer or 0), known.get(body.root or 0)
        content = whys_views.prompt_message(case, body.note, root, _list_cited(tx, answered) if answered else ())
    else:
        content = whys_views.closed_prompt(case, body.note, body.about)
    message = OutgoingMessage.of(content | {"thread_ts": thread})
    return replace(message, update_ts=prompt.sent_ts, only_there=True) if is_update else message


def open_thread(tx: Transaction, request: Request, incident: Incident) -> None:
    """After the resolution: enqueue the first question for the channel, or the open one for the existing thread."""
    if incidents_store.read_whys_thread(tx, incident.id):
        _post(tx, request, incident, PromptBody("", _find_asked(whys_store.list_chain(tx, incident.id))))
        return
    kind = DeliveryKind.WHYS_THREAD
    deliveries_store.enqueue(
        tx, NewDelivery(request.team, kind, incident.channel, "", request.now, incident.id, fallback=request.user)
    )


def _find_asked(chain: Chain) -> int | None:
    """What the open question is about: a why, or `THE_INCIDENT`; None if no question is open."""
    if whys_rules.is_ended(chain):
        return None
    end = whys_rules.find_open_end(chain)
    return end.number if end else whys_rules.THE_INCIDENT


def _require_resolved(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    incident = require_incident(tx, request, locking=locking)
    if incident.status is not Status.RESOLVED:
        raise Refused(f"{incident.key} isn't resolved yet. The whys start after that: `/incident resolved`")
    return incident


async def mark_root(
    services: Services, request: Request, number: int | None, shown: ShownVersion = TYPED, *, in_thread: bool = False
) -> Message | None:
    """The numbered why, else the latest open one, is a root cause: its branch ends there."""

    def unit(tx: Transaction) -> Message | None:
        incident = require_incident(tx, request, locking=True)
        if number is not None:
            why = whys_rules.find_why(whys_store.list_all(tx, incident.id), number)
            if now := _show_if_stale(tx, services, request, why, shown):
                return now
        why = whys_rules.find_why_to_mark(whys_store.list_chain(tx, incident.id), number)
        if why.is_root:
            raise OutdatedButton(f"Why {why.number} is already a root cause. `/why` shows the tree.")
        why = whys_store.amend(tx, replace(why, is_root=True), "root", request.user, request.now)
        chain, note = (
            whys_store.list_chain(tx, incident.id),
            whys_views.root_note(why, services.slack.directory.name_or_id(request.team, request.user)),
        )
        if _post(tx, request, incident, PromptBody(note, _find_asked(chain), root=why.number)):
            return _reply(request_in_thread=in_thread, incident=incident, chain=chain, doubt=[])
        return whys_views.public_message(
            whys_views.root_blocks(note, why, incident, chain, whys_views.QuestionPlace.CHANNEL)
        )

    return await run_once(services, request, unit, verb="whys.mark_root")


def _show_if_stale(
    tx: Transaction, services: Services, request: Request, why: Why, shown: ShownVersion
) -> Message | None:
    """How a why reads now, if it changed after its button was shown. Raises Refused for one that was taken back."""
    now = _whys(services, request).show_if_stale(tx, why, shown)
    if now is None:
        require_active(tx, services, request, why)
    return now


async def unmark_root(
    services: Services, request: Request, number: int, shown: ShownVersion = TYPED, *, in_thread: bool = False
) -> Message | None:
    """The numbered why is no root cause after all."""

    def unit(tx: Transaction) -> Message | None:
        incident = require_incident(tx, request, locking=True)
        why = whys_rules.find_why(whys_store.list_all(tx, incident.id), number)
        if now := _show_if_stale(tx, services, request, why, shown):
            return now
        why = whys_rules.find_why(whys_store.list_chain(tx, incident.id), number)
        if not why.is_root:
            raise OutdatedButton(f"Why {number} isn't marked as a root cause. `/why` shows the tree.")
        why = whys_store.amend(tx, replace(why, is_root=False), "no root", request.user, request.now)
        chain = whys_store.list_chain(tx, incident.id)
        note = whys_views.no_root_note(why, services.slack.directory.name_or_id(request.team, request.user))
        if _post(tx, request, incident, PromptBody(note, _find_asked(chain))):
            return _reply(request_in_thread=in_thread, incident=incident, chain=chain, doubt=[])
        return whys_views.public_message([blocks.section(note), *whys_views.question_blocks(incident, chain)])

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


async def form(services: Services, request: Request, parent: int | None, *, in_thread: bool) -> Block:
    """The form that answers the question about `parent`; the open one instead if that was answered meanwhile."""

    def look(tx: Transaction) -> Block:
        incident = _require_resolved(tx, request)
        chain = whys_store.list_chain(tx, incident.id)
        if parent:
            require_active(tx, services, request, whys_rules.find_why(whys_store.list_all(tx, incident.id), parent))
        before, asked = whys_rules.find_answer(chain, parent), parent or whys_rules.THE_INCIDENT
        answered = (before, services.slack.directory.name_or_id(request.team, before.author)) if before else None
        if answered is not None:
            found = _find_asked(chain)
            if found is None:
                raise OutdatedButton(_describe_end(chain, *answered))
            asked = found
        example = find_example_entry(tx, incident.id)
        return whys_views.answer_form(incident, chain, asked, example, answered, in_thread=in_thread)

    return await services.store.read(look)


def _describe_end(chain: Chain, answered: Why, who: str) -> str:
    """The sentence for an old [Answer] while no question is open."""
    return (
        f"{who} already answered that, as why {answered.number}, and every branch ends in a root cause. To add another "
        f"cause: `/why branch {whys_rules.find_branch_point(chain)} …`"
    )


async def find_request(services: Services, request: Request, thread_ts: str) -> Request | None:
    """The request, about the incident whose whys have this thread; None for another thread."""
    if not thread_ts:
        return None
    incident = await services.store.read(lambda tx: incidents_store.find_by_whys_thread(tx, request.place, thread_ts))
    return replace(request, incident_id=incident.id) if incident else None


async def find_answered(services: Services, request: Request, line: str) -> int | None:
    """The number of the user's latest active why that still reads as a line they wrote; None if there is none."""
    text = whys_rules.spell_because(clean_input(line))

    def look(tx: Transaction) -> int | None:
        chain = whys_store.list_chain(tx, require_incident(tx, request).id)
        mine = [why.number for why in chain if (why.author, why.text) == (request.user, text)]
        return mine[-1] if mine else None

    return await services.store.read(look)


def _why(tx: Transaction, request: Request, number: int, *, locking: bool = False) -> tuple[Incident, Why]:
    """The incident and its numbered why, struck or not. Raises Refused if there is none."""
    incident = require_incident(tx, request, locking=locking)
    return incident, whys_rules.find_why(whys_store.list_all(tx, incident.id), number)


def _amend(
    tx: Transaction, services: Services, request: Request, incident: Incident, changed: tuple[Why, str]
) -> tuple[Why, Chain, Chain]:
    """Save a changed why (with what changed) and tell the thread who did so, with the open question if it is another.

    Returns the why, and the chain before and after.
    """
    why, change = changed
    before = whys_store.list_chain(tx, incident.id)
    save = whys_store.move if change == "moved" else partial(whys_store.amend, change=change)
    why = save(tx, why, by=request.user, now=request.now)
    after = whys_store.list_chain(tx, incident.id)
    note = whys_views.change_note(why, change, services.slack.directory.name_or_id(request.team, request.user), after)
    if not whys_views.asks_the_same(before, after):
        _post(tx, request, incident, PromptBody(note, _find_asked(after)))
    elif thread := incidents_store.read_whys_thread(tx, incident.id):
        deliveries_store.enqueue_message(
            tx, incident, whys_views.thread_note(note) | {"thread_ts": thread}, request.now
        )
        update_prompt(tx, request, incident.id)
    return why, before, after


async def edit(services: Services, request: Request, number: int, text: str) -> Message | None:
    """Change the text of a why, as `/why edit 2 because …`."""
    text = require_reason(text)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, request, number, locking=True)
        return _reword(tx, services, request, (incident, before), text)

    return await run_once(services, request, unit, verb="whys.edit")


async def save_form(
    services: Services, request: Request, number: int, text: str | None, version: int
) -> Message | None:
    """Save the form behind [Edit]; `version` is the one that its writer saw, so that no one's words are overwritten.

    Without a text nothing was changed in the form, and nothing is saved.
    """
    if text is None:
        return await show_one(services, request, number)
    text = require_reason(text)

    def unit(tx: Transaction) -> Message:
        incident, before = _why(tx, request, number, locking=True)
        # Someone changed it while the form was open: both wordings are shown, and nothing is overwritten (decision
        # 30).
        if before.version != version:
            who, example = find_last_editor(tx, services, request, before), find_example_entry(tx, before.incident_id)
            return whys_views.conflict_form(before, request.place.channel, example, text, who)
        return _reword(tx, services, request, (incident, before), text)

    return await run_once(services, request, unit, verb="whys.save_form")


def _reword(tx: Transaction, services: Services, request: Request, about: tuple[Incident, Why], text: str) -> Message:
    incident, before = about
    why, *_ = _amend(tx, services, request, incident, (replace(before, text=text, struck=False), "edited"))
    secrets_service.warn(tx, incident, RecordRef(RecordKind.WHY, str(why.number)), text, request)
    return whys_views.edit_receipt(why, before)


class _WhyText(VersionedText[Why]):
    already_active = "isn't removed."

    def find(self, tx: Transaction, incident: Incident, number: int) -> Why:
        return whys_rules.find_why(whys_store.list_all(tx, incident.id), number)

    def find_last(self, tx: Transaction, incident: Incident) -> Why:
        return whys_rules.find_last_by(whys_store.list_all(tx, incident.id), self.request.user)

    def save(self, tx: Transaction, incident: Incident, text: Why, change: str, shown: ShownVersion) -> Message:
        why, before, after = _amend(tx, self.services, self.request, incident, (text, change))
        return whys_views.correction_receipt(why, change, before, after)

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
        why, before, after = _amend(tx, services, request, incident, (replace(why, parent=parent), "moved"))
        return whys_views.correction_receipt(why, "moved", before, after)

    return await run_once(services, request, unit, verb="whys.move")
