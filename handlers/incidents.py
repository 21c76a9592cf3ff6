"""`/incident`, and the buttons of the live message."""

import re
from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.domain import incident as incident_rules
from bot.domain.records import Milestone, Place
from bot.domain.text import describe_unlinked_name
from bot.domain.timeline import PendingEntry, unpack_pending_entry
from bot.errors import Refused
from bot.integrations import overview
from bot.integrations.paging import sync as paging_sync
from bot.integrations.service_management import sync as service_management_sync
from bot.integrations.statuspage import sync as statuspage_sync
from bot.services import incidents as incidents_service
from bot.services import milestones as milestones_service
from bot.services import similar_incidents as similar_incidents_service
from bot.services.alerts import suggestions as suggestions_service
from bot.services.context import Request, Services
from bot.services.incidents import Opening
from bot.slack.mrkdwn import mentioned
from bot.slack.views import incidents as incidents_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import read_report
from handlers.boundary import Boundary
from handlers.capture import CaptureHandlers
from handlers.requests import Click, Command, Submission, chosen_in

_AT = re.compile(r"incident_at_(\d+|now)")

NOT_NAMES = ("directmessage", "privategroup", "mpdm")
"""What Slack sends for the name of a channel that it does not name."""


class Incidents:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, services: Services, capture: CaptureHandlers) -> None:
        self._services = services
        self._capture = capture

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        self._boundary = boundary
        app.command("/incident")(boundary.command(self.command))
        app.action("incident_mitigated")(boundary.click(self.mitigated))
        app.action("incident_resolved")(boundary.click(self.resolved))
        app.action(_AT)(boundary.click(self.reached_at))
        app.action("incident_milestone")(boundary.form(self.milestone_form))
        app.view("incident_milestone")(boundary.submission(self.milestone))
        app.action("milestone_keep")(boundary.click(self.keep))
        app.action("milestone_move")(boundary.click(self.move))
        app.action("milestone_note")(boundary.click(self.note))
        app.action("milestone_correct")(boundary.form(partial(self.correct_form, boundary)))
        app.action("milestone_change")(boundary.form(self.change_form))
        app.action("incident_form_open")(boundary.form(self.open_form))
        app.shortcut("incident_open")(boundary.form(self.open_form))
        app.view("incident_open")(boundary.submission(self.opened))

    async def command(self, command: Command) -> Message | None:
        """`/incident TEXT`."""
        request = command.request
        wish = incident_rules.wish(await self._services.slack.directory.read(request.team, command.text))
        if isinstance(wish, incident_rules.Changing):
            return await self._changed(command, wish)
        if isinstance(wish, incident_rules.Elsewhere):
            return await self._elsewhere(request, wish)
        return await self._shown(request, wish)

    async def _changed(self, command: Command, wish: incident_rules.Changing) -> Message | None:
        services, request = self._services, command.request
        match wish:
            case incident_rules.Open(title):
                opening = Opening(title, channel_name=self._channel_name(command))
                return await incidents_service.open_new(services, request, opening)
            case incident_rules.Rename(title):
                return await incidents_service.rename(services, request, title)
            case incident_rules.SetSeverity(severity):
                return await incidents_service.set_severity(services, request, severity)
            case incident_rules.SetLead(who):
                return await incidents_service.set_lead(
                    services, request, person_in(command, who), who.removeprefix("@")
                )
            case incident_rules.ReachMilestone(milestone, line):
                return await milestones_service.reach(services, request, milestone, line)
            case incident_rules.ReopenIncident(line):
                return await incidents_service.reopen(services, request, line)

    async def _shown(self, request: Request, wish: incident_rules.Wish) -> Message:
        match wish:
            case incident_rules.Search(text):
                return await similar_incidents_service.search(self._services, request, text)
            case incident_rules.ListIncidents():
                return await incidents_service.list_all(self._services, request)
            case incident_rules.IncidentHelp():
                return incidents_views.help_message(self._services.integrations.names)
            case _:
                return await incidents_service.overview(self._services, request)

    async def _elsewhere(self, request: Request, wish: incident_rules.Elsewhere) -> Message | None:
        match wish:
            case incident_rules.PageOnCall(words):
                return await paging_sync.page(self._services, request, words)
            case incident_rules.Customers():
                return await statuspage_sync.overview(self._services, request)
            case incident_rules.OpenInJsm():
                return await service_management_sync.open_incident(self._services, request)
            case _:
                return await overview.overview(self._services, request)

    @staticmethod
    def _channel_name(command: Command) -> str:
        _require_channel(command.request.place.channel)
        return "" if command.channel_name.startswith(NOT_NAMES) else command.channel_name

    async def mitigated(self, click: Click) -> Message | None:
        """[Mitigated] on the live message."""
        return await milestones_service.by_button(self._services, click.request, Milestone.MITIGATED)

    async def resolved(self, click: Click) -> Message | None:
        """[Resolved] on the live message."""
        return await milestones_service.by_button(self._services, click.request, Milestone.RESOLVED)

    async def reached_at(self, click: Click) -> Message | None:
        """One of the readings of a milestone's time; the whisper that asked says that it is answered."""
        chosen, milestone = chosen_in(click.value), Milestone(click.value["milestone"])
        said = await milestones_service.reach_at(self._services, click.request, milestone, chosen.reading())
        answered = await milestones_service.milestone_answered(self._services, click.request, milestone, chosen.at)
        self._boundary.later(self._boundary.reply(click, answered))
        return said

    async def milestone_form(self, click: Click) -> Block:
        """[Milestone] on the live message."""
        return await milestones_service.milestone_form(self._services, click.request)

    async def milestone(self, sent: Submission) -> Message | None:
        """The form behind [Milestone]."""
        when, text = (str(sent.values.get(name) or "").strip() for name in ("when", "text"))
        return await milestones_service.reach_by_form(
            self._services, sent.request, Milestone(sent.values["milestone"]), when, text
        )

    async def keep(self, click: Click) -> Message | None:
        """[Record resolved 21:00] and [20:10 counts]: it is right as it was typed."""
        told = read_report(click.value)
        await milestones_service.settle(self._services, click.request, told)  # which the channel reads
        return incidents_views.milestone_receipt(told)

    async def move(self, click: Click) -> Message | None:
        """[Correct #4 to 20:10]."""
        return await milestones_service.correct(
            self._services, click.request, read_report(click.value), int(click.value["other"])
        )

    async def note(self, click: Click) -> Message | None:
        """[Keep #4, add an entry]."""
        return await milestones_service.note(self._services, click.request, read_report(click.value))

    async def correct_form(self, boundary: Boundary, click: Click) -> Block:
        """[Record it, and correct #5]: the question gives way to the form."""
        told, other = read_report(click.value), int(click.value["other"])
        form = await milestones_service.settle_and_correct(self._services, click.request, told, other)
        boundary.later(boundary.reply(click, incidents_views.milestone_receipt(told)))
        return form

    async def change_form(self, click: Click) -> Block:
        """[Change it]."""
        return await milestones_service.form_again(self._services, click.request, read_report(click.value))

    async def open_form(self, click: Click) -> Block:
        """[Open an incident], or the shortcut of that name."""
        channel = "" if click.in_home else click.request.place.channel
        if carry := click.value.get("carry"):
            return incidents_service.form(click.request, channel, unpack_pending_entry(carry))
        return incidents_views.open_form(channel)

    async def opened(self, sent: Submission) -> Message | None:
        """The form behind [Open an incident]."""
        channel = str(sent.values.get("channel") or sent.request.place.channel)
        _require_channel(channel)
        severity = sent.values.get("severity")
        opening = Opening(str(sent.values.get("title") or ""), int(severity) if severity else None)
        if alert := sent.metadata.get("alert"):
            return await suggestions_service.open_from(self._services, sent.request, int(alert), opening, channel)
        request = sent.request.at(Place(sent.request.team, channel))
        if carry := sent.metadata.get("carry"):
            return await self._opened_with(request, opening, unpack_pending_entry(carry))
        return await incidents_service.open_new(self._services, request, opening)

    async def _opened_with(self, request: Request, opening: Opening, carried: PendingEntry) -> Message | None:
        """The same, with what somebody wanted to record: a message that it was taken from is marked as usual."""
        answer = await incidents_service.open_with(self._services, request, opening, carried)
        if carried.source:
            self._capture.mark_later(carried)
        return answer


def _require_channel(channel: str) -> None:
    if not channel or channel.startswith("D"):
        raise Refused("An incident needs a channel, where others can see it. Go to one and open it there.")


def person_in(command: Command, who: str) -> str:
    """The user id that a command names: a mention, or `me`; raises Refused for a name that Slack did not resolve."""
    users = mentioned(command.text)
    if users:
        return users[0]
    if who.strip().lower() in ("me", "myself", "i"):
        return command.request.user
    raise Refused(describe_unlinked_name(who))
