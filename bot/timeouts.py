"""How long the bot waits for others, in seconds: one value, made at the top and handed to all who wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The limits as shipped. A person who types must be answered within Slack's three seconds.

    The store holds the value (`Store.timeouts`), and the app hands it on from there, so that no process has two.
    """

    database_lock: float = 0.4
    """One attempt at a lock: short, so that several fit into `database_wait`."""
    database_wait: float = 1.5
    """What cannot be written in this time is reported as not recorded. Together with one more attempt at a lock it
    ends before `database_answer`."""
    database_answer: float = 2.5
    """Even while the disk is stuck there is an answer after this time: Slack shows its own error after 3 s."""

    slack_call: float = 10.0
    """For any call of Slack's Web API."""
    slack_message: float = 1.0
    """For reading or marking one message: an event must be acknowledged within three seconds, or it comes again."""
    slack_names: float = 1.0
    """How long an entry may wait for names; after that the ids stay in its text."""
    slack_person: float = 1.0
    """How long an answer may wait for a person seen for the first time; after that their times are read as UTC."""
    slack_person_again: float = 30.0
    """Before Slack is asked again about a person whom it did not tell of."""
    slack_channel: float = 1.5
    """For asking who may look into a channel."""
    form: float = 2.5
    """A form must be opened within the three seconds that its trigger lives."""

    outbox_round: float = 10.0
    """A round of attempts begins within this time of its claims' `now`, so that every attempt ends within its lease."""
    queue_idle: float = 5.0
    """Between two looks at a queue while nothing wakes its worker. What another process enqueued wakes no one here, nor
    does a lease that ran out."""

    request_body: float = 3.0
    """For a request's body to arrive: Slack itself gives up after three seconds; a slower sender is not Slack."""
    webhook_body: float = 5.0
    """For a webhook's body to arrive."""
    webhook_turn: float = 3.0
    """How long a webhook waits for its turn to write; then its sender is asked to come again."""
    socket_ping: float = 5.0
    """Between two looks of Slack's own socket client at its connection."""

    pdf: float = 60.0
    """For laying out a PDF, with a little more for each entry."""
