"""Statuspage, built from the settings."""

from typing import ClassVar

from bot.domain.records import System
from bot.errors import Misconfigured
from bot.integrations import Integration, SyncDependencies
from bot.integrations.http import RetryPolicy
from bot.integrations.statuspage.client import API, StatuspageClient
from bot.integrations.statuspage.sync import CustomerUpdateSync
from bot.settings import Settings


class StatuspageIntegration(Integration):
    """Customers read what a person confirmed word by word."""

    system: ClassVar[System] = System.STATUSPAGE

    def is_connected(self, settings: Settings) -> bool:
        return bool(settings.statuspage_page)

    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> StatuspageClient:
        key = settings.statuspage_key.get_secret_value()
        if not key:
            raise Misconfigured("AFTERWORD_STATUSPAGE_PAGE is set, but AFTERWORD_STATUSPAGE_KEY isn't.")
        return StatuspageClient(settings.statuspage_page, key, retry, api=settings.statuspage_url or API)

    def build_sync(self, settings: Settings, needs: SyncDependencies) -> CustomerUpdateSync:
        client = self.build_client(settings, needs.retry)
        return CustomerUpdateSync(client, needs.draft_for_customers, settings.statuspage_metadata)
