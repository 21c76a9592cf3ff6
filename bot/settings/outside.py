"""The settings of the other systems: each is connected by its own few, and none is needed."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from bot.settings.alerts import hard_to_guess

OUTSIDE_SECRETS = ("jira_token", "jira_secret", "confluence_token", "jsm_key", "statuspage_key")
"""The fields that are secret."""


class OutsideSettings(BaseModel):
    """What connects Jira, Confluence, Jira Service Management and Statuspage; empty is not connected.

    A field's description is its line in `.env.example`.
    """

    jira_url: str = Field(
        "", description="Jira: where people open it, as in https://example.atlassian.net. Empty: not connected."
    )
    jira_email: str = Field("", description="Jira: whose token it is, by e-mail address. Not for Data Center.")
    jira_token: SecretStr = Field(SecretStr(""), description="Jira: an API token, or Data Center's personal one.")
    jira_kind: Literal["classic", "scoped", "data_center"] = Field(
        "classic", description="Jira and Confluence: the kind of token: classic, scoped or data_center."
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
    confluence_email: str = Field("", description="Confluence: whose token it is. Not for Data Center.")
    confluence_token: SecretStr = Field(SecretStr(""), description="Confluence: an API token.")
    confluence_space: str = Field("", description="Confluence: the key of the space for postmortems, as in ENG.")
    confluence_parent: str = Field("", description="Confluence: the id of the page that they go below; or none.")
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

    @field_validator("jira_url", "confluence_url", "jsm_url", "statuspage_url")
    @classmethod
    def _site(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("an address begins with https:// or http://")
        return url.rstrip("/")

    @field_validator("jira_secret")
    @classmethod
    def _of_a_way_in(cls, secret: SecretStr) -> SecretStr:
        return hard_to_guess(secret)

    @field_validator("jira_fields", "jsm_fields", "jsm_priorities")
    @classmethod
    def _object(cls, text: str) -> str:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ValueError("it must be a JSON object") from error
        if not isinstance(found, dict):
            raise ValueError("it must be a JSON object")  # noqa: TRY004 (pydantic's way)
        return text

    def object_of(self, name: str) -> dict[str, Any]:
        """A setting that is a JSON object, read."""
        found: dict[str, Any] = json.loads(getattr(self, name))
        return found
