"""An incident in Jira Service Management, and paging: asked for by a person, once, confirmed before it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.integrations.jira.test_webhooks import AGREED, tell
from tests.support.integrations.clients import EMAIL, SECRET
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.interactions import count_messages, on_stage, open_incident, press, type_command
from tests.support.play import Play
from tests.support.replicas import both


@asynccontextmanager
async def with_desk(database_url: str, **more: str) -> AsyncIterator[tuple[Play, FakeJira]]:
    jira = FakeJira()
    async with jira.serving() as url:
        environ = {
            "AFTERWORD_JIRA_URL": url,
            "AFTERWORD_JIRA_EMAIL": EMAIL,
            "AFTERWORD_JIRA_TOKEN": SECRET,
            "AFTERWORD_JSM_PROJECT": "INC",
            "AFTERWORD_JSM_RESPONDERS": "customfield_9",
        }
        async with on_stage(database_url, environ=environ | more) as play:
            await play.slack.change_person(play.ana, email="ana@team.example")
            await open_incident(play)
            yield play, jira


@asynccontextmanager
async def with_pager(database_url: str) -> AsyncIterator[tuple[Play, FakeAlerts]]:
    alerts = FakeAlerts()
    async with alerts.serving() as url:
        environ = {"AFTERWORD_JSM_KEY": SECRET, "AFTERWORD_JSM_URL": f"{url}/v2", "AFTERWORD_JSM_TEAM": "team-db"}
        async with on_stage(database_url, environ=environ) as play:
            await open_incident(play)
            yield play, alerts


async def test_an_incident_is_opened_there_on_request_once(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        await play.pass_time(minutes=5)
        assert jira.issues == {}
        await type_command(play, play.ana, "/incident sev 2")
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        issue = jira.issues["INC-1"]
        assert (issue["summary"], issue["issuetype"]) == ("Checkout is failing", {"name": "[System] Incident"})
        assert issue["priority"] == {"name": "High"}
        assert issue["customfield_9"] == [{"accountId": "acc-ana"}]
        assert count_messages(play, "INC-1 is INC-1 in Jira Service Management.") == 1
        assert "already" in await type_command(play, play.bo, "/incident jsm")
        await play.pass_time(minutes=5)
        assert len(jira.issues) == 1


async def test_severity_and_status_follow(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        await type_command(play, play.ana, "/incident sev 1")
        await play.pass_time(seconds=1)
        assert jira.issues["INC-1"]["priority"] == {"name": "Highest"}
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(seconds=1)
        assert jira.issues["INC-1"]["status"] == "Done"
        await type_command(play, play.ana, "/incident reopen")
        await play.pass_time(seconds=1)
        assert jira.issues["INC-1"]["status"] == "To Do"


async def test_an_end_over_there_is_asked_about_here(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        jira.issues["INC-1"]["status"] = "Done"
        await play.pass_time(minutes=3)
        await play.pass_time(minutes=3)
        assert count_messages(play, "was closed in Jira Service Management. Is INC-1 resolved?") == 1
        assert play.case().incident.status.value == "open"
        await press(play, play.ana, "incident_resolved")
        assert play.case().incident.status.value == "resolved"


async def test_without_a_service_project_the_command_says_how(database_url: str) -> None:
    async with with_pager(database_url) as (play, _):
        assert "AFTERWORD_JSM_PROJECT" in await type_command(play, play.ana, "/incident jsm")


async def test_a_page_is_told_only_when_it_is_confirmed(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        await type_command(play, play.ana, "/incident sev 1")
        await type_command(play, play.ana, "/incident page need a database person")
        assert count_messages(play, "It isn't confirmed yet.") == 1
        assert count_messages(play, "Paged") == 0
        await play.pass_time(seconds=1)
        assert count_messages(play, "Paged, confirmed by Jira Service Management: need a database person") == 1
        (alert,) = alerts.alerts.values()
        assert alert["message"] == "INC-1: need a database person"
        assert alert["responders"] == [{"id": "team-db", "type": "team"}]
        assert alert["priority"] == "P1"
        texts = [entry.text for entry in play.case().entries]
        assert "Asked to page: need a database person" in texts
        assert "Paged, and confirmed by Jira Service Management" in texts
        await play.pass_time(hours=2)
        assert alerts.pages == 1


async def test_a_page_that_is_not_confirmed_is_told_at_once(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.refuses = "No such team"
        await type_command(play, play.ana, "/incident page")
        await play.pass_time(seconds=1)
        assert count_messages(play, "accepted it, then didn't do it: No such team") == 1
        assert count_messages(play, "Paged, confirmed") == 0


async def test_a_page_whose_answer_was_lost_wakes_nobody_twice(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.next_time("POST /v2/alerts$", BadDay(acts=True, resets=True))
        await type_command(play, play.ana, "/incident page")
        await play.pass_time(seconds=1)
        assert count_messages(play, "closed the connection") == 1
        await play.pass_time(minutes=2)
        assert (alerts.pages, count_messages(play, "Paged, confirmed")) == (1, 1)


async def test_two_pages_are_two(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        await type_command(play, play.ana, "/incident page need a database person")
        await type_command(play, play.bo, "/incident page need a network person")
        await play.pass_time(seconds=1)
        assert alerts.pages == 2


async def test_a_key_that_is_refused_says_what_to_do(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.next_time("POST /v2/alerts$", refuse_with(401, {"message": "Key format is not valid!"}))
        await type_command(play, play.ana, "/incident page")
        await play.pass_time(seconds=1)
        assert count_messages(play, "refused the key") == 1


async def test_two_bots_ask_once_about_an_end_over_there(postgres_url: str) -> None:
    async with with_desk(postgres_url) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        jira.by_hand("INC-1", status="Done")
        play.clock.advance(timedelta(minutes=3))
        await both(play)
        assert count_messages(play, "was closed in Jira Service Management. Is INC-1 resolved?") == 1


async def test_what_fails_after_the_opening_never_opens_it_twice(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        jira.search_lags = True
        jira.next_time("PUT .*/issue/INC-1$", refuse_with(500, {}), refuse_with(500, {}), refuse_with(500, {}))
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        await play.pass_time(seconds=10)
        assert (len(jira.issues), jira.issues["INC-1"]["customfield_9"]) == (1, [{"accountId": "acc-ana"}])


async def test_an_incident_that_was_deleted_there_is_told_once(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        del jira.issues["INC-1"]
        for _ in range(3):
            await play.pass_time(minutes=3)
        assert count_messages(play, "INC-1 was deleted in Jira, or this account can't see it anymore.") == 1


async def test_a_webhook_of_its_end_is_asked_about_once(database_url: str) -> None:
    async with with_desk(database_url, AFTERWORD_JIRA_SECRET=AGREED) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        jira.by_hand("INC-1", status="Done")
        for identifier in ("one", "one", "two"):
            await tell(play, jira.telling("INC-1"), identifier)
        await play.pass_time(minutes=3)
        assert count_messages(play, "was closed in Jira Service Management. Is INC-1 resolved?") == 1


async def test_an_incident_that_was_moved_there_is_followed_under_its_new_key(database_url: str) -> None:
    async with with_desk(database_url) as (play, jira):
        await type_command(play, play.ana, "/incident jsm")
        await play.pass_time(seconds=1)
        jira.move("INC-1", "OLD-7")
        await play.pass_time(minutes=3)
        assert "INC-1 is OLD-7 in Jira Service Management" in await type_command(play, play.bo, "/incident jsm")
        assert count_messages(play, "was closed") == 0
