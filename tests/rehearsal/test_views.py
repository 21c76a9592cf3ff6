"""Modals and the home tab."""

from datetime import timedelta

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SettableClock
from bot.rehearsal.server import CannotTypeError, StandIn
from tests.rehearsal.conftest import Json, Scribe, actions, button, field_of, modal, section


def trigger(slack: StandIn, user: str) -> str:
    return slack.workspace.new_trigger(user)


async def test_a_trigger_is_good_once_and_for_three_seconds(
    slack: StandIn, client: AsyncWebClient, clock: SettableClock
) -> None:
    ana = slack.user("ana")
    first, second = trigger(slack, ana), trigger(slack, ana)
    await client.views_open(trigger_id=first, view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=first, view=modal())
    clock.advance(timedelta(seconds=3.1))
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=second, view=modal())
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.3", view=modal())


async def test_a_trigger_also_dies_by_real_time(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    slack.workspace.ticks = lambda: 100.0
    old = trigger(slack, ana)
    slack.workspace.ticks = lambda: 103.5
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=old, view=modal())


async def test_no_more_than_three_modals_are_stacked(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    root = (await client.views_open(trigger_id=trigger(slack, ana), view=modal()))["view"]
    for _ in range(2):
        pushed = (await client.views_push(trigger_id=trigger(slack, ana), view=modal()))["view"]
    assert pushed["root_view_id"] == root["id"]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=trigger(slack, ana), view=modal())
    assert [view.id for view in slack.views(ana)][-1] == pushed["id"]


async def test_an_update_with_an_old_hash_conflicts(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    opened = (await client.views_open(trigger_id=trigger(slack, ana), view=modal(external_id="e")))["view"]
    await client.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(section("two"), external_id="e"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(external_id="e", hash=opened["hash"], view=modal())
    assert "two" in slack.views(ana)[0].plain
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await client.views_open(trigger_id=trigger(slack, ana), view=modal(external_id="e"))
    await slack.close(ana, slack.views(ana)[0])
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=opened["id"], view=modal())


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title={"type": "plain_text", "text": "x" * 25}), "/view/title/text"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(*[section("x")] * 101), "/view/blocks"),
        (modal(field_of("x"), submit=None), "/view"),
        (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type"),
        (modal(field_of("x", element={"max_length": 3001})), "/view/blocks/0/element/max_length"),
    ],
)
async def test_a_view_slack_would_not_show(slack: StandIn, client: AsyncWebClient, view: Json, pointer: str) -> None:
    ana = slack.user("ana")
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=trigger(slack, ana), view=view)
    assert refused.value.response["error"] == "invalid_arguments"
    assert f"[json-pointer:{pointer}]" in refused.value.response["response_metadata"]["messages"][1]


async def test_a_view_of_more_than_250_kb_is_too_large(slack: StandIn, client: AsyncWebClient) -> None:
    view = modal(*[section("x" * 2999) for _ in range(90)])
    with pytest.raises(SlackApiError, match="view_too_large"):
        await client.views_open(trigger_id=trigger(slack, slack.user("ana")), view=view)


async def test_the_client_does_not_let_an_impossible_form_be_sent(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.modal = modal(field_of("what", element={"max_length": 5}), field_of("more", optional=True))
    await slack.command(ana, ops, "/note")
    view = slack.views(ana)[0]
    for values, why in [({}, "filled in"), ({"what": "123456"}, "at most 5"), ({"who": "x"}, "not shown")]:
        with pytest.raises(CannotTypeError, match=why):
            await slack.submit(ana, view, values)
    assert len(by_http.heard) == 1
    await slack.submit(ana, view, {"what": "12345"})
    assert len(by_http.heard) == 2


async def test_menus_take_only_what_they_offer(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    options = [{"text": {"type": "plain_text", "text": f"Sev {n}"}, "value": str(n)} for n in (1, 2)]
    menu = field_of("sev", element={"type": "static_select", "options": options}, block_id="s")
    by_http.modal = modal(menu, field_of("day", element={"type": "datepicker"}, block_id="d"))
    await slack.command(ana, ops, "/note")
    view = slack.views(ana)[0]
    with pytest.raises(CannotTypeError, match="offers no '3'"):
        await slack.submit(ana, view, {"sev": "3", "day": "2026-11-24"})
    await slack.submit(ana, view, {"sev": "Sev 2", "day": "2026-11-24"})
    assert by_http.heard[-1]["view"]["state"]["values"] == {
        "s": {"sev": {"type": "static_select", "selected_option": options[1]}},
        "d": {"day": {"type": "datepicker", "selected_date": "2026-11-24"}},
    }


async def test_a_modal_may_be_answered_with_another(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.modal = modal(section("one"))
    await slack.command(ana, ops, "/note")
    by_http.response = {"response_action": "push", "view": modal(section("two"))}
    await slack.submit(ana, slack.views(ana)[-1])
    by_http.response = {"response_action": "update", "view": modal(section("three"))}
    await slack.submit(ana, slack.views(ana)[-1])
    assert [view.plain.splitlines()[1] for view in slack.views(ana)] == ["one", "three"]
    by_http.response = {"response_action": "errors", "errors": {"nowhere": "x"}}
    answer = await slack.submit(ana, slack.views(ana)[-1])
    assert "trouble connecting" in answer.text
    by_http.response = {"response_action": "clear"}
    await slack.submit(ana, slack.views(ana)[-1])
    assert slack.views(ana) == []


async def test_closing_is_heard_only_where_it_was_asked_for(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    for notify in (False, True):
        by_http.modal = modal(section("x"), notify_on_close=notify)
        await slack.command(ana, ops, "/note")
        await slack.close(ana, slack.views(ana)[0])
    assert [body.get("type", "command") for body in by_http.heard] == ["command", "command", "view_closed"]


async def test_buttons_work_in_modals_and_on_the_home_tab(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.modal = modal(field_of("what", block_id="w"), actions(button("More", "more")))
    await slack.command(ana, ops, "/note")
    await slack.click_in_view(ana, slack.views(ana)[0], "more", what="half a")
    assert by_http.heard[-1]["view"]["state"]["values"]["w"]["what"]["value"] == "half a"
    home = {"type": "home", "blocks": [actions(button("Done", "done", "3"))]}
    await by_http.client.views_publish(user_id=ana, view=home)
    await slack.click_in_home(ana, "done")
    assert by_http.heard[-1]["container"]["type"] == "view"
    shown = slack.home(ana)
    assert shown is not None
    assert shown["blocks"][0]["elements"][0]["value"] == "3"
    with pytest.raises(LookupError, match="'gone' is not shown"):
        await slack.click_in_home(ana, "gone")
