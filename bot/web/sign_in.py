"""Sign in with Slack for the library: /library/sign-in, /library/sign-in/start and /callback, /library/sign-out.

What a browser keeps is signed, and its state counts once. Whoever may not read in Slack is refused here, too.
"""

import hmac
import logging
from urllib.parse import parse_qs, quote, urlsplit

from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.domain.readers import Reader
from bot.errors import NotRecorded
from bot.manifest import REDIRECT_PATH
from bot.services.context import Services
from bot.services.library import pages as pages_service
from bot.services.library import readers as readers_service
from bot.services.library import sessions as sessions_service
from bot.services.library.pages import Site
from bot.services.library.sessions import SESSION_LIFE, SIGN_IN_LIFE, Attempt, Session, Signatures
from bot.slack.openid import IdentityError, OpenId
from bot.web.library import HEADERS, LibraryDoor, make_page
from bot.web.rate_limit import RateLimit, find_address
from bot.web.slack_endpoint import DeniedError, read_body

log = logging.getLogger(__name__)

SIGN_IN_PATH = "/library/sign-in"
CALLBACK_PATH = REDIRECT_PATH
SIGN_OUT_PATH = "/library/sign-out"

SIGN_INS_A_MINUTE = 60
"""For one address: a whole office may share it."""

PAGES_A_MINUTE = 240
"""For one person: far more than anyone reads, and far less than a copy of everything takes."""

LONGEST_CODE = 512

_SIGN_INS = Counter("afterword_library_sign_ins_total", "Sign-ins to the library by what became of them.", ["outcome"])


class SignIn:
    """Lets people in: the routes, and the person of a request."""

    def __init__(self, services: Services, openid: OpenId, signatures: Signatures, url: str) -> None:
        self._services = services
        self._openid = openid
        self._signatures = signatures
        self._origin = url
        self._is_secure = urlsplit(url).scheme == "https"
        prefix = "__Host-" if self._is_secure else ""
        self._session_cookie, self._attempt_cookie = f"{prefix}afterword", f"{prefix}afterword-sign-in"
        self._by_address = RateLimit(SIGN_INS_A_MINUTE, 60)
        self._by_person = RateLimit(PAGES_A_MINUTE, 60)

    def make_routes(self) -> list[Route]:
        """The routes of the sign-in. They stand before those of pages, whose keys they are not."""
        return [
            Route(SIGN_IN_PATH, self.show, methods=["GET"]),
            Route(f"{SIGN_IN_PATH}/start", self.start, methods=["GET"]),
            Route(CALLBACK_PATH, self.come_back, methods=["GET"]),
            Route(SIGN_OUT_PATH, self.sign_out, methods=["POST"]),
        ]

    @property
    def door(self) -> LibraryDoor:
        """What the pages need to know of who comes in."""
        return LibraryDoor(self._origin, self.find_reader, self.find_feed_reader, self.describe)

    def describe(self, request: Request, reader: Reader) -> Site:
        """The site as a reader sees it: their name, their way out, their feed."""
        directory = self._services.slack.directory
        return Site(
            person=directory.name_or_id(reader.team, reader.user),
            user=reader.user,
            sign_out=SIGN_OUT_PATH,
            token=self.write_form_token(request),
            feed=f"/library/feed.atom?key={self.write_feed_key(reader)}",
            feed_is_personal=True,
        )

    # --- who asks ----------------------------------------------------------------------------------------------

    async def find_reader(self, request: Request) -> Reader | None:
        """The person of a request, who may read now; None if no one is signed in. HTTPException 429 for too many."""
        session = self._find_session(request)
        if session is None:
            return None
        _require_pace(self._by_person, f"{session.reader.team} {session.reader.user}")
        return await sessions_service.find_reader(self._services, session)

    async def find_feed_reader(self, request: Request) -> Reader | None:
        """The person of a feed's address (`key`), who may read now. HTTPException 429 for too many."""
        reader = self._signatures.read_feed_key(request.query_params.get("key", ""))
        if reader is None:
            return None
        _require_pace(self._by_person, f"{reader.team} {reader.user}")
        return reader if await readers_service.may_read(self._services, reader) else None

    def write_feed_key(self, reader: Reader) -> str:
        """The key for the address of a person's feed."""
        return self._signatures.write_feed_key(reader)

    def write_form_token(self, request: Request) -> str:
        """The token for a form on a page of this request's session; empty if there is none."""
        session = self._find_session(request)
        return self._signatures.write_form_token(session) if session else ""

    def _find_session(self, request: Request) -> Session | None:
        text = request.cookies.get(self._session_cookie, "")
        return self._signatures.read_session(text, self._services.clock.now()) if text else None

    # --- pages -------------------------------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """The page with the one button."""
        _require_pace(self._by_address, find_address(request))
        wanted = sessions_service.find_destination(request.query_params.get("next", ""))
        return self._draw("ended" if "ended" in request.query_params else "", wanted)

    async def start(self, request: Request) -> Response:
        """On to Slack, with a state that is bound to this browser."""
        _require_pace(self._by_address, find_address(request))
        wanted = request.query_params.get("next", "")
        attempt, signed = self._signatures.begin(wanted, self._services.clock.now())
        address = self._openid.write_address(attempt.state, attempt.nonce, self._services.slack.directory.home)
        response = RedirectResponse(address, 303, HEADERS)
        self._set_cookie(response, self._attempt_cookie, signed, int(SIGN_IN_LIFE.total_seconds()))
        return response

    async def come_back(self, request: Request) -> Response:
        """Back from Slack, with a code that says who it is."""
        _require_pace(self._by_address, find_address(request))
        now = self._services.clock.now()
        attempt = self._signatures.read_attempt(request.cookies.get(self._attempt_cookie, ""), now)
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if attempt is None or not hmac.compare_digest(state.encode(), attempt.state.encode()):
            return self._refuse("state", sessions_service.START)
        try:
            return await self._let_in(attempt, code)
        except NotRecorded:
            return self._refuse("unavailable", attempt.wanted, 503)

    async def _let_in(self, attempt: Attempt, code: str) -> Response:
        now = self._services.clock.now()
        if not await sessions_service.spend_attempt(self._services, attempt, now):
            return self._refuse("state", attempt.wanted)
        if not 0 < len(code) <= LONGEST_CODE:  # they pressed [Cancel] at Slack
            return self._refuse("canceled", attempt.wanted)
        if not self._services.slack.directory.home:
            return self._refuse("unavailable", attempt.wanted, 503)
        try:
            reader = await self._openid.identify(code, attempt.nonce, now)
        except IdentityError as error:
            log.warning(
                "Slack didn't confirm a sign-in to the library (%(cause)s).",
                {"event": "sign_in_unconfirmed", "cause": str(error)},
            )
            return self._refuse("unavailable" if error.is_temporary else "unconfirmed", attempt.wanted, 503)
        if objection := await sessions_service.admit(self._services, reader, now):
            log.info(
                "%(user)s of %(team)s was refused by the library (%(cause)s).",
                {"event": "reader_refused", "user": reader.user, "team": reader.team, "cause": objection},
            )
            return self._refuse(objection, sessions_service.START)
        _SIGN_INS.labels("admitted").inc()
        response = RedirectResponse(attempt.wanted, 303, HEADERS)
        signed = self._signatures.write_session(reader, now)
        self._set_cookie(response, self._session_cookie, signed, int(SESSION_LIFE.total_seconds()))
        self._set_cookie(response, self._attempt_cookie, "", 0)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session; a form of another site cannot."""
        session = self._find_session(request)
        origin = request.headers.get("origin", self._origin)
        try:
            form = parse_qs((await read_body(request.headers, request.receive, 3.0)).decode("utf-8", "replace"))
        except DeniedError as denied:
            return PlainTextResponse(str(denied), denied.status, HEADERS)
        if session is not None:
            if origin != self._origin or not self._signatures.fits_form(session, form.get("token", [""])[0]):
                return PlainTextResponse("Go back, reload the page and press Sign out again.", 403, HEADERS)
            await sessions_service.end(self._services, session)
        response = RedirectResponse(f"{SIGN_IN_PATH}?ended", 303, HEADERS)
        self._set_cookie(response, self._session_cookie, "", 0)
        return response

    def _refuse(self, reason: str, wanted: str, status: int = 403) -> Response:
        _SIGN_INS.labels("refused").inc()
        response = self._draw(reason, wanted, status)
        self._set_cookie(response, self._attempt_cookie, "", 0)
        return response

    def _draw(self, reason: str, wanted: str, status: int = 200) -> Response:
        start = f"{SIGN_IN_PATH}/start?next={quote(wanted, safe='')}"
        content = pages_service.draw("library_sign_in.html.j2", Site(), reason=reason, start=start)
        return make_page(content, status)

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._is_secure, httponly=True, samesite="lax"
        )


def _require_pace(limit: RateLimit, key: str) -> None:
    if seconds := limit.wait_for(key):
        raise HTTPException(429, "Too many requests. Try again in a minute.", {"retry-after": str(seconds)})
