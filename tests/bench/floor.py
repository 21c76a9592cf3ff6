"""The floor: the same Bolt app that only acknowledges, in Bolt's own adapter; and below it, no Bolt at all."""

import sys

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send


async def _authorize(**_: object) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-" + "floor")


def build_bolt(signing_secret: str, api_url: str = "https://slack.com/api/") -> AsyncApp:
    """The app that answers `/timeline` with nothing written down."""
    client = AsyncWebClient("xoxb-" + "floor", base_url=api_url)
    bolt = AsyncApp(signing_secret=signing_secret, authorize=_authorize, client=client, process_before_response=True)

    async def acknowledge(ack) -> None:  # type: ignore[no-untyped-def]
        await ack({"response_type": "ephemeral", "text": "heard"})

    bolt.command("/timeline")(acknowledge)
    return bolt


def build(signing_secret: str) -> Starlette:
    """The same over HTTP."""
    handler = AsyncSlackRequestHandler(build_bolt(signing_secret))

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI app that reads the body and answers, without looking at anything."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


if __name__ == "__main__":
    app = plain if "plain" in sys.argv else build(sys.argv[1])
    uvicorn.run(app, lifespan="off", host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="error")
