"""How long the bot waits for others, in seconds: one value, made at the top and passed to everything that waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The limits as shipped. A person who types must have an answer within Slack's three seconds.

    The store has the value (`Store.timeouts`), and the app takes it from there, so that no process has two.
    """

    database_lock: float = 0.4
    """For one attempt at a lock: short, so that several fit into `database_wait`."""
    database_wait: float = 1.5
    """For a write, which is then reported as not recorded. With one more attempt at a lock it still ends before
    `database_answer`."""
    database_answer: float = 2.5
    """For an answer even while the disk hangs: Slack shows its own error after 3 s."""

    slack_call: float = 10.0
    """For any call of Slack's Web API."""
    slack_message: float = 1.0
    """For reading or marking one message: an event must be acknowledged within three seconds, or it comes again."""
    slack_names: float = 1.0
    """For the names in an entry; after that the ids stay in its text."""
    slack_person: float = 1.0
    """For a person seen for the first time; after that their times are read as UTC."""
    slack_person_again: float = 30.0
    """Before another request for a person whom Slack did not return."""
    slack_channel: float = 1.5
    """For the members of a channel."""
    slack_clock: float = 2.0
    """For what time it is. A later answer says too little about now."""
    form: float = 2.5
    """For opening a form: its trigger expires after three seconds."""

    outbox_round: float = 10.0
    """Between the claim of messages and the last attempt at one, so that every attempt ends within its lease."""
    queue_idle: float = 5.0
    """Between two looks at a queue while nothing wakes its worker: neither a row that another process enqueued nor a
    lease that ran out does."""

    request_body: float = 3.0
    """For a request's body to arrive: Slack gives up after three seconds, so a slower sender is not Slack."""
    webhook_body: float = 5.0
    """For a webhook's body to arrive."""
    webhook_turn: float = 3.0
    """For a webhook's turn to write; after that it gets a 503, and its sender tries again."""
    socket_ping: float = 5.0
    """Between two looks of Slack's own socket client at its connection."""

    pdf: float = 60.0
    """For a PDF's layout, with a little more for each entry."""
