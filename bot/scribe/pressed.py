"""What an old button meets: the thing that it is about has changed since, and the answer says how it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import Refused
from bot.incident.records import Entry, Incident, PostmortemStatus, Why
from bot.scribe.desk import Asked, Desk
from bot.slack import stale as says
from bot.slack.blocks import Message
from bot.slack.timeline import Clocks
from storage import timeline as kept
from storage import whys
from storage.statements import Transaction


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the message showed that a button hangs on: which version, and whether it was said to be harmless.

    A command shows nothing, so its version is None.
    """

    version: int | None = None
    is_harmless: bool = False


TYPED = Pressed()


def pressed_in(value: Mapping[str, Any]) -> Pressed:
    """What a button's message showed, as the button carries it."""
    version = value.get("version")
    return Pressed(version if isinstance(version, int) else None, bool(value.get("harmless")))


def entry_since(
    tx: Transaction, desk: Desk, asked: Asked, entry: Entry, pressed: Pressed, clocks: Clocks
) -> Message | None:
    """How an entry stands now, where somebody changed it or took it back after the button was shown; else None."""
    if pressed.version in (None, entry.version):
        return None
    return says.entry(entry, clocks, _who_changed(tx, desk, asked, entry))


def changed_since(tx: Transaction, desk: Desk, asked: Asked, entry: Entry, pressed: Pressed) -> str:
    """Who changed an entry after the button was shown; empty where nobody did."""
    return "" if pressed.version in (None, entry.version) else _who_changed(tx, desk, asked, entry)


def require_standing(tx: Transaction, desk: Desk, asked: Asked, entry: Entry) -> None:
    """Raises Refused, with the button that brings it back, for an entry that was taken back."""
    if entry.struck:
        name = _named(desk, asked, _who_changed(tx, desk, asked, entry))
        sentence = f"#{entry.number} was taken back by {name}, and stays so until somebody brings it back."
        raise Refused(sentence, offer=f"restore_entry {says.entry_ref(entry)}")


def _who_changed(tx: Transaction, desk: Desk, asked: Asked, entry: Entry) -> str:
    versions = kept.versions(tx, entry.id)
    who = versions[-1].changed_by if versions else entry.recorder
    return desk.people.name(asked.team, who) or who


def _named(desk: Desk, asked: Asked, name: str) -> str:
    return "you" if name == (desk.people.name(asked.team, asked.user) or asked.user) else name


def why_since(tx: Transaction, desk: Desk, asked: Asked, why: Why, pressed: Pressed) -> Message | None:
    """The same of a why."""
    if pressed.version in (None, why.version):
        return None
    return says.why(why, _who_changed_why(tx, desk, asked, why))


def why_changed_since(tx: Transaction, desk: Desk, asked: Asked, why: Why, pressed: Pressed) -> str:
    """Who changed a why after the button was shown; empty where nobody did."""
    return "" if pressed.version in (None, why.version) else _who_changed_why(tx, desk, asked, why)


def require_why(tx: Transaction, desk: Desk, asked: Asked, why: Why) -> None:
    """Raises Refused, with the button that brings it back, for a why that was taken back."""
    if why.struck:
        name = _named(desk, asked, _who_changed_why(tx, desk, asked, why))
        sentence = f"Why {why.number} was taken back by {name}, and stays so until somebody brings it back."
        raise Refused(sentence, offer=f"restore_why {says.why_ref(why)}")


def _who_changed_why(tx: Transaction, desk: Desk, asked: Asked, why: Why) -> str:
    wordings = whys.versions(tx, why.id)
    who = wordings[-1].changed_by if wordings else why.author
    return desk.people.name(asked.team, who) or who


def require_owed(incident: Incident) -> None:
    """Raises Refused for a reminder's button once nothing is asked of the postmortem any more."""
    key, status = incident.key, incident.postmortem_status
    if status.is_finished:
        word = "published" if status is PostmortemStatus.PUBLISHED else "waived"
        raise Refused(f"The postmortem of {key} is {word} already. `/postmortem reopen {key}` asks for it again.")
    if incident.resolved_at is None:
        raise Refused(f"{key} is open again, so nothing is asked of its postmortem yet.")
