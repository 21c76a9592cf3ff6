"""The workspace in a browser, as the browser asks for it."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from markupsafe import escape

from bot.clock import SettableClock
from bot.rehearsal.page import WorkspacePage, render_mrkdwn, render_rich_text, render_text_object
from bot.rehearsal.screen import PersonReader
from bot.rehearsal.server import StandIn
from handlers import SLASH_COMMANDS
from tests.rehearsal.conftest import Json, Scribe, actions, button, field_of, modal, section

pytestmark = pytest.mark.process

READER = PersonReader(lambda some_id: {"U1": "<ana>"}.get(some_id, some_id))


@pytest.fixture
async def slack(clock: SettableClock) -> AsyncIterator[StandIn]:
    standin = StandIn(clock)
    WorkspacePage(standin, SLASH_COMMANDS)
    async with standin:
        yield standin


class Browser:
    """Asks for the page's pieces as one person in one place."""

    def __init__(self, slack: StandIn, session: aiohttp.ClientSession, user: str, place: str) -> None:
        self.base = slack.workspace.base_url
        self.session = session
        self.where = {"as": user, "in": place}

    async def look(self) -> dict[str, str]:
        async with self.session.get(self.base + "/look", params=self.where) as answer:
            pieces: dict[str, str] = await answer.json()
            return pieces

    async def act(self, what: str, **more: Any) -> Json:
        async with self.session.post(self.base + "/do", json={"do": what, **self.where, **more}) as answer:
            body: Json = await answer.json()
            return body


@pytest.fixture
async def browser(slack: StandIn) -> AsyncIterator[Browser]:
    ana = slack.user("ana", "Europe/Berlin")
    async with aiohttp.ClientSession() as session:
        yield Browser(slack, session, ana, slack.channel("ops", [ana]))


async def test_the_page_names_the_people_and_the_commands(browser: Browser, slack: StandIn) -> None:
    async with browser.session.get(browser.base + "/") as answer:
        html = await answer.text()
    assert "ana (Europe/Berlin)" in html
    assert 'data-type="/timeline "' in html
    assert "ops" in (await browser.look())["places"]


async def test_a_message_and_a_command_are_typed_and_read(by_http: Scribe, browser: Browser, slack: StandIn) -> None:
    by_http.answer = {"text": "x", "blocks": [section("*Noted* <b>"), actions(button("Undo", "undo", "4"))]}
    assert (await browser.act("say", text="hello @ana"))["error"] == ""
    assert (await browser.act("say", text="/note 14:05 failed over"))["error"] == ""
    main = (await browser.look())["main"]
    assert 'hello <span class="mention">@ana</span>' in main
    assert "<strong>Noted</strong> &lt;b&gt;" not in main  # <b> is a mark without a meaning: it shows its own word
    assert "<strong>Noted</strong>" in main
    assert 'data-action="undo" data-value="4"' in main
    by_http.response = {"text": "taken back", "replace_original": True}
    (mine,) = [message for message in slack.messages(browser.where["in"], user=browser.where["as"]) if message.buttons]
    await browser.act("click", ts=mine.ts, action="undo", value="4", state={})
    assert "taken back" in (await browser.look())["main"]


async def test_a_modal_is_filled_in_and_complaints_come_back(by_http: Scribe, browser: Browser, slack: StandIn) -> None:
    menu = {"type": "static_select", "options": [{"text": {"type": "plain_text", "text": "One"}, "value": "1"}]}
    by_http.modal = modal(field_of("what", block_id="w"), field_of("sev", element=menu), field_of("who", optional=True))
    await browser.act("say", text="/note")
    window = (await browser.look())["window"]
    assert '<option value="1">One</option>' in window
    assert 'role="dialog"' in window
    view = slack.views(browser.where["as"])[0].id
    answer = await browser.act("submit", view=view, state={"what": "", "sev": "1", "who": ""})
    assert "must be filled in" in answer["error"]
    by_http.response = {"response_action": "errors", "errors": {"w": "Say more."}}
    state = {"what": "x", "sev": "1", "who": ""}
    assert (await browser.act("submit", view=view, state=state))["errors"] == {"w": "Say more."}
    by_http.response = {}
    await browser.act("submit", view=view, state=state)
    assert (await browser.look())["window"] == ""


async def test_boxes_to_check_show_their_words_and_what_describes_them(by_http: Scribe, browser: Browser) -> None:
    words = [{"type": "plain_text", "text": text} for text in ("12:05 UTC", "failed over")]
    option = {"text": words[0], "description": words[1], "value": "4"}
    boxes = {"type": "checkboxes", "options": [option], "initial_options": [option]}
    by_http.modal = modal(field_of("lines", element=boxes, block_id="l"))
    await browser.act("say", text="/note")
    window = (await browser.look())["window"]
    assert '<input type="checkbox" value="4" checked>12:05 UTC <small>failed over</small>' in window


async def test_the_home_tab_is_opened_and_pressed(by_http: Scribe, browser: Browser) -> None:
    browser.where["in"] = "home"
    await browser.act("home")
    assert by_http.heard[-1]["event"]["type"] == "app_home_opened"
    home = {"type": "home", "blocks": [section("Overdue"), actions(button("Done", "done", "3"))]}
    await by_http.client.views_publish(user_id=browser.where["as"], view=home)
    assert "Overdue" in (await browser.look())["main"]
    await browser.act("click", action="done", value="3")
    assert by_http.heard[-1]["actions"][0]["value"] == "3"


async def test_the_home_tab_takes_what_is_entered_and_has_buttons_that_lead_elsewhere(
    by_http: Scribe, browser: Browser
) -> None:
    browser.where["in"] = "home"
    away = button("Go", "go") | {"url": "https://slack.com/app_redirect?team=T1&channel=C1"}
    home = {"type": "home", "blocks": [field_of("find", dispatch_action=True, block_id="f"), actions(away)]}
    await by_http.client.views_publish(user_id=browser.where["as"], view=home)
    main = (await browser.look())["main"]
    assert 'data-enter="find"' in main
    assert 'data-url="https://slack.com/app_redirect?team=T1&amp;channel=C1"' in main
    assert (await browser.act("enter", action="find", text="pool"))["error"] == ""
    assert by_http.heard[-1]["actions"][0]["value"] == "pool"


async def test_replies_reactions_and_shortcuts_belong_to_a_message(
    by_http: Scribe, browser: Browser, slack: StandIn
) -> None:
    ops = browser.where["in"]
    await browser.act("say", text="one")
    await browser.act("say", text="two")
    first = slack.messages(ops)[0].ts
    await browser.act("say", text="one and a half", thread=first)
    main = (await browser.look())["main"]
    assert main.index("one and a half") < main.index("two")
    assert "not supported in threads" in (await browser.act("say", text="/note", thread=first))["error"]
    await browser.act("shortcut", ts=first, callback="keep")
    assert by_http.heard[-1]["message_ts"] == first
    for reactions in ({"memo": [browser.where["as"]]}, {}):
        await browser.act("react", ts=first, name="memo")
        assert slack.messages(ops)[0].reactions == reactions


async def test_what_cannot_be_done_is_said(browser: Browser) -> None:
    assert "no messages 1.2" in (await browser.act("click", ts="1.2", action="x", state={}))["error"]
    assert (await browser.act("dance"))["error"] == "dance"


async def test_only_a_page_of_this_address_may_act(browser: Browser, slack: StandIn) -> None:
    url = browser.base + "/do"
    for headers, status in [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Host": "elsewhere.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ]:
        async with browser.session.post(url, data='{"do": "say"}', headers=headers) as answer:
            assert answer.status == status


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "hostile",
    [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        '<javascript:alert(1)|click> <https://x.example/"onmouseover="x|y>',
        "`&lt;img src=x onerror=y&gt;` ```&lt;script&gt;```",
        '*&lt;b onclick="x"&gt;* <@U1> :memo:<script>',
    ],
)
def test_hostile_words_stay_words(hostile: str) -> None:
    tags = Tags()
    tags.feed(
        str(render_mrkdwn(READER, hostile)) + str(render_text_object(READER, {"type": "plain_text", "text": hostile}))
    )
    assert {tag for tag, _ in tags.found} <= {"strong", "code", "pre", "a", "span"}
    for _, attributes in tags.found:
        assert set(attributes) <= {"href", "target", "rel", "class"}
        assert (attributes.get("href") or "https://").startswith("https://")


def test_rich_text_is_drawn_without_reading_it_as_marks() -> None:
    words = [
        {"type": "text", "text": "<b>*x*"},
        {"type": "text", "text": "y", "style": {"bold": True, "code": True}},
        {"type": "user", "user_id": "U1"},
    ]
    section_of = {"type": "rich_text_section", "elements": words}
    assert render_rich_text(READER, {"type": "rich_text_list", "elements": [section_of]}) == (
        "<ul><li><div>&lt;b&gt;*x*<code><strong>y</strong></code>@&lt;ana&gt;</div></li></ul>"
    )


def test_marks_are_drawn_and_emoji_too() -> None:
    html = str(render_mrkdwn(READER, "*a* _b_ ~c~ `d*e*` <https://x.example|the page> :memo: 2*3*4"))
    assert html == (
        "<strong>a</strong> <em>b</em> <s>c</s> <code>d*e*</code> "
        '<a href="https://x.example" target="_blank" rel="noopener noreferrer">the page</a> 📝 2*3*4'
    )
    assert escape("<") in render_mrkdwn(READER, "&lt;")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_rehearsal_that_is_stopped_ends_without_a_complaint(number: signal.Signals) -> None:
    command = [str(Path(sys.executable).with_name("afterword")), "rehearse", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("Open http://127.0.0.1:")
        running.send_signal(number)
        output, errors = running.communicate(timeout=60)
    assert (running.returncode, output, errors) == (0, "", "")
