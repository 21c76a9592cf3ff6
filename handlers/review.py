"""`/postmortem review`, and the buttons and forms of a review."""

import re
from datetime import UTC, datetime

from bot.domain.review import ReviewOrder, Verdict, require_length
from bot.domain.text import describe_unlinked_name, find_unlinked_name
from bot.errors import Refused
from bot.services import postmortem as postmortem_service
from bot.services import review as review_service
from bot.services.review import ReviewPlan
from bot.slack.mrkdwn import find_group, find_users, strip_mentions
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Command, Form, Submission

CANCEL = frozenset({"cancel", "cancelled", "off", "call off", "delete", "stop"})
_ME = re.compile(r"(?<!\S)@?(?:me|myself)(?!\S)", re.IGNORECASE)
_VERB = re.compile(r"^\s*(?:(?:review|debrief|inc-?\d+[,:]?)\s*)+", re.IGNORECASE)


async def review(boundary: Boundary, command: Command) -> Message | Form | None:
    """`/postmortem review [friday 14:00] [@ana @bo]`, or `review cancel`; alone it shows the review, or plans one."""
    services, request = boundary.services, command.request
    if command.rest.strip().lower() in CANCEL:
        return await review_service.cancel(services, request)
    users, text = _read_people(command)
    has_review = await review_service.has_review(services, request)
    if has_review and not (users or text):
        return await postmortem_service.overview(services, request)
    order = await review_service.read_order(services, request, text)
    if users or has_review:
        return await review_service.plan(services, request, ReviewPlan(order, users))
    # No one was named: the form proposes people, and nothing is sent before it is.
    return Form(build=lambda _: review_service.plan_form(services, request, order))


def _read_people(command: Command) -> tuple[tuple[str, ...], str]:
    """The people who are named, and the rest of what was typed."""
    if find_group(command.text):
        raise Refused("A review is by people who answer for themselves. Name them one by one.")
    # From what Slack sent: in the resolved line a name could be taken for a day.
    text = _VERB.sub("", strip_mentions(command.text)).strip()
    users = find_users(command.text)
    if _ME.search(text):
        users, text = (*users, command.request.user), _ME.sub("", text).strip()
    if unknown := find_unlinked_name(text):
        raise Refused(describe_unlinked_name(unknown))
    return tuple(dict.fromkeys(users)), text


async def _plan(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Change review], and behind the command that names no one."""
    at = sent.values.get("starts_at")
    if not isinstance(at, int):
        raise Refused("Pick a day and a time.", field="starts_at")
    starts_at = datetime.fromtimestamp(at, UTC)
    if starts_at <= sent.request.now:
        raise Refused("That's in the past. Pick a time ahead.", field="starts_at")
    users = sent.values.get("reviewers")
    people = tuple(str(user) for user in users) if isinstance(users, list) else ()
    order = ReviewOrder(starts_at, require_length(int(str(sent.values.get("minutes") or 0))))
    return await review_service.plan(
        boundary.services, sent.request, ReviewPlan(order, people, int(sent.metadata["sequence"]))
    )


async def _send_work(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Needs work …]."""
    text = blocks.read_text(sent.metadata, sent.values) or ""
    if not text.strip():
        raise Refused("What needs work? Say it in a sentence.", field=blocks.TEXT)
    return sent.unless_at_home(await review_service.answer(boundary.services, sent.request, Verdict.WORK, text))


async def _ignore_link(*_: object) -> Message | None:
    """A button that opens an address needs no answer."""
    return None


HANDLERS = HandlerTable(
    clicks={
        "review_good": lambda b, c: review_service.answer(b.services, c.request, Verdict.GOOD),
        "review_cancel": lambda b, c: review_service.cancel(b.services, c.request),
        "review_google": _ignore_link,
        "review_outlook": _ignore_link,
    },
    forms={
        "review_plan": lambda b, c: review_service.plan_form(b.services, c.request),
        "review_work": lambda b, c: review_service.work_form(b.services, c.request),
    },
    submissions={
        "review_plan": _plan,
        "review_work": _send_work,
    },
)
