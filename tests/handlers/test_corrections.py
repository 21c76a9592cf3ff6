"""The window that corrects an entry: what it shows, where its mistakes stand, and two people in it at once."""

from bot.rehearsal.screen import ShownView
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from tests.support.interactions import last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play


def wordings(play: Play, number: int) -> list[str]:
    """Every wording that the entry ever had."""

    incident = play.case().incident

    def look(tx: Transaction) -> list[str]:
        entry = timeline_store.find_by_number(tx, incident.id, number)
        assert entry is not None
        return [version.text for version in timeline_store.list_versions(tx, entry.id)]

    return play.bot.store.read_now(look)


async def editing(play: Play, user: str, number: int = 2) -> ShownView:
    """The window of an entry that someone asked for by its number."""
    await type_command(play, user, f"/timeline edit {number}")
    return await window(play, user, "timeline_edit")


async def test_the_window_shows_the_time_on_the_editors_clock_and_says_it_in_utc(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 07:10 failed over")
        view = await editing(play, play.chandra)
        assert "2026-11-23 17:40" in view.plain
        assert "Kolkata time, unless you add a zone. Recorded as 12:10 UTC." in view.plain


async def test_every_mistake_about_the_time_stands_at_the_time(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        view = await editing(play, play.ana)
        for typed in ("soon", "14:05 and more", "03/04 14:05", "2026-11-24 01:00"):
            answer = await play.slack.submit(play.ana, view, {"when": typed})
            assert list(answer.errors) == ["when"], typed
        assert wordings(play, 2) == ["failed over"]


async def test_what_was_saved_takes_the_place_of_the_receipt(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        before = len(play.slack.messages(play.channel, user=play.ana))
        view = await window(play, play.ana, "timeline_edit")
        await play.slack.submit(play.ana, view, {"when": "13:12 Europe/Berlin"})
        await play.settle()
        assert len(play.slack.messages(play.channel, user=play.ana)) == before
        message = last(play, play.ana).plain
        assert "#2 · 12:12 UTC (13:12 Berlin)*  failed over" in message
        assert "Changed. Before: 12:10 UTC" in message


async def test_of_two_people_in_the_window_neither_loses_a_word(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        hers, his = await editing(play, play.ana), await editing(play, play.bo)
        await play.slack.submit(play.ana, hers, {"text": "failed over to replica 2"})
        await play.slack.submit(play.bo, his, {"text": "failed over by hand", "when": "07:11"})
        (again,) = play.slack.views(play.bo)
        assert "failed over to replica 2" in again.plain
        assert "failed over by hand" in again.plain
        assert "07:11" in again.plain
        assert wordings(play, 2) == ["failed over", "failed over to replica 2"]
        await play.slack.submit(play.bo, again)
        await play.settle()
        assert wordings(play, 2) == ["failed over", "failed over to replica 2", "failed over by hand"]
        entry = next(entry for entry in play.case().entries if entry.number == 2)
        assert f"{entry.happened_at:%H:%M}" == "12:11"
        history = await type_command(play, play.chandra, "/timeline show 2")
        assert "2. Edited by Ana Demo" in history
        assert "3. Edited by Bo Demo" in history


async def test_somebody_who_changed_it_while_the_second_warning_stood_is_shown_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        view = await editing(play, play.bo)
        await type_command(play, play.ana, "/timeline edit 2 first")
        await play.slack.submit(play.bo, view, {"text": "mine"})
        (again,) = play.slack.views(play.bo)
        await type_command(play, play.chandra, "/timeline edit 2 second")
        await play.slack.submit(play.bo, again)
        (once_more,) = play.slack.views(play.bo)
        assert "Chandra Demo changed #2" in once_more.plain
        assert "second" in once_more.plain
        assert "mine" in once_more.plain
        assert wordings(play, 2)[-1] == "second"


async def test_what_was_taken_back_meanwhile_is_said_before_it_is_saved(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        view = await editing(play, play.bo)
        await press(play, play.ana, "timeline_undo")
        await play.slack.submit(play.bo, view, {"text": "failed over by hand"})
        (again,) = play.slack.views(play.bo)
        assert "Ana Demo" in again.plain
        assert [entry.number for entry in play.case().entries] == [1]
