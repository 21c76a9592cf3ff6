"""A canvas changed block by block says what it was to say, in a workspace that knows its sections in its own way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.export.canvas import MAX_STEPS, CanvasStep, is_unexpected, plan_steps, split_regions
from bot.export.markdown_reader import digest_shown, extract_letters
from bot.rehearsal.web_api.files import change_section, find_sections, write_as_slack

HEADINGS = {"Impact": "impact", "Timeline": "timeline", "Five whys": "whys"}
CANVAS = """| INC-7 | Checkout |
| --- | --- |
| Severity | sev2 |

## Impact

*Not recorded*

## Timeline

All times are UTC.

- **14:05 UTC** it broke — Ana (#1)
- **14:07 UTC** it broke — Ana (#2)

## Five whys

*Not recorded*
"""


def regions(canvas: str) -> dict[str, str]:
    return split_regions(canvas, HEADINGS)


def done(canvas: str, step: CanvasStep) -> str:
    """The canvas after a step, as a workspace makes it."""
    found = find_sections(canvas, step.words, [])
    assert len(found) == step.count, (step, canvas)
    after = change_section(canvas, step.operation, found[step.place], step.markdown)
    assert digest_shown(regions(after)[step.region]) == step.reads
    return after


def after(canvas: str, wanted: str) -> tuple[str, list[str]]:
    plan = plan_steps(regions(canvas), regions(wanted))
    assert plan is not None
    for step in plan:
        canvas = done(canvas, step)
    assert extract_letters(canvas) == extract_letters(wanted)
    assert not is_unexpected(canvas, regions(canvas), regions(wanted))
    return canvas, [step.operation for step in plan]


@pytest.mark.parametrize(
    ("old", "new", "operations"),
    [
        ("(#2)\n", "(#2)\n- **14:09 UTC** it holds — Bo (#3)\n- and more\n", ["insert_after"]),
        ("- **14:05 UTC** it broke — Ana (#1)\n", "", ["delete"]),
        ("it broke — Ana (#2)", "it *broke* — Ana (#2)", ["replace"]),
        ("Impact\n\n*Not recorded*", "Impact\n\nThe EU.\n\nAnd more.", ["replace"]),
        ("whys\n\n*Not recorded*", "whys\n\n- **1.** It was full", ["replace"]),
        ("*Not recorded*\n\n## Timeline", "## Timeline", ["delete"]),
        ("All times are UTC.\n\n", "", ["delete"]),
        ("## Impact\n", "## Impact\n\n### By region\n", ["insert_after"]),
        ("(#1)\n- **14:07 UTC** it broke — Ana (#2)\n", "(#1), and again\n", ["delete", "replace"]),
    ],
)
def test_a_change_touches_its_blocks_alone(old: str, new: str, operations: list[str]) -> None:
    assert old in CANVAS
    wanted = CANVAS.replace(old, new, 1)
    for canvas in (CANVAS, write_as_slack(CANVAS)):
        assert after(canvas, wanted)[1] == operations


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| Severity | sev2 |", "| Severity | sev1 |"),
        ("*Not recorded*\n\n## Timeline", "```\ncode\n```\n\n## Timeline\n\n> said"),
        ("## Impact\n\n*Not recorded*\n\n", ""),
        ("*Not recorded*", "- a\n  - b"),
        ("(#2)\n", "(#2)\n" + "".join(f"\n{count}. x{count}\n\ny{count}\n" for count in range(MAX_STEPS))),
    ],
)
def test_what_no_block_alone_can_say_is_written_as_a_whole(old: str, new: str) -> None:
    """Of a table or a region that is gone; the others only tell that both ways back are open."""
    wanted = CANVAS.replace(old, new, 1)
    assert plan_steps(regions(wanted), regions(CANVAS)) is None


def test_nothing_to_say_takes_no_step() -> None:
    assert plan_steps(regions(write_as_slack(CANVAS)), regions(CANVAS)) == ()


def test_who_was_quicker_is_told_from_a_step_that_went_astray() -> None:
    wanted = CANVAS.replace("it broke — Ana (#2)", "it holds — Ana (#2)")
    beside = wanted.replace("- **14:07 UTC**", "- **14:07 UTC** it broke — Ana (#2)\n- **14:07 UTC**")
    assert is_unexpected(beside, regions(CANVAS), regions(wanted))
    assert is_unexpected(CANVAS, regions(CANVAS), regions(wanted))
    assert not is_unexpected(wanted, regions(CANVAS), regions(wanted))
    assert not is_unexpected(wanted.replace("*Not recorded*", "Mine."), regions(CANVAS), regions(wanted))


_BLOCKS = ("one", "two", "*three* four", "five", "on", "- a", "- b **c**", "- on a")
_BODIES = st.lists(st.sampled_from(_BLOCKS), max_size=6)


def _canvas(impact: list[str], timeline: list[str]) -> str:
    return "\n\n".join(["Head", "## Impact", *impact, "## Timeline", *timeline, "## Five whys"])


@settings(deadline=None)
@given(_BODIES, _BODIES, _BODIES, _BODIES)
def test_whatever_the_blocks_each_step_does_what_it_told(
    impact: list[str], timeline: list[str], new_impact: list[str], new_timeline: list[str]
) -> None:
    before, wanted = _canvas(impact, timeline), _canvas(new_impact, new_timeline)
    if plan_steps(regions(before), regions(wanted)) is not None:
        after(before, wanted)
