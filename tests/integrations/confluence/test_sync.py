"""The postmortem as a page: made once on request, brought up to date on request, and never twice."""

from functools import partial

import pytest

from bot.export.confluence.regions import split_page
from storage import links as links_store
from storage.queues import SyncState
from tests.handlers.test_postmortem import fill
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
from tests.support.interactions import on_stage, open_incident, press, type_command
from tests.support.play import Play


async def test_a_postmortem_becomes_a_page_with_labels_pictures_and_a_way_back(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await type_command(play, play.ana, "/incident sev 2")
        message = await put(play)
        page = wiki.pages[PAGE]
        assert (page["title"], page["parent"]) == (TITLE, "900")
        assert wiki.labels[PAGE] == ["postmortem", "sev2", "inc-1"]
        assert [name for _, name in wiki.files] == ["timeline.svg"]
        assert 'ri:filename="timeline.svg"' in body(wiki)
        assert f"app_redirect?team=T0REHEARSE&amp;channel={play.channel}" in body(wiki)
        assert "pool enlarged" in region(wiki, "timeline")
        url = f"{wiki.url}/wiki/spaces/ENG/pages/{PAGE}"
        assert f"The postmortem of INC-1 is on Confluence: {TITLE}, version 2." in message.plain.replace("*", "")
        assert (link(play).state, link(play).external_id, link(play).url) == (SyncState.IN_SYNC, PAGE, url)


async def test_no_version_of_a_page_shows_a_picture_that_is_not_attached(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        (made,) = wiki.find_calls("POST .*/pages$")
        assert "ri:filename" not in str(made.body)
        order = [seen.path.rpartition("/")[2] for seen in wiki.find_calls(f"PUT .*({PAGE}|attachment)$")]
        assert order == ["attachment", PAGE]


async def test_a_page_follows_the_record_on_request_alone(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        await type_command(play, play.ana, "/timeline failed over to the other zone")
        await play.pass_time(hours=1)
        assert "failed over" not in body(wiki)
        message = await put(play)
        assert "failed over to the other zone" in region(wiki, "timeline")
        assert "is up to date" in message.plain
        assert number(wiki) == 3
        assert len(wiki.files[(PAGE, "timeline.svg")]) == 2


async def test_what_is_in_step_is_not_written_again(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        before = len(wiki.find_calls("PUT"))
        await play.pass_time(minutes=5)
        message = await put(play)
        assert "No changes for the page" in message.plain
        assert number(wiki) == 2
        assert len(wiki.find_calls("PUT")) == before


async def test_publishing_the_postmortem_brings_its_page_along_once(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        for section in ("summary", "impact", "root_cause", "actions"):
            await fill(play, play.ana, section, "Words.")
        await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert "page on Confluence" in str(answer)
        await newest_message(play)
        assert region(wiki, "impact").startswith("Words.")
        assert number(wiki) == 3


async def test_a_publication_offers_the_page_that_is_not_there(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        for section in ("summary", "impact", "root_cause", "actions"):
            await fill(play, play.ana, section, "Words.")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem publish")
        await play.settle()
        assert wiki.pages == {}
        await press(play, play.bo, "confluence_publish")
        await newest_message(play)
        assert wiki.pages[PAGE]["title"] == TITLE


async def test_without_confluence_the_way_to_connect_it_is_told(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "AFTERWORD_CONFLUENCE_URL" in await type_command(play, play.ana, "/postmortem confluence")


@pytest.mark.parametrize("day", [BadDay(acts=True, resets=True), BadDay(502, acts=True)], ids=str)
async def test_a_page_that_was_made_before_the_line_broke_is_not_made_again(database_url: str, day: BadDay) -> None:
    async with with_confluence(database_url) as (play, wiki):
        wiki.next_time("POST .*/pages$", day)
        await put(play)
        assert (len(wiki.pages), link(play).is_unsure) == (1, True)
        await type_command(play, play.ana, "/timeline failed over meanwhile")
        await play.pass_time(minutes=5)
        assert (len(wiki.pages), link(play).external_id, link(play).state) == (1, PAGE, SyncState.IN_SYNC)
        assert "failed over meanwhile" in region(wiki, "timeline")
        assert play.case().edited_sections == ()


async def test_an_update_that_was_made_before_the_line_broke_is_nobodys_edit(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        await fill(play, play.ana, "leadup", "A release.")
        wiki.next_time(WRITE, BadDay(acts=True, resets=True), *[BadDay(500)] * 5)
        await put(play)
        assert (link(play).is_unsure, region(wiki, "leadup")) == (True, "A release.")
        await fill(play, play.ana, "leadup", "Release 4.12.")
        for _ in range(2):
            await play.pass_time(minutes=5)
        assert region(wiki, "leadup") == "Release 4.12."
        assert play.case().edited_sections == ()


async def test_a_conflict_is_read_again_and_joined(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        await fill(play, play.ana, "leadup", "A release.")
        wiki.quicker += [partial(write, wiki, "fault", f"<p>Typed {time}.</p>") for time in ("once", "twice")]
        await put(play)
        assert (region(wiki, "leadup"), region(wiki, "fault")) == ("A release.", "Typed twice.")
        assert [text.markdown for text in play.case().edited_sections] == ["Typed once.", "Typed twice."]
        assert number(wiki) == 5


async def test_a_page_that_somebody_writes_on_all_the_time_is_tried_later(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        await fill(play, play.ana, "leadup", "A release.")
        wiki.quicker += [lambda: wiki.edit(PAGE, body(wiki))] * 3
        message = await put(play)
        assert "The page is being edited right now" in message.plain
        await play.pass_time(minutes=5)
        assert region(wiki, "leadup") == "A release."


async def test_a_title_that_is_taken_gets_the_key_behind_it(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.put(TITLE, "<p>another matter</p>")
        await put(play)
        assert wiki.pages["1001"]["title"] == f"{TITLE} (INC-1)"
        await type_command(play, play.ana, "/timeline failed over")
        await put(play)
        assert (wiki.pages["1001"]["title"], len(wiki.pages)) == (f"{TITLE} (INC-1)", 2)
        assert body(wiki) == "<p>another matter</p>"


async def test_a_name_that_people_gave_the_page_stays(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        wiki.pages[PAGE]["title"] = "The day of the pool"
        for text in ("failed over", "failed back"):
            await type_command(play, play.ana, f"/timeline {text}")
            await put(play)
        assert wiki.pages[PAGE]["title"] == "The day of the pool"
        assert number(wiki) == 4


async def test_a_token_that_is_refused_is_told_and_a_new_one_needs_no_word(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.authorization = "another"
        message = await put(play)
        assert "INC-1 postmortem: Confluence refused the token" in message.plain
        wiki.authorization = ""
        await play.pass_time(minutes=16)
        assert link(play).external_id == PAGE


async def test_a_page_that_is_too_large_is_told_with_what_to_do(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.next_time("POST .*/pages$", refuse_with(413, {"message": "too large"}))
        message = await put(play)
        assert "INC-1 postmortem: Confluence refused it, because it's too large. Make it shorter" in message.plain
        assert link(play).state == SyncState.REJECTED
        await press(play, play.ana, "connections_again")
        await newest_message(play)
        assert link(play).external_id == PAGE


async def test_pictures_that_may_not_be_attached_are_left_out_and_told(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        wiki.next_time("attachment", refuse_with(403, {"message": "no"}))
        message = await put(play)
        assert "The pictures are missing: Confluence doesn't let this account do that" in message.plain
        assert "ri:filename" not in body(wiki)
        await put(play)
        assert 'ri:filename="timeline.svg"' in body(wiki)


async def test_a_page_that_was_deleted_is_told_and_made_anew_on_a_click(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        wiki.pages[PAGE]["status"] = "trashed"
        wiki.pages[PAGE]["title"] += " (trashed)"
        message = await put(play)
        assert "The page of *INC-1* on Confluence was deleted" in message.plain
        assert (link(play).state, len(wiki.pages)) == (SyncState.REJECTED, 1)
        await press(play, play.bo, "confluence_anew")
        message = await newest_message(play)
        assert "is on Confluence" in message.plain
        assert (link(play).external_id, len(wiki.pages)) == ("1001", 2)
        assert 'ri:filename="timeline.svg"' in body(wiki, "1001")
        assert next(iter(split_page(body(wiki, "1001")).parts)) == "summary"
        await type_command(play, play.ana, "/timeline failed over")
        await put(play)
        assert "failed over" in region(wiki, "timeline", "1001")


async def test_a_decision_while_the_page_is_being_written_is_asked_for_again(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        del wiki.pages[PAGE]
        await put(play)
        await play.bot.store.write(lambda tx: links_store.claim(tx, link(play), "elsewhere", play.clock.now()))
        message = await press(play, play.bo, "confluence_anew")
        assert "is being written" in message.plain
        await play.pass_time(minutes=6)
        await press(play, play.bo, "confluence_anew")
        await newest_message(play)
        assert len(wiki.pages) == 1


async def test_the_connections_tell_of_the_page(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        assert "*Confluence*: 1 up to date" in await type_command(play, play.ana, "/incident connections")
        assert "On Confluence: " in await exporting(play)
        del wiki.pages[PAGE]
        await put(play)
        answer = await type_command(play, play.ana, "/incident connections")
        assert "*INC-1 postmortem*: INC-1's page was deleted there" in answer


async def exporting(play: Play) -> str:
    """What is answered to who exports the draft."""
    answer = await play.slack.command(play.ana, play.channel, "/postmortem export")
    return str(answer.body)


async def test_redacted_words_leave_the_page_by_themselves(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await type_command(play, play.ana, "/timeline Zephyrine Quast called")
        await put(play)
        assert "Quast" in region(wiki, "timeline")
        before = number(wiki)
        await type_command(play, play.ana, '/timeline redact 5 "Zephyrine Quast"')
        await play.pass_time(seconds=1)
        await play.settle()
        assert number(wiki) == before + 1
        assert "Quast" not in body(wiki)
        assert "[redacted] called" in region(wiki, "timeline").replace("\\", "")
        assert link(play).state is SyncState.IN_SYNC
        assert "Quast" not in link(play).memo
