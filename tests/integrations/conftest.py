"""Fakes of other systems, served on this machine, with clients toward them."""

from collections.abc import AsyncIterator

import pytest

from bot.integrations.atlassian import TokenKind
from tests.support.integrations.atlassian_sites import Site, Wiki
from tests.support.integrations.clients import BASIC, confluence_at, jira_at
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.integrations.fakes.jira import FakeJira


@pytest.fixture(params=list(TokenKind))
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """Each way in to a Jira, in turn."""
    kind: TokenKind = request.param
    fake = FakeJira()
    fake.authorization = BASIC
    async with fake.serving() as url, jira_at(url, kind) as jira:
        yield Site(fake, jira, kind)


@pytest.fixture
async def cloud() -> AsyncIterator[Site]:
    """The commonest one alone, for what no way in makes different."""
    fake = FakeJira()
    async with fake.serving() as url, jira_at(url) as jira:
        yield Site(fake, jira, TokenKind.CLASSIC)


@pytest.fixture(params=list(TokenKind))
async def wiki(request: pytest.FixtureRequest) -> AsyncIterator[Wiki]:
    """Each way in to a Confluence, in turn."""
    kind: TokenKind = request.param
    fake = FakeConfluence()
    fake.authorization = BASIC
    async with fake.serving() as url, confluence_at(url, kind) as confluence:
        yield Wiki(fake, confluence, kind)
