"""The settings of monitoring and of other systems, all optional, and the check for systems that are half connected."""

import json
import re
import string
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationInfo, field_validator

from bot.settings.core import Token
from bot.settings.library import LIBRARY_FIELDS, LibrarySettings

HOOK_SECRETS = ("alertmanager_secret", "grafana_secret", "pagerduty_secret", "jsm_secret")
SLACK_ID_LETTERS = frozenset(string.ascii_uppercase + string.digits)
CONDITION = re.compile(r"\s*+[^=;,\s]++\s*+=[,\s]*+[^=;,\s][^=;]*+")


def _require_strong(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if value and (len(value) < 16 or not value.isascii() or not value.isprintable() or " " in value):
        raise ValueError("it must have at least 16 printable characters, without a blank")
    return secret


WebhookSecret = Annotated[SecretStr, AfterValidator(_require_strong)]
"""Too long to be found by trying: a webhook's address is open to everyone."""


class AlertSettings(BaseModel):
    """Where alerts go and how their senders prove themselves; a field's description is its line in `.env.example`."""

    alerts_channel: str = Field(
        "none", description="The ID of the channel (C…) where alerts are suggested as incidents; or none."
    )
    alerts_team: str = Field(
        "own", description="The ID of the workspace (T…) that alerts belong to; own if there's only one."
    )
    alerts_open: str = Field(
        "none",
        description="The labels of an alert that opens an incident without a click, as in severity=critical; or none.",
    )
    alertmanager_secret: WebhookSecret = Field(
        SecretStr(""),
        description="The bearer token that Alertmanager sends to /hooks/alertmanager. Empty: off.",
    )
    grafana_secret: WebhookSecret = Field(
        SecretStr(""),
        description="The HMAC secret of the Grafana that sends to /hooks/alertmanager. Empty: off.",
    )
    pagerduty_secret: WebhookSecret = Field(
        SecretStr(""),
        description="The secret that PagerDuty gave for its webhook to /hooks/pagerduty. Empty: off.",
    )
    jsm_secret: WebhookSecret = Field(
        SecretStr(""),
        description="The bearer token that JSM Operations or Opsgenie sends to /hooks/jsm. Empty: off.",
    )

    @property
    def has_hooks(self) -> bool:
        """Whether monitoring may send alerts."""
        return any(getattr(self, secret).get_secret_value() for secret in HOOK_SECRETS)

    @field_validator("alerts_channel", "alerts_team")
    @classmethod
    def _require_slack_id(cls, value: str, info: ValidationInfo) -> str:
        name, letters = ("none", "CG") if info.field_name == "alerts_channel" else ("own", "TE")
        if value.lower() == name:
            return name
        if value[:1] not in letters or len(value) < 2 or not set(value) <= SLACK_ID_LETTERS:
            raise ValueError(
                f"write {name}, or Slack's own id, which begins with {letters[0]}: not a name and not an address"
            )
        return value

    @field_validator("alerts_open")
    @classmethod
    def _require_conditions(cls, value: str) -> str:
        if value.lower() != "none" and not all(CONDITION.fullmatch(part) for part in value.split(";")):
            raise ValueError("write label=value,value between semicolons, such as severity=critical,page; env=prod")
        return value


_NO_ADDRESS = re.compile(r"[\s?#@\\<>\"{}|^`\x00-\x20\x7f]")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not _NO_ADDRESS.search(url)
    except ValueError:  # a port that is none, a bracket that nothing closes
        return False


def _require_address(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("an address begins with https:// or http://")
    if url and not _is_address(url):
        raise ValueError("it must look like https://name.example, without a user name, a blank or a query")
    return url.rstrip("/")


def _require_email(email: str) -> str:
    if email and not re.fullmatch(r"[^\s@]+@[^\s@]+", email):
        raise ValueError("write the email address of the token's owner")
    return email


def _require_key(key: str) -> str:
    if key and not re.fullmatch(r"[A-Za-z0-9_~:.-]+", key):
        raise ValueError("write its key, which has no blanks, as in OPS, and not its name")
    return key


def _require_object(text: str) -> str:
    try:
        found = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError("it must be a JSON object") from error
    if not isinstance(found, dict):
        raise ValueError("it must be a JSON object")  # noqa: TRY004 (pydantic's way)
    return text


def _reject_constant(name: str) -> None:
    # json reads NaN and Infinity, which JSON does not have.
    raise ValueError(f"{name} isn't a JSON number")


Address = Annotated[str, AfterValidator(_require_address)]
Email = Annotated[str, AfterValidator(_require_email)]
Key = Annotated[str, AfterValidator(_require_key)]
JsonObject = Annotated[str, AfterValidator(_require_object)]

_ONLY_CLOUD = "only Jira and Confluence on Atlassian's cloud can be connected, not Data Center"
_CLOUD_HOSTS = (".atlassian.net", ".jira.com", ".atlassian-us-gov-mod.net")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def _is_on_atlassians_cloud(url: str) -> bool:
    """Whether an address of Jira or Confluence is one of Atlassian's own, or a stand-in on this machine.

    A site with a custom domain keeps its first address for API calls (RFC-28 on community.developer.atlassian.com). So
    any other host is a Data Center (docs/decisions/0035-data-center-is-not-supported.md), or answers no calls.
    """
    host = urlsplit(url).hostname or ""
    return host.endswith(_CLOUD_HOSTS) or host in _THIS_MACHINE


OUTSIDE_SECRETS = ("jira_token", "jira_secret", "confluence_token", "jsm_key", "statuspage_key")
"""The fields that are secret."""


class OutsideSettings(BaseModel):
    """What connects Jira, Confluence, Jira Service Management and Statuspage; empty is not connected.

    A field's description is its line in `.env.example`.
    """

    jira_url: Address = Field(
        "", description="Jira: its address, as in https://example.atlassian.net. Empty: not connected."
    )
    jira_email: Email = Field("", description="Jira: the email address of the token's owner.")
    jira_token: Token = Field(SecretStr(""), description="Jira: an API token.")
    jira_kind: Literal["classic", "scoped"] = Field(
        "classic", description="Jira and Confluence: the kind of token: classic or scoped."
    )
    jira_project: Key = Field("", description="Jira: the key of the project that corrective actions go to, as in OPS.")
    jira_type: str = Field("Task", description="Jira: the type of work item that an action becomes.")
    jira_fields: JsonObject = Field(
        "{}", description='Jira: required fields of the project, as JSON: {"customfield_10": {"value": "Ops"}}.'
    )
    jira_secret: WebhookSecret = Field(
        SecretStr(""),
        description="Jira: the secret of its webhook to /hooks/jira. Empty: Jira is polled every two minutes.",
    )
    confluence_url: Address = Field(
        "", description="Confluence: its address, as in https://example.atlassian.net. Empty: not connected."
    )
    confluence_email: Email = Field("", description="Confluence: the email address of the token's owner.")
    confluence_token: Token = Field(SecretStr(""), description="Confluence: an API token.")
    confluence_space: Key = Field("", description="Confluence: the key of the space for postmortems, as in ENG.")
    confluence_parent: str = Field(
        "", description="Confluence: the id of the page to put them under, the number in its address; or none."
    )
    jsm_project: Key = Field(
        "", description="Jira Service Management: the key of the service project. Jira's address and token are used."
    )
    jsm_type: str = Field("[System] Incident", description="Jira Service Management: the issue type of an incident.")
    jsm_priorities: JsonObject = Field(
        '{"1": "Highest", "2": "High", "3": "Medium", "4": "Low"}',
        description="Jira Service Management: the priority of each severity, as JSON.",
    )
    jsm_fields: JsonObject = Field(
        "{}", description="Jira Service Management: required fields of the service project, as JSON."
    )
    jsm_responders: str = Field(
        "",
        description="Jira Service Management: the id of the field for responders, as in customfield_10.",
    )
    jsm_key: Token = Field(
        SecretStr(""), description="Paging: the key of an API integration of Jira Service Management or Opsgenie."
    )
    jsm_alerts: Literal["jsm", "opsgenie", "opsgenie_eu"] = Field(
        "jsm", description="Paging: whose key it is: jsm, opsgenie or opsgenie_eu."
    )
    jsm_url: Address = Field("", description="Paging: another address of the alerts API; or none.")
    jsm_team: str = Field("", description="Paging: the ID of the team to page by default.")
    statuspage_page: str = Field("", description="Statuspage: the page's id. Empty: not connected.")
    statuspage_url: Address = Field("", description="Statuspage: another address of its API; or none.")
    statuspage_key: Token = Field(SecretStr(""), description="Statuspage: an API key.")
    statuspage_metadata: Literal["keys", "links", "none"] = Field(
        "keys",
        description="Statuspage: what its metadata (webhooks carry it) has for the way back: keys, links or none.",
    )

    @field_validator("jira_url", "confluence_url")
    @classmethod
    def _require_cloud(cls, url: str) -> str:
        if urlsplit(url).hostname == "api.atlassian.com":
            raise ValueError("write your site's address, as in https://example.atlassian.net: the rest is found there")
        if url and not _is_on_atlassians_cloud(url):
            raise ValueError(f"{_ONLY_CLOUD}; write the address that ends in .atlassian.net")
        return url

    @field_validator("jira_kind", mode="before")
    @classmethod
    def _require_cloud_token(cls, kind: str) -> str:
        if kind == "data_center":
            raise ValueError(f"{_ONLY_CLOUD}; write classic or scoped")
        return kind

    @field_validator("confluence_parent")
    @classmethod
    def _require_page_id(cls, page: str) -> str:
        if page.lower() == "none":
            return ""
        if page and not re.fullmatch("[0-9]{1,20}", page):
            raise ValueError("write the page's id, which is the number in its address, and not its title; or none")
        return page

    @field_validator("jsm_responders")
    @classmethod
    def _require_field_id(cls, field: str) -> str:
        if field and not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", field):
            raise ValueError("write the field's id, as in customfield_10, and not its name")
        return field

    @field_validator("jsm_priorities")
    @classmethod
    def _require_severities(cls, text: str) -> str:
        found = json.loads(text)
        if not set(found) <= set("1234") or not all(isinstance(name, str) and name.strip() for name in found.values()):
            raise ValueError('name the priority of each severity, 1 to 4, as in {"1": "Highest", "2": "High"}')
        return text

    @property
    def jira_site(self) -> str:
        """Jira's address without a path: people often copy that of a page."""
        return self._site_of(self.jira_url)

    @property
    def confluence_site(self) -> str:
        """Confluence's address without a path: people often give `/wiki` with it."""
        return self._site_of(self.confluence_url)

    def _site_of(self, url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" if url else ""

    def object_of(self, name: str) -> dict[str, Any]:
        """The value of a setting that is a JSON object."""
        found: dict[str, Any] = json.loads(getattr(self, name))
        return found


_NEEDED = (
    ("jira_url", ("jira_project", "jsm_project")),
    ("jira_token", ("jira_project", "jsm_project")),
    ("jira_email", ("jira_project", "jsm_project")),
    ("confluence_space", ("confluence_url",)),
    ("confluence_token", ("confluence_url",)),
    ("confluence_email", ("confluence_url",)),
    ("statuspage_key", ("statuspage_page",)),
    *((field, tuple(other for other in LIBRARY_FIELDS if other != field)) for field in LIBRARY_FIELDS),
)
"""A field, and the fields that need it."""
_IDLE = (
    (("jira_project", "jsm_project"), ("jira_url", "jira_email", "jira_token", "jira_secret")),
    (("jira_project",), ("jira_type", "jira_fields")),
    (("confluence_url",), ("confluence_email", "confluence_token", "confluence_space", "confluence_parent")),
    (("jsm_project",), ("jsm_type", "jsm_priorities", "jsm_fields", "jsm_responders")),
    (("jsm_key",), ("jsm_alerts", "jsm_url", "jsm_team")),
    (("statuspage_page",), ("statuspage_key", "statuspage_url", "statuspage_metadata")),
    (("alertmanager_secret", "grafana_secret", "pagerduty_secret", "jsm_secret"), ("alerts_team", "alerts_open")),
)
"""Fields, and those that have no effect until one of these is set."""


class Halves(LibrarySettings, OutsideSettings, AlertSettings):
    """Finds systems that are half connected, before anything is sent over the network. Fields are named."""

    def missing(self) -> Iterator[tuple[str, str]]:
        """Each field that is set, with one that it needs and that is not set."""
        for field, anchors in _NEEDED:
            present = [anchor for anchor in anchors if self.is_given(anchor)]
            if present and not self.is_given(field):
                yield present[0], field

    def idle(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Fields that are set without effect, with those of which one would have to be set."""
        for anchors, fields in _IDLE:
            idle = tuple(field for field in fields if self.is_given(field))
            if idle and not any(map(self.is_given, anchors)):
                yield idle, anchors

    def is_given(self, field: str) -> bool:
        """Whether a field is set to something else than its default."""
        # A default counts as not set: it may come from a copy of the whole `.env.example`.
        return bool(_plain(getattr(self, field)) != _plain(type(self).model_fields[field].default))


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
