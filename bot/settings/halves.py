"""Systems that the settings connect by half: found before anything is asked over the network."""

from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from bot.settings.alerts import AlertSettings
from bot.settings.outside import OutsideSettings

_NEEDED = (
    ("jira_url", ("jira_project", "jsm_project"), ()),
    ("jira_token", ("jira_project", "jsm_project"), ()),
    ("jira_email", ("jira_project", "jsm_project"), ("data_center",)),
    ("confluence_space", ("confluence_url",), ()),
    ("confluence_token", ("confluence_url",), ()),
    ("confluence_email", ("confluence_url",), ("data_center",)),
    ("statuspage_key", ("statuspage_page",), ()),
)
"""What is needed once one of others is set, but for kinds of token."""
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
        for field, anchors, spared in _NEEDED:
            given = [anchor for anchor in anchors if self._is_given(anchor)]
            if given and not self._is_given(field) and self.jira_kind not in spared:
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
