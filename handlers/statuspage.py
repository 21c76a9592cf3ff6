"""What customers are told: drafted in a window, confirmed word by word, and only then sent."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import statuspage as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Statuspage:
    """[Tell customers …] and the two windows behind it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("statuspage_form")(boundary.form(self.form))
        app.action("statuspage_draft")(boundary.form(self.draft_form))
        app.view("statuspage_draft")(boundary.submission(self.draft))
        app.view("statuspage_update")(boundary.submission(self.drafted))
        app.view("statuspage_confirm")(boundary.submission(self.confirmed))

    async def form(self, click: Click) -> Block:
        """[Tell customers …]."""
        return await scribe.form(self._desk, click.asked)

    async def drafted(self, sent: Submission) -> Block:
        """The draft: its window gives way to one that shows exactly what will be read."""
        values = sent.values
        update = {
            "status": str(values.get("status") or ""),
            "body": str(values.get("body") or "").strip(),
            "components": list(values.get("components") or ()),
            "working": str(values.get("working") or ""),
            "mails": bool(values.get("mails")),
        }
        return {"response_action": "update", "view": await scribe.confirm(self._desk, sent.asked, update)}

    async def confirmed(self, sent: Submission) -> Message | None:
        """[Publish]."""
        return await scribe.publish(self._desk, sent.asked, dict(sent.metadata["update"]))

    async def draft_form(self, click: Click) -> Block:
        """[Postmortem draft …]."""
        return await scribe.draft_form(self._desk, click.asked)

    async def draft(self, sent: Submission) -> Message | None:
        """[Put it there]."""
        return await scribe.draft(self._desk, sent.asked)
