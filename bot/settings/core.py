"""The settings that every installation has: Slack, the database, times and reminders, what is logged."""

import string
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, field_validator

REACTION_LETTERS = frozenset(string.ascii_lowercase + string.digits + "-_+'")

_SWITCHES: dict[str, bool | str] = {
    "weekly": "weekly",
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

Port = Annotated[int, Field(ge=0, le=65535)]
Hour = Annotated[int, Field(ge=0, le=23)]
Weeks = Annotated[int, Field(ge=0, le=52)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Seconds = Annotated[int, Field(ge=1, le=300)]


def _has_port(rest: str) -> bool:
    """Whether an address has a port that can be one, or none."""
    try:
        urlsplit(f"//{rest}").port  # noqa: B018 - it is read to be checked
    except ValueError:
        return False
    return True


def _require_one_word(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("it has a blank or a character that tokens don't have. Copy it again")
    return secret


Token = Annotated[SecretStr, AfterValidator(_require_one_word)]


class CoreSettings(BaseModel):
    """How the bot runs, and what it does unasked; a field's description is its line in `.env.example`."""

    slack_bot_token: Token = Field(
        SecretStr(""), description="The bot's token, xoxb-…: the app's page, OAuth & Permissions. Needed to run."
    )
    slack_signing_secret: Token = Field(
        SecretStr(""),
        description="Proves that a request is Slack's: the app's page, Basic Information. HTTP mode only.",
    )
    slack_app_token: Token = Field(
        SecretStr(""), description="An app-level token, xapp-…, with connections:write. Set: Socket Mode. Empty: HTTP."
    )
    slack_api_url: str = Field("https://slack.com/api/", description="The address of Slack's Web API: http or https.")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///afterword.db"),
        description="Where the record is kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on: 0.0.0.0 for all of them.")
    port: Port = Field(3000, description="The port to listen on: 0 to 65535, 0 for any free one.")
    input_zone: str = Field(
        "author", description="The zone of times typed without one: author (their Slack zone), UTC or an IANA zone."
    )
    reminder_hours: tuple[timedelta, ...] = Field(
        (timedelta(hours=24), timedelta(hours=48)),
        description="Hours after the resolution when an open postmortem's reminders go out: numbers between commas.",
    )
    reminder_weeks: Weeks = Field(4, description="How many weekly reminders follow these, for the owner only: 0 to 52.")
    quiet_hours: tuple[int, int] | None = Field(
        (20, 8),
        description="Hours, on a person's own clock, in which reminders by DM wait, as in 20-8; none: to the minute.",
    )
    quiet_weekends: bool | Literal["weekly"] = Field(
        "weekly", description="Which reminders by DM wait until Monday morning: weekly, true (all) or false (none)."
    )
    overdue_hour: Hour = Field(
        9, description="The hour on the owner's clock, 0 to 23, when they're told about overdue actions."
    )
    nudges: bool = Field(
        default=True,
        description="Private nudges while an incident is open (no lead, no severity, no entries): true or false.",
    )
    pin_card: bool = Field(
        default=False,
        description="Whether the live message of an incident is pinned (scope pins:write): true or false.",
    )
    tick_seconds: Seconds = Field(15, description="How often to look for what's due, in seconds: 1 to 300.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The log level: DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="The format of log lines: text, or json for one JSON object a line."
    )
    retention_days: Days | None = Field(
        None,
        description="Days after an incident is published or waived when its files and sent messages go; or none.",
    )
    retention_incident_days: Days | None = Field(
        None, description="Days after which such an incident is deleted altogether, its history too; or none."
    )
    chain_file: str = Field(
        "beside",
        description="The file that notes where the history ends, to detect a cut: a path, beside (SQLite's) or none.",
    )
    allow_guests: bool = Field(
        default=False, description="Whether guests and people of other workspaces may take part: true or false."
    )

    reaction: str = Field(
        "memo", description="The reaction that records a message: its name without colons, as in memo or pencil."
    )
    blame_words: str = Field(
        "usual",
        description="Words in an answer to a why that may blame a person: between commas, usual (our list) or none.",
    )
    vague_words: str = Field(
        "usual",
        description="Words that make an action hard to finish (improve …): between commas, usual (our list) or none.",
    )
    mask: str = Field(
        "credentials,emails,addresses",
        description="What a masked copy of a draft leaves out: credentials, emails and addresses (IP), or none.",
    )
    mask_patterns: str = Field(
        "none", description="What else to leave out: regular expressions between blanks, as in cust-[0-9]+, or none."
    )
    templates: str = Field(
        "ours",
        description="A folder of templates and style sheets to use in exports (docs/templates.md); or ours.",
    )
    config: str = Field(
        "none",
        description="The file with the team's policy, such as afterword.toml (docs/policy.md); or none.",
    )
    announce_channel: str = Field(
        "none", description="The ID of the channel (C…) where people outside read of each incident; or none."
    )
    digest: str = Field(
        "none",
        description="The day and hour of the weekly digest, and its channel if it's another one: monday 9 C…; or none.",
    )

    @property
    def config_path(self) -> Path | None:
        """The file with the team's policy, whether it is there or not; None without one."""
        return None if self.config.lower() == "none" else Path(self.config).expanduser()

    @property
    def templates_folder(self) -> Path | None:
        """The folder of the team's own templates, whether it is there or not; None where ours are used."""
        return None if self.templates.lower() == "ours" else Path(self.templates).expanduser()

    @field_validator("slack_bot_token")
    @classmethod
    def _require_bot_token(cls, secret: SecretStr) -> SecretStr:
        # The app's page shows several tokens, and a wrong one fails later with a word that helps no one.
        if secret.get_secret_value().startswith(("xapp-", "xoxp-")):
            raise ValueError("this is the wrong kind of token; the bot's begins with xoxb-")
        return secret

    @field_validator("slack_app_token")
    @classmethod
    def _require_app_token(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value().startswith("xox"):
            raise ValueError("this is the wrong kind of token; an app-level one begins with xapp-")
        return secret

    @field_validator("slack_api_url")
    @classmethod
    def _require_web_address(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("an address begins with https:// or http://")
        return url.rstrip("/") + "/"

    @field_validator("database_url")
    @classmethod
    def _require_database(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme == "sqlite" and rest in ("", "/", "/:memory:"):
            raise ValueError("a database in memory forgets the record; name a file: sqlite:///afterword.db")
        if scheme not in ("sqlite", "postgres", "postgresql", "postgresql+psycopg") or not rest:
            raise ValueError("it must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
        if scheme != "sqlite" and not _has_port(rest):
            raise ValueError("what follows the host's colon must be a port: postgresql://HOST:5432/DATABASE")
        return url

    @field_validator("announce_channel")
    @classmethod
    def _require_channel(cls, value: str) -> str:
        if value.lower() == "none":
            return "none"
        if value[:1] not in "CG" or len(value) < 2 or not value.isalnum() or not value.isupper():
            raise ValueError("write none, or Slack's own id, which begins with C: not a name and not an address")
        return value

    @field_validator("input_zone")
    @classmethod
    def _require_zone(cls, name: str) -> str:
        known = {"author": "author", "utc": "UTC"}.get(name.lower(), name)
        if known != "author" and known not in zoneinfo.available_timezones():
            raise ValueError("write author, UTC or a zone such as Europe/Berlin")
        return known

    @field_validator("reaction")
    @classmethod
    def _strip_colons(cls, name: str) -> str:
        bare = name.strip(":")
        if not bare or not set(bare) <= REACTION_LETTERS:
            raise ValueError("a reaction's name has only small letters, digits and - _ + '; write memo for :memo:")
        return bare

    @field_validator("reminder_hours", mode="before")
    @classmethod
    def _parse_hours(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            hours = sorted({timedelta(hours=float(part)) for part in value.split(",")})
        except (ValueError, OverflowError) as error:
            raise ValueError("write hours between commas, such as 24,48") from error
        if hours[0] <= timedelta(0) or hours[-1] > timedelta(days=366):
            raise ValueError("each must be more than 0 and at most 8784 hours (a year)")
        return tuple(hours)

    @field_validator("retention_days", "retention_incident_days", mode="before")
    @classmethod
    def _parse_days(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lower() == "none":
            return None
        if value.isascii() and value.isdecimal() and 1 <= int(value) <= 36_500:
            return int(value)
        raise ValueError("write a number of days, 1 to 36500, or none")

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _parse_quiet_hours(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lower() == "none":
            return None
        start, _, end = value.partition("-")
        hours = [int(hour) if hour.strip().isascii() and hour.strip().isdecimal() else 24 for hour in (start, end)]
        if max(hours) > 23 or hours[0] == hours[1]:
            raise ValueError("write two hours of the day, such as 20-8, or none")
        return tuple(hours)

    @field_validator("quiet_weekends", mode="before")
    @classmethod
    def _parse_quiet_weekends(cls, value: object) -> object:
        word = str(value).lower()
        if word in _SWITCHES:
            return _SWITCHES[word]
        raise ValueError("write weekly, true or false")

    @field_validator("log_level", mode="before")
    @classmethod
    def _to_upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value
