"""The numbers that examples name: of what is there, so that what is copied from a help text does something."""

from dataclasses import dataclass

from bot.incident.records import ActionStatus, Case


@dataclass(frozen=True, slots=True)
class Examples:
    """The latest entry; a why and an earlier one; an action and, where there is one, another.

    Where nothing is recorded yet they are the numbers that will be given first.
    """

    entry: int = 1
    why: int = 2
    earlier_why: int = 1
    action: int = 1
    other_action: int = 2


def of_case(case: Case) -> Examples:
    """The numbers of a case, which may hold only its latest entries."""
    whys = [why.number for why in case.whys if not why.struck]
    later = whys[-1] if len(whys) > 1 else 2
    open_ones = [action.number for action in case.actions if action.status is ActionStatus.OPEN]
    actions = (open_ones or [action.number for action in case.actions] or [1])[:2]
    return Examples(
        entry=case.entries[-1].number if case.entries else 1,
        why=later,
        earlier_why=whys[0] if whys else 1,
        action=actions[0],
        other_action=actions[-1] if len(actions) > 1 else actions[0] + 1,
    )
