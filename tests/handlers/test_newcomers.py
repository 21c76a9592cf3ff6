"""People record while Slack does not say who they are. Their mark goes once it does; until then they read nothing."""

import pytest

from bot.domain.postmortem import compile_document
from tests.support.interactions import on_stage, open_incident, press, type_command
from tests.support.play import Play

MARK = "not identified yet"
OUTSIDE = "not a member"
FAULTS = {
    "refuses": {"error": "fatal_error"},
    "limits the rate": {"error": "ratelimited", "retry_after": 60},
    "hangs up": {"drop": "before"},
    "shows a page": {"html": True, "status": 503},
    "lacks the scope": {"error": "missing_scope"},
    "does not see": {"error": "internal_error", "status": 500},
}
ALLOWED = {"fatal_error", "ratelimited", "missing_scope", "internal_error", "user_not_found", "user_not_visible"}
FOR_EVER = 1_000_000


def newcomer(play: Play, **traits: object) -> str:
    """A person in the channel of whom the bot has never heard."""
    user = play.slack.user("Dana Demo", "Europe/Berlin", **traits)
    play.slack.workspace.channels[play.channel].members.add(user)
    return user


def forget_faults(play: Play) -> None:
    play.slack.api.faults.clear()
    play.bot.slack.directory._failed_until.clear()
    play.slack.calls[:] = [call for call in play.slack.calls if call.answer]


def lines(play: Play) -> list[tuple[str, str]]:
    """What the document shows of each entry: its text and its recorder."""
    return [(line.text, line.recorder.name) for line in compile_document(play.case(), play.clock.now()).timeline]


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_mark_goes_when_slack_answers(sqlite_url: str, fault: str) -> None:
    async with on_stage(sqlite_url, refused=ALLOWED) as play:
        await open_incident(play)
        dana = newcomer(play)
        play.slack.fail("users.info", times=FOR_EVER, **FAULTS[fault])  # type: ignore[arg-type]
        answer = await type_command(play, dana, "/timeline failed over")
        assert answer.startswith("*#2 · 12:30 UTC*")
        assert f"your name is marked {MARK}" in answer.replace("_", "")
        assert ("failed over", f"{dana} ({MARK})") in lines(play)
        assert MARK in await type_command(play, play.ana, "/timeline show")
        forget_faults(play)
        await play.pass_time(minutes=5)
        await play.settle()
        assert ("failed over", "Dana Demo") in lines(play)
        assert MARK not in await type_command(play, play.ana, "/timeline show")
        assert MARK not in await type_command(play, dana, "/timeline next")
        dms = play.slack.messages(play.slack.dm(play.ana))
        assert [one for one in dms if "member" in one.plain] == []


@pytest.mark.parametrize("who", ["guest", "stranger", "deactivated"])
async def test_of_somebody_who_proves_no_member_the_entry_stays_and_the_lead_hears_it_once(
    sqlite_url: str, who: str
) -> None:
    async with on_stage(sqlite_url, refused=ALLOWED) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        dana = newcomer(play, guest=who == "guest", deleted=False)
        play.slack.fail("users.info", "fatal_error", times=FOR_EVER)
        await type_command(play, dana, "/timeline failed over")
        play.slack.workspace.users[dana].deleted = who == "deactivated"
        forget_faults(play)
        if who == "stranger":
            play.slack.fail("users.info", "user_not_found", times=FOR_EVER)
        for _ in range(3):
            await play.pass_time(minutes=5)
            await play.settle()
        (name,) = [name for text, name in lines(play) if text == "failed over"]
        assert OUTSIDE in name
        assert OUTSIDE in await type_command(play, play.ana, "/timeline show")
        notices = [one.plain for one in play.slack.messages(play.slack.dm(play.bo)) if OUTSIDE in one.plain]
        assert len(notices) == 1
        assert "#3" in notices[0]
        if who != "deactivated":  # Slack lets no one deactivated type
            assert "Guests and people from other workspaces" in await type_command(play, dana, "/timeline again")
        assert "again" not in [text for text, _ in lines(play)]


async def test_each_way_to_record_is_open_and_marks(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=ALLOWED) as play:
        await open_incident(play)
        first = await play.slack.say(play.bo, play.channel, "the replica lags")
        second = await play.slack.say(play.bo, play.channel, "the primary is back")
        dana = newcomer(play)
        play.slack.fail("users.info", "fatal_error", times=FOR_EVER)
        await play.slack.shortcut(dana, play.channel, first, "timeline_add_message")
        await play.slack.react(dana, play.channel, second, "memo")
        await play.slack.say(dana, play.channel, "@afterword 12:20 UTC the pool is empty")
        await play.settle()
        assert {text for text, name in lines(play) if MARK in name} == {
            "the replica lags", "the primary is back", "the pool is empty",
        }  # fmt: skip
        assert f"recorded by {dana} ({MARK})" in await type_command(play, play.ana, "/timeline show")
        whispers = [one for one in play.slack.messages(play.channel, user=dana) if one.ephemeral_for == dana]
        assert len([one for one in whispers if MARK in one.plain]) == 3
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        assert MARK in (await type_command(play, dana, "/why because the pool was too small")).replace("_", "")
        assert f"{dana} ({MARK})" in await type_command(play, play.ana, "/why")


async def test_a_time_that_is_asked_is_answered_by_whoever_typed_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=ALLOWED) as play:
        await open_incident(play)
        dana = newcomer(play)
        play.slack.fail("users.info", "fatal_error", times=FOR_EVER)
        await type_command(play, dana, "/timeline 01/02 10:00 failed over")
        shown = await press(play, dana, "timeline_at_0")
        assert MARK in shown.plain
        assert "failed over" in [text for text, _ in lines(play)]


async def test_an_incident_is_opened_and_named_as_opened_by_somebody_unidentified(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=ALLOWED) as play:
        dana = newcomer(play)
        play.slack.fail("users.info", "fatal_error", times=FOR_EVER)
        assert "INC-1" in await type_command(play, dana, "/incident open checkout is failing")
        assert compile_document(play.case(), play.clock.now()).opened_by.name == f"{dana} ({MARK})"


async def test_a_new_role_counts_from_its_event_on(sqlite_url: str) -> None:
    """Also for the Home tab, a form that is open, and the buttons of old messages; and the way back."""
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        dana = newcomer(play)
        await type_command(play, dana, "/timeline failed over")
        await play.slack.open_home(dana)
        await play.settle()
        assert "Checkout is failing" in str(play.slack.home(dana))
        await press(play, dana, "timeline_edit")
        (form,) = play.slack.views(dana)
        await play.slack.change_person(dana, guest=True)
        await play.settle()
        assert "Guests and people" in str(play.slack.home(dana))
        for typed in ("/timeline show", "/timeline more", "/incident list"):
            assert "Guests and people" in await type_command(play, dana, typed)
        answer = await play.slack.submit(dana, form, {"text": "changed"})
        assert "Guests and people" in str(answer.errors)
        await play.slack.change_person(dana, guest=False)
        assert "Checkout is failing" in await type_command(play, dana, "/incident list")
        assert [entry.text for entry in play.case().entries] == ["Incident opened: Checkout is failing", "failed over"]
