"""Which messages of a channel's history may belong into its timeline, and why."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.incident import secrets

MOST_SEEN = 5_000
"""Messages after which a walk stops and says so."""

MOST_PROPOSED = 360

_ADDRESS = re.compile(r"https?://([^\s/<>|?#]+)([^\s<>|?#]*)", re.IGNORECASE)
_GRAPHS = re.compile(
    r"grafana|datadog|kibana|cloudwatch|newrelic|new-relic|splunk|honeycomb|prometheus|dynatrace|lightstep|signalfx"
    r"|chronosphere|wavefront|graphite|zabbix|elastic|nagios|/d-solo/|/dashboards?/",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg)$", re.IGNORECASE)


class Reason(StrEnum):
    """Why a message is proposed; of several the first in this order."""

    MARKED = "marked"
    TIME = "time"
    GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A message that may belong into the timeline, as it would be recorded. `ts` is Slack's time stamp of it.

    `thread` is that of its thread or empty, `files` what hangs on it: (name, media type, size, address), `named` the
    times that its words name where it would stand at the one at which it was said.
    """

    ts: str
    thread: str
    author: str
    text: str
    at: datetime
    end: datetime | None
    approximate: bool
    reason: Reason
    files: tuple[tuple[str, str, int, str], ...] = ()
    named: tuple[datetime, ...] = ()

    @property
    def is_ticked(self) -> bool:
        """Whether somebody meant it for the timeline: a link to a graph may be anything, and a credential is a slip."""
        return self.reason is not Reason.GRAPH and not self.is_risky

    @property
    def is_risky(self) -> bool:
        """Whether it seems to hold a credential."""
        return bool(secrets.found(self.text))


def links_to_a_graph(text: str) -> bool:
    """Whether a text holds the address of a dashboard or of a picture."""
    return any(_GRAPHS.search(host + path) or _IMAGE.search(path) for host, path in _ADDRESS.findall(text))


def reason(text: str, *, is_marked: bool, has_time: bool, has_image: bool) -> Reason | None:
    """Why a message is proposed, or None where nothing speaks for it."""
    if is_marked:
        return Reason.MARKED
    if has_time:
        return Reason.TIME
    return Reason.GRAPH if has_image or links_to_a_graph(text) else None


SPANS = {2: timedelta(hours=2), 24: timedelta(hours=24)}
"""How far back one may ask to look, by the hours."""
