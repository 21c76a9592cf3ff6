"""A database and a workspace of the last release before the redesign: what was owed goes out, every button works."""

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.app import Afterword
from bot.clock import SettableClock
from bot.rehearsal.server import StandIn
from storage.database.store import open_store
from tests.storage.test_stored_names import LISTED
from tests.support.alert_senders import ALERTS, SECRETS
from tests.support.integrations.clients import EMAIL, QUICK, SECRET
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.old_workspace import elements, fill, presses, read_workspace, unpack_database
from tests.support.play import serving, settings_for
from tests.support.timeouts import PATIENT

KINDS = {"alert", "card", "file", "handed", "message", "reminder", "retired", "whys"}
ANSWERS: dict[str, dict[str, Any]] = {
    "action_drop": {"reason": "it is too late"},
    "action_edit": {"text": "alarm at 80 % of the pool"},
    "exports_post": {},
    "incident_milestone": {"milestone": "mitigated"},
    "postmortem_pick": {"section": "fault"},
    "postmortem_section": {"text_0": "Typed into an old form."},
    "timeline_add": {"line": "12:40 UTC typed into an old form"},
    "timeline_edit": {"text": "the page is slow again"},
    "timeline_paste": {"paste_1": "12:41 UTC pasted into an old form"},
    "why_answer": {"answer": "the old form was open"},
}
"""What people type into the forms that were left open, by callback id."""

BY_BUTTONS = Counter(
    {
        "struck entry": 12,
        "added entry": 3,
        "restored entry": 2,
        "redacted entry": 1,
        "whys.mark_root": 4,
        "whys.unmark_root": 1,
        "whys.restore": 1,
        "recall.judge": 1,
        "incidents.reach": 2,
        "actions.close_by_id": 4,
        "actions.reopen_by_id": 3,
        "actions.add": 1,
        "findings.link": 3,
        "jira.linked": 4,
    }
)
"""What was changed in the record by pressing everything once, one after the other."""

BY_FORMS = Counter(
    {
        "added entry": 1,
        "edited entry": 1,
        "added why": 1,
        "whys.answer": 1,
        "postmortem.fill": 1,
        "actions.close_by_id": 1,
        "actions.save_form": 1,
        "exports.post": 1,
    }
)

LINK_STATES = {"owed", "kept", "refused", "let go"}


@dataclass(slots=True)
class Successor:
    """Today's bot where the old one was."""

    slack: StandIn
    bot: Afterword
    clock: SettableClock
    jira: FakeJira

    async def settle(self) -> None:
        """Wait until what was said after the acknowledgements has arrived."""
        await self.bot.boundary.drain()
        await self.bot.tick(self.clock.now())

    async def speak(self) -> None:
        """Wait until what follows from a request has been said."""
        await self.bot.boundary.drain()
        await self.bot.slack.outbox.run_due(self.clock.now())

    def everything_said(self) -> str:
        """Every answer, message and form since the bot came."""
        return repr([answer.body for answer in self.slack.answers] + [call.args for call in self.slack.calls])

    def traces(self) -> Counter[str]:
        """How often each kind of change was made in the record."""
        verbs = self.rows("SELECT verb FROM audit")
        changes = self.rows(
            "SELECT change || ' entry' FROM entry_version UNION ALL SELECT change || ' why' FROM why_version"
        )
        return Counter(change for (change,) in verbs + changes)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with self.bot.store.driver.engine().connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@asynccontextmanager
async def start_successor(folder: Path) -> AsyncIterator[Successor]:
    """Today's bot on the old database, in the old workspace, with a Jira that forgot everything."""
    old, jira = read_workspace(), FakeJira()
    clock = SettableClock(old["now"])
    async with jira.serving() as jira_url, StandIn(clock) as slack:
        fill(slack, old)
        jira.issues.update(old["jira"])
        slack.workspace.ticks = lambda: 0.0
        environ = SECRETS | {
            "AFTERWORD_ALERTS_CHANNEL": ALERTS,
            "AFTERWORD_ALERTS_OPEN": "none",
            "AFTERWORD_JIRA_URL": jira_url,
            "AFTERWORD_JIRA_EMAIL": EMAIL,
            "AFTERWORD_JIRA_TOKEN": SECRET,
            "AFTERWORD_JIRA_PROJECT": "OPS",
        }
        url = unpack_database(folder / "afterword.db")
        store = open_store(url, timeouts=PATIENT)
        settings = settings_for(slack, url, environ=environ)
        try:
            async with Afterword(settings, store, clock, patience=QUICK) as bot, serving(bot, slack, "http"):
                yield Successor(slack, bot, clock, jira)
        finally:
            store.close()


def test_the_old_audit_has_verbs_that_are_known_today(tmp_path: Path) -> None:
    store = open_store(unpack_database(tmp_path / "afterword.db"), timeouts=PATIENT)
    with store.driver.engine().connect() as connection:
        verbs = {verb for (verb,) in connection.execute(text("SELECT verb FROM audit"))}
    store.close()
    assert len(verbs) > 12
    assert verbs <= set(LISTED["verbs of the audit"])


async def test_everything_that_was_owed_is_sent(tmp_path: Path) -> None:
    async with start_successor(tmp_path) as now:
        owed = now.rows("SELECT id, kind FROM delivery WHERE state IN ('pending', 'unsure')")
        assert {kind for _, kind in owed} == KINDS
        assert {state for (state,) in now.rows("SELECT state FROM link")} == LINK_STATES
        for _ in range(4):
            now.clock.advance(timedelta(hours=2))
            await now.settle()
        became = dict(now.rows("SELECT id, state FROM delivery"))
        assert {kind: became[number] for number, kind in owed if became[number] != "sent"} == {}
        links = dict(now.rows("SELECT subject, state FROM link"))
        assert Counter(links.values()) == {"kept": 5, "refused": 1, "let go": 1}
        assert [issue["summary"] for issue in now.jira.issues.values()][-1] == "renew the tokens"


async def test_every_button_does_its_work_or_says_what_is_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with start_successor(tmp_path) as now:
        before = now.traces()
        everything = deepcopy(presses(now.slack))
        for user, message, element, value in everything:
            # As someone whose Slack still shows it, whatever became of it meanwhile.
            now.slack.workspace.channels[message.channel].messages[message.ts] = deepcopy(message)
            seen, done = now.slack.see(message), len(now.slack.calls)
            if element["type"] == "plain_text_input":
                answer = await now.slack.enter(user, seen, element["action_id"], "typed into an old message")
            else:
                answer = await now.slack.click(user, seen, element["action_id"], value)
            assert answer.ok, element
            await now.speak()
            assert len(now.slack.calls) > done, element
        assert BY_BUTTONS - (now.traces() - before) == Counter()
        assert "Something broke" not in now.everything_said()
    assert caplog.text == ""


async def test_every_form_that_was_left_open_can_be_sent(tmp_path: Path) -> None:
    async with start_successor(tmp_path) as now:
        before = now.traces()
        sent = set()
        for user, stack in list(now.slack.workspace.stacks.items()):
            for view in stack[-1:]:
                sent.add(view.body["callback_id"])
                answer = await now.slack.submit(user, view.id, ANSWERS[view.body["callback_id"]])
                assert (answer.ok, answer.errors) == (True, {})
        assert sent == {*ANSWERS}
        await now.settle()
        assert BY_FORMS - (now.traces() - before) == Counter()
        assert "Something broke" not in now.everything_said()


async def test_every_button_of_a_home_tab_works(tmp_path: Path) -> None:
    async with start_successor(tmp_path) as now:
        for user, old in deepcopy(now.slack.workspace.homes).items():
            for element in elements(old.blocks):
                now.slack.workspace.homes[user] = deepcopy(old)
                done = len(now.slack.calls)
                answer = await now.slack.click_in_home(user, element["action_id"], element.get("value"))
                assert answer.ok, element
                await now.speak()
                assert len(now.slack.calls) > done, element
        assert "Something broke" not in now.everything_said()
