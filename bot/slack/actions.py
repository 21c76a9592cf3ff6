"""How corrective actions look in Slack."""

import json
from datetime import date, datetime

from bot.incident import code
from bot.incident.examples import Examples, of_case
from bot.incident.records import Action, ActionKind, ActionStatus, Case, Incident, Why
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks, fields, owners
from bot.slack.blocks import Block, Message
from bot.slack.text import mrkdwn
from bot.slack.words import words

QUOTED = 1_000
LINK_LIKE = "https://tracker.example.com/OPS-12"

_KINDS = {
    ActionKind.PREVENT: "Prevent: it does not happen again",
    ActionKind.DETECT: "Detect: we notice sooner",
    ActionKind.MITIGATE: "Mitigate: it hurts less, and is over sooner",
    ActionKind.PROCESS: "Process: we work together better",
}


def due_words(due_on: date | None) -> str:
    """`Fri 27 Nov 2026`."""
    return f"{due_on:%a} {due_on.day} {due_on:%b %Y}" if due_on else ""


def added(action: Action, incident: Incident, offers: list[Block]) -> Message:
    """A new action, for everybody: its owner is to see it. `offers` are buttons that say what it is for."""
    said = words.actions.added(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        owner=action.owner,
        due=due_words(action.due_on),
        more=facts(action),
    )
    return blocks.message(said, [blocks.section(said), *offers, _row(action)], response_type="in_channel")


def facts(action: Action) -> str:
    """The kind and the link of an action, with a point before each; empty where it has neither."""
    more: str = words.actions.more(kind=action.kind.value if action.kind else "", link=shortened(action.link, 500))
    return f" {more}" if more else ""


def ref(action: Action) -> str:
    """What a button carries to find its action again."""
    return json.dumps({"action": action.id, "incident": action.incident_id})


def _row(action: Action) -> Block:
    """Below an action in the channel; where nobody owns it, with the form that says who does."""
    buttons = [
        blocks.button("Done", "action_done", ref(action)),
        blocks.button("New date", "action_date", ref(action)),
    ]
    return blocks.actions(*buttons, *([] if action.owner else [details_button(action)]))


def listing(case: Case, now: datetime) -> Message:
    """The incident's actions."""
    lines = [words.actions.list_heading(key=case.incident.key, count=len(case.actions))]
    lines += [_line(action, case, now) for action in case.actions]
    lines.append(words.actions.none_yet() if not case.actions else words.actions.list_hint(number=of_case(case).action))
    return blocks.whisper("\n".join(lines))


def one(action: Action, case: Case, now: datetime) -> Message:
    """One action, with all that can be done about it while it is open."""
    line = _line(action, case, now)
    if action.status is not ActionStatus.OPEN:
        return blocks.whisper(f"{line}\n{words.actions.closed_hint(number=action.number)}")
    buttons = row(action)
    buttons["elements"] += [details_button(action), blocks.button("Edit", "action_edit", ref(action))]
    return blocks.whisper(line, [blocks.section(line), buttons])


def details_button(action: Action) -> Block:
    """Opens the form of an action's owner, date and link."""
    return blocks.button("Owner, date, link", "finding_action", ref(action))


def _line(action: Action, case: Case, now: datetime) -> str:
    line: str = words.actions.line(
        number=action.number,
        text=shortened(code.flat(action.text), QUOTED),
        facts=words.actions.facts(
            owner=case.name(action.owner),
            due=due_words(action.due_on),
            overdue=action.overdue_at is not None and action.overdue_at <= now,
        )
        + facts(action),
        status=str(action.status),
        reason=shortened(action.reason, QUOTED),
        held=action.held,
    )
    return line


def closed(action: Action, incident: Incident, by: str) -> Message:
    """An action is done or dropped."""
    given = {"number": action.number, "key": incident.key, "text": shortened(action.text, QUOTED), "by": by}
    if action.status is ActionStatus.DROPPED:
        said = words.actions.dropped(reason=shortened(action.reason, QUOTED), **given)
    else:
        said = words.actions.done(**given)
    # Beside the words, not below them: in a DM, where the row of buttons is left out, it is wanted most.
    return blocks.message(said, [blocks.section(said, _again(action))], response_type="in_channel")


def _again(action: Action) -> Block:
    return blocks.button("Open again", "action_reopen", ref(action))


def reopened(action: Action, incident: Incident, by: str) -> Message:
    """An action is to be done after all; its owner is to see it."""
    said = words.actions.reopened(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        owner=action.owner,
        due=due_words(action.due_on),
        by=by,
    )
    return blocks.message(said, [blocks.section(said), _row(action)], response_type="in_channel")


def moved(action: Action, incident: Incident, by: str, before: date | None, beside: str = "") -> Message:
    """An action has a new due date, given `by` somebody (their name: nobody is to be pinged for it).

    `beside` is a time of day that was written with it.
    """
    said = words.actions.moved(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        due=due_words(action.due_on),
        before=due_words(before),
        by=by,
        beside=beside,
    )
    return blocks.message(said, response_type="in_channel")


def row(action: Action, style: str = "primary") -> Block:
    """All that can be done about an open action, as reminders and the Home tab offer it; `style` is that of [Done]."""
    return blocks.actions(
        blocks.button("Done", "action_done", ref(action), style=style),
        blocks.button("New date", "action_date", ref(action)),
        blocks.button("Hand over", "action_hand_over", ref(action)),
        blocks.button("Won't do …", "action_drop", ref(action)),
    )


def handed_over(action: Action, incident: Incident, by: str) -> Message:
    """An action has another owner, who is to see it."""
    said = words.actions.handed_over(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        owner=action.owner,
        by=by,
        due=due_words(action.due_on),
    )
    return blocks.message(said, [blocks.section(said), _row(action)], response_type="in_channel")


def judged(action: Action, incident: Incident, by: str) -> Message:
    """Somebody said whether what was done has held."""
    said = words.actions.judged(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        by=by,
        has_held=action.held == "held",
    )
    return blocks.message(said, response_type="in_channel")


def escalated(action: Action, incident: Incident, owner: str, days: int) -> Message:
    """To the lead: an action is long overdue."""
    said = words.actions.escalated(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        owner=owner,
        due=due_words(action.due_on),
        days=days,
        channel=incident.channel,
    )
    return blocks.message(said, [blocks.section(said), row(action)])


def did_it_hold(action: Action, incident: Incident) -> Message:
    """To the owner, a month after it was done."""
    said = words.actions.did_it_hold(
        number=action.number,
        key=incident.key,
        title=shortened(incident.title, 300),
        text=shortened(action.text, QUOTED),
        closed=due_words(action.closed_at.date() if action.closed_at else None),
        channel=incident.channel,
    )
    buttons = blocks.actions(
        blocks.button("It held", "action_held", ref(action), style="primary"),
        blocks.button("It came back", "action_came_back", ref(action)),
    )
    return blocks.message(said, [blocks.section(said), buttons])


def owner_form(action: Action, groups: owners.Groups) -> Block:
    """The form behind [Hand over]: to a person, or to one of the workspace's groups where those are known."""
    return _form(action, "Hand over", "action_hand_over", *owners.fields("Who does it now?", groups))


def drop_form(action: Action) -> Block:
    """The form behind [Won't do …]."""
    reason = blocks.text_input("reason", multiline=True, placeholder="the new proxy makes it unnecessary")
    return _form(action, "Won't do", "action_drop", blocks.labelled("Why not?", "reason", reason))


def _form(action: Action, title: str, callback: str, *fields: Block) -> Block:
    about = blocks.section(f"*{action.number}.* {mrkdwn(shortened(masked(action.text), QUOTED))}")
    return blocks.modal(title, callback, [about, *fields], submit="Save", private_metadata=ref(action))


def date_form(action: Action, today: date) -> Block:
    """The form behind [New date]: the day that the action has, else `today`."""
    return blocks.modal(
        "New due date",
        "action_date",
        [
            blocks.section(f"*{action.number}.* {mrkdwn(shortened(masked(action.text), QUOTED))}"),
            blocks.labelled(
                "Due on",
                "due",
                {
                    "type": "datepicker",
                    "action_id": "due",
                    "initial_date": (action.due_on or today).isoformat(),
                },
            ),
        ],
        submit="Save",
        private_metadata=ref(action),
    )


def add_form(incident: Incident, why: Why | None, groups: owners.Groups = (), before: Action | None = None) -> Block:
    """The form that makes an action, for a cause that is shown above it: that says what happened, not what to do.

    `before` is an action that is for that cause already.
    """
    cause = shortened(masked(why.text), QUOTED) if why else ""
    told = shortened(code.flat(masked(before.text)), 300) if before else ""
    shown = [blocks.section(words.actions.cause(number=why.number, text=cause))] if why else []
    shown += [blocks.section(words.whys.has_action(number=before.number, text=told))] if before else []
    return blocks.modal(
        "New action",
        "action_add",
        [
            *shown,
            blocks.labelled(
                "What is to be done?",
                "text",
                blocks.text_input("text", multiline=True, placeholder=str(words.actions.what_is_done())),
            ),
            *owners.fields("Who does it?", groups, optional=True),
            blocks.labelled("By when?", "due", {"type": "datepicker", "action_id": "due"}, optional=True),
            blocks.labelled("What is it good for?", "kind", _kinds(), optional=True),
            blocks.labelled("Which ticket?", "link", blocks.text_input("link", placeholder=LINK_LIKE), optional=True),
        ],
        submit="Add",
        private_metadata=blocks.about(
            incident, channel=incident.channel, why=why.number if why else None, **fields.marks("")
        ),
    )


def _kinds() -> Block:
    options = [blocks.option(_KINDS[kind], str(kind)) for kind in ActionKind]
    return {"type": "static_select", "action_id": "kind", "options": options}


def help_text(examples: Examples) -> Message:
    """How to use `/action`."""
    return blocks.whisper(words.actions.help(n=examples))
