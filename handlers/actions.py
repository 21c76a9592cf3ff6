"""`/action`, and the buttons of actions in channels and in DMs."""

import re
from dataclasses import replace
from datetime import date

from bot.domain import actions as actions_rules
from bot.domain.records import ActionKind
from bot.domain.text import describe_unlinked_name, require_length
from bot.errors import Refused
from bot.services import actions as actions_service
from bot.services.actions import Asking
from bot.services.context import Request
from bot.services.notifications import composer as composer_service
from bot.slack.mrkdwn import find_group, find_users, strip_groups, strip_mentions
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from handlers import postmortem as postmortem_handlers
from handlers.boundary import Boundary, HandlerTable, refusal
from handlers.command_table import ALONE, ANYTHING, MAYBE_TEXT, NUMBER, TEXT, CommandTable, Verb
from handlers.requests import Body, Click, Command, Submission, event_of

_ME = re.compile(r"(?<!\S)@me\b")
_WITH_NAME = re.compile(
    r"(?:reopen|undo|show|edit|change|drop)\s+#?(?P<number>\d{1,4})\s+(?:(?:over\s+)?(?:to|for)\s+)?(?P<name>@\S+)"
    r"(?:\s+[^\s@]+)?",
    re.IGNORECASE,
)


def is_said_to_us(event: Body) -> bool:
    """Whether a person wrote it in their DM with the bot."""
    is_persons = "user" in event and not event.get("bot_id") and not event.get("subtype")
    return is_persons and event.get("channel_type") == "im"


async def _answer_or_add(boundary: Boundary, command: Command) -> Message | None:
    """`/action 3 friday`, `/action done 1 and 2`, `/action 3 @bo`; anything else is a new action."""
    _require_no_name(command)
    return await _answer(boundary, command) or await _add_or_ask(boundary, command)


async def _edit(boundary: Boundary, command: Command) -> Message | None:
    _require_no_name(command)
    return await actions_service.edit(boundary.services, command.request, command.number, command.rest)


async def _drop(boundary: Boundary, command: Command) -> Message | None:
    _require_no_name(command)
    number, reason = command.number, command.rest
    if not reason:
        raise Refused(f"Why won't it be done? Try `/action drop {number} covered by the new rate limit`")
    return await actions_service.close(boundary.services, command.request, number, reason)


def _require_no_name(command: Command) -> None:
    """Refuse a name in place of words, as in `edit 3 @ana`: it probably means to hand the action over."""
    named = _WITH_NAME.fullmatch(command.line)
    if named and find_users(command.text):
        number = named["number"]
        raise Refused(f"To hand action {number} over, type only `/action {number} @name`")
    if named:
        raise Refused(describe_unlinked_name(named["name"]))


ACTION = CommandTable(
    "/action",
    "Record what will be done, by whom and by when",
    "*Record what will change, who does it, and by when.*",
    rows=(
        (
            Verb("", ANYTHING, _answer_or_add, "adds a corrective action, for a person or a group",
                 "add a load test @ana due friday", also="add", usage="what @owner due friday", is_default=True,
                 missing="What needs doing? Try {example}"),
        ),
        (
            Verb("done", NUMBER, lambda b, c: actions_service.close(b.services, c.request, c.number, None),
                 "finishes it. `done {action} and {other_action}` finishes both", "done {action}", also="close finish",
                 others=(r"#?(?P<number>\d{1,4})\s+(?:is\s+)?done",), usage="done 3"),
            Verb("drop", NUMBER + MAYBE_TEXT, _drop, "drops it, with the reason",
                 "drop {action} covered by the new rate limit",
                 missing="Which action, and why not? Try {example} (`/action list` shows the numbers)"),
            Verb("reopen", NUMBER, lambda b, c: actions_service.reopen(b.services, c.request, c.number),
                 "opens it again", "reopen {action}", also="undo"),
        ),
        (
            Verb("", r"#?(?P<number>\d{1,4})\s+@.+", _answer_or_add, "changes the owner", "{action} @bo"),
            Verb("move", NUMBER + TEXT, _answer_or_add, "changes the due date", "{action} friday",
                 others=(r"#?(?P<number>\d{1,4})\s+.+",)),
            Verb("edit", NUMBER + TEXT, _edit, "changes the text", "edit {action} cap the retries at 3"),
        ),
        (
            Verb("list", ALONE, lambda b, c: actions_service.list_all(b.services, c.request),
                 "lists all actions of this incident",
                 "list", others=("",), usage="list"),
            Verb("show", NUMBER, lambda b, c: actions_service.show(b.services, c.request, [c.number]),
                 "shows one with its buttons", "show {action}",
                 others=(r"(?:(?:edit|change)\s+)?#?(?P<number>\d{1,4})",)),
        ),
    ),
    notes=(
        ("Due dates: `due friday`, `due in 2 weeks`, `due 24 Dec`, `due 2026-12-24`. In front, `prevent:`, `detect:`, "
        "`mitigate:` or `process:` says what kind it is; a link at the end is kept with it."),
        ("Owners of overdue actions get one message a day. They can answer it with `done {action}` or "
        "`{action} friday`."),
    ),
    missing="Which action? Try {example} (`/action list` shows the numbers)",
)  # fmt: skip


async def _add(boundary: Boundary, request: Request, asking: Asking) -> Message | None:
    """Record an action; if its text does not say when it is done, its author gets a hint afterwards."""
    receipt = await actions_service.add(boundary.services, request, asking)
    # After the acknowledgement: the hint is a second message, and must not delay the first.
    boundary.later(_hint(boundary, request, asking.text))
    return receipt


async def _hint(boundary: Boundary, request: Request, text: str) -> None:
    hint = await actions_service.hint(boundary.services, request, text)
    if hint is not None:
        await boundary.whisper_if_possible(request, hint)


async def _add_or_ask(boundary: Boundary, command: Command) -> Message | None:
    """A new action; if its due date is ambiguous, a question comes first."""
    read, owner = await _read(boundary, command)
    if read.unsure is None:
        asking = Asking(read.text, owner, read.due_on, read.link, kind=read.kind)
        return await _add(boundary, command.request, asking)
    await actions_service.require_addable(boundary.services, command.request, read.text)
    about = {"owner": owner or "", "link": read.link, "kind": str(read.kind or "")}
    return actions_views.new_action_date_question(
        command.request.key, read.text, about, read.unsure, command.request.now.date()
    )


async def _choose_day(boundary: Boundary, click: Click) -> Message | None:
    """One of the days that a due date can mean. A second answer to the same question has no effect."""
    request, value = click.request, click.value
    due_on = date.fromisoformat(value["due"]) if value.get("due") else None
    if "actions" not in value:
        kind = ActionKind(value["kind"]) if value.get("kind") else None
        asking = Asking(str(value["text"]), value.get("owner") or None, due_on, str(value.get("link", "")), kind=kind)
        asking = replace(asking, is_undated=due_on is None)
        # The key of the question and not of the click: whichever of its buttons is pressed, and however often, the
        # action is added once.
        return await _add(boundary, replace(request, key=f"{value['of']}+day"), asking)
    if due_on is not None:
        move = actions_rules.MoveDueDate(due_on, str(value.get("beside", "")))
        receipts = await actions_service.move_all(boundary.services, request, value["actions"], move)
        return blocks.join_messages(receipts) if receipts else None
    return None


async def _answer(boundary: Boundary, command: Command) -> Message | None:
    request = command.request
    other, text = await _find_owner(boundary, request, command.text)
    line, today = _resolve(boundary, request, text), await actions_service.read_today(boundary.services, request)
    answer = actions_rules.in_command(line, today, mentions=other is not None)
    if answer is not None and isinstance(answer.operation, actions_rules.Unpicked) and find_users(command.text):
        number = answer.about[0].number
        raise Refused(f"An action has one owner. Try `/action {number} @name`")
    return None if answer is None else await actions_service.act(boundary.services, request, answer, other)


async def _find_owner(boundary: Boundary, request: Request, text: str) -> tuple[str | None, str]:
    """The one person or user group that is mentioned, or the author for `@me`, and the text without the mention."""
    users = find_users(text)
    if len(users) == 1:
        return users[0], strip_mentions(text)
    group = find_group(text) if not users else None
    if group is not None:
        by = await boundary.services.slack.directory.look_up(request.team, request.user)
        await boundary.services.slack.directory.learn_group(request.team, *group, by.zone)
        return group[0], strip_groups(text)
    if not users and _ME.search(text):
        return request.user, _ME.sub("", text, count=1)
    return None, text


def _resolve(boundary: Boundary, request: Request, text: str) -> str:
    return boundary.services.slack.directory.resolve_known_names(request.team, text)


async def _read(boundary: Boundary, command: Command) -> tuple[actions_rules.TypedAction, str | None]:
    """The action and its owner: the first person mentioned, or a user group, or `@me`."""
    request, users = command.request, find_users(command.text)
    owner, text = await _find_owner(boundary, request, command.text)
    line = _resolve(boundary, request, text)
    owner = owner or (users[0] if users else None)
    today = await actions_service.read_today(boundary.services, request)
    return actions_rules.parse_action(" ".join(line.split()) if owner else line, today), owner


async def _hand_over(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Hand over]."""
    owner = actions_views.read_owner(sent.values)
    if owner is None:
        raise Refused("Pick the new owner.", field=actions_views.PERSON)
    return await actions_service.hand_over(boundary.services, sent.request, int(sent.metadata["action"]), owner)


async def _save(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Edit]."""
    text = blocks.read_text_change(sent.metadata, sent.values)
    if text is None:
        return None
    seen = blocks.read_mark(sent.metadata, blocks.TEXT)
    return await actions_service.save_form(boundary.services, sent.request, int(sent.metadata["action"]), text, seen)


async def answer_message(boundary: Boundary, body: Body) -> None:
    """`done 3`, `3 friday` or `3 @bo` in a DM to the bot."""
    event = body["event"]
    request = event_of(body, event["channel"], boundary.services.clock.now())
    written = event.get("text") or ""
    if not isinstance(written, str):
        raise TypeError("no text")
    try:
        await boundary.admit(request)
        other, text = await _find_owner(boundary, request, require_length(written, "That message"))
        line = _resolve(boundary, request, text)
        if other is not None or not await postmortem_handlers.answer_message(boundary, request, line):
            await composer_service.apply_reply(boundary.services, request, line, other)
    except Refused as refused:
        await composer_service.say(boundary.services, request, refusal(refused, ""))


async def _move(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [New date]."""
    due_on = date.fromisoformat(str(sent.values["due"]))
    return sent.unless_at_home(
        await actions_service.move(boundary.services, sent.request, int(sent.metadata["action"]), due_on)
    )


async def _add_from_form(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Make it an action]."""
    text = blocks.read_text(sent.metadata, sent.values) or ""
    if not text.strip():
        raise Refused("What needs doing? Write it in a few words.", field="text")
    due, kind = sent.values.get("due"), sent.values.get("kind")
    asking = Asking(
        text,
        actions_views.read_owner(sent.values),
        date.fromisoformat(due) if due else None,
        actions_rules.parse_link(str(sent.values.get("link") or "")),
        why=sent.metadata.get("why"),
        kind=ActionKind(kind) if kind else None,
    )
    return await _add(boundary, sent.request, asking)


def _action(click: Click) -> int:
    return int(click.value["action"])


async def _drop_from_form(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Won't do …]."""
    reason = str(sent.values.get("reason") or "")
    return await actions_service.close_by_id(boundary.services, sent.request, int(sent.metadata["action"]), reason)


HANDLERS = HandlerTable(
    commands={ACTION.name: ACTION.run},
    clicks={
        "action_done": lambda b, c: actions_service.close_by_id(b.services, c.request, _action(c)),
        "actions_all_done": lambda b, c: actions_service.finish_overdue(b.services, c.request, c.value["actions"]),
        "action_held": lambda b, c: actions_service.judge(b.services, c.request, _action(c), has_held=True),
        "action_came_back": lambda b, c: actions_service.judge(b.services, c.request, _action(c), has_held=False),
        "action_reopen": lambda b, c: actions_service.reopen_by_id(b.services, c.request, _action(c)),
        re.compile(rf"{actions_views.CHOOSE}\d+"): _choose_day,
    },
    forms={
        "action_date": lambda b, c: actions_service.date_form(b.services, c.request, _action(c)),
        "action_hand_over": lambda b, c: actions_service.owner_form(b.services, c.request, _action(c)),
        "action_drop": lambda b, c: actions_service.drop_form(b.services, c.request, _action(c)),
        "action_edit": lambda b, c: actions_service.edit_form(b.services, c.request, _action(c)),
    },
    submissions={
        "action_date": _move,
        "action_hand_over": _hand_over,
        "action_drop": _drop_from_form,
        "action_edit": _save,
        "action_add": _add_from_form,
    },
)
