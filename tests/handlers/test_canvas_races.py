"""Someone writes on the canvas while it is brought up to date: nothing of theirs is written over."""

from collections.abc import Callable
from dataclasses import replace

from bot.rehearsal.web_api import Args
from bot.rehearsal.web_api import files as files_api
from bot.rehearsal.workspace import Json, Workspace
from tests.handlers.test_canvases import BLANK, canvas, export_canvas, kept_texts
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play

IMPACT = "## Impact\n\nThe EU could not **pay**."


def changes(play: Play) -> list[str]:
    """What was changed on canvases: the operation of each call, `whole` where it named no section."""
    made = [call.args["changes"][0] for call in play.slack.calls if call.method == "canvases.edit" and call.ok]
    return [one["operation"] if one.get("section_id") else "whole" for one in made]


def before_call(play: Play, method: str, number: int, act: Callable[[], None]) -> None:
    """Let something happen in the workspace right before the `number`th call of a method from now, counted from 1."""
    real, calls = play.slack.api.methods[method], 0

    def handler(workspace: Workspace, args: Args) -> Json:
        nonlocal calls
        calls += 1
        if calls == number:
            act()
        return real.handler(workspace, args)

    play.slack.api.methods[method] = replace(real, handler=handler)


def writing(play: Play, old: str, new: str) -> Callable[[], None]:
    return lambda: play.slack.write_on_canvas(play.bo, canvas(play).id, old, new)


async def with_canvas(play: Play) -> None:
    await open_incident(play)
    await export_canvas(play)
    await play.pass_time(minutes=1)  # so that the response changes, too: it says when everyone was last active
    await type_command(play, play.ana, "/timeline failed over to replica")


async def test_a_new_entry_touches_its_own_blocks_and_nothing_new_touches_none(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await with_canvas(play)
        await export_canvas(play)
        assert changes(play) == ["insert_after", "replace"]
        await export_canvas(play)
        assert changes(play) == ["insert_after", "replace"]


async def test_what_is_written_in_another_section_meanwhile_stays_and_is_taken_next_time(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        before_call(play, "canvases.sections.lookup", 2, writing(play, BLANK, IMPACT))
        assert (await export_canvas(play)).endswith("The canvas is up to date.")
        assert "whole" not in changes(play)
        assert IMPACT in canvas(play).markdown
        assert "failed over to replica" in canvas(play).markdown
        assert "Edited on the canvas, and copied into the draft: Impact." in await export_canvas(play)
        assert [text for _, text, _ in kept_texts(play)] == ["The EU could not **pay**."]


async def test_a_block_that_somebody_changed_meanwhile_is_not_found_and_their_words_are_taken(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        before_call(play, "canvases.sections.lookup", 1, writing(play, "Incident opened", "Incident opened late"))
        assert "Edited on the canvas, and copied into the draft: Timeline." in await export_canvas(play)
        assert "Incident opened late" in canvas(play).markdown
        assert [section for section, _, _ in kept_texts(play)] == ["timeline"]


async def test_between_looking_up_and_writing_an_edit_of_theirs_wins(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["canvas_editing_failed"]) as play:
        await with_canvas(play)
        before_call(play, "canvases.edit", 1, writing(play, "Incident opened", "Incident opened late"))
        assert "Edited on the canvas, and copied into the draft: Timeline." in await export_canvas(play)
        assert "Incident opened late" in canvas(play).markdown


async def test_before_it_is_written_as_a_whole_it_is_read_once_more(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        await type_command(play, play.ana, "/incident sev 1")
        before_call(play, "canvases.getContent", 2, writing(play, BLANK, IMPACT))
        assert "Edited on the canvas, and copied into the draft: Impact." in await export_canvas(play)
        assert changes(play) == ["whole"]
        assert IMPACT in canvas(play).markdown
        assert "| Severity | sev1 |" in canvas(play).markdown


async def test_where_slack_puts_the_new_beside_the_old_the_whole_is_written_and_nobody_is_held_for_it(
    sqlite_url: str,
) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        edit = play.slack.api.methods["canvases.edit"]

        def beside(workspace: Workspace, args: Args) -> Json:
            (change,) = args.items("changes")
            if change["operation"] == "replace" and change.get("section_id"):
                change["operation"] = "insert_after"
            return edit.handler(workspace, args)

        play.slack.api.methods["canvases.edit"] = replace(edit, handler=beside)
        assert (await export_canvas(play)).endswith("The canvas is up to date.")
        assert changes(play)[-1] == "whole"
        assert canvas(play).markdown.count("failed over to replica") == 1
        assert (await export_canvas(play)).endswith("The canvas is up to date.")
        assert kept_texts(play) == []


async def test_where_slack_counts_sections_otherwise_the_whole_is_written(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        lookup = play.slack.api.methods["canvases.sections.lookup"]

        def with_lists(workspace: Workspace, args: Args) -> Json:
            answer = lookup.handler(workspace, args)
            return {"sections": [{"id": "temp:C:list"}, *answer["sections"]]}

        play.slack.api.methods["canvases.sections.lookup"] = replace(lookup, handler=with_lists)
        await export_canvas(play)
        assert changes(play) == ["whole"]
        assert "failed over to replica" in canvas(play).markdown


async def test_a_process_that_ends_between_two_blocks_leaves_nothing_that_looks_like_an_edit(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["internal_error"]) as play:
        await with_canvas(play)
        play.slack.fail("canvases.edit", delay=0)
        play.slack.fail("canvases.edit", "internal_error")
        await type_command(play, play.ana, "/postmortem export canvas")
        await play.settle()
        assert changes(play) == ["insert_after"]
        await type_command(play, play.bo, "/timeline it holds")
        await play.pass_time(minutes=5)
        assert "it holds" in canvas(play).markdown
        assert kept_texts(play) == []


async def test_while_somebody_types_on_and_on_it_is_written_in_the_end(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_canvas(play)
        await type_command(play, play.ana, "/incident sev 1")
        for number in range(1, 6):
            before_call(play, "canvases.getContent", number, writing(play, "Timeline", f"Timeline {number}"))
        await export_canvas(play)
        assert "| Severity | sev1 |" in canvas(play).markdown


def test_sections_are_told_apart_as_people_see_them() -> None:
    text = "# A\nbelow\n\n1. one\n2. two\n\n> said"
    assert [one.words for one in files_api.split_sections(text)] == ["A", "below", "one", "two", "said"]
