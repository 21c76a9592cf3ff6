"""What people read, who is pinged, and what they type."""

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.screen import PersonReader, escape, find_pings_in_blocks, find_pings_in_text, unescape
from bot.rehearsal.server import StandIn
from bot.rehearsal.user import Keyboard
from tests.rehearsal.conftest import Json, Scribe, section

NAMES = {"U1": "ana", "C1": "ops"}
READER = PersonReader(lambda some_id: NAMES.get(some_id, some_id), ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@U1> and <@U1|x> in <#C1|old>", "@ana and @ana in #ops"),
        ("<https://x.example|the page> <https://y.example>", "the page https://y.example"),
        ("<!here> <!subteam^S1|@oncall> <!channel|channel>", "@here @oncall channel"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<!date^1795406400^{date_num} {time_secs}|never>", "2026-11-23 5:00:00 AM"),
        ("<!date^1795406400^{date} at {time}|never>", "November 23rd, 2026 at 5:00 AM"),
        ("<!date^soon^{date}|some day>", "some day"),
    ],
)
def test_mrkdwn_is_read_as_people_see_it(written: str, read: str) -> None:
    assert READER.mrkdwn(written) == read


def rich(*elements: Json) -> list[Json]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}]


def test_rich_text_is_read_with_its_people_dates_and_emoji() -> None:
    blocks = rich(
        {"type": "text", "text": "<@U1> "},
        {"type": "user", "user_id": "U1"},
        {"type": "emoji", "name": "memo"},
        {"type": "date", "timestamp": 1795406400, "format": " {time}", "fallback": "x"},
    )
    assert READER.blocks(blocks) == "<@U1> @ana:memo: 5:00 AM"
    assert find_pings_in_blocks(blocks) == {"U1"}


@pytest.mark.parametrize(
    ("blocks", "pinged"),
    [
        ([section("<!channel> <@U1> <!subteam^S1>")], {"channel", "U1", "S1"}),
        ([section("&lt;!channel&gt; @here")], set()),
        ([{"type": "section", "text": {"type": "plain_text", "text": "<!channel>"}}], set()),
        ([{"type": "markdown", "text": "<!everyone>"}], {"everyone"}),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "<!here>"}]}], {"here"}),
        (rich({"type": "text", "text": "<!channel>"}), set()),
        (rich({"type": "broadcast", "range": "channel"}), {"channel"}),
    ],
)
def test_only_live_mentions_ping(blocks: list[Json], pinged: set[str]) -> None:
    assert find_pings_in_blocks(blocks) == pinged


@given(st.text())
def test_escaped_text_pings_nobody_and_reads_as_it_was(text: str) -> None:
    assert find_pings_in_text(escape(text)) == set()
    assert unescape(escape(text)) == READER.mrkdwn(escape(text)) == text


def as_typed(mark: re.Match[str]) -> str:
    body, _, label = mark[1].partition("|")
    if body[0] in "@#":
        return body[0] + label
    return f"@{body[1:]}" if body[0] == "!" else label or body


@given(st.text(alphabet="@#ano<>&| /:.hereU1"))
@example("see https://x.example/a?b&c, mail me@x.example. @here <@U1>")
def test_what_is_typed_never_makes_a_mark_of_its_own(text: str) -> None:
    sent = Keyboard({"ana": "U1", "an": "U2"}, {"one": "C1"}).command(text)
    known = r"@U1\|ana|@U2\|an|#C1\|one|!here|https?://[^|]*|mailto:([^|]*)\|\1"
    assert all(re.fullmatch(known, mark) for mark in re.findall(r"<([^>]*)>", sent))
    assert unescape(re.sub(r"<([^>]*)>", as_typed, sent)) == text


async def test_a_message_by_a_person_holds_marks_without_names(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    await slack.say(ana, ops, "@ana <b> https://x.example.")
    (message,) = slack.messages(ops)
    assert message.text == f"<@{ana}> &lt;b&gt; <https://x.example>."
    assert message.plain == "@ana <b> https://x.example."
    assert message.pings == {ana}


async def test_dates_are_shown_in_the_readers_own_zone(slack: StandIn, client: AsyncWebClient) -> None:
    ana, bo = slack.user("ana", "Europe/Berlin"), slack.user("bo", "America/New_York")
    ops = slack.channel("ops", [ana, bo])
    await client.chat_postMessage(channel=ops, text="<!date^1795406400^{time}|x>")
    assert [slack.messages(ops, user=who)[0].plain for who in (ana, bo)] == ["5:00 AM", "11:00 PM"]
