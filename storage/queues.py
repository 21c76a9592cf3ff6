"""The words of the queues: what a row asks for, and where it stands.

The values are what the database holds, so they never change; the names are what the code calls them.
"""

from enum import StrEnum


class DeliveryKind(StrEnum):
    """What a delivery to Slack carries."""

    MESSAGE = "message"
    """`body` is the message, as JSON."""
    LIVE_MESSAGE = "card"
    """The incident's live message, posted once."""
    WHYS_THREAD = "whys"
    """The message in whose thread the whys are asked."""
    EXPORT = "file"
    """`body` is the order of the export, as JSON."""
    REMINDER = "reminder"
    """`body` names, as JSON, the person whose place the channel takes because they cannot see it; mostly empty."""
    HANDOVER = "handed"
    """To the new owner of a postmortem; `body` is the user who handed it over."""
    REPLACED_REMINDER = "retired"
    """A reminder that was sent shrinks to one line; `body` says which and to what, as JSON."""
    ALERT = "alert"
    """To the channel of alerts; `body` names the group or the storm, as JSON."""


class DeliveryState(StrEnum):
    """Where a delivery stands. The first three are still to be done."""

    PENDING = "pending"
    SENDING = "sending"
    """Leased until `due_at`."""
    UNSURE = "unsure"
    """Slack may have taken it: it is looked up before it is sent again."""
    SENT = "sent"
    DEAD = "dead"
    """Given up."""
    CANCELLED = "cancelled"
    """No longer wanted when its turn came."""


class SyncState(StrEnum):
    """Where a thing of ours stands in another system. The first two are still to be done."""

    PENDING = "owed"
    """The other system is behind; a call is due at `due_at`."""
    CALLING = "calling"
    """Leased until `due_at`."""
    IN_SYNC = "kept"
    REJECTED = "refused"
    """Refused for the reason in `error`, until the thing changes or a person tries again."""
    ABANDONED = "let go"
    """Nothing is wanted there any more."""


class ScanState(StrEnum):
    """Where a scan of a channel's history stands."""

    RUNNING = "going"
    DONE = "done"
    FAILED = "failed"
