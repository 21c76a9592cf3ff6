"""A browser without pages: signs in to the library of a play and reads, over real sockets."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tests.support.play import Play, playing

SESSION_KEY = "k" * 40
CLIENT_ID = "1000000000.2000000000"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def playing_with_library(
    database_url: str, *, environ: Mapping[str, str] | None = None, transport: str = "http"
) -> AsyncIterator[Play]:
    """A play whose bot has the library at its own loopback address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # The secret of the stand-in's app is made when it starts, so it is given the one of the settings.
    settled = {
        "AFTERWORD_PORT": str(port),
        "AFTERWORD_URL": url,
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": "sec" + "ret-of-the-stand-in",
        "AFTERWORD_SESSION_KEY": SESSION_KEY,
    }
    async with playing(database_url, environ=settled | dict(environ or {}), transport=transport) as play:
        play.slack.api.openid.client_secret = settled["SLACK_CLIENT_SECRET"]
        play.slack.api.openid.redirect_uris.add(f"{url}/library/sign-in/callback")
        await play.bot.directory_refresher.wait()
        yield play


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: nothing is followed."""

    status: int
    text: str
    location: str
    headers: Mapping[str, str]


class Visitor:
    """One browser with its cookies."""

    def __init__(self, play: Play, session: aiohttp.ClientSession) -> None:
        self.play = play
        self.session = session

    async def get(self, path: str, **how: object) -> Answer:
        """A page, by its path."""
        url = path if "://" in path else f"{self.play.url}{path}"
        async with self.session.get(url, allow_redirects=False, **how) as got:  # type: ignore[arg-type]
            return Answer(got.status, await got.text(), got.headers.get("location", ""), got.headers)

    async def post(self, path: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """A form."""
        url = f"{self.play.url}{path}"
        async with self.session.post(url, data=data, headers=headers, allow_redirects=False) as got:
            return Answer(got.status, await got.text(), got.headers.get("location", ""), got.headers)

    async def begin(self, wanted: str = "/library") -> Mapping[str, str]:
        """On to Slack; the query of its address."""
        start = await self.get(f"/library/sign-in/start?next={wanted}")
        assert start.status == 303
        assert (await self.get(start.location)).status == 200, "the stand-in refuses the request of the app"
        return {name: values[0] for name, values in parse_qs(urlsplit(start.location).query).items()}

    async def come_back(self, user: str, asked: Mapping[str, str], team: str = "") -> Answer:
        """Agree at Slack, and come back."""
        code = self.play.slack.api.openid.agree(user, asked["nonce"], asked["redirect_uri"], team)
        return await self.get(f"/library/sign-in/callback?code={code}&state={asked['state']}")

    async def sign_in(self, user: str, wanted: str = "/library", team: str = "") -> Answer:
        """The whole way."""
        return await self.come_back(user, await self.begin(wanted), team)


@asynccontextmanager
async def visiting(play: Play) -> AsyncIterator[Visitor]:
    """A browser that has never been there."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Visitor(play, session)
