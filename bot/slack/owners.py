"""The fields of a form that name who does something: a person, or a user group of the workspace."""

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import Refused
from bot.incident.records import Person
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.blocks import Block

PERSON, GROUP = "owner", "group"
OPTIONS = 100
"""Options of one menu, or of one group of them, that Slack shows; it shows as many groups."""

_PERSON = re.compile("[UW][A-Z0-9]+")

Groups = tuple[tuple[str, str], ...]
"""(id, handle) of each user group that can own something."""


def shows(owner: str | None, person: Person | None, groups: Groups) -> bool:
    """Whether a form's fields can show who owns something: somebody who is here, or a group that is listed.

    `person` is the owner as last seen. Slack's menus have nobody who has left, and ours no group that was switched off.
    """
    if not owner:
        return True
    if owner.startswith("S"):
        return any(group == owner for group, _ in groups)
    return bool(_PERSON.fullmatch(owner)) and not (person and person.is_deactivated)


def fields(label: str, groups: Groups, owner: str | None = None, *, optional: bool = False) -> list[Block]:
    """Who it is, as `owner` (whom the fields show) has it now; the second only where the workspace's groups are known.

    Slack has no element that picks a user group: ours lists those that are known.
    """
    person: Block = {"type": "users_select", "action_id": PERSON}
    if owner and not owner.startswith("S"):
        person["initial_user"] = owner
    if not groups:
        return [blocks.labelled(label, PERSON, person, optional=optional)]
    menu = _menu(groups)
    chosen = [blocks.option(f"@{handle}", group) for group, handle in groups if group == owner]
    if chosen:
        menu["initial_option"] = chosen[0]
    return [
        blocks.labelled(label, PERSON, person, optional=True),
        blocks.labelled("… or which group?", GROUP, menu, optional=True),
    ]


def _menu(groups: Groups) -> Block:
    options = [blocks.option(f"@{handle}", group) for group, handle in sorted(groups, key=lambda one: one[1].lower())]
    menu: Block = {"type": "static_select", "action_id": GROUP}
    if len(options) <= OPTIONS:
        return menu | {"options": options}
    pages = [options[at : at + OPTIONS] for at in range(0, min(len(options), OPTIONS**2), OPTIONS)]
    return menu | {"option_groups": [{"label": _plain(_span(page)), "options": page} for page in pages]}


def _span(page: list[Block]) -> str:
    first, last = (shortened(str(one["text"]["text"]), 30) for one in (page[0], page[-1]))
    return f"{first} to {last}"


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def chosen(values: Mapping[str, Any]) -> str | None:
    """Who was picked: a user id, or the id of a group; raises Refused for both at once."""
    person, group = values.get(PERSON) or None, values.get(GROUP) or None
    if person and group:
        sentence = "Pick a person or a group, not both."
        raise Refused(sentence, field=GROUP)
    return person or group
