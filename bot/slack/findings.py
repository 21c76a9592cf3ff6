"""How what was found in a record looks in Slack: a line each, with the button that mends it."""

import json

from bot.export.times import span
from bot.incident import code
from bot.incident.document import Metrics
from bot.incident.fields import FIELD
from bot.incident.findings import MOST_NAMED, Finding, Mend
from bot.incident.records import Action, Case, Incident, Person, Why
from bot.incident.secrets import masked
from bot.incident.sections import BY_SLUG
from bot.incident.text import shortened
from bot.slack import blocks, fields, owners
from bot.slack.actions import LINK_LIKE, due_words
from bot.slack.blocks import Block, Message
from bot.slack.text import mrkdwn
from bot.slack.words import words

MOST = 10
"""Findings that one message shows; the others come up as these are mended."""

QUOTED = 1_000
LINK = "finding_link_"
"""How the buttons begin that say what an action is for."""


def section_of(found: tuple[Finding, ...], incident: Incident) -> list[Block]:
    """The findings, each beside its button; nothing where there are none."""
    if not found:
        return []
    shown = [blocks.section(words.findings.heading(count=len(found)))]
    for finding in found[:MOST]:
        said = words.findings.line(sentence=finding.sentence, is_question=finding.is_question)
        if finding.mend is Mend.LINK_ACTION:
            shown += [blocks.section(said), blocks.actions(*_links(finding, incident))]
        else:
            shown.append(blocks.section(said, _button(finding, incident)))
    if len(found) > MOST:
        shown.append(blocks.context(words.findings.more(count=len(found) - MOST)))
    return shown


def _button(finding: Finding, incident: Incident) -> Block:
    match finding.mend:
        case Mend.EDIT_ENTRY:
            return blocks.button("Edit entry", "timeline_edit", blocks.about(incident, entry=finding.target))
        case Mend.ADD_ENTRY:
            return blocks.button("Add entry", "timeline_form_open", blocks.about(incident))
        case Mend.MARK:
            return blocks.button("Add entry", "incident_milestone", blocks.about(incident))
        case Mend.FILL_SECTION:
            title = BY_SLUG[finding.section].title
            return blocks.button(f"Fill {title}", "postmortem_fill", blocks.about(incident, section=finding.section))
        case Mend.COMPLETE_ACTION:
            return blocks.button("Owner, date, link", "finding_action", blocks.about(incident, action=finding.target))
        case Mend.ADD_ACTION | Mend.LINK_ACTION:
            return blocks.button("Add an action", "why_action", blocks.about(incident, why=finding.target))


def _links(finding: Finding, incident: Incident) -> list[Block]:
    """A button for each action that may be for the root cause; one press says so."""
    row = [
        blocks.button(
            f"Action {number}",
            f"{LINK}{number}",
            blocks.about(incident, why=finding.target, action=number, back="overview"),
        )
        for number in finding.choices[:MOST_NAMED]
    ]
    return [*row, _button(finding, incident)]


def link_offers(incident: Incident, roots: tuple[Why, ...], number: int) -> list[Block]:
    """Below a new action that is for no particular why: a button for each root cause that has none."""
    if not roots:
        return []
    named = [(why.number, shortened(code.flat(why.text), 120)) for why in roots[:MOST_NAMED]]
    row = [
        blocks.button(
            f"For why {why.number}", f"{LINK}{why.number}", blocks.about(incident, why=why.number, action=number)
        )
        for why in roots[:MOST_NAMED]
    ]
    return [blocks.context(words.findings.which_root(roots=named)), blocks.actions(*row)]


def linked(why: Why, action: Action) -> Message:
    """An action is for a why."""
    return blocks.whisper(words.findings.linked(why=why.number, number=action.number))


def still_open(found: tuple[Finding, ...], incident: Incident) -> list[Block]:
    """One line and a button, for what leaves although something is still to be looked at; nothing where nothing is."""
    if not found:
        return []
    return [
        blocks.context(words.findings.still_open(count=len(found))),
        blocks.actions(blocks.button("Show", "postmortem_show", blocks.about(incident))),
    ]


def metrics_line(metrics: Metrics) -> Block:
    """How long it took to detect, acknowledge, mitigate and resolve; a dash where a stamp is missing."""
    spans = (
        ("Detected after", metrics.time_to_detect),
        ("acknowledged after", metrics.time_to_acknowledge),
        ("mitigated after", metrics.time_to_mitigate),
        ("resolved after", metrics.time_to_resolve),
        ("postmortem age", metrics.postmortem_age),
    )
    return blocks.context(
        words.findings.metrics(spans=[(name, "" if length is None else span(length)) for name, length in spans])
    )


def action_form(action: Action, incident: Incident, person: Person | None, groups: owners.Groups) -> Block:
    """The form behind [Owner, date, link], as the action has them now; `person` is the owner as last seen.

    What a field cannot show stays as it is unless something is put in its place, and the form says so.
    """
    is_shown = owners.shows(action.owner, person, groups)
    owner = action.owner if is_shown else None
    link = action.link if len(action.link) <= FIELD else ""
    due: Block = {"type": "datepicker", "action_id": "due"}
    if action.due_on is not None:
        due["initial_date"] = action.due_on.isoformat()
    stays = [] if is_shown else [words.findings.owner_stays(name=person.name if person else action.owner)]
    stays += [] if link == action.link else [words.findings.link_stays()]
    field = blocks.text_input("link", initial_value=link, placeholder=LINK_LIKE)
    marks = fields.marks("", owner=owner or "", due=due.get("initial_date", ""), link=link)
    metadata = {"action": action.id, "incident": incident.id, "channel": incident.channel, **marks}
    return blocks.modal(
        f"Action {action.number}",
        "finding_action",
        [
            blocks.section(f"*{action.number}.* {mrkdwn(shortened(masked(action.text), QUOTED))}"),
            *(blocks.context(each) for each in stays),
            *owners.fields("Who does it?", groups, owner, optional=True),
            blocks.labelled("By when?", "due", due, optional=True),
            blocks.labelled("Which ticket?", "link", field, optional=True),
        ],
        submit="Save",
        private_metadata=json.dumps(metadata),
    )


def completed(action: Action, case: Case) -> Message:
    """An action has an owner, a date or a link that it lacked."""
    facts = [case.name(action.owner), due_words(action.due_on), action.link]
    said = words.findings.completed(
        number=action.number,
        key=case.incident.key,
        text=shortened(action.text, QUOTED),
        facts=" · ".join(fact for fact in facts if fact),
    )
    return blocks.whisper(said)
