"""Canvases in the stand-in: what may be made on which plan, how they are written, and what comes back."""

from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.rehearsal.page import WorkspaceRenderer
from bot.rehearsal.server import StandIn
from bot.rehearsal.web_api import Args
from bot.rehearsal.web_api.files import METHODS, MOST_MARKDOWN, write_as_slack
from bot.rehearsal.workspace import ApiRefusal, Canvas, Workspace


def content(markdown: str) -> dict[str, str]:
    return {"type": "markdown", "markdown": markdown}


def whole(markdown: str) -> list[dict[str, Any]]:
    return [{"operation": "replace", "document_content": content(markdown)}]


async def read_refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as refusal:
        await call
    return str(refusal.value.response["error"])


async def add_canvas(client: AsyncWebClient, channel: str, markdown: str = "# Plan", **more: Any) -> str:
    answer = await client.conversations_canvases_create(channel_id=channel, document_content=content(markdown), **more)
    return str(answer["canvas_id"])


async def test_a_channel_has_one_canvas_of_its_own_and_more_as_tabs(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    canvas = await add_canvas(client, ops, title="INC-1")
    channel = (await client.conversations_info(channel=ops))["channel"]
    assert channel["properties"]["canvas"] == {"file_id": canvas, "is_empty": False}
    again = client.conversations_canvases_create(channel_id=ops, document_content=content("x"))
    assert await read_refusal(again) == "channel_canvas_already_exists"
    tab = await client.canvases_create(title="INC-2", document_content=content("x"), channel_id=ops)
    assert slack.workspace.canvases[tab["canvas_id"]].access == {ops: "write"}
    assert (await client.files_info(file=canvas))["file"]["permalink"].endswith(f"/docs/T0REHEARSE/{canvas}")


async def test_the_free_plan_has_one_canvas_a_channel_and_none_outside(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    alone = str((await client.canvases_create(document_content=content("x")))["canvas_id"])
    slack.workspace.plan = "free"
    await add_canvas(client, ops)
    again = client.conversations_canvases_create(channel_id=ops, document_content=content("x"))
    assert await read_refusal(again) == "free_team_canvas_tab_already_exists"
    tab = client.canvases_create(document_content=content("x"), channel_id=ops)
    assert await read_refusal(tab) == "free_team_canvas_tab_already_exists"
    outside = client.canvases_create(document_content=content("x"))
    assert await read_refusal(outside) == "free_teams_cannot_create_non_tabbed_canvases"
    edit = client.canvases_edit(canvas_id=alone, changes=whole("y"))
    assert await read_refusal(edit) == "free_teams_cannot_edit_standalone_canvases"


async def test_a_canvas_is_read_back_in_slacks_own_hand(slack: StandIn, client: AsyncWebClient) -> None:
    canvas = await add_canvas(
        client, slack.channel("ops"), "## Plan\n\n- one\n- [x] done\n\n```\n- code\n```\n#### deep"
    )
    read = (await client.canvases_getContent(canvas_id=canvas))["content"]
    assert read == "## Plan\n\n\n* one\n- [x] done\n\n```\n- code\n```\n### deep\n"
    assert write_as_slack(read.strip()) == "## Plan\n\n\n\n* one\n- [x] done\n\n```\n- code\n```\n### deep\n"


async def test_one_change_a_call_writes_on_it(slack: StandIn, client: AsyncWebClient) -> None:
    canvas = await add_canvas(client, slack.channel("ops"))
    found = slack.workspace.canvases[canvas]
    for operation in ("insert_at_start", "insert_at_end"):
        change = {"operation": operation, "document_content": content(operation)}
        await client.canvases_edit(canvas_id=canvas, changes=[change])
    assert found.markdown == "insert_at_start\n\n# Plan\n\ninsert_at_end"
    assert await read_refusal(client.canvases_edit(canvas_id=canvas, changes=whole("x") * 2)) == "invalid_arguments"
    await client.canvases_edit(canvas_id=canvas, changes=whole("anew"))
    title = {"operation": "rename", "title_content": content("INC-7")}
    await client.canvases_edit(canvas_id=canvas, changes=[title])
    assert (found.markdown, found.title) == ("anew", "INC-7")
    await client.canvases_delete(canvas_id=canvas)
    assert await read_refusal(client.canvases_getContent(canvas_id=canvas)) == "canvas_not_found"


def at(section: str, operation: str, markdown: str = "") -> list[dict[str, Any]]:
    return [
        {"operation": operation, "section_id": section} | ({"document_content": content(markdown)} if markdown else {})
    ]


async def test_a_section_is_found_by_its_words_and_changed_alone(slack: StandIn, client: AsyncWebClient) -> None:
    table = "| a | b |\n| --- | --- |\n| one | 1 |"
    text = f"## Plan\n\nFirst **this**.\n\n- one\n- two\n  and more\n\n{table}\n\n```\n# no\n```"
    canvas = await add_canvas(client, slack.channel("ops"), text)
    found = slack.workspace.canvases[canvas]

    async def section(words: str, *types: str) -> list[str]:
        criteria = {"contains_text": words} | ({"section_types": list(types)} if types else {})
        answer = await client.canvases_sections_lookup(canvas_id=canvas, criteria=criteria)
        return [str(one["id"]) for one in answer["sections"]]

    assert [len(await section(words)) for words in ("First this.", "one", "and more", "# no", "nowhere")] == [
        1,
        2,
        1,
        1,
        0,
    ]
    assert [len(await section("Plan", kind)) for kind in ("h1", "h2", "any_header")] == [0, 1, 1]
    await client.canvases_edit(canvas_id=canvas, changes=at((await section("two"))[0], "insert_after", "- three"))
    await client.canvases_edit(canvas_id=canvas, changes=at((await section("First"))[0], "replace", "Then that."))
    await client.canvases_edit(canvas_id=canvas, changes=at((await section("one"))[0], "insert_before", "Of these:"))
    old = (await section("three"))[0]
    await client.canvases_edit(canvas_id=canvas, changes=at((await section("# no"))[0], "delete"))
    assert found.markdown == f"## Plan\n\nThen that.\n\nOf these:\n\n- one\n- two\n  and more\n- three\n\n{table}"
    assert (
        await read_refusal(client.canvases_edit(canvas_id=canvas, changes=at(old, "delete"))) == "canvas_editing_failed"
    )


def test_a_canvas_holds_a_mebibyte() -> None:
    asked = {"canvas_id": "F1", "changes": whole("x" * (MOST_MARKDOWN + 1))}
    workspace = Workspace(SystemClock())
    workspace.canvases["F1"] = Canvas("F1", "", "before")
    with pytest.raises(ApiRefusal, match="canvas_creation_failed"):
        METHODS["canvases.edit"].handler(workspace, Args(asked))
    assert workspace.canvases["F1"].markdown == "before"


async def test_canvases_need_their_rights_and_a_workspace_that_has_them(slack: StandIn, client: AsyncWebClient) -> None:
    ops, elsewhere = slack.channel("ops"), slack.channel("elsewhere", with_bot=False)
    canvas = await add_canvas(client, ops)
    shown = client.canvases_access_set(canvas_id=canvas, access_level="read", channel_ids=[elsewhere])
    assert (await shown)["ok"]
    assert slack.workspace.canvases[canvas].access == {ops: "write", elsewhere: "read"}
    nobody = client.canvases_access_set(canvas_id=canvas, access_level="read")
    assert await read_refusal(nobody) == "invalid_parameters"
    not_in = client.conversations_canvases_create(channel_id=elsewhere, document_content=content("x"))
    assert await read_refusal(not_in) == "not_in_channel"
    rights = slack.workspace.tokens[slack.bot_token].scopes
    rights.remove("canvases:read")
    assert await read_refusal(client.canvases_getContent(canvas_id=canvas)) == "missing_scope"
    slack.workspace.has_canvases = False
    assert await read_refusal(client.canvases_edit(canvas_id=canvas, changes=whole("x"))) == "canvas_disabled_user_team"


async def test_only_who_sees_a_canvas_writes_on_it(slack: StandIn, client: AsyncWebClient) -> None:
    ana, bo = slack.user("ana"), slack.user("bo")
    canvas = await add_canvas(client, slack.channel("ops", [ana]), "Nothing yet")
    slack.write_on_canvas(ana, canvas, "Nothing yet", "The pool ran out")
    assert slack.workspace.canvases[canvas].markdown == "The pool ran out"
    with pytest.raises(LookupError, match="does not see the canvas"):
        slack.write_on_canvas(bo, canvas, "The pool", "My pool")
    with pytest.raises(LookupError, match="is not on the canvas"):
        slack.write_on_canvas(ana, canvas, "Nothing yet", "x")


async def test_the_browser_shows_a_channels_canvas_and_no_html_of_it(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    await add_canvas(client, ops, "## Plan\n\n- **one** <b>two</b>", title="INC-1 <i>")
    drawn = WorkspaceRenderer().draw(
        "workspace_room.html.j2", slack.reader(ana), canvases=slack.workspace.canvases.values(), rows=[]
    )
    assert "INC-1 &lt;i&gt;" in drawn
    assert "<h2>Plan</h2>" in drawn
    assert "<strong>one</strong> &lt;b&gt;two&lt;/b&gt;" in drawn
