"""`afterword policy check`, `doctor` and `tick --dry-run`: what the policy asks, and where a mistake is."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.doctor import check_settings
from bot.settings import load
from tests.support.command_line import invoke, run
from tests.support.play import NOON, playing
from tests.support.policies import read_example, write_config


def test_the_example_of_the_guide_passes_and_shows_what_it_asks(tmp_path: Path) -> None:
    config = write_config(tmp_path, read_example())
    assert run("policy", "check", str(config)).splitlines() == [
        "ok    sev1: required, after 24 and 48 h, then 4 weeks, also to opener, #incidents.",
        "ok    sev2: required, after 24 and 48 h, then 4 weeks.",
        "ok    sev3: optional, so one question after 24 h and no reminder.",
        "ok    sev4: none, so nothing is asked.",
        "ok    none: optional, so one question after 24 h and no reminder.",
    ]


def test_each_mistake_is_a_line_that_names_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read_example().replace('postmortem = "none"', 'postmortem = "non"').replace("weeks", "weaks")
    config = write_config(tmp_path, text)
    monkeypatch.setenv("AFTERWORD_CONFIG", str(config))
    checked = invoke("policy", "check")
    assert checked.exit_code == 1
    assert checked.stdout.splitlines() == [
        "FAIL  afterword.toml, line 5: weaks isn't known in [policy.default]. Did you mean weeks?",
        (
            "FAIL  afterword.toml, line 21: policy.sev4.postmortem can't be 'non': "
            'write "required", "optional" or "none".'
        ),
    ]


def test_without_a_file_it_says_how_to_name_one() -> None:
    refused = invoke("policy", "check")
    assert refused.exit_code == 2
    assert "Name the file, as in: afterword policy check afterword.toml, or set AFTERWORD_CONFIG." in refused.stderr


def test_an_empty_file_asks_as_the_settings_say(tmp_path: Path) -> None:
    config = write_config(tmp_path, "")
    expected = "note  afterword.toml has no table [policy]: every severity is asked as the settings say.\n"
    assert run("policy", "check", str(config)) == expected


def test_the_doctor_says_whether_it_can_be_used(tmp_path: Path) -> None:
    settings = load({"AFTERWORD_CONFIG": str(write_config(tmp_path, read_example()))}, env_file=None)
    (good,) = [one for one in check_settings(settings) if one.name == "policy"]
    assert (good.ok, good.sentence[:36]) == (True, "afterword.toml can be used. To see i")
    write_config(tmp_path, "[policy.sev9]\n")
    (bad,) = [one for one in check_settings(settings) if one.name == "policy"]
    assert (bad.ok, "line 1: sev9 isn't known in [policy]" in bad.sentence) == (False, True)


async def _resolve_each(url: str, config: Path) -> None:
    async with playing(url, environ={"AFTERWORD_CONFIG": str(config)}) as play:
        for severity in (1, 3, 4):
            channel = play.slack.channel(f"inc-{severity}", [play.ana, play.bo])
            for text in (f"open sev{severity} it broke", f"sev {severity}", "resolved"):
                await play.slack.command(play.ana, channel, f"/incident {text}")
            await play.settle()


def test_a_dry_run_says_which_rule_counts_for_each(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_resolve_each(sqlite_url, write_config(tmp_path, read_example())))
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    lines = run("tick", "--dry-run", "--now", (NOON + timedelta(hours=1)).isoformat()).splitlines()
    assert [line for line in lines if line.startswith("policy")] == [
        "policy: INC-3 sev4: none, so nothing is asked",
        "policy: INC-2 sev3: optional, so one question after 24 h and no reminder; next on 2026-11-24 12:30 UTC",
        (
            "policy: INC-1 sev1: required, after 24 and 48 h, then 4 weeks, also to opener, #incidents; "
            "next on 2026-11-24 12:30 UTC"
        ),
    ]
