"""The settings: read once, at the top, from the environment and a `.env` file."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import ConfigDict, ValidationError

from bot import bounds
from bot.errors import Misconfigured
from bot.settings.core import CoreSettings
from bot.settings.integrations import HOOK_SECRETS, OUTSIDE_SECRETS, AlertSettings, Halves, OutsideSettings
from bot.settings.library import LIBRARY_SECRETS, LibrarySettings

FILED = (
    *("slack_bot_token", "slack_signing_secret", "slack_app_token", "database_url"),
    *(*HOOK_SECRETS, *OUTSIDE_SECRETS, *LIBRARY_SECRETS),
)
"""The secret fields: never shown, and also read from the file that NAME_FILE names."""


NO_WAY_IN = (
    "SLACK_APP_TOKEN isn't set. With it, the bot needs no public address. Copy it from Basic Information, "
    "App-Level Tokens. To use HTTP, set SLACK_SIGNING_SECRET instead."
)


_SIGN_IN = re.compile("//[^/]*@")
"""The credentials in an address."""


class Settings(Halves, LibrarySettings, OutsideSettings, AlertSettings, CoreSettings):
    """What the operator decides. Get one from `load`; fields stand in the order of the bases from the last on."""

    # Inputs are hidden because an error would quote a token.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @property
    def transport(self) -> Literal["socket", "http"]:
        """How Slack reaches the bot: over a socket if there is an app-level token, else by HTTP requests."""
        return "socket" if self.slack_app_token.get_secret_value() else "http"

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with the driver that Afterword uses; it may hold a password."""
        scheme, _, rest = self.database_url.get_secret_value().partition("://")
        return f"{scheme if scheme == 'sqlite' else 'postgresql+psycopg'}://{rest}"

    @property
    def incomplete(self) -> list[str]:
        """A sentence for each system that is half connected, and therefore not connected."""
        return [f"{variable(present)} is set, but {variable(field)} isn't." for present, field in self.missing()]

    @property
    def useless(self) -> list[str]:
        """A sentence for each group of settings without effect."""
        return [
            f"{_join(idle)} {'does' if len(idle) == 1 else 'do'} nothing until {_join(anchors, 'or')} is set."
            for idle, anchors in self.idle()
        ]

    def require_for_run(self) -> None:
        """Raise Misconfigured if a setting is missing without which the bot cannot run."""
        missing = [] if self.slack_bot_token.get_secret_value() else [_describe_unset("slack_bot_token")]
        if self.transport == "http" and not self.slack_signing_secret.get_secret_value():
            missing.append(NO_WAY_IN)
        if self.has_hooks and self.alerts_channel == "none":
            missing.append(_describe_unset("alerts_channel"))
        missing += self.incomplete
        if missing:
            raise Misconfigured("\n".join([*missing, "Settings are read from the environment and from .env here."]))


def variable(field: str) -> str:
    """The environment variable that a field of Settings is read from."""
    shared = field.startswith("slack_") or field == "database_url"
    return field.upper() if shared else f"AFTERWORD_{field.upper()}"


def load(environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env") -> Settings:
    """Read the settings from the environment (`os.environ` unless given), and below it from the `.env` file.

    An empty value counts as not set. Raises Misconfigured with one sentence for each wrong setting.
    """
    surrounding = os.environ if environ is None else environ
    variables = _read_env_file(env_file) | {name: value for name, value in surrounding.items() if value}
    values = {name: value for name in Settings.model_fields if (value := _value(name, variables))}
    for name, value in values.items():
        if len(value) > bounds.SETTING:
            raise Misconfigured(f"{variable(name)} has {len(value):,} characters; at most {bounds.SETTING:,} are read.")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise Misconfigured(" ".join(_sentences(error, values))) from None  # the cause would show what was given


def _read_env_file(env_file: str | Path | None) -> dict[str, str]:
    # Not interpolated: a `$` in a password is a `$`.
    if env_file is None or not Path(env_file).exists():
        return {}
    try:
        found = dotenv_values(env_file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{env_file} can't be read ({_reason(error)}). Fix it or move it away.") from error
    return {name: value for name, value in found.items() if value is not None}


def _value(field: str, variables: Mapping[str, str]) -> str:
    """A field's value, from the file that NAME_FILE names if there is one; empty if not set."""
    name = variable(field)
    plain, path = variables.get(name, "").strip(), variables.get(f"{name}_FILE", "").strip()
    if field not in FILED or not path:
        return plain
    # Both set is an error: taking one of them silently could be the old one.
    if plain:
        raise Misconfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}_FILE names {path}, which can't be read ({_reason(error)}). Fix it.") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else "it isn't UTF-8 text"


def _sentences(error: ValidationError, values: Mapping[str, str]) -> Iterator[str]:
    """One sentence per wrong setting: its variable, its value unless that is secret, and the remedy."""
    for wrong in error.errors():
        field = str(wrong["loc"][0])
        # An address may carry a password, although its field is not a secret one.
        shown = "what was given" if field in FILED or _SIGN_IN.search(values[field]) else repr(values[field])
        ours = wrong.get("ctx", {}).get("error")
        remedy = f": {ours}." if ours else f". {_remedy(field)}"
        yield f"{variable(field)} can't be {shown}{remedy}"


def _join(fields: Iterable[str], last: str = "and") -> str:
    *names, end = map(variable, fields)
    return f"{', '.join(names)} {last} {end}" if names else end


def find_unknown(environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env") -> tuple[str, ...]:
    """The names of AFTERWORD_… variables that are no settings: each is probably misspelt."""
    known = {variable(field) for field in Settings.model_fields}
    known |= {f"{variable(field)}_FILE" for field in FILED}
    names = _read_env_file(env_file).keys() | (os.environ if environ is None else environ).keys()
    return tuple(sorted(name for name in names if name.startswith("AFTERWORD_") and name not in known))


def describe_unknown() -> list[str]:
    """The same of our own environment, one sentence for each."""
    return [f"{name} isn't a setting. Check its spelling." for name in find_unknown()]


def _describe_unset(field: str) -> str:
    return f"{variable(field)} isn't set. {_remedy(field)}"


def _remedy(field: str) -> str:
    return Settings.model_fields[field].description or ""
