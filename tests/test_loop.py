"""What is heavy never runs on the loop: every call of its thread is watch_alerts, through all that people can order.

The loop is the thread that answers everyone. Compiling and writing documents, reading what comes back, searching, and
every statement on the database belong to other threads, or to processes of their own.
"""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from bot.export import FORMATS
from bot.export.markdown_reader import MarkdownReader
from tests.support.alert_senders import alertmanager, call, member, watch_alerts
from tests.support.integrations.confluence_pages import put, with_confluence, write
from tests.support.integrations.systems import WORLDS, World, in_world
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play

ROOT = f"{Path(__file__).parent.parent}/"
HEAVY = ("bot/export/", "bot/domain/masking.py:", "storage/")
HEAVY_FUNCTIONS = {
    *("bot/domain/postmortem.py:compile_document", "bot/domain/postmortem.py:measure"),
    *("bot/domain/checks.py:list_findings", "bot/domain/sections.py:draft_section", "bot/domain/similarity.py:rank"),
    *("bot/integrations/atlassian.py:to_adf", "bot/domain/alerts/payloads.py:parse_alertmanager"),
}
"""Where the work is that grows with an incident, with a file or with the number of incidents."""
LIGHT_FILES = tuple(f"storage/database/{name}.py" for name in ("store", "writer", "drivers", "postgres"))
"""They pass work on to their threads; the statements themselves are in `storage/database/statements.py`."""
LIGHT = {
    "bot/export/__init__.py:explain_trouble": "looks into a dict",
    "bot/export/sandbox.py:kill_all": "sends signals when the bot stops",
    "bot/export/canvas.py:markdown": "joins what a thread has written",
    "storage/deliveries.py:_decode": "one message",
    "storage/deliveries.py:content": "one message",
    "storage/search.py:list_incidents": "sorts the sixty best that a thread has found",
    "bot/export/confluence/merge.py:join_snapshots": "joins two dicts of digests",
    "bot/export/confluence/merge.py:_join_heads": "joins two tuples of digests",
    "bot/export/drafts.py:is_contested": "counts the texts of a region",
    "bot/export/drafts.py:needs_record": "compares digests",
    "bot/export/drafts.py:_is_emptied": "looks whether a text is empty",
}
"""What runs on the loop all the same, because it is short."""


class Watch:
    """The heavy functions that ran: on the loop's thread, and on others."""

    def __init__(self) -> None:
        self.loop = threading.get_ident()
        self.on_loop: set[str] = set()
        self.elsewhere: set[str] = set()

    def begin(self) -> None:
        """Forget what ran as the bot was built."""
        self.on_loop.clear()
        self.elsewhere.clear()

    def note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or code.co_name.startswith("<") or not code.co_filename.startswith(ROOT):
            return
        where = f"{code.co_filename[len(ROOT) :]}:{code.co_name}"
        if where in HEAVY_FUNCTIONS or (where.startswith(HEAVY) and not where.startswith(LIGHT_FILES)):
            (self.on_loop if threading.get_ident() == self.loop else self.elsewhere).add(where)


@contextmanager
def watch_calls() -> Iterator[Watch]:
    watch = Watch()
    gc.disable()  # it ends generators that were left, on whatever thread it runs
    threading.setprofile(watch.note)
    sys.setprofile(watch.note)
    try:
        yield watch
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        gc.enable()


async def live(play: Play) -> None:
    """An incident with something of everything."""
    for text in (
        *("/timeline 13:01 errors climb", "/timeline edit 1 13:02 errors climb on checkout", "/timeline show"),
        *("/incident started 13:00", "/incident lead me", "/incident sev 2", "/incident resolved"),
        *(
            "/why because the pool ran out",
            "/why because it was small",
            "/why",
            "/action enlarge the pool",
            "/action list",
        ),
        *("/incident list", "/incident search pool", "/postmortem", "/postmortem summary The pool was small."),
    ):
        await type_command(play, play.ana, text)
    await play.settle()
    await play.slack.open_home(play.ana)


async def test_what_is_ordered_is_made_elsewhere(database_url: str) -> None:
    with watch_calls() as watch:
        async with on_stage(database_url) as play:
            watch.begin()
            await open_incident(play)
            await live(play)
            for form in FORMATS:
                await type_command(play, play.ana, f"/postmortem export {form}")
                await play.settle()
            (canvas,) = play.slack.workspace.canvases.values()
            play.slack.write_on_canvas(play.bo, canvas.id, "## Impact", "## Impact\n\nThe EU could not **pay**.")
            for text in ("/postmortem export canvas", "/postmortem", "/postmortem export html"):
                await type_command(play, play.ana, text)
                await play.settle()
            await play.pass_time(days=2)
            await play.settle()
    assert "\n".join(sorted(watch.on_loop - LIGHT.keys())) == ""
    assert "bot/domain/postmortem.py:compile_document" in watch.elsewhere


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
async def test_what_other_systems_get_and_say_is_made_elsewhere(sqlite_url: str, world: World) -> None:
    with watch_calls() as watch:
        async with in_world(world, sqlite_url) as (play, _):
            watch.begin()
            await world.ask(play)
            await play.pass_time(seconds=30)
            await play.pass_time(hours=1)
            await play.settle()
    assert "\n".join(sorted(watch.on_loop - LIGHT.keys())) == ""
    assert watch.elsewhere


async def test_a_page_is_made_and_read_elsewhere(sqlite_url: str) -> None:
    with watch_calls() as watch:
        async with with_confluence(sqlite_url) as (play, wiki):
            watch.begin()
            await put(play)
            write(wiki, "impact", "<p>Nobody could pay.</p>")
            await put(play)
    assert "\n".join(sorted(watch.on_loop - LIGHT.keys())) == ""
    assert {"bot/export/confluence/merge.py:merge", "bot/export/confluence/reader.py:parse_page"} <= watch.elsewhere


async def test_webhooks_are_parsed_elsewhere(sqlite_url: str) -> None:
    with watch_calls() as watch:
        async with watch_alerts(sqlite_url) as play:
            watch.begin()
            await call(play, "alertmanager", alertmanager(member("Down", play.clock.now().isoformat())))
            await play.settle()
    assert "\n".join(sorted(watch.on_loop - LIGHT.keys())) == ""
    assert "bot/domain/alerts/payloads.py:parse_alertmanager" in watch.elsewhere


def test_the_watch_sees_what_runs_on_the_loop() -> None:
    with watch_calls() as watch:
        MarkdownReader().parse("a")
    assert "bot/export/markdown_reader.py:parse" in watch.on_loop
