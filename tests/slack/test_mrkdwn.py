"""Slack's text in and out: tags become words, and words stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.mrkdwn import escape, find_ids_to_name, find_users, mention, to_plain_text

NAMES = {"U1": "Ana Demo", "C1": "checkout", "S1": "oncall"}


def words(text: str) -> str:
    return to_plain_text(text, lambda about: NAMES.get(about, ""))


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<@U1> failed over", "@Ana Demo failed over"),
        ("<@U1|ana> failed over", "@Ana Demo failed over"),
        ("<@U2|bo> and <@U3>", "@bo and @U3"),
        ("see <#C1|checkout>", "see #checkout"),
        ("see <#C1>, <#C1|>, <#C2>", "see #checkout, #checkout, #C2"),
        ("<!subteam^S1> paged", "@oncall paged"),
        ("<!subteam^S1|@oncall-eu> paged", "@oncall-eu paged"),
        ("<!subteam^S2> paged", "@S2 paged"),
        ("<!here> and <!channel>", "@here and @channel"),
        ("<!date^1392734382^{date}|18 February 2014>", "2014-02-18 14:39:42 UTC"),
        ("<!date^soon^{date}|18 February 2014>", "18 February 2014"),
        ("<https://a.example/x?y=1&amp;z=2>", "https://a.example/x?y=1&z=2"),
        ("<https://a.example/x|the graph>", "the graph (https://a.example/x)"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("<mailto:ana@example.com|ana@example.com>", "ana@example.com"),
        ("<mailto:ana@example.com|Ana@Example.com>", "Ana@Example.com"),
        ("<mailto:ana@example.com?subject=INC-1|ana@example.com>", "ana@example.com"),
        ("<mailto:ana@example.com|write to Ana>", "write to Ana (ana@example.com)"),
        ("call <tel:5551234567|5551234567> now", "call 5551234567 now"),
        ("call <tel:+15551234567|+1 (555) 123-4567>", "call +1 (555) 123-4567"),
        ("call <tel:+4930123456|030 123456>", "call 030 123456"),
        ("call <tel:5551234567>", "call 5551234567"),
        ("call <TEL:5551234567|the bridge>", "call the bridge (5551234567)"),
        ("call <tel:5551234567|7>", "call 7 (5551234567)"),
        ("<sip:ops@example.com|ops@example.com>, <sms:+155512345|+155512345>", "ops@example.com, +155512345"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
    ],
)
def test_what_slack_sends_is_read_as_what_was_meant(sent: str, meant: str) -> None:
    assert words(sent) == meant


def test_the_ids_that_need_a_name_are_found_in_order() -> None:
    text = "<@U1|ana> <#C1|checkout> <#C2> <#C3|> <!subteam^S1|@oncall> <!subteam^S2> <!here> <https://a.example>"
    assert find_ids_to_name(text) == ("U1", "C2", "C3", "S2")
    assert find_users(text) == ("U1",)


@given(st.text())
def test_what_is_shown_again_is_never_live_and_reads_the_same(text: str) -> None:
    shown = escape(text)
    assert "<" not in shown
    assert find_ids_to_name(shown) == ()
    assert words(shown) == text


@pytest.mark.parametrize("user", ["!channel", "U1><!channel", "S1|x><!here", "U1><https://evil.example|click", "u1 "])
def test_what_is_no_id_of_slacks_pings_nobody(user: str) -> None:
    assert mention(user) == escape(user)


def test_people_and_groups_are_mentioned() -> None:
    assert [mention(user) for user in ("U1", "W2", "S3", "", None)] == ["<@U1>", "<@W2>", "<!subteam^S3>", "", ""]
