"""`/postmortem`, and the buttons of its overview and of its reminders."""

from dataclasses import replace

from slack_bolt.async_app import AsyncApp

from bot.errors import Refused
from bot.incident import publishing as rules
from bot.scribe import confluence, elsewhere, replies
from bot.scribe import exports as exporting
from bot.scribe import postmortem as scribe
from bot.scribe.desk import Asked, Desk
from bot.slack import fields
from bot.slack import postmortem as says
from bot.slack.blocks import Block, Message
from bot.slack.recall import verdicts_in
from bot.slack.words import words
from handlers.boundary import Boundary
from handlers.exports import Exports
from handlers.incidents import person_in
from handlers.requests import Click, Command, Form, Submission, for_reader


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
        app.action("postmortem_publish")(boundary.click(self.published))
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
        named = rules.named(await self._desk.people.read(command.asked.team, command.text))
        if named.is_reason and await scribe.has_incident(self._desk, command.asked):
            named = rules.Named(command.text)  # there the key begins the reason of the waiver
        wish = rules.wish(named.text)
        if isinstance(wish, rules.Help):
            return says.help_text(self._desk.systems, exporting.forms(self._desk))
        asked = await elsewhere.about(self._desk, command.asked, named.number, f"/postmortem {named.text}".strip())
        said = await self._do(replace(command, asked=asked), wish)
        is_marked = asked.sees is not None and isinstance(said, dict)
        return for_reader(said, asked.user) if is_marked and isinstance(said, dict) else said

    async def _do(self, command: Command, wish: rules.Wish) -> Message | Form | None:
        desk, asked = self._desk, command.asked
        match wish:
            case rules.Fill(section):
                return Form(build=lambda _: scribe.section_form(desk, asked, section))
            case rules.SetOwner() | rules.Snooze() | rules.Waive() as owing:
                return await self._owe(command, owing)
            case rules.Export() | rules.Share() | rules.PutOnConfluence() as leaving:
                return await self._leave(command, leaving)
            case _:
                return await self._stand(asked, wish)

    async def _stand(self, asked: Asked, wish: rules.Wish) -> Message | None:
        match wish:
            case rules.Publish():
                return await scribe.publish(self._desk, asked)
            case rules.Reopen():
                return await scribe.reopen(self._desk, asked)
            case rules.ShowReminders():
                return await scribe.show_reminders(self._desk, asked)
            case _:
                return await scribe.overview(self._desk, asked)

    async def said_to_us(self, asked: Asked, text: str) -> bool:
        """Whether what somebody wrote to the bot is about a postmortem; then it is done, and answered there."""
        named = rules.said_to_us(text)
        if named is None:
            return False
        about = await elsewhere.about(self._desk, asked, named.number, named.text or "INC-…")
        if about.incident_id is None:
            raise Refused(words.postmortem.owes_none())
        command = Command(about, text, "", "", "")
        wish = rules.wish(named.text)
        done = await self._do(command, rules.Overview() if isinstance(wish, rules.Fill) else wish)
        if isinstance(done, dict):
            said = for_reader(done, asked.user) if done else done
            await replies.say(self._desk, replace(asked, key=f"{asked.key}+said"), said)
        return True

    async def published(self, click: Click) -> Message | None:
        """[Publish], below a reminder and in the Home tab."""
        return await scribe.publish(self._desk, elsewhere.from_outside(click.asked))

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
        return await scribe.reopen(self._desk, elsewhere.from_outside(click.asked))

    async def hand_over_form(self, click: Click) -> Block:
        """[Hand over]."""
        return await scribe.hand_over_form(self._desk, click.asked)

    async def handed_over(self, sent: Submission) -> Message | None:
        """The form behind [Hand over]."""
        asked = elsewhere.from_outside(sent.from_where)
        return await scribe.set_owner(self._desk, asked, str(sent.values["owner"]), is_handed_over=True)

    async def waive_form(self, click: Click) -> Block:
        """[Not needed …]."""
        return await scribe.waive_form(self._desk, click.asked)

    async def waived(self, sent: Submission) -> Message | None:
        """The form behind [Not needed …]."""
        asked = elsewhere.from_outside(sent.from_where)
        return await scribe.waive(self._desk, asked, str(sent.values.get("reason") or ""))

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
