"""What an operator may set, what is refused, and that no secret is shown."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.alerts.groups import parse_conditions
from bot.domain.reminders import QuietHours
from bot.errors import Misconfigured
from bot.policy import build_reminder_rules
from bot.settings import FILED, Settings, find_unknown, load, variable

SECRET = "xoxb-" + "test-never-shown"


def settings_of(**variables: str) -> Settings:
    return load(variables, env_file=None)


def refusal(**variables: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        settings_of(**variables)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


def test_nothing_needs_to_be_set() -> None:
    settings = settings_of()
    assert (settings.host, settings.port, settings.input_zone) == ("127.0.0.1", 3000, "author")
    assert settings.reminder_hours == (timedelta(hours=24), timedelta(hours=48))
    assert settings.sqlalchemy_url == "sqlite:///afterword.db"


def test_an_empty_value_counts_as_not_set() -> None:
    assert settings_of(AFTERWORD_PORT="", SLACK_API_URL=" ") == settings_of()


def test_variables_of_other_programs_are_left_alone() -> None:
    assert settings_of(PATH="/bin", PORT="80", HOST="example.test") == settings_of()


OUTSIDE = {
    "AFTERWORD_JIRA_URL": "https://shop.atlassian.net/",
    "AFTERWORD_JIRA_EMAIL": "bot@shop.example",
    "AFTERWORD_JIRA_TOKEN": SECRET,
    "AFTERWORD_JIRA_KIND": "scoped",
    "AFTERWORD_JIRA_PROJECT": "OPS",
    "AFTERWORD_JIRA_TYPE": "Story",
    "AFTERWORD_JIRA_FIELDS": '{"customfield_10": 1}',
    "AFTERWORD_CONFLUENCE_URL": "https://shop.atlassian.net/",
    "AFTERWORD_CONFLUENCE_EMAIL": "bot@shop.example",
    "AFTERWORD_CONFLUENCE_TOKEN": SECRET,
    "AFTERWORD_CONFLUENCE_SPACE": "ENG",
    "AFTERWORD_CONFLUENCE_PARENT": "12",
    "AFTERWORD_JSM_PROJECT": "INC",
    "AFTERWORD_JSM_TYPE": "Incident",
    "AFTERWORD_JSM_PRIORITIES": '{"1": "P1"}',
    "AFTERWORD_JSM_FIELDS": '{"customfield_1": {"value": "Ops"}}',
    "AFTERWORD_JSM_RESPONDERS": "customfield_9",
    "AFTERWORD_JSM_URL": "https://alerts.example",
    "AFTERWORD_STATUSPAGE_URL": "https://page.example",
    "AFTERWORD_JSM_KEY": SECRET,
    "AFTERWORD_JSM_ALERTS": "opsgenie",
    "AFTERWORD_JSM_TEAM": "team-1",
    "AFTERWORD_JIRA_SECRET": "sec" + "ret-of-jira-s-webhook",
    "AFTERWORD_STATUSPAGE_PAGE": "page-1",
    "AFTERWORD_STATUSPAGE_KEY": SECRET,
    "AFTERWORD_STATUSPAGE_METADATA": "links",
}

LIBRARY = {
    "AFTERWORD_URL": "https://library.example",
    "SLACK_CLIENT_ID": "1234567890.1234567890",
    "SLACK_CLIENT_SECRET": "sec" + "ret-of-the-client",
    "AFTERWORD_SESSION_KEY": "k" * 32,
}


def test_every_setting_is_read_from_its_variable() -> None:
    settings = settings_of(
        SLACK_BOT_TOKEN=SECRET,
        SLACK_SIGNING_SECRET="sig" + "ning",
        SLACK_APP_TOKEN="xapp-" + "test",
        SLACK_API_URL="http://127.0.0.1:9/api",
        DATABASE_URL="sqlite:////var/lib/afterword.db",
        AFTERWORD_HOST="0.0.0.0",
        AFTERWORD_PORT="8080",
        AFTERWORD_INPUT_ZONE="Europe/Berlin",
        AFTERWORD_REMINDER_HOURS="1.5, 72,1.5",
        AFTERWORD_REMINDER_WEEKS="0",
        AFTERWORD_QUIET_HOURS="22-8",
        AFTERWORD_QUIET_WEEKENDS="true",
        AFTERWORD_OVERDUE_HOUR="0",
        AFTERWORD_NUDGES="false",
        AFTERWORD_PIN_CARD="true",
        AFTERWORD_TICK_SECONDS="5",
        AFTERWORD_LOG_LEVEL="debug",
        AFTERWORD_LOG_FORMAT="json",
        AFTERWORD_RETENTION_DAYS="400",
        AFTERWORD_RETENTION_INCIDENT_DAYS="2000",
        AFTERWORD_CHAIN_FILE="/var/lib/afterword.chain",
        AFTERWORD_ALLOW_GUESTS="true",
        AFTERWORD_REACTION=":pencil:",
        AFTERWORD_BLAME_WORDS="oops, my bad",
        AFTERWORD_VAGUE_WORDS="polish",
        AFTERWORD_TEMPLATES="/etc/afterword/templates",
        AFTERWORD_CONFIG="/etc/afterword/afterword.toml",
        AFTERWORD_ANNOUNCE_CHANNEL="C0ANNOUNCE",
        AFTERWORD_DIGEST="monday 9",
        AFTERWORD_ALERTS_CHANNEL="C0ALERTS",
        AFTERWORD_ALERTS_TEAM="T0TEAM",
        AFTERWORD_ALERTS_OPEN="severity=critical,page; env=prod",
        AFTERWORD_ALERTMANAGER_SECRET="sec" + "ret-of-alertmanager",
        AFTERWORD_GRAFANA_SECRET="sec" + "ret-of-grafana-here",
        AFTERWORD_PAGERDUTY_SECRET="sec" + "ret-of-pagerduty",
        AFTERWORD_JSM_SECRET="sec" + "ret-of-jsm-ops-here",
        **OUTSIDE,
        **LIBRARY,
        AFTERWORD_MASK="emails",
        AFTERWORD_MASK_PATTERNS="cust-[0-9]+ acme",
    )
    assert not [name for name in Settings.model_fields if getattr(settings, name) == getattr(settings_of(), name)]
    assert settings.slack_bot_token.get_secret_value() == SECRET
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert settings.reminder_hours == (timedelta(hours=1.5), timedelta(hours=72))
    assert settings.log_level == "DEBUG"


def test_without_quiet_hours_every_reminder_is_exact_to_the_minute() -> None:
    usual = build_reminder_rules(settings_of()).quiet
    assert usual == QuietHours((20, 8), weekends=False, weekly_on_weekdays=True)
    assert build_reminder_rules(settings_of(AFTERWORD_QUIET_HOURS="none")).quiet == QuietHours()
    assert build_reminder_rules(settings_of(AFTERWORD_QUIET_WEEKENDS="true")).quiet == QuietHours(
        (20, 8), weekends=True
    )
    assert build_reminder_rules(settings_of(AFTERWORD_QUIET_WEEKENDS="No")).quiet == QuietHours((20, 8))


@pytest.mark.parametrize(
    ("written", "read"),
    [("Author", "author"), ("utc", "UTC"), ("Asia/Kolkata", "Asia/Kolkata"), ("America/Indiana/Knox", None)],
)
def test_a_zone_is_author_or_utc_or_iana(written: str, read: str | None) -> None:
    assert settings_of(AFTERWORD_INPUT_ZONE=written).input_zone == (read or written)


@pytest.mark.parametrize("url", ["postgres://a:b@h/d", "postgresql://a:b@h/d", "postgresql+psycopg://a:b@h/d"])
def test_every_spelling_of_postgresql_gets_the_one_driver(url: str) -> None:
    assert settings_of(DATABASE_URL=url).sqlalchemy_url == "postgresql+psycopg://a:b@h/d"


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("AFTERWORD_PORT", "tcp://10.0.0.1:3000", "0 to 65535"),
        ("AFTERWORD_PORT", "65536", "0 to 65535"),
        ("AFTERWORD_OVERDUE_HOUR", "24", "0 to 23"),
        ("AFTERWORD_REMINDER_WEEKS", "53", "0 to 52"),
        ("AFTERWORD_RETENTION_DAYS", "0", "1 to 36500, or none"),
        ("AFTERWORD_RETENTION_INCIDENT_DAYS", "a year", "1 to 36500, or none"),
        ("AFTERWORD_QUIET_HOURS", "22", "20-8"),
        ("AFTERWORD_QUIET_HOURS", "8-8", "20-8"),
        ("AFTERWORD_QUIET_HOURS", "22-24", "20-8"),
        ("AFTERWORD_QUIET_WEEKENDS", "sundays", "weekly, true or false"),
        ("AFTERWORD_TICK_SECONDS", "0", "1 to 300"),
        ("AFTERWORD_LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("AFTERWORD_LOG_FORMAT", "xml", "text, or json"),
        ("AFTERWORD_ALLOW_GUESTS", "perhaps", "true or false"),
        ("AFTERWORD_INPUT_ZONE", "Berlin", "Europe/Berlin"),
        ("AFTERWORD_INPUT_ZONE", "../../etc/passwd", "Europe/Berlin"),
        ("AFTERWORD_REMINDER_HOURS", "a day", "24,48"),
        ("AFTERWORD_REMINDER_HOURS", "24,,48", "24,48"),
        ("AFTERWORD_REMINDER_HOURS", "nan", "24,48"),
        ("AFTERWORD_REMINDER_HOURS", "1e400", "24,48"),
        ("AFTERWORD_REMINDER_HOURS", "-1,24", "more than 0"),
        ("AFTERWORD_REMINDER_HOURS", "9000", "8784"),
        ("SLACK_API_URL", "slack.com/api", "https://"),
        ("SLACK_BOT_TOKEN", "xapp-" + "swapped", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-" + "two words", "Copy it again"),
        ("SLACK_APP_TOKEN", "xoxb-" + "swapped", "xapp-"),
        ("SLACK_SIGNING_SECRET", "\u201cquoted\u201d", "Copy it again"),
        ("DATABASE_URL", "sqlite://", "name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "name a file"),
        ("DATABASE_URL", "mysql://root:never-shown@h/d", "postgresql://"),
        ("DATABASE_URL", "afterword.db", "sqlite:///FILE"),
    ],
)
def test_what_cannot_be_is_refused_with_its_variable_and_the_remedy(name: str, value: str, remedy: str) -> None:
    sentence = refusal(**{name: value})
    assert sentence.startswith(f"{name} can't be ")
    assert remedy in sentence
    is_secret = name in map(variable, FILED)
    assert (repr(value) in sentence) is not is_secret
    assert "never-shown" not in sentence


def test_all_that_is_wrong_is_said_at_once() -> None:
    sentence = refusal(AFTERWORD_PORT="x", AFTERWORD_TICK_SECONDS="y")
    assert "AFTERWORD_PORT" in sentence
    assert "AFTERWORD_TICK_SECONDS" in sentence


@pytest.mark.parametrize("name", [variable(field) for field in FILED])
def test_a_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    secret = "sqlite:///other.db" if name == "DATABASE_URL" else "sec" + "ret-of-more-than-32-characters-x"
    (tmp_path / "secret").write_text(f"{secret}\n")
    settings = settings_of(**{f"{name}_FILE": str(tmp_path / "secret")})
    field = next(field for field in FILED if variable(field) == name)
    assert getattr(settings, field).get_secret_value() == secret


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    sentence = refusal(SLACK_BOT_TOKEN=SECRET, SLACK_BOT_TOKEN_FILE=str(tmp_path / "token"))
    assert sentence == "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set. Keep one of them."


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary"):
        with pytest.raises(Misconfigured, match=r"SLACK_APP_TOKEN_FILE names .* can't be read"):
            settings_of(SLACK_APP_TOKEN_FILE=str(path))


def test_an_ordinary_setting_is_not_taken_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    assert settings_of(AFTERWORD_PORT_FILE=str(tmp_path / "port")).port == 3000


def test_the_environment_outranks_the_env_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("AFTERWORD_PORT=1111\nAFTERWORD_HOST=host.test # a remark\nUNKNOWN=1\n")
    settings = load({"AFTERWORD_PORT": "2222", "AFTERWORD_HOST": ""}, env_file)
    assert (settings.port, settings.host) == (2222, "host.test")


def test_a_dollar_in_the_env_file_is_a_dollar(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("DATABASE_URL=postgresql://a:p${HOME}w@h/d\n")
    assert load({}, env_file).sqlalchemy_url == "postgresql+psycopg://a:p${HOME}w@h/d"


def test_the_env_file_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERWORD_TICK_SECONDS", "7")
    assert load({}).port == 3000
    Path(".env").write_text("AFTERWORD_PORT=4444\n")
    assert (load().port, load().tick_seconds) == (4444, 7)


def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"AFTERWORD_HOST=\xff\n")
    with pytest.raises(Misconfigured, match="can't be read"):
        load({}, tmp_path / ".env")


def test_the_app_token_decides_how_slack_comes_in() -> None:
    assert settings_of().transport == "http"
    assert settings_of(SLACK_APP_TOKEN="xapp-" + "test").transport == "socket"


def test_running_needs_a_bot_token_and_in_http_mode_the_signing_secret() -> None:
    with pytest.raises(Misconfigured, match=r"SLACK_BOT_TOKEN isn't set.*\nSLACK_APP_TOKEN isn't set"):
        settings_of().require_for_run()
    with pytest.raises(Misconfigured, match=r"^SLACK_APP_TOKEN isn't set.* set SLACK_SIGNING_SECRET instead"):
        settings_of(SLACK_BOT_TOKEN=SECRET).require_for_run()
    settings_of(SLACK_BOT_TOKEN=SECRET, SLACK_SIGNING_SECRET="sig" + "ning").require_for_run()
    settings_of(SLACK_BOT_TOKEN=SECRET, SLACK_APP_TOKEN="xapp-" + "test").require_for_run()


def test_a_slip_in_the_name_of_a_setting_is_noticed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AFTERWORD_QUIET_HOUR=22-8\nAFTERWORD_PORT=3000\nOTHER=1\n")
    environ = {"AFTERWORD_JSM_SECRET_FILE": "x", "AFTERWORD_PORT_FILE": "x", "HOME": "/"}
    assert find_unknown(environ, tmp_path / ".env") == ("AFTERWORD_PORT_FILE", "AFTERWORD_QUIET_HOUR")
    assert find_unknown({}, None) == ()


def test_no_secret_is_shown_by_the_settings_themselves() -> None:
    settings = settings_of(SLACK_BOT_TOKEN=SECRET, DATABASE_URL="postgresql://a:never-shown@h/d")
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "never-shown" not in shown


@pytest.mark.parametrize("secret", ["short", "with a blank in it, long", "schlüssel-von-sechzehn"])
@pytest.mark.parametrize("name", ["AFTERWORD_JSM_SECRET", "AFTERWORD_JIRA_SECRET"])
def test_a_hooks_secret_is_hard_to_guess_and_never_shown(name: str, secret: str) -> None:
    sentence = refusal(**{name: secret})
    assert "at least 16 printable characters" in sentence
    assert secret not in sentence


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("AFTERWORD_ALERTS_CHANNEL", "#alerts"),
        ("AFTERWORD_ALERTS_CHANNEL", "U0ANA"),
        ("AFTERWORD_ALERTS_TEAM", "Demo Team"),
        ("AFTERWORD_ALERTS_OPEN", "critical"),
        ("AFTERWORD_ALERTS_OPEN", "severity="),
        ("AFTERWORD_ALERTS_OPEN", "severity=critical;"),
    ],
)
def test_what_cannot_say_where_alerts_go_is_refused(name: str, wrong: str) -> None:
    assert f"{name} can't be {wrong!r}: write " in refusal(**{name: wrong})


@pytest.mark.parametrize("written", ["severity=critical", "severity = critical, page ; env=prod"])
def test_every_rule_that_is_taken_can_be_read(written: str) -> None:
    assert parse_conditions(settings_of(AFTERWORD_ALERTS_OPEN=written).alerts_open)[0][0] == "severity"


def test_a_way_in_for_monitoring_needs_a_channel_to_suggest_in() -> None:
    slack = {"SLACK_BOT_TOKEN": SECRET, "SLACK_APP_TOKEN": "xapp-" + "test"}
    hook = {"AFTERWORD_JSM_SECRET": "sec" + "ret-of-jsm-ops-here"}
    with pytest.raises(Misconfigured, match="AFTERWORD_ALERTS_CHANNEL isn't set"):
        settings_of(**slack, **hook).require_for_run()
    settings_of(**slack, **hook, AFTERWORD_ALERTS_CHANNEL="C0ALERTS").require_for_run()


def test_the_library_is_on_once_all_of_it_is_set() -> None:
    settings = settings_of(**LIBRARY)
    assert settings.has_library
    assert settings.incomplete == []
    assert not settings_of().has_library


@pytest.mark.parametrize("missing", LIBRARY)
def test_a_library_that_is_set_in_part_is_named(missing: str) -> None:
    settings = settings_of(**{name: value for name, value in LIBRARY.items() if name != missing})
    assert not settings.has_library
    (sentence,) = settings.incomplete
    assert sentence.endswith(f"is set, but {missing} isn't.")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://library.example/", "https://library.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("https://library.example:8443", "https://library.example:8443"),
    ],
)
def test_the_library_is_at_https_or_on_this_machine(url: str, address: str) -> None:
    assert settings_of(AFTERWORD_URL=url).url == address


@pytest.mark.parametrize(
    "url",
    [
        *("http://library.example", "library.example", "https://", "https://user@library.example"),
        *(
            "https://library.example/library",
            "https://library.example?x",
            "https://library.example:x",
            "ftp://x.example",
        ),
        *("http://127.0.0.1.evil.example", "https://a b.example", "https://library.example#x", "javascript:alert(1)"),
    ],
)
def test_another_address_of_the_library_is_refused(url: str) -> None:
    assert "AFTERWORD_URL can't be" in refusal(AFTERWORD_URL=url)


def test_sessions_have_a_list_of_keys_so_that_they_can_be_rotated() -> None:
    assert settings_of(AFTERWORD_SESSION_KEY=f"{'n' * 32},{'o' * 40}").session_keys == ("n" * 32, "o" * 40)
    for short in ("short", f"{'n' * 32},short", f"{'n' * 32},"):
        assert "at least 32 characters" in refusal(AFTERWORD_SESSION_KEY=short)


@pytest.mark.parametrize("client", ["A0123", "1234", "1234.5678.9", "1234.x"])
def test_a_client_id_is_two_numbers(client: str) -> None:
    assert "two numbers with a dot" in refusal(SLACK_CLIENT_ID=client)
