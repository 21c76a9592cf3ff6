"""`/why`, and the buttons below its questions."""

from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from bot.domain import whys as whys_rules
from bot.errors import Refused
from bot.services import actions as actions_service
from bot.services import whys as whys_service
from bot.services.context import Request, Services, read_examples
from bot.services.corrections import pressed_in
from bot.slack.views import form_fields as form_fields_views
from bot.slack.views import threads as threads_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Command, Submission

REMEMBERED = 1_000
"""Offers that are not made again, of all incidents."""


@dataclass(frozen=True, slots=True)
class ThreadAnswer:
    """What came of something said in the thread: `said` is for its author alone, beside what the thread is told."""

    said: Message | None
    is_recorded: bool


class Whys:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, services: Services, boundary: Boundary) -> None:
        self._services = services
        self._boundary = boundary
        self._offered: dict[tuple[str, str, int], None] = {}
        """Who was offered, in which thread and at which question, to have a reply recorded."""

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/why")(boundary.command(self.command))
        app.action("why_root")(boundary.click(self.root))
        app.action("why_no_root")(boundary.click(self.no_root))
        app.action("why_reply")(boundary.click(self.replied))
        app.action("why_delete")(boundary.click(self.delete))
        app.action("why_restore")(boundary.click(self.restore))
        app.action("why_move")(boundary.click(self.move))
        app.action("why_answer")(boundary.form(self.form))
        app.action("why_action")(boundary.form(self.action_form))
        app.action("why_edit")(boundary.form(self.edit_form))
        app.view("why_answer")(boundary.submission(self.answered))
        app.view("why_edit")(boundary.submission(self.edited))

    async def command(self, command: Command) -> Message | None:
        """`/why TEXT`."""
        request = command.request
        return await self._do(
            request, whys_rules.wish(await self._services.slack.directory.read(request.team, command.text))
        )

    async def _do(self, request: Request, wish: whys_rules.Wish, thread_ts: str = "") -> Message | None:
        match wish:
            case whys_rules.AnswerWhy(text, parent):
                return await self.answer(request, text, parent, thread_ts)
            case whys_rules.MarkRoot(number):
                return await whys_service.mark_root(self._services, request, number)
            case whys_rules.ShowWhys():
                return await whys_service.show(self._services, request)
            case whys_rules.WhyHelp():
                return whys_views.help_text(await read_examples(self._services, request))
            case _:
                return await self._correct(request, wish, thread_ts)

    async def _correct(self, request: Request, wish: whys_rules.Correction, thread_ts: str) -> Message | None:
        match wish:
            case whys_rules.EditWhy(number, text):
                if not text:
                    return await whys_service.offer_edit(self._services, request, number)
                said = await whys_service.edit(self._services, request, number, text)
                self._boundary.later(self._hint(request, text, thread_ts))
                return said
            case whys_rules.DeleteWhy(number):
                return await whys_service.strike(self._services, request, number)
            case whys_rules.MoveWhy():
                return await whys_service.move(self._services, request, wish)
            case whys_rules.UndoWhy():
                return await whys_service.strike(self._services, request, None)
            case whys_rules.ShowWhyHistory(number):
                return await whys_service.history(self._services, request, number)

    async def answer(self, request: Request, text: str, parent: int | None, thread_ts: str = "") -> Message | None:
        """An answer that was typed; whoever seems to blame somebody in it is given a hint, once it is recorded."""
        said = await whys_service.answer(self._services, request, text, parent)
        self._boundary.later(self._hint(request, text, thread_ts))
        return said

    async def in_thread(self, request: Request, line: str, thread_ts: str) -> ThreadAnswer | None:
        """What was said to the bot in the whys' thread, which takes what `/why` takes; None in another thread."""
        about = await whys_service.asked_in(self._services, request, thread_ts)
        if about is None:
            return None
        try:
            wish = whys_rules.wish(line)
            said = await self._do(about, wish, thread_ts)
        except Refused as refused:
            raise Refused(threads_views.of_whys(refused.sentence), carrying=refused.carrying) from refused
        is_told_there = isinstance(wish, whys_rules.AnswerWhy | whys_rules.MarkRoot) or said is None
        whisper = None if is_told_there or said is None else threads_views.for_whys(said)
        return ThreadAnswer(whisper, is_recorded=whys_rules.is_change(wish))

    async def is_elsewhere(self, request: Request, thread_ts: str) -> bool:
        """Whether a thread is not that of any whys."""
        return await whys_service.asked_in(self._services, request, thread_ts) is None

    async def reply(self, request: Request, line: str, thread_ts: str) -> ThreadAnswer | None:
        """What was said in the whys' thread, but to nobody; None in another thread.

        One that begins with "because" is an answer. Of any other its author is asked, once for each question.
        """
        about = await whys_service.asked_in(self._services, request, thread_ts)
        if about is None:
            return None
        if whys_rules.is_plain_answer(line):
            return await self.in_thread(request, line, thread_ts)
        offer = await whys_service.offer(self._services, about, line)
        if offer is None or (request.user, thread_ts, offer.question) in self._offered:
            return ThreadAnswer(None, is_recorded=False)
        self._offered[request.user, thread_ts, offer.question] = None
        while len(self._offered) > REMEMBERED:
            del self._offered[next(iter(self._offered))]
        return ThreadAnswer(threads_views.for_whys(offer.said), is_recorded=False)

    async def _hint(self, request: Request, text: str, thread_ts: str) -> None:
        hint = await whys_service.hint(self._services, request, text)
        if hint is None:
            return
        await self._boundary.say_if_possible(request, hint, thread_ts)

    async def root(self, click: Click) -> Message | None:
        """[This is the root cause]."""
        return await whys_service.mark_root(
            self._services, click.request, int(click.value["why"]), pressed_in(click.value)
        )

    async def replied(self, click: Click) -> Message | None:
        """[Record it as the answer], below what somebody said in the thread."""
        text, known = str(click.value.get("text") or ""), click.value
        said = await whys_service.answer(self._services, click.request, text, known.get("parent"), known.get("seen"))
        self._boundary.later(self._hint(click.request, text, ""))
        return said

    async def no_root(self, click: Click) -> Message | None:
        """[Not a root cause]."""
        return await whys_service.unmark_root(
            self._services, click.request, int(click.value["why"]), pressed_in(click.value)
        )

    async def delete(self, click: Click) -> Message | None:
        """[Take back]."""
        return await whys_service.strike(
            self._services, click.request, int(click.value["why"]), pressed_in(click.value)
        )

    async def move(self, click: Click) -> Message | None:
        """[Beside why 2] and [Beneath why 2]."""
        value = click.value
        wish = whys_rules.MoveWhy(int(value["why"]), int(value["other"]), beside=bool(value["beside"]))
        return await whys_service.move(self._services, click.request, wish, pressed_in(value))

    async def restore(self, click: Click) -> Message | None:
        """[Bring back]."""
        return await whys_service.restore(self._services, click.request, int(click.value["why"]))

    async def form(self, click: Click) -> Block:
        """[Answer]."""
        return await whys_service.form(self._services, click.request, click.value.get("parent"))

    async def edit_form(self, click: Click) -> Block:
        """[Edit]."""
        return await whys_service.edit_form(
            self._services, click.request, int(click.value["why"]), pressed_in(click.value)
        )

    async def action_form(self, click: Click) -> Block:
        """[Make it an action]."""
        return await actions_service.form_from_why(self._services, click.request, click.value.get("why"))

    async def answered(self, sent: Submission) -> Message | None:
        """The form behind [Answer]."""
        text, known = str(sent.values.get("answer") or ""), sent.metadata
        said = await whys_service.answer(self._services, sent.request, text, known.get("parent"), known.get("seen"))
        self._boundary.later(self._hint(sent.request, text, ""))
        return said

    async def edited(self, sent: Submission) -> Message | None:
        """The form behind [Edit]."""
        text, version = form_fields_views.text_change(sent.metadata, sent.values), int(sent.metadata["version"])
        said = await whys_service.save_form(self._services, sent.request, int(sent.metadata["why"]), text, version)
        if text is not None:
            self._boundary.later(self._hint(sent.request, text, ""))
        return said
