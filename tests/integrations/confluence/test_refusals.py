"""A page that was made is known, whatever is refused after it; a token with the scopes that we name can do it all."""

import pytest

from bot.integrations import atlassian
from storage.queues import SyncState
from tests.integrations.confluence.test_sync import exporting
from tests.support.integrations.confluence_pages import (
    PAGE,
    TITLE,
    WRITE,
    body,
    link,
    newest_message,
    number,
    put,
    region,
    with_confluence,
    write,
)
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.interactions import press, type_command

ALL = set(atlassian.scopes_of(atlassian.CONFLUENCE))
NO_SCOPE = refuse_with(401, {"code": 401, "message": "Unauthorized; scope does not match"})
FORBIDDEN = refuse_with(403, {"message": "no"})
LABEL, FILE, PROPERTY = "POST .*/label$", "PUT .*/child/attachment$", "POST .*/properties$"


async def test_a_token_with_the_scopes_that_we_name_finishes_a_page(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        wiki.scopes = set(ALL)
        message = await put(play)
        assert "Without" not in message.plain
        write(wiki, "leadup", '<p>It grew, says <ac:link><ri:user ri:account-id="acc-Bo" /></ac:link>.</p>', by="Ana")
        await put(play)
        assert wiki.refused_for_scope == []
        assert [(text.markdown, text.author) for text in play.case().edited_sections] == [("It grew, says Bo.", "Ana")]


@pytest.mark.parametrize(
    ("missing", "told_of"),
    [
        ("write:label:confluence", "to label pages, it needs `read:label:confluence` and `write:label:confluence`"),
        ("read:label:confluence", "(or `write:confluence-content`)"),
        ("write:attachment:confluence", "to attach pictures, it needs `read:attachment:confluence` and"),
        ("write:page:confluence", "to write pages, it needs `write:page:confluence`"),
        ("read:space:confluence", "to look for the space, it needs `read:space:confluence`"),
    ],
)
async def test_a_scope_that_is_missing_is_named_with_what_it_is_for(
    sqlite_url: str, missing: str, told_of: str
) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.scopes = ALL - {missing}
        message = await put(play)
        assert "the token lacks a scope" in message.plain
        assert told_of in message.plain
        assert "expired" not in message.plain


@pytest.mark.parametrize("day", [NO_SCOPE, FORBIDDEN, refuse_with(404, {"message": "no"})], ids=["401", "403", "404"])
@pytest.mark.parametrize(
    ("call", "note"),
    [
        (LABEL, "The labels are missing: "),
        (FILE, "The pictures are missing: "),
        (PROPERTY, "I couldn't save which text on the page is mine"),
    ],
    ids=["label", "attachment", "property"],
)
async def test_what_is_refused_beside_a_page_is_a_note_and_comes_next_time(
    sqlite_url: str, call: str, note: str, day: BadDay
) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.next_time(call, day)
        message = await put(play)
        assert f"The postmortem of INC-1 is on Confluence: {TITLE}" in message.plain.replace("*", "")
        assert note in message.plain
        assert (link(play).state, link(play).external_id, len(wiki.pages)) == (SyncState.IN_SYNC, PAGE, 1)
        assert "On Confluence: " in await exporting(play)
        await type_command(play, play.ana, "/timeline failed over")
        message = await put(play)
        assert "Without" not in message.plain
        assert "failed over" in region(wiki, "timeline")
        assert wiki.labels[PAGE] == ["postmortem", "inc-1"]
        assert 'ri:filename="timeline.svg"' in body(wiki)
        assert wiki.properties[PAGE]["value"]


async def test_all_of_it_may_be_refused_and_the_page_stands(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.scopes = ALL - {"write:label:confluence", "write:attachment:confluence", "read:user:confluence"}
        message = await put(play)
        assert [note in message.plain for note in ("The labels are missing", "The pictures are missing")] == [
            True,
            True,
        ]
        for what in ("failed over", "failed back"):
            await type_command(play, play.ana, f"/timeline {what}")
            await put(play)
        assert (len(wiki.pages), link(play).state) == (1, SyncState.IN_SYNC)
        assert "failed back" in region(wiki, "timeline")


@pytest.mark.parametrize("day", [NO_SCOPE, BadDay(500), BadDay(acts=True, resets=True), FORBIDDEN], ids=str)
@pytest.mark.parametrize("call", [WRITE, FILE, LABEL, f"GET .*/pages/{PAGE}$"], ids=["write", "file", "label", "read"])
async def test_a_page_is_known_and_is_made_only_once_whatever_fails_after_it(
    sqlite_url: str, call: str, day: BadDay
) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.next_time(call, *[day] * 3)
        await put(play)
        assert (link(play).external_id, link(play).url) == (PAGE, f"{wiki.url}/wiki/spaces/ENG/pages/{PAGE}")
        assert "On Confluence: " in await exporting(play)
        wiki.better()
        if any("connections_again" in str(message.buttons) for message in play.slack.messages(play.channel)):
            await press(play, play.ana, "connections_again")
        for _ in range(3):
            await play.pass_time(minutes=16)
        await put(play)
        assert (len(wiki.pages), link(play).state) == (1, SyncState.IN_SYNC)
        assert 'ri:filename="timeline.svg"' in body(wiki)
        assert wiki.labels[PAGE] == ["postmortem", "inc-1"]
        assert play.case().edited_sections == ()


async def test_a_failure_after_the_page_was_made_leads_to_the_page(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.next_time(WRITE, NO_SCOPE)
        message = await put(play)
        assert "to write pages, it needs `write:page:confluence`" in message.plain
        assert f"/wiki/spaces/ENG/pages/{PAGE}" in str(message)
        assert (link(play).state, number(wiki)) == (SyncState.PENDING, 1)
        await play.pass_time(minutes=16)
        await newest_message(play)
        assert number(wiki) == 2
        assert sum("is on Confluence" in message.plain for message in play.slack.messages(play.channel)) == 1


async def test_a_token_that_is_refused_altogether_is_told_so_and_once(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        await type_command(play, play.ana, "/timeline failed over")
        wiki.authorization = "another"
        message = await put(play)
        assert "Confluence refused the token. Either it expired" in message.plain
        assert "scope" not in message.plain.partition("expired")[0]
