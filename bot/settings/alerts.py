"""The settings of the ways in for monitoring, and of what its alerts do."""

import re
import string

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

HOOK_SECRETS = ("alertmanager_secret", "grafana_secret", "pagerduty_secret", "jsm_secret")
SLACK_ID_LETTERS = frozenset(string.ascii_uppercase + string.digits)
CONDITION = re.compile(r"\s*[^=;,\s]+\s*=[^=;]*[^=;,\s][^=;]*")


def hard_to_guess(secret: SecretStr) -> SecretStr:
    """The secret of a way in, where nobody could come upon it by trying; raises ValueError else."""
    value = secret.get_secret_value()
    if value and (len(value) < 16 or not value.isascii() or not value.isprintable() or " " in value):
        raise ValueError("it must have 16 characters or more, printable ones without a blank")
    return secret


class AlertSettings(BaseModel):
    """Where alerts go and how their senders prove themselves; a field's description is its line in `.env.example`."""

    alerts_channel: str = Field(
        "none", description="The id of the channel (C…) where alerts of monitoring are suggested as incidents; or none."
    )
    alerts_team: str = Field(
        "own", description="The id of the workspace (T…) that alerts belong to; own where there is only one."
    )
    alerts_open: str = Field(
        "none",
        description="The labels of an alert that opens an incident by itself, as in severity=critical; or none.",
    )
    alertmanager_secret: SecretStr = Field(
        SecretStr(""),
        description="The bearer token that Alertmanager sends to /hooks/alertmanager. Empty: no such way in.",
    )
    grafana_secret: SecretStr = Field(
        SecretStr(""),
        description="What Grafana signs with (HMAC) that sends to /hooks/alertmanager. Empty: none signs.",
    )
    pagerduty_secret: SecretStr = Field(
        SecretStr(""),
        description="The secret that PagerDuty gave for its webhook to /hooks/pagerduty. Empty: no such way in.",
    )
    jsm_secret: SecretStr = Field(
        SecretStr(""),
        description="The bearer token that JSM Operations or Opsgenie sends to /hooks/jsm. Empty: no such way in.",
    )

    @property
    def has_hooks(self) -> bool:
        """Whether there is any way in for monitoring."""
        secrets = (self.alertmanager_secret, self.grafana_secret, self.pagerduty_secret, self.jsm_secret)
        return any(secret.get_secret_value() for secret in secrets)

    @field_validator("alertmanager_secret", "grafana_secret", "pagerduty_secret", "jsm_secret")
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr) -> SecretStr:
        return hard_to_guess(secret)

    @field_validator("alerts_channel", "alerts_team")
    @classmethod
    def _slack_id(cls, given: str, info: ValidationInfo) -> str:
        name, letters = ("none", "CG") if info.field_name == "alerts_channel" else ("own", "TE")
        if given.lower() == name:
            return name
        if given[:1] not in letters or len(given) < 2 or not set(given) <= SLACK_ID_LETTERS:
            raise ValueError(f"write {name}, or Slack's own id, which begins with {letters[0]}: no name and no address")
        return given

    @field_validator("alerts_open")
    @classmethod
    def _conditions(cls, given: str) -> str:
        if given.lower() != "none" and not all(CONDITION.fullmatch(part) for part in given.split(";")):
            raise ValueError("write label=value,value between semicolons, such as severity=critical,page; env=prod")
        return given
