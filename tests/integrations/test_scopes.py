"""The scopes that we name are those that Atlassian's own descriptions demand, for every call that we make."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.integrations.atlassian import CONFLUENCE, JIRA, need_of, scopes_of
from tests.support.integrations.atlassian_sites import Site, Wiki, error_of
from tests.support.integrations.vendor_specs import spec_json

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connections.md"
OURS = {
    "jira": (
        "GET /myself",
        "POST /issue",
        "GET /issue/{issueIdOrKey}",
        "PUT /issue/{issueIdOrKey}",
        "GET /issue/{issueIdOrKey}/transitions",
        "POST /issue/{issueIdOrKey}/transitions",
        "POST /issue/{issueIdOrKey}/remotelink",
        "GET /issue/createmeta/{projectIdOrKey}/issuetypes",
        "GET /issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}",
        "POST /issueLink",
        "POST /search/jql",
        "GET /user/assignable/search",
    ),
    "confluence": (
        "GET /spaces",
        "GET /spaces/{id}",
        "GET /pages",
        "POST /pages",
        "GET /pages/{id}",
        "PUT /pages/{id}",
        "GET /pages/{page-id}/properties",
        "POST /pages/{page-id}/properties",
        "PUT /pages/{page-id}/properties/{property-id}",
    ),
}
ROOTS = {"jira": ("/rest/api/3", "jira-v3.json"), "confluence": ("/wiki/api/v2", "confluence-v2.json")}
CALLS = [(product, call) for product, calls in OURS.items() for call in calls]


def demanded_scopes(product: str, call: str) -> set[str]:
    """What the vendor's description says that is current."""
    method, path = call.split()
    root, name = ROOTS[product]
    paths: dict[str, Any] = spec_json(name)["paths"]
    scopes = paths[root + path if root + path in paths else path][method.lower()]["x-atlassian-oauth2-scopes"]
    return {scope for one in scopes if one["state"] == "Current" for scope in one["scopes"]}


@pytest.mark.parametrize(("product", "call"), CALLS)
def test_a_call_needs_what_its_description_says(product: str, call: str) -> None:
    method, path = call.split()
    need = need_of(product, method, ROOTS[product][0] + re.sub(r"{[^}]*}", "OPS-1", path))
    assert need is not None
    assert set(need.scopes) == demanded_scopes(product, call)


@pytest.mark.parametrize(
    ("call", "scopes", "instead"),
    [
        ("POST /wiki/rest/api/content/1/label", "read:label:confluence write:label:confluence", "content"),
        (
            "PUT /wiki/rest/api/content/1/child/attachment",
            "read:attachment:confluence write:attachment:confluence",
            "file",
        ),
        ("POST /wiki/api/v2/users-bulk", "read:user:confluence", ""),
    ],
)
def test_what_version_1_and_the_people_need_is_as_atlassians_pages_say(call: str, scopes: str, instead: str) -> None:
    need = need_of("confluence", *call.split())
    assert need is not None
    assert need.scopes == tuple(scopes.split())
    assert need.instead == ((f"write:confluence-{instead}",) if instead else ())


def test_the_page_on_connections_names_every_scope() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for need in (*CONFLUENCE, *JIRA):
        assert all(f"`{scope}`" in text for scope in (*need.scopes, *need.instead)), need


def test_all_that_a_token_needs_is_named_once() -> None:
    assert scopes_of(JIRA) == ("read:jira-user", "read:jira-work", "write:jira-work")
    assert len(scopes_of(CONFLUENCE)) == len(set(scopes_of(CONFLUENCE))) == 8


async def test_every_call_to_jira_is_in_the_table(site: Site) -> None:
    site.fake.file("OPS-1")
    site.fake.file("INC-1")
    await site.jira.link("OPS-1", "a", "https://wiki.example", "A")
    await site.jira.relate("OPS-1", "INC-1")
    await site.jira.check()
    await site.jira.status_of(["OPS-1"])
    await site.jira.finish("OPS-1")
    await site.jira.find_assignee("OPS", "ana@team.example")
    called = [(seen.method, seen.path.removeprefix(site.root)) for seen in site.fake.seen]
    assert [call for call in called if need_of("jira", *call) is None and "tenant_info" not in call[1]] == []


async def test_a_scope_that_the_token_lacks_is_told_and_not_an_expired_token(wiki: Wiki) -> None:
    wiki.fake.scopes = set()
    error = await error_of(wiki.confluence.label("1000", ["a"]))
    assert str(error) == (
        "Confluence refused this call because the token lacks a scope: to label pages, it needs "
        "`read:label:confluence` and `write:label:confluence` (or `write:confluence-content`). "
        "A token's scopes can't be changed: make a new one with all the scopes in "
        "docs/connections.md, and put it into the settings."
    )
    assert (error.status, error.is_permanent, error.lacks_scope) == (401, True, True)
