"""The doctor against a real server on the loopback that answers as Slack does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import SettableClock
from bot.doctor import CheckResult, examine
from bot.manifest import OPTIONAL_SCOPES, SCOPES
from bot.settings import load

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
BOT_TOKEN = "xoxb-" + "doctor"
APP_TOKEN = "xapp-" + "doctor"
SIGNING_SECRET = "sign" + "ing"
DATABASE = CheckResult("database", ok=True, sentence="The database answers.")


@dataclass
class Slack:
    """What the workspace grants, and how its answers come."""

    url: str = ""
    scopes: str | None = ",".join([*SCOPES, *OPTIONAL_SCOPES])
    date: str = format_datetime(NOW, usegmt=True)
    broken: tuple[int, str, str] | None = None  # status, content type, body
    is_member: bool = False
    calls: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Tell the tokens apart as Slack does, by the header that carries them."""
        method = request.match_info["method"]
        self.calls.append(method)
        if self.broken:
            status, content_type, body = self.broken
            return web.Response(status=status, content_type=content_type, text=body)
        expected = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        headers = {"Date": self.date} | ({} if self.scopes is None else {"x-oauth-scopes": self.scopes})
        if request.headers.get("Authorization") != f"Bearer {expected}":
            return web.json_response({"ok": False, "error": "invalid_auth"}, headers=headers)
        known: dict[str, dict[str, object]] = {
            "auth.test": {"user": "afterword", "team": "Demo Team"},
            "apps.connections.open": {"url": "wss://localhost/"},
            "conversations.info": {"channel": {"id": "C0ALERTS", "is_member": self.is_member}},
        }
        return web.json_response({"ok": True, **known[method]}, headers=headers)


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Slack]:
    for proxy in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    workspace = Slack()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", workspace.answer)
    async with TestServer(app) as server:
        workspace.url = str(server.make_url("/api/"))
        yield workspace


async def examine_with(slack: Slack, **changed: str) -> dict[str, CheckResult]:
    """The findings by name; socket mode unless `SLACK_APP_TOKEN` is emptied."""
    variables = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN} | changed
    findings = await examine(load(variables, None), SettableClock(NOW), lambda: DATABASE)
    text = " ".join(finding.sentence for finding in findings)
    assert not [secret for secret in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET) if secret in text]
    by_name = {finding.name: finding for finding in findings}
    assert len(by_name) == len(findings)
    return by_name


async def test_a_healthy_bot_in_socket_mode(slack: Slack) -> None:
    found = await examine_with(slack)
    assert list(found) == ["database", "bot token", "scopes", "clock", "app token", "hooks"]
    assert all(finding.ok for name, finding in found.items() if name != "hooks")
    assert found["hooks"].ok is None
    assert found["bot token"].sentence == "Slack knows the bot as @afterword of Demo Team."
    assert slack.calls == ["auth.test", "apps.connections.open"]


async def test_each_way_in_for_monitoring_is_told_with_its_address(slack: Slack) -> None:
    secret = {"AFTERWORD_GRAFANA_SECRET": "agreed-with-" + "grafana-demo"}
    lonely = await examine_with(slack, **secret)
    assert [lonely[f"hook {name}"].ok for name in ("alertmanager", "pagerduty", "jsm", "jira")] == [False, *[None] * 3]
    assert "set AFTERWORD_JSM_SECRET to turn on /hooks/jsm" in lonely["hook jsm"].sentence
    assert "set AFTERWORD_JIRA_SECRET" in lonely["hook jira"].sentence
    slack.is_member = True
    found = await examine_with(slack, **secret, AFTERWORD_ALERTS_CHANNEL="C0ALERTS")
    assert (found["hook alertmanager"].ok, found["alerts channel"].ok, found["hook jsm"].ok) == (True, True, None)
    assert "http://127.0.0.1:3000/hooks/alertmanager" in found["hook alertmanager"].sentence
    slack.is_member = False
    outside = await examine_with(slack, **secret, AFTERWORD_ALERTS_CHANNEL="C0ALERTS")
    assert (outside["alerts channel"].ok, "/invite it there" in outside["alerts channel"].sentence) == (False, True)


async def test_http_mode_asks_for_the_signing_secret_and_opens_no_socket(slack: Slack) -> None:
    without = await examine_with(slack, SLACK_APP_TOKEN="")
    assert without["way in"].ok is False
    assert "SLACK_APP_TOKEN isn't set" in without["way in"].sentence
    assert "SLACK_SIGNING_SECRET" in without["way in"].sentence
    with_it = await examine_with(slack, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=SIGNING_SECRET)
    assert with_it["signing secret"].ok is True
    assert "apps.connections.open" not in slack.calls


async def test_without_a_bot_token_slack_is_not_asked(slack: Slack) -> None:
    found = await examine_with(slack, SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    assert found["bot token"].ok is False
    assert "OAuth & Permissions" in found["bot token"].sentence
    assert slack.calls == []


async def test_refused_tokens_say_what_to_do(slack: Slack) -> None:
    found = await examine_with(slack, SLACK_BOT_TOKEN="xoxb-" + "other", SLACK_APP_TOKEN="xapp-" + "other")
    for name in ("bot token", "app token"):
        assert found[name].ok is False
        assert "invalid_auth. Copy it again" in found[name].sentence
    assert found["clock"].ok is True


async def test_a_missing_needed_scope_fails_and_is_named(slack: Slack) -> None:
    slack.scopes = ",".join([*(SCOPES.keys() - {"im:write"}), *OPTIONAL_SCOPES])
    found = await examine_with(slack)
    assert found["scopes"].ok is False
    assert "Add im:write" in found["scopes"].sentence


async def test_a_declined_optional_scope_only_says_what_is_off(slack: Slack) -> None:
    slack.scopes = ", ".join([*SCOPES, *(OPTIONAL_SCOPES.keys() - {"channels:history"})])
    found = await examine_with(slack)
    assert found["scopes"].ok is True
    assert found["scope channels:history"].ok is None
    assert OPTIONAL_SCOPES["channels:history"] in found["scope channels:history"].sentence
    assert len([name for name in found if name.startswith("scope ")]) == 1


async def test_unknown_scopes_are_not_taken_for_missing_ones(slack: Slack) -> None:
    slack.scopes = None
    assert (await examine_with(slack))["scopes"].ok is None


@pytest.mark.parametrize(
    ("theirs", "ok", "sentence"),
    [(60, True, "60 s behind"), (-60, True, "60 s ahead"), (61, False, "61 s behind"), (-301, False, "301 s ahead")],
)
async def test_a_clock_more_than_a_minute_off_fails(slack: Slack, theirs: int, ok: bool, sentence: str) -> None:
    slack.date = format_datetime(NOW + timedelta(seconds=theirs), usegmt=True)
    found = await examine_with(slack)
    assert found["clock"].ok is ok
    assert sentence in found["clock"].sentence


async def test_a_date_that_cannot_be_read_says_nothing_of_the_clock(slack: Slack) -> None:
    slack.date = "once upon a time"
    found = await examine_with(slack)
    assert "clock" not in found
    assert found["bot token"].ok is True


@pytest.mark.parametrize(
    "broken",
    [
        (200, "text/html", "<html>the page of a proxy</html>"),
        (200, "application/json", "{not json"),
        (200, "application/json", "[]"),
        (200, "application/json", '["a list"]'),
        (200, "text/plain", "no"),
        (502, "text/html", ""),
    ],
)
async def test_something_else_that_answers_is_not_taken_for_slack(slack: Slack, broken: tuple[int, str, str]) -> None:
    slack.broken = broken
    found = await examine_with(slack)
    assert found["bot token"].ok is False
    assert "isn't from Slack" in found["bot token"].sentence
    assert "SLACK_API_URL" in found["app token"].sentence


async def test_silence_is_told_and_the_database_is_still_examined(slack: Slack, unused_tcp_port: int) -> None:
    found = await examine_with(slack, SLACK_API_URL=f"http://127.0.0.1:{unused_tcp_port}/api/")
    assert found["bot token"].ok is False
    assert "no answer" in found["bot token"].sentence
    assert found["database"] == DATABASE


async def test_the_database_may_take_its_time_without_holding_the_loop(slack: Slack) -> None:
    loop = asyncio.get_running_loop()
    moved_on = asyncio.Event()

    def slow() -> CheckResult:
        """Wait for the loop: were it held, this would never end."""
        asyncio.run_coroutine_threadsafe(_set(moved_on), loop).result(timeout=60)
        return DATABASE

    settings = load({"SLACK_API_URL": slack.url}, None)
    findings = await examine(settings, SettableClock(NOW), slow)
    assert findings[0] == DATABASE


async def _set(event: asyncio.Event) -> None:
    event.set()


async def test_a_teams_templates_are_tried(slack: Slack, tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert (await examine_with(slack, AFTERWORD_TEMPLATES=folder))["templates"].ok is True
    (tmp_path / "page.css").write_text("p {}", encoding="utf-8")
    found = (await examine_with(slack, AFTERWORD_TEMPLATES=folder))["templates"]
    assert (found.ok, found.sentence) == (True, "Your templates replace: page.css.")
    (tmp_path / "sections.md.j2").write_text("{% if %}", encoding="utf-8")
    found = (await examine_with(slack, AFTERWORD_TEMPLATES=folder))["templates"]
    assert found.ok is False
    assert "Afterword's own templates: sections.md.j2, line 1: Expected an expression" in found.sentence
    assert (await examine_with(slack, AFTERWORD_TEMPLATES=f"{folder}/none"))["templates"].ok is False


async def test_the_way_in_for_jira_says_whether_it_is_open_and_what_it_needs(slack: Slack) -> None:
    hook = {"AFTERWORD_JIRA_SECRET": "sec" + "ret-of-jira-s-webhook"}
    where = {"AFTERWORD_JIRA_URL": "https://shop.atlassian.net", "AFTERWORD_JIRA_PROJECT": "OPS"}
    lonely = (await examine_with(slack, **hook))["hook jira"]
    assert (lonely.ok, "Set AFTERWORD_JIRA_PROJECT" in lonely.sentence) == (False, True)
    both = (await examine_with(slack, **hook, **where))["hook jira"]
    assert (both.ok, "/hooks/jira" in both.sentence) == (True, True)
