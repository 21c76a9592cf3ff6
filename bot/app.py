"""Builds the whole bot: the one place that knows every part."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

import handlers
from bot.clock import Clock, CorrectedClock
from bot.domain import times
from bot.domain.records import Incident, Place
from bot.domain.reminders import ReminderKind
from bot.errors import DatabaseGone
from bot.export import Exporter
from bot.export.outlines import OutlineShelf
from bot.integrations import SyncDependencies, Webhook, registry
from bot.integrations.http import RetryPolicy
from bot.integrations.sync import SyncContext, SyncHandler, SyncWorkers
from bot.policy import build_policy, build_retention_rules, watch_config
from bot.scheduler import Sweeper
from bot.services import incidents as incidents_service
from bot.services import people as people_service
from bot.services.alerts import groups as groups_service
from bot.services.announcements.posts import Announcer
from bot.services.context import Integrations, Policy, Services, SlackGateway
from bot.services.documents.compiler import DocumentCompiler, Renderer, compile_for_customers
from bot.services.documents.exports import CanvasDelivery, ExportDelivery
from bot.services.history.chain import ChainNotes, find_notes_file
from bot.services.history.retention import Pruner
from bot.services.history_scan import HistoryScanner
from bot.services.home_tab import HomeTabRenderer
from bot.services.library.sessions import Signatures, SignInPruner
from bot.services.live_message import LiveMessageRenderer, read_replaced
from bot.services.notifications import reminders as reminders_service
from bot.services.notifications.composer import Composer, Visibility
from bot.services.notifications.invitations import InvitationDelivery
from bot.settings import Settings
from bot.settings.integrations import HOOK_SECRETS
from bot.slack.channel_privacy import ChannelPrivacy
from bot.slack.channels import Channels, VisibleChannels
from bot.slack.clock import ClockKeeper
from bot.slack.directory import Directory, DirectoryRefresher
from bot.slack.files import AttachmentFetcher, Canvases, FileReader
from bot.slack.messages_in import ChannelHistory
from bot.slack.openid import OpenId
from bot.slack.outbox import Outbox
from bot.slack.reachability import Reachability
from bot.slack.refresh import HomeTabPublisher, HomeTabQueue, LiveMessageQueue, MessageUpdater
from bot.slack.views import templates
from bot.slack.views.incidents import SimilarCase
from bot.timeouts import Timeouts
from bot.web import library, server, webhooks
from bot.web.health import Health, make_backlog_probe, make_database_probe, measure
from bot.web.sign_in import CALLBACK_PATH, SignIn
from bot.web.slack_endpoint import Dispatcher, Guard, build_bolt
from bot.web.socket_mode import SocketMode
from bot.web.webhooks import HubSignature, build_authenticators
from handlers.boundary import Boundary
from storage.database.store import Store
from storage.database.writer import GONE
from storage.deliveries import Delivery
from storage.queues import DeliveryKind

log = logging.getLogger(__name__)

FILE_SECONDS = 1.0
"""Between two looks at whether the database file is still there."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _session(reachability: Reachability, timeouts: Timeouts) -> aiohttp.ClientSession:
    limit = aiohttp.ClientTimeout(total=timeouts.slack_call)
    return aiohttp.ClientSession(timeout=limit, trace_configs=[reachability.trace()])


def _client(settings: Settings, session: aiohttp.ClientSession, timeouts: Timeouts, token: str) -> AsyncWebClient:
    # No retry handlers (decision 4): slack_sdk may repeat a post whose answer was lost, and so post twice.
    seconds = round(timeouts.slack_call)
    client = AsyncWebClient(token, base_url=settings.slack_api_url, session=session, retry_handlers=[], timeout=seconds)
    if urlsplit(settings.slack_api_url).hostname in LOOPBACK:
        # slack_sdk uses the environment's proxy for every address, and ignores NO_PROXY.
        client.proxy = None
    return client


def _read_event(webhook: Webhook, body: Any, headers: Mapping[str, str], _: datetime) -> Any:
    return webhook.read(body, headers)


class Afterword:
    """The whole bot on an open store: `async with Afterword(settings, store, clock) as bot`, then `await bot.run()`.

    Its timeouts are the store's (`Store.timeouts`). Starting does not need Slack: over HTTP, recording works while
    Slack's Web API is down.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        sync_handlers: Mapping[str, SyncHandler] | None = None,
        patience: RetryPolicy | None = None,
    ) -> None:
        """`sync_handlers` replace those that the settings ask for; `patience` is for calls to other systems."""
        self._sync_handlers = sync_handlers
        self._patience = patience or RetryPolicy()
        self.settings = settings
        self.store = store
        self.clock = clock
        self.clock_keeper: ClockKeeper | None = None
        """None if the clock is set by hand, as in a rehearsal: then it is right."""
        self._stack = AsyncExitStack()
        self._pruner = Pruner(store, build_retention_rules(settings))
        self._sign_in_pruner = SignInPruner(store)
        self.chain_notes = ChainNotes(store, find_notes_file(settings.chain_file, store.driver))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:  # if building fails, whatever is open already is closed
            await self._build(opened)
            self._stack = opened.pop_all()
        return self

    async def _build(self, opened: AsyncExitStack) -> None:
        settings, store, clock, timeouts = self.settings, self.store, self.clock, self.store.timeouts
        self.reachability = Reachability()
        session = await opened.enter_async_context(_session(self.reachability, timeouts))
        token = settings.slack_bot_token.get_secret_value()
        # People who sign in have tokens of their own: the second client has none.
        self.client, self._people_client = (_client(settings, session, timeouts, one) for one in (token, ""))
        await self._set_clock()
        self.config = watch_config(settings)
        policy, exporter = build_policy(settings, self.config), Exporter(settings.templates_folder, timeouts)
        channels, directory = Channels(self.client, timeouts), Directory(store, self.client)
        await directory.load()  # before the first request: people are looked up in memory
        composer = self._build_composer(exporter, channels, policy)
        opened.push_async_callback(composer.close)
        self.slack = SlackGateway(
            directory=directory,
            channels=channels,
            outbox=Outbox(store, self.client, clock, composer.compose, on_sent=composer.record_sent),
            attachments=AttachmentFetcher(store, FileReader(self.client), clock),
            live_messages=LiveMessageQueue(),
            home_tabs=HomeTabQueue(),
            channel_privacy=ChannelPrivacy(self.client, store),
        )
        sync_handlers = self._build_handlers(exporter, policy)
        integrations = Integrations(
            names=tuple(sync_handlers),
            components=registry.component_source(sync_handlers),
            page=registry.postmortem_page(sync_handlers),
        )
        self.services = Services(
            store=store,
            clock=clock,
            slack=self.slack,
            exporter=exporter,
            integrations=integrations,
            policy=policy,
            outlines=await asyncio.to_thread(OutlineShelf, settings.templates_folder),
        )
        context = SyncContext(store, clock, self.slack.outbox, self.slack.home_tabs, integrations.troubles)
        self.sync_workers = SyncWorkers(sync_handlers, context)
        self._connect_followers()
        self.boundary = Boundary(self.services, self.client)
        templates.prepare()
        self.bolt = build_bolt(token, settings.slack_api_url, session)
        handlers.listen(self.bolt, self.boundary)
        self.dispatch = Dispatcher(self.bolt, handlers.build_commands(self.boundary))
        self.sweeper = Sweeper(self.sweep, clock, seconds=settings.tick_seconds)

    async def _set_clock(self) -> None:
        if isinstance(self.clock, CorrectedClock):
            self.clock_keeper = ClockKeeper(self.store, self.clock, self.client)
            await self.clock_keeper.set_by_database()

    def _build_handlers(self, exporter: Exporter, policy: Policy) -> Mapping[str, SyncHandler]:
        if self._sync_handlers is not None:
            return self._sync_handlers
        dependencies = SyncDependencies(
            store=self.store,
            exporter=exporter,
            channels=self.slack.channels,
            mask=policy.mask,
            reminders=policy.reminders,
            retry=self._patience,
            find_email=registry.email_lookup(self.client),
            draft_for_customers=partial(compile_for_customers, DocumentCompiler(self.store, policy.mask), exporter),
        )
        return registry.build_handlers(self.settings, dependencies)

    # Needed by the composer, which is built before the services.
    async def _find_visible(self, team: str, user: str, channels: Iterable[str]) -> VisibleChannels:
        if not user.startswith(("U", "W")):  # what may be said in another channel
            return await self.slack.channels.check_public(channels, user)
        return await self.services.check_channels(team, user, channels)

    async def _find_similar(self, incident: Incident) -> tuple[SimilarCase, ...]:
        return await incidents_service.find_similar_for_all(self.services, incident)

    def _connect_followers(self) -> None:
        self.history_scanner = HistoryScanner(self.services, ChannelHistory(self.client))
        # Whatever is kept up to date with the record: other systems, files, live messages, Home tabs, names of people.
        self.slack.outbox.on_notify(self.sync_workers.notify)
        self.slack.outbox.on_notify(self.slack.attachments.notify)
        renderer = LiveMessageRenderer(self.services, MessageUpdater(self.client), self._find_similar)
        self.slack.outbox.after_send(partial(self._refresh_posted, renderer))
        self.slack.live_messages.refresh_with(renderer.refresh)
        self.slack.home_tabs.refresh_with(HomeTabRenderer(self.services, HomeTabPublisher(self.client)))
        self.directory_refresher = DirectoryRefresher(self.client, self.slack.directory)

    def _refresh_posted(self, renderer: LiveMessageRenderer, delivery: Delivery) -> None:
        # What only Slack knows is not in a live message when it is posted.
        if delivery.kind is DeliveryKind.LIVE_MESSAGE:
            if delivery.incident_id and (old := read_replaced(delivery)):
                renderer.note_replaced(delivery.incident_id, old)
            place = Place(delivery.team, delivery.recipient)
            self.slack.live_messages.mark_stale(place, delivery.incident_id)

    async def __aexit__(self, *_: object) -> None:
        await self.directory_refresher.close()
        await self.slack.channel_privacy.close()
        # From the edge inwards: answers may still enqueue sync rows, and those messages, which the outbox sends.
        await self.boundary.drain()
        # The outbox last: what the others end with may enqueue a message.
        await asyncio.gather(self.sync_workers.close(), self.slack.attachments.close(), self.history_scanner.close())
        await self.slack.outbox.close()
        await self.chain_notes.write()
        await self._stack.aclose()

    def _build_composer(self, exporter: Exporter, channels: Channels, policy: Policy) -> Composer:
        compiler = DocumentCompiler(self.store, policy.mask)
        canvases = CanvasDelivery(self.store, exporter, compiler, Canvases(self.client))
        delivery = ExportDelivery(compiler, Renderer(exporter, compiler), channels, canvases)
        invitations = InvitationDelivery(self.store, channels, self._find_similar)
        announcer = Announcer(channels, policy.library)
        return Composer(delivery, Visibility(self.store, self._find_visible), announcer, invitations)

    async def tick(self, now: datetime) -> None:
        """Do everything that is due by `now`: for the command line and tests."""
        if await self._settle_reminders(now):
            await self.sync_workers.run_due(now)
            await self.slack.outbox.run_due(now)
            await self.slack.attachments.run_due(now)
            await self.history_scanner.run_due(now)

    async def sweep(self, now: datetime) -> None:
        """The scheduler's tick. Messages go out at the outbox's pace, which matters after a week of downtime."""
        if self.clock_keeper is not None:
            await self.check_clock()
            now = self.clock.now()
        await self._reload_outlines()
        if await self._settle_reminders(now):
            self.slack.outbox.notify()
            await self._pruner.prune_if_due(now)
            await self._sign_in_pruner.prune_if_due(now)
            await self.chain_notes.write()

    async def check_clock(self) -> str:
        """Correct the clock. Returns why nothing may be settled by it, as a sentence; empty if all is well."""
        if self.clock_keeper is None:
            return ""
        await self.clock_keeper.check()
        return self.clock_keeper.doubt

    async def _reload_outlines(self) -> None:
        # While a file is broken, what it said before stays in force.
        if await asyncio.to_thread(self.services.outlines.reload):
            for sentence in self.services.outlines.troubles:
                log.warning("%(sentence)s", {"event": "outline_refused", "sentence": sentence})

    async def _settle_reminders(self, now: datetime) -> bool:
        # False if the clock is in doubt, as a reminder is settled once; and if the database file is not the one that
        # was opened, as what is written to a deleted file is lost.
        if not self.store.is_whole():
            log.critical(GONE, {"event": "database_gone"})
            self.store.writer.stop()
            return False
        await self._reload_config()
        self.directory_refresher.refresh_if_due(now)
        self.slack.channel_privacy.refresh_if_due(now)
        await people_service.settle_newcomers(self.services, now)
        if self.clock_keeper is not None and self.clock_keeper.doubt:
            return False
        settled = await reminders_service.sweep(self.store, self.services.policy.reminders, now)
        if settled:
            log.info("Reminders decided: %(reminders)d.", {"event": "reminders_settled", "reminders": len(settled)})
        for one in settled:
            if one.reminder.kind is ReminderKind.OVERDUE:  # no request caused it that would refresh the tab
                self.slack.home_tabs.mark_stale(one.reminder.team, one.reminder.subject)
        return True

    async def _reload_config(self) -> None:
        # In a thread: the file may be on a disk that does not answer.
        if not await asyncio.to_thread(self.config.reload):
            return
        name = self.config.current.name
        if self.config.trouble:
            log.warning("%(sentence)s", {"event": "config_refused", "sentence": self.config.trouble})
        else:
            log.info("%(file)s was read again.", {"event": "config_read", "file": name})

    def web(self) -> Starlette:
        """The web application: health, metrics, webhooks that have a secret, and over HTTP Slack's endpoint."""
        secret = self.settings.slack_signing_secret.get_secret_value()
        by_http = self.settings.transport == "http"
        guard = Guard(secret, self.clock) if by_http and secret else None
        probes = {
            "database": make_database_probe(self.store, self.clock),
            "scheduler": self.sweeper.probe,
            "slack": self._slack_probe,
            "messages": make_backlog_probe(self.store, self.clock),
        }
        if self.clock_keeper is not None:
            probes["clock"] = self.clock_keeper.probe
        return server.build_app(
            self.dispatch if guard else None,
            guard,
            Health(probes, {"policy": lambda: self.config.trouble}),
            [*self._build_webhooks(), *self._build_library()],
            self._measure,
            self.store.timeouts,
        )

    def _build_library(self) -> list[Route]:
        """The library's routes; none unless all its settings are there."""
        settings = self.settings
        if not settings.has_library:
            return []
        secret = settings.slack_client_secret.get_secret_value()
        openid = OpenId(self._people_client, settings.slack_client_id, secret, f"{settings.url}{CALLBACK_PATH}")
        sign_in = SignIn(self.services, openid, Signatures(settings.session_keys), settings.url)
        return [*sign_in.make_routes(), *library.make_routes(self.services, sign_in.door)]

    def _build_webhooks(self) -> list[Route]:
        settings = self.settings
        routes: list[Route] = []
        secrets = (getattr(settings, secret).get_secret_value() for secret in HOOK_SECRETS)
        # Without a channel to suggest alerts in, monitoring has no webhooks.
        authenticators = build_authenticators(*secrets) if self.services.policy.alerts.channel else {}
        for name, authenticator in authenticators.items():
            receiver = webhooks.make_alert_receiver(name, partial(groups_service.receive, self.services))
            routes.append(webhooks.make_route(name, authenticator, receiver, self.clock, self.store.timeouts))
        for webhook in registry.build_webhooks(settings, self.sync_workers.handlers):
            receive = partial(webhook.receive, self.store, self.slack.outbox, self.slack.home_tabs)
            receiver = webhooks.Receiver(partial(_read_event, webhook), receive)
            signature = HubSignature(webhook.secret)
            routes.append(webhooks.make_route(webhook.name, signature, receiver, self.clock, self.store.timeouts))
        return routes

    async def _slack_probe(self) -> str:
        if self._socket is not None and (trouble := await self._socket.probe()):
            return trouble
        return await self.reachability.probe() or await self.slack.outbox.probe()

    async def _measure(self) -> None:
        await measure(self.store, self.clock, self.sweeper.lag)

    async def _watch_file(self) -> None:
        """Raise DatabaseGone, which ends `run`, once the database file is no longer the one that was opened."""
        while self.store.is_whole():  # noqa: ASYNC110 (the file system gives no event)
            await asyncio.sleep(FILE_SECONDS)
        self.store.writer.stop()  # from here on everyone is told that nothing is recorded
        raise DatabaseGone(GONE)

    async def _send(self) -> None:
        # What waits for a person's morning must not go out by a clock that Slack has yet to correct.
        if self.clock_keeper is not None:
            await self.clock_keeper.was_checked.wait()
        await self.slack.outbox.run()

    _socket: SocketMode | None = None

    async def run(self, ready: "asyncio.Future[int] | None" = None) -> None:
        """Serve until cancelled: answer Slack, send messages, sweep for what is due."""
        app_token = self.settings.slack_app_token.get_secret_value()
        async with asyncio.TaskGroup() as tasks:
            if self.settings.transport == "socket":
                self._socket = SocketMode(app_token, self.client, self.dispatch, timeouts=self.store.timeouts)
                tasks.create_task(self._socket.run())
            # In a thread, so that neither the start nor the first line waits for the words of all languages.
            tasks.create_task(asyncio.to_thread(times.prepare))
            tasks.create_task(self._watch_file())
            self.sweeper.start()
            self._stack.push_async_callback(self.sweeper.stop)
            tasks.create_task(self._send())
            tasks.create_task(self.reachability.run(self.client, self.slack.outbox.resume))
            tasks.create_task(self.sync_workers.run())
            tasks.create_task(self.slack.attachments.run())
            tasks.create_task(self.history_scanner.run())
            tasks.create_task(self.slack.live_messages.run())
            tasks.create_task(self.slack.home_tabs.run())
            self.directory_refresher.start(self.clock.now())
            self.slack.channel_privacy.start(self.clock.now())
            tasks.create_task(server.serve(self.web(), self.settings.host, self.settings.port, ready=ready))
