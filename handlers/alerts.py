"""The buttons of alerts: in the channel where they are suggested, and where an incident's alerts have ended."""

from datetime import UTC, datetime

from bot.domain.records import Milestone
from bot.services import milestones as milestones_service
from bot.services.alerts import suggestions as suggestions_service
from bot.slack.views.blocks import Message
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Click


def _alert(click: Click) -> int:
    return int(click.value["alert"])


async def _reach(boundary: Boundary, click: Click, milestone: Milestone) -> Message | None:
    """The milestone at the time at which the last alert ended, as if it had been typed."""
    at = datetime.fromisoformat(click.value["at"]).astimezone(UTC)
    return await milestones_service.reach_by_button(boundary.services, click.request, milestone, at)


HANDLERS = HandlerTable(
    clicks={
        # The incident is that which is open in the channel of alerts.
        "alerts_attach_here": lambda b, c: suggestions_service.attach_to(
            b.services, c.request, _alert(c), int(c.value["into"])
        ),
        "alerts_ignore": lambda b, c: suggestions_service.ignore(b.services, c.request, _alert(c)),
        "alerts_again": lambda b, c: suggestions_service.suggest_again(b.services, c.request, _alert(c)),
        "alerts_more": lambda b, c: suggestions_service.show_more(b.services, c.request, int(c.value["storm"])),
        "alerts_mitigated": lambda b, c: _reach(b, c, Milestone.MITIGATED),
        "alerts_resolved": lambda b, c: _reach(b, c, Milestone.RESOLVED),
    },
    forms={
        # The form that opens an incident is sent to `handlers.incidents`.
        "alerts_open": lambda b, c: suggestions_service.open_form(b.services, c.request, _alert(c)),
        "alerts_attach": lambda b, c: suggestions_service.attach_form(b.services, c.request, _alert(c)),
    },
    submissions={
        "alerts_attach": lambda b, sent: suggestions_service.attach_to(
            b.services, sent.request, int(sent.metadata["alert"]), int(sent.values["into"])
        ),
    },
)
