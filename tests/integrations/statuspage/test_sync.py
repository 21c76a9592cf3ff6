"""Updates for customers: drafted, confirmed word by word, sent once, and followed to the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from bot.rehearsal.screen import ShownView
from tests.support.integrations.clients import SECRET
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.integrations.fakes.statuspage import FakeStatuspage
from tests.support.interactions import count_messages, last, on_stage, open_incident, press, type_command
from tests.support.play import Play
from tests.support.replicas import both

WORDS = "Some payments fail.\nWe know why & <fix> it."


@asynccontextmanager
async def with_page(database_url: str) -> AsyncIterator[tuple[Play, FakeStatuspage]]:
    page = FakeStatuspage()
    async with page.serving() as url:
        environ = {
            "AFTERWORD_STATUSPAGE_PAGE": "pg",
            "AFTERWORD_STATUSPAGE_KEY": SECRET,
            "AFTERWORD_STATUSPAGE_URL": f"{url}/v1",
        }
        async with on_stage(database_url, environ=environ) as play:
            await open_incident(play)
            await play.pass_time(seconds=1)
            yield play, page


async def draft_update(play: Play, **values: Any) -> ShownView:
    """The window that asks once more."""
    await type_command(play, play.ana, "/incident customers")
    await press(play, play.ana, "statuspage_form")
    (window,) = play.slack.views(play.ana)
    fields = {"status": "identified", "body": WORDS, "components": ["api"], "working": "major_outage"} | values
    answer = await play.slack.submit(play.ana, window, fields)
    assert answer.ok, answer
    (window,) = play.slack.views(play.ana)
    return window


async def publish_update(play: Play, **values: Any) -> None:
    await play.slack.submit(play.ana, await draft_update(play, **values))
    await play.pass_time(seconds=5)


async def test_nothing_goes_out_before_a_person_has_seen_every_word(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        window = await draft_update(play)
        assert "Some payments fail." in window.plain
        assert "We know why & <fix> it." in window.plain
        assert "Shown as major outage: API" in window.plain
        assert "without an email" in window.plain
        await play.pass_time(minutes=10)
        assert page.incidents == {}
        await play.slack.submit(play.ana, window)
        await play.pass_time(seconds=1)
        (incident,) = page.incidents.values()
        assert incident["updates"] == [{"status": "identified", "body": WORDS}]
        assert (page.status_of("api"), page.mails) == ("major_outage", [])
        assert count_messages(play, "Customers can read it now: Identified") == 1
        assert f"Customers told (identified): {WORDS}" in [entry.text for entry in play.case().entries]


async def test_mails_go_out_only_where_it_was_ticked(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        window = await draft_update(play, mails=["mails"])
        assert "with an email to all subscribers" in window.plain
        await play.slack.submit(play.ana, window)
        await play.pass_time(seconds=1)
        assert page.mails == [WORDS]


async def test_a_second_update_joins_the_first(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        await publish_update(play)
        await publish_update(play, status="monitoring", body="A fix is in place.", components=[])
        (incident,) = page.incidents.values()
        assert [one["status"] for one in incident["updates"]] == ["monitoring", "identified"]


async def test_the_end_resets_the_components(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        page.forgets_components = True
        await publish_update(play)
        await publish_update(play, status="resolved", body="It is over.", components=[])
        assert (page.status_of("api"), next(iter(page.incidents.values()))["status"]) == ("operational", "resolved")


async def test_an_incident_that_is_over_asks_once_for_the_last_word(database_url: str) -> None:
    async with with_page(database_url) as (play, _):
        await publish_update(play)
        await type_command(play, play.ana, "/incident resolved")
        for _ in range(4):
            await play.pass_time(minutes=3)
        assert count_messages(play, "INC-1 is resolved, but customers still read identified. Update them?") == 1
        await press(play, play.ana, "statuspage_form")
        (window,) = play.slack.views(play.ana)
        assert "Resolved" in str(window.blocks)


async def test_an_answer_that_was_lost_tells_customers_nothing_twice(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        page.next_time("POST .*/incidents$", BadDay(acts=True, resets=True))
        await publish_update(play, mails=["mails"])
        await play.pass_time(minutes=5)
        assert (len(page.incidents), page.mails) == (1, [WORDS])
        assert count_messages(play, "Customers can read it now: Identified") == 1


async def test_two_updates_at_once_arrive_in_their_order(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        await play.slack.submit(play.ana, await draft_update(play))
        await play.slack.submit(
            play.ana, await draft_update(play, status="monitoring", body="Watching.", components=[])
        )
        for _ in range(4):
            await play.pass_time(seconds=20)
        (incident,) = page.incidents.values()
        assert [one["status"] for one in incident["updates"]] == ["monitoring", "identified"]
        assert count_messages(play, ":warning:") == 0


async def test_without_a_page_the_command_says_how(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        assert "AFTERWORD_STATUSPAGE_PAGE" in await type_command(play, play.ana, "/incident customers")


async def test_an_old_update_is_never_sent_after_a_newer_one(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        page.next_time("POST .*/incidents$", refuse_with(422, {"error": "Not so."}))
        await publish_update(play)
        await publish_update(play, status="resolved", body="It is over.", components=[])
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=5)
        (incident,) = page.incidents.values()
        assert [one["body"] for one in incident["updates"]] == ["It is over."]
        assert count_messages(play, "Customers have a newer update already") == 1


async def test_two_bots_ask_once_for_the_last_word(postgres_url: str) -> None:
    async with with_page(postgres_url) as (play, _):
        await publish_update(play)
        await type_command(play, play.ana, "/incident resolved")
        play.clock.advance(timedelta(minutes=3))
        await both(play)
        assert count_messages(play, "customers still read identified") == 1


async def test_the_postmortem_becomes_a_draft_there_masked_and_only_on_request(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        await publish_update(play)
        await type_command(play, play.ana, "/timeline login from 10.2.3.4 by ana@shop.example")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/incident customers")
        await press(play, play.ana, "statuspage_draft")
        (window,) = play.slack.views(play.ana)
        assert "10.2.3.4" in window.plain
        assert "ana@shop.example" in window.plain
        assert "postmortem" not in next(iter(page.incidents.values()))
        await play.slack.submit(play.ana, window)
        await play.pass_time(seconds=10)
        draft = next(iter(page.incidents.values()))["postmortem"]["body_draft"]
        assert "## Timeline" in draft
        assert "login from [masked] by [masked]" in draft
        assert "afterword:" not in draft
        assert "published_at" not in next(iter(page.incidents.values()))["postmortem"]
        assert count_messages(play, "The postmortem of INC-1 is a draft on Statuspage.") == 1


async def test_there_is_no_draft_before_customers_were_told_anything(database_url: str) -> None:
    async with with_page(database_url) as (play, _):
        await type_command(play, play.ana, "/incident customers")
        assert "statuspage_draft" not in [button[1] for button in last(play, play.ana).buttons]


async def test_an_incident_that_was_deleted_there_is_told_and_the_next_update_opens_another(
    database_url: str,
) -> None:
    async with with_page(database_url) as (play, page):
        await publish_update(play)
        page.incidents.clear()
        await publish_update(play, status="monitoring", body="Watching.", components=[])
        assert count_messages(play, "The incident was deleted on Statuspage") == 1
        assert page.incidents == {}
        await publish_update(play, status="monitoring", body="Still watching.", components=[])
        (incident,) = page.incidents.values()
        assert [one["body"] for one in incident["updates"]] == ["Still watching."]
        await publish_update(play, status="resolved", body="It is over.", components=[])
        assert [one["body"] for one in incident["updates"]] == ["It is over.", "Still watching."]


async def test_after_that_the_same_update_opens_a_new_one_on_a_click(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        await publish_update(play)
        page.incidents.clear()
        await publish_update(play, status="monitoring", body="Watching.", components=[])
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=5)
        (incident,) = page.incidents.values()
        assert [one["body"] for one in incident["updates"]] == ["Watching."]


async def test_an_update_is_known_again_however_the_page_sets_its_lines(database_url: str) -> None:
    async with with_page(database_url) as (play, page):
        page.sets_lines = True
        await publish_update(play)
        page.next_time("PATCH .*/incidents/", BadDay(acts=True, resets=True))
        await publish_update(
            play, status="monitoring", body="It works again.\nWe watch it.", components=[], mails=["mails"]
        )
        await play.pass_time(minutes=5)
        assert page.mails == ["It works again.\nWe watch it."]
