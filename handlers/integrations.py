"""The buttons and windows of other systems: alerts, customer updates, a postmortem's page, and what failed to sync."""

from datetime import UTC, datetime

from bot.domain.records import Milestone
from bot.integrations import service as integration_service
from bot.integrations.confluence import service as confluence_service
from bot.integrations.links import ANEW, OVERWRITE
from bot.integrations.statuspage import service as statuspage_service
from bot.services import milestones as milestones_service
from bot.services.alerts import suggestions as suggestions_service
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Click, Submission


async def _confirm_update(boundary: Boundary, sent: Submission) -> Block:
    """Replaces the window of the draft by one that shows exactly what customers will read."""
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
    return await confluence_service.order_page(boundary.services, click.request, order, str(click.value.get("page")))


async def _put_back(boundary: Boundary, click: Click) -> Message | None:
    regions = tuple(map(str, click.value.get("back") or ()))
    return await confluence_service.put_back(boundary.services, click.request, regions)


async def _choose_account(boundary: Boundary, sent: Submission) -> Message | None:
    user, account = str(sent.metadata.get("user")), str(sent.values.get("account") or "")
    return await integration_service.choose_jira_account(boundary.services, sent.request, user, account)


def _alert(click: Click) -> int:
    return int(click.value["alert"])


async def _reach(boundary: Boundary, click: Click, milestone: Milestone) -> Message | None:
    # At the time when the last alert ended, as if that had been typed.
    at = datetime.fromisoformat(click.value["at"]).astimezone(UTC)
    return await milestones_service.reach_by_button(boundary.services, click.request, milestone, at)


HANDLERS = HandlerTable(
    clicks={
        # Attached to the incident that is open in the channel of alerts.
        "alerts_attach_here": lambda b, c: suggestions_service.attach_to(
            b.services, c.request, _alert(c), int(c.value["into"])
        ),
        "alerts_ignore": lambda b, c: suggestions_service.ignore(b.services, c.request, _alert(c)),
        "alerts_again": lambda b, c: suggestions_service.suggest_again(b.services, c.request, _alert(c)),
        "alerts_more": lambda b, c: suggestions_service.show_more(b.services, c.request, int(c.value["storm"])),
        "alerts_mitigated": lambda b, c: _reach(b, c, Milestone.MITIGATED),
        "alerts_resolved": lambda b, c: _reach(b, c, Milestone.RESOLVED),
        "confluence_publish": lambda b, c: confluence_service.publish(b.services, c.request),
        "confluence_anew": lambda b, c: _order_page(b, c, ANEW),
        "confluence_overwrite": lambda b, c: _order_page(b, c, OVERWRITE),
        "confluence_back": _put_back,
        "connections_again": lambda b, c: integration_service.try_again(
            b.services, c.request, str(c.value.get("system"))
        ),
        "connections_agree": lambda b, c: integration_service.agree_to_jira(b.services, c.request),
    },
    forms={
        # The form behind [Open an incident] comes back to `handlers.incidents`.
        "alerts_open": lambda b, c: suggestions_service.open_form(b.services, c.request, _alert(c)),
        "alerts_attach": lambda b, c: suggestions_service.attach_form(b.services, c.request, _alert(c)),
        "statuspage_form": lambda b, c: statuspage_service.form(b.services, c.request),
        "statuspage_draft": lambda b, c: statuspage_service.draft_form(b.services, c.request),
        "confluence_look": lambda b, c: confluence_service.consent_form(b.services, c.request),
        "connections_account": lambda b, c: integration_service.jira_account_form(
            b.services, c.request, str(c.value.get("user"))
        ),
    },
    submissions={
        "alerts_attach": lambda b, sent: suggestions_service.attach_to(
            b.services, sent.request, int(sent.metadata["alert"]), int(sent.values["into"])
        ),
        "statuspage_draft": lambda b, sent: statuspage_service.draft(b.services, sent.request),
        "statuspage_update": _confirm_update,
        # Customers read what was confirmed, word for word, so nothing is taken from the form's fields.
        "statuspage_confirm": lambda b, sent: statuspage_service.publish(
            b.services, sent.request, dict(sent.metadata["update"])
        ),
        "confluence_agree": lambda b, sent: confluence_service.agree(b.services, sent.request),
        "connections_account": _choose_account,
    },
)
