"""Four weeks after an incident of each severity, by the guide's example and without a policy: every message."""

from pathlib import Path

import pytest

from tests.support.play import Play, playing
from tests.support.policies import read_example, write_config

WAITING = ":hourglass_flowing_sand:"
OWNER = ["24h", "48h", "week", "week", "week"]
BOTH = ["24h", "48h"]
NOTHING: list[str] = []
ONE = ["question"]

BY_EXAMPLE = [
    # severity, to the owner (who led), the channel, the opener, #incidents
    (1, OWNER, BOTH, BOTH, BOTH),
    (2, OWNER, BOTH, NOTHING, NOTHING),
    (3, ONE, NOTHING, NOTHING, NOTHING),
    (4, NOTHING, NOTHING, NOTHING, NOTHING),
    (None, ONE, NOTHING, NOTHING, NOTHING),
]


async def play_weeks(play: Play, severity: int | None) -> tuple[list[str], ...]:
    """What the owner, the channel, the opener and #incidents got in four weeks, as it arrived."""
    others = play.slack.channel("incidents", [play.ana])
    places = (play.slack.dm(play.bo), play.channel, play.slack.dm(play.ana), others)
    await play.slack.command(play.ana, play.channel, "/incident open checkout is failing")
    if severity:
        await play.slack.command(play.ana, play.channel, f"/incident sev {severity}")
    await play.slack.command(play.bo, play.channel, "/incident lead @Bo Demo")
    await play.settle()
    await play.slack.command(play.chandra, play.channel, "/incident resolved")
    await play.settle()
    seen = [{one.ts for one in play.slack.messages(place)} for place in places]
    got: tuple[list[str], ...] = ([], [], [], [])
    for hour in range(6, 4 * 7 * 24 + 1, 6):
        await play.pass_time(hours=6)
        for place, before, arrived in zip(places, seen, got, strict=True):
            for one in play.slack.messages(place):
                if one.ts not in before:
                    before.add(one.ts)
                    assert one.plain.startswith(WAITING), one.plain
                    is_question = "worth writing" in one.plain
                    arrived.append("question" if is_question else f"{hour}h" if hour <= 48 else "week")
    return got


@pytest.mark.parametrize(("severity", "owner", "channel", "opener", "others"), BY_EXAMPLE)
async def test_the_example_asks_for_less_the_less_it_mattered(
    tmp_path: Path,
    severity: int | None,
    owner: list[str],
    channel: list[str],
    opener: list[str],
    others: list[str],
) -> None:
    config = write_config(tmp_path, read_example())
    async with playing(f"sqlite:///{tmp_path}/a.db", environ={"AFTERWORD_CONFIG": str(config)}) as play:
        assert await play_weeks(play, severity) == (owner, channel, opener, others)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, None])
async def test_without_a_policy_every_severity_is_asked_alike(tmp_path: Path, severity: int | None) -> None:
    async with playing(f"sqlite:///{tmp_path}/a.db") as play:
        assert await play_weeks(play, severity) == (OWNER, BOTH, NOTHING, NOTHING)


async def test_both_databases_ask_by_the_example(tmp_path: Path, database_url: str) -> None:
    config = write_config(tmp_path, read_example())
    async with playing(database_url, environ={"AFTERWORD_CONFIG": str(config)}) as play:
        assert await play_weeks(play, 3) == (ONE, NOTHING, NOTHING, NOTHING)
