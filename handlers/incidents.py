"""`/incident`, and the buttons of the live message."""

import re
from collections.abc import Awaitable, Callable

from bot.domain.facets import FacetKind
from bot.domain.records import Milestone, Place
from bot.domain.text import describe_unlinked_name
from bot.domain.timeline import PendingEntry, unpack_pending_entry
from bot.errors import Refused
from bot.integrations import service as integration_service
from bot.integrations.statuspage import service as statuspage_service
from bot.services import incidents as incidents_service
from bot.services import live_message as live_message_service
from bot.services import milestones as milestones_service
from bot.services import postmortem as postmortem_service
from bot.services.alerts import suggestions as suggestions_service
from bot.services.announcements import followers as followers_service
from bot.services.announcements import updates as updates_service
from bot.services.context import Request, Services
from bot.services.incidents import Opening
from bot.services.library import numbers as numbers_service
from bot.slack.mrkdwn import find_users
from bot.slack.views import incidents as incidents_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import read_report
from bot.slack.views.numbers import Topic
from handlers import capture as capture_handlers
from handlers import facets as facets_handlers
from handlers.boundary import Boundary, HandlerTable
from handlers.command_table import MAYBE_TEXT, TEXT, CommandTable, Verb
from handlers.requests import Click, Command, Submission, chosen_in

NOT_NAMES = ("directmessage", "privategroup", "mpdm")
"""What Slack sends in place of the name of a private conversation."""


async def _open(boundary: Boundary, command: Command) -> Message | None:
    _require_channel(command.request.place.channel)
    name = "" if command.channel_name.startswith(NOT_NAMES) else command.channel_name
    return await incidents_service.open_new(
        boundary.services, command.request, Opening(command.rest, channel_name=name)
    )


async def _set_lead(boundary: Boundary, command: Command) -> Message | None:
    who = command.rest
    person = require_person(command, who)
    return await incidents_service.set_lead(boundary.services, command.request, person, who.removeprefix("@"))


async def _reach(boundary: Boundary, command: Command, milestone: Milestone) -> Message | None:
    return await milestones_service.reach(boundary.services, command.request, milestone, command.rest)


NAMED = r"(?:\s+(?:INC-)?(?P<number>\d{1,9}))?"
"""An incident's key, or nothing for the one of this channel."""


async def _follow(
    boundary: Boundary, command: Command, verb: Callable[[Services, Request], Awaitable[Message | None]]
) -> Message | None:
    named = command.match["number"] if command.match else None
    request = command.request
    if named is not None:
        request = await postmortem_service.find_request(boundary.services, request, int(named))
    return await verb(boundary.services, request)


INCIDENT = CommandTable(
    "/incident",
    "Open, lead and resolve an incident",
    "*Open, lead and close an incident* in any channel. Every change becomes a timeline entry.",
    rows=(
        (
            Verb("open", MAYBE_TEXT, _open, "opens one in this channel",
                 "open checkout is failing", usage="open [title]", is_recording=True),
        ),
        (
            Verb("sev severity", r"[\s:=-]*(?P<number>[1-4])",
                 lambda b, c: incidents_service.set_severity(b.services, c.request, c.number), "sets the severity",
                 "sev 2",
                 usage="sev 2", missing="Severities go from 1 (worst) to 4. Try {example}"),
            Verb("lead", TEXT, _set_lead, "sets the incident lead", "lead @ana", usage="lead @ana",
                 missing="Who's leading? Try {example}"),
            Verb("rename", TEXT, lambda b, c: incidents_service.rename(b.services, c.request, c.rest),
                 "gives it a new title", "rename checkout is down in Europe", also="title",
                 missing="What's the new title? Try {example}"),
        ),
        (
            Verb("service", facets_handlers.NAMES, facets_handlers.run_for(FacetKind.SERVICE),
                 "adds the services that it struck; `-checkout` removes one", "service checkout, payments",
                 also="services", usage="service checkout"),
            Verb("tag", facets_handlers.NAMES, facets_handlers.run_for(FacetKind.TAG), "adds tags", "tag database",
                 also="tags"),
            Verb("service tag", facets_handlers.RENAMING, facets_handlers.rename,
                 "renames a service in all incidents", "service rename checkout = checkout-api", also="services tags"),
        ),
        (
            Verb("started", MAYBE_TEXT, lambda b, c: _reach(b, c, Milestone.IMPACT_STARTED),
                 "records when the impact began",
                 "started 13:50"),
            Verb("detected", MAYBE_TEXT, lambda b, c: _reach(b, c, Milestone.DETECTED),
                 "records when you noticed it", "detected",
                 also="detect"),
            Verb("acknowledged", MAYBE_TEXT, lambda b, c: _reach(b, c, Milestone.ACKNOWLEDGED), "records who is on it",
                 "acknowledged", also="acknowledge ack"),
            Verb("mitigated", MAYBE_TEXT, lambda b, c: _reach(b, c, Milestone.MITIGATED),
                 "records when users were fine again",
                 "mitigated", also="mitigate"),
            Verb("resolved", MAYBE_TEXT, lambda b, c: _reach(b, c, Milestone.RESOLVED),
                 "records when it was over, and why if you like",
                 "resolved 16:40 errors are gone", also="resolve close closed", usage="resolved [time]", harmful=True),
        ),
        (
            Verb("update", TEXT, lambda b, c: updates_service.update(b.services, c.request, c.rest),
                 "tells people outside, and when you'll tell them more",
                 "update checkout at 80 %, next in 30m",
                 missing="What can people outside read? Try {example}"),
            Verb("follow", NAMED, lambda b, c: _follow(b, c, followers_service.follow),
                 "sends you its updates by direct message", "follow"),
            Verb("unfollow", NAMED, lambda b, c: _follow(b, c, followers_service.unfollow),
                 "stops that", "unfollow"),
        ),
        (
            Verb("status", MAYBE_TEXT, lambda b, c: live_message_service.overview(b.services, c.request),
                 "shows its status", "", also="show", others=("",)),
            Verb("reopen", MAYBE_TEXT, lambda b, c: incidents_service.reopen(b.services, c.request, c.rest),
                 "opens it again", "reopen"),
            Verb("list", MAYBE_TEXT, lambda b, c: incidents_service.list_all(b.services, c.request, c.rest),
                 "lists all incidents that you can see, or those of `service:checkout`", "list", usage="list"),
            Verb("search", TEXT, lambda b, c: incidents_service.search(b.services, c.request, c.rest),
                 "finds incidents by their words, and by `tag:database`", "search connection pool",
                 missing="Search for what? Try {example}"),
            Verb("trends", MAYBE_TEXT, lambda b, c: numbers_service.overview(b.services, c.request, c.rest),
                 "counts what came of incidents: by period, service, tag or severity", "trends last quarter",
                 also="numbers stats metrics"),
        ),
        (
            Verb("page", MAYBE_TEXT, lambda b, c: integration_service.page_on_call(b.services, c.request, c.rest),
                 "pages the people on call", "page need a database person", needs="paging", harmful=True),
        ),
        (
            Verb("customers", MAYBE_TEXT, lambda b, c: statuspage_service.overview(b.services, c.request),
                 "shows and updates what customers read", "customers", needs="statuspage", harmful=True),
        ),
        (
            Verb("jsm", MAYBE_TEXT, lambda b, c: integration_service.open_service_incident(b.services, c.request),
                 "opens it in Jira Service Management too", "jsm", needs="jsm", harmful=True),
        ),
        (
            Verb("connections", MAYBE_TEXT, lambda b, c: integration_service.overview(b.services, c.request),
                 "shows the state of other systems", "connections", needs="any"),
        ),
    ),
    foreign={
        **dict.fromkeys(("declare", "new", "create"), "/incident open"),
        **dict.fromkeys(("role", "owner", "assign"), "/incident lead"),
        "priority": "/incident sev 2",
        **dict.fromkeys(("note", "log", "add"), "/timeline what happened"),
        "action": "/action what @owner due friday",
        "why": "/why because …",
        "postmortem": "/postmortem",
        "export": "/postmortem export",
    },
)  # fmt: skip


async def _reach_at(boundary: Boundary, click: Click) -> Message | None:
    """One of the readings of a milestone's time; the question then shows that it is answered."""
    chosen, milestone = chosen_in(click.value), Milestone(click.value["milestone"])
    receipt = await milestones_service.reach_at(boundary.services, click.request, milestone, chosen.reading())
    if receipt is None or receipt.get("response_type") != "in_channel":
        return receipt
    answered = await milestones_service.show_answer(boundary.services, click.request, milestone, chosen.at)
    boundary.later(boundary.reply(click, answered))
    return receipt


async def _reach_by_form(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Milestone]."""
    when, text = (str(sent.values.get(name) or "").strip() for name in ("when", "text"))
    return await milestones_service.reach_by_form(
        boundary.services, sent.request, Milestone(sent.values["milestone"]), when, text
    )


async def _settle(boundary: Boundary, click: Click) -> Message | None:
    """[Record resolved 21:00] and [20:10 counts]: it is right as it was typed."""
    report = read_report(click.value)
    receipt = await milestones_service.settle(boundary.services, click.request, report)
    is_posted = receipt is not None and receipt.get("response_type") == "in_channel"
    return incidents_views.milestone_receipt(report, click.request.now) if is_posted else receipt


async def _settle_and_correct(boundary: Boundary, click: Click) -> Block:
    """[Record it, and correct #5]: the receipt replaces the question, and the form opens."""
    report, other = read_report(click.value), int(click.value["other"])
    form = await milestones_service.settle_and_correct(boundary.services, click.request, report, other)
    boundary.later(boundary.reply(click, incidents_views.milestone_receipt(report, click.request.now)))
    return form


async def _show_behind(boundary: Boundary, click: Click) -> Message:
    """[Show these] beside a figure."""
    chosen = numbers_service.restore_selection(click.value, click.request.now)
    return await numbers_service.show_behind(boundary.services, click.request, Topic(click.value["topic"]), chosen)


async def _open_form(_: Boundary, click: Click) -> Block:
    """[Open an incident], or the shortcut of that name."""
    channel = "" if click.in_home else click.request.place.channel
    if carry := click.value.get("carry"):
        return incidents_service.form(click.request, channel, unpack_pending_entry(carry))
    return incidents_views.open_form(channel)


async def _open_by_form(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Open an incident]."""
    channel = str(sent.values.get("channel") or sent.request.place.channel)
    _require_channel(channel)
    severity = sent.values.get("severity")
    opening = Opening(str(sent.values.get("title") or ""), int(severity) if severity else None)
    if alert := sent.metadata.get("alert"):
        return await suggestions_service.open_incident(boundary.services, sent.request, int(alert), opening, channel)
    request = sent.request.at(Place(sent.request.team, channel))
    if carry := sent.metadata.get("carry"):
        return await _open_and_record(boundary, request, opening, unpack_pending_entry(carry))
    return await incidents_service.open_new(boundary.services, request, opening)


async def _open_and_record(
    boundary: Boundary, request: Request, opening: Opening, pending: PendingEntry
) -> Message | None:
    """Open with the pending entry; if that was captured from a message, the message is marked as usual."""
    answer = await incidents_service.open_and_record(boundary.services, request, opening, pending)
    if pending.source:
        capture_handlers.mark_later(boundary, pending)
    return answer


def _require_channel(channel: str) -> None:
    if not channel or channel.startswith("D"):
        raise Refused("An incident needs a channel, where others can see it. Go to one and open it there.")


def require_person(command: Command, who: str) -> str:
    """The user id of a mention, or the author's for `me`. Raises Refused for a name that Slack did not resolve."""
    users = find_users(command.text)
    if users:
        return users[0]
    if who.strip().lower() in ("me", "myself", "i"):
        return command.request.user
    raise Refused(describe_unlinked_name(who))


HANDLERS = HandlerTable(
    recording=frozenset({"incident_form_open", "incident_open"}),
    commands={INCIDENT.name: INCIDENT.run},
    clicks={
        "incident_mitigated": lambda b, c: milestones_service.reach_by_button(
            b.services, c.request, Milestone.MITIGATED
        ),
        "incident_resolved": lambda b, c: milestones_service.reach_by_button(b.services, c.request, Milestone.RESOLVED),
        re.compile(r"incident_at_(\d+|now)"): _reach_at,
        "milestone_keep": _settle,
        "milestone_move": lambda b, c: milestones_service.correct(
            b.services, c.request, read_report(c.value), int(c.value["other"])
        ),
        "numbers_show": _show_behind,
        "announce_follow": lambda b, c: followers_service.follow(b.services, c.request),
        "announce_unfollow": lambda b, c: followers_service.unfollow(b.services, c.request),
        "update_quiet": lambda b, c: updates_service.extend(b.services, c.request),
        "update_end": lambda b, c: updates_service.end(b.services, c.request),
        "milestone_note": lambda b, c: milestones_service.record_note(b.services, c.request, read_report(c.value)),
    },
    forms={
        "incident_milestone": lambda b, c: milestones_service.milestone_form(b.services, c.request),
        "milestone_correct": _settle_and_correct,
        "milestone_change": lambda b, c: milestones_service.rebuild_form(b.services, c.request, read_report(c.value)),
        "incident_form_open": _open_form,
        "update_write": lambda b, c: updates_service.form(b.services, c.request),
    },
    submissions={
        "update_write": lambda b, s: updates_service.send_form(
            b.services, s.request, str(s.values.get("text") or ""), str(s.values.get("next") or "")
        ),
        "incident_milestone": _reach_by_form,
        "incident_open": _open_by_form,
    },
    shortcut_forms={"incident_open": _open_form},
)
