"""How tests/data/before_redesign was made: a database and a workspace as the last commit before the redesign left them.

Run by that commit's code, so it must not be brought up to date with ours:

    git worktree add ../before 3b989a6 && cd ../before
    PYTHONPATH=$PWD python -P ../afterword/tests/support/old_release.py ../afterword/tests/data/before_redesign

An incident is played with something of everything, forms are left open, and messages are left owed. What is kept is
the database (SQLite, packed with gzip) and what Slack would have: people, channels, messages with their buttons, open
forms, Home tabs; and the work items of a fake Jira. Everything is invented.
"""

import asyncio
import gzip
import importlib
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

STORY = importlib.import_module("tests.handlers.stage")
ALARMS = importlib.import_module("tests.alarms")
PLAYING = importlib.import_module("tests.playing")
FAKE = importlib.import_module("tests.publish.fakes.jira")
DAYS = importlib.import_module("tests.publish.fakes.days")
CLIENTS = importlib.import_module("tests.publish.clients")
DRAFTS = importlib.import_module("tests.handlers.test_drafts")
WHOLLY = 1_000_000


class Story:
    """What people do, in order."""

    def __init__(self, play: Any, jira: Any) -> None:
        self.play, self.slack, self.jira = play, play.slack, jira
        self.ana, self.bo, self.chandra = play.ana, play.bo, play.chandra

    async def type(self, user: str, *lines: str, channel: str = "") -> None:
        """Commands, twenty seconds apart."""
        for line in lines:
            answer = await self.slack.command(user, channel or self.play.channel, line)
            assert answer.ok, answer
            await self.play.bot.boundary.drain()  # a form opens within the seconds that its trigger lives
            self.play.clock.advance(timedelta(seconds=20))

    async def tell(self) -> None:
        """The incident is opened and its timeline typed, with each question that a time can raise."""
        for user, email in ((self.ana, "ana@team.example"), (self.bo, "bo@team.example")):
            await self.slack.change_person(user, email=email)
        workspace = self.slack.workspace
        workspace.put(workspace.channels[self.play.channel], self.bo, "12:20 UTC first alert, the pool is full")
        await self.type(self.ana, "/incident list", "/timeline 12:05 UTC typed before there was an incident")
        await self.type(self.ana, "/incident open Checkout is failing", "/incident sev 2", "/incident lead @Ana Demo")
        await self.play.settle()
        await self.type(
            self.ana,
            *("/timeline 12:05 UTC errors climb", "/timeline 13:10 failed over to replica", "/timeline 25:99 a typo"),
            "/timeline 05/04 10:00 old alert",
            *("/timeline ping was lost, seen at 13:02 and again at 13:20", "/timeline 13:00-13:10 slow queries"),
            "/timeline rotated the password=" + "hunter" + "2-of-demo by hand",
            "/timeline errors back to normal",
        )
        self.play.clock.advance(timedelta(seconds=-18))
        await self.type(self.ana, "/timeline errors back to normal")
        await self.type(self.bo, "/timeline edit 2 13:11 failed over to the replica", "/timeline delete 3")
        await self.type(
            self.bo, "/timeline a mistake", "/timeline undo", "/timeline show", "/timeline help", "/timeline"
        )
        await self.type(self.ana, "/timeline paste", "/incident", "/timeline shwo")
        await self.slack.say(self.bo, self.play.channel, "the pool is full, see the graph")
        message = self.slack.messages(self.play.channel)[-1]
        await self.slack.shortcut(self.bo, self.play.channel, message.ts, "timeline_add_message")
        await self.play.settle()

    async def decide(self) -> None:
        """Milestones, one of which contradicts the record; whys; actions with every question; the postmortem."""
        await self.type(
            self.ana, "/incident detected 12:06 UTC alert fired", "/incident mitigated 12:20 UTC failed over"
        )
        await self.type(self.bo, "/incident resolved 12:10 UTC queue drained", "/incident resolved 12:31 UTC over")
        await self.play.settle()
        await self.type(
            self.ana, "/why", "/why because the pool was full, see #2", "/why nobody looked", "/why the alarm was off"
        )
        await self.type(self.bo, "/why branch 1 the load test was small", "/why root", "/why delete 2", "/why blame bo")
        self.jira.next_time("POST .*/issue$", DAYS.refused(400, {"errors": {"customfield_1": "is required"}}))
        await self.type(self.ana, "/action refused by Jira @Ana Demo due 2026-11-24")
        await self.play.pass_time(seconds=5)
        await self.type(
            self.ana,
            *("/action one pool per process @Ana Demo due 2026-11-24", "/action load test @Bo Demo due friday"),
            *(
                "/action improve monitoring",
                "/action rewrite it @Chandra Demo due 05/04",
                "/action list",
                "/action help",
            ),
        )
        await self.play.pass_time(seconds=5)
        await self.type(
            self.bo,
            "/action done 3",
            "/action drop 4 because it is too large",
            "/action edit 2 one pool for each process",
        )
        await self.play.pass_time(seconds=5)
        await self.type(
            self.ana, "/postmortem", "/postmortem owner @Bo Demo", "/postmortem help", "/postmortem export markdown"
        )
        await self.play.settle()
        await DRAFTS.edited(self.play, "It *grew* over a week.", "Dana from support")
        await DRAFTS.fill(self.play, self.ana, "leadup", "A release.")
        await DRAFTS.fill(self.play, self.ana, "summary", "Checkout failed for half an hour.")
        await self.type(self.ana, "/postmortem", "/postmortem share #search")
        await self.play.settle()

    async def wait(self) -> None:
        """Alerts; then weeks pass, and reminders and digests are sent."""
        for name, at in (("Checkout", "12:20"), ("Payments", "12:25")):
            member = ALARMS.member(name, f"2026-11-23T{at}:00Z")
            await ALARMS.call(self.play, "alertmanager", ALARMS.alertmanager(member, group=name))
        await self.play.settle()
        for user in (self.ana, self.bo, self.chandra):
            await self.slack.open_home(user)
        for hours in (24, 24, 24, 24 * 4, 24 * 7):
            await self.play.pass_time(hours=hours)
            await self.play.settle()
        await self.type(
            self.ana, "/incident open Search is slow", channel=self.slack.channel("search", [self.ana, self.bo])
        )
        await self.type(self.ana, "/incident open Mail is late")
        await self.play.settle()
        await self.type(
            self.ana, "/timeline mails wait", "/incident resolved mails are out", "/postmortem", "/action list"
        )
        await self.play.settle()

    async def open_forms(self) -> None:
        """A form of each kind, left open while the new version is installed; no one has two."""
        for number, (line, action) in enumerate(FORMS):
            user = self.slack.user(f"Person {number}", "Europe/Berlin")
            self.slack.workspace.channels[self.play.channel].members.add(user)
            await self.type(user, line)
            await self.open_form(user, self.play.channel, action)
        for user, action in ((self.ana, "action_drop"), (self.bo, "postmortem_hand_over")):
            await self.open_form(user, self.slack.dm(user), action)

    async def open_form(self, user: str, place: str, action: str) -> None:
        """Press the newest such button in a channel; the form that opens stays open."""
        if action:
            shown = self.slack.messages(place, user=user)
            await self.slack.click(user, [one for one in shown if has(self.slack, user, one, action)][-1], action)
        await self.play.bot.boundary.drain()
        assert self.slack.views(user)

    async def owe(self) -> None:
        """Slack and Jira stop answering: whatever is to be said from here on stays owed."""
        other, third = self.slack.channel("mail", [self.ana, self.bo]), self.slack.channel("pay", [self.ana, self.bo])
        await self.type(self.ana, "/incident open Checkout is failing again", channel=other)
        await self.type(self.ana, "/timeline errors climb", "/timeline failed over to the replica", channel=other)
        await self.play.settle()
        for method in ("chat.postMessage", "chat.update", "files.getUploadURLExternal"):
            self.slack.fail(method, "internal_error", times=WHOLLY, status=500)
        self.jira.next_time(".", *[DAYS.BadDay(503)] * 500)
        await self.type(self.ana, "/action renew the tokens @Ana Demo due 2026-12-20", channel=other)
        await self.type(
            self.ana, "/action never mind @Ana Demo due 2026-12-20", "/action drop 2 because never", channel=other
        )
        await self.type(self.ana, "/incident resolved tokens renewed", "/postmortem", channel=other)
        await self.type(self.ana, "/postmortem export markdown", "/why because nobody owned it", channel=other)
        await self.type(self.ana, "/incident open Payments wait", channel=third)
        await self.open_form(self.bo, self.slack.dm(self.bo), "postmortem_hand_over")
        await self.slack.submit(self.bo, self.slack.views(self.bo)[-1], {"owner": self.chandra})
        member = ALARMS.member("Search", "2026-12-07T12:20:00Z")
        await ALARMS.call(self.play, "alertmanager", ALARMS.alertmanager(member, group="search"))
        await self.play.pass_time(seconds=5)
        await self.play.pass_time(hours=24 * 7)


FORMS = [
    ("/incident", "timeline_form_open"),
    ("/incident", "incident_milestone"),
    ("/timeline the page is slow", "timeline_edit"),
    ("/timeline paste", ""),
    ("/postmortem", "postmortem_fill"),
    ("/postmortem", "postmortem_pick"),
    ("/postmortem share #search", ""),
    ("/why", "why_answer"),
    ("/action improve monitoring", "action_edit"),
]
"""What a new person types, and the button that opens a form, where the command opens none by itself."""


def has(slack: Any, user: str, message: Any, action: str) -> bool:
    """Whether a message shows a person this button."""
    return f'"action_id": "{action}"' in json.dumps(slack.shown_to(user, message).blocks)


def frozen(slack: Any) -> dict[str, Any]:
    """The stand-in's workspace as JSON."""
    workspace = slack.workspace
    return {
        "users": [asdict(user) for user in workspace.users.values()],
        "channels": [_channel(place) for place in workspace.channels.values()],
        "stacks": {user: [_view(view) for view in stack] for user, stack in workspace.stacks.items()},
        "homes": {user: _view(view) for user, view in workspace.homes.items()},
        "numbers": dict(workspace._numbers),
        "base_url": workspace.base_url,
    }


def _channel(place: Any) -> dict[str, Any]:
    messages = [asdict(message) | {"files": []} for message in place.messages.values()]
    return {**_fields(place), "members": sorted(place.members), "messages": messages}


def _fields(thing: Any) -> dict[str, Any]:
    names = ("id", "name", "private", "archived", "dm_with", "created", "last_ts")
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def _view(view: Any) -> dict[str, Any]:
    found = {name: getattr(view, name) for name in view.__dataclass_fields__ if name != "typed"}
    return found | {"typed": [[*key, value] for key, value in view.typed.items()]}


def main(out: Path) -> None:
    """Play, and write both files."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "afterword.db"
        workspace = asyncio.run(play_story(path))
        with closing(sqlite3.connect(path)) as database:
            database.execute("VACUUM INTO ?", (f"{folder}/packed.db",))
        (out / "afterword.db.gz").write_bytes(gzip.compress(Path(folder, "packed.db").read_bytes(), mtime=0))
    (out / "workspace.json").write_text(json.dumps(workspace, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


async def play_story(path: Path) -> dict[str, Any]:
    """The workspace at the end of the story; the database is at `path`."""
    jira = FAKE.FakeJira()
    async with jira.serving() as url:
        environ = ALARMS.SECRETS | {
            "AFTERWORD_ALERTS_CHANNEL": ALARMS.ALERTS,
            "AFTERWORD_ALERTS_OPEN": "none",
            "AFTERWORD_JIRA_URL": url,
            "AFTERWORD_JIRA_EMAIL": CLIENTS.EMAIL,
            "AFTERWORD_JIRA_TOKEN": CLIENTS.SECRET,
            "AFTERWORD_JIRA_PROJECT": "OPS",
        }
        async with PLAYING.playing(f"sqlite:///{path}", environ=environ) as play:
            assert play.slack.channel("alerts", [play.ana, play.bo, play.chandra]) == ALARMS.ALERTS
            await play.bot.roster.settled()
            story = Story(play, jira)
            for part in (story.tell, story.decide, story.wait, story.open_forms, story.owe):
                await part()
            return frozen(play.slack) | {"now": play.clock.now().isoformat(), "jira": jira.issues}


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
