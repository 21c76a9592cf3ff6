"""A long timeline in pages."""

import re
from datetime import timedelta

from bot.domain.records import Place
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.timeline import NewEntry
from tests.support.interactions import labels, last, on_stage, open_incident, press, type_command
from tests.support.play import NOON, TEAM, Play


async def with_entries(play: Play, count: int, *, text: str = "") -> None:
    """So many more entries, one a minute and the last of them at noon, every tenth at the time of the one before."""
    await open_incident(play)

    def unit(tx: Transaction) -> None:
        for number in range(count):
            taken = incidents_store.take_entry_number(tx, Place(TEAM, play.channel))
            assert taken is not None
            at = NOON - timedelta(minutes=count - number - (number % 10 == 9))
            timeline_store.add(
                tx, taken[0].id, taken[1], NewEntry(at, f"entry {number + 2}{text}", play.ana, play.ana, NOON)
            )

    await play.bot.store.write(unit)


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r" #(\d+)$", text, re.MULTILINE)]


async def test_a_long_timeline_is_turned_page_by_page_and_nothing_is_left_out(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await with_entries(play, 450)
        answer = await type_command(play, play.ana, "/timeline show")
        assert "the latest 100 of 451 entries" in answer
        page = last(play, play.ana)
        assert labels(page) == ["Older"]
        seen = [numbers(answer)]
        while "Older" in labels(page):
            page = await press(play, play.ana, "timeline_older")
            seen.insert(0, numbers(page.plain))
        assert labels(page) == ["Newer"]
        assert sorted(number for shown in seen for number in shown) == list(range(1, 452))
        assert (
            len([m for m in play.slack.messages(play.channel, user=play.ana) if "of 451" in m.plain]) == 1
        )  # in place
        page = await press(play, play.ana, "timeline_newer")
        assert numbers(page.plain)[0] == seen[0][-1] + 1
        assert labels(page) == ["Older", "Newer"]
        first, count = numbers(page.plain)[0], len(numbers(page.plain))
        assert f"entries {first - 1} to {first + count - 2} of 451" in page.plain


async def test_long_texts_make_short_pages(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_entries(play, 60, text=" ж & <b>" * 60)
        assert "the latest 9 of 61 entries" in await type_command(play, play.ana, "/timeline show")
        page = await press(play, play.ana, "timeline_older")
        assert "of 61" in page.plain
        assert numbers(page.plain)


async def test_pages_of_the_last_while_end_where_it_began(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_entries(play, 250)
        assert "the latest 100 of 152 entries since 10:00 UTC" in (
            await type_command(play, play.ana, "/timeline show since 150m")
        )
        page = await press(play, play.ana, "timeline_older")
        assert "entries 1 to 52 of 152 since 10:00 UTC" in page.plain
        assert labels(page) == ["Newer"]


async def test_a_page_whose_entries_were_taken_back_shows_the_last_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_entries(play, 101)
        await type_command(play, play.ana, "/timeline show")
        await type_command(play, play.bo, "/timeline delete 2")
        await type_command(play, play.bo, "/timeline delete 3")
        page = await press(play, play.ana, "timeline_older")
        assert "100 entries" in page.plain
        assert labels(page) == []


async def test_another_channel_cannot_be_leafed_through(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_entries(play, 150)
        await type_command(play, play.ana, "/timeline show")
        value = last(play, play.ana).buttons[0][2]
        room = play.slack.channel("elsewhere", [play.ana, play.bo])
        await open_incident(play, "Another", room)
        await type_command(play, play.bo, "/timeline show", room)
        found = play.slack.workspace.channels[room].messages[last(play, play.bo, room).ts]
        found.blocks.append(
            {
                "type": "actions",
                "block_id": "forged",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Older"},
                        "action_id": "timeline_older",
                        "value": value,
                    }
                ],
            }
        )
        page = await press(play, play.bo, "timeline_older", channel=room)
        assert "This button works in the channel of" in page.plain
