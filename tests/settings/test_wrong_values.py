"""Whatever stands in a setting is used, or refused in a sentence; what is connected by half is named at once."""

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot import runner
from bot.domain.records import System
from bot.errors import Misconfigured
from bot.integrations.http import SystemClient
from bot.integrations.registry import INTEGRATIONS
from bot.integrations.service_management import service_project
from bot.policy import build_alert_rules, build_mask_rules, build_reminder_rules
from bot.settings import FILED, Settings, load, variable
from storage.database.drivers import driver_for
from tests.settings.test_settings import OUTSIDE, SECRET
from tests.support.timeouts import PATIENT

SLACK = {"SLACK_BOT_TOKEN": SECRET, "SLACK_APP_TOKEN": "xapp-" + "test"}
BAD = [
    *("x", "0", "-1", "1.5", "1e999", "true", "null", "[]", "{", "none", "(", "%", "*", "a,b", "two words", "a\nb"),
    *('{"high": "P1"}', '{"5": "P1"}', '{"1": 1}', '{"1": ""}', '{"1": NaN}', "[" * 5_000, '{"a":' * 5_000, "ünï ✓"),
    *("https://", "http://[::1", "https://a:never-shown@h.example", "https://h.example:99999", "https://h.example:no"),
    *("ftp://x.example", "https://h.example?q=1", "https://h .example", "https://api.atlassian.com/ex/jira/1"),
    *("sqlite:///", "postgresql://h:no/d", "../../etc/passwd", "{{ 7*7 }}", "\u202e", "😀" * 300),
]


MAKES: dict[str, Callable[[Settings], SystemClient]] = {
    "jira_url": INTEGRATIONS[System.JIRA].build_client,
    "confluence_": INTEGRATIONS[System.CONFLUENCE].build_client,
    "jsm_key": INTEGRATIONS[System.PAGING].build_client,
    "jsm_url": INTEGRATIONS[System.PAGING].build_client,
    "statuspage_": INTEGRATIONS[System.STATUSPAGE].build_client,
}
MAKES |= dict.fromkeys(("jira_email", "jira_token", "jira_kind"), MAKES["jira_url"])
"""What a setting of another system is for, by how its name begins."""


def load_with(name: str, value: str) -> tuple[Settings | None, str]:
    try:
        return load({**OUTSIDE, name: value}, env_file=None), ""
    except Misconfigured as error:
        return None, str(error)


async def use_setting(settings: Settings, field: str) -> None:
    """Everything that reads a setting before anything is asked over the network."""
    (
        build_mask_rules(settings),
        build_reminder_rules(settings),
        build_alert_rules(settings),
        driver_for(settings.sqlalchemy_url, timeouts=PATIENT),
    )
    service_project(settings), settings.object_of("jira_fields"), settings.incomplete, settings.useless
    for begins, make in MAKES.items():
        if field.startswith(begins):
            await make(settings).aclose()


@pytest.mark.filterwarnings("ignore:Possible nested set")  # of a pattern that is none
@pytest.mark.parametrize("field", list(Settings.model_fields))
def test_any_value_of_a_setting_is_used_or_refused_in_a_sentence(field: str) -> None:
    name = variable(field)
    for value in BAD:
        settings, refusal = load_with(name, value)
        if settings is None:
            assert refusal.startswith(f"{name} can't be "), (value, refusal)
            assert "never-shown" not in refusal
            assert field not in FILED or value not in refusal or len(value) < 11
            continue
        with suppress(Misconfigured):
            asyncio.run(use_setting(settings, field))


@pytest.mark.parametrize("wrong", ['{"high": "P1"}', '{"1": "Highest", "5": "Low"}', '{"1": 1}', '{"2": " "}'])
def test_a_priority_of_no_severity_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^AFTERWORD_JSM_PRIORITIES can't be .*: name the priority of each .*\"2\""
    ):
        load({"AFTERWORD_JSM_PRIORITIES": wrong}, env_file=None)


def test_a_page_above_is_named_by_its_id() -> None:
    with pytest.raises(Misconfigured, match="AFTERWORD_CONFLUENCE_PARENT can't be 'Postmortems': write the page's id"):
        load({"AFTERWORD_CONFLUENCE_PARENT": "Postmortems"}, env_file=None)
    assert load({"AFTERWORD_CONFLUENCE_PARENT": "None"}, env_file=None).confluence_parent == ""


@pytest.mark.parametrize("name", ["JIRA", "CONFLUENCE"])
@pytest.mark.parametrize(
    ("kind", "url", "site"),
    [
        ("classic", "https://shop.atlassian.net/wiki", "https://shop.atlassian.net"),
        ("scoped", "https://shop.atlassian.net/jira/software/projects", "https://shop.atlassian.net"),
        ("classic", "", ""),
    ],
)
def test_the_site_is_what_people_open_without_the_page(name: str, kind: str, url: str, site: str) -> None:
    settings = load({f"AFTERWORD_{name}_URL": url, "AFTERWORD_JIRA_KIND": kind}, env_file=None)
    assert {"JIRA": settings.jira_site, "CONFLUENCE": settings.confluence_site}[name] == site


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIRA_KIND", "data_center"),
        ("JIRA_URL", "https://jira.shop.example"),
        ("JIRA_URL", "https://shop.example/jira"),
        ("JIRA_URL", "https://atlassian.net.shop.example"),
        ("CONFLUENCE_URL", "http://confluence.shop.example:8090/"),
    ],
)
def test_data_center_is_refused_in_a_sentence(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load({**SLACK, f"AFTERWORD_{name}": value}, env_file=None)
    assert str(refused.value).startswith(f"AFTERWORD_{name} can't be ")
    assert "Atlassian's cloud can be connected, not Data Center" in str(refused.value)


HALF = [
    ({"CONFLUENCE_URL": "https://a.atlassian.net"}, ["SPACE", "TOKEN", "EMAIL"]),
    ({"JIRA_PROJECT": "OPS"}, ["JIRA_URL", "JIRA_TOKEN", "JIRA_EMAIL"]),
    ({"JSM_PROJECT": "INC", "JIRA_URL": "https://a.atlassian.net"}, ["JIRA_TOKEN", "JIRA_EMAIL"]),
    ({"STATUSPAGE_PAGE": "pg"}, ["STATUSPAGE_KEY"]),
]


@pytest.mark.parametrize(("values", "lacks"), HALF)
def test_what_is_connected_by_half_is_refused_before_anything_runs(values: dict[str, str], lacks: list[str]) -> None:
    settings = load({**SLACK, **{f"AFTERWORD_{name}": value for name, value in values.items()}}, env_file=None)
    with pytest.raises(Misconfigured) as refused:
        settings.require_for_run()
    sentences = str(refused.value).splitlines()[:-1]
    assert len(sentences) == len(lacks)
    assert all(f"{name} isn't." in sentence for name, sentence in zip(lacks, sentences, strict=True))


IDLE = [
    ({"JSM_TEAM": "t"}, "AFTERWORD_JSM_TEAM does nothing until AFTERWORD_JSM_KEY is set."),
    (
        {"JSM_RESPONDERS": "customfield_9", "JSM_FIELDS": '{"a": 1}'},
        "AFTERWORD_JSM_FIELDS and AFTERWORD_JSM_RESPONDERS do nothing until AFTERWORD_JSM_PROJECT is set.",
    ),
    (
        {"JIRA_URL": "https://a.atlassian.net"},
        "AFTERWORD_JIRA_URL does nothing until AFTERWORD_JIRA_PROJECT or AFTERWORD_JSM_PROJECT is set.",
    ),
    ({"CONFLUENCE_PARENT": "1"}, "AFTERWORD_CONFLUENCE_PARENT does nothing until AFTERWORD_CONFLUENCE_URL is set."),
    ({"STATUSPAGE_KEY": "k"}, "AFTERWORD_STATUSPAGE_KEY does nothing until AFTERWORD_STATUSPAGE_PAGE is set."),
]


@pytest.mark.parametrize(("values", "sentence"), IDLE)
def test_a_setting_that_does_nothing_is_named(values: dict[str, str], sentence: str) -> None:
    settings = load({f"AFTERWORD_{name}": value for name, value in values.items()}, env_file=None)
    assert sentence in settings.useless


def test_whoever_copies_the_whole_example_is_told_of_nothing() -> None:
    example = Path(__file__).resolve().parents[2] / ".env.example"
    settings = load({}, example)
    assert (settings.useless, settings.incomplete) == ([], [])


def run(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """`afterword run` in a folder of its own, with nothing else in its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "AFTERWORD_PORT": str(port), **SLACK, **environ}
    command = [str(Path(sys.executable).parent / "afterword"), "run"]
    try:
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired as error:
        output = (error.stderr or b"").decode()
        return subprocess.CompletedProcess(command, 0, "", output)


@pytest.mark.parametrize(
    "wrong",
    [
        {"AFTERWORD_CONFLUENCE_URL": "https://a.atlassian.net"},
        {"AFTERWORD_MASK_PATTERNS": "("},
        {"AFTERWORD_CONFIG": "missing.toml"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_run_that_is_misconfigured_ends_in_its_sentence_and_leaves_nothing_open(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    ended = run(tmp_path, **wrong)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert next(iter(wrong)) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Unclosed" not in ended.stderr


def test_a_run_names_slips_of_the_pen_and_what_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERWORD_CONFLUENCE_SPAC", "ENG")
    settings = load({**SLACK, "AFTERWORD_JSM_TEAM": "t", "DATABASE_URL": f"sqlite:///{tmp_path}/none/a.db"})
    with caplog.at_level(logging.WARNING), pytest.raises(Misconfigured):
        runner.run(settings)
    lines = [record.message for record in caplog.records if record.name == "bot.runner"]
    assert "AFTERWORD_CONFLUENCE_SPAC isn't a setting. Check its spelling." in lines
    assert "AFTERWORD_JSM_TEAM does nothing until AFTERWORD_JSM_KEY is set." in lines
