"""The policy by severity in Slack: what a resolution says, the one question, and who else hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.domain.policy import PostmortemRule
from bot.domain.records import PostmortemStatus
from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import last
from tests.support.play import Play, playing
from tests.support.policies import read_example, write_config

WAITING = ":hourglass_flowing_sand:"


@asynccontextmanager
async def with_policy(folder: Path, text: str = "") -> AsyncIterator[Play]:
    config = write_config(folder, text or read_example())
    async with playing(f"sqlite:///{folder}/a.db", environ={"AFTERWORD_CONFIG": str(config)}) as play:
        yield play


async def resolve(play: Play, severity: int | None, channel: str = "") -> ShownMessage:
    """Ana opens an incident with this severity, Bo leads and Chandra ends it; what the channel then reads."""
    here = channel or play.channel
    await play.slack.command(play.ana, here, "/incident open checkout is failing")
    if severity:
        await play.slack.command(play.ana, here, f"/incident sev {severity}")
    await play.slack.command(play.ana, here, "/incident lead @Bo Demo")
    await play.settle()
    await play.slack.command(play.chandra, here, "/incident resolved")
    await play.settle()
    return next(one for one in reversed(play.slack.messages(here)) if "resolved*" in one.plain)


def list_asked(play: Play, place: str) -> list[ShownMessage]:
    return [one for one in play.slack.messages(place) if one.plain.startswith(WAITING)]


def labels(message: ShownMessage) -> list[str]:
    return [label for label, _, _ in message.buttons]


async def test_a_resolution_without_a_postmortem_says_so_and_asks_nothing(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        message = await resolve(play, 4)
        assert "INC-1 is sev4, so no postmortem is asked for." in message.plain
        assert labels(message) == ["Write one anyway"]
        await play.pass_time(days=30)
        assert [one.plain for one in play.slack.messages(play.channel) if "why" in one.plain.lower()] == []
        assert list_asked(play, play.channel) + list_asked(play, play.slack.dm(play.bo)) == []


async def test_write_one_anyway_makes_it_required(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        message = await resolve(play, 4)
        await play.slack.click(play.chandra, message, "postmortem_want")
        await play.bot.boundary.drain()
        assert "You own the *INC-1* postmortem. 13 sections left; next: Root cause." in last(play, play.chandra).plain
        await play.settle()
        case = play.case()
        assert (case.incident.rule, case.incident.postmortem_owner) == (PostmortemRule.REQUIRED, play.chandra)
        assert any("The five whys of INC-1" in one.plain for one in play.slack.messages(play.channel))
        await play.pass_time(hours=24)
        assert len(list_asked(play, play.slack.dm(play.chandra))) == 1
        again = await play.slack.click(play.ana, message, "postmortem_want")
        await play.bot.boundary.drain()
        assert again.ok
        lines = [one.plain for one in play.slack.messages(play.channel)]
        assert any("already asked for" in line for line in [*lines, last(play, play.ana).plain]), lines


async def test_an_optional_one_is_asked_about_once_and_may_be_skipped(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        message = await resolve(play, 3)
        assert "INC-1 is sev3, so its postmortem is optional. Bo Demo is asked once, after 24 h." in message.plain
        await play.pass_time(hours=24)
        (question,) = list_asked(play, play.slack.dm(play.bo))
        assert labels(question) == ["Write one", "Not needed"]
        assert list_asked(play, play.channel) == []
        await play.slack.click(play.bo, question, "postmortem_skip")
        await play.settle()
        case = play.case()
        assert case.incident.postmortem_status is PostmortemStatus.WAIVED
        assert case.incident.postmortem_reason == "optional for sev3"
        (line,) = list_asked(play, play.slack.dm(play.bo))
        assert labels(line) == []
        await play.pass_time(days=40)
        assert len(list_asked(play, play.slack.dm(play.bo))) == 1


async def test_an_optional_one_that_is_wanted_is_reminded_of_from_there_on(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        await resolve(play, 3)
        await play.pass_time(hours=25)
        (question,) = list_asked(play, play.slack.dm(play.bo))
        await play.slack.click(play.bo, question, "postmortem_want")
        await play.settle()
        (line,) = list_asked(play, play.slack.dm(play.bo))
        assert "Bo Demo asked for it." in line.plain
        await play.pass_time(hours=23)
        assert len(list_asked(play, play.slack.dm(play.bo))) == 2
        assert len(list_asked(play, play.channel)) == 1


async def test_the_opener_is_asked_where_nobody_led_and_can_answer(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        await play.slack.command(play.ana, play.channel, "/incident open checkout is failing")
        await play.settle()
        await play.slack.command(play.chandra, play.channel, "/incident resolved")
        await play.settle()
        await play.pass_time(hours=24)
        (question,) = list_asked(play, play.slack.dm(play.chandra))
        answer = await play.slack.click(play.chandra, question, "postmortem_want")
        assert answer.ok
        assert play.case().incident.postmortem_owner == play.chandra


async def test_others_hear_of_the_steps_in_hours_but_nothing_of_a_private_incident(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        ops = play.slack.channel("incidents", [play.ana])
        await resolve(play, 1)
        await play.pass_time(hours=24)
        (notice,) = list_asked(play, ops)
        assert "*INC-1* postmortem is waiting for Bo Demo" in notice.plain
        assert labels(notice) == []
        assert [labels(one) for one in list_asked(play, play.slack.dm(play.ana))] == [[]]
        closed = play.slack.channel("security", [play.bo, play.ana, play.chandra], private=True)
        await resolve(play, 1, closed)
        await play.slack.leave(play.ana, closed)
        await play.pass_time(hours=24)
        assert "INC-2" not in " ".join(one.plain for one in play.slack.messages(ops))
        assert "INC-2" not in " ".join(one.plain for one in play.slack.messages(play.slack.dm(play.ana)))
        assert any("INC-2" in one.plain for one in list_asked(play, closed))
        await play.pass_time(days=30)
        assert len(list_asked(play, ops)) == 2


async def test_a_publication_needs_the_sections_of_the_policy(tmp_path: Path) -> None:
    async with with_policy(tmp_path, '[policy.default]\nsections = ["summary", "lessons"]\n') as play:
        await resolve(play, 1)
        refused = await play.slack.command(play.bo, play.channel, "/postmortem publish")
        assert "Not published: Incident summary and Lessons learned are still empty" in refused.text


async def test_an_action_without_a_date_is_due_as_usual_for_its_kind(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        await resolve(play, 1)
        answer = await play.slack.command(play.ana, play.channel, "/action mitigate: raise the limit @Bo Demo")
        assert "due Mon 30 Nov (as usual)" in answer.text
        await play.slack.command(play.ana, play.channel, "/action mitigate: watch it @Bo Demo due friday")
        await play.slack.command(play.ana, play.channel, "/action look around @Bo Demo")
        due = [action.due_on.isoformat() if action.due_on else "" for action in play.case().actions]
        assert due == ["2026-11-30", "2026-11-27", ""]


async def test_a_corrected_severity_brings_its_own_rules(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        await resolve(play, 4)
        answer = await play.slack.command(play.ana, play.channel, "/incident sev 1")
        assert "Its postmortem is asked for." in answer.text
        assert play.case().incident.postmortem_owner == play.bo
        await play.pass_time(hours=24)
        assert len(list_asked(play, play.slack.dm(play.bo))) == 1
        answer = await play.slack.command(play.ana, play.channel, "/incident sev 4")
        assert "No postmortem is asked for." in answer.text
        await play.settle()
        assert "isn't asked for anymore" in list_asked(play, play.slack.dm(play.bo))[0].plain
        await play.pass_time(days=30)
        assert len(list_asked(play, play.slack.dm(play.bo))) == 1


async def test_an_incident_keeps_its_policy_until_it_is_resolved_again(tmp_path: Path) -> None:
    async with with_policy(tmp_path) as play:
        await resolve(play, 3)
        policy = play.case().incident.policy
        write_config(tmp_path, '[policy.sev3]\npostmortem = "none"\n')
        await play.pass_time(seconds=15)
        assert play.case().incident.policy == policy
        await play.slack.command(play.ana, play.channel, "/incident reopen")
        assert play.case().incident.policy is None
        await play.slack.command(play.ana, play.channel, "/incident resolved")
        assert play.case().incident.rule is PostmortemRule.NONE


async def test_a_typo_in_a_changed_file_is_named_and_the_old_policy_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with with_policy(tmp_path) as play, httpx.AsyncClient() as web:
        write_config(tmp_path, '[policy.sev4]\npostmortm = "required"\n')
        await play.pass_time(seconds=15)
        expected = (
            "The policy before it stays in force. afterword.toml, line 2: postmortm isn't known in [policy.sev4]. "
            "Did you mean postmortem?"
        )
        assert expected in caplog.text
        ready = await web.get(f"{play.url}/readyz")
        assert ready.json()["notes"] == {"policy": expected}
        await resolve(play, 4)
        assert play.case().incident.rule is PostmortemRule.NONE
        write_config(tmp_path, '[policy.sev4]\npostmortem = "required"\n')
        await play.pass_time(seconds=15)
        assert "notes" not in (await web.get(f"{play.url}/readyz")).json()


async def test_without_a_file_nothing_is_stored_and_every_severity_is_asked(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        message = await resolve(play, 4)
        assert "Reminders come after 24 and 48 hours while it's open." in message.plain
        assert play.case().incident.policy is None
        await play.pass_time(hours=48)
        assert len(list_asked(play, play.channel)) == 1
