"""Services and tags in Slack: set, completed, proposed, searched by, renamed; and never seen from outside."""

from functools import partial

import pytest

from bot.domain.facets import FacetKind, list_names
from storage import audit as audit_store
from storage import channels as channels_store
from tests.support.alert_senders import ALERTS, call, pagerduty, watch_alerts
from tests.support.interactions import actions_of, having, last, on_stage, open_incident, press, type_command, window
from tests.support.play import TEAM, Play

SERVICE, TAG = FacetKind.SERVICE, FacetKind.TAG


def names(play: Play, kind: FacetKind = SERVICE) -> tuple[str, ...]:
    return list_names(play.case().facets, kind)


def make_public(play: Play, *channels: str) -> None:
    """As the bot learns it from Slack in the background."""
    public = dict.fromkeys(channels or (play.channel,), False)
    play.bot.store.write_now(lambda tx: channels_store.save_privacy(tx, TEAM, public, play.clock.now()))


def other_room(play: Play, name: str = "payments", *, private: bool = False) -> str:
    return play.slack.channel(name, [play.ana, play.bo], private=private)


async def test_a_line_adds_and_takes_away(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/incident service checkout, Payments")
        assert "*INC-1* · Services: *checkout*, *Payments*" in answer
        assert names(play) == ("checkout", "Payments")
        assert "Tag: *database*" in await type_command(play, play.bo, "/incident tag #database")
        assert "Service: *Payments* · Tag: *database*" in await type_command(
            play, play.bo, "/incident service -CHECKOUT"
        )
        assert "already has that" in await type_command(play, play.bo, "/incident service payments")
        answer = await type_command(play, play.bo, "/incident service -search")
        assert 'doesn\'t have the service "search". It has Payments.' in answer
        assert (
            "no services or tags now" in await type_command(play, play.bo, "/incident service -payments")
            or names(play) == ()
        )
        assert names(play, TAG) == ("database",)
        lines = play.bot.store.read_now(lambda tx: audit_store.list_all(tx, 1))
        assert [(line.verb, line.what, line.who) for line in lines if line.verb.startswith("facets")] == [
            ("facets.change", "service checkout, service Payments", play.ana),
            ("facets.change", "tag database", play.bo),
            ("facets.change", "service checkout removed", play.bo),
            ("facets.change", "service Payments removed", play.bo),
        ]


async def test_the_live_message_and_the_status_show_them(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident service checkout")
        await type_command(play, play.ana, "/incident tag database, pool")
        await play.settle()
        card = having(play, play.bo, "facets_open").text
        assert "Service: *checkout* · Tags: *database*, *pool*" in card
        assert "service checkout added by Ana Demo" in card
        assert "Service: *checkout*" in await type_command(play, play.bo, "/incident status")


async def test_the_form_completes_what_was_used_and_takes_new_words(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room, secret = other_room(play), other_room(play, "merger", private=True)
        for channel, name in ((room, "search"), (secret, "Acquisition")):
            await open_incident(play, "Slow", channel)
            await type_command(play, play.ana, f"/incident service {name}", channel)
        make_public(play, play.channel, room)
        await open_incident(play)
        await type_command(play, play.ana, "/incident service checkout")
        await play.settle()
        view = await window(play, play.chandra, "facets_open")
        shown = str(view.blocks)
        assert "search" in shown
        assert "checkout" in shown
        assert "Acquisition" not in shown  # Chandra is not in that channel
        sent = {"facets_service": ["search"], "facets_new_service": "payments, -search, Cart", "facets_new_tag": "pool"}
        await play.slack.submit(play.chandra, view, sent)
        assert names(play) == ("payments", "Cart")
        assert names(play, TAG) == ("pool",)
        await type_command(play, play.ana, "/incident service")
        await play.settle()
        (again,) = play.slack.views(play.ana)
        assert "Acquisition" in str(again.blocks)  # Ana is


async def test_what_another_person_set_meanwhile_stays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident service checkout, search")
        await play.settle()
        view = await window(play, play.bo, "facets_open")
        await type_command(play, play.ana, "/incident service payments, -search")
        await play.slack.submit(play.bo, view, {"facets_service": ["search"]})
        assert names(play) == ("payments", "search")


async def test_a_mistake_in_the_form_is_said_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.bo, "facets_open")
        answer = await play.slack.submit(play.bo, view, {"facets_new_service": "x" * 41})
        assert "can have 40 characters" in str(answer)
        assert names(play) == ()


async def test_a_known_name_in_the_title_is_proposed_and_never_set_unasked(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = other_room(play)
        await open_incident(play, "Slow", room)
        await type_command(play, play.ana, "/incident service Checkout, payment gateway", room)
        make_public(play, play.channel, room)
        await type_command(play, play.bo, "/incident open checkout: the payment gateway times out")
        await play.settle()
        opened = having(play, play.bo, "facets_add_0")
        assert [label for label, action, _ in opened.buttons if action.startswith("facets_add")] == [
            "Add service payment gateway",
            "Add service Checkout",
        ]
        assert names(play) == ()
        await press(play, play.bo, "facets_add_1")
        after = having(play, play.bo, "facets_add_0")
        assert "Service: *Checkout*" in after.text
        assert [label for label, action, _ in after.buttons if action.startswith("facets_add")] == [
            "Add service payment gateway"
        ]
        assert names(play) == ("Checkout",)
        status = await type_command(play, play.chandra, "/incident status")
        assert "Service: *Checkout*" in status
        assert "facets_add_0" in actions_of(last(play, play.chandra))


async def test_a_private_incidents_name_is_proposed_to_nobody_outside(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        secret = other_room(play, "merger", private=True)
        await open_incident(play, "Slow", secret)
        await type_command(play, play.ana, "/incident service ACQUISITION", secret)
        make_public(play)
        await type_command(play, play.ana, "/incident open acquisition portal is down")
        assert "facets_add_0" not in actions_of(last(play, play.ana))
        await type_command(play, play.ana, "/incident service acquisition")
        assert names(play) == ("acquisition",)  # not spelled as in there


async def test_a_name_never_used_is_perhaps_misspelled_or_several(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident service checkout")
        answer = await type_command(play, play.ana, "/incident service chekout")
        assert "“chekout” is new. If you meant “checkout”: `/incident service checkout, -chekout`" in answer
        answer = await type_command(play, play.ana, "/incident tag slow query")
        assert "“slow query” is one name. Put commas between several" in answer


async def test_lists_and_searches_go_by_them(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = other_room(play)
        await open_incident(play, "The pool is exhausted", room)
        await type_command(play, play.ana, "/incident service checkout", room)
        await type_command(play, play.ana, "/incident tag database", room)
        await open_incident(play, "Another pool is exhausted")
        answer = await type_command(play, play.chandra, "/incident list service:CHECKOUT")
        assert "*Incidents* · service CHECKOUT" in answer
        assert "*INC-1*" in answer
        assert "checkout, database" in answer
        assert "INC-2" not in answer
        assert "*INC-2*" in await type_command(play, play.chandra, "/incident list")
        answer = await type_command(play, play.chandra, "/incident search tag:database pool")
        assert "1 match for *tag:database pool*" in answer
        assert "*INC-1*" in answer
        assert "INC-2" not in answer
        assert "*INC-1*" in await type_command(play, play.chandra, '/incident search service:"checkout"')
        answer = await type_command(play, play.chandra, "/incident list service:checkout tag:cache")
        assert "No incidents with service checkout, tag cache that you can see." in answer
        assert "No matches" in await type_command(play, play.chandra, "/incident search service:search pool")


async def test_a_private_incident_is_listed_and_found_by_its_members_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        secret = other_room(play, "merger", private=True)
        await open_incident(play, "Slow", secret)
        await type_command(play, play.ana, "/incident service acquisition", secret)
        for ask in ("list", "search"):
            assert "INC-1" in await type_command(play, play.bo, f"/incident {ask} service:acquisition")
            assert "INC-1" not in await type_command(play, play.chandra, f"/incident {ask} service:acquisition")


async def test_one_command_renames_everywhere_and_counts_what_one_sees(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room, secret = other_room(play), other_room(play, "merger", private=True)
        for channel in (play.channel, room, secret):
            await open_incident(play, "Slow", channel)
            await type_command(play, play.ana, "/incident service checkout", channel)
        make_public(play, play.channel, room)
        answer = await type_command(play, play.chandra, "/incident service rename Checkout = checkout-api")
        assert "The service *checkout* is now *checkout-api* in 2 incidents." in answer
        await play.settle()
        assert "Service: *checkout-api*" in having(play, play.bo, "facets_open", room).text
        for channel in (play.channel, room, secret):
            await type_command(play, play.ana, "/incident status", channel)
            assert "Service: *checkout-api*" in last(play, play.ana, channel).text
        for row in (1, 2, 3):
            lines = play.bot.store.read_now(partial(audit_store.list_all, incident_id=row))
            (line,) = [line for line in lines if line.verb == "facets.rename"]
            assert (line.who, line.what) == (play.chandra, "service checkout renamed to checkout-api")
        answer = await type_command(play, play.chandra, "/incident service rename checkout = cart")
        assert 'No incident has the service "checkout". Did you mean "checkout-api"?' in answer


async def test_two_names_become_one_only_when_that_is_confirmed(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = other_room(play)
        for channel, line in ((play.channel, "checkout, cart"), (room, "Check-Out")):
            await open_incident(play, "Slow", channel)
            await type_command(play, play.ana, f"/incident service {line}", channel)
        make_public(play, play.channel, room)
        answer = await type_command(play, play.bo, "/incident service rename check-out = CHECKOUT")
        assert "*checkout* is already a service, of 1 incident. Merge *Check-Out* (1 incident) into it?" in answer
        assert "checkout" not in await type_command(play, play.ana, "/incident status", room)
        merged = await press(play, play.bo, "facets_merge")
        assert "The service *Check-Out* is now *checkout* in 1 incident." in merged.text
        await type_command(play, play.bo, "/incident service rename cart to checkout")
        await press(play, play.bo, "facets_merge")
        assert names(play) == ("checkout",)


async def test_a_name_that_only_others_may_know_of_is_renamed_by_no_one_else(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        secret = other_room(play, "merger", private=True)
        await open_incident(play, "Slow", secret)
        await type_command(play, play.ana, "/incident service acquisition", secret)
        answer = await type_command(play, play.chandra, "/incident service rename acquisition = x")
        assert 'No incident has the service "acquisition".' in answer
        assert "Did you mean" not in await type_command(play, play.chandra, "/incident service rename aquisition = x")
        assert "in 1 incident" in await type_command(play, play.bo, "/incident service rename acquisition = x")


@pytest.mark.parametrize("line", ["/incident service checkout", "/incident service rename a = b", "/incident tag x"])
async def test_a_guest_changes_nothing(sqlite_url: str, line: str) -> None:
    async with on_stage(sqlite_url) as play:
        guest = play.slack.user("Gus Guest", guest=True)
        room = play.slack.channel("shared", [play.ana, guest])
        await open_incident(play, "Slow", room)
        assert "guest" in (await type_command(play, guest, line, room)).lower()
        assert play.case(room).facets == ()


async def test_the_same_service_makes_a_past_incident_like_this_one(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = other_room(play)
        await open_incident(play, "Certificate expired", room)
        await type_command(play, play.ana, "/incident service checkout", room)
        await type_command(play, play.ana, "/incident resolved", room)
        await play.pass_time(days=30)
        await open_incident(play, "An expired token stops payments")
        await type_command(play, play.bo, "/incident resolved")
        await play.settle()
        assert "Has this happened before?" not in await type_command(play, play.chandra, "/postmortem")
        await type_command(play, play.bo, "/incident service Checkout")
        overview = await type_command(play, play.chandra, "/postmortem")
        assert "*INC-1* Certificate expired" in overview
        assert "_Words in common: checkout, expired_" in overview


async def test_words_that_are_redacted_are_in_no_name(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 07:00 Acme Ltd called")
        await type_command(play, play.bo, "/incident tag acme ltd, customer")
        await type_command(play, play.bo, '/timeline redact 2 "Acme Ltd"')
        assert names(play, TAG) == ("customer",)


async def test_what_an_alert_calls_its_service_is_proposed(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:04Z"))
        await play.settle()
        view = await window(play, play.ana, "alerts_open", channel=ALERTS)
        await play.slack.submit(play.ana, view, {"channel": play.channel})
        await play.settle()
        assert "facets_add_0" in actions_of(having(play, play.ana, "facets_add_0", ALERTS))
        assert names(play) == ()
        await type_command(play, play.bo, "/incident status")
        assert "Add service checkout" in [label for label, _, _ in last(play, play.bo).buttons]
        await press(play, play.bo, "facets_add_0")
        assert names(play) == ("checkout",)
