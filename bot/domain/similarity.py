"""Which past incidents are similar, by common words, and what is written about one; and which messages to propose.

The second part chooses messages of a channel's history that may belong into its timeline, and says why.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain import secrets as secrets_rules
from bot.domain.facets import fold
from bot.domain.records import Action, ActionStatus, Case
from bot.domain.whys import quote_answer

MOST_WORDS = 40
"""Words of an incident that are looked for in others."""

FEWEST_SHARED = 2
"""Incidents that share only one word are not similar, unless they have only one to share."""

SECTIONS = ("recurrence", "backlog_check")
"""The sections that our own history answers."""

_WORD = re.compile(r"[^\W_]+")
# Words that every text has. The index would find everything by them.
_STOP = frozenset(
    "a about after again all also an and any are as at be because been before being but by can cannot could did do does"
    " done down during each for from further had has have having he her here him his how i if in into is it its just"
    " me more most my no nor not now of off on once only or other our out over own same she should so some such than"
    " that the their them then there these they this those through to too under until up very was we were what when"
    " where which while who whom why will with would you your".split()
)
_ENDINGS = ("ings", "ing", "ies", "es", "ed", "s", "e", "y")


def extract_words(*texts: str) -> tuple[str, ...]:
    """The words that distinguish texts, in lower case, each once, in their order: letters and digits only."""
    found = (word for text in texts for word in _WORD.findall(text.lower()))
    return tuple(dict.fromkeys(word for word in found if word not in _STOP and (len(word) > 1 or word.isdigit())))


def _stem(word: str) -> str:
    """The word without grammatical endings, so that `pools` and `pool` are one word."""
    for ending in _ENDINGS:
        # Three letters must stay, or `bus` and `being` would become stems that many words share.
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


@dataclass(frozen=True, slots=True)
class Match:
    """A text that is like the one given: its index, and the words that they share, the rarest first."""

    index: int
    shared: tuple[str, ...]


_SERVICE = "service "
"""Begins the stem of a service: a word has no blank."""


def rank(
    words: Sequence[str], texts: Sequence[str], own: Sequence[str] = (), services: Sequence[Sequence[str]] = ()
) -> tuple[Match, ...]:
    """Those of the texts that share enough of the words, the most alike first; a word counts more the rarer it is.

    A service that an incident has in common with `own` counts as a word. `services` are those of each text.
    """
    # Reversed, so that of several words with one stem the first stands for it.
    by_stem = {_stem(word): word for word in reversed(words)}
    by_stem |= {_SERVICE + fold(name): name for name in own}
    named = ({_SERVICE + fold(name) for name in names} for names in services or [()] * len(texts))
    stems = [
        ({_stem(word) for word in extract_words(text)} | names) & by_stem.keys()
        for text, names in zip(texts, named, strict=True)
    ]
    spread = {stem: sum(stem in common for common in stems) for stem in by_stem}
    # As in a search engine: a word that every candidate has says nothing, a rare one much.
    weight = {stem: math.log((len(texts) + 1) / count) for stem, count in spread.items() if count}
    fewest = min(FEWEST_SHARED, len(by_stem))
    enough = [index for index, common in enumerate(stems) if len(common) >= fewest > 0]
    enough.sort(key=lambda index: -sum(weight[stem] for stem in stems[index]))
    order = list(by_stem)[::-1]
    return tuple(
        Match(
            index,
            tuple(by_stem[stem] for stem in sorted(stems[index], key=lambda stem: (-weight[stem], order.index(stem)))),
        )
        for index in enough
    )


def find_root_cause(case: Case) -> str:
    """The root cause section, else the whys marked as root causes; empty if there are none."""
    written = case.sections.get("root_cause")
    return written.text if written else "; ".join(quote_answer(why.text) for why in case.whys if why.is_root)


def list_unfinished(case: Case) -> tuple[Action, ...]:
    """The actions that were promised and not done: still open, or dropped."""
    return tuple(action for action in case.actions if action.status is not ActionStatus.DONE)


def describe_state(action: Action, case: Case) -> str:
    """What became of an action, as in `still open, due 2026-11-27, Bo Demo`."""
    if action.status is ActionStatus.DONE:
        return f"done {action.closed_at:%Y-%m-%d}" if action.closed_at else "done"
    if action.status is ActionStatus.DROPPED:
        return f"dropped: {action.reason}" if action.reason else "dropped"
    due = f"due {action.due_on.isoformat()}" if action.due_on else ""
    return ", ".join(filter(None, ("still open", due, case.name(action.owner))))


def draft_recurrence(case: Case) -> dict[str, str]:
    """The section texts about a past incident with the same cause, by slug; none if there is nothing to say."""
    incident = case.incident
    heading = f"{incident.key} {incident.title}, {incident.resolved_at or incident.opened_at:%Y-%m-%d}"
    cause = f"Root cause then: {find_root_cause(case) or 'not recorded'}"
    done = _list_actions("Actions then:", case.actions, case) or ["Actions then: none were recorded"]
    texts = {"recurrence": "\n".join([heading, cause, *done])}
    left = _list_actions(f"Promised after {incident.key} and not done:", list_unfinished(case), case)
    return texts | ({"backlog_check": "\n".join(left)} if left else {})


def _list_actions(heading: str, actions: Sequence[Action], case: Case) -> list[str]:
    lines = [f"- {action.text} ({describe_state(action, case)})" for action in actions]
    return [heading, *lines] if lines else []


def append_text(before: str, *added: str) -> str:
    """A section's text with more below it."""
    return "\n\n".join(filter(None, (before.rstrip(), *added)))


MOST_SEEN = 5_000
"""Messages after which a scan stops and says so."""

# Four forms full, each opened by a button of the result: see PAGE in the views.
MOST_PROPOSED = 360

_ADDRESS = re.compile(r"https?://([^\s/<>|?#]+)([^\s<>|?#]*)", re.IGNORECASE)
_GRAPHS = re.compile(
    r"grafana|datadog|kibana|cloudwatch|newrelic|new-relic|splunk|honeycomb|prometheus|dynatrace|lightstep|signalfx"
    r"|chronosphere|wavefront|graphite|zabbix|elastic|nagios|/d-solo/|/dashboards?/",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg)$", re.IGNORECASE)


class ProposalReason(StrEnum):
    """Why a message is proposed; of several the first in this order."""

    MARKED = "marked"
    TIME = "time"
    GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A message that may belong into the timeline, as it would be recorded. `ts` is Slack's time stamp of it.

    `thread` is that of its thread or empty; `files` are (name, media type, size, address); `named` the times that its
    words name, for the offer on its receipt.
    """

    ts: str
    thread: str
    author: str
    text: str
    at: datetime
    end: datetime | None
    approximate: bool
    reason: ProposalReason
    files: tuple[tuple[str, str, int, str], ...] = ()
    named: tuple[datetime, ...] = ()

    @property
    def is_ticked(self) -> bool:
        """Whether it is preselected: a link to a graph may be anything, and a credential is a slip."""
        return self.reason is not ProposalReason.GRAPH and not self.is_risky

    @property
    def is_risky(self) -> bool:
        """Whether it seems to hold a credential."""
        return bool(secrets_rules.find_credentials(self.text))


def has_graph_link(text: str) -> bool:
    """Whether a text holds the address of a dashboard or of a picture."""
    return any(_GRAPHS.search(host + path) or _IMAGE.search(path) for host, path in _ADDRESS.findall(text))


def find_reason(text: str, *, is_marked: bool, has_time: bool, has_image: bool) -> ProposalReason | None:
    """Why a message is proposed, or None if there is no reason."""
    if is_marked:
        return ProposalReason.MARKED
    if has_time:
        return ProposalReason.TIME
    return ProposalReason.GRAPH if has_image or has_graph_link(text) else None


SPANS = {2: timedelta(hours=2), 24: timedelta(hours=24)}
"""How far back a scan can look, by hours."""
