"""Who did what: one line for each request that changed something, told by the JSON export; and who may do nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.export import Exporter
from bot.rehearsal.delivery import AppDelivery
from storage import case as case_store
from tests.support.interactions import having, last, on_stage, open_incident, type_command
from tests.support.play import Play


def audit(play: Play) -> list[dict[str, Any]]:
    incident = play.case().incident
    case = play.bot.store.read_now(lambda tx: case_store.load(tx, incident, with_audit=True))
    document = postmortem_rules.compile_document(case, play.clock.now())
    lines: list[dict[str, Any]] = json.loads(Exporter().render(document, "json"))["audit"]
    return lines


def deeds(play: Play) -> list[tuple[str, str, str]]:
    return [(line["who"], line["verb"], line["what"]) for line in audit(play)]


async def test_every_change_has_its_line_and_looking_has_none(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        for user, text in (
            (play.bo, "/incident sev 2"),
            (play.bo, "/timeline failed over"),
            (play.bo, "/timeline show"),
            (play.ana, "/timeline edit 3 failed over to replica"),
            (play.ana, "/incident lead @Bo Demo"),
            (play.chandra, "/incident resolved"),
            (play.chandra, "/why because the pool ran out"),
            (play.chandra, "/why root"),
            (play.bo, "/action enlarge the pool"),
            (play.bo, "/action done 1"),
            (play.bo, "/postmortem"),
            (play.ana, "/postmortem waive a drill"),
        ):
            play.clock.advance(timedelta(seconds=1))
            await type_command(play, user, text)
        mine = [deed for deed in deeds(play) if not deed[1].startswith("timeline.added")]
        assert mine == [
            ("Ana Demo", "incidents.open_new", "incident"),
            ("Bo Demo", "incidents.set_severity", "incident"),
            ("Ana Demo", "timeline.edited", "entry 3"),
            ("Ana Demo", "incidents.set_lead", "incident"),
            ("Chandra Demo", "incidents.reach", "incident"),
            *[("Chandra Demo", verb, "why 1") for verb in ("whys.answer", "whys.mark_root")],
            *[("Bo Demo", verb, "action 1") for verb in ("actions.add", "actions.close")],
            ("Ana Demo", "postmortem.waive", "incident"),
        ]
        assert ("Bo Demo", "timeline.added", "entry 3") in deeds(play)
        assert all(line["delivery"] for line in audit(play) if not line["what"].startswith("entry"))
        times = [line["at"] for line in audit(play)]
        assert times == sorted(times)
        assert times[0] == "2026-11-23T12:30:00Z"


async def test_a_repeat_and_a_refusal_leave_no_line(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await play.slack.command(play.bo, play.channel, "/incident sev 2")
        before = len(audit(play))
        await play.slack.deliver_again(answer)
        await type_command(play, play.ana, "/incident sev 2")
        assert len(audit(play)) == before


async def test_a_timeline_command_writes_no_line_of_its_own(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        rows = play.bot.store.read_now(lambda tx: tx._connection.execute("SELECT verb FROM audit").fetchall())
        assert rows == [("incidents.open_new",)]


async def test_the_exported_file_has_the_audit(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/postmortem export json")
        await play.settle()
        (file,) = play.slack.files
        lines = json.loads(file.bytes)["audit"]
        assert [line["verb"] for line in lines] == ["incidents.open_new", "timeline.added"]


async def test_people_of_another_workspace_may_do_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        olga = play.slack.user("Olga Demo")
        play.slack.workspace.channels[play.channel].members.add(olga)
        stranger = {"id": olga, "team_id": "T0ELSEWHERE", "real_name": "Olga Demo", "is_stranger": False, "profile": {}}
        await play.slack.event({"type": "user_change", "user": stranger})
        before = deeds(play)
        assert "people from other workspaces" in await type_command(play, olga, "/incident sev 1")
        assert "people from other workspaces" in await type_command(play, olga, "/incident search checkout")
        await play.slack.click(olga, having(play, olga, "incident_resolved"), "incident_resolved")
        await play.settle()
        assert "people from other workspaces" in last(play, olga).plain
        assert deeds(play) == before
        await play.slack.open_home(olga)
        await play.settle()
        home = play.slack.home(olga)
        assert home is not None
        assert "Checkout" not in str(home)
        assert "people from other workspaces" in str(home)


@pytest.mark.parametrize(("told_with_it", "status"), [({}, "open"), ({"enterprise": {"id": "E1"}}, "resolved")])
async def test_a_click_that_names_another_workspace_is_refused_before_slack_tells_who_it_is(
    sqlite_url: str, told_with_it: dict[str, Any], status: str
) -> None:
    """Within one enterprise people of several workspaces work together: there users.info decides."""
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await play.slack.click(play.bo, having(play, play.bo, "timeline_form_open"), "timeline_form_open")
        assert answer.delivery is not None
        elsewhere = {**answer.delivery.payload["user"], "team_id": "T0ELSEWHERE"}
        payload = answer.delivery.payload | {"trigger_id": "another", "user": elsewhere} | told_with_it
        payload["actions"] = [{**payload["actions"][0], "action_id": "incident_resolved"}]
        await play.slack.deliver(AppDelivery("interactive", payload))
        await play.settle()
        assert play.case().incident.status == status


async def test_they_may_where_the_operator_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_ALLOW_GUESTS": "true"}) as play:
        await open_incident(play)
        room = play.slack.channel("public", [play.ana])
        guest = play.slack.user("Gus Demo", guest=True)
        play.slack.workspace.channels[room].members.add(guest)
        await type_command(play, play.ana, "/incident open Checkout is failing again", room)
        assert "*INC-2*" in await type_command(play, guest, "/incident search failing", room)
        answer = await type_command(play, guest, "/incident list", room)
        assert "INC-1" not in answer  # a public channel, but not one of theirs
        assert "*INC-1*" in await type_command(play, play.ana, "/postmortem", room)
        assert "INC-1" not in await type_command(play, guest, "/postmortem", room)
