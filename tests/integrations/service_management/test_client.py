"""An incident opened here is opened in the service project and kept in step."""

from bot.domain.records import Status
from bot.integrations.registry import INTEGRATIONS
from bot.integrations.service_management.client import ServiceDeskClient, ServiceIncident, ServiceProject
from tests.support.integrations.atlassian_sites import Site, error_of
from tests.support.integrations.fakes.days import BadDay

PROJECT = ServiceProject(
    "OPS",
    priorities={1: "Highest", 2: "High"},
    responders_field="customfield_21",
)
INCIDENT = ServiceIncident("afterword-t1-inc-7", "Checkout returns 503s", "See **INC-7**.", 1)


async def test_an_incident_is_opened_with_its_severity(cloud: Site) -> None:
    created = await ServiceDeskClient(cloud.jira, PROJECT).open(INCIDENT, is_repeat=False)
    stands = cloud.fake.issues[created.key]
    assert stands["issuetype"] == {"name": "[System] Incident"}
    assert stands["priority"] == {"name": "Highest"}
    assert "customfield_21" not in stands


async def test_it_is_opened_once(cloud: Site) -> None:
    desk = ServiceDeskClient(cloud.jira, PROJECT)
    cloud.fake.next_time("POST .*/issue$", BadDay(acts=True, resets=True))
    assert (await error_of(desk.open(INCIDENT, is_repeat=False))).may_have_happened
    assert (await desk.open(INCIDENT, is_repeat=True)).was_there
    assert len(cloud.fake.issues) == 1


async def test_a_project_without_extra_fields_gets_none(cloud: Site) -> None:
    created = await ServiceDeskClient(cloud.jira, ServiceProject("OPS")).open(INCIDENT, is_repeat=False)
    assert not [name for name in cloud.fake.issues[created.key] if name.startswith("customfield")]


async def test_what_changes_here_changes_there(cloud: Site) -> None:
    desk = ServiceDeskClient(cloud.jira, PROJECT)
    key = (await desk.open(INCIDENT, is_repeat=False)).key
    await desk.set_severity(key, 2)
    await desk.set_responders(key, ["acc-ana", "acc-bo-1", "acc-ana"])
    await desk.set_title(key, "Checkout is slow")
    stands = cloud.fake.issues[key]
    assert stands["priority"] == {"name": "High"}
    assert stands["customfield_21"] == [{"accountId": "acc-ana"}, {"accountId": "acc-bo-1"}]
    assert stands["summary"] == "Checkout is slow"


async def test_it_is_done_there_when_it_is_resolved_here_and_not_before(cloud: Site) -> None:
    desk = ServiceDeskClient(cloud.jira, PROJECT)
    key = (await desk.open(INCIDENT, is_repeat=False)).key
    for status, there in ((Status.MITIGATED, "To Do"), (Status.RESOLVED, "Done"), (Status.OPEN, "To Do")):
        await desk.set_status(key, status)
        assert cloud.fake.issues[key]["status"] == there


async def test_every_client_is_of_the_one_shape(cloud: Site) -> None:
    desk = ServiceDeskClient(cloud.jira, PROJECT)
    assert (desk.name, await desk.check()) == ("Jira Service Management", "project OPS, signed in as Afterword")
    cloud.fake.authorization = "another"
    assert (await error_of(cloud.jira.check())).status == 401
    assert list(INTEGRATIONS) == ["jira", "confluence", "jsm", "paging", "statuspage"]
