"""`/action`, and the buttons of actions in channels and in DMs."""

import re
from dataclasses import replace
from datetime import date

from slack_bolt.async_app import AsyncApp

from bot.domain import actions as actions_rules
from bot.domain.records import ActionKind
from bot.domain.text import describe_unlinked_name
from bot.errors import Refused
from bot.services import actions as actions_service
from bot.services import notifications as notifications_service
from bot.services.actions import Asking
from bot.services.context import Request, Services, read_examples
from bot.slack.mrkdwn import find_group, find_users, strip_groups, strip_mentions
from bot.slack.views import actions as actions_views
from bot.slack.views import form_fields as form_fields_views
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary, refusal
from handlers.postmortem import PostmortemHandlers
from handlers.requests import Body, Click, Command, Submission, event_of

_ME = re.compile(r"(?<!\S)@me\b")
_DAY = re.compile(rf"{actions_views.CHOOSE}\d+")


async def _is_said_to_us(event: Body) -> bool:
    """Whether a person wrote it into their conversation with the bot."""
    is_persons = "user" in event and not event.get("bot_id") and not event.get("subtype")
    return is_persons and event.get("channel_type") == "im"


class Actions:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, services: Services, boundary: Boundary, postmortem: PostmortemHandlers) -> None:
        self._services = services
        self._boundary = boundary
        self._postmortem = postmortem

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
        app.action(_DAY)(boundary.click(self.day))
        app.action("action_edit")(boundary.form(self.edit_form))
        app.view("action_edit")(boundary.submission(self.edited))
        app.event("message", matchers=[_is_said_to_us])(boundary.event(self.replied))
        app.view("action_add")(boundary.submission(self.added))

    async def command(self, command: Command) -> Message | None:
        """`/action TEXT`."""
        request = command.request
        match actions_rules.wish(await self._services.slack.directory.resolve_names(request.team, command.text)):
            case actions_rules.Add():
                return await self._numbered(command) or await self._add_or_ask(command)
            case actions_rules.NameForWords() as named:
                raise Refused(_not_handed_over(command, named))
            case actions_rules.ListActions():
                return await actions_service.list_all(self._services, request)
            case actions_rules.ActionHelp():
                return actions_views.help_message(await read_examples(self._services, request))
            case one:
                return await self._one(request, one)

    async def _one(self, request: Request, wish: actions_rules.OfOne) -> Message | None:
        services = self._services
        match wish:
            case actions_rules.EditAction(number, text):
                return await actions_service.edit(services, request, number, text)
            case actions_rules.ShowAction(number):
                return await actions_service.show(services, request, [number])
            case actions_rules.ReopenAction(number):
                return await actions_service.reopen(services, request, number)
            case actions_rules.FinishAction(number):
                return await actions_service.close(services, request, number, None)
            case actions_rules.Drop(number, reason):
                return await actions_service.close(services, request, number, reason)

    async def _add(self, request: Request, asking: Asking) -> Message | None:
        """Write it down; whoever wrote what nobody can finish is given a hint, once it is recorded."""
        said = await actions_service.add(self._services, request, asking)
        self._boundary.later(self._hint(request, asking.text))
        return said

    async def _hint(self, request: Request, text: str) -> None:
        hint = await actions_service.hint(self._services, request, text)
        if hint is not None:
            await self._boundary.say_if_possible(request, hint)

    async def _add_or_ask(self, command: Command) -> Message | None:
        """A new action; where its due date can be several days, which one is asked first."""
        read, owner = await self._read(command)
        if read.unsure is None:
            asking = Asking(read.text, owner, read.due_on, read.link, kind=read.kind)
            return await self._add(command.request, asking)
        await actions_service.require_addable(self._services, command.request, read.text)
        about = {"owner": owner or "", "link": read.link, "kind": str(read.kind or "")}
        return actions_views.new_action_date_question(command.request.key, read.text, about, read.unsure)

    async def day(self, click: Click) -> Message | None:
        """One of the days that a due date can be; an answer that is given twice takes effect once."""
        request, value = click.request, click.value
        due_on = date.fromisoformat(value["due"]) if value.get("due") else None
        if "actions" not in value:
            kind = ActionKind(value["kind"]) if value.get("kind") else None
            asking = Asking(
                str(value["text"]), value.get("owner") or None, due_on, str(value.get("link", "")), kind=kind
            )
            await self._add(replace(request, key=f"{value['of']}+day"), asking)
        elif due_on is not None:
            move = actions_rules.MoveDueDate(due_on, str(value.get("beside", "")))
            await actions_service.move_all(self._services, request, value["actions"], move)
        return actions_views.date_answered_message() if click.in_whisper else None

    async def _numbered(self, command: Command) -> Message | None:
        """`/action 3 friday`, `/action done 1 and 2`, `/action 3 @bo`; None for what is a new action."""
        request = command.request
        other, text = await self._handed_to(request, command.text)
        line, today = self._plain(request, text), await actions_service.read_today(self._services, request)
        answer = actions_rules.in_command(line, today, mentions=other is not None)
        if answer is not None and isinstance(answer.deed, actions_rules.Unpicked) and find_users(command.text):
            number = answer.about[0].number
            raise Refused(f"An action has one owner. Name one person, as in `/action {number} @name`.")
        return None if answer is None else await actions_service.act(self._services, request, answer, other)

    async def _handed_to(self, request: Request, text: str) -> tuple[str | None, str]:
        """The one person or user group that is mentioned, or who asks where `@me` is, and the text without them."""
        users = find_users(text)
        if len(users) == 1:
            return users[0], strip_mentions(text)
        group = find_group(text) if not users else None
        if group is not None:
            by = await self._services.slack.directory.look_up(request.team, request.user)
            await self._services.slack.directory.learn_group(request.team, *group, by.zone)
            return group[0], strip_groups(text)
        if not users and _ME.search(text):
            return request.user, _ME.sub("", text, count=1)
        return None, text

    def _plain(self, request: Request, text: str) -> str:
        return self._services.slack.directory.resolve_known_names(request.team, text)

    async def _read(self, command: Command) -> tuple[actions_rules.TypedAction, str | None]:
        """What is to be done, and its owner: the first person mentioned, or a user group, or `@me`."""
        request, users = command.request, find_users(command.text)
        owner, text = await self._handed_to(request, command.text)
        line = self._plain(request, text)
        owner = owner or (users[0] if users else None)
        today = await actions_service.read_today(self._services, request)
        return actions_rules.read(" ".join(line.split()) if owner else line, today), owner

    async def done(self, click: Click) -> Message | None:
        """[Done], in a channel or in a DM."""
        return await actions_service.close_by_id(self._services, click.request, int(click.value["action"]))

    async def owner_form(self, click: Click) -> Block:
        """[Hand over]."""
        return await actions_service.owner_form(self._services, click.request, int(click.value["action"]))

    async def handed_over(self, sent: Submission) -> Message | None:
        """The form behind [Hand over]."""
        owner = actions_views.read_owner(sent.values)
        if owner is None:
            raise Refused("Pick who does it now.", field=actions_views.PERSON)
        return await actions_service.hand_over(self._services, sent.request, int(sent.metadata["action"]), owner)

    async def drop_form(self, click: Click) -> Block:
        """[Won't do …]."""
        return await actions_service.drop_form(self._services, click.request, int(click.value["action"]))

    async def dropped(self, sent: Submission) -> Message | None:
        """The form behind [Won't do …]."""
        reason = str(sent.values.get("reason") or "")
        return await actions_service.close_by_id(self._services, sent.request, int(sent.metadata["action"]), reason)

    async def held(self, click: Click) -> Message | None:
        """[It held]."""
        return await actions_service.judge(self._services, click.request, int(click.value["action"]), held=True)

    async def came_back(self, click: Click) -> Message | None:
        """[It came back]."""
        return await actions_service.judge(self._services, click.request, int(click.value["action"]), held=False)

    async def reopened(self, click: Click) -> Message | None:
        """[Open again], in a channel or in a DM."""
        return await actions_service.reopen_by_id(self._services, click.request, int(click.value["action"]))

    async def edit_form(self, click: Click) -> Block:
        """[Edit] below the hint."""
        return await actions_service.edit_form(self._services, click.request, int(click.value["action"]))

    async def edited(self, sent: Submission) -> Message | None:
        """The form behind [Edit]."""
        text = form_fields_views.read_text_change(sent.metadata, sent.values)
        if text is None:
            return None
        seen = form_fields_views.read_mark(sent.metadata, form_fields_views.TEXT)
        return await actions_service.save_form(self._services, sent.request, int(sent.metadata["action"]), text, seen)

    async def replied(self, body: Body) -> None:
        """`done 3`, `3 friday` or `3 @bo`, written to the bot in their conversation with it."""
        event = body["event"]
        request = event_of(body, event["channel"], self._services.clock.now())
        try:
            await self._boundary.admit(request)
            other, text = await self._handed_to(request, event.get("text") or "")
            line = self._plain(request, text)
            if other is not None or not await self._postmortem.said_to_us(request, line):
                await notifications_service.apply_reply(self._services, request, line, other)
        except Refused as refused:
            await notifications_service.say(self._services, request, refusal(refused, ""))

    async def date_form(self, click: Click) -> Block:
        """[New date]."""
        return await actions_service.date_form(self._services, click.request, int(click.value["action"]))

    async def moved(self, sent: Submission) -> Message | None:
        """The form behind [New date]."""
        due_on = date.fromisoformat(str(sent.values["due"]))
        return sent.unless_at_home(
            await actions_service.move(self._services, sent.request, int(sent.metadata["action"]), due_on)
        )

    async def added(self, sent: Submission) -> Message | None:
        """The form behind [Make it an action]."""
        text = form_fields_views.read_text(sent.metadata, sent.values) or ""
        if not text.strip():
            raise Refused("Say what is to be done.", field="text")
        due, kind = sent.values.get("due"), sent.values.get("kind")
        asking = Asking(
            text,
            actions_views.read_owner(sent.values),
            date.fromisoformat(due) if due else None,
            actions_rules.parse_link(str(sent.values.get("link") or "")),
            why=sent.metadata.get("why"),
            kind=ActionKind(kind) if kind else None,
        )
        return await self._add(sent.request, asking)


def _not_handed_over(command: Command, named: actions_rules.NameForWords) -> str:
    if find_users(command.text):
        return f"To hand action {named.number} over, write `/action {named.number} @name` and nothing else."
    return describe_unlinked_name(named.name)
