"""`/incident`, and the buttons of the live message."""

import re
from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.errors import Refused
from bot.incident import lifecycle as rules
from bot.incident.carried import Carried, unpacked
from bot.incident.mentions import unpicked
from bot.incident.records import Milestone, Place
from bot.scribe import carried as carrying
from bot.scribe import connections, jsm, paging, reaching, recall, statuspage, suggestions
from bot.scribe import incidents as scribe
from bot.scribe import incidents_reached as reached
from bot.scribe.desk import Asked, Desk
from bot.scribe.incidents import Opening
from bot.slack import incidents as says
from bot.slack import milestones as asks
from bot.slack.blocks import Block, Message
from bot.slack.milestones import told_in
from bot.slack.text import mentioned
from handlers.boundary import Boundary
from handlers.capture import Capture
from handlers.requests import Click, Command, Submission, chosen_in

_AT = re.compile(r"incident_at_(\d+|now)")

NOT_NAMES = ("directmessage", "privategroup", "mpdm")
"""What Slack sends for the name of a channel that it does not name."""


class Incidents:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk, capture: Capture) -> None:
        self._desk = desk
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
        asked = command.asked
        wish = rules.wish(await self._desk.people.read(asked.team, command.text))
        if isinstance(wish, rules.Changing):
            return await self._changed(command, wish)
        if isinstance(wish, rules.Elsewhere):
            return await self._elsewhere(asked, wish)
        return await self._shown(asked, wish)

    async def _changed(self, command: Command, wish: rules.Changing) -> Message | None:
        desk, asked = self._desk, command.asked
        match wish:
            case rules.Open(title):
                opening = Opening(title, channel_name=self._channel_name(command))
                return await scribe.open_new(desk, asked, opening)
            case rules.Rename(title):
                return await scribe.rename(desk, asked, title)
            case rules.SetSeverity(severity):
                return await scribe.set_severity(desk, asked, severity)
            case rules.SetLead(who):
                return await scribe.set_lead(desk, asked, person_in(command, who), who.removeprefix("@"))
            case rules.Reach(milestone, line):
                return await reached.reach(desk, asked, milestone, line)
            case rules.Reopen(line):
                return await scribe.reopen(desk, asked, line)

    async def _shown(self, asked: Asked, wish: rules.Wish) -> Message:
        match wish:
            case rules.Search(text):
                return await recall.search(self._desk, asked, text)
            case rules.ListAll():
                return await scribe.list_all(self._desk, asked)
            case rules.Help():
                return says.help_text(self._desk.systems)
            case _:
                return await scribe.overview(self._desk, asked)

    async def _elsewhere(self, asked: Asked, wish: rules.Elsewhere) -> Message | None:
        match wish:
            case rules.Page(words):
                return await paging.page(self._desk, asked, words)
            case rules.Customers():
                return await statuspage.overview(self._desk, asked)
            case rules.OpenInJsm():
                return await jsm.open_there(self._desk, asked)
            case _:
                return await connections.overview(self._desk, asked)

    @staticmethod
    def _channel_name(command: Command) -> str:
        _require_channel(command.asked.place.channel)
        return "" if command.channel_name.startswith(NOT_NAMES) else command.channel_name

    async def mitigated(self, click: Click) -> Message | None:
        """[Mitigated] on the live message."""
        return await reaching.by_button(self._desk, click.asked, Milestone.MITIGATED)

    async def resolved(self, click: Click) -> Message | None:
        """[Resolved] on the live message."""
        return await reaching.by_button(self._desk, click.asked, Milestone.RESOLVED)

    async def reached_at(self, click: Click) -> Message | None:
        """One of the readings of a milestone's time; the whisper that asked says that it is answered."""
        chosen, milestone = chosen_in(click.value), Milestone(click.value["milestone"])
        said = await reached.reach_at(self._desk, click.asked, milestone, chosen.reading())
        answered = await reached.milestone_answered(self._desk, click.asked, milestone, chosen.at)
        self._boundary.later(self._boundary.reply(click, answered))
        return said

    async def milestone_form(self, click: Click) -> Block:
        """[Milestone] on the live message."""
        return await reached.milestone_form(self._desk, click.asked)

    async def milestone(self, sent: Submission) -> Message | None:
        """The form behind [Milestone]."""
        when, text = (str(sent.values.get(name) or "").strip() for name in ("when", "text"))
        return await reached.reach_by_form(self._desk, sent.asked, Milestone(sent.values["milestone"]), when, text)

    async def keep(self, click: Click) -> Message | None:
        """[Record resolved 21:00] and [20:10 counts]: it is right as it was typed."""
        told = told_in(click.value)
        await reached.settle(self._desk, click.asked, told)  # which the channel reads
        return asks.settled(told)

    async def move(self, click: Click) -> Message | None:
        """[Correct #4 to 20:10]."""
        return await reached.correct(self._desk, click.asked, told_in(click.value), int(click.value["other"]))

    async def note(self, click: Click) -> Message | None:
        """[Keep #4, add an entry]."""
        return await reached.note(self._desk, click.asked, told_in(click.value))

    async def correct_form(self, boundary: Boundary, click: Click) -> Block:
        """[Record it, and correct #5]: the question gives way to the form."""
        told, other = told_in(click.value), int(click.value["other"])
        form = await reached.settle_and_correct(self._desk, click.asked, told, other)
        boundary.later(boundary.reply(click, asks.settled(told)))
        return form

    async def change_form(self, click: Click) -> Block:
        """[Change it]."""
        return await reached.form_again(self._desk, click.asked, told_in(click.value))

    async def open_form(self, click: Click) -> Block:
        """[Open an incident], or the shortcut of that name."""
        channel = "" if click.in_home else click.asked.place.channel
        if carry := click.value.get("carry"):
            return carrying.form(click.asked, channel, unpacked(carry))
        return says.open_form(channel)

    async def opened(self, sent: Submission) -> Message | None:
        """The form behind [Open an incident]."""
        channel = str(sent.values.get("channel") or sent.asked.place.channel)
        _require_channel(channel)
        severity = sent.values.get("severity")
        opening = Opening(str(sent.values.get("title") or ""), int(severity) if severity else None)
        if alert := sent.metadata.get("alert"):
            return await suggestions.open_from(self._desk, sent.asked, int(alert), opening, channel)
        asked = sent.asked.at(Place(sent.asked.team, channel))
        if carry := sent.metadata.get("carry"):
            return await self._opened_with(asked, opening, unpacked(carry))
        return await scribe.open_new(self._desk, asked, opening)

    async def _opened_with(self, asked: Asked, opening: Opening, carried: Carried) -> Message | None:
        """The same, with what somebody wanted to record: a message that it was taken from is marked as usual."""
        answer = await carrying.open_with(self._desk, asked, opening, carried)
        if carried.source:
            self._capture.mark_later(carried)
        return answer


def _require_channel(channel: str) -> None:
    if not channel or channel.startswith("D"):
        sentence = "An incident needs a channel, where others can see it. Go to one and open it there."
        raise Refused(sentence)


def person_in(command: Command, who: str) -> str:
    """The user id that a command names: a mention, or `me`; raises Refused for a name that Slack did not resolve."""
    users = mentioned(command.text)
    if users:
        return users[0]
    if who.strip().lower() in ("me", "myself", "i"):
        return command.asked.user
    raise Refused(unpicked(who))
