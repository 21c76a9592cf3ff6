"""An incident that was exported elsewhere, taken in whole: once, silently, and never over another one."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import Refused
from bot.export.json_record import Told
from bot.incident import postmortem
from bot.incident.records import AuditLine, Incident, Milestone, Place, Status
from bot.incident.reminders import ReminderRules
from bot.scribe import chasing, resolution
from storage import audit, cases, histories, incidents, restore
from storage.statements import Transaction
from storage.store import Store

BY = "afterword import"
"""Who stands in the audit for it: nobody in Slack."""

_ID = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Wish:
    """Where it is to go: another workspace or channel than the file's where named, under the next key if `is_new`."""

    team: str = ""
    channel: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of it.

    `is_here` where the same was here before. What was said of past incidents is kept of those that are here: `left_out`
    are the keys of the others, `added` of those that came since the same was imported before.
    """

    incident: Incident
    told: Told
    is_here: bool
    left_out: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def take_in(store: Store, told: Told, wish: Wish, rules: ReminderRules, now: datetime) -> Imported:
    """Write the record of a file in one transaction; nothing is posted, and nothing said that was due before `now`.

    Raises Refused where another incident has its key, where its channel has an open one, or where nothing names its
    workspace.
    """
    result: Imported = store.write_now(lambda tx: _take_in(tx, _placed(tx, told, wish), wish, rules, now))
    return result


def _placed(tx: Transaction, told: Told, wish: Wish) -> Told:
    """The record as it is to stand here: in which workspace and channel."""
    for word in (wish.team, wish.channel):
        if word and not _ID.fullmatch(word):
            raise Refused(f"{word!r} is no id. A workspace's begins with T, a channel's with C or G.")
    incident = told.case.incident
    team = wish.team or incident.team or _only_team(tx)
    if wish.channel not in ("", incident.channel):
        incident = replace(incident, channel=wish.channel, channel_name="")
    is_elsewhere = bool(told.case.incident.team) and team != told.case.incident.team
    history = replace(told.history, verdicts=()) if is_elsewhere else told.history
    return replace(told, case=replace(told.case, incident=replace(incident, team=team)), history=history)


def _only_team(tx: Transaction) -> str:
    teams = incidents.teams(tx)
    if len(teams) != 1:
        raise Refused("The file names no workspace: give it with --team.")
    return teams[0]


def _take_in(tx: Transaction, told: Told, wish: Wish, rules: ReminderRules, now: datetime) -> Imported:
    told, left_out = _with_known_likenesses(tx, told)
    about = told.case.incident
    here = incidents.by_number(tx, about.team, about.number)
    if here is not None and not wish.is_new:
        if not _is_same(tx, here, told):
            raise Refused(
                f"{about.key} is here already, with other content, and was left as it is. "
                "To import this one beside it under the next free key, give --as-new."
            )
        return Imported(here, told, is_here=True, left_out=left_out, added=_add_likenesses(tx, here, told))
    _require_free(tx, about)
    if wish.is_new:
        about = replace(about, number=incidents.next_number(tx, about.team))
    incident = restore.restore(tx, replace(told.case, incident=about), told.history)
    _take_over(tx, told, incident, rules, now)
    what = f"{told.case.incident.key}, exported {told.generated_at:%Y-%m-%d %H:%M} UTC"
    audit.restore(tx, incident.id, AuditLine(now, BY, audit.IMPORTED, what, ""))
    return Imported(incident, told, is_here=False, left_out=left_out)


def _with_known_likenesses(tx: Transaction, told: Told) -> tuple[Told, tuple[str, ...]]:
    """The record with what was said of incidents that are here, and the keys of those that are not."""
    team, verdicts = told.case.incident.team, told.history.verdicts
    known = tuple(said for said in verdicts if incidents.by_number(tx, team, said.number) is not None)
    left_out = tuple(f"INC-{said.number}" for said in verdicts if said not in known)
    return replace(told, history=replace(told.history, verdicts=known)), left_out


def _is_same(tx: Transaction, here: Incident, told: Told) -> bool:
    """Whether both records give the same document, whatever people are called by now.

    What was said of past incidents may be missing here, for they may have been; it must not be something else.
    """
    case, history = cases.load(tx, here, with_files=True, with_audit=True), histories.load(tx, here)
    said = {verdict.number: verdict for verdict in history.verdicts}
    if any(said.get(verdict.number, verdict) != verdict for verdict in told.history.verdicts):
        return False
    ours = postmortem.compile(replace(case, people={}), told.generated_at, replace(history, people={}, verdicts=()))
    theirs = replace(told.case, people={}), told.generated_at, replace(told.history, verdicts=())
    return ours == postmortem.compile(*theirs)


def _add_likenesses(tx: Transaction, here: Incident, told: Told) -> tuple[str, ...]:
    said = {verdict.number for verdict in histories.load(tx, here).verdicts}
    missing = [verdict for verdict in told.history.verdicts if verdict.number not in said]
    for verdict in missing:
        restore.likeness(tx, here, verdict)
    return tuple(f"INC-{verdict.number}" for verdict in missing)


def _require_free(tx: Transaction, about: Incident) -> None:
    if about.status is Status.RESOLVED:
        return
    current = incidents.current(tx, Place(about.team, about.channel))
    if current is not None and current.status is not Status.RESOLVED:
        raise Refused(
            f"{about.key} is not resolved, and {current.key} is open in its channel {about.channel}, which can have "
            "one open incident. Resolve that one first, or give another channel with --channel."
        )


def _take_over(tx: Transaction, told: Told, incident: Incident, rules: ReminderRules, now: datetime) -> None:
    """What is still to be said of it is said here; what was due before is not."""
    resolving = [entry for entry in told.case.entries if entry.milestone is Milestone.RESOLVED]
    is_owed = incident.status is Status.RESOLVED and not incident.postmortem_status.is_finished
    if is_owed and resolving:
        resolution.remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number), after=now)
    chasing.take_over(tx, rules, incident, now)
