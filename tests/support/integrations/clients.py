"""Clients with the patience of a test, toward fakes on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.integrations.atlassian import AtlassianAccess, TokenKind
from bot.integrations.confluence.client import ConfluenceClient
from bot.integrations.http import RetryPolicy
from bot.integrations.jira.client import JiraClient

QUICK = RetryPolicy(connect=60.0, read=60.0, whole=60.0, attempts=3, first_wait=0.01, longest_wait=0.05, pace=0.0)
"""Waits little between two attempts, never for a system's pace, and long enough for an answer of a busy machine."""

IMPATIENT = replace(QUICK, read=1.0)
"""Only for calls that hang on purpose: on a busy machine an answer may take longer, and would count as a failure."""

SECRET = "tok" + "en-7f3a9c"
EMAIL = "bot@team.example"
BASIC = "Basic Ym90QHRlYW0uZXhhbXBsZTp0b2tlbi03ZjNhOWM="


def access(url: str, kind: TokenKind = TokenKind.CLASSIC) -> AtlassianAccess:
    return AtlassianAccess(url, SECRET, EMAIL, kind, gateway_url=url)


@asynccontextmanager
async def jira_at(
    url: str, kind: TokenKind = TokenKind.CLASSIC, patience: RetryPolicy = QUICK
) -> AsyncIterator[JiraClient]:
    jira = JiraClient(access(url, kind), patience)
    try:
        yield jira
    finally:
        await jira.aclose()


@asynccontextmanager
async def confluence_at(
    url: str, kind: TokenKind = TokenKind.CLASSIC, patience: RetryPolicy = QUICK
) -> AsyncIterator[ConfluenceClient]:
    confluence = ConfluenceClient(access(url, kind), "ENG", patience)
    try:
        yield confluence
    finally:
        await confluence.aclose()
