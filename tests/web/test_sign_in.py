"""Sign in with Slack for the library: who comes in, who does not, and what a forged or an old value is worth."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from bot.domain.readers import Reader, SignInOutcome
from bot.services.library.sessions import KEEP, Signatures, find_destination
from storage.database.store import Store
from storage.history import sign_ins as sign_ins_store
from tests.support.library_visit import SESSION_KEY, Visitor, playing_with_library, visiting
from tests.support.play import NOON, TEAM, Play

COOKIE, ATTEMPT = "afterword", "afterword-sign-in"


@pytest.fixture
async def play(sqlite_url: str) -> AsyncIterator[Play]:
    async with playing_with_library(sqlite_url) as playing_now:
        yield playing_now


@pytest.fixture
async def visitor(play: Play) -> AsyncIterator[Visitor]:
    async with visiting(play) as visiting_now:
        yield visiting_now


def cookie(visitor: Visitor, name: str) -> str:
    return next((one.value for one in visitor.session.cookie_jar if one.key == name), "")


def set_cookie(visitor: Visitor, name: str, value: str) -> None:
    visitor.session.cookie_jar.update_cookies({name: value})


def audit(play: Play) -> list[tuple[str, str, str]]:
    lines = play.bot.store.read_now(lambda tx: sign_ins_store.list_latest(tx, TEAM, 50))
    return [(line.person, line.outcome, line.reason) for line in lines]


async def is_in(visitor: Visitor) -> bool:
    return (await visitor.get("/library")).status == 200


async def test_a_member_comes_in_and_is_led_to_what_they_wanted(play: Play, visitor: Visitor) -> None:
    first = await visitor.get("/library?q=checkout")
    assert (first.status, first.location) == (303, "/library/sign-in?next=%2Flibrary%3Fq%3Dcheckout")
    page = await visitor.get(first.location)
    (start,) = re.findall(r'href="(/library/sign-in/start[^"]+)"', page.text)
    assert start == "/library/sign-in/start?next=%2Flibrary%3Fq%3Dcheckout"
    back = await visitor.sign_in(play.ana, "%2Flibrary%3Fq%3Dcheckout")
    assert (back.status, back.location) == (303, "/library?q=checkout")
    assert await is_in(visitor)
    assert "Ana Demo" in (await visitor.get("/library")).text
    assert audit(play) == [(play.ana, SignInOutcome.ADMITTED, "")]


async def test_the_page_of_the_stand_in_leads_back_with_a_code(play: Play, visitor: Visitor) -> None:
    start = await visitor.get("/library/sign-in/start")
    choice = await visitor.get(start.location)
    (agree,) = re.findall(rf'href="(/openid/connect/agree[^"]*user={play.bo}[^"]*)"', choice.text)
    back = await visitor.get(play.slack.workspace.base_url + agree.replace("&amp;", "&"))
    assert back.location.startswith(f"{play.url}/library/sign-in/callback?code=")
    assert (await visitor.get(back.location)).location == "/library"
    assert await is_in(visitor)


async def test_a_state_counts_once(play: Play, visitor: Visitor) -> None:
    asked = await visitor.begin()
    kept_cookie = cookie(visitor, ATTEMPT)
    assert (await visitor.come_back(play.ana, asked)).status == 303
    set_cookie(visitor, ATTEMPT, kept_cookie)
    again = await visitor.come_back(play.ana, asked)
    assert again.status == 403
    assert "used already" in again.text


async def test_a_state_of_another_browser_is_refused(play: Play, visitor: Visitor) -> None:
    asked = await visitor.begin()
    async with visiting(play) as other:
        assert (await other.come_back(play.ana, asked)).status == 403
        await other.begin()
        assert (await other.come_back(play.ana, asked)).status == 403
        assert not await is_in(other)


async def test_a_sign_in_that_took_too_long_is_refused(play: Play, visitor: Visitor) -> None:
    asked = await visitor.begin()
    play.clock.advance(timedelta(minutes=11))
    assert (await visitor.come_back(play.ana, asked)).status == 403


async def test_a_code_counts_once_for_slack(play: Play, visitor: Visitor) -> None:
    asked = await visitor.begin()
    openid = play.slack.api.openid
    code = openid.agree(play.ana, asked["nonce"], asked["redirect_uri"])
    assert (await visitor.get(f"/library/sign-in/callback?code={code}&state={asked['state']}")).status == 303
    asked = await visitor.begin()
    again = await visitor.get(f"/library/sign-in/callback?code={code}&state={asked['state']}")
    assert again.status == 503
    assert "Slack didn’t confirm" in again.text


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": ""},
        {"aud": "9999.9999"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": "later"},
        {"https://slack.com/user_id": "U0SOMEONE"},
        {"https://slack.com/team_id": ""},
    ],
    ids=str,
)
async def test_an_id_token_that_does_not_fit_is_refused(
    play: Play, visitor: Visitor, claims: dict[str, object]
) -> None:
    play.slack.api.openid.claims = claims
    assert (await visitor.sign_in(play.ana)).status == 503
    assert not await is_in(visitor)
    assert audit(play) == []


async def test_who_cancels_at_slack_may_start_again(play: Play, visitor: Visitor) -> None:
    asked = await visitor.begin()
    back = await visitor.get(f"/library/sign-in/callback?error=access_denied&state={asked['state']}")
    assert back.status == 403
    assert "You canceled" in back.text


async def test_without_an_answer_from_slack_nobody_comes_in(play: Play, visitor: Visitor) -> None:
    play.slack.fail("openid.connect.token", drop="before")
    back = await visitor.sign_in(play.ana)
    assert back.status == 503
    assert "Try again in a minute" in back.text
    assert (await visitor.sign_in(play.ana)).status == 303


async def test_guests_and_people_of_other_organizations_are_refused(play: Play, visitor: Visitor) -> None:
    guest = play.slack.user("Gil Guest", guest=True)
    assert "Guests and people of other" in (await visitor.sign_in(guest)).text
    assert "another Slack workspace" in (await visitor.sign_in(play.ana, team="T0OTHER")).text
    assert not await is_in(visitor)
    assert audit(play) == [(guest, SignInOutcome.REFUSED, "guest")]
    elsewhere = play.bot.store.read_now(lambda tx: sign_ins_store.list_latest(tx, "T0OTHER", 5))
    assert [line.reason for line in elsewhere] == ["other workspace"]


async def test_somebody_deactivated_is_out_at_once(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.bo)
    assert await is_in(visitor)
    await play.slack.change_person(play.bo, deleted=True)
    assert not await is_in(visitor)
    await play.slack.change_person(play.bo, deleted=False)
    assert await is_in(visitor)


async def test_somebody_who_becomes_a_guest_is_out_at_once(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.bo)
    await play.slack.change_person(play.bo, guest=True)
    assert not await is_in(visitor)


async def test_a_session_ends_after_its_life(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.ana)
    play.clock.advance(timedelta(hours=11, minutes=59))
    set_cookie(visitor, COOKIE, cookie(visitor, COOKIE))
    assert await is_in(visitor)
    play.clock.advance(timedelta(minutes=2))
    assert not await is_in(visitor)


async def test_forged_and_foreign_sessions_are_worth_nothing(play: Play, visitor: Visitor) -> None:
    now = int(play.clock.now().timestamp())
    ours, other = Signatures((SESSION_KEY,)), Signatures(("x" * 40,))
    asked = await visitor.begin()
    forged = [
        other.write_session(Reader(TEAM, play.ana), play.clock.now()),
        ours.write_feed_key(Reader(TEAM, play.ana)),
        ours.write_session(Reader(TEAM, play.ana), play.clock.now())[:-1],
        ours.write_session(Reader("T0OTHER", play.ana), play.clock.now()),
        ours.write_session(Reader(TEAM, "U0NOBODY"), play.clock.now()),
        ours.write_session(Reader(TEAM, play.ana), play.clock.now() + timedelta(hours=1)),
        ours.write_session(Reader(TEAM, play.ana), play.clock.now() - timedelta(days=1)),
        URLSafeSerializer(SESSION_KEY).dumps([TEAM, play.ana, "key", now]),
        cookie(visitor, ATTEMPT),
        asked["state"],
        "x" * 8000,
    ]
    for value in forged:
        set_cookie(visitor, COOKIE, value)
        assert not await is_in(visitor), value


async def test_a_new_key_signs_and_an_old_one_still_counts() -> None:
    old, both, new = Signatures(("o" * 40,)), Signatures(("n" * 40, "o" * 40)), Signatures(("n" * 40,))
    reader = Reader(TEAM, "U1")
    session = both.read_session(old.write_session(reader, NOON), NOON)
    assert session is not None
    assert session.reader == reader
    assert new.read_session(both.write_session(reader, NOON), NOON) is not None
    assert new.read_session(old.write_session(reader, NOON), NOON) is None


async def sign_out_token(visitor: Visitor) -> str:
    (token,) = re.findall(r'name="token" value="([^"]+)"', (await visitor.get("/library")).text)
    return str(token)


async def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.ana)
    copied = cookie(visitor, COOKIE)
    left = await visitor.post("/library/sign-out", {"token": await sign_out_token(visitor)})
    assert (left.status, left.location) == (303, "/library/sign-in?ended")
    assert "signed out" in (await visitor.get(left.location)).text
    assert not await is_in(visitor)
    set_cookie(visitor, COOKIE, copied)
    assert not await is_in(visitor)


async def test_another_site_cannot_sign_anyone_out(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.ana)
    token = await sign_out_token(visitor)
    async with visiting(play) as other:
        await other.sign_in(play.bo)
        foreign = await sign_out_token(other)
    for data, headers in (
        ({}, {}),
        ({"token": "x"}, {}),
        ({"token": foreign}, {}),
        ({"token": token}, {"origin": "https://evil.example"}),
        ({"token": token}, {"origin": "null"}),
    ):
        assert (await visitor.post("/library/sign-out", data, headers)).status == 403
    assert (await visitor.get("/library/sign-out")).status in (404, 405)
    assert await is_in(visitor)


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(play: Play, visitor: Visitor) -> None:
    start = await visitor.get("/library/sign-in/start")
    assert "HttpOnly" in start.headers["set-cookie"]
    assert "SameSite=lax" in start.headers["set-cookie"]
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options"):
        assert name in start.headers
        assert name in (await visitor.get("/library/sign-in")).headers
    assert "unsafe" not in start.headers["content-security-policy"]
    assert start.headers["cache-control"] == "no-store"


async def test_over_https_cookies_are_bound_to_the_host(sqlite_url: str) -> None:
    async with (
        playing_with_library(sqlite_url, environ={"AFTERWORD_URL": "https://library.example"}) as play,
        visiting(play) as visitor,
    ):
        start = await visitor.get("/library/sign-in/start")
        assert start.headers["set-cookie"].startswith("__Host-afterword-sign-in=")
        assert "Secure" in start.headers["set-cookie"]
        assert "Path=/" in start.headers["set-cookie"]
        assert "redirect_uri=https%3A%2F%2Flibrary.example%2Flibrary%2Fsign-in%2Fcallback" in start.location


async def test_too_many_sign_ins_of_an_address_are_refused(play: Play, visitor: Visitor) -> None:
    statuses = [(await visitor.get("/library/sign-in")).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    elsewhere = await visitor.get("/library/sign-in", headers={"x-forwarded-for": "203.0.113.9"})
    assert elsewhere.status == 200


async def test_too_many_pages_of_a_person_are_refused(play: Play, visitor: Visitor) -> None:
    await visitor.sign_in(play.ana)
    statuses = [(await visitor.get("/library/nothing")).status for _ in range(241)]
    assert statuses[-1] == 429
    assert statuses.count(429) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        *("https://evil.example", "//evil.example", "/library//evil.example\\x", "/\\evil.example", "/librarian"),
        *("javascript:alert(1)", "/library@evil.example", "/library\r\nx: y", "/slack/events", "/library/sign-out"),
        *("/library.evil.example", "", "/library/" + "x" * 5000),
    ],
)
def test_nobody_is_led_out_of_the_library(wanted: str) -> None:
    assert find_destination(wanted) == "/library"


@given(st.text())
def test_whatever_is_wanted_is_below_the_library(wanted: str) -> None:
    for asked in (wanted, f"/library{wanted}", f"/library/{wanted}"):
        found = find_destination(asked)
        assert re.match(r"/library(?:[/?]|\Z)", found)
        assert not set(found) & set("\\\r\n \t")


def test_the_audit_is_pruned_and_what_is_spent_stays_until_it_expires(store: Store) -> None:
    reader = Reader("T1", "U1")

    def unit(tx):  # type: ignore[no-untyped-def]
        sign_ins_store.add(tx, reader, SignInOutcome.ADMITTED, "", NOON - KEEP - timedelta(seconds=1))
        sign_ins_store.add(tx, reader, SignInOutcome.REFUSED, "guest", NOON - KEEP)
        first = sign_ins_store.spend(tx, "a", NOON + timedelta(hours=1))
        again = sign_ins_store.spend(tx, "a", NOON + timedelta(hours=2))
        sign_ins_store.spend(tx, "b", NOON - timedelta(seconds=1))
        return first, again, sign_ins_store.prune(tx, NOON, NOON - KEEP)

    assert store.write_now(unit) == (True, False, 2)
    assert [line.reason for line in store.read_now(lambda tx: sign_ins_store.list_latest(tx, "T1", 5))] == ["guest"]
    assert store.read_now(lambda tx: sign_ins_store.is_spent(tx, "a"))
    assert not store.read_now(lambda tx: sign_ins_store.is_spent(tx, "b"))
