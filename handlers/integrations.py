"""The buttons and windows of other systems: what customers are told, a postmortem's page, and what failed to sync."""

from bot.integrations import service as integration_service
from bot.integrations.confluence import service as confluence_service
from bot.integrations.jira import service as jira_service
from bot.integrations.memos import ANEW, OVERWRITE
from bot.integrations.statuspage import service as statuspage_service
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Click, Submission


async def _confirm_update(boundary: Boundary, sent: Submission) -> Block:
    """The draft of an update: its window gives way to one that shows exactly what customers will read."""
    values = sent.values
    update = {
        "status": str(values.get("status") or ""),
        "body": str(values.get("body") or "").strip(),
        "components": list(values.get("components") or ()),
        "working": str(values.get("working") or ""),
        "mails": bool(values.get("mails")),
    }
    view = await statuspage_service.confirm(boundary.services, sent.request, update)
    return {"response_action": "update", "view": view}


async def _order_page(boundary: Boundary, click: Click, order: str) -> Message | None:
    return await confluence_service.order(boundary.services, click.request, order, str(click.value.get("page")))


async def _put_back(boundary: Boundary, click: Click) -> Message | None:
    regions = tuple(map(str, click.value.get("back") or ()))
    return await confluence_service.put_back(boundary.services, click.request, regions)


async def _choose_account(boundary: Boundary, sent: Submission) -> Message | None:
    user, account = str(sent.metadata.get("user")), str(sent.values.get("account") or "")
    return await jira_service.choose_account(boundary.services, sent.request, user, account)


HANDLERS = HandlerTable(
    clicks={
        "confluence_publish": lambda b, c: confluence_service.publish(b.services, c.request),
        "confluence_anew": lambda b, c: _order_page(b, c, ANEW),
        "confluence_overwrite": lambda b, c: _order_page(b, c, OVERWRITE),
        "confluence_back": _put_back,
        "connections_again": lambda b, c: integration_service.try_again(
            b.services, c.request, str(c.value.get("system"))
        ),
        "connections_agree": lambda b, c: jira_service.agree(b.services, c.request),
    },
    forms={
        "statuspage_form": lambda b, c: statuspage_service.form(b.services, c.request),
        "statuspage_draft": lambda b, c: statuspage_service.draft_form(b.services, c.request),
        "confluence_look": lambda b, c: confluence_service.window(b.services, c.request),
        "connections_account": lambda b, c: jira_service.account_form(b.services, c.request, str(c.value.get("user"))),
    },
    submissions={
        "statuspage_draft": lambda b, sent: statuspage_service.draft(b.services, sent.request),
        "statuspage_update": _confirm_update,
        # What customers read is what was confirmed, word for word: nothing is taken from the form's fields.
        "statuspage_confirm": lambda b, sent: statuspage_service.publish(
            b.services, sent.request, dict(sent.metadata["update"])
        ),
        "confluence_agree": lambda b, sent: confluence_service.agree(b.services, sent.request),
        "connections_account": _choose_account,
    },
)
