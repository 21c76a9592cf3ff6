"""`/action`, and the buttons of actions in channels and in DMs."""

from datetime import date

from slack_bolt.async_app import AsyncApp

from bot.errors import Refused
from bot.incident import actions as rules
from bot.incident import replies as answers
from bot.incident.records import ActionKind
from bot.scribe import actions as scribe
from bot.scribe import actions_numbered as numbered
from bot.scribe import replies
from bot.scribe.actions import Asking
from bot.scribe.desk import Asked, Desk
from bot.slack import actions as says
from bot.slack import fields, owners
from bot.slack.blocks import Block, Message
from bot.slack.text import group_in, mentioned, without_groups, without_mentions
from handlers.boundary import Boundary
from handlers.requests import Body, Click, Command, Submission, event_of


async def _is_said_to_us(event: Body) -> bool:
    """Whether a person wrote it into their conversation with the bot."""
    is_persons = "user" in event and not event.get("bot_id") and not event.get("subtype")
    return is_persons and event.get("channel_type") == "im"


class Actions:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk, boundary: Boundary) -> None:
        self._desk = desk
        self._boundary = boundary

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/action")(boundary.command(self.command))
        app.action("action_done")(boundary.click(self.done))
        app.action("action_date")(boundary.form(self.date_form))
        app.view("action_date")(boundary.submission(self.moved))
        app.action("action_hand_over")(boundary.form(self.owner_form))
        app.view("action_hand_over")(boundary.submission(self.handed_over))
        app.action("action_drop")(boundary.form(self.drop_form))
        app.view("action_drop")(boundary.submission(self.dropped))
        app.action("action_held")(boundary.click(self.held))
        app.action("action_came_back")(boundary.click(self.came_back))
        app.action("action_reopen")(boundary.click(self.reopened))
        app.action("action_edit")(boundary.form(self.edit_form))
        app.view("action_edit")(boundary.submission(self.edited))
        app.event("message", matchers=[_is_said_to_us])(boundary.event(self.replied))
        app.view("action_add")(boundary.submission(self.added))

    async def command(self, command: Command) -> Message | None:
        """`/action TEXT`."""
        desk, asked = self._desk, command.asked
        match rules.wish(await desk.people.read(asked.team, command.text)):
            case rules.Add():
                return await self._numbered(command) or await self._add(asked, await self._asking(command))
            case rules.Edit(number, text):
                return await numbered.edit(desk, asked, number, text)
            case rules.Show(number):
                return await numbered.show(desk, asked, [number])
            case rules.Reopen(number):
                return await numbered.reopen(desk, asked, number)
            case rules.Done(number):
                return await scribe.close(desk, asked, number, None)
            case rules.Drop(number, reason):
                return await scribe.close(desk, asked, number, reason)
            case rules.ListAll():
                return await scribe.list_all(desk, asked)
            case _:
                return says.help_text()

    async def _add(self, asked: Asked, asking: Asking) -> Message | None:
        """Write it down; whoever wrote what nobody can finish is given a hint, once it is recorded."""
        said = await scribe.add(self._desk, asked, asking)
        self._boundary.later(self._hint(asked, asking.text))
        return said

    async def _hint(self, asked: Asked, text: str) -> None:
        hint = await numbered.hint(self._desk, asked, text)
        if hint is not None:
            await self._boundary.say_if_possible(asked, hint)

    async def _numbered(self, command: Command) -> Message | None:
        """`/action 3 friday`, `/action done 1 and 2`, `/action 3 @bo`; None for what is a new action."""
        users = mentioned(command.text)
        other = users[0] if len(users) == 1 else None
        line = self._plain(command.asked, without_mentions(command.text) if other else command.text)
        today = await scribe.today_of(self._desk, command.asked)
        answer = answers.in_command(line, today, mentions=other is not None)
        return None if answer is None else await numbered.act(self._desk, command.asked, answer, other)

    def _plain(self, asked: Asked, text: str) -> str:
        return self._desk.people.words(asked.team, text)

    async def _asking(self, command: Command) -> Asking:
        """The owner is the first person mentioned, or a user group, or `@me`; the rest says what is to be done."""
        users = mentioned(command.text)
        group = group_in(command.text) if not users else None
        if group is not None:
            return await self._asking_group(command, *group)
        owner = users[0] if users else None
        line = self._plain(command.asked, without_mentions(command.text) if len(users) == 1 else command.text)
        if owner is None and " @me" in f" {line}":
            owner, line = command.asked.user, line.replace("@me", "", 1)
        asked = rules.read(" ".join(line.split()) if owner else line, await scribe.today_of(self._desk, command.asked))
        return Asking(asked.text, owner, asked.due_on, asked.link, kind=asked.kind)

    async def _asking_group(self, command: Command, group: str, label: str) -> Asking:
        asked, people = command.asked, self._desk.people
        by = await people.known(asked.team, asked.user)
        await people.learn_group(asked.team, group, label, by.zone)
        line = self._plain(asked, without_groups(command.text))
        read = rules.read(line, await scribe.today_of(self._desk, asked))
        return Asking(read.text, group, read.due_on, read.link, kind=read.kind)

    async def done(self, click: Click) -> Message | None:
        """[Done], in a channel or in a DM."""
        return await scribe.close_by_id(self._desk, click.asked, int(click.value["action"]))

    async def owner_form(self, click: Click) -> Block:
        """[Hand over]."""
        return await scribe.owner_form(self._desk, click.asked, int(click.value["action"]))

    async def handed_over(self, sent: Submission) -> Message | None:
        """The form behind [Hand over]."""
        owner = owners.chosen(sent.values)
        if owner is None:
            sentence = "Pick who does it now."
            raise Refused(sentence, field=owners.PERSON)
        return await scribe.hand_over(self._desk, sent.asked, int(sent.metadata["action"]), owner)

    async def drop_form(self, click: Click) -> Block:
        """[Won't do …]."""
        return await scribe.drop_form(self._desk, click.asked, int(click.value["action"]))

    async def dropped(self, sent: Submission) -> Message | None:
        """The form behind [Won't do …]."""
        reason = str(sent.values.get("reason") or "")
        return await scribe.close_by_id(self._desk, sent.asked, int(sent.metadata["action"]), reason)

    async def held(self, click: Click) -> Message | None:
        """[It held]."""
        return await scribe.judge(self._desk, click.asked, int(click.value["action"]), held=True)

    async def came_back(self, click: Click) -> Message | None:
        """[It came back]."""
        return await scribe.judge(self._desk, click.asked, int(click.value["action"]), held=False)

    async def reopened(self, click: Click) -> Message | None:
        """[Open again], in a channel or in a DM."""
        return await numbered.reopen_by_id(self._desk, click.asked, int(click.value["action"]))

    async def edit_form(self, click: Click) -> Block:
        """[Edit] below the hint."""
        return await numbered.edit_form(self._desk, click.asked, int(click.value["action"]))

    async def edited(self, sent: Submission) -> Message | None:
        """The form behind [Edit]."""
        text = fields.text_change(sent.metadata, sent.values)
        if text is None:
            return None
        seen = fields.mark_in(sent.metadata, fields.TEXT)
        return await numbered.save_form(self._desk, sent.asked, int(sent.metadata["action"]), text, seen)

    async def replied(self, body: Body) -> None:
        """`done 3`, `3 friday` or `3 @bo`, written to the bot in their conversation with it."""
        event = body["event"]
        asked = event_of(body, event["channel"], self._desk.clock.now())
        try:
            await self._boundary.admit(asked)
            text = event.get("text") or ""
            users = mentioned(text)
            other = users[0] if len(users) == 1 else None
            await replies.take(self._desk, asked, self._plain(asked, without_mentions(text) if other else text), other)
        except Refused as refused:
            await replies.refuse(self._desk, asked, refused.sentence)

    async def date_form(self, click: Click) -> Block:
        """[New date]."""
        return await scribe.date_form(self._desk, click.asked, int(click.value["action"]))

    async def moved(self, sent: Submission) -> Message | None:
        """The form behind [New date]."""
        due_on = date.fromisoformat(str(sent.values["due"]))
        return sent.unless_at_home(await scribe.move(self._desk, sent.asked, int(sent.metadata["action"]), due_on))

    async def added(self, sent: Submission) -> Message | None:
        """The form behind [Make it an action]."""
        text = fields.text_in(sent.metadata, sent.values) or ""
        if not text.strip():
            sentence = "Say what is to be done."
            raise Refused(sentence, field="text")
        due, kind = sent.values.get("due"), sent.values.get("kind")
        asking = Asking(
            text,
            owners.chosen(sent.values),
            date.fromisoformat(due) if due else None,
            rules.address(str(sent.values.get("link") or "")),
            why=sent.metadata.get("why"),
            kind=ActionKind(kind) if kind else None,
        )
        return await self._add(sent.asked, asking)
