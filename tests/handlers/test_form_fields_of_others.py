"""The forms of whys, actions and sections read back what they were filled with, as those of entries do."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.domain.records import Action
from bot.rehearsal.screen import ShownView
from storage import actions as actions_store
from storage import people as people_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.postmortem import sections as sections_store
from tests.handlers.test_form_fields import LONG, fields
from tests.handlers.test_postmortem import fill
from tests.slack.test_directory import GROUP, with_group
from tests.support.interactions import on_stage, open_incident, type_command, window
from tests.support.play import Play


async def test_a_why_and_an_action_of_any_length_are_worded_anew_in_part(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because it broke")
        await type_command(play, play.ana, "/action add a load test")
        case = play.case()

        def lengthen(tx: Transaction) -> None:
            whys_store.amend(tx, replace(case.whys[0], text=LONG), "edited", play.bo, play.clock.now())
            actions_store.save(tx, replace(case.actions[0], text=LONG))

        play.bot.store.write_now(lengthen)
        for command, action in (("/why edit 1", "why_edit"), ("/action 1", "action_edit")):
            await type_command(play, play.ana, command)
            view = await window(play, play.ana, action)
            parts = {name: str(value or "") for name, value in fields(view).items()}
            assert "".join(parts.values()) == LONG
            await play.slack.submit(play.ana, view, {"text_1": parts["text_1"].replace("The pool", "The queue", 1)})
        case = play.case()
        for text in (case.whys[0].text, case.actions[0].text):
            assert text.count("The queue") == 1
            assert text.replace("The queue", "The pool") == LONG


async def owe_action(play: Play, **changes: Any) -> Action:
    """An action as it may have become since it was written down."""
    await open_incident(play)
    await type_command(play, play.ana, "/action add a load test @Bo Demo due friday")
    await play.settle()
    action = replace(play.case().actions[0], **changes)
    play.bot.store.write_now(lambda tx: actions_store.save(tx, action))
    return play.case().actions[0]


async def completing(play: Play) -> ShownView:
    await type_command(play, play.ana, "/action 1")
    return await window(play, play.ana, "finding_action")


async def test_a_day_that_is_past_stays_when_only_the_link_is_given(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        before = await owe_action(play, due_on=date(2026, 11, 9), overdue_at=datetime(2026, 11, 10, 5, tzinfo=UTC))
        view = await completing(play)
        assert fields(view)["due"] == "2026-11-09"
        answer = await play.slack.submit(play.ana, view, {"link": "https://tracker.example.com/OPS-1"})
        assert answer.errors == {}
        assert play.case().actions[0] == replace(before, link="https://tracker.example.com/OPS-1")


async def test_the_form_of_a_new_date_shows_the_day_that_stands(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owe_action(play, due_on=date(2026, 11, 9), overdue_at=datetime(2026, 11, 10, 5, tzinfo=UTC))
        await type_command(play, play.ana, "/action 1")
        view = await window(play, play.ana, "action_date")
        assert fields(view)["due"] == "2026-11-09"
        assert "is past" in (await play.slack.submit(play.ana, view)).errors["due"]


async def test_an_owner_who_has_left_stays_until_somebody_is_picked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owe_action(play)
        gone = replace(play.case().people[play.bo], is_deactivated=True)
        play.slack.workspace.users[play.bo].deleted = True
        play.bot.store.write_now(lambda tx: people_store.save(tx, gone))
        await play.bot.services.slack.directory.load()
        view = await completing(play)
        assert "Bo Demo owns it, but this form can't show them." in view.plain
        answer = await play.slack.submit(play.ana, view, {"due": "2026-12-24"})
        assert answer.errors == {}
        action = play.case().actions[0]
        assert (action.owner, action.due_on) == (play.bo, date(2026, 12, 24))
        assert action.overdue_at == datetime(2026, 12, 25, 5, tzinfo=UTC)  # midnight in New York
        await play.slack.submit(play.ana, await completing(play), {"owner": play.chandra})
        assert play.case().actions[0].owner == play.chandra


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_group_stays_the_owner_whether_or_not_it_can_be_listed(sqlite_url: str, is_listed: bool) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        if is_listed:
            with_group(play)
        await owe_action(play, owner=GROUP)
        await play.slack.submit(play.ana, await completing(play), {"due": "2026-12-24"})
        action = play.case().actions[0]
        assert (action.owner, action.due_on) == (GROUP, date(2026, 12, 24))


async def test_what_others_changed_of_an_action_meanwhile_stays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owe_action(play)
        view = await completing(play)
        await type_command(play, play.chandra, "/action 1 @Chandra Demo")
        await type_command(play, play.chandra, "/action 1 2026-12-24")
        await play.slack.submit(play.ana, view, {"link": "https://tracker.example.com/OPS-1"})
        action = play.case().actions[0]
        assert (action.owner, str(action.due_on), action.link) == (
            play.chandra,
            "2026-12-24",
            "https://tracker.example.com/OPS-1",
        )


async def test_an_action_that_somebody_worded_anew_meanwhile_is_shown_first(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owe_action(play)
        await type_command(play, play.ana, "/action 1")
        hers = await window(play, play.ana, "action_edit")
        await type_command(play, play.bo, "/action edit 1 add two load tests")
        await play.slack.submit(play.ana, hers, {"text": "add a chaos test"})
        (again,) = play.slack.views(play.ana)
        assert "add two load tests" in again.plain
        assert play.case().actions[0].text == "add two load tests"
        await play.slack.submit(play.ana, again)
        assert play.case().actions[0].text == "add a chaos test"


async def test_a_section_that_was_only_looked_at_is_not_saved_over_what_came_meanwhile(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        incident, now = play.case().incident, play.clock.now()
        play.bot.store.write_now(lambda tx: sections_store.save(tx, incident.id, "fault", LONG, play.ana, now))
        await type_command(play, play.bo, "/postmortem fill fault")
        await play.settle()
        (view,) = play.slack.views(play.bo)
        assert "".join(str(value or "") for value in fields(view).values()) == LONG
        await play.slack.submit(play.bo, view)
        saved = play.case().sections["fault"]
        assert (saved.version, saved.author) == (1, play.ana)
        await type_command(play, play.bo, "/postmortem fill fault")
        await play.settle()
        (view,) = play.slack.views(play.bo)
        await fill(play, play.ana, "fault", "It broke.")
        theirs = play.case().sections["fault"]
        await play.slack.submit(play.bo, view)
        (again,) = play.slack.views(play.bo)
        await play.slack.submit(play.bo, again)
        assert play.case().sections["fault"] == theirs
        assert (theirs.text[:9], theirs.version, theirs.author) == ("It broke.", 2, play.ana)
