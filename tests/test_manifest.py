"""The manifest keeps Slack's limits and asks for no more than it says."""

import json
from typing import Any, Literal

import pytest

from bot.errors import Misconfigured
from bot.manifest import EVENTS, OPTIONAL_SCOPES, SCOPES, manifest, reasons
from handlers import SLASH_COMMANDS

URL = "https://afterword.example.org"
Transport = Literal["socket", "http"]


def build_manifest(transport: Transport, *, minimal: bool = False) -> dict[str, Any]:
    return manifest(transport, SLASH_COMMANDS, URL if transport == "http" else "", minimal=minimal)


@pytest.fixture(params=["socket", "http"])
def either(request: pytest.FixtureRequest) -> dict[str, Any]:
    return build_manifest(request.param)


def test_the_limits_of_the_schema_are_kept(either: dict[str, Any]) -> None:
    shown = either["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    assert len(either["features"]["shortcuts"]) <= 10
    for shortcut in either["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["callback_id"]) <= 255
        assert len(shortcut["description"]) <= 150
    for command in either["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 2000
        assert 1 <= len(command["usage_hint"]) <= 1000


def test_there_are_five_commands_and_names_in_them_come_resolved(either: dict[str, Any]) -> None:
    commands = either["features"]["slash_commands"]
    names = [command["command"] for command in commands]
    assert names == ["/timeline", "/why", "/incident", "/action", "/postmortem"]
    assert all(command["should_escape"] is True for command in commands)


def test_the_hints_are_those_of_the_tables(either: dict[str, Any]) -> None:
    hints = [command["usage_hint"] for command in either["features"]["slash_commands"]]
    assert hints == [
        "[time] what happened | show | edit 4 … | undo | paste | help",
        "because … | branch 2 … | root | help",
        "open [title] | sev 2 | lead @ana | service checkout | resolved [time] | list | help",
        "what @owner due friday | done 3 | list | help",
        "form | owner @ana | export [format] | share #channel | review | publish | waive reason | reopen | help",
    ]


def test_there_is_a_shortcut_for_messages_and_one_for_anywhere(either: dict[str, Any]) -> None:
    shortcuts = {(each["name"], each["type"], each["callback_id"]) for each in either["features"]["shortcuts"]}
    assert shortcuts == {
        ("Add to timeline", "message", "timeline_add_message"),
        ("Open an incident", "global", "incident_open"),
    }


def test_people_can_write_to_the_bot_and_open_its_home(either: dict[str, Any]) -> None:
    home = either["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]


def test_a_socket_needs_no_address() -> None:
    assert build_manifest("socket")["settings"]["socket_mode_enabled"] is True
    assert "://" not in json.dumps(build_manifest("socket"))


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/slack/events"])
def test_http_mode_names_the_one_address_everywhere(url: str) -> None:
    made_for_http = manifest("http", SLASH_COMMANDS, url)
    settings = made_for_http["settings"]
    named = [command["url"] for command in made_for_http["features"]["slash_commands"]]
    named += [settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]]
    assert set(named) == {f"{URL}/slack/events"}
    assert settings["socket_mode_enabled"] is False


@pytest.mark.parametrize("url", ["", "http://afterword.example.org", "afterword.example.org"])
def test_http_mode_without_an_https_address_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="https address"):
        manifest("http", SLASH_COMMANDS, url)


def test_an_optional_scope_is_both_asked_for_and_marked_as_optional() -> None:
    scopes = build_manifest("socket")["oauth_config"]["scopes"]
    assert scopes["bot"] == [*SCOPES, *OPTIONAL_SCOPES]
    assert scopes["bot_optional"] == [*OPTIONAL_SCOPES]
    assert not SCOPES.keys() & OPTIONAL_SCOPES.keys()


def test_the_minimal_manifest_asks_only_for_what_is_needed() -> None:
    minimal = build_manifest("socket", minimal=True)
    assert minimal["oauth_config"]["scopes"] == {"bot": [*SCOPES]}
    events = minimal["settings"]["event_subscriptions"]["bot_events"]
    assert "app_home_opened" in events
    assert not {"app_mention", "reaction_added", "message.im", "message.channels", "message.groups"} & set(events)


@pytest.mark.parametrize("minimal", [True, False])
def test_every_event_has_its_scope(minimal: bool) -> None:
    written = build_manifest("socket", minimal=minimal)
    asked = set(written["oauth_config"]["scopes"]["bot"])
    for event in written["settings"]["event_subscriptions"]["bot_events"]:
        assert EVENTS[event] in asked | {""}


def test_the_full_manifest_hears_every_event() -> None:
    assert build_manifest("http")["settings"]["event_subscriptions"]["bot_events"] == [*EVENTS]


def test_what_would_read_whole_channels_may_be_declined_and_what_would_post_anywhere_is_not_asked_for() -> None:
    assert {EVENTS[event] for event in ("message.channels", "message.groups")} <= OPTIONAL_SCOPES.keys()
    assert not {"chat:write.public", "chat:write.customize"} & (SCOPES | OPTIONAL_SCOPES).keys()


def test_every_scope_has_its_reason() -> None:
    by_scope = reasons()
    for scope, reason in (SCOPES | OPTIONAL_SCOPES).items():
        assert f"{scope} " in by_scope
        assert reason in by_scope


def test_only_an_app_with_a_library_asks_people_for_their_identity() -> None:
    assert set(build_manifest("socket")["oauth_config"]) == {"scopes"}
    oauth = manifest("socket", SLASH_COMMANDS, library="https://library.example")["oauth_config"]
    assert oauth["redirect_urls"] == ["https://library.example/library/sign-in/callback"]
    assert oauth["scopes"]["user"] == ["openid", "profile"]
    assert oauth["scopes"]["bot"] == build_manifest("socket")["oauth_config"]["scopes"]["bot"]
