"""The settings of the library: where it is read in a browser, and how people sign in to it."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, field_validator

from bot.settings.core import Token

LIBRARY_SECRETS = ("slack_client_secret", "session_key")
"""The fields that are secret."""

LIBRARY_FIELDS = ("url", "slack_client_id", "slack_client_secret", "session_key")
"""What the library needs: it is off until all of them are set."""

SHORTEST_KEY = 32
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NO_ADDRESS = re.compile(r"[\s?#@\\<>\"{}|^`\x00-\x20\x7f]")


def _require_library_address(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0 and not _NO_ADDRESS.search(url)
    except ValueError:  # a port that is none, a bracket that nothing closes
        is_address = False
    if not is_address:
        raise ValueError("it must look like https://name.example, without a user name, a blank or a query")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("it must begin with https://; http:// is for this machine alone, as in http://127.0.0.1:3000")
    if parts.path.strip("/"):
        raise ValueError("write it without a path, as in https://name.example: the library is at /library below it")
    return f"{parts.scheme}://{parts.netloc}"


def _require_keys(keys: SecretStr) -> SecretStr:
    for key in keys.get_secret_value().split(","):
        if keys.get_secret_value() and len(key.strip()) < SHORTEST_KEY:
            raise ValueError(
                f"each key must have at least {SHORTEST_KEY} characters. Make one with "
                "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
    return keys


LibraryAddress = Annotated[str, AfterValidator(_require_library_address)]
SessionKeys = Annotated[Token, AfterValidator(_require_keys)]


class LibrarySettings(BaseModel):
    """Where the library is, and how people sign in; a field's description is its line in `.env.example`."""

    url: LibraryAddress = Field(
        "", description="The library's address without a path, as in https://postmortems.example. Empty: off."
    )
    slack_client_id: str = Field(
        "", description="Library: the app's client ID, as in 1234.5678: the app's page, Basic Information."
    )
    slack_client_secret: Token = Field(
        SecretStr(""), description="Library: the app's client secret: the app's page, Basic Information."
    )
    session_key: SessionKeys = Field(
        SecretStr(""),
        description="Library: 32 or more random characters that sign sessions. To rotate: the new one, a comma, the "
        "old one.",
    )

    @field_validator("slack_client_id")
    @classmethod
    def _require_client_id(cls, client: str) -> str:
        if client and not re.fullmatch(r"[0-9]+\.[0-9]+", client):
            raise ValueError("a client ID is two numbers with a dot between them, as in 1234567890.1234567890")
        return client

    @property
    def has_library(self) -> bool:
        """Whether everything is set that the library needs."""
        return all(str(_plain(getattr(self, field))) for field in LIBRARY_FIELDS)

    @property
    def session_keys(self) -> tuple[str, ...]:
        """The keys of sessions: the first signs, and the others still count."""
        return tuple(key.strip() for key in self.session_key.get_secret_value().split(",") if key.strip())


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
