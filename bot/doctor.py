"""Checks everything that the bot needs, and says what to do about what is missing: for `doctor`, and at each start."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Self

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import Clock
from bot.domain.announcements.posts import NO_ANNOUNCEMENTS
from bot.errors import Misconfigured
from bot.export import templates
from bot.export.outlines import read_outlines
from bot.integrations import registry
from bot.manifest import OPTIONAL_SCOPES, REDIRECT_PATH, SCOPES
from bot.policy import build_announce_rules, build_mask_rules, watch_config
from bot.settings import NO_WAY_IN, Settings, describe_unknown, variable
from bot.settings.library import LIBRARY_FIELDS

PATIENCE_SECONDS = 10
"""For one answer from Slack."""

SKEW_SECONDS = 60
"""Slack's signatures are valid for five minutes, and a clock that is a minute off drifts on."""

_REMEDIES = {
    "invalid_auth": "Copy it again from the app's page.",
    "not_authed": "Copy it again from the app's page.",
    "account_inactive": "The app was removed from the workspace. Install it again.",
    "token_revoked": "The token was revoked. Install the app again and copy the new one.",
    "token_expired": "Turn token rotation off on the app's page, and install the app again.",
    "not_allowed_token_type": "This is the wrong kind of token. Bot tokens begin with xoxb-, app tokens with xapp-.",
    "missing_scope": "Give an app-level token the scope connections:write.",
    "ratelimited": "Slack asks for a pause. Try again in a minute.",
}

_NOT_SLACK = "the answer isn't from Slack"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding. `ok` is None if nothing is wrong but something is worth knowing."""

    name: str
    ok: bool | None
    sentence: str

    @classmethod
    def success(cls, name: str, sentence: str) -> Self:
        """Nothing to do."""
        return cls(name, ok=True, sentence=sentence)

    @classmethod
    def failure(cls, name: str, sentence: str) -> Self:
        """Something to put right."""
        return cls(name, ok=False, sentence=sentence)

    @classmethod
    def note(cls, name: str, sentence: str) -> Self:
        """Something worth knowing."""
        return cls(name, ok=None, sentence=sentence)


@dataclass(frozen=True, slots=True)
class _Reply:
    """The outcome of a call to Slack: `problem` is empty if it worked, else Slack's error code or our description."""

    problem: str
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def remedy(self) -> str:
        return _REMEDIES.get(self.problem, "Check SLACK_API_URL, the proxy and the network.")


def check_settings(settings: Settings) -> list[CheckResult]:
    """What is wrong with the settings alone: misspelt, without effect, or not usable."""
    found = [CheckResult.note("settings", sentence) for sentence in (*settings.useless, *describe_unknown())]
    for name, build in (("mask", build_mask_rules), ("digest", build_announce_rules)):
        try:
            build(settings)
        except Misconfigured as error:
            found.append(CheckResult.failure(name, str(error)))
    if settings.config_path is not None:
        found.append(_check_config(settings))
    return found


def _check_config(settings: Settings) -> CheckResult:
    try:
        watched = watch_config(settings)
    except Misconfigured as error:
        return CheckResult.failure("policy", str(error))
    return CheckResult.success("policy", f"{watched.current.name} can be used. To see it: `afterword policy check`")


async def examine(
    settings: Settings, clock: Clock, check_database: Callable[[], CheckResult] | None = None
) -> list[CheckResult]:
    """Check the database, the bot's token and scopes, the clock, how requests come in, templates and other systems.

    `check_database` may block: it runs in a thread. A bot that runs has opened its database, and needs none. Nothing is
    written, and no finding contains a secret.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_SECONDS)) as session:
        # Without retries: a check should say what is wrong now.
        client = AsyncWebClient(base_url=settings.slack_api_url, session=session, retry_handlers=[])
        findings = [*await _bot(client, settings, clock), await _way_in(client, settings)]
        findings += [*_hooks(settings), *await _channels(client, settings), *await _library(session, settings)]
    findings += await asyncio.to_thread(_templates, settings.templates_folder)
    findings += await asyncio.to_thread(_outlines, settings.templates_folder)
    others = [CheckResult(*found) for found in await registry.check_systems(settings)]
    database = [] if check_database is None else [await asyncio.to_thread(check_database)]
    return [*database, *findings, *others]


def _outlines(folder: Path | None) -> list[CheckResult]:
    """Whether a team's own forms can be used; empty if it has none. Blocks while they are read."""
    found = read_outlines(folder)
    if found.troubles:
        return [
            CheckResult.failure("forms", f"Until this is fixed, they stay as they were: {' '.join(found.troubles)}")
        ]
    if not found.outlines:
        return []
    return [CheckResult("forms", ok=True, sentence=f"Your forms: {', '.join(found.outlines)}.")]


def _templates(folder: Path | None) -> list[CheckResult]:
    """Whether a team's own templates can be used; empty if it has none. Blocks while they are tried."""
    if folder is None:
        return []
    trial = templates.try_folder(folder)
    if trial.broken:
        sentence = f"Until this is fixed, exports use Afterword's own templates: {' '.join(trial.broken)}"
        return [CheckResult.failure("templates", sentence)]
    sentence = (
        f"Your templates replace: {', '.join(trial.used)}." if trial.used else f"{folder} has no templates of yours."
    )
    return [CheckResult("templates", ok=None if trial.notes else True, sentence=" ".join((sentence, *trial.notes)))]


_HOOKS = {
    "alertmanager": ("alertmanager_secret", "grafana_secret"),
    "pagerduty": ("pagerduty_secret",),
    "jsm": ("jsm_secret",),
}
"""The webhooks of monitoring, each with the fields of Settings of which one must be set."""


def _hooks(settings: Settings) -> list[CheckResult]:
    """Whether each webhook of monitoring and of connected systems is on, and its address; one note if none is."""
    webhooks = [CheckResult(*found) for found in registry.check_webhooks(settings)]
    if not settings.has_hooks and all(webhook.ok is None for webhook in webhooks):
        return [CheckResult.note("hooks", "Off: alerts and Jira webhooks aren't received (docs/alerts.md).")]
    return [*(_hook(settings, name) for name in _HOOKS), *webhooks]


def _hook(settings: Settings, name: str) -> CheckResult:
    needed = " or ".join(map(variable, _HOOKS[name]))
    if not any(getattr(settings, secret).get_secret_value() for secret in _HOOKS[name]):
        return CheckResult.note(f"hook {name}", f"Off: set {needed} to turn on /hooks/{name}.")
    if settings.alerts_channel == "none":
        return CheckResult.failure(f"hook {name}", "Off: set AFTERWORD_ALERTS_CHANNEL to a channel's ID too.")
    where = f"http://{settings.host}:{settings.port}/hooks/{name}"
    return CheckResult.success(f"hook {name}", f"On: point your monitoring at {where}, or at the proxy in front of it.")


async def _channels(client: AsyncWebClient, settings: Settings) -> list[CheckResult]:
    """Whether the bot can post in each channel that the settings name; empty if there is none."""
    try:
        rules = build_announce_rules(settings)
    except Misconfigured:  # a finding of its own
        rules = NO_ANNOUNCEMENTS
    alerts = "" if settings.alerts_channel == "none" else settings.alerts_channel
    named = {"alerts channel": alerts, "announce channel": rules.channel}
    if rules.digest is not None and rules.digest.channel != rules.channel:
        named["digest channel"] = rules.digest.channel
    token = settings.slack_bot_token.get_secret_value()
    return [await _channel(client, token, name, channel) for name, channel in named.items() if channel and token]


async def _channel(client: AsyncWebClient, token: str, name: str, channel: str) -> CheckResult:
    reply = await _ask(client.conversations_info(channel=channel, token=token))
    if reply.problem:
        sentence = f"Slack doesn't show {channel} ({reply.problem}). Copy the ID again, and /invite the bot there."
        return CheckResult.failure(name, sentence)
    found = reply.body.get("channel")
    about = found if isinstance(found, dict) else {}
    if about.get("is_archived"):
        return CheckResult.failure(name, f"{channel} is archived. Unarchive it, or name another channel.")
    if not about.get("is_member"):
        return CheckResult.failure(name, f"The bot isn't in {channel}. /invite it there.")
    if name != "alerts channel" and (about.get("is_ext_shared") or about.get("is_pending_ext_shared")):
        sentence = f"Other organizations read along in {channel}, so nothing is announced there. Name another channel."
        return CheckResult.failure(name, sentence)
    return CheckResult.success(name, "The bot is in that channel.")


async def _library(session: aiohttp.ClientSession, settings: Settings) -> list[CheckResult]:
    """Whether the library is on, and whether its address leads to the bot; empty if nothing of it is set."""
    if not settings.has_library:
        missing = [variable(field) for field in LIBRARY_FIELDS if not settings.is_given(field)]
        if len(missing) == len(LIBRARY_FIELDS):
            return []
        return [CheckResult.failure("library", f"Off: set {', '.join(missing)} too, or none of its settings.")]
    address = f"{settings.url}/healthz"
    remedy = f"Start the bot, and let the proxy send {settings.url} to {settings.host}:{settings.port}."
    try:
        async with session.get(address, allow_redirects=False) as answer:
            text = (await answer.content.read(100)).decode("utf-8", "replace").strip()
    except (aiohttp.ClientError, TimeoutError, ValueError) as silence:
        sentence = f"{address} doesn't answer ({type(silence).__name__}). {remedy}"
        return [CheckResult.failure("library", sentence)]
    if answer.status != HTTPStatus.OK or text != "alive":
        return [CheckResult.failure("library", f"{address} isn't answered by the bot ({answer.status}). {remedy}")]
    redirect = f"{settings.url}{REDIRECT_PATH}"
    return [CheckResult.success("library", f"On: {settings.url}/library. The app's page must list {redirect}.")]


async def _bot(client: AsyncWebClient, settings: Settings, clock: Clock) -> list[CheckResult]:
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return [CheckResult.failure("bot token", "SLACK_BOT_TOKEN isn't set. Copy it from OAuth & Permissions.")]
    reply = await _ask(client.auth_test(token=token))
    skew = _skew(reply.headers, clock.now())
    if reply.problem:
        sentence = f"auth.test with SLACK_BOT_TOKEN failed: {reply.problem}. {reply.remedy}"
        return [CheckResult.failure("bot token", sentence), *skew]
    welcome = f"Slack knows the bot as @{reply.body.get('user')} of {reply.body.get('team')}."
    return [CheckResult.success("bot token", welcome), *_scopes(reply.headers), *skew]


async def _way_in(client: AsyncWebClient, settings: Settings) -> CheckResult:
    """Whether Slack's requests can come in: over a socket, or over HTTP with a secret to verify them."""
    if settings.transport == "http":
        if settings.slack_signing_secret.get_secret_value():
            sentence = f"Requests to {settings.host}:{settings.port}/slack/events are checked with it."
            return CheckResult.success("signing secret", sentence)
        return CheckResult.failure("way in", NO_WAY_IN)
    reply = await _ask(client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value()))
    if reply.problem:
        sentence = f"apps.connections.open with SLACK_APP_TOKEN failed: {reply.problem}. {reply.remedy}"
        return CheckResult.failure("app token", sentence)
    return CheckResult.success("app token", "Slack opens a socket for the app.")


def _scopes(headers: Mapping[str, str]) -> list[CheckResult]:
    """Compares the token's scopes, which Slack lists in a header, with what the bot needs."""
    if "x-oauth-scopes" not in headers:
        return [CheckResult.note("scopes", "Slack didn't say which scopes the token has.")]
    granted = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")}
    missing = [scope for scope in SCOPES if scope not in granted]
    sentence = "The bot has every scope it needs."
    if missing:
        sentence = (
            f"Add {', '.join(missing)} under OAuth & Permissions, or use `afterword manifest`. Then reinstall the app."
        )
    declined = [
        CheckResult.note(f"scope {scope}", f"Not granted, so this is off: {feature}.")
        for scope, feature in OPTIONAL_SCOPES.items()
        if scope not in granted
    ]
    return [CheckResult("scopes", ok=not missing, sentence=sentence), *declined]


def _skew(headers: Mapping[str, str], now: datetime) -> list[CheckResult]:
    """Compares this machine's clock with the Date header of Slack's answer; empty if that has none."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", "")).replace(tzinfo=UTC)
    except ValueError:
        return []
    seconds = round((now - theirs).total_seconds())
    side = "ahead of" if seconds > 0 else "behind"
    sentence = f"This machine's clock is {abs(seconds)} s {side} Slack's."
    if abs(seconds) <= SKEW_SECONDS:
        return [CheckResult.success("clock", sentence)]
    return [
        CheckResult.failure("clock", f"{sentence} Set it with NTP. Entries get its time, and signatures depend on it.")
    ]


async def _ask(call: Awaitable[AsyncSlackResponse]) -> _Reply:
    try:
        response = await call
    except SlackApiError as refusal:
        response = refusal.response
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as silence:
        return _Reply(f"no answer ({type(silence).__name__})")
    except AttributeError:  # slack_sdk assumes a JSON object and fails on text or a list
        return _Reply(_NOT_SLACK)
    body = getattr(response, "data", None)  # an answer that is not JSON comes as aiohttp's response, without data
    if not isinstance(body, dict) or "ok" not in body:
        return _Reply(_NOT_SLACK, headers=response.headers)
    problem = "" if body["ok"] else str(body.get("error", "no reason given"))
    return _Reply(problem, body, response.headers)
