"""The live message shows the state and not the log; it stays in sight, and names what happened like this before."""

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


def cards(play: Play, channel: str = "") -> list[ShownMessage]:
    """The live messages that have their buttons, as Bo sees them."""
    seen = play.slack.messages(channel or play.channel, user=play.bo)
    return [one for one in seen if "timeline_form_open" in [button[1] for button in one.buttons]]


def card(play: Play) -> ShownMessage:
    (only,) = cards(play)
    return only


async def talk(play: Play, count: int) -> None:
    for number in range(count):
        await play.slack.say(play.bo, play.channel, f"talk {number}")


async def touch(play: Play) -> None:
    """Something that refreshes the live message."""
    await type_command(play, play.bo, "/timeline still looking")
    await play.settle()
    await play.settle()


async def test_a_clean_incident_leaves_one_post_until_it_is_over(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in ("sev 2", "lead @Bo Demo", "rename EU checkout is down", "started 12:10 UTC", "detected 12:15 UTC"):
            await type_command(play, play.ana, f"/incident {line}")
            assert last(play, play.ana).ephemeral_for == play.ana
        await type_command(play, play.ana, "/incident acknowledged")
        await type_command(play, play.ana, "/incident mitigated")
        await play.settle()
        assert [one.ts for one in play.slack.messages(play.channel)] == [card(play).ts]
        await type_command(play, play.ana, "/incident resolved")
        assert "INC-1 resolved*" in last(play, play.chandra).plain
        await type_command(play, play.ana, "/incident reopen")
        assert "*Ana Demo* reopened *INC-1*" in last(play, play.chandra).plain


async def test_it_shows_what_people_wrote_and_no_bookkeeping(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for number in range(5):
            await type_command(play, play.bo, f"/timeline fact {number}")
        await type_command(play, play.ana, "/incident detected 12:15 UTC by the 5xx alert")
        for line in ("sev 2", "lead me", "rename Checkout fails", "acknowledged", "mitigated"):
            await type_command(play, play.ana, f"/incident {line}")
        await play.settle()
        shown = card(play)
        listed = [line for line in shown.plain.splitlines() if " — " in line]
        assert listed == [
            "`12:30 UTC` fact 2 — Bo Demo #4",
            "`12:30 UTC` fact 3 — Bo Demo #5",
            "`12:30 UTC` fact 4 — Bo Demo #6",
        ]
        whole = (await press(play, play.bo, "timeline_show")).plain
        assert "by the 5xx alert" in whole
        assert "Severity set to sev2" in whole
        assert "Detected 12:15 UTC · Mitigated 12:30 UTC" in shown.plain
        assert shown.text.count("\n") >= 5  # screen readers get the same


async def test_the_last_row_names_the_last_three_changes(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        await play.pass_time(minutes=1)
        await type_command(play, play.bo, "/incident sev 3")
        await play.pass_time(minutes=1)
        await type_command(play, play.chandra, "/incident rename EU checkout is down")
        await play.pass_time(minutes=1)
        await type_command(play, play.chandra, "/action add a load test @Bo Demo due friday")
        await play.settle()
        recent = card(play).plain.splitlines()
        (row,) = [line for line in recent if line.startswith("Recent: ")]
        assert row == (
            "Recent: action 1 added by Chandra Demo 12:33 UTC · renamed by Chandra Demo 12:32 UTC · "
            "sev3 by Bo Demo 12:31 UTC"
        )
        assert card(play).pings == set()


async def test_who_is_expected_to_do_what_next_is_said_in_one_line(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        lines = []
        for line in ("sev 2", "lead @Bo Demo", "mitigated", "resolved"):
            await type_command(play, play.ana, f"/incident {line}")
            await play.settle()
            lines += [one for one in card(play).plain.splitlines() if one.startswith("*Next:*")]
        before = card(play)
        await type_command(play, play.ana, "/postmortem waive a drill, nothing broke")
        await play.settle()
        assert lines == [
            "*Next:* Name a lead: `/incident lead @ana`",
            "*Next:* Bo Demo says when it's mitigated: `/incident mitigated`",
            "*Next:* Bo Demo says when it's over: `/incident resolved`",
            "*Next:* Bo Demo writes the postmortem: `/postmortem`",
        ]
        closed = card_of(play, before.ts)
        assert "No postmortem is needed." in closed.plain
        assert labels(closed) == ["Postmortem", "Whole timeline"]  # a closed incident takes no entry and no milestone


async def test_what_is_behind_its_menu_works_as_its_buttons_did(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "Checkout is failing" in (await press(play, play.bo, "timeline_show")).plain
        await press(play, play.bo, "incident_milestone")
        (view,) = play.slack.views(play.bo)
        assert view.callback_id == "incident_milestone"
        await press(play, play.chandra, "incident_mitigated")
        assert "*INC-1 mitigated*" in last(play, play.chandra).plain
        assert play.case().incident.status == "mitigated"


async def test_a_menu_line_that_no_button_stands_behind_is_left_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        shown = having(play, play.bo, "timeline_show")
        room = play.slack.workspace.channels[play.channel]
        value = '{"do":"no_such_button"}'
        line = {"text": {"type": "plain_text", "text": "Gone"}, "value": value}
        menu = {"type": "overflow", "action_id": "more", "options": [line]}
        room.messages[shown.ts].blocks = [{"type": "actions", "block_id": "b", "elements": [menu]}]
        answer = await play.slack.click(play.bo, card_of(play, shown.ts), "more", value)
        assert answer.ok


def card_of(play: Play, ts: str) -> ShownMessage:
    return next(one for one in play.slack.messages(play.channel, user=play.bo) if one.ts == ts)


async def test_once_it_is_out_of_sight_it_comes_again_and_the_old_one_becomes_a_link(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        first = card(play)
        await talk(play, 50)
        await touch(play)
        assert card(play).ts == first.ts  # not an hour old
        await play.pass_time(minutes=61)
        await touch(play)
        second = card(play)
        assert second.ts > first.ts
        old = card_of(play, first.ts)
        assert old.plain == "*INC-1*: the live message has moved."
        assert f"/archives/{play.channel}/p{second.ts.replace('.', '')}|" in old.text
        await touch(play)
        assert card(play).ts == second.ts
        assert "still looking" in card(play).plain


async def test_where_little_was_said_it_stays_and_slack_is_asked_seldom(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        first = card(play)
        await play.pass_time(minutes=61)
        await talk(play, 40)
        for _ in range(5):
            await touch(play)
            await play.pass_time(seconds=30)
        assert card(play).ts == first.ts
        assert len([call for call in play.slack.calls if call.method == "conversations.history"]) == 1
        await type_command(play, play.ana, "/incident resolved")
        await talk(play, 60)
        await play.pass_time(minutes=6)
        await touch(play)
        assert card(play).ts == first.ts  # once it is over it is not brought back


async def test_without_the_scope_it_stays_and_slack_is_not_asked_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        play.slack.workspace.tokens[play.slack.bot_token].scopes.discard("channels:history")
        await open_incident(play)
        await play.pass_time(minutes=61)
        await talk(play, 60)
        await touch(play)
        await play.pass_time(minutes=10)
        await touch(play)
        assert len(cards(play)) == 1
        assert len([call for call in play.slack.calls if call.method == "conversations.history"]) == 1


async def test_it_is_pinned_where_the_operator_asks_for_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_PIN_CARD": "true"}) as play:
        await open_incident(play)
        await touch(play)
        await touch(play)
        assert play.slack.workspace.channels[play.channel].pins == [card(play).ts]
        assert len([call for call in play.slack.calls if call.method == "pins.add"]) == 1


async def test_the_pin_moves_to_the_card_that_takes_its_place(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_PIN_CARD": "true"}) as play:
        await open_incident(play)
        await touch(play)
        first = card(play)
        await talk(play, 50)
        await play.pass_time(minutes=61)
        await touch(play)
        assert card(play).ts > first.ts
        assert play.slack.workspace.channels[play.channel].pins == [card(play).ts]


async def test_it_is_not_pinned_unasked_nor_without_the_scope(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert [call for call in play.slack.calls if call.method == "pins.add"] == []


async def test_without_the_scope_a_pin_is_tried_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_PIN_CARD": "true"}, refused=["missing_scope"]) as play:
        play.slack.workspace.tokens[play.slack.bot_token].scopes.discard("pins:write")
        await open_incident(play)
        await touch(play)
        assert len([call for call in play.slack.calls if call.method == "pins.add"]) == 1
        assert "still looking" in card(play).plain


async def past(play: Play, channel: str) -> None:
    """An incident of three weeks ago with a root cause."""
    await open_incident(play, "Checkout pool exhausted", channel)
    await type_command(play, play.bo, "/incident resolved", channel)
    await type_command(play, play.bo, "/why because the connection pool was too small", channel)
    await type_command(play, play.bo, "/why root", channel)
    await play.pass_time(days=21)


async def test_at_its_opening_it_names_what_happened_like_this_before(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = play.slack.channel("payments", [play.ana, play.bo])
        await past(play, room)
        await open_incident(play, "Checkout fails: connection pool exhausted")
        await play.settle()
        assert "Like *INC-1*, 3 weeks ago, #payments: the connection pool was too small" in card(play).plain
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        assert "Like *INC-1*" not in card(play).plain


async def test_it_names_nothing_of_a_private_channel_nor_to_people_from_elsewhere(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.channel("payments", [play.ana, play.bo], private=True)
        await past(play, room)
        await open_incident(play, "Checkout fails: connection pool exhausted")
        await play.settle()
        assert "INC-1" not in card(play).plain
        shared = play.slack.channel("with-partners", [play.ana, play.bo], shared=True)
        public = play.slack.channel("orders", [play.ana, play.bo])
        await past(play, public)
        await open_incident(play, "Checkout fails again: connection pool exhausted", shared)
        await play.settle()
        (seen,) = cards(play, shared)
        assert "Like " not in seen.plain


async def test_a_card_says_the_day_of_what_is_older_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in ("12:10 UTC errors rose", "12:15 UTC failed over", "12:20 UTC errors fell"):
            await type_command(play, play.bo, f"/timeline {line}")
        await type_command(play, play.ana, "/incident sev 2")
        await type_command(play, play.ana, "/incident lead @Ana Demo")
        await play.settle()
        assert "Mon 23 Nov, 12:" not in card(play).plain.partition("errors")[2]
        await play.pass_time(days=2)
        await type_command(play, play.bo, "/incident rename Checkout fails")
        await play.settle()
        text = card(play).plain
        shown = text[text.index("*Mon 23 Nov*") :]
        assert shown.startswith("*Mon 23 Nov*\n")
        assert [line.split("UTC")[0] for line in shown.splitlines()[1:4]] == ["`12:10 ", "`12:15 ", "`12:20 "]
        listed = await type_command(play, play.bo, "/timeline show")
        assert listed.count("Mon 23 Nov") == 1
