"""The sync workers bring other systems up to date, one worker per system (decisions 21 and 27).

No one who records waits for them. A call that fails for now is repeated, after longer and longer waits. One that was
refused waits until the thing changes or a person tries again. An incident's channel hears once of a failure, and once
when it is over.
"""

import asyncio
import logging
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from prometheus_client import Counter

from bot.clock import Clock
from bot.domain.records import Incident, System
from bot.integrations import views as integration_views
from bot.integrations.http import LONGEST_RETRY_AFTER, IntegrationError
from bot.queue import BatchWorker, backoff
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.secrets import strip_redacted
from bot.slack.channels import Channels
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabQueue
from bot.slack.views.blocks import Message
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkOutcome
from storage.queues import SyncState

REPORT_AFTER = 5
"""After this many attempts (about a minute) people hear of a failure that may still pass."""


class DecisionNeeded(IntegrationError):
    """A person must decide before the sync continues; `asks` is the message to them, with its buttons."""

    def __init__(self, system: str, sentence: str, asks: Message) -> None:
        super().__init__(system, sentence, is_permanent=True)
        self.asks = asks


def must_report(link: Link, error: IntegrationError, *, state: SyncState, is_urgent: bool) -> bool:
    """Decide whether people hear of a failure that leaves the link in `state`.

    They hear of each rejection, of the first time that a token is refused, and of a failure that lasts.
    """
    at = 1 if error.is_permanent or is_urgent else REPORT_AFTER  # most failures pass before people need to know
    return link.attempts >= at and (state == SyncState.REJECTED or link.attempts == at or not link.is_told)


async def is_public(channels: Channels, incident: Incident, system: str) -> bool:
    """Whether everyone in the workspace may read the incident's channel.

    Raises IntegrationError while Slack does not say: a private incident must not leave Slack by mistake.
    """
    sight = await channels.check_visible("", [incident.channel])
    if not sight.is_sure:
        raise IntegrationError(
            system, "Slack isn't telling me who can read the incident's channel. I'll try again later."
        )
    return incident.channel in sight.seen


def report_failure(tx: Transaction, link: Link, sentence: str, now: datetime, asks: Message | None = None) -> None:
    """Report a failure in the incident's channel, unless it has read the same about that system already.

    `asks` is sent in place of the sentence if a person has to decide something.
    """
    incident = incidents_store.find(tx, link.incident_id)
    if incident is None:
        return
    troubled = links_store.list_failing_in(tx, link.team, link.system, incident.channel)
    others = [one for one in troubled if one.error == sentence and one.id != link.id]
    if not any(one.is_told and _was_tried(one) for one in others):
        _drop_retry_buttons(tx, link, incident, now)  # the newest message has one
        deliveries_store.enqueue_message(
            tx, incident, asks or integration_views.failure_message(link, sentence, others=bool(others)), now
        )


def report_recovery(tx: Transaction, link: Link, now: datetime) -> None:
    """Report in a channel that read of failures that all is well, once no job of the channel waits after an error.

    Rejected jobs wait for a person: they do not delay the message, which counts them.
    """
    incident = incidents_store.find(tx, link.incident_id)
    if incident is None:
        return
    place = (link.team, link.system, incident.channel)
    failing, recovered = links_store.list_failing_in(tx, *place), links_store.list_recovered_in(tx, *place)
    if recovered and all(one.state == SyncState.REJECTED for one in failing):
        links_store.mark_recovery_reported(tx, recovered)
        message = integration_views.recovery_message(recovered, refused=len(failing))
        deliveries_store.enqueue_message(tx, incident, message, now)


_QUESTIONS = {
    System.JIRA: ("connections_agree",),
    System.CONFLUENCE: ("confluence_look", "confluence_anew", "confluence_overwrite"),
}
"""By system, the buttons of what it asks before it can go on."""


def drop_outdated_buttons(tx: Transaction, link: Link, now: datetime) -> None:
    """After a link that failed (as it was before) is in sync or given up: take away what it asked.

    [Try again] goes with the last failure of its channel.
    """
    incident = incidents_store.find(tx, link.incident_id) if link.error else None
    if incident is None:
        return
    outdated_buttons_service.drop_answered(tx, incident.id, _QUESTIONS.get(System(link.system), ()), now)
    if not links_store.list_failing_in(tx, link.team, link.system, incident.channel):
        _drop_retry_buttons(tx, link, incident, now)


def _drop_retry_buttons(tx: Transaction, link: Link, incident: Incident, now: datetime) -> None:
    (button,) = integration_views.retry_button(link.system)["elements"]
    again = (button["action_id"], button["value"])
    outdated_buttons_service.drop_in_channel(tx, link.team, incident.channel, again, now)


def _was_tried(link: Link) -> bool:
    """Whether its error is current: it was tried since it last changed, or since a person pressed [Try again]."""
    return link.attempts > (link.state == SyncState.CALLING)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of a sync: where the thing is now, and what its handler wants to remember (`memo`).

    Without `is_all` this much is done and recorded, so that it is never repeated; the rest is due at once.
    """

    external_id: str
    url: str
    status: str = ""
    memo: str = ""
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Deferred:
    """Something else must come first: try again after `wait`. This is no failure and no attempt."""

    wait: timedelta


class SyncHandler(Protocol):
    """Syncs the things of one system. The worker calls it and records the outcome."""

    def is_urgent(self, link: Link) -> bool:
        """Whether people hear of the first failure of a link, even if it may pass."""

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> Any | None:
        """Read what to send, after the row was claimed: what changes from now on is another job.

        None if there is nothing to send any more, Deferred if it has to wait.
        """

    async def perform(self, link: Link, prepared: Any) -> SyncResult:
        """Make the calls. Raises IntegrationError. If `link.is_unsure`, an earlier call may be done: look first."""

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Record what follows (the tracker's address at an action, say), in the transaction that settles."""

    async def poll(self, store: Store, now: datetime) -> Sequence[int]:
        """Read what changed there; the ids of the incidents that changed here by it. Raises IntegrationError."""

    async def aclose(self) -> None:
        """Close the connections."""


log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
ATTEMPT_SECONDS = 240.0
"""An attempt may be several calls, each with waits that the system asked for. It ends before its lease runs out."""
FIRST_BACKOFF = timedelta(seconds=4)
TOKEN_REFUSED_WAIT = timedelta(minutes=15)
"""Until the next try after a refused token: once the settings have a new one, everything is sent without a click."""
LONGEST_WAIT = timedelta(seconds=LONGEST_RETRY_AFTER) + timedelta(hours=1)
"""No job is put off for longer. A row that is due later was written by a clock that was ahead."""
AT_ONCE = 4
"""How many jobs are claimed together. They call one system at the same time."""
POLL_EVERY = timedelta(minutes=2)

_CALLS = Counter("afterword_errands_total", "Attempts to bring another system into step.", ["system", "outcome"])


@dataclass(frozen=True, slots=True)
class SyncContext:
    """What every worker needs. `troubles` says, by system, why it could not be polled."""

    store: Store
    clock: Clock
    outbox: Outbox
    tabs: HomeTabQueue
    troubles: MutableMapping[str, str]


class SyncWorker(BatchWorker[Link, SyncResult | Deferred | None, None]):
    """Runs the sync jobs of one system, and polls it. A hanging system delays only its own jobs."""

    def __init__(self, system: str, handler: SyncHandler, context: SyncContext) -> None:
        super().__init__(f"the sync with {system}", context.store, context.clock, attempt_seconds=ATTEMPT_SECONDS)
        self.handler = handler
        self._system = system
        self._context = context
        self._polled_at: datetime | None = None

    async def run_due(self, now: datetime) -> int:
        """Poll, then run every job that is due from `now` on; returns how many were attempted."""
        # The lock keeps a tick and the loop apart: both would poll, and claim one after the other what one round can
        # do.
        asked_at = self._clock.now()
        async with self._working:
            await self._poll_changes(now)
            return await self._run_batches(now + self._since(asked_at))

    async def _poll_changes(self, now: datetime) -> None:
        """Read what changed in the system, every `POLL_EVERY`, also after a failure."""
        # The lower bound: after the clock was put back, the last poll lies in the future, and nothing would be
        # polled.
        if self._polled_at is not None and timedelta(0) <= now - self._polled_at < POLL_EVERY:
            return
        # Before the call: a system that hangs or fails is asked again only after the pause.
        self._polled_at = now
        await self._bring_forward(now)
        # Whatever a poll raises, the jobs must run: `gather` returns it, because only two places catch everything.
        (changed,) = await asyncio.gather(self.handler.poll(self._store, now), return_exceptions=True)
        if isinstance(changed, BaseException):
            log.warning(
                "Checking %(system)s for changes failed: %(cause)s It's tried again at the next tick.",
                {"event": "changes_unread", "system": self._system, "cause": str(changed)},
            )
            self._context.troubles[self._system] = _as_error(self._system, "What changed there", changed).sentence
            _CALLS.labels(self._system, "not asked").inc()
        else:
            self._context.troubles.pop(self._system, None)
            self._context.tabs.mark_changed([(incident_id, "incident") for incident_id in changed])
        self._context.outbox.notify()

    async def _bring_forward(self, now: datetime) -> None:
        """Make due now what a clock that was ahead has put off for days or years."""
        latest = await self._store.read(lambda tx: links_store.last_due(tx, self._system))
        # Read first, because a write is a commit, and this runs every two minutes for each system.
        if latest is not None and latest > now + LONGEST_WAIT:
            await self._store.write(lambda tx: links_store.bring_forward(tx, self._system, now + LONGEST_WAIT, now))

    def _next_due(self, tx: Transaction) -> datetime | None:
        return links_store.next_due(tx, self._system)

    def _claim(self, tx: Transaction, now: datetime) -> list[Link]:
        claimed: list[Link] = []
        for link in links_store.due(tx, self._system, now, AT_ONCE):
            links_store.claim(tx, link, self._owner, now + LEASE)
            # A lease that ran out: the call of the process that held it may have taken effect there.
            is_unsure = link.is_unsure or link.state is SyncState.CALLING
            claimed.append(replace(link, attempts=link.attempts + 1, is_unsure=is_unsure))
        return claimed

    async def _attempt(self, job: Link, now: datetime) -> SyncResult | Deferred | None:
        # Read after the claim is committed: what changes from now on raises `wanted`, and is synced by the next job.
        prepared = await self._store.write(lambda tx: self.handler.prepare(tx, job, now))
        if prepared is None or isinstance(prepared, Deferred):
            return prepared
        return await self.handler.perform(job, prepared)

    async def _finish(self, job: Link, ended: SyncResult | Deferred | BaseException | None, now: datetime) -> None:
        if isinstance(ended, BaseException):
            error = _as_error(self._system, job.subject, ended)
            await self._store.write(partial(self._record_failure, link=job, error=error, now=now))
            label = "refused" if error.is_permanent else "later"
        elif isinstance(ended, SyncResult):
            await self._store.write(partial(self._record_success, link=job, result=ended, now=now))
            self._context.tabs.mark_changed([(job.incident_id, "incident")])
            label = SyncState.IN_SYNC.value
        else:
            await self._store.write(partial(self._record_no_attempt, link=job, deferred=ended, now=now))
            label = SyncState.ABANDONED.value if ended is None else SyncState.PENDING.value
        self._context.outbox.notify()
        _CALLS.labels(job.system, label).inc()

    def _report_unsettled(self, job: Link, error: BaseException) -> None:
        log.error(
            "The outcome of updating %(subject)s in %(system)s couldn't be saved (%(cause)s). It's looked up in a "
            "minute; /readyz shows whether the database is well.",
            {"event": "sync_unsettled", "subject": job.subject, "system": job.system, "cause": type(error).__name__},
        )

    def _record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        # What a person redacted while the call was under way must not come back with the memo of the attempt.
        seen, link = link, _without_redacted(tx, link)
        result = replace(result, memo=strip_redacted(result.memo, seen.memo, link.memo))
        outcome = replace(
            _clean_outcome(link, SyncState.IN_SYNC if result.is_all else SyncState.PENDING, now),
            external_id=result.external_id,
            url=result.url,
            status=result.status,
            memo=result.memo,
            # The success of an urgent one is a message itself, so a recovery need not be reported.
            is_told=link.is_told and not self.handler.is_urgent(link),
            synced_at=now,
        )
        if self._settle(tx, link, outcome):
            self.handler.record_success(tx, link, result, now)
            report_recovery(tx, link, now)
            drop_outdated_buttons(tx, link, now)

    def _record_failure(self, tx: Transaction, link: Link, error: IntegrationError, now: datetime) -> None:
        link = _without_redacted(tx, link)
        # A refused token is not final, though every call is refused: it will be replaced.
        state = SyncState.REJECTED if error.is_permanent and error.status != 401 else SyncState.PENDING
        wait = TOKEN_REFUSED_WAIT if error.status == 401 else backoff(link.attempts, FIRST_BACKOFF)
        due_at = now if state is SyncState.REJECTED else error.retry_at(now) or now + wait
        is_to_report = must_report(link, error, state=state, is_urgent=self.handler.is_urgent(link))
        outcome = replace(
            _clean_outcome(link, state, due_at),
            attempts=link.attempts,
            # Once unsure, unsure until it was looked up: a later refusal does not tell what became of the earlier
            # call.
            is_unsure=link.is_unsure or error.may_have_happened,
            error=error.sentence,
            is_told=link.is_told or is_to_report,
        )
        if self._settle(tx, link, outcome) and is_to_report:
            report_failure(tx, link, error.sentence, now, error.asks if isinstance(error, DecisionNeeded) else None)

    def _record_no_attempt(self, tx: Transaction, link: Link, deferred: Deferred | None, now: datetime) -> None:
        """There is nothing to send any more, or the job has to wait, which counts as no attempt."""
        link = _without_redacted(tx, link)
        if deferred is None:
            if self._settle(tx, link, _clean_outcome(link, SyncState.ABANDONED, now)):
                drop_outdated_buttons(tx, link, now)
            return
        outcome = replace(
            _clean_outcome(link, SyncState.PENDING, now + deferred.wait),
            # The claim counted it as an attempt.
            attempts=link.attempts - 1,
            is_unsure=link.is_unsure,
            error=link.error,
            is_told=link.is_told,
        )
        self._settle(tx, link, outcome)

    def _settle(self, tx: Transaction, link: Link, outcome: LinkOutcome) -> bool:
        was_ours = links_store.settle(tx, link, self._owner, outcome)
        if not was_ours:
            log.warning(
                "Another process took over %(subject)s in %(system)s. If this repeats, compare the clocks of the "
                "replicas.",
                {"event": "sync_taken_over", "subject": link.subject, "system": link.system},
            )
        return was_ours


def _without_redacted(tx: Transaction, link: Link) -> Link:
    """A claimed link without what was redacted in its memo since the claim. Only the attempt changes the rest of it.

    The row is locked, so that nothing is redacted between this and the settlement (decision 39).
    """
    current = links_store.lock(tx, link)
    return replace(link, memo=strip_redacted(link.memo, link.memo, current.memo)) if current else link


def _clean_outcome(link: Link, state: SyncState, due_at: datetime) -> LinkOutcome:
    """The link as it was claimed, with no failure in it."""
    return LinkOutcome(
        state=state,
        due_at=due_at,
        external_id=link.external_id,
        url=link.url,
        status=link.status,
        memo=link.memo,
        attempts=0,
        is_unsure=False,
        error="",
        is_told=False,
        synced_at=link.synced_at,
    )


def _as_error(system: str, subject: str, ended: BaseException) -> IntegrationError:
    """The error of an attempt. After an unforeseen one, the call may have taken effect in the other system."""
    if isinstance(ended, IntegrationError):
        return ended
    if isinstance(ended, TimeoutError):
        words = f"{System(system).display_name} took too long. I'll try again later."
    else:
        log.error(
            "Updating %(subject)s in %(system)s failed (%(cause)s). It's tried again; please report this.",
            {"event": "sync_failed", "subject": subject, "system": system, "cause": type(ended).__name__},
            exc_info=ended,
        )
        words = f"Updating {System(system).display_name} failed. I'll try again later; the server's log says why."
    return IntegrationError(system, words, may_have_happened=True)


class SyncWorkers:
    """One worker per system. Jobs of systems that have no handler here are left as they are."""

    def __init__(self, handlers: Mapping[str, SyncHandler], context: SyncContext) -> None:
        self._workers = {name: SyncWorker(name, handler, context) for name, handler in handlers.items()}

    @property
    def handlers(self) -> Mapping[str, SyncHandler]:
        """The handler of each system."""
        return {name: worker.handler for name, worker in self._workers.items()}

    def notify(self) -> None:
        """Wake every worker: something was enqueued."""
        for worker in self._workers.values():
            worker.notify()

    async def run(self) -> None:
        """Do what comes due until closed or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers.values():
                tasks.create_task(worker.run())

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due from `now` on; how many jobs were attempted."""
        return sum(await asyncio.gather(*(worker.run_due(now) for worker in self._workers.values())))

    async def close(self) -> None:
        """Claim nothing more, wait up to 10 s for the calls under way, then close the connections."""
        await asyncio.gather(*(worker.close() for worker in self._workers.values()))
        # The connections last: calls under way use them.
        for worker in self._workers.values():
            await worker.handler.aclose()
