"""The one place that builds the real things and joins them."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

import handlers
from bot.clock import Clock
from bot.domain import masking as masking_rules
from bot.domain import times
from bot.domain.actions import WORDS as VAGUE
from bot.domain.alerts import AlertRules, parse_conditions
from bot.domain.masking import MaskRules
from bot.domain.reminders import QuietHours, ReminderKind, ReminderRules
from bot.domain.whys import parse_blame_words
from bot.errors import Misconfigured
from bot.export import Exporter
from bot.integrations import registry
from bot.integrations.confluence.service import PageBlocks
from bot.integrations.confluence.sync import PageSources
from bot.integrations.http import RetryPolicy
from bot.integrations.sync import SyncContext, SyncHandler, SyncWorkers
from bot.scheduler import Sweeper
from bot.services import capture as capture_service
from bot.services import reminders as reminders_service
from bot.services.alerts import groups as groups_service
from bot.services.context import Integrations, NoPage, Policy, Services, SlackGateway
from bot.services.documents.compiler import DocumentCompiler, Renderer, compile_for_customers
from bot.services.documents.delivery import CanvasDelivery, ExportDelivery
from bot.services.history_scan import HistoryScanner
from bot.services.home_tab import HomeTabRenderer
from bot.services.incidents import LiveMessageRenderer
from bot.services.notifications import Composer, Visibility
from bot.settings import Settings
from bot.slack.canvas import Canvases
from bot.slack.channels import Channels, VisibleChannels
from bot.slack.directory import Directory, DirectoryRefresher
from bot.slack.files import FileReader
from bot.slack.messages_in import ChannelHistory
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabPublisher, HomeTabQueue, LiveMessageQueue, MessageUpdater
from bot.timeouts import Timeouts
from bot.web import server, webhooks
from bot.web.health import Health, make_database_probe
from bot.web.slack_endpoint import Dispatcher, Guard
from bot.web.socket_mode import SocketMode
from bot.web.webhooks import HubSignature, build_authenticators
from handlers.boundary import Boundary
from storage.database.store import Store

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def build_reminder_rules(settings: Settings) -> ReminderRules:
    """The operator's choices about reminders."""
    quiet = QuietHours(settings.quiet_hours, settings.quiet_weekends)
    return ReminderRules(settings.reminder_hours, settings.overdue_hour, settings.reminder_weeks, quiet)


def _client(settings: Settings, session: aiohttp.ClientSession, timeouts: Timeouts) -> AsyncWebClient:
    """Slack's Web API. No retry handlers: a repeated post is a second message; what may be repeated is, on purpose."""
    token = settings.slack_bot_token.get_secret_value()
    seconds = round(timeouts.slack_call)
    client = AsyncWebClient(token, base_url=settings.slack_api_url, session=session, retry_handlers=[], timeout=seconds)
    if urlsplit(settings.slack_api_url).hostname in LOOPBACK:
        # slack_sdk takes a proxy from the environment for every address, and heeds no NO_PROXY.
        client.proxy = None
    return client


def build_alert_rules(settings: Settings) -> AlertRules:
    """The operator's choices about alerts."""
    channel = "" if settings.alerts_channel == "none" else settings.alerts_channel
    team = "" if settings.alerts_team == "own" else settings.alerts_team
    return AlertRules(channel, team, parse_conditions(settings.alerts_open))


def build_mask_rules(settings: Settings) -> MaskRules:
    """What the operator wants masked in a copy for a wider circle. Raises Misconfigured."""
    patterns = "" if settings.mask_patterns == "none" else settings.mask_patterns
    try:
        return masking_rules.parse_rules(settings.mask, patterns)
    except ValueError as error:
        raise Misconfigured(f"AFTERWORD_MASK or AFTERWORD_MASK_PATTERNS cannot be used: {error}.") from error


def build_policy(settings: Settings) -> Policy:
    """All the operator's choices that services work by. Raises Misconfigured."""
    return Policy(
        reminders=build_reminder_rules(settings),
        input_zone=settings.input_zone,
        allow_guests=settings.allow_guests,
        reaction=settings.reaction,
        blame_words=parse_blame_words(settings.blame_words),
        vague_words=parse_blame_words(settings.vague_words, VAGUE),
        alerts=build_alert_rules(settings),
        mask=build_mask_rules(settings),
    )


class Afterword:
    """The whole bot on an open store: `async with Afterword(settings, store, clock) as bot`, then `await bot.run()`.

    It waits for others as the store does (`Store.timeouts`).
    Nothing here needs Slack to be reachable: recording goes on over HTTP while Slack's Web API is down.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        followers: Mapping[str, SyncHandler] | None = None,
        patience: RetryPolicy | None = None,
    ) -> None:
        """`followers` take the place of those of the settings; `patience` is that toward other systems."""
        self._followers = followers
        self._patience = patience or RetryPolicy()
        self.settings = settings
        self.store = store
        self.clock = clock
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:  # where it cannot be built, what was opened for it is closed again
            await self._build(opened)
            self._stack = opened.pop_all()
        return self

    async def _build(self, opened: AsyncExitStack) -> None:
        settings, store, clock, timeouts = self.settings, self.store, self.clock, self.store.timeouts
        limit = aiohttp.ClientTimeout(total=timeouts.slack_call)
        session = await opened.enter_async_context(aiohttp.ClientSession(timeout=limit))
        self.client = _client(settings, session, timeouts)
        policy, exporter = build_policy(settings), Exporter(settings.templates_folder, timeouts)
        channels = Channels(self.client, timeouts)
        directory = Directory(store, self.client)
        await directory.load()
        composer = self._composer(exporter, channels, policy.mask)
        opened.push_async_callback(composer.close)
        self.slack = SlackGateway(
            directory=directory,
            channels=channels,
            outbox=Outbox(store, self.client, clock, composer.compose, sent=composer.sent),
            live_messages=LiveMessageQueue(),
            home_tabs=HomeTabQueue(),
        )
        followers = self._connected(exporter, policy)
        integrations = Integrations(
            names=tuple(followers),
            components=registry.component_source(followers),
            page=PageBlocks() if "confluence" in followers else NoPage(),
        )
        self.services = Services(
            store=store, clock=clock, slack=self.slack, exporter=exporter, integrations=integrations, policy=policy
        )
        context = SyncContext(store, clock, self.slack.outbox, self.slack.home_tabs, integrations.troubles)
        self.errands = SyncWorkers(followers, context)
        self._keep_up()
        self.boundary = Boundary(self.services, self.client)
        self.bolt = self._bolt(settings.slack_bot_token.get_secret_value())
        self.dispatch = Dispatcher(self.bolt)
        self.sweeper = Sweeper(self.sweep, clock, seconds=settings.tick_seconds)

    def _connected(self, exporter: Exporter, policy: Policy) -> Mapping[str, SyncHandler]:
        if self._followers is not None:
            return self._followers
        drafted = partial(compile_for_customers, DocumentCompiler(self.store, policy.mask), exporter)
        shelf = PageSources(self.store, exporter, self.slack.channels, policy.mask)
        return registry.build_handlers(self.settings, self.client, policy.reminders, self._patience, drafted, shelf)

    async def _sight(self, team: str, user: str, channels: Iterable[str]) -> VisibleChannels:
        return await self.services.check_channels(team, user, channels)

    def _keep_up(self) -> None:
        """What follows the record by itself: live messages, Home tabs, other systems, who is who."""
        self.slack.outbox.on_notify(self.errands.notify)
        keeper = LiveMessageRenderer(self.store, self.clock, MessageUpdater(self.client), self.slack.outbox)
        self.slack.live_messages.refresh_with(keeper.refresh)
        self.slack.home_tabs.refresh_with(HomeTabRenderer(self.services, HomeTabPublisher(self.client)))
        self.walker = HistoryScanner(self.services, ChannelHistory(self.client))
        self.roster = DirectoryRefresher(self.client, self.slack.directory)

    async def __aexit__(self, *_: object) -> None:
        await self.roster.close()
        await self.boundary.drain()
        await self.errands.close()
        await self.slack.outbox.close()
        await self._stack.aclose()

    def _composer(self, exporter: Exporter, places: Channels, mask: MaskRules) -> Composer:
        papers = DocumentCompiler(self.store, mask)
        canvases = CanvasDelivery(self.store, exporter, papers, Canvases(self.client))
        posting = ExportDelivery(papers, Renderer(exporter, papers), places, canvases)
        return Composer(posting, Visibility(self.store, self._sight))

    def _bolt(self, token: str) -> AsyncApp:
        async def authorize(**_: Any) -> AuthorizeResult:
            # Known from the settings: asking Slack's auth.test here would stand in the way of the first record.
            return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)

        bolt = AsyncApp(
            logger=logging.getLogger("slack_bolt"),  # its own loggers take no level from outside
            client=AsyncWebClient(base_url=self.settings.slack_api_url, session=self.client.session),
            authorize=authorize,
            process_before_response=True,
            request_verification_enabled=False,  # the guard before Bolt has verified; sockets need no signature
            ignoring_self_events_enabled=False,
        )
        handlers.listen(bolt, self.boundary)
        return bolt

    async def tick(self, now: datetime) -> None:
        """Do everything that is due by `now`, and return once it is done: for the command line and for plays."""
        if await self._settled(now):
            await self.errands.run_due(now)
            await self.slack.outbox.run_due(now)
            await self._fetched(now)

    async def sweep(self, now: datetime) -> None:
        """The scheduler's tick: what is owed goes out at the outbox's pace, which matters after a week of downtime."""
        if await self._settled(now):
            self.slack.outbox.notify()
            await self._fetched(now)

    async def _settled(self, now: datetime) -> bool:
        """Turn what is due into messages owed; False where the database is not the one that was opened."""
        if not self.store.is_whole():
            log.critical("the database file was removed or replaced under the running bot; nothing more is recorded")
            self.store.writer.stop()
            return False
        self.roster.refresh_if_due(now)
        settled = await reminders_service.sweep(self.store, self.services.policy.reminders, now)
        if settled:
            log.info("settled %d reminders", len(settled))
        for one in settled:
            if one.reminder.kind is ReminderKind.OVERDUE:  # what was due is overdue, which nobody did
                self.slack.home_tabs.mark_stale(one.reminder.team, one.reminder.subject)
        return True

    async def _fetched(self, now: datetime) -> None:
        await capture_service.fetch_due(self.store, FileReader(self.client), now)
        await self.walker.sweep(now)

    def web(self) -> Starlette:
        """The web application: Slack's endpoint and those of hooks that have a secret, health and metrics always."""
        secret = self.settings.slack_signing_secret.get_secret_value()
        by_http = self.settings.transport == "http"
        guard = Guard(secret, self.clock) if by_http and secret else None
        probes = {
            "database": make_database_probe(self.store),
            "scheduler": self.sweeper.probe,
            "slack": self._slack_probe,
        }
        return server.build_app(
            self.dispatch if guard else None, guard, Health(probes), self._hooks(), self.store.timeouts
        )

    def _hooks(self) -> list[Route]:
        """The ways in: for monitoring where there is a channel to suggest in, for Jira where something is followed."""
        given, found = self.settings, []
        secrets = (given.alertmanager_secret, given.grafana_secret, given.pagerduty_secret, given.jsm_secret)
        proofs = (
            build_authenticators(*(secret.get_secret_value() for secret in secrets))
            if self.services.policy.alerts.channel
            else {}
        )
        for name, proof in proofs.items():
            ear = webhooks.make_alert_receiver(name, lambda told, now: groups_service.receive(self.services, told, now))
            found.append(webhooks.make_route(name, proof, ear, self.clock, self.store.timeouts))
        if (secret := given.jira_secret.get_secret_value()) and (
            ears := registry.jira_webhooks(given, self.errands.handlers)
        ):
            hear = partial(ears.hear, self.store, self.slack.outbox, self.slack.home_tabs)
            jira = webhooks.Receiver(lambda body, headers, _: ears.read(body, headers), hear)
            found.append(webhooks.make_route("jira", HubSignature(secret), jira, self.clock, self.store.timeouts))
        return found

    async def _slack_probe(self) -> str:
        if self._socket is not None and (trouble := await self._socket.probe()):
            return trouble
        return await self.slack.outbox.probe()

    _socket: SocketMode | None = None

    async def run(self, ready: "asyncio.Future[int] | None" = None) -> None:
        """Serve until cancelled: take what Slack delivers, send what is owed, sweep what is due."""
        app_token = self.settings.slack_app_token.get_secret_value()
        async with asyncio.TaskGroup() as tasks:
            if self.settings.transport == "socket":
                self._socket = SocketMode(app_token, self.client, self.dispatch, timeouts=self.store.timeouts)
                tasks.create_task(self._socket.run())
            tasks.create_task(asyncio.to_thread(times.prepare))
            self.sweeper.start()
            self._stack.push_async_callback(self.sweeper.stop)
            tasks.create_task(self.slack.outbox.run())
            tasks.create_task(self.errands.run())
            tasks.create_task(self.slack.live_messages.run())
            tasks.create_task(self.slack.home_tabs.run())
            self.roster.start(self.clock.now())
            tasks.create_task(server.serve(self.web(), self.settings.host, self.settings.port, ready=ready))
