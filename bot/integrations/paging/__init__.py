"""Paging through Jira Service Management or Opsgenie, built from the settings."""

from typing import ClassVar

from bot.domain.records import System
from bot.integrations import Integration, SyncDependencies
from bot.integrations.http import RetryPolicy
from bot.integrations.paging.client import JSM, OPSGENIE, OPSGENIE_EU, PagingClient
from bot.integrations.paging.sync import PagingSync
from bot.settings import Settings

OPSGENIE_ENDS = "2027-04-05"
"""After Atlassian's announcement."""
_ADDRESSES = {"jsm": JSM, "opsgenie": OPSGENIE, "opsgenie_eu": OPSGENIE_EU}


class PagingIntegration(Integration):
    """People on call are paged, and a page counts only once it is confirmed."""

    system: ClassVar[System] = System.PAGING

    def is_connected(self, settings: Settings) -> bool:
        return bool(settings.jsm_key.get_secret_value())

    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> PagingClient:
        api = settings.jsm_url or _ADDRESSES[settings.jsm_alerts]
        return PagingClient(settings.jsm_key.get_secret_value(), api, retry)

    def build_sync(self, settings: Settings, needs: SyncDependencies) -> PagingSync:
        return PagingSync(self.build_client(settings, needs.retry), settings.jsm_team)

    async def list_notes(self, settings: Settings, *, is_well: bool) -> list[str]:
        if "opsgenie" not in f"{settings.jsm_alerts} {settings.jsm_url}".lower():
            return []
        note = (
            f"Opsgenie and its keys stop working on {OPSGENIE_ENDS}. Move to Jira Service Management, create an API "
            "integration there, then set AFTERWORD_JSM_KEY to its key and AFTERWORD_JSM_ALERTS to jsm."
        )
        return [note]
