"""Clients with the patience of a test, toward fakes on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.integrations.atlassian import Access, Kind
from bot.integrations.confluence.client import Confluence
from bot.integrations.http import Patience
from bot.integrations.jira.client import Jira

QUICK = Patience(connect=60.0, read=60.0, whole=60.0, attempts=3, first_wait=0.01, longest_wait=0.05, pace=0.0)
"""Waits little between two attempts, never for a system's pace, and long enough for an answer of a busy machine."""

IMPATIENT = replace(QUICK, read=1.0)
"""Only for who is let hang: on a busy machine an answer may take longer than this, and is then told as a failure."""

SECRET = "tok" + "en-7f3a9c"
EMAIL = "bot@team.example"
BASIC = "Basic Ym90QHRlYW0uZXhhbXBsZTp0b2tlbi03ZjNhOWM="


def access(url: str, kind: Kind = Kind.CLASSIC) -> Access:
    email = "" if kind is Kind.DATA_CENTER else EMAIL
    return Access(url, SECRET, email, kind, gateway_url=url)


@asynccontextmanager
async def jira_at(url: str, kind: Kind = Kind.CLASSIC, patience: Patience = QUICK) -> AsyncIterator[Jira]:
    jira = Jira(access(url, kind), patience)
    try:
        yield jira
    finally:
        await jira.aclose()


@asynccontextmanager
async def confluence_at(url: str, kind: Kind = Kind.CLASSIC, patience: Patience = QUICK) -> AsyncIterator[Confluence]:
    confluence = Confluence(access(url, kind), "ENG", patience)
    try:
        yield confluence
    finally:
        await confluence.aclose()
