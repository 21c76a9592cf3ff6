"""Confluence, built from the settings."""

from typing import ClassVar

from bot.domain.records import System
from bot.errors import Misconfigured
from bot.integrations import Integration, SyncDependencies, as_sentence
from bot.integrations.atlassian import CONFLUENCE, AtlassianAccess, TokenKind, scopes_of
from bot.integrations.confluence.client import ConfluenceClient
from bot.integrations.confluence.sync import PageSources, PageSync
from bot.integrations.http import IntegrationError, RetryPolicy
from bot.settings import Settings


class ConfluenceIntegration(Integration):
    """The postmortem becomes a page, and what people change on it is kept."""

    system: ClassVar[System] = System.CONFLUENCE

    def is_connected(self, settings: Settings) -> bool:
        return bool(settings.confluence_url)

    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> ConfluenceClient:
        if not settings.confluence_space:
            raise Misconfigured("AFTERWORD_CONFLUENCE_URL is set, but AFTERWORD_CONFLUENCE_SPACE isn't.")
        token = settings.confluence_token.get_secret_value()
        if not token:
            raise Misconfigured("AFTERWORD_CONFLUENCE_URL is set, but AFTERWORD_CONFLUENCE_TOKEN isn't.")
        kind = TokenKind(settings.jira_kind)
        access = AtlassianAccess(settings.confluence_site, token, settings.confluence_email, kind)
        return ConfluenceClient(access, settings.confluence_space, retry)

    def build_sync(self, settings: Settings, needs: SyncDependencies) -> PageSync:
        sources = PageSources(needs.store, needs.exporter, needs.channels, needs.mask)
        return PageSync(self.build_client(settings, needs.retry), settings.confluence_parent, sources)

    async def check(self, settings: Settings) -> str:
        confluence = self.build_client(settings)
        try:
            about = as_sentence(await confluence.check())
            if not settings.confluence_parent:
                return about
            parent = await confluence.read(settings.confluence_parent)
        finally:
            await confluence.aclose()
        if parent is None:
            raise Misconfigured(
                f"AFTERWORD_CONFLUENCE_PARENT: this account can't see a page {settings.confluence_parent}. "
                "Copy the number from the page's address, or leave it empty."
            )
        return f"{about.removesuffix('.')}, under “{parent.title}”."

    async def list_notes(self, settings: Settings, *, is_well: bool) -> list[str]:
        """What the account may do in the space, as far as reading shows it."""
        if not is_well:
            return []
        confluence = self.build_client(settings)
        try:
            missing = await confluence.missing_rights()
        except IntegrationError as error:
            return [f"The account's permissions in the space couldn't be read: {error}"]
        finally:
            await confluence.aclose()
        unknown = ["labels", "page properties"]
        if missing is None:
            unknown = ["pages", "attachments", *unknown]
        notes = [f"The space doesn't let this account create {' and '.join(missing)}."] if missing else []
        notes.append(f"Only writing shows whether it may write {', '.join(unknown)}.")
        if TokenKind(settings.jira_kind) is TokenKind.SCOPED:
            notes.append(f"The token needs these scopes: {', '.join(scopes_of(CONFLUENCE))}.")
        return [" ".join(notes)]
