"""Short ways to have a draft leave, and to see what became of it."""

import json
from typing import Any

from bot.domain import postmortem as postmortem_rules
from bot.export import Exporter
from bot.rehearsal.screen import ShownView
from storage import case as case_store
from tests.support.interactions import last, open_incident, type_command
from tests.support.play import Play

KEY = "AKIA" + "IOSFODNN7" + "EXAMPLE"
LEAK = f"restarted from 10.1.2.3 with {KEY}, told jo@customer.example"


def places(play: Play) -> dict[str, Any]:
    return play.slack.workspace.channels


async def asked_to_share(play: Play, text: str, user: str = "") -> ShownView:
    """Type it; returns the window that opens."""
    user = user or play.ana
    assert await type_command(play, user, f"/postmortem share {text}") == ""
    await play.settle()
    (view,) = play.slack.views(user)
    return view


async def read_refusal(play: Play, text: str) -> str:
    """Ana types it; returns what she reads in place of a window."""
    await type_command(play, play.ana, f"/postmortem share {text}")
    await play.settle()
    assert play.slack.views(play.ana) == []
    return last(play, play.ana).plain


def audit_rows(play: Play) -> list[tuple[str, str, str]]:
    incident = play.case().incident
    case = play.bot.store.read_now(lambda tx: case_store.load(tx, incident, with_audit=True))
    document = postmortem_rules.compile_document(case, play.clock.now())
    return [
        (line["who"], line["verb"], line["what"])
        for line in json.loads(Exporter().render(document, "json"))["audit"]
        if line["verb"].startswith("exports.")
    ]


async def leak_secret(play: Play) -> None:
    """An incident with a secret in its timeline."""
    await open_incident(play)
    await type_command(play, play.ana, f"/timeline {LEAK}")
    await play.settle()
