"""`/why`, and the buttons below its questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain import whys as whys_rules
from bot.domain.secrets import RecordKind, RecordRef, read_quoted
from bot.domain.text import require_length
from bot.domain.whys import MoveWhy
from bot.errors import Refused
from bot.services import actions as actions_service
from bot.services import secrets as secrets_service
from bot.services import whys as whys_service
from bot.services.context import Request
from bot.services.corrections import ShownVersion
from bot.services.whys import QuestionSource
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary, HandlerTable
from handlers.command_table import ALONE, ANYTHING, MAYBE_TEXT, NUMBER, TEXT, CommandTable, Verb
from handlers.requests import Click, Command, Submission


@dataclass(frozen=True, slots=True)
class ThreadAnswer:
    """The answer to a message in the thread: what its author alone reads, if anything. What all read is posted."""

    whisper: Message | None
    is_recorded: bool


async def _answer(boundary: Boundary, command: Command) -> Message | None:
    """An answer to the open question, or with a number to the question of that why."""
    request, parent = command.request, command.part("number")
    source = QuestionSource(int(parent) if parent else None, in_thread=bool(command.thread_ts))
    receipt = await whys_service.answer(boundary.services, request, command.rest, source)
    _hint(boundary, request, command.rest, command.thread_ts)
    return receipt


async def _edit(boundary: Boundary, command: Command) -> Message | None:
    receipt = await whys_service.edit(boundary.services, command.request, command.number, command.rest)
    _hint(boundary, command.request, command.rest, command.thread_ts)
    return receipt


async def _root(boundary: Boundary, command: Command) -> Message | None:
    number, in_thread = command.part("number"), bool(command.thread_ts)
    return await whys_service.mark_root(
        boundary.services, command.request, int(number) if number else None, in_thread=in_thread
    )


async def _move(boundary: Boundary, command: Command) -> Message | None:
    move = MoveWhy(command.number, int(command.part("other")), beside=command.part("how").lower() == "beside")
    return await whys_service.move(boundary.services, command.request, move)


async def _redact(boundary: Boundary, command: Command) -> Message | None:
    words = read_quoted(command.rest)
    if not words:
        raise Refused(f'Put the words to redact in quotation marks: `/why redact {command.number} "the words"`')
    subject = RecordRef(RecordKind.WHY, str(command.number))
    return await secrets_service.redact_words(boundary.services, command.request, subject, words)


WHY = CommandTable(
    "/why",
    "Ask the five whys",
    "*Ask why until the cause is something you can change.* Anyone can answer. Each question quotes the answer before.",
    rows=(
        (
            Verb("", ANYTHING, _answer, "answers the open question", "because the connection pool ran out",
                 also="because", usage="because …", is_default=True, changes=True, is_recording=True,
                 missing="Why did it happen? Try {example}"),
        ),
        (
            Verb("branch", NUMBER + TEXT, _answer, "adds a second cause to why {earlier_why}",
                 "branch {earlier_why} the alert was muted as well", usage="branch 2 …", changes=True,
                 missing="Which why, and what else caused it? Try {example}"),
        ),
        (
            Verb("root", ALONE, _root, "marks the latest answer as the root cause", "root",
                 usage="root", changes=True),
            Verb("root", NUMBER, _root, "marks why {why}", "root {why}", changes=True),
        ),
        (
            Verb("move", NUMBER + r"\s+(?P<how>beside|beneath|below|under)\s+(?:why\s+)?#?(?P<other>\d{1,4})", _move,
                 "moves {why} so that it explains {earlier_why}. With `beside`, both explain the same",
                 "move {why} beneath {earlier_why}", changes=True, missing="Which why goes where? Try {example}"),
        ),
        (
            Verb("edit", NUMBER + TEXT, _edit, "changes the text", "edit {earlier_why} because the pool ran out",
                 changes=True, missing="Which why, and how should it read? Try {example}"),
            Verb("edit", NUMBER, lambda b, c: whys_service.show_one(b.services, c.request, c.number),
                 "shows it with its buttons", "edit {earlier_why}"),
            Verb("delete", NUMBER, lambda b, c: whys_service.strike(b.services, c.request, c.number), "removes it",
                 "delete {earlier_why}", changes=True),
            Verb("undo", ALONE, lambda b, c: whys_service.strike(b.services, c.request, None),
                 "removes your latest one", "undo", changes=True),
            Verb("redact", NUMBER + MAYBE_TEXT, _redact, "removes these words for good, from every version",
                 'redact {earlier_why} "a customer\'s name"', harmful=True),
        ),
        (
            Verb("", ALONE, lambda b, c: whys_service.show(b.services, c.request),
                 "shows the whys and the open question", "", others=("show", "list")),
            Verb("show", NUMBER, lambda b, c: whys_service.show_history(b.services, c.request, c.number),
                 "shows one with its history", "show {earlier_why}", also="history"),
        ),
    ),
    missing="Which why? Try {example} (`/why` shows the numbers)",
    notes=(
        "`/why because of the deploy, see #{entry}` cites entry {entry} as evidence.",
        "In the five-whys thread a reply that begins with `because` answers; `@afterword …` takes any other command.",
    ),
)  # fmt: skip


async def run_in_thread(boundary: Boundary, request: Request, line: str, thread_ts: str) -> ThreadAnswer | None:
    """A mention of the bot in the thread of the whys, which takes what `/why` takes. None in any other thread."""
    about = await whys_service.find_request(boundary.services, request, thread_ts)
    if about is None:
        return None
    try:
        verb, match = WHY.parse(require_length(line, "That message"))
        if not verb.is_recording:
            await boundary.require_identified(request)
        answer = await verb.run(boundary, Command(about, line, thread_ts=thread_ts, match=match))
    except Refused as refused:
        raise Refused(blocks.adapt_whys_text(refused.sentence), carrying=refused.carrying) from refused
    # No verb of `/why` opens a form, for which a message would have no trigger.
    whisper = blocks.adapt_whys_message(answer) if isinstance(answer, dict) else None
    return ThreadAnswer(whisper, is_recorded=verb.changes)


async def is_elsewhere(boundary: Boundary, request: Request, thread_ts: str) -> bool:
    """Whether the thread is not the thread of an incident's whys."""
    return await whys_service.find_request(boundary.services, request, thread_ts) is None


async def reply(boundary: Boundary, request: Request, line: str, thread_ts: str) -> ThreadAnswer | None:
    """A reply in the thread of the whys that does not mention the bot. None in any other thread.

    A reply that begins with "because" is an answer. All others are talk, and get no answer.
    """
    if not whys_rules.is_plain_answer(line):
        return None
    return await run_in_thread(boundary, request, line, thread_ts)


async def follow_reply(boundary: Boundary, request: Request, lines: tuple[str, str], thread_ts: str) -> Message | None:
    """After a reply was edited: `lines` are what it said and says now, empty if it was deleted.

    The why that it answered follows it, unless it reads differently by now. The answer is for the reply's author.
    """
    before, after = lines
    about = await whys_service.find_request(boundary.services, request, thread_ts)
    number = await whys_service.find_answered(boundary.services, about, before) if about is not None else None
    if about is None or number is None:
        return None
    if whys_rules.is_plain_answer(after):
        await whys_service.edit(boundary.services, about, number, after)
        return None
    receipt = await whys_service.strike(boundary.services, about, number)
    return blocks.adapt_whys_message(receipt) if receipt is not None else None


def _hint(boundary: Boundary, request: Request, text: str, thread_ts: str = "") -> None:
    """Hint at blame after the answer is recorded: the hint must not delay or prevent it."""

    async def hint() -> None:
        if (message := await whys_service.hint(boundary.services, request, text)) is not None:
            await boundary.whisper_if_possible(request, message, thread_ts)

    boundary.later(hint())


async def _answer_known(boundary: Boundary, request: Request, text: str, known: Mapping[str, Any]) -> Message | None:
    """An answer by button or form: `known` says which question was shown, and what the latest why was then."""
    source = QuestionSource(known.get("parent"), known.get("seen"), in_thread=bool(known.get("in_thread")))
    receipt = await whys_service.answer(boundary.services, request, text, source)
    _hint(boundary, request, text)
    return receipt


async def _move_there(boundary: Boundary, click: Click) -> Message | None:
    value = click.value
    move = MoveWhy(int(value["why"]), int(value["other"]), beside=bool(value["beside"]))
    return await whys_service.move(boundary.services, click.request, move, ShownVersion.of(value))


async def _save(boundary: Boundary, sent: Submission) -> Message | None:
    text, version = blocks.read_text_change(sent.metadata, sent.values), int(sent.metadata["version"])
    receipt = await whys_service.save_form(boundary.services, sent.request, int(sent.metadata["why"]), text, version)
    if text is not None:
        _hint(boundary, sent.request, text)
    return receipt


def _why(click: Click) -> int:
    return int(click.value["why"])


def _is_in_thread(click: Click) -> bool:
    """Whether a button is in a thread, so that who pressed it reads what is posted there."""
    return click.message.get("thread_ts", click.message.get("ts")) != click.message.get("ts")


async def _mark_root(boundary: Boundary, click: Click) -> Message | None:
    shown, in_thread = ShownVersion.of(click.value), _is_in_thread(click)
    return await whys_service.mark_root(boundary.services, click.request, _why(click), shown, in_thread=in_thread)


async def _unmark_root(boundary: Boundary, click: Click) -> Message | None:
    shown, in_thread = ShownVersion.of(click.value), _is_in_thread(click)
    return await whys_service.unmark_root(boundary.services, click.request, _why(click), shown, in_thread=in_thread)


async def _answer_form(boundary: Boundary, click: Click) -> Block:
    return await whys_service.form(
        boundary.services, click.request, click.value.get("parent"), in_thread=_is_in_thread(click)
    )


HANDLERS = HandlerTable(
    commands={WHY.name: WHY.run},
    clicks={
        "why_root": _mark_root,
        "why_no_root": _unmark_root,
        # No message of ours has this button any more; old ones may.
        "why_reply": lambda b, c: _answer_known(b, c.request, str(c.value.get("text") or ""), c.value),
        "why_delete": lambda b, c: whys_service.strike(b.services, c.request, _why(c), ShownVersion.of(c.value)),
        "why_restore": lambda b, c: whys_service.restore(b.services, c.request, _why(c)),
        "why_move": _move_there,
    },
    forms={
        "why_answer": _answer_form,
        "why_action": lambda b, c: actions_service.form_from_why(b.services, c.request, c.value.get("why")),
        "why_edit": lambda b, c: whys_service.edit_form(b.services, c.request, _why(c), ShownVersion.of(c.value)),
    },
    submissions={
        "why_answer": lambda b, sent: _answer_known(
            b, sent.request, str(sent.values.get("answer") or ""), sent.metadata
        ),
        "why_edit": _save,
    },
)
