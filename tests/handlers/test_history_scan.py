"""Looking back through a channel's history: offered, proposed, chosen, recorded."""

from datetime import timedelta

from bot.rehearsal.screen import list_elements
from tests.handlers.test_stale_buttons import press_old
from tests.support.history_scans import chosen, in_dm, looked_back, options, say, talk, ticked_lines, until
from tests.support.interactions import having, labels, last, open_incident, press, type_command
from tests.support.play import NOON

GRAPH = "see https://grafana.example.com/d/abc?from=1"


async def test_messages_with_a_time_a_graph_or_a_mark_are_proposed_threads_included(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "good morning")
        say(play, play.bo, "checkout is slow for me", reactions={"memo": [play.chandra]})
        say(play, play.ana, GRAPH)
        root = say(play, play.bo, "04:20 first alert from @Chandra Demo")
        say(play, play.chandra, "15:04 failed over to replica", thread_ts=root.ts)
        until(play, NOON)
        result = await looked_back(play)
        assert "*4 possible entries* for INC-1 in 5 messages of #checkout" in result.plain
        assert labels(result) == ["Review messages"]
        view = await chosen(play)
        assert options(view) == {
            "09:32 UTC (10:32 Berlin) Bo Demo · marked": "checkout is slow for me",
            "09:33 UTC (10:33 Berlin) Ana Demo · link or picture": GRAPH,
            "09:20 UTC (10:20 Berlin) Bo Demo · has a time": "first alert from @Chandra Demo",
            "09:34 UTC (10:34 Berlin) Chandra Demo · has a time": "failed over to replica",
        }
        assert len(ticked_lines(view)) == 3  # a link to a graph may be anything


async def test_chosen_messages_keep_their_time_author_and_link(database_url: str) -> None:
    async with talk(database_url) as play:
        marked = say(play, play.bo, "checkout is slow for me", reactions={"memo": [play.chandra]})
        say(play, play.ana, GRAPH)
        root = say(play, play.bo, "04:20 first alert")
        reply = say(play, play.chandra, "15:03 failed over to replica", thread_ts=root.ts)
        until(play, NOON)
        await looked_back(play)
        answer = await play.slack.submit(play.ana, await chosen(play))
        assert answer.errors == {}
        await play.settle()
        alert, slow, replied, _ = play.case().entries
        assert (slow.text, slow.author, slow.recorder) == ("checkout is slow for me", play.bo, play.ana)
        assert slow.happened_at == NOON - timedelta(hours=2, minutes=59)
        assert slow.source == f"{play.channel}:{marked.ts}"
        assert slow.permalink == f"https://rehearsal.slack.com/archives/{play.channel}/p{marked.ts.replace('.', '')}"
        assert (f"{alert.happened_at:%H:%M}", alert.text) == ("09:20", "first alert")  # New York, where Bo is
        assert replied.permalink.endswith(f"p{reply.ts.replace('.', '')}?thread_ts={root.ts}&cid={play.channel}")
        assert "3 messages recorded" in last(play, play.ana, play.slack.dm(play.ana)).plain.replace("*", "")


async def test_the_bots_own_words_and_comings_and_goings_are_not_proposed(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.slack.bot_user_id, "04:20 said by the bot", by_app=True)
        say(play, play.bo, "04:21 key xoxb-" + "1234567890-abcdefABCDEF1234567890")
        until(play, NOON)
        assert "*1 possible entry*" in (await looked_back(play)).plain
        view = await chosen(play)
        assert ticked_lines(view) == []
        ((label, text),) = options(view).items()
        assert label.endswith("a credential?")
        assert "abcdef" not in text


async def test_a_message_is_captured_once_and_then_left_out(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 first alert")
        say(play, play.bo, "04:25 second alert")
        until(play, NOON)
        result = await looked_back(play)
        view = await chosen(play)
        group = next(e["action_id"] for _, e in list_elements(view.blocks) if "options" in e)
        first = next(e["options"][0]["value"] for _, e in list_elements(view.blocks) if "options" in e)
        await play.slack.submit(play.ana, view, {group: [first]})
        rest = await chosen(play)
        assert list(options(rest).values()) == ["second alert"]
        sent = await play.slack.submit(play.ana, rest)
        assert sent.delivery is not None
        await play.slack.deliver_again(sent)
        await play.settle()
        assert [entry.text for entry in play.case().entries][:2] == ["first alert", "second alert"]
        assert len(play.case().entries) == 3
        assert "already in INC-1" in await press_old(play, play.ana, result, "lookback_choose_0")


async def test_many_proposals_come_in_several_windows_and_the_walk_stops_and_says_so(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        place = play.slack.workspace.channels[play.channel]
        for number in range(700):
            play.slack.workspace.put(place, play.bo, f"04:{number % 60:02} line {number}")
        until(play, NOON)
        result = await looked_back(play)
        assert labels(result)[:2] == ["Review 1 to 90", "Review 91 to 180"]
        assert "I stopped after 400 messages" in result.plain
        view = await chosen(play, 1)
        assert len(options(view)) <= 90
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert len(play.case().entries) == 91


async def test_nothing_found_is_said(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "good morning")
        say(play, play.bo, "https://example.com/handbook")
        until(play, NOON)
        assert "in 2 messages" in (await looked_back(play)).plain


async def test_only_the_asked_hours_are_looked_through(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 long ago")
        until(play, NOON - timedelta(hours=1))
        say(play, play.bo, "06:20 lately")
        until(play, NOON)
        await looked_back(play, 2)
        assert list(options(await chosen(play)).values()) == ["lately"]


async def test_one_walk_at_a_time_and_only_for_who_asked(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 first alert")
        until(play, NOON)
        await open_incident(play)
        button = having(play, play.ana, "lookback_2")
        await play.slack.click(play.ana, button, "lookback_24")
        await play.slack.click(play.ana, button, "lookback_2")
        await play.settle()
        assert "already scanning for INC-1" in last(play, play.ana).plain
        await play.pass_time(seconds=15)
        await play.settle()
        result = in_dm(play)[-1]
        await type_command(play, play.bo, "/timeline show")
        shown = play.slack.workspace.channels[play.channel].messages[having(play, play.bo, "timeline_show").ts]
        forged = {
            "type": "actions",
            "block_id": "forged",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "x"},
                    "action_id": "lookback_choose_0",
                    "value": result.buttons[0][2],
                }
            ],
        }
        shown.blocks.append(forged)
        message = await press(play, play.bo, "lookback_choose_0")
        assert "Only the person who started this scan can review it." in message.plain


async def test_who_left_the_channel_is_shown_nothing_of_it(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        play.channel = play.slack.channel("secret", [play.ana, play.bo], private=True)
        say(play, play.bo, "04:20 first alert")
        until(play, NOON)
        await looked_back(play)
        await play.slack.leave(play.ana, play.channel)
        message = await press(play, play.ana, "lookback_choose_0", channel=play.slack.dm(play.ana))
        assert "not in that channel anymore" in message.plain
        assert play.slack.views(play.ana) == []
