"""Texts of forty thousand characters, through every way in: no one else waits for them.

The real program runs beside the workspace, and writes down what its loop spends on each callback in CPU time. While a
long text is on its way, another person types `/timeline`.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import bounds
from bot.clock import SystemClock
from bot.rehearsal.block_kit import CannotTypeError
from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.payloads import envelope, view_json
from bot.rehearsal.screen import ShownMessage, list_elements
from bot.rehearsal.server import StandIn
from tests.support import alert_senders
from tests.support.acceptance.programs import START_SECONDS, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.interactions import is_receipt

pytestmark = pytest.mark.slow

LONGEST_CALLBACK = 0.1
"""Seconds of CPU time: what another person's command may wait for."""
TOGETHER = 33
"""So many steps follow one another at once; only if one of them took too long is each done and measured by itself."""
ROUNDS = 3
"""A step that took too long is done again, so that a busy machine is no fault; each round a little different."""
LINGERING_SECONDS = 0.1
"""How long after a step its last callback may come."""

PUMPS = (
    *(
        " ",
        "\t",
        "\n",
        "a",
        "0",
        "-",
        "#",
        "`",
        "1, ",
        "5, 6 ",
        "a ",
        "- a\n",
        "| a ",
        "[",
        "](/",
        "**a ",
        "_",
        "<@U1> ",
    ),
    *(
        "<",
        "&",
        "\\",
        "a@",
        "a.",
        "http://",
        "due ",
        "by ",
        "14:05 ",
        "password=",
        "<![CDATA[",
        '{"a":',
        "日",
        "\u202e",
        "\u0301",
    ),
)
COMMANDS = (
    *(
        "/timeline ",
        "/timeline 14:05 ",
        "/timeline | ",
        "/timeline edit 1 ",
        "/timeline show ",
        "/timeline paste ",
        "/timeline since ",
    ),
    *("/why ", "/why because ", "/why branch 1 ", "/why edit 1 ", "/why move 1 "),
    *(
        "/incident ",
        "/incident title ",
        "/incident lead ",
        "/incident resolved ",
        "/incident search ",
        "/incident update ",
    ),
    *(
        "/action ",
        "/action done ",
        "/action drop 1 ",
        "/action 1 ",
        "/action 3, ",
        "/action fix it due ",
        "/action see #",
    ),
    *("/postmortem ", "/postmortem waive ", "/postmortem owner ", "/postmortem export ", "/postmortem redact "),
)
"""Beginnings: what follows is a long text."""
WAYS_TO_FORMS = ("/timeline", "/why", "/action", "/incident", "/postmortem", "/action list", "/incident help")


Step = Callable[[int], Awaitable[object]]
"""Something that a person or a system does with a text, told apart by a number."""

BEFORE = (
    *("/incident open checkout is failing", "/timeline down", "/incident resolved", "/why because of it"),
    "/action fix it",
)


def long_text(begin: str, pump: str, number: int) -> str:
    """As long as any may be, and different each time."""
    return f"{begin}{pump * (bounds.TEXT // len(pump))}"[: bounds.TEXT - 8] + f"={number}"


@dataclass(slots=True)
class Life:
    """The program, its workspace, and the file in which its loop's work is written down."""

    slack: StandIn
    ana: str
    bo: str
    channel: str
    url: str
    notes: Path
    typed: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    """The longest callback of the latest step."""

    async def do(self, steps: Iterable[tuple[str, Step]]) -> float:
        """Do one thing after the other, each while another person types; the longest callback meanwhile."""
        before = self.notes.stat().st_size
        for name, step in steps:
            self.typed += 1
            doing = asyncio.create_task(_quietly(step(self.typed)))
            answer = await self.slack.command(self.bo, self.channel, f"/timeline step {self.typed} is done")
            # Once the postmortem is waived there is no incident to record in, which is an answer too.
            answered = is_receipt(answer.text) or "You typed:" in answer.text
            assert answered, (name, answer, self.notes.read_text()[before:])
            await doing
        await asyncio.sleep(LINGERING_SECONDS)
        notes = [json.loads(line) for line in self.notes.read_text()[before:].splitlines()]
        self.last = max(notes, key=lambda note: note["took"], default={"took": 0.0, "where": ""})
        return float(self.last["took"])


async def _quietly(step: Awaitable[object]) -> None:
    # The workspace's own keyboard may refuse what a person could not type.
    with suppress(LookupError, CannotTypeError, ValueError):
        await step


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Life]:  # noqa: PLR0915
    """The watched program in a workspace, with an incident that is resolved and has a why and an action."""
    notes, log, port = folder / "notes.jsonl", folder / "program.log", free_port()
    notes.touch()
    async with StandIn(SystemClock()) as slack:
        slack.patience = LONG_SECONDS
        ana, bo = slack.user("Ana Demo", "Europe/Berlin"), slack.user("Bo Demo", "America/New_York")
        channel, alerts = slack.channel("checkout", [ana, bo]), slack.channel("alerts", [ana, bo])
        environ = environ_of(slack, f"sqlite:///{folder / 'afterword.db'}", AFTERWORD_LOG_LEVEL="WARNING")
        environ |= alert_senders.SECRETS | {"AFTERWORD_ALERTS_CHANNEL": alerts, "AFTERWORD_PORT": str(port)}
        words = (sys.executable, "-m", "tests.support.acceptance.stopwatch", str(notes), "run")
        environ |= {"PATH": os.defpath, "PYTHONPATH": str(Path.cwd())}
        with log.open("wb") as err:
            process = await asyncio.create_subprocess_exec(*words, env=environ, cwd=folder, stdout=err, stderr=err)
        url = f"http://127.0.0.1:{port}"
        slack.send_to(f"{url}/slack/events")
        try:
            await _alive(url)
            for text in BEFORE:
                assert (await slack.command(ana, channel, text)).ok
            yield Life(slack, ana, bo, channel, url, notes)
            assert process.returncode is None, log.read_text()
            assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _alive(url: str) -> None:
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{url}/healthz") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)


async def sweep(life: Life, steps: dict[str, Step]) -> None:
    """Do every step; what held the loop up for too long, each time, is a fault."""
    every, faults = list(steps.items()), list[str]()
    for at in range(0, len(every), TOGETHER):
        faults += [fault async for fault in faults_of(life, every[at : at + TOGETHER])]
    assert faults == []


async def faults_of(life: Life, steps: Sequence[tuple[str, Step]]) -> AsyncIterator[str]:
    if await life.do(steps) <= LONGEST_CALLBACK:
        return
    for name, step in steps:
        took = [await life.do([(name, step)])]
        while took[-1] > LONGEST_CALLBACK and len(took) < ROUNDS:
            took.append(await life.do([(name, step)]))
        if took[-1] > LONGEST_CALLBACK:
            yield f"{name}: {min(took):.3f} s {life.last['where']}"


def typing(life: Life, begin: str, pump: str) -> Step:
    return lambda number: life.slack.command(life.ana, life.channel, long_text(begin, pump, number))


async def test_commands(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        await sweep(life, {f"{begin}{pump!r}": typing(life, begin, pump) for begin in COMMANDS for pump in PUMPS})


def saying(life: Life, where: str, begin: str, pump: str, thread: str | None) -> Step:
    return lambda number: life.slack.say(life.ana, where, long_text(begin, pump, number), thread_ts=thread)


async def test_messages(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        await asyncio.sleep(2)
        threads = [
            message.ts for message in life.slack.messages(life.channel) if message.user == life.slack.bot_user_id
        ]
        home = life.slack.dm(life.ana)
        ways: list[tuple[str, str, str | None]] = [
            (home, "", None),
            (home, "1 ", None),
            (home, "done ", None),
            (home, "5, ", None),
        ]
        ways += [
            (life.channel, "@afterword ", None),
            (life.channel, "@afterword 14:05 ", None),
            (life.channel, "", None),
        ]
        ways += [(life.channel, begin, thread) for thread in threads for begin in ("because ", "@afterword ")]
        await sweep(
            life,
            {
                f"{where} {begin}{pump!r} {thread}": saying(life, where, begin, pump, thread)
                for where, begin, thread in ways
                for pump in PUMPS
            },
        )


def capturing(life: Life, pump: str) -> Step:
    async def step(number: int) -> None:
        ts = await life.slack.say(life.bo, life.channel, long_text("", pump, number))
        await life.slack.react(life.ana, life.channel, ts, "memo")
        for callback in ("timeline_capture", "capture_message"):
            await _quietly(life.slack.shortcut(life.ana, life.channel, ts, callback))
        await life.slack.edit(life.bo, life.channel, ts, long_text("14:05 ", pump, number))

    return step


async def test_captured_messages(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        await sweep(life, {repr(pump): capturing(life, pump) for pump in PUMPS})


def hooks(text: str) -> Iterator[tuple[str, Any]]:
    now = datetime.now(UTC)
    member = alert_senders.member(text[:2000], now.isoformat(), **{"env": text, text: "x"})
    yield (
        "alertmanager",
        alert_senders.alertmanager(member | {"annotations": {"summary": text, "description": text}}, group=text),
    )
    yield "alertmanager", alert_senders.grafana(member)
    yield "pagerduty", alert_senders.pagerduty("incident.triggered", now.isoformat(), number=text, title=text)
    yield "jsm", alert_senders.jsm("Create", now, now, number=text, message=text, description=text, tags=[text] * 3)


def calling(life: Life, pump: str) -> Step:
    async def step(number: int) -> None:
        async with aiohttp.ClientSession() as http:
            for hook, payload in hooks(long_text("", pump, number)):
                raw = json.dumps(payload).encode("utf-8", "surrogatepass")
                headers = {"Content-Type": "application/json"} | alert_senders.proof(hook, raw)
                async with http.post(f"{life.url}/hooks/{hook}", data=io.BytesIO(raw), headers=headers) as answer:
                    await answer.read()
                    assert answer.status in (200, 202, 400, 413, 422), answer.status

    return step


async def test_hooks(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        await sweep(life, {repr(pump): calling(life, pump) for pump in PUMPS})


async def fill_everything(life: Life, text: str) -> int:
    """Every input of every open window gets the text, however long Slack lets it be; how many windows were sent."""
    count = 0
    for stack in [list(life.slack.workspace.stacks.get(life.ana, []))]:
        for modal in stack[-1:]:
            for block, element in list_elements(modal.blocks):
                if element["type"] == "plain_text_input":
                    key = (block["block_id"], element["action_id"])
                    modal.typed[key] = {"type": "plain_text_input", "value": text}
            payload = {
                **envelope(life.slack.workspace, "view_submission", life.ana),
                "trigger_id": life.slack.workspace.new_trigger(life.ana),
                "view": view_json(life.slack.workspace, modal),
                "response_urls": [],
            }
            await life.slack.deliver(AppDelivery("interactive", payload))
            count += 1
        life.slack.workspace.stacks[life.ana] = []
    return count


def buttons(message: ShownMessage) -> list[str]:
    return [action for _, action, _ in message.buttons]


def filling(life: Life, way: str, pump: str, count: list[int]) -> Step:
    async def step(number: int) -> None:
        await life.slack.command(life.ana, life.channel, way)
        text = long_text("", pump, number)
        count[0] += await fill_everything(life, text)
        seen = [message for message in life.slack.messages(life.channel, user=life.ana) if message.buttons][-1:]
        for message in seen:
            for action in buttons(message)[:6]:
                with suppress(LookupError, CannotTypeError):
                    await life.slack.click(life.ana, message, action)
                    await asyncio.sleep(0.02)
                    count[0] += await fill_everything(life, text)

    return step


async def test_forms(tmp_path: Path) -> None:
    count = [0]
    async with living(tmp_path) as life:
        steps = {f"{way} {pump!r}": filling(life, way, pump, count) for way in WAYS_TO_FORMS for pump in PUMPS[::2]}
        await sweep(life, steps)
    assert count[0] > len(steps) / 2


def ordering(life: Life, form: str) -> Step:
    return lambda _: life.slack.command(life.ana, life.channel, f"/postmortem export {form}")


async def test_exports_of_long_entries(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        for number, pump in enumerate(PUMPS):
            await life.slack.command(life.ana, life.channel, long_text("/timeline 14:05 ", pump, number))
        steps = {form: ordering(life, form) for form in ("markdown", "html", "json", "csv", "confluence")}
        await sweep(life, steps)
        async with asyncio.timeout(LONG_SECONDS):
            while len(life.slack.files) < len(steps):  # noqa: ASYNC110 - another process gives no event
                await asyncio.sleep(0.2)
        notes = [json.loads(line) for line in life.notes.read_text().splitlines()]
        assert [note for note in notes if note["took"] > LONGEST_CALLBACK] == []
