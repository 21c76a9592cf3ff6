"""The stand-in's page for Sign in with Slack: choose a person, and go back to the app with a code."""

from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, PackageLoader

from bot.bytecode import TemplateBytecode
from bot.rehearsal.web_api.openid import OpenIdProvider

AUTHORIZE_PATH = "/openid/connect/authorize"
AGREE_PATH = "/openid/connect/agree"


class SignInPage:
    """Asks who signs in. A wrong request of the app is refused on the page: no one is sent anywhere."""

    def __init__(self, provider: OpenIdProvider) -> None:
        self._provider = provider
        self._environment = Environment(
            loader=PackageLoader("templates", package_path="web"),
            bytecode_cache=TemplateBytecode(__file__),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [web.get(AUTHORIZE_PATH, self.ask), web.get(AGREE_PATH, self.agree)]

    async def ask(self, request: web.Request) -> web.Response:
        """The page."""
        query = dict(request.query)
        refusal = self._provider.explain_refusal(query)
        users = [one for one in self._provider.workspace.users.values() if not one.bot and not one.deleted]
        choices = [(user.name, f"{AGREE_PATH}?{urlencode({**query, 'user': user.id})}") for user in users]
        html = self._environment.get_template("workspace_sign_in.html.j2").render(
            refusal=refusal, people=choices, cancel=_back(query, error="access_denied")
        )
        return web.Response(text=html, status=400 if refusal else 200, content_type="text/html")

    async def agree(self, request: web.Request) -> web.Response:
        """A person was chosen: back to the app."""
        query = dict(request.query)
        user = self._provider.workspace.users.get(query.get("user", ""))
        refusal = self._provider.explain_refusal(query)
        if refusal or user is None or user.bot or user.deleted:
            raise web.HTTPBadRequest(text=refusal or "user_not_found")
        code = self._provider.agree(user.id, query.get("nonce", ""), query["redirect_uri"])
        raise web.HTTPFound(_back(query, code=code))


def _back(query: dict[str, str], **more: str) -> str:
    return f"{query.get('redirect_uri', '')}?{urlencode({**more, 'state': query.get('state', '')})}"
