"""`/postmortem export canvas`: made once, brought up to date around what people wrote; else a file."""

from dataclasses import asdict

import pytest

from bot.domain.postmortem import ExportOrder
from bot.rehearsal.workspace import Canvas
from storage import deliveries as deliveries_store
from storage.deliveries import NewDelivery
from storage.postmortem import sections as sections_store
from storage.queues import DeliveryKind
from tests.support.interactions import last, on_stage, open_incident, press, type_command
from tests.support.play import Play


async def export_canvas(play: Play) -> str:
    """Ana has the canvas written; what stands in the channel then."""
    await type_command(play, play.ana, "/postmortem export canvas")
    await play.settle()
    return last(play, play.bo).plain


def canvas(play: Play) -> Canvas:
    (found,) = play.slack.workspace.canvases.values()
    return found


def count(play: Play, method: str) -> int:
    return sum(call.method == method for call in play.slack.calls)


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_the_channel_gets_its_canvas_and_the_thread_a_link(database_url: str, transport: str) -> None:
    async with on_stage(database_url, transport=transport) as play:
        await open_incident(play)
        message = await export_canvas(play)
        found = canvas(play)
        assert (found.channel, found.is_channels, found.title) == (play.channel, True, "INC-1 Checkout is failing")
        assert "- **What happened:** Checkout is failing" in found.markdown
        assert "*INC-1 Checkout is failing* – postmortem draft" in message
        assert ":bookmark_tabs: The canvas is new." in message
        assert f"<{play.slack.workspace.base_url}/docs/T0REHEARSE/{found.id}|The canvas>" in last(play, play.bo).text
        (card, *_) = play.slack.messages(play.channel)
        assert last(play, play.bo).thread_ts == card.ts
        assert play.slack.files == []


async def test_again_the_same_canvas_is_brought_up_to_date(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await export_canvas(play)
        await type_command(play, play.ana, "/timeline failed over to replica")
        assert "is up to date." in await export_canvas(play)
        assert "failed over to replica" in canvas(play).markdown
        assert count(play, "conversations.canvases.create") == 1
        copy = play.bot.store.read_now(lambda tx: sections_store.find_copy(tx, 1, "canvas"))
        assert copy is not None
        assert (copy.external_id, copy.revision) == (canvas(play).id, 2)


BLANK = "## Impact\n\n*Not recorded*"


def kept_texts(play: Play) -> list[tuple[str, str, str]]:
    found = play.bot.store.read_now(lambda tx: sections_store.list_edits(tx, 1))
    return [(text.section, text.markdown, text.source) for text in found]


async def test_what_people_wrote_on_it_stays_and_is_in_the_draft(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await export_canvas(play)
        play.slack.write_on_canvas(play.bo, canvas(play).id, BLANK, "## Impact\n\nThe EU could not **pay**.")
        await type_command(play, play.ana, "/timeline failed over to replica")
        assert "is up to date. Edited on the canvas, and copied into the draft: Impact." in await export_canvas(play)
        for text in ("it holds", "it is over"):
            await type_command(play, play.ana, f"/timeline {text}")
            assert (await export_canvas(play)).endswith("The canvas is up to date.")
            assert "The EU could not **pay**." in canvas(play).markdown
            assert text in canvas(play).markdown
        assert kept_texts(play) == [("impact", "The EU could not **pay**.", "canvas")]
        play.slack.write_on_canvas(play.bo, canvas(play).id, "not **pay**", "neither **pay** nor look")
        assert "Edited on the canvas, and copied into the draft: Impact." in await export_canvas(play)
        assert [text for _, text, _ in kept_texts(play)][1:] == ["The EU could neither **pay** nor look."]
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        assert b"The EU could neither **pay** nor look." in play.slack.files[0].bytes
        assert "More than one text" not in play.slack.files[0].bytes.decode()


async def test_where_the_record_changed_as_well_both_stand_and_it_is_told(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await export_canvas(play)
        play.slack.write_on_canvas(play.bo, canvas(play).id, BLANK, "## Impact\n\nThe EU could not pay.")
        play.bot.store.write_now(
            lambda tx: sections_store.save(tx, 1, "impact", "Nobody could pay.", play.ana, play.clock.now())
        )
        message = await export_canvas(play)
        assert ":scales: More than one text for Impact: choose with the command *postmortem*" in message
        for text in ("The EU could not pay.", "Nobody could pay.", "What the record says now"):
            assert text in canvas(play).markdown
        play.slack.write_on_canvas(play.bo, canvas(play).id, "Nobody could pay.", "Nobody could pay at all.")
        assert ":pushpin: Only on the canvas, not in the draft: Impact." in await export_canvas(play)
        assert "Nobody could pay at all." in canvas(play).markdown
        assert len(kept_texts(play)) == 1


async def test_what_people_put_above_the_sections_stays_on_the_canvas(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await export_canvas(play)
        play.slack.write_on_canvas(play.bo, canvas(play).id, "**At a glance**", "Read this first.\n\n**At a glance**")
        await type_command(play, play.ana, "/timeline failed over to replica")
        assert ":pushpin: Only on the canvas, not in the draft: the head." in await export_canvas(play)
        assert canvas(play).markdown.startswith("Read this first.")
        assert "failed over to replica" in canvas(play).markdown


async def test_out_of_a_masked_canvas_nothing_is_taken(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline told jo@customer.example")
        order = ExportOrder("canvas", play.channel, play.ana, masked=True)
        written = NewDelivery("T0REHEARSE", DeliveryKind.EXPORT, play.channel, asdict(order), play.clock.now(), 1)
        await play.bot.store.write(lambda tx: deliveries_store.enqueue(tx, written))
        await play.settle()
        assert "jo@customer.example" not in canvas(play).markdown
        play.slack.write_on_canvas(play.bo, canvas(play).id, "told [masked]", "told [masked] twice")
        assert ":pushpin: Only on the canvas, not in the draft: Timeline." in await export_canvas(play)
        assert "told [masked] twice" in canvas(play).markdown
        assert kept_texts(play) == []


async def test_a_canvas_that_was_deleted_is_made_anew(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["canvas_not_found"]) as play:
        await open_incident(play)
        await export_canvas(play)
        play.slack.workspace.canvases.clear()
        assert "is new." in await export_canvas(play)
        assert "Incident opened" in canvas(play).markdown


async def test_beside_a_canvas_of_the_channels_own_it_is_another_tab(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["channel_canvas_already_exists"]) as play:
        theirs = Canvas("F0THEIRS", "Rota", "Who is on call", play.channel, is_channels=True)
        play.slack.workspace.canvases[theirs.id] = theirs
        await open_incident(play)
        assert "is new." in await export_canvas(play)
        ours = next(one for one in play.slack.workspace.canvases.values() if one.id != theirs.id)
        assert (ours.channel, ours.access, ours.is_channels) == (play.channel, {play.channel: "write"}, False)
        assert theirs.markdown == "Who is on call"


async def test_one_whose_answer_was_lost_is_found_and_not_made_twice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["channel_canvas_already_exists"]) as play:
        await open_incident(play)
        play.slack.fail("conversations.canvases.create", drop="after")
        await type_command(play, play.ana, "/postmortem export canvas")
        await play.settle()
        await play.pass_time(minutes=5)
        assert "is new." in last(play, play.bo).plain
        assert canvas(play).is_channels


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("free_team_canvas_tab_already_exists", "on Slack's free plan a channel has one canvas"),
        ("team_tier_cannot_create_channel_canvases", "this workspace's plan has no canvases in channels"),
        ("canvas_disabled_user_team", "an admin switched canvases off"),
        ("missing_scope", "I need the permissions `canvases:write` and `canvases:read`"),
        ("canvas_creation_failed", "Slack refused it, and the server's log says why"),
    ],
)
async def test_where_there_can_be_no_canvas_the_file_comes_and_says_why(
    sqlite_url: str, error: str, sentence: str
) -> None:
    async with on_stage(sqlite_url, refused=[error]) as play:
        await open_incident(play)
        play.slack.fail("conversations.canvases.create", error)
        message = await export_canvas(play)
        assert f":warning: No canvas: {sentence}" in message
        (file,) = play.slack.files
        assert (file.name, file.channel) == ("INC-1-checkout-is-failing.md", play.channel)
        assert play.slack.workspace.canvases == {}


async def test_on_the_free_plan_a_channel_with_a_canvas_gets_the_file(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["free_team_canvas_tab_already_exists"]) as play:
        play.slack.workspace.plan = "free"
        play.slack.workspace.canvases["F0"] = Canvas("F0", "Rota", "Who is on call", play.channel, is_channels=True)
        await open_incident(play)
        assert "one canvas, and this channel has one already" in await export_canvas(play)
        assert len(play.slack.files) == 1


async def test_a_canvas_that_cannot_be_read_is_not_written_over(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        await open_incident(play)
        play.slack.workspace.tokens[play.slack.bot_token].scopes -= {"canvases:read", "files:read"}
        assert "The canvas in this channel's tabs is new." in await export_canvas(play)
        before = canvas(play).markdown
        await type_command(play, play.ana, "/timeline failed over to replica")
        assert "No canvas: I need the permissions" in await export_canvas(play)
        assert canvas(play).markdown == before
        assert b"failed over to replica" in play.slack.files[0].bytes


async def test_a_canvas_waits_where_slack_is_not_reached(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["internal_error", "ratelimited"]) as play:
        await open_incident(play)
        play.slack.fail("conversations.canvases.create", "ratelimited", retry_after=7)
        play.slack.fail("conversations.canvases.create", status=503)
        before = last(play, play.bo).ts
        await type_command(play, play.ana, "/postmortem export canvas")
        await play.settle()
        await play.pass_time(seconds=8)
        assert (last(play, play.bo).ts, play.slack.files) == (before, [])
        await play.pass_time(minutes=1)
        assert "is new." in last(play, play.bo).plain


async def test_a_canvas_is_not_shared_elsewhere(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        play.slack.channel("leaders", [play.ana])
        await open_incident(play)
        await type_command(play, play.ana, "/postmortem share #leaders canvas")
        await play.settle()
        assert "A canvas belongs to the incident's own channel" in last(play, play.ana).plain


async def test_the_button_of_the_canvas_makes_it_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/postmortem export")
        await press(play, play.ana, "exports_form", "Canvas")
        assert canvas(play).channel == play.channel
