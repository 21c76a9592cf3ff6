"""`afterword doctor` asks each connected system one harmless thing."""

from bot.doctor import Finding
from bot.outside import checks
from bot.settings import Settings, load
from tests.publish.clients import BASIC, EMAIL, SECRET
from tests.publish.fakes.confluence import FakeConfluence
from tests.publish.fakes.jira import FakeJira


def settings(url: str, **more: str) -> Settings:
    environ = {"AFTERWORD_JIRA_URL": url, "AFTERWORD_JIRA_EMAIL": EMAIL, "AFTERWORD_JIRA_TOKEN": SECRET}
    return load(environ | {"AFTERWORD_JIRA_PROJECT": "OPS"} | more, env_file=None)


async def found(given: Settings) -> list[Finding]:
    return [Finding(name, ok=ok, sentence=sentence) for name, ok, sentence in await checks(given)]


async def test_nothing_connected_is_nothing_to_check() -> None:
    assert await found(load({}, env_file=None)) == []


async def test_a_jira_that_lets_us_in_says_as_whom() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        jira.authorization = BASIC
        filled = settings(url, AFTERWORD_JIRA_FIELDS='{"customfield_10": {"value": "Ops"}}')
        assert await found(filled) == [Finding("Jira", ok=True, sentence="Signed in as Afterword.")]
        assert {seen.method for seen in jira.seen} == {"GET"}


async def test_a_token_that_is_refused_says_what_to_do_and_is_not_shown() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        jira.authorization = "Basic other"
        (finding,) = await found(settings(url))
    assert finding.ok is False
    assert "refused the token" in finding.sentence or "token" in finding.sentence
    assert SECRET not in finding.sentence


async def test_a_field_that_the_project_demands_is_named() -> None:
    jira = FakeJira()
    async with jira.serving() as url:
        (finding,) = await found(settings(url))
    assert finding.sentence == (
        "OPS demands Team (customfield_10) of a Task: give them in AFTERWORD_JIRA_FIELDS, or make them optional."
    )


async def test_half_a_connection_says_what_is_missing() -> None:
    (finding,) = await found(load({"AFTERWORD_JIRA_URL": "https://shop.example"}, env_file=None))
    assert finding.sentence == "AFTERWORD_JIRA_URL is set, and AFTERWORD_JIRA_TOKEN is not."


def wiki_settings(url: str, **more: str) -> Settings:
    environ = {"AFTERWORD_CONFLUENCE_URL": url, "AFTERWORD_CONFLUENCE_EMAIL": EMAIL}
    return load(environ | {"AFTERWORD_CONFLUENCE_TOKEN": SECRET} | more, env_file=None)


async def test_a_confluence_that_lets_us_in_says_which_space() -> None:
    wiki = FakeConfluence()
    async with wiki.serving() as url:
        wiki.authorization = BASIC
        there = wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="ENG")
        assert await found(there) == [Finding("Confluence", ok=True, sentence="Space ENG (Engineering).")]
        (gone,) = await found(wiki_settings(url, AFTERWORD_CONFLUENCE_SPACE="GONE"))
        assert {seen.method for seen in wiki.seen} == {"GET"}
    assert gone.sentence == "Confluence has no space GONE that the account may see. Look at the settings."


async def test_a_confluence_without_a_space_says_what_is_missing() -> None:
    (finding,) = await found(wiki_settings("https://shop.example"))
    assert finding.sentence == "AFTERWORD_CONFLUENCE_URL is set, and AFTERWORD_CONFLUENCE_SPACE is not."
