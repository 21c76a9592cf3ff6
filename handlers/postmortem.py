"""`/postmortem`, and the buttons of its overview and of its reminders."""

from slack_bolt.async_app import AsyncApp

from bot.incident import publishing as rules
from bot.scribe import confluence
from bot.scribe import exports as exporting
from bot.scribe import postmortem as scribe
from bot.scribe.desk import Desk
from bot.slack import fields
from bot.slack import postmortem as says
from bot.slack.blocks import Block, Message
from bot.slack.recall import verdicts_in
from handlers.boundary import Boundary
from handlers.exports import Exports
from handlers.incidents import person_in
from handlers.requests import Click, Command, Form, Submission


class Postmortem:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk, exports: Exports) -> None:
        self._desk = desk
        self._exports = exports

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/postmortem")(boundary.command(self.command))
        app.action("postmortem_show")(boundary.click(self.show))
        app.action("postmortem_snooze")(boundary.click(self.snooze))
        app.action("postmortem_reopen")(boundary.click(self.reopened))
        app.action("postmortem_hand_over")(boundary.form(self.hand_over_form))
        app.action("postmortem_waive")(boundary.form(self.waive_form))
        app.view("postmortem_hand_over")(boundary.submission(self.handed_over))
        app.view("postmortem_waive")(boundary.submission(self.waived))
        app.action("postmortem_fill")(boundary.form(self.fill_form))
        app.action("postmortem_pick")(boundary.form(self.pick_form))
        app.view("postmortem_pick")(boundary.submission(self.picked))
        app.view("postmortem_section")(boundary.submission(self.filled))

    async def command(self, command: Command) -> Message | Form | None:
        """`/postmortem TEXT`."""
        desk, asked = self._desk, command.asked
        match rules.wish(await desk.people.read(asked.team, command.text)):
            case rules.Overview():
                return await scribe.overview(desk, asked)
            case rules.Fill(section):
                return Form(build=lambda click: scribe.section_form(desk, click.asked, section))
            case rules.SetOwner() | rules.Snooze() | rules.Waive() as owing:
                return await self._owe(command, owing)
            case rules.Export() | rules.Share() | rules.PutOnConfluence() as leaving:
                return await self._leave(command, leaving)
            case rules.Publish():
                return await scribe.publish(desk, asked)
            case rules.Reopen():
                return await scribe.reopen(desk, asked)
            case rules.ShowReminders():
                return await scribe.show_reminders(desk, asked)
            case _:
                return says.help_text()

    async def _owe(self, command: Command, wish: rules.Owing) -> Message | None:
        match wish:
            case rules.SetOwner(who):
                return await scribe.set_owner(self._desk, command.asked, person_in(command, who))
            case rules.Snooze():
                return await scribe.snooze(self._desk, command.asked)
            case rules.Waive(reason):
                return await scribe.waive(self._desk, command.asked, reason)

    async def _leave(self, command: Command, wish: rules.Leaving) -> Message | Form | None:
        match wish:
            case rules.Export(form):
                return await exporting.export(self._desk, command.asked, form)
            case rules.Share(where, form):
                return self._exports.share(command, where, form)
            case _:
                return await confluence.publish(self._desk, command.asked)

    async def show(self, click: Click) -> Message:
        """[Postmortem] on the live message, [Show what is missing] on a reminder."""
        return await scribe.overview(self._desk, click.asked)

    async def snooze(self, click: Click) -> Message | None:
        """[Snooze 1 day]."""
        return await scribe.snooze(self._desk, click.asked)

    async def reopened(self, click: Click) -> Message | None:
        """[Open it again]."""
        return await scribe.reopen(self._desk, click.asked)

    async def hand_over_form(self, click: Click) -> Block:
        """[Hand over]."""
        return await scribe.hand_over_form(self._desk, click.asked)

    async def handed_over(self, sent: Submission) -> Message | None:
        """The form behind [Hand over]."""
        return await scribe.set_owner(self._desk, sent.asked, str(sent.values["owner"]), is_handed_over=True)

    async def waive_form(self, click: Click) -> Block:
        """[Not needed …]."""
        return await scribe.waive_form(self._desk, click.asked)

    async def waived(self, sent: Submission) -> Message | None:
        """The form behind [Not needed …]."""
        return await scribe.waive(self._desk, sent.asked, str(sent.values.get("reason") or ""))

    async def fill_form(self, click: Click) -> Block:
        """[Fill next]."""
        return await scribe.section_form(self._desk, click.asked, str(click.value.get("section") or ""))

    async def pick_form(self, click: Click) -> Block:
        """[Another section]."""
        return await scribe.pick_form(self._desk, click.asked)

    async def picked(self, sent: Submission) -> Block:
        """A section was chosen: its form takes the place of the choice."""
        view = await scribe.section_form(self._desk, sent.asked, str(sent.values.get("section")))
        return {"response_action": "update", "view": view}

    async def filled(self, sent: Submission) -> Message | None:
        """A section's form was sent; its fields are one text."""
        version = int(sent.metadata["version"])
        text, change = fields.text_in(sent.metadata, sent.values), fields.text_change(sent.metadata, sent.values)
        verdicts = verdicts_in({**(sent.metadata.get("alike") or {}), **sent.values})
        written = scribe.Written(str(sent.metadata["section"]), text or "", version, is_changed=change is not None)
        return sent.unless_at_home(await scribe.fill(self._desk, sent.asked, written, verdicts))
