"""The buttons below the warning of what looks like a credential."""

from slack_bolt.async_app import AsyncApp

from bot.services import secrets as secrets_service
from bot.services.context import Services
from bot.slack.views.blocks import Message
from bot.slack.views.secrets import spots_in, subject_in
from handlers.boundary import Boundary
from handlers.requests import Click


class Secrets:
    """[Redact], [Redact with files], [Redact there] and [It is harmless]."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("secret_redact")(boundary.click(self.redact))
        app.action("secret_redact_files")(boundary.click(self.redact_with_files))
        app.action("secret_redact_there")(boundary.click(self.redact_there))
        app.action("secret_harmless")(boundary.click(self.leave))

    async def redact(self, click: Click) -> Message | None:
        """[Redact]."""
        return await secrets_service.redact(self._services, click.request, subject_in(click.value))

    async def redact_with_files(self, click: Click) -> Message | None:
        """[Redact with files]."""
        return await secrets_service.redact(self._services, click.request, subject_in(click.value), with_files=True)

    async def redact_there(self, click: Click) -> Message | None:
        """[Redact there], beside another incident in which the same stands."""
        return await secrets_service.redact_elsewhere(self._services, click.request, spots_in(click.value))

    async def leave(self, click: Click) -> Message | None:
        """[It is harmless]."""
        return await secrets_service.leave(self._services, click.request, subject_in(click.value))
