"""One call to another system: what is tried again, what is not, and what is known when it has failed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.errors import Misconfigured
from bot.integrations.caller import Caller
from bot.integrations.http import Call, Endpoint, IntegrationError, RetryPolicy, get, path_of, post, put
from tests.support.integrations.clients import IMPATIENT, QUICK, SECRET
from tests.support.integrations.fakes.days import BadDay, Fake, page, refuse_with

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


class Shelf(Fake):
    """Keeps whatever is put there."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[object] = []
        self.app.router.add_get("/thing", self._read)
        self.app.router.add_route("*", "/write", self._write)

    async def _read(self, request: web.Request) -> web.Response:
        return web.json_response({"kept": len(self.bodies)})

    async def _write(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.json_response({"id": len(self.bodies)})


@asynccontextmanager
async def calling(shelf: Shelf, patience: RetryPolicy = QUICK, gap: float = 0.0) -> AsyncIterator[Caller]:
    async with shelf.serving() as url:
        line = Endpoint("Shelf", url, {"Authorization": f"Bearer {SECRET}"}, (SECRET,), gap=gap)
        caller = Caller(line, patience)
        try:
            yield caller
        finally:
            await caller.aclose()


async def error_of(caller: Caller, call: Call) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        await caller.ask(call)
    assert SECRET not in repr(caught.value) + str(caught.value.fields)
    assert caught.value.system == "Shelf"
    assert str(caught.value).startswith("Shelf ")
    return caught.value


ASK, WRITE, PUT = get("/thing"), post("/write", {"a": 1}), put("/write", {"a": 1})


async def test_a_good_answer_is_read() -> None:
    async with calling(Shelf()) as caller:
        assert (await caller.ask(ASK)).number("kept") == 0
        assert (await caller.ask(WRITE)).text("id") == "1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 418, 302])
@pytest.mark.parametrize("call", [ASK, WRITE], ids=["read", "write"])
async def test_a_refusal_is_for_good_and_nothing_has_happened(status: int, call: Call) -> None:
    shelf = Shelf()
    shelf.next_time("", refuse_with(status, {"errorMessages": ["No such shelf."]}))
    async with calling(shelf) as caller:
        error = await error_of(caller, call)
    assert (error.is_permanent, error.may_have_happened, error.status) == (True, False, status)
    assert len(shelf.seen) == 1
    assert ("No such shelf." in str(error)) == (status not in (401, 302))


@pytest.mark.parametrize("status", [420, 429, 503])
async def test_what_was_surely_not_done_is_tried_again(status: int) -> None:
    shelf = Shelf()
    shelf.next_time("", refuse_with(status, {}), refuse_with(status, {}))
    async with calling(shelf) as caller:
        await caller.ask(WRITE)
    assert (len(shelf.seen), len(shelf.bodies)) == (3, 1)


async def test_what_goes_on_failing_is_given_up_after_three_attempts_and_may_be_tried_later() -> None:
    shelf = Shelf()
    shelf.next_time("", *[refuse_with(429, {})] * 5)
    async with calling(shelf) as caller:
        error = await error_of(caller, WRITE)
    assert (error.is_permanent, error.may_have_happened, len(shelf.seen)) == (False, False, 3)


UNSURE = [
    BadDay(500, acts=True),
    BadDay(502, acts=True),
    BadDay(504, acts=True),
    BadDay(acts=True, resets=True),
    BadDay(acts=True, hangs=True),
    replace(page(200), acts=True),
    replace(page(500), acts=True),
]


@pytest.mark.parametrize("day", UNSURE, ids=str)
async def test_a_write_that_may_have_happened_is_not_repeated_and_says_so(day: BadDay) -> None:
    shelf = Shelf()
    shelf.next_time("", day)
    async with calling(shelf, IMPATIENT if day.hangs else QUICK) as caller:
        error = await error_of(caller, WRITE)
    assert (error.is_permanent, error.may_have_happened) == (False, True)
    assert len(shelf.bodies) == 1


@pytest.mark.parametrize("day", UNSURE, ids=str)
@pytest.mark.parametrize("call", [ASK, PUT], ids=["read", "put"])
async def test_what_is_as_good_done_twice_is_repeated(day: BadDay, call: Call) -> None:
    shelf = Shelf()
    shelf.next_time("", day)
    async with calling(shelf, IMPATIENT if day.hangs else QUICK) as caller:
        await caller.ask(call)
    assert len(shelf.seen) >= 2


async def test_a_read_never_says_that_something_may_have_happened() -> None:
    shelf = Shelf()
    shelf.next_time("", *[BadDay(acts=True, resets=True)] * 3)
    async with calling(shelf) as caller:
        assert not (await error_of(caller, ASK)).may_have_happened


async def test_a_refusal_behind_an_unsure_attempt_leaves_it_unsure() -> None:
    shelf = Shelf()
    shelf.next_time("", BadDay(acts=True, resets=True), refuse_with(409, {}))
    async with calling(shelf) as caller:
        error = await error_of(caller, PUT)
    assert (error.status, error.is_permanent, error.may_have_happened) == (409, True, True)


async def test_a_short_wait_that_is_asked_for_is_kept() -> None:
    shelf = Shelf()
    shelf.next_time("", refuse_with(429, {}, **{"Retry-After": "1"}))
    async with calling(shelf, replace(QUICK, longest_wait=2.0)) as caller:
        began = asyncio.get_running_loop().time()
        await caller.ask(WRITE)
        assert asyncio.get_running_loop().time() - began >= 1.0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_wait_that_is_asked_for_is_handed_back(status: int) -> None:
    shelf = Shelf()
    shelf.next_time("", refuse_with(status, {}, **{"Retry-After": "90"}))
    async with calling(shelf) as caller:
        error = await error_of(caller, WRITE)
    assert (len(shelf.seen), error.retry_after, error.is_permanent) == (1, 90.0, False)
    assert error.retry_at(NOW) == NOW + timedelta(seconds=90)


@pytest.mark.parametrize("status", [200, 404, 502])
async def test_a_web_page_in_the_place_of_data_is_no_answer(status: int) -> None:
    shelf = Shelf()
    shelf.next_time("", *[page(status)] * 3)
    async with calling(shelf) as caller:
        error = await error_of(caller, ASK)
    assert not error.is_permanent
    assert "web page" in str(error)
    assert "sign in" not in str(error)


async def test_a_web_page_that_refuses_the_token_is_about_the_token() -> None:
    shelf = Shelf()
    shelf.next_time("", page(401))
    async with calling(shelf) as caller:
        error = await error_of(caller, ASK)
    assert (error.is_permanent, "refused the token" in str(error)) == (True, True)


async def test_a_redirect_is_not_followed_and_names_the_place_without_its_query() -> None:
    shelf = Shelf()
    shelf.next_time("", BadDay(302, headers={"Location": "https://elsewhere.example/login?token=1"}))
    async with calling(shelf) as caller:
        error = await error_of(caller, ASK)
    assert "https://elsewhere.example/login. " in str(error)
    assert "token=1" not in str(error)


async def test_no_session_begins() -> None:
    shelf = Shelf()
    shelf.next_time("", BadDay(200, "{}", {"Set-Cookie": "JSESSIONID=1; Path=/"}))
    async with calling(shelf) as caller:
        await caller.ask(ASK)
        await caller.ask(ASK)
    assert "Cookie" not in shelf.seen[1].headers


async def test_our_secret_is_not_repeated_though_the_system_quotes_it() -> None:
    shelf = Shelf()
    body = {"errorMessages": [f"bad header Bearer {SECRET}"], "errors": {"auth": SECRET}}
    shelf.next_time("", refuse_with(400, body))
    async with calling(shelf) as caller:
        assert "bad header Bearer …" in str(await error_of(caller, ASK))


async def test_nothing_of_a_body_or_a_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shelf = Shelf()
    shelf.next_time("", refuse_with(429, {}), BadDay(acts=True, resets=True))
    async with calling(shelf) as caller:
        await caller.ask(put("/write", {"said": "private words"}))
    everything = "".join(str(vars(record)) for record in caplog.records)
    assert everything
    assert SECRET not in everything
    assert "private words" not in everything


async def test_an_answer_without_end_is_let_go() -> None:
    shelf = Shelf()
    shelf.next_time("", BadDay(200, "[" + "1," * 50_000 + "1]"))
    async with calling(shelf, replace(QUICK, most_bytes=50_000)) as caller:
        assert (await error_of(caller, ASK)).is_permanent


async def test_an_answer_that_trickles_ends_too() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    shelf = Shelf()
    shelf.app.router.add_get("/slow", trickle)
    async with calling(shelf, replace(QUICK, whole=0.3, attempts=1)) as caller:
        assert "didn't answer in time" in str(await error_of(caller, get("/slow")))


async def test_a_place_where_nobody_listens_has_surely_done_nothing() -> None:
    caller = Caller(Endpoint("Shelf", "http://127.0.0.1:9"), QUICK)
    error = await error_of(caller, WRITE)
    await caller.aclose()
    assert (error.is_permanent, error.may_have_happened) == (False, False)
    assert "127.0.0.1" in str(error)


async def test_calls_keep_the_gap_that_a_system_asks_for() -> None:
    async with calling(Shelf(), replace(QUICK, pace=1.0), gap=0.1) as caller:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(caller.ask(ASK) for _ in range(4)))
        assert asyncio.get_running_loop().time() - began >= 0.3


@pytest.mark.parametrize("url", ["", "team.atlassian.net", "ftp://a.example", "https://", "https://me:pw@a.example"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(Misconfigured):
        Caller(Endpoint("Shelf", url), QUICK)


@pytest.mark.parametrize(
    ("host", "uses"), [("127.0.0.1", False), ("localhost", False), ("[::1]", False), ("a.b", True)]
)
async def test_a_proxy_is_not_asked_for_this_machine(host: str, uses: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    caller = Caller(Endpoint("Shelf", f"http://{host}"), QUICK)
    assert bool(caller._client._mounts) is uses
    await caller.aclose()


def test_a_key_can_not_lead_to_another_path() -> None:
    assert path_of("issue", "../myself?x=1#y") == "/issue/..%2Fmyself%3Fx%3D1%23y"
