"""Corrective actions in Slack.

Messages and forms about one action; the fields that choose an owner; answers to replies in a direct message; the
question which day a due date means.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any, TypedDict
from urllib.parse import urlsplit

from bot.domain import text as text_rules
from bot.domain.records import Action, ActionKind, ActionStatus, Case, Incident, Person, Why, choose_examples
from bot.domain.secrets import mask_credentials
from bot.domain.text import fingerprint, format_day, shorten
from bot.domain.times.due_dates import EXAMPLES, Due
from bot.errors import Refused
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage.actions import OwedAction

PERSON, GROUP = "owner", "group"
OPTIONS = 100
"""Options of one menu, or of one group of them, that Slack shows; it shows as many groups."""

_PERSON = re.compile("[UW][A-Z0-9]+")

Groups = tuple[tuple[str, str], ...]
"""(id, handle) of each user group that can own something."""


def can_show_owner(owner: str | None, person: Person | None, groups: Groups) -> bool:
    """Whether the owner can be preselected in a form. `person` is the owner as last seen.

    Slack's menu of people leaves out deactivated users; ours of groups leaves out disabled groups.
    """
    if not owner:
        return True
    if owner.startswith("S"):
        return any(group == owner for group, _ in groups)
    return bool(_PERSON.fullmatch(owner)) and not (person and person.is_deactivated)


def owner_fields(label: str, groups: Groups, owner: str | None = None, *, optional: bool = False) -> list[Block]:
    """Fields to choose an owner, `owner` preselected: a menu of people, and one of user groups if any are known.

    Slack has no element that picks a user group, so the second menu lists the groups that we know.
    """
    person: Block = {"type": "users_select", "action_id": PERSON}
    if owner and not owner.startswith("S"):
        person["initial_user"] = owner
    if not groups:
        return [blocks.input_block(label, person, optional=optional)]
    return [
        blocks.input_block(label, person, optional=True),
        blocks.input_block("Or a user group", _group_menu(groups, owner), optional=True),
    ]


def _group_menu(groups: Groups, owner: str | None) -> Block:
    by_handle = sorted(groups, key=lambda group: group[1].lower())
    options = [blocks.option(f"@{handle}", group) for group, handle in by_handle]
    menu = blocks.menu(GROUP, options, next((option for option in options if option["value"] == owner), None))
    if len(options) <= OPTIONS:
        return menu
    pages = [options[at : at + OPTIONS] for at in range(0, min(len(options), OPTIONS**2), OPTIONS)]
    del menu["options"]
    return menu | {"option_groups": [{"label": _plain(_span(page)), "options": page} for page in pages]}


def _span(page: list[Block]) -> str:
    first, last = (shorten(str(one["text"]["text"]), 30) for one in (page[0], page[-1]))
    return f"{first} to {last}"


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def read_owner(values: Mapping[str, Any]) -> str | None:
    """The id of the chosen person or group, or None. Raises Refused if both were chosen."""
    person, group = values.get(PERSON) or None, values.get(GROUP) or None
    if person and group:
        raise Refused("Pick a person or a group, not both.", field=GROUP)
    return person or group


LONGEST_ACTION_QUOTE = 1_000
LONGEST_LISTED = 200
LINK_LIKE = "https://tracker.example.com/OPS-12"

_TICKET = re.compile(r"(?<![A-Za-z0-9])(?<![A-Z0-9_]_)[A-Z][A-Z0-9_]++-\d++(?![A-Za-z0-9-])")

_KINDS = {
    ActionKind.PREVENT: "Prevent: it doesn't happen again",
    ActionKind.DETECT: "Detect: we notice sooner",
    ActionKind.MITIGATE: "Mitigate: it does less harm",
    ActionKind.PROCESS: "Process: we work together better",
}


class _Identity(TypedDict):
    number: int
    key: str
    text: str


def _identity(action: Action, incident: Incident) -> _Identity:
    """What every message about an action begins with."""
    return {"number": action.number, "key": incident.key, "text": shorten(action.text, LONGEST_ACTION_QUOTE)}


def due_label(due_on: date | None, today: date | None = None) -> str:
    """`Fri 27 Nov`, with the year if it is not today's: `Fri 1 Jan 2027`."""
    return format_day(due_on, today or date.min) if due_on else ""


def added_message(
    action: Action, incident: Incident, by: str, today: date, offers: list[Block], *, is_usual: bool = False
) -> Message:
    """To the author `by`: the action is recorded. `offers` are buttons to link it to a root cause.

    Its due date `is_usual` if no one named it: then it is that of its kind, by the policy.
    """
    due = due_label(action.due_on, today)
    text = words.actions.added(
        **_identity(action, incident),
        owner=action.owner,
        due=words.policy.usual_due(due=due) if is_usual else due,
        more=kind_and_link(action),
        is_told=bool(action.owner) and action.owner != by and not (action.owner or "").startswith("S"),
    )
    row = [blocks.actions(details_button(action))] if not action.owner or action.due_on is None else []
    return blocks.ephemeral(text, blocks=[blocks.section(text, change_menu(action)), *offers, *row])


def change_menu(action: Action) -> Block:
    """What can be done about an open action, behind [⋯]."""
    ref = action_ref(action)
    return blocks.overflow(
        blocks.button("Edit", "action_edit", ref),
        blocks.button("New date", "action_date", ref),
        blocks.button("Hand over", "action_hand_over", ref),
        blocks.button("Done", "action_done", ref),
        blocks.button("Won't do …", "action_drop", ref),
    )


def assigned_message(
    action: Action, incident: Incident, by: str, today: date, *, is_public: bool, is_reopened: bool = False
) -> Message:
    """To the owner of an action that `by` gave them, or reopened; to the channel if they cannot see it."""
    text = words.actions.assigned(
        **_identity(action, incident),
        owner=action.owner,
        by=by,
        due=due_label(action.due_on, today),
        channel=incident.channel,
        is_public=is_public,
        is_reopened=is_reopened,
    )
    return blocks.message(text, action_row(action))


def kind_and_link(action: Action) -> str:
    """` · prevent · OPS-12`: the action's kind and the link to its ticket, or an empty text."""
    more: str = words.actions.more(kind=action.kind.value if action.kind else "", ticket=ticket_link(action))
    return f" {more}" if more else ""


def ticket_link(action: Action) -> str:
    """The action's link under its ticket's key, or else its address; empty if it has none."""
    if not action.link:
        return ""
    address = urlsplit(action.link)
    key = _TICKET.search(action.link)
    return words.actions.ticket(link=action.link, name=key[0] if key else shorten(address.netloc + address.path, 40))


def action_ref(action: Action) -> str:
    """The value of a button about an action."""
    return json.dumps({"action": action.id, "incident": action.incident_id})


def list_message(case: Case, now: datetime) -> Message:
    """All actions of an incident."""
    overdue = sum(_is_overdue(action, now) for action in case.actions)
    lines = [words.actions.list_heading(key=case.incident.key, count=len(case.actions), overdue=overdue)]
    lines += [_line(action, case, now, LONGEST_LISTED) for action in case.actions]
    lines.append(
        words.actions.none_yet() if not case.actions else words.actions.list_hint(number=choose_examples(case).action)
    )
    return blocks.ephemeral("\n".join(lines))


def action_message(action: Action, case: Case, now: datetime) -> Message:
    """One action, with all buttons if it is open."""
    line = _line(action, case, now, LONGEST_ACTION_QUOTE)
    if action.status is not ActionStatus.OPEN:
        return blocks.ephemeral(f"{line}\n{words.actions.closed_hint(number=action.number)}")
    buttons = action_row(action)
    buttons["elements"] += [details_button(action), blocks.button("Edit", "action_edit", action_ref(action))]
    return blocks.ephemeral(line, buttons)


def details_button(action: Action) -> Block:
    """The button that opens the form for an action's owner, date and link."""
    return blocks.button("Owner, date, link", "finding_action", action_ref(action))


def _is_overdue(action: Action, now: datetime) -> bool:
    return action.status is ActionStatus.OPEN and action.overdue_at is not None and action.overdue_at <= now


def _line(action: Action, case: Case, now: datetime, longest: int) -> str:
    return words.actions.line(
        number=action.number,
        text=shorten(text_rules.flatten(action.text), longest),
        facts=words.actions.facts(
            owner=case.name(action.owner),
            due=due_label(action.due_on, now.date()),
            overdue=_is_overdue(action, now),
        )
        + kind_and_link(action),
        status=str(action.status),
        reason=shorten(action.reason, longest),
        verdict=action.held,
    )


def closed_message(action: Action, incident: Incident) -> Message:
    """An action was done or dropped."""
    about = _identity(action, incident)
    if action.status is ActionStatus.DROPPED:
        text = words.actions.dropped(**about, reason=shorten(action.reason, LONGEST_ACTION_QUOTE))
    else:
        text = words.actions.done(**about)
    reopen = blocks.button("Reopen action", "action_reopen", action_ref(action))
    return blocks.ephemeral(text, blocks=[blocks.section(text, reopen)])


def reopened_message(action: Action, incident: Incident, today: date) -> Message:
    """An action was opened again."""
    text = words.actions.reopened(
        **_identity(action, incident), owner=action.owner, due=due_label(action.due_on, today)
    )
    return blocks.ephemeral(text, blocks=[blocks.section(text, change_menu(action))])


def new_date_message(
    action: Action, incident: Incident, by: str, before: date | None, today: date, time_of_day: str = ""
) -> Message:
    """An action has a new due date. `by` is a name.

    `time_of_day` was typed with the date and is not stored.
    """
    text = words.actions.moved(
        **_identity(action, incident),
        due=due_label(action.due_on, today),
        before=due_label(before, today).partition(" ")[2],
        by=by,
        time_of_day=time_of_day,
    )
    return blocks.ephemeral(text)


def action_row(action: Action, style: str = "primary") -> Block:
    """All buttons of an open action, for reminders and the Home tab. `style` is that of [Done]."""
    return blocks.actions(
        blocks.button("Done", "action_done", action_ref(action), style=style),
        blocks.button("New date", "action_date", action_ref(action)),
        blocks.button("Hand over", "action_hand_over", action_ref(action)),
        blocks.button("Won't do …", "action_drop", action_ref(action)),
    )


def new_owner_message(action: Action, incident: Incident, by: str, today: date) -> Message:
    """To `by`: the action has a new owner."""
    text = words.actions.handed_over(
        **_identity(action, incident),
        owner=action.owner,
        due=due_label(action.due_on, today),
        is_told=action.owner != by and not (action.owner or "").startswith("S"),
    )
    return blocks.ephemeral(text)


def verdict_message(action: Action, incident: Incident) -> Message:
    """Whether a finished action held."""
    return blocks.ephemeral(words.actions.verdict(**_identity(action, incident), has_held=action.held == "held"))


def escalation_message(action: Action, incident: Incident, owner: str, days: int, today: date) -> Message:
    """To the incident's lead: an action is long overdue."""
    text = words.actions.escalated(
        **_identity(action, incident),
        owner=owner,
        due=due_label(action.due_on, today),
        days=days,
        channel=incident.channel,
    )
    return blocks.message(text, action_row(action))


def outcome_question(action: Action, incident: Incident, today: date) -> Message:
    """To the owner, a month after the action was done: asks whether it held."""
    text = words.actions.did_it_hold(
        **_identity(action, incident),
        title=shorten(incident.title, 300),
        closed=due_label(action.closed_at.date() if action.closed_at else None, today),
        channel=incident.channel,
    )
    buttons = blocks.actions(
        blocks.button("It held", "action_held", action_ref(action), style="primary"),
        blocks.button("It came back", "action_came_back", action_ref(action)),
    )
    return blocks.message(text, buttons)


def owner_form(action: Action, groups: Groups) -> Block:
    """The form behind [Hand over]."""
    return _form(action, "Hand over", "action_hand_over", *owner_fields("New owner", groups))


def drop_form(action: Action) -> Block:
    """The form behind [Won't do …]."""
    reason = blocks.text_field("Why not?", "reason", multiline=True, placeholder="the new proxy makes it unnecessary")
    return _form(action, "Won't do", "action_drop", reason)


def date_form(action: Action, today: date) -> Block:
    """The form behind [New date]. It shows the current due date, else `today`."""
    day = blocks.input_block("Due date", blocks.due_picker(action.due_on or today))
    return _form(action, "New due date", "action_date", day)


def _form(action: Action, title: str, callback: str, *fields: Block) -> Block:
    return blocks.modal(title, callback, [heading(action), *fields], submit="Save", private_metadata=action_ref(action))


def heading(action: Action) -> Block:
    """An action's number and text, above the fields of a form."""
    text = mrkdwn(shorten(mask_credentials(action.text), LONGEST_ACTION_QUOTE))
    return blocks.section(f"*{action.number}.* {text}")


def add_form(incident: Incident, why: Why | None, groups: Groups = (), before: Action | None = None) -> Block:
    """The form for a new action. The root cause is shown above the fields, not filled in: it is not a thing to do.

    `before` is an action that addresses this cause already.
    """
    shown = []
    if why:
        cause = shorten(text_rules.flatten(mask_credentials(why.text)), LONGEST_ACTION_QUOTE)
        shown.append(blocks.section(words.actions.cause(number=why.number, text=cause)))
    if before:
        text = shorten(text_rules.flatten(mask_credentials(before.text)), 300)
        shown.append(blocks.section(words.whys.has_action(number=before.number, text=text)))
    asked = words.actions.what_prevents() if why else "What needs doing?"
    kinds = blocks.menu("kind", [blocks.option(_KINDS[kind], str(kind)) for kind in ActionKind])
    shown += [
        blocks.text_field(asked, "text", multiline=True, placeholder=words.actions.what_is_done()),
        *owner_fields("Owner", groups, optional=True),
        blocks.input_block("Due date", blocks.due_picker(), optional=True),
        blocks.input_block("Type", kinds, optional=True),
        blocks.text_field("Ticket link", "link", placeholder=LINK_LIKE, optional=True),
    ]
    number = why.number if why else None
    metadata = blocks.incident_value(incident, channel=incident.channel, why=number, **blocks.field_marks(""))
    return blocks.modal("New action", "action_add", shown, submit="Add", private_metadata=metadata)


MOST_NAMED = 5
MOST_ASKED = 3
LONGEST_REPLY_QUOTE = 80


def unclear_reply_message(named: Sequence[OwedAction], rest: str, problem: str = "") -> Message:
    """The reply names actions, and its `rest` was not understood: examples, and the buttons of each action.

    `problem` says why it was not understood, if that is known.
    """
    named, number = named[:MOST_ASKED], named[0].action.number
    quoted, problem = shorten(rest, LONGEST_REPLY_QUOTE), problem.removesuffix(EXAMPLES)  # it has its own
    question = words.actions.what_of_it(items=_quote_all(named), quote=quoted, problem=problem, number=number)
    if len(named) == 1:
        return blocks.message(question, action_row(named[0].action))
    parts = ((blocks.section(words.actions.named_one(item=_quote(one))), action_row(one.action)) for one in named)
    return blocks.message(question, *chain.from_iterable(parts))


def reply_help_message(owed: Sequence[OwedAction]) -> Message:
    """Examples of replies that the bot understands, with the numbers of the person's own actions."""
    number, *others = [one.action.number for one in owed] or [1]
    other = next((one for one in others if one != number), number + 1)
    return blocks.message(words.actions.replies(number=number, other=other))


def reason_question(one: OwedAction) -> Message:
    """An action is to be dropped and the reason is missing."""
    return blocks.message(words.actions.needs_reason(number=one.action.number))


def action_question(seen: Sequence[OwedAction], count: int) -> Message:
    """The reply names no action. The person owes `count`; only those in `seen` may be named."""
    if not count:
        return blocks.message(words.actions.owes_nothing())
    number, items = seen[0].action.number if seen else 3, _quote_all(seen[:MOST_NAMED])
    return blocks.message(words.actions.which(items=items, more=count - len(items), number=number))


def incident_question(number: int, keys: Sequence[str]) -> Message:
    """The reply's number fits actions of several incidents."""
    return blocks.message(words.actions.which_of(number=number, keys=keys))


def not_owed_message(number: int | None, seen: Sequence[OwedAction], count: int) -> Message:
    """The person owes no open action of this number. Without a number: examples of what the bot understands."""
    if number is None:
        return reply_help_message(seen)
    items = _quote_all(seen[:MOST_NAMED])
    return blocks.message(words.actions.not_owed(number=number, items=items, more=count - len(items)))


def _quote_all(items: Sequence[OwedAction]) -> list[tuple[int, str, str]]:
    return [_quote(item) for item in items]


def _quote(item: OwedAction, most: int = LONGEST_REPLY_QUOTE) -> tuple[int, str, str]:
    text = shorten(text_rules.flatten(mask_credentials(item.action.text)), most)
    return item.action.number, item.incident.key, text


CHOOSE = "action_day_"
"""Prefix of the buttons' action ids."""


def new_action_date_question(key: str, text: str, request: Mapping[str, object], due: Due, today: date) -> Message:
    """Asks which day a new action is due; the action is added with the answer. `key` is the request's key.

    Raises Refused if the text does not fit into the buttons.
    """
    question = words.actions.which_day(problem=due.problem, what="recorded")
    quoted = words.actions.day_asked(text=shorten(" ".join(text.split()), LONGEST_ACTION_QUOTE))
    row = _day_buttons(due, {"of": key, "text": text, **request}, today, can_be_open=True)
    if any(len(button["value"]) > blocks.BUTTON_VALUE for button in row):
        raise Refused(f"Not recorded. {due.problem} Send it again with the full date, as in `due 2026-12-24`.")
    return blocks.ephemeral(question, blocks.section(quoted), blocks.actions(*row))


def new_date_question(items: Sequence[OwedAction], due: Due, today: date) -> Message:
    """Asks which day is the new due date of these actions."""
    question = words.actions.which_day(problem=due.problem, what="changed")
    named = [blocks.section(words.actions.named_one(item=_quote(item, LONGEST_ACTION_QUOTE))) for item in items]
    value = {"actions": [item.action.id for item in items], "incident": items[0].incident.id, "beside": due.time_of_day}
    return blocks.ephemeral(question, *named, blocks.actions(*_day_buttons(due, value, today)))


def _day_buttons(due: Due, value: Mapping[str, object], today: date, *, can_be_open: bool = False) -> list[Block]:
    choices = [(due_label(day, today), day.isoformat()) for day in due.days]
    if can_be_open:
        choices.append(("No due date", ""))
    # The value is not given to `button`, which cuts it: the caller has to see if it is too long.
    return [
        blocks.button(label, f"{CHOOSE}{index}") | {"value": json.dumps({**value, "due": day}, ensure_ascii=False)}
        for index, (label, day) in enumerate(choices)
    ]


def reworded_message(action: Action, before: Action, incident: Incident, by: str) -> Message:
    """An action's text was changed. `by` is the editor's name."""
    text = words.actions.reworded(
        **_identity(action, incident),
        before=shorten(text_rules.flatten(before.text), 500),
        by=by,
    )
    return blocks.ephemeral(text)


def edit_form(action: Action, typed: str | None = None, notice: str = "") -> Block:
    """The form to edit an action's text. After a conflict `typed` is the unsaved text, and `notice` says so."""
    shown = [blocks.section(notice)] if notice else []
    text, edition = action.text if typed is None else typed, fingerprint(action.text) if notice else ""
    shown += blocks.text_fields("What needs doing?", text, edition=edition)
    metadata = {
        "action": action.id,
        "incident": action.incident_id,
        **blocks.field_marks(action.text, typed),
    }
    return blocks.modal(
        f"Action {action.number}", "action_edit", shown, submit="Save", private_metadata=json.dumps(metadata)
    )


def conflict_form(action: Action, typed: str) -> Message:
    """The form again, because someone else changed the action in the meantime. Saving now overwrites their text."""
    notice = words.actions.conflict(number=action.number, theirs=shorten(action.text, LONGEST_ACTION_QUOTE))
    return {"response_action": "update", "view": edit_form(action, typed, notice)}


def wording_hint(action: Action, word: str) -> Message:
    """To the author only: the action is worded so vaguely that no one can tell when it is done."""
    text = words.actions.hint(number=action.number, word=word)
    row = blocks.actions(blocks.button("Edit action", "action_edit", action_ref(action)))
    return blocks.ephemeral(text, row)
