"""The settings of the other systems: each is connected by its own few, and none is needed.

Systems that the settings connect by half: found before anything is asked over the network.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from bot.settings.alerts import AlertSettings, hard_to_guess
from bot.settings.core import one_word

_NO_ADDRESS = re.compile(r"[\s?#@\\<>\"{}|^`\x00-\x20\x7f]")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not _NO_ADDRESS.search(url)
    except ValueError:  # a port that is none, a bracket that nothing closes
        return False


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")


_ONLY_CLOUD = "only Jira and Confluence on Atlassian's cloud can be connected, and Data Center cannot"
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

    jira_url: str = Field(
        "", description="Jira: where people open it, as in https://example.atlassian.net. Empty: not connected."
    )
    jira_email: str = Field("", description="Jira: the e-mail address of the token's owner.")
    jira_token: SecretStr = Field(SecretStr(""), description="Jira: an API token.")
    jira_kind: Literal["classic", "scoped"] = Field(
        "classic", description="Jira and Confluence: the kind of token: classic or scoped."
    )
    jira_project: str = Field("", description="Jira: the key of the project that corrective actions go to, as in OPS.")
    jira_type: str = Field("Task", description="Jira: the type of work item that an action becomes.")
    jira_fields: str = Field(
        "{}", description='Jira: fields that the project demands, as JSON: {"customfield_10": {"value": "Ops"}}.'
    )
    jira_secret: SecretStr = Field(
        SecretStr(""),
        description="Jira: the secret of its webhook to /hooks/jira. Empty: Jira is asked every two minutes instead.",
    )
    confluence_url: str = Field(
        "", description="Confluence: where people open it, as in https://example.atlassian.net. Empty: not connected."
    )
    confluence_email: str = Field("", description="Confluence: the e-mail address of the token's owner.")
    confluence_token: SecretStr = Field(SecretStr(""), description="Confluence: an API token.")
    confluence_space: str = Field("", description="Confluence: the key of the space for postmortems, as in ENG.")
    confluence_parent: str = Field(
        "", description="Confluence: the id of the page that they go below, the number in its address; or none."
    )
    jsm_project: str = Field(
        "", description="Jira Service Management: the key of the service project; it takes Jira's address and token."
    )
    jsm_type: str = Field("[System] Incident", description="Jira Service Management: the type that an incident is.")
    jsm_priorities: str = Field(
        '{"1": "Highest", "2": "High", "3": "Medium", "4": "Low"}',
        description="Jira Service Management: the priority of each severity, as JSON.",
    )
    jsm_fields: str = Field(
        "{}", description="Jira Service Management: fields that the service project demands, as JSON."
    )
    jsm_responders: str = Field(
        "",
        description="Jira Service Management: the id of the field for responders, as in customfield_10.",
    )
    jsm_key: SecretStr = Field(
        SecretStr(""), description="Paging: the key of an API integration of Jira Service Management or Opsgenie."
    )
    jsm_alerts: Literal["jsm", "opsgenie", "opsgenie_eu"] = Field(
        "jsm", description="Paging: whose key it is: jsm, opsgenie or opsgenie_eu."
    )
    jsm_url: str = Field("", description="Paging: another address of the alerts interface; or none.")
    jsm_team: str = Field("", description="Paging: the id of the team that is paged where nobody names one.")
    statuspage_page: str = Field("", description="Statuspage: the page's id. Empty: not connected.")
    statuspage_url: str = Field("", description="Statuspage: another address of its interface; or none.")
    statuspage_key: SecretStr = Field(SecretStr(""), description="Statuspage: an API key.")
    statuspage_metadata: Literal["keys", "links", "none"] = Field(
        "keys",
        description="Statuspage: how its metadata, which webhooks carry, names what leads back: keys, links or none.",
    )

    @field_validator("jira_url", "confluence_url", "jsm_url", "statuspage_url")
    @classmethod
    def _site(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("an address begins with https:// or http://")
        if url and not _is_address(url):
            raise ValueError("it must look like https://name.example, with no sign-in, no blank and no question in it")
        return url.rstrip("/")

    @field_validator("jira_url", "confluence_url")
    @classmethod
    def _where_people_open_it(cls, url: str) -> str:
        if urlsplit(url).hostname == "api.atlassian.com":
            raise ValueError("write where people open it, as in https://example.atlassian.net: the rest is found there")
        if url and not _is_on_atlassians_cloud(url):
            raise ValueError(f"{_ONLY_CLOUD}; write the address that ends in .atlassian.net")
        return url

    @field_validator("jira_kind", mode="before")
    @classmethod
    def _kind_of_token(cls, kind: str) -> str:
        if kind == "data_center":
            raise ValueError(f"{_ONLY_CLOUD}; write classic or scoped")
        return kind

    @field_validator("jira_token", "confluence_token", "jsm_key", "statuspage_key")
    @classmethod
    def _token(cls, secret: SecretStr) -> SecretStr:
        return one_word(secret)

    @field_validator("jira_email", "confluence_email")
    @classmethod
    def _address(cls, email: str) -> str:
        if email and not re.fullmatch(r"[^\s@]+@[^\s@]+", email):
            raise ValueError("write the e-mail address that the token's owner signs in with")
        return email

    @field_validator("jira_project", "jsm_project", "confluence_space")
    @classmethod
    def _key(cls, key: str) -> str:
        if key and not re.fullmatch(r"[A-Za-z0-9_~:.-]+", key):
            raise ValueError("write its key, which has no blanks, as in OPS, and not its name")
        return key

    @field_validator("confluence_parent")
    @classmethod
    def _page_id(cls, page: str) -> str:
        if page.lower() == "none":
            return ""
        if page and not re.fullmatch("[0-9]{1,20}", page):
            raise ValueError("write the page's id, which is the number in its address, and not its title; or none")
        return page

    @field_validator("jsm_responders")
    @classmethod
    def _field_id(cls, field: str) -> str:
        if field and not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", field):
            raise ValueError("write the field's id, as in customfield_10, and not its name")
        return field

    @field_validator("jira_secret")
    @classmethod
    def _of_a_way_in(cls, secret: SecretStr) -> SecretStr:
        return hard_to_guess(secret)

    @field_validator("jira_fields", "jsm_fields", "jsm_priorities")
    @classmethod
    def _object(cls, text: str) -> str:
        try:
            found = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ValueError("it must be a JSON object") from error
        if not isinstance(found, dict):
            raise ValueError("it must be a JSON object")  # noqa: TRY004 (pydantic's way)
        return text

    @field_validator("jsm_priorities")
    @classmethod
    def _by_severity(cls, text: str) -> str:
        found = json.loads(text)
        if not set(found) <= set("1234") or not all(isinstance(name, str) and name.strip() for name in found.values()):
            raise ValueError('name the priority of each severity, 1 to 4, as in {"1": "Highest", "2": "High"}')
        return text

    @property
    def jira_site(self) -> str:
        """Where people open Jira, without the path of the page that people often copy with it."""
        return self._site_of(self.jira_url)

    @property
    def confluence_site(self) -> str:
        """The same of Confluence, which people often give with the `/wiki` that all its addresses begin with."""
        return self._site_of(self.confluence_url)

    def _site_of(self, url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" if url else ""

    def object_of(self, name: str) -> dict[str, Any]:
        """A setting that is a JSON object, read."""
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
)
"""A field, and those of which any one needs it."""
_IDLE = (
    (("jira_project", "jsm_project"), ("jira_url", "jira_email", "jira_token", "jira_secret")),
    (("jira_project",), ("jira_type", "jira_fields")),
    (("confluence_url",), ("confluence_email", "confluence_token", "confluence_space", "confluence_parent")),
    (("jsm_project",), ("jsm_type", "jsm_priorities", "jsm_fields", "jsm_responders")),
    (("jsm_key",), ("jsm_alerts", "jsm_url", "jsm_team")),
    (("statuspage_page",), ("statuspage_key", "statuspage_url", "statuspage_metadata")),
    (("alertmanager_secret", "grafana_secret", "pagerduty_secret", "jsm_secret"), ("alerts_team", "alerts_open")),
)
"""What does nothing until one of others is set."""


class Halves(OutsideSettings, AlertSettings):
    """The settings of other systems, and what of them is there by half, by the names of fields."""

    def missing(self) -> Iterator[tuple[str, str]]:
        """What is set, and what it cannot do without."""
        for field, anchors in _NEEDED:
            given = [anchor for anchor in anchors if self._is_given(anchor)]
            if given and not self._is_given(field):
                yield given[0], field

    def idle(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """What is set and does nothing, and what of which one would have to be set for that."""
        for anchors, fields in _IDLE:
            given = tuple(field for field in fields if self._is_given(field))
            if given and not any(map(self._is_given, anchors)):
                yield given, anchors

    def _is_given(self, field: str) -> bool:
        """Whether it says something else than by default, as who copies the whole of `.env.example` leaves it."""
        return bool(_plain(getattr(self, field)) != _plain(type(self).model_fields[field].default))


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
