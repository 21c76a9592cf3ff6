"""Whys that are worded again, taken back and brought back; every wording stays in the history."""

from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import labels, last, on_stage, press, type_command, window


async def test_a_why_is_edited_and_its_history_tells_every_wording(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        answer = await type_command(play, play.bo, "/why edit 1 because the pool was full")
        assert "Why 1 now reads: because the pool was full\nBefore: _because the pool ran out_" in answer
        await type_command(play, play.ana, "/why root 1")
        (why,) = play.case().whys
        assert (why.text, why.author, why.version) == ("because the pool was full", play.ana, 3)
        history = await type_command(play, play.chandra, "/why show 1")
        assert "1. Added by Ana Demo, 12:30 UTC: because the pool ran out" in history
        assert "2. Edited by Bo Demo, 12:30 UTC: because the pool was full" in history
        assert "3. Marked as a root cause by Ana Demo" in history


async def test_a_why_taken_back_leaves_what_explained_it_to_the_one_before_and_comes_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("one", "two", "three"):
            await type_command(play, play.ana, f"/why because {text}")
        answer = await type_command(play, play.bo, "/why delete 2")
        assert answer.startswith("Removed why 2: because two\nWhy 3 now explains why 1.\n")
        assert [(why.number, why.parent) for why in play.case().whys] == [(1, None), (3, 1)]
        assert "\n\u2003\u20033. because three" in await type_command(play, play.ana, "/why")
        assert "Why 2 is already removed." in await type_command(play, play.bo, "/why delete 2")
        await type_command(play, play.bo, "/why edit 2")
        assert "(removed)" in last(play, play.bo).plain
        assert "explain" not in await type_command(play, play.bo, "/why delete 3")
        await press(play, play.bo, "why_restore")
        assert [(why.number, why.parent) for why in play.case().whys] == [(1, None), (3, 1)]
        await type_command(play, play.bo, "/why edit 2 because two after all")
        assert [(why.number, why.parent) for why in play.case().whys] == [(1, None), (2, 1), (3, 2)]
        assert "There's no why 9 yet (only whys 1, 2 and 3)." in await type_command(play, play.bo, "/why delete 9")


async def test_two_people_rewording_one_why_both_see_both_wordings(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        views = {}
        for user in (play.ana, play.bo):
            assert "*Why 1:* because the pool ran out" in await type_command(play, user, "/why edit 1")
            assert labels(last(play, user)) == ["Edit", "Remove"]
            views[user] = await window(play, user, "why_edit")
        await play.slack.submit(play.ana, views[play.ana], {"text": "the pool was full"})
        await play.slack.submit(play.bo, views[play.bo], {"text": "nobody watched the pool"})
        assert play.case().whys[0].text == "the pool was full"
        (again,) = play.slack.views(play.bo)
        assert "*Ana Demo changed why 1 while you were writing.*" in again.plain
        await play.slack.submit(play.bo, again)
        await play.settle()
        assert play.case().whys[0].text == "nobody watched the pool"


async def test_what_only_begins_like_a_correction_is_an_answer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("edit rights were missing", "delete 2 replicas and it fails", "show 1 was cached"):
            await type_command(play, play.ana, f"/why {text}")
        assert [why.text for why in play.case().whys] == [
            "edit rights were missing",
            "delete 2 replicas and it fails",
            "show 1 was cached",
        ]


async def test_a_text_of_nothing_is_refused_in_the_form(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/why edit 1")
        view = await window(play, play.ana, "why_edit")
        refused = await play.slack.submit(play.ana, view, {"text": " \x00 "})
        assert "Why did it happen?" in refused.errors["text"]
