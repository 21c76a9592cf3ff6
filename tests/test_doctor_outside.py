"""`afterword doctor` asks each connected system one harmless thing."""

import pytest

from bot.doctor import CheckResult
from bot.integrations.atlassian import TokenKind
from bot.integrations.confluence.client import ConfluenceClient
from bot.integrations.http import IntegrationError
from bot.integrations.registry import check_systems
from bot.settings import Settings, load
from tests.support.integrations.clients import BASIC, EMAIL, QUICK, SECRET, access
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.integrations.fakes.jira import FakeJira


def settings(url: str, **more: str) -> Settings:
    environ = {"AFTERWORD_JIRA_URL": url, "AFTERWORD_JIRA_EMAIL": EMAIL, "AFTERWORD_JIRA_TOKEN": SECRET}
    return load(environ | {"AFTERWORD_JIRA_PROJECT": "OPS"} | more, env_file=None)


async def check(settings: Settings) -> list[CheckResult]:
    return [CheckResult(name, ok=ok, sentence=sentence) for name, ok, sentence in await check_systems(settings)]


async def test_nothing_connected_is_nothing_to_check() -> None:
    assert await check(load({}, env_file=None)) == []


async def test_a_jira_that_lets_us_in_says_as_whom() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        jira.authorization = BASIC
        filled = settings(url, AFTERWORD_JIRA_FIELDS='{"customfield_10": {"value": "Ops"}}')
        assert await check(filled) == [CheckResult("Jira", ok=True, sentence="Signed in as Afterword.")]
        assert {seen.method for seen in jira.seen} == {"GET"}


async def test_a_token_that_is_refused_says_what_to_do_and_is_not_shown() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        jira.authorization = "Basic other"
        (finding,) = await check(settings(url))
    assert finding.ok is False
    assert "refused the token" in finding.sentence or "token" in finding.sentence
    assert SECRET not in finding.sentence


async def test_a_field_that_the_project_demands_is_named() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        (finding,) = await check(settings(url))
    assert finding.sentence == (
        "OPS requires Team (customfield_10) for a Task. Give them values in AFTERWORD_JIRA_FIELDS, or make them "
        "optional."
    )


async def test_half_a_connection_says_what_is_missing() -> None:
    (finding,) = await check(load({"AFTERWORD_JIRA_URL": "https://shop.atlassian.net"}, env_file=None))
    assert finding.sentence == "AFTERWORD_JIRA_URL is set, but AFTERWORD_JIRA_TOKEN isn't."


def wiki_settings(url: str, **more: str) -> Settings:
    environ = {"AFTERWORD_CONFLUENCE_URL": url, "AFTERWORD_CONFLUENCE_EMAIL": EMAIL}
    return load(environ | {"AFTERWORD_CONFLUENCE_TOKEN": SECRET} | more, env_file=None)


UNCHECKED = "Only writing shows whether it may write labels, page properties"


async def test_a_confluence_that_lets_us_in_says_which_space() -> None:
    wiki = FakeConfluence()
    async with wiki.serving() as url:
        wiki.authorization = BASIC
        there = wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG")
        assert await check(there) == [
            CheckResult("Confluence", ok=True, sentence="Space ENG (Engineering)."),
            CheckResult("Confluence", ok=None, sentence=f"{UNCHECKED}."),
        ]
        (gone,) = await check(wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="GONE"))
        assert {seen.method for seen in wiki.seen} == {"GET"}
    assert gone.sentence == "Confluence has no space GONE that this account can see. Check the settings."


@pytest.mark.parametrize("behind", ["/wiki", "/wiki/", "/wiki/spaces/ENG/overview", ""])
async def test_the_address_of_a_confluence_may_be_that_of_any_of_its_pages(behind: str) -> None:
    wiki = FakeConfluence()
    async with wiki.serving() as url:
        first, _ = await check(wiki_settings(f"{url}{behind}", AFTERWORD_CONFLUENCE_SPACE="ENG"))
    assert first == CheckResult("Confluence", ok=True, sentence="Space ENG (Engineering).")


async def test_the_page_above_is_named_and_one_that_is_not_there_is_told() -> None:
    wiki = FakeConfluence()
    async with wiki.serving() as url:
        above, gone = [
            await check(wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG", AFTERWORD_CONFLUENCE_PARENT=page))
            for page in ("900", "901")
        ]
    assert above[0].sentence == "Space ENG (Engineering), under “Postmortems”."
    assert gone == [
        CheckResult(
            "Confluence",
            ok=False,
            sentence="AFTERWORD_CONFLUENCE_PARENT: this account can't see a page 901. "
            "Copy the number from the page's address, or leave it empty.",
        )
    ]


async def test_rights_that_the_space_does_not_list_are_named() -> None:
    wiki = FakeConfluence()
    wiki.rights = [("read", "space"), ("create", "page")]
    async with wiki.serving() as url:
        _, note = await check(wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG"))
        wiki.rights = None
        _, nothing_told = await check(wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG"))
    assert note == CheckResult(
        "Confluence", ok=None, sentence=f"The space doesn't let this account create attachments. {UNCHECKED}."
    )
    assert "whether it may write pages, attachments, labels, page properties" in nothing_told.sentence
    assert {seen.method for seen in wiki.seen} == {"GET"}


async def test_the_scopes_of_a_token_are_named_and_one_that_cannot_read_is_told_which() -> None:
    wiki = FakeConfluence()
    wiki.scopes = {"read:space:confluence"}
    async with wiki.serving() as url:
        settings_ = wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG")
        confluence = ConfluenceClient(access(url, TokenKind.SCOPED), "ENG", QUICK)
        with pytest.raises(IntegrationError, match="to read pages, it needs `read:page:confluence`"):
            await confluence.missing_rights()
        await confluence.aclose()
        _, note = await check(settings_)
    assert "couldn't be read: Confluence refused this call because the token lacks a scope" in note.sentence


async def test_opsgenie_is_told_to_end() -> None:
    alerts = FakeAlerts()
    async with alerts.serving() as url:
        for kind, count in (("opsgenie", 2), ("opsgenie_eu", 2), ("jsm", 1)):
            variables = {"AFTERWORD_JSM_KEY": SECRET, "AFTERWORD_JSM_URL": f"{url}/v2", "AFTERWORD_JSM_ALERTS": kind}
            results = await check(load(variables, env_file=None))
            assert [finding.ok for finding in results] == [True, None][:count]
            assert all(
                "Opsgenie and its keys stop working on 2027-04-05" in finding.sentence for finding in results[1:]
            )


async def test_a_confluence_without_a_space_says_what_is_missing() -> None:
    (finding,) = await check(wiki_settings("https://shop.atlassian.net"))
    assert finding.sentence == "AFTERWORD_CONFLUENCE_URL is set, but AFTERWORD_CONFLUENCE_SPACE isn't."


def desk_settings(url: str, **more: str) -> Settings:
    desk = {"AFTERWORD_JIRA_PROJECT": "", "AFTERWORD_JSM_PROJECT": "OPS", "AFTERWORD_JSM_TYPE": "Task"}
    return settings(url, **desk | {"AFTERWORD_JSM_FIELDS": '{"customfield_10": {"value": "Ops"}}'} | more)


async def desk_found(jira: FakeJira, **more: str) -> CheckResult:
    async with jira.serving() as url:
        _, finding = await check(desk_settings(url, **more))
    assert finding.name == "Jira Service Management"
    assert {seen.method for seen in jira.seen} == {"GET"}
    return finding


def jira_with(*fields: dict[str, object]) -> FakeJira:
    jira = FakeJira()
    jira.form += [{"fieldId": "priority", "name": "Priority", "required": True, "hasDefaultValue": False}, *fields]
    return jira


PEOPLE = {
    "fieldId": "customfield_9",
    "name": "Responders",
    "required": False,
    "schema": {"type": "array", "items": "user"},
}


async def test_a_service_project_that_names_no_responders_says_so_and_which_field_could() -> None:
    finding = await desk_found(jira_with(PEOPLE))
    assert finding.ok
    assert finding.sentence == (
        "Project OPS, signed in as Afterword. Responders aren't listed there, because Jira doesn't let servers "
        "change its own list. Set AFTERWORD_JSM_RESPONDERS to a field for several people, such as customfield_9 "
        "(Responders)."
    )
    assert "but its form doesn't have one yet" in (await desk_found(jira_with())).sentence


async def test_a_service_project_with_all_that_it_needs_says_as_whom() -> None:
    finding = await desk_found(jira_with(PEOPLE), AFTERWORD_JSM_RESPONDERS="customfield_9")
    assert (finding.ok, finding.sentence) == (True, "Project OPS, signed in as Afterword.")


async def test_a_field_for_responders_that_is_on_no_form_is_named() -> None:
    finding = await desk_found(jira_with(), AFTERWORD_JSM_RESPONDERS="customfield_9")
    assert (finding.ok, finding.sentence) == (
        False,
        "The field customfield_9 in AFTERWORD_JSM_RESPONDERS isn't on the form of OPS.",
    )


async def test_a_service_project_without_priorities_says_what_to_do() -> None:
    finding = await desk_found(FakeJira())
    assert "The form of OPS has no priority" in finding.sentence
    assert (await desk_found(FakeJira(), AFTERWORD_JSM_PRIORITIES="{}")).ok


async def test_what_a_service_project_demands_beyond_that_is_named_with_its_setting() -> None:
    demanded = {"fieldId": "customfield_12", "name": "Affected services", "required": True, "hasDefaultValue": False}
    assert (await desk_found(jira_with(demanded))).sentence == (
        "OPS requires Affected services (customfield_12) for a Task. Give them values in AFTERWORD_JSM_FIELDS, or "
        "make them optional."
    )


async def test_a_service_project_without_that_type_says_so() -> None:
    finding = await desk_found(FakeJira(), AFTERWORD_JSM_TYPE="[System] Incident")
    assert "no issue type [System] Incident in OPS" in finding.sentence
