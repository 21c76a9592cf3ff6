"""What people see of the policy by severity: a postmortem that is optional, or that isn't asked for."""

from datetime import datetime

from bot.domain import checks as checks_rules
from bot.domain.policy import PostmortemRule
from bot.domain.records import Case, Incident
from bot.domain.sections import BY_SLUG
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.postmortem import section_ref
from bot.slack.views.templates import words

CHOOSE = "postmortem_want"
SKIP = "postmortem_skip"


def unrequired_message(incident: Incident, text: str, owner: str, hours: str) -> Message:
    """To the channel, after a resolution (`text`) that asks for no postmortem, or asks its `owner` once.

    `hours` are those after which they are asked.
    """
    is_optional = incident.rule is PostmortemRule.OPTIONAL
    line = (
        words.policy.optional_postmortem(key=incident.key, severity=incident.severity, owner=owner, hours=hours)
        if is_optional
        else words.policy.no_postmortem(key=incident.key, severity=incident.severity)
    )
    button = choose_button(incident, "Write one" if is_optional else "Write one anyway")
    return blocks.public(f"{text}\n{line}", blocks=[blocks.section(text), blocks.section(line), blocks.actions(button)])


def choose_button(incident: Incident, label: str, style: str = "") -> Block:
    """The button that asks for a postmortem which the policy does not require."""
    return blocks.button(label, CHOOSE, section_ref(incident, ""), style=style)


def optional_question(case: Case, now: datetime, recipient: str) -> Message:
    """To the owner of an optional postmortem, once: is it worth writing? `now` is in the reader's zone."""
    incident = case.incident
    text = words.policy.question(
        key=incident.key,
        title=shorten(incident.title, 300),
        channel="" if recipient == incident.channel else incident.channel,
        severity=incident.severity,
        resolved=incident.resolved_at or now,
        now=now,
    )
    skip = blocks.button("Not needed", SKIP, section_ref(incident, ""))
    return blocks.message(text, blocks.actions(choose_button(incident, "Write one", style="primary"), skip))


def chosen_receipt(case: Case, owner: str, *, is_self: bool) -> Message:
    """To the person who asked for a postmortem: whose it is, and what to fill in first."""
    slug = checks_rules.find_next_section(case)
    text = words.policy.chosen(
        key=case.incident.key,
        owner=owner,
        is_self=is_self,
        left=len(checks_rules.list_blank_sections(case)),
        section=BY_SLUG[slug].title if slug else "",
    )
    return blocks.ephemeral(text, blocks=[blocks.section(text), postmortem_views.next_row(case)])
