"""Incidents to fill a library with: the published ones, and as many made up ones as a test asks for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.facets import Facet, FacetKind
from bot.domain.records import Incident, Milestone, Person, Place, PostmortemStatus, Status
from storage import actions as actions_store
from storage import channels as channels_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.postmortem import sections as sections_store
from storage.timeline import NewEntry
from tests.support.published_timelines import INCIDENTS, moment_of

FILES = sorted(INCIDENTS.glob("*.json"))
OWNERS = (("U0SHELF1", "Ana Demo"), ("U0SHELF2", "Bo Demo"), ("U0SHELF3", "Chandra Demo"))


def public_channel(tx: Transaction, team: str, channel: str, now: datetime) -> Place:
    """A channel that is known to be public."""
    channels_store.save_privacy(tx, team, {channel: False}, now)
    return Place(team, channel)


def write_many(tx: Transaction, team: str, count: int, now: datetime, *, actions: int = 0) -> list[Incident]:
    """As many incidents, a day apart and the last one yesterday, all over and published, in one public channel."""
    place = public_channel(tx, team, "C0MANY", now)
    for user, name in OWNERS:
        people_store.save(tx, Person(team, user, name, "Europe/Berlin"))
    return [_write_one(tx, place, index, now - timedelta(days=count - index), actions) for index in range(count)]


def _write_one(tx: Transaction, place: Place, index: int, at: datetime, actions: int) -> Incident:
    owner, ended = OWNERS[index % 3][0], at + timedelta(hours=1)
    incident = incidents_store.open_new(tx, place, f"The pool of shard {index} ran out", owner, at)
    timeline_store.append(
        tx, incident.id, NewEntry(at, "it began", owner, owner, at, milestone=Milestone.IMPACT_STARTED)
    )
    timeline_store.append(
        tx, incident.id, NewEntry(ended, "it ended", owner, owner, ended, milestone=Milestone.RESOLVED)
    )
    sections_store.save(tx, incident.id, "root_cause", f"Cause {index}: the pool was too small", owner, ended)
    for number in range(actions):
        actions_store.add(tx, incident.id, NewAction(f"Action {number}", owner, ended.date(), ended, "", owner, ended))
    done = replace(
        incident,
        severity=index % 4 + 1,
        status=Status.RESOLVED,
        resolved_at=ended,
        postmortem_status=PostmortemStatus.PUBLISHED,
        postmortem_owner=owner,
        published_at=ended + timedelta(days=1),
    )
    incidents_store.save(tx, done)
    return done


def write_published(tx: Transaction, team: str, channels: Sequence[str], now: datetime) -> list[Incident]:
    """Every published incident with its texts, each in one of these public channels; the last two aren't finished."""
    for user, name in OWNERS:
        people_store.save(tx, Person(team, user, name, "Europe/Berlin"))
    found = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    ordered = sorted(found, key=lambda one: min(map(moment_of, one["entries"])))
    return [
        _write_published(
            tx, public_channel(tx, team, channels[index], now), index, one, is_last=index + 2 >= len(ordered)
        )
        for index, one in enumerate(ordered)
    ]


def _write_published(tx: Transaction, place: Place, index: int, one: Mapping[str, Any], *, is_last: bool) -> Incident:
    owner = OWNERS[index % 3][0]
    entries = sorted((moment_of(entry), entry["text"]) for entry in one["entries"])
    began, ended = entries[0][0], entries[-1][0]
    incident = incidents_store.open_new(tx, place, one["title"], owner, began)
    for at, text in entries:
        milestone = Milestone.RESOLVED if (at, text) == entries[-1] else None
        milestone = Milestone.IMPACT_STARTED if (at, text) == entries[0] else milestone
        timeline_store.append(tx, incident.id, NewEntry(at, text, owner, owner, at, milestone=milestone))
    for slug in ("summary", "root_cause", "recovery", "lessons_learned", "recurrence"):
        if text := _text(one.get({"lessons_learned": "what_went_well"}.get(slug, slug))):
            sections_store.save(tx, incident.id, slug, text, owner, ended)
    _write_whys(tx, incident, one.get("five_whys"), owner, ended)
    for action in one.get("action_items") or ():
        due = ended + timedelta(days=14)
        actions_store.add(tx, incident.id, NewAction(_text(action), owner, due.date(), due, "", owner, ended))
    finished = PostmortemStatus.OPEN if is_last else PostmortemStatus.PUBLISHED
    severity = {"major": 1, "minor": 3}.get(str(one.get("severity")).lower(), (index % 4) or None)
    done = replace(
        incident,
        severity=severity,
        status=Status.RESOLVED,
        resolved_at=ended,
        resolved_by=owner,
        postmortem_status=finished,
        postmortem_owner=owner,
        published_at=None if is_last else ended + timedelta(days=2),
        channel_name=f"inc-{index + 1}",
    )
    incidents_store.save(tx, done)
    for kind, name in (
        (FacetKind.SERVICE, one["id"].split("-")[0]),
        (FacetKind.TAG, ("database", "deploy")[index % 2]),
    ):
        facets_store.add(tx, done, Facet(kind, name, owner, ended))
    return done


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("text") or value.get("action") or value.get("title") or next(iter(value.values()), ""))
    if isinstance(value, list):
        return "\n".join(f"- {_text(one)}" for one in value)
    return str(value or "")


def _write_whys(tx: Transaction, incident: Incident, whys: object, owner: str, at: datetime) -> None:
    parent = None
    for one in whys if isinstance(whys, list) else ():
        text = str(one.get("answer") or _text(one)) if isinstance(one, Mapping) else str(one)
        parent = whys_store.add(tx, incident.id, parent, text, owner, at).number
