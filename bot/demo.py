"""`afterword demo` plays an incident through the real bot and the stand-in; `afterword rehearse` serves both."""

import asyncio
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from bot.app import Afterword
from bot.clock import Clock, SettableClock, SystemClock
from bot.domain import times
from bot.domain.incident import text_beyond_milestone
from bot.domain.records import Milestone
from bot.domain.sections import BY_SLUG
from bot.domain.times.due_dates import parse_due_date
from bot.errors import AfterwordError
from bot.export import FORMATS
from bot.rehearsal import page
from bot.rehearsal.screen import ShownMessage
from bot.rehearsal.server import StandIn
from bot.rehearsal.story import Narrator, Story, StoryEntry, Tour
from bot.rehearsal.workspace import Workspace
from bot.settings import Settings, load
from bot.timeouts import Timeouts
from bot.web.sign_in import CALLBACK_PATH
from handlers import SLASH_COMMANDS
from storage.database.store import open_store

TYPING = timedelta(seconds=40)
"""From an event to the moment when a person has typed it."""

_WORDS = {
    Milestone.IMPACT_STARTED: "started",
    Milestone.DETECTED: "detected",
    Milestone.ACKNOWLEDGED: "acknowledged",
    Milestone.MITIGATED: "mitigated",
    Milestone.RESOLVED: "resolved",
}


PROGRAM = ".venv/bin/afterword"
"""How `make demo` calls it."""


async def play(
    story: Story, out: Path, narrator: Narrator | None = None, timeouts: Timeouts = Timeouts(), program: str = PROGRAM
) -> list[Path]:
    """Play the story, tell what people see, write the published postmortem into `out`; returns the files' paths."""
    narrator = narrator or Tour(Console(highlight=False))
    narrator.starts(len(story.people))
    clock = SettableClock(_find_detection(story) + TYPING)
    async with StandIn(clock) as slack, _serving(slack, clock, timeouts) as bot:
        player = Player(story, slack, bot, clock, narrator)
        await player.respond()
        await player.ask_why()
        await player.add_actions()
        await player.wait_for_reminders()
        await player.finish_overdue_action()
        await player.fill_the_rest()
        await player.publish()
        written = await player.write_files(out)
    narrator.ends(written, program)
    return written


def _find_detection(story: Story) -> datetime:
    """When the incident could first be opened: at its detection, else at the first entry."""
    detected = (entry.at for entry in story.entries if entry.milestone is Milestone.DETECTED)
    return next(detected, story.entries[0].at)


@asynccontextmanager
async def _serving(
    slack: StandIn, clock: Clock, timeouts: Timeouts = Timeouts(), port: int = 0
) -> AsyncIterator[Afterword]:
    """The bot with an empty database, connected to the stand-in over a socket; with a port, its library is on."""
    with tempfile.TemporaryDirectory(prefix="afterword-rehearsal-") as folder:
        settings = rehearsal_settings(slack, Path(folder) / "rehearsal.db", port)
        store = open_store(settings.sqlalchemy_url, timeouts=timeouts)
        try:
            async with Afterword(settings, store, clock) as bot:
                running = asyncio.create_task(bot.run())
                try:
                    await slack.wait_for_socket()
                    yield bot
                finally:
                    running.cancel()
                    await asyncio.wait([running])
        finally:
            store.close()


def rehearsal_settings(slack: StandIn, database: Path, port: int = 0) -> Settings:
    """Settings that join the bot to a stand-in workspace over a socket; with a port for it, its library is on."""
    environ = _library_settings(slack, port) if port else {}
    environ |= {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": f"sqlite:///{database}",
        "AFTERWORD_PORT": str(port),
        "AFTERWORD_TICK_SECONDS": "300",
    }
    return load(environ, env_file=None)


def _library_settings(slack: StandIn, port: int) -> dict[str, str]:
    url, openid = f"http://127.0.0.1:{port}", slack.api.openid
    openid.redirect_uris.add(f"{url}{CALLBACK_PATH}")
    slack.workspace.library_url = f"{url}/library"
    return {
        "AFTERWORD_URL": url,
        "SLACK_CLIENT_ID": openid.client_id,
        "SLACK_CLIENT_SECRET": openid.client_secret,
        "AFTERWORD_SESSION_KEY": secrets.token_urlsafe(32),
    }


def find_free_port() -> int:
    """A loopback port that no one listens at: the library's address must be known before the bot starts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _choose_entry(story: Story) -> StoryEntry | None:
    """The entry that a tour shows: a short one, typed as it happens."""
    plain = [entry for entry in story.entries if entry.milestone is None]
    live = [entry for entry in plain if entry.at >= _find_detection(story)] or plain
    return min(live, key=lambda entry: len(entry.text), default=None)


def write_time(moment: datetime, text: str, now: datetime, zone: tzinfo) -> str:
    """The time of a line as its author types it: the shortest form that is read as this moment with this text."""
    forms = _list_forms(moment, zone)
    readings = ((form, times.read(f"{form} {text}".rstrip(), now, zone)) for form in forms)
    return next((form for form, read in readings if (read.utc, read.text) == (moment, text)), forms[-1])


def _list_forms(moment: datetime, zone: tzinfo) -> tuple[str, ...]:
    """How people write a time, the shortest first; the last one says all."""
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    day = f"{local:%b} {local.day}"
    return (
        clock,
        f"yesterday {clock}",
        f"{day} {clock}",
        f"{day} {local.year} {clock}",
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    )


def _button_labels(message: ShownMessage) -> list[str]:
    return [label for label, _, _ in message.buttons]


def _write_files(workspace: Workspace, out: Path) -> list[Path]:
    """Write every file and canvas that was shared in the workspace; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    contents = {file.name: file.bytes for file in workspace.files.values() if file.channel}
    for canvas in workspace.canvases.values():
        contents[f"{canvas.title.split(' ')[0]}.canvas.md"] = canvas.markdown.encode()
    for name, content in contents.items():
        (out / name).write_bytes(content)
    return [out / name for name in contents]


class Player:
    """Does what the people of a story do."""

    def __init__(self, story: Story, slack: StandIn, bot: Afterword, clock: SettableClock, narrator: Narrator) -> None:
        self._story = story
        self._slack = slack
        self._bot = bot
        self._clock = clock
        self._narrator = narrator
        self._users = {name: slack.user(name, zone) for name, zone in story.people.items()}
        self._channel = slack.channel(story.channel, self._users.values())
        self._seen: dict[tuple[str, str], str] = {}
        """What each message said when it was last looked at."""

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    async def _type(self, who: str, text: str) -> ShownMessage | None:
        """Type a command and show its answer; returns the answer if it is a message."""
        self._narrator.types(who, text, self._now)
        answer = await self._slack.command(self._users[who], self._channel, text)
        if answer.error:
            raise AfterwordError(
                f"Slack would have shown {who}: {answer.error}. Please report this with the incident file."
            )
        if answer.ephemeral is not None and answer.ephemeral.ephemeral_for:
            self._note_seen(answer.ephemeral)
            self._narrator.sees(f"#{self._story.channel}", answer.text, _button_labels(answer.ephemeral), private=True)
        await self._settle()
        return answer.ephemeral

    async def _settle(self) -> None:
        await self._bot.boundary.drain()
        await self._bot.slack.outbox.run_due(self._now)
        await self._bot.slack.live_messages.refresh_now()
        self._show_new(self._channel, f"#{self._story.channel}")
        for name, user in self._users.items():
            self._show_new(self._slack.dm(user), f"DM to {name}")

    def _note_seen(self, message: ShownMessage) -> None:
        self._seen[message.channel, message.ts] = message.plain

    def _show_changed(self) -> None:
        """Show the messages of the channel that changed since they were last looked at: the live message."""
        for message in self._slack.messages(self._channel):
            if self._seen.get((self._channel, message.ts), message.plain) != message.plain:
                self._note_seen(message)
                self._narrator.sees(f"#{self._story.channel}, updated", message.plain, _button_labels(message))

    def _show_new(self, channel: str, where: str) -> None:
        """Show the messages that were not shown before."""
        for message in self._slack.messages(channel):
            if (channel, message.ts) not in self._seen:
                self._note_seen(message)
                names = {file.id: file.name for file in self._slack.files}
                attached = "".join(f"\n📎 {names[one]}" for one in message.files)
                in_thread = message.thread_ts not in ("", message.ts)
                place = f"{where}, in a thread" if in_thread else where
                self._narrator.sees(place, message.plain + attached, _button_labels(message))

    async def _until(self, moment: datetime) -> None:
        """Move the clock, and let the bot do what is due."""
        self._clock.set(max(moment, self._now))
        self._narrator.passes(self._now)
        await self._bot.tick(self._now)
        await self._settle()

    async def respond(self) -> None:
        """The incident itself, from its opening to its resolution."""
        story = self._story
        self._narrator.chapter("While it burns", "What happened, how bad it is, who leads: a line each.")
        await self._type(story.entries[0].author, f"/incident open {story.title}")
        if story.severity:
            await self._type(story.lead, f"/incident sev {story.severity}")
        await self._type(story.lead, f"/incident lead @{story.lead}")
        example = _choose_entry(story)
        for entry in story.entries:
            self._clock.set(max(entry.at + TYPING, self._now + timedelta(seconds=15)))
            kind = "milestone" if entry.milestone is Milestone.MITIGATED else "entry" if entry is example else ""
            with self._narrator.scene(kind):
                await self._record(entry)
            if entry.milestone:
                with self._narrator.scene("card" if kind else ""):
                    self._show_changed()
        if story.entries[-1].milestone is not Milestone.RESOLVED:
            await self._type(story.lead, "/incident resolved")

    async def _record(self, entry: StoryEntry) -> None:
        """Type an entry as its author would, and answer if the bot asks about its time."""
        milestone = entry.milestone
        command = f"/incident {_WORDS[milestone]}" if milestone else "/timeline"
        text = text_beyond_milestone(milestone, entry.text)
        written = write_time(entry.at, text, self._now, ZoneInfo(self._story.people[entry.author]))
        answer = await self._type(entry.author, f"{command} {written} {text}".rstrip())
        for _, action, value in answer.buttons if answer else ():
            is_time = action.startswith(("timeline_at_", "incident_at_")) and f'"{entry.at.isoformat()}"' in value
            if is_time or action == "milestone_keep":  # the incident file is right
                await self._slack.click(self._users[entry.author], answer, action, value)  # type: ignore[arg-type]
                await self._settle()
                break

    async def ask_why(self) -> None:
        """The five whys."""
        if not self._story.whys:
            return
        self._narrator.chapter("When it is over", "Each answer becomes the next question.")
        for number, why in enumerate(self._story.whys):
            self._clock.advance(timedelta(minutes=2))
            with self._narrator.scene("" if number else "why"):
                await self._type(why.author, f"/why {why.text}")
        await self._type(self._story.lead, "/why root")

    async def add_actions(self) -> None:
        """The corrective actions."""
        if not self._story.actions:
            return
        self._narrator.chapter("What will change", "Who does what, by when.", is_minor=True)
        for action in self._story.actions:
            self._clock.advance(timedelta(minutes=1))
            due = f" due {self._write_due(action.due)}" if action.due else ""
            answer = await self._type(self._story.lead, f"/action {action.text} @{action.owner}{due}")
            await self._link_to_cause(answer or self._slack.messages(self._channel)[-1])

    def _write_due(self, due: date) -> str:
        """The day as people write it, if it is read so, else in full."""
        today = self._now.astimezone(ZoneInfo(self._story.people[self._story.lead])).date()
        forms = (f"{due:%A}".lower(), f"{due.day} {due:%B}")
        return next((form for form in forms if (read := parse_due_date(form, today)) and read.day == due), f"{due}")

    async def _link_to_cause(self, message: ShownMessage) -> None:
        """Answer which root cause an action is for, if the message asks."""
        lead = self._story.lead
        for label, action, value in message.buttons:
            if action.startswith("finding_link_"):
                self._narrator.does(lead, f"presses [{label}]", self._now)
                await self._slack.click(self._users[lead], message, action, value)
                await self._settle()
                break

    async def wait_for_reminders(self) -> None:
        """Two days in which the postmortem is not written, except for two sections."""
        self._narrator.chapter("A day later", "The postmortem is still open, so its owner is reminded.")
        resolved_at = self._resolved_at()
        with self._narrator.scene("reminder"):
            await self._until(resolved_at + timedelta(hours=24, minutes=1))
        with self._narrator.scene("meter"):
            await self._type(self._story.lead, "/postmortem")
        for slug in list(self._story.sections)[:2]:
            await self._fill(slug)
        await self._until(resolved_at + timedelta(hours=48, minutes=1))

    def _resolved_at(self) -> datetime:
        last = self._story.entries[-1]
        return last.at if last.milestone is Milestone.RESOLVED else self._now

    async def _fill(self, slug: str, *, is_shown: bool = True) -> None:
        """Fill a section through its form."""
        lead = self._users[self._story.lead]
        overview = await self._slack.command(lead, self._channel, "/postmortem")
        assert overview.ephemeral is not None  # noqa: S101 (a command's answer is a message)
        self._note_seen(overview.ephemeral)
        await self._slack.click(lead, overview.ephemeral, "postmortem_pick")
        await self._bot.boundary.drain()
        await self._slack.submit(lead, self._slack.views(lead)[-1], {"section": slug})
        view = self._slack.views(lead)[-1]
        if is_shown:
            self._narrator.does(self._story.lead, f"fills {BY_SLUG[slug].title} in a form", self._now)
            self._narrator.sees("a form", f"{BY_SLUG[slug].question}\n{self._story.sections[slug]}", private=True)
        await self._slack.submit(lead, view, {"text_0": self._story.sections[slug][:3000]})
        await self._settle()

    async def finish_overdue_action(self) -> None:
        """The morning after an action's due date: its owner gets a digest and presses [Done]."""
        due = [action for action in self._story.actions if action.due]
        if not due:
            return
        explanation = "One message a day to each owner, in their morning."
        self._narrator.chapter("An action is overdue", explanation, is_minor=True)
        first = min(due, key=lambda action: (action.due, action.owner))
        zone = ZoneInfo(self._story.people[first.owner])
        assert first.due is not None  # noqa: S101 (chosen for it)
        morning = datetime.combine(first.due + timedelta(days=1), time(9, 1), zone).astimezone(UTC)
        with self._narrator.scene("digest"):
            await self._until(max(morning, self._now + timedelta(hours=1)))
        digest = next(
            (m for m in reversed(self._slack.messages(self._slack.dm(self._users[first.owner]))) if m.buttons), None
        )
        done = next((button for button in digest.buttons if button[1] == "action_done"), None) if digest else None
        if digest is not None and done is not None:
            self._narrator.does(first.owner, "presses [Done]", self._now)
            await self._slack.click(self._users[first.owner], digest, done[1], done[2])
            await self._settle()

    async def fill_the_rest(self) -> None:
        """Fill the other sections."""
        self._narrator.chapter("The document", "Fourteen sections, most of them from what was recorded.", is_minor=True)
        rest = list(self._story.sections)[2:]
        for slug in rest:
            await self._fill(slug, is_shown=False)
        if rest:
            titles = ", ".join(BY_SLUG[slug].title for slug in rest)
            self._narrator.does(self._story.lead, f"fills in the same way: {titles}", self._now)

    async def publish(self) -> None:
        """Publish the postmortem, also if the bot first asks about what looks unfinished."""
        lead = self._story.lead
        with self._narrator.scene("publication"):
            asked = await self._type(lead, "/postmortem publish")
            for label, action, value in asked.buttons if asked else ():
                if label.startswith("Publish"):
                    self._narrator.does(lead, f"presses [{label}]", self._now)
                    await self._slack.click(self._users[lead], asked, action, value)  # type: ignore[arg-type]
                    await self._settle()
                    break

    async def write_files(self, out: Path) -> list[Path]:
        """Export the published postmortem in every format, and write the files; returns their paths."""
        first, *others = [form for form in FORMATS if not self._bot.services.exporter.explain_trouble(form)]
        await self._type(self._story.lead, f"/postmortem export {first}")
        for form in others:
            await self._slack.command(self._users[self._story.lead], self._channel, f"/postmortem export {form}")
            await self._bot.boundary.drain()
            await self._bot.slack.outbox.run_due(self._now)
        self._narrator.does(self._story.lead, f"exports it the same way as {', '.join(others)}", self._now)
        return await asyncio.to_thread(_write_files, self._slack.workspace, out)


async def serve(port: int) -> None:
    """Serve on loopback until interrupted. Nothing is kept."""
    await page.rehearse(port, lambda slack: _serving(slack, SystemClock(), port=find_free_port()), SLASH_COMMANDS)
