"""The whole workflow: an alert opens the incident, a page and work items come of it, and done there is done here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bot.domain.records import ActionStatus, Milestone, Status
from tests.support.alert_senders import ALERTS, call, pagerduty, watch_alerts
from tests.support.integrations.clients import EMAIL, SECRET
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.integrations.fakes.statuspage import FakeStatuspage
from tests.support.interactions import count_messages, press, type_command, window
from tests.support.play import Play, reached_at

pytestmark = pytest.mark.slow


class Outside:
    """Everything that an incident touches besides Slack."""

    def __init__(self) -> None:
        self.jira, self.confluence = FakeJira(), FakeConfluence()
        self.pager, self.page = FakeAlerts(), FakeStatuspage()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[dict[str, str]]:
        async with AsyncExitStack() as stack:
            every = (self.jira, self.confluence, self.pager, self.page)
            jira, confluence, pager, page = [await stack.enter_async_context(one.serving()) for one in every]
            yield {
                "AFTERWORD_JIRA_URL": jira,
                "AFTERWORD_JIRA_EMAIL": EMAIL,
                "AFTERWORD_JIRA_TOKEN": SECRET,
                "AFTERWORD_JIRA_PROJECT": "OPS",
                "AFTERWORD_JSM_PROJECT": "INC",
                "AFTERWORD_CONFLUENCE_URL": confluence,
                "AFTERWORD_CONFLUENCE_EMAIL": EMAIL,
                "AFTERWORD_CONFLUENCE_TOKEN": SECRET,
                "AFTERWORD_CONFLUENCE_SPACE": "ENG",
                "AFTERWORD_JSM_KEY": SECRET,
                "AFTERWORD_JSM_URL": f"{pager}/v2",
                "AFTERWORD_STATUSPAGE_PAGE": "pg",
                "AFTERWORD_STATUSPAGE_KEY": SECRET,
                "AFTERWORD_STATUSPAGE_URL": f"{page}/v1",
            }


async def alert(play: Play, kind: str, at: str) -> None:
    await call(play, "pagerduty", pagerduty(f"incident.{kind}", at))
    await play.settle()


async def customers(play: Play, **values: object) -> None:
    await type_command(play, play.ana, "/incident customers")
    await press(play, play.ana, "statuspage_form")
    (draft,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, draft, dict(values))
    (sure,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, sure)
    await play.pass_time(seconds=10)


async def burning(play: Play) -> None:
    """From the alert to the end of the incident, and everyone who wants to know is told."""
    await play.slack.change_person(play.ana, email="ana@team.example")
    await alert(play, "triggered", "2026-11-23T12:20:04Z")
    view = await window(play, play.ana, "alerts_open", channel=ALERTS)
    await play.slack.submit(play.ana, view, {"channel": play.channel})
    await type_command(play, play.ana, "/incident jsm")
    await type_command(play, play.ana, "/incident page need a database person")
    await customers(play, status="investigating", body="Some payments fail.", components=["api"])
    await type_command(play, play.bo, "/timeline 12:28 UTC failed over to the replica")
    await play.pass_time(minutes=15)
    await alert(play, "resolved", "2026-11-23T12:41:30Z")
    await type_command(play, play.ana, "/incident resolved 12:42 UTC queue drained")
    await customers(play, status="resolved", body="It is over.")


async def test_from_the_alert_to_the_action_that_jira_closed(database_url: str) -> None:
    outside = Outside()
    async with outside.serving() as environ, watch_alerts(database_url, environ=environ) as play:
        await burning(play)
        assert (outside.jira.issues["INC-1"]["status"], outside.pager.pages) == ("Done", 1)
        assert [one["status"] for one in outside.page.incidents.values()] == ["resolved"]
        assert outside.page.status_of("api") == "operational"

        await type_command(play, play.ana, "/action enlarge the pool @Ana Demo due 2026-12-01")
        await type_command(play, play.ana, "/postmortem confluence")
        await play.pass_time(seconds=5)
        (page,) = outside.confluence.pages.values()
        assert "failed over to the replica" in page["body"]
        item = outside.jira.issues["OPS-2"]
        assert (item["assignee"], item["duedate"]) == ({"id": "acc-ana"}, "2026-12-01")

        item["status"] = "Done"
        await play.pass_time(minutes=5)
        case = play.case()
        assert (case.actions[0].status, case.incident.status) == (ActionStatus.DONE, Status.RESOLVED)
        assert f"{reached_at(case, Milestone.DETECTED):%H:%M}" == "12:20"
        told_owner = [message.plain for message in play.slack.messages(play.slack.dm(play.ana))]
        done = "OPS-2 is done in Jira, so action 1 of INC-1 is done: enlarge the pool"
        assert sum(done in message for message in told_owner) == 1
        assert count_messages(play, ":warning:") == 0
