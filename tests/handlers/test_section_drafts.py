"""A section's form comes filled in from the record; what is saved is the person's, and the document says it once."""

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.export import Exporter
from bot.rehearsal.screen import ShownView, list_elements
from tests.handlers.test_similar_incidents import form, past
from tests.support.interactions import on_stage, open_incident, press, type_command
from tests.support.play import Play


async def over(play: Play) -> None:
    """An incident with every milestone, told by three people."""
    await open_incident(play)
    await type_command(play, play.chandra, "/timeline 11:40 UTC deploy of *v42* & <more>")
    await type_command(play, play.ana, "/incident started 12:00 UTC errors climb")
    await type_command(play, play.bo, "/incident detected 12:07 UTC the alarm fired")
    await type_command(play, play.bo, "/incident acknowledged 12:10 UTC")
    await type_command(play, play.ana, "/incident mitigated 12:20 UTC rolled back")
    await type_command(play, play.ana, "/incident resolved 12:30 UTC")
    await type_command(play, play.bo, "/incident lead @Bo Demo")
    await type_command(play, play.bo, "/why because nobody tests the pool")
    await type_command(play, play.bo, "/why root")
    await play.settle()


def fields(view: ShownView) -> str:
    """What stands in its fields."""
    return "".join(
        str(element.get("initial_value", ""))
        for _, element in list_elements(view.blocks)
        if element["type"] == "plain_text_input"
    )


def section(play: Play, title: str) -> str:
    text = Exporter().render(postmortem_rules.compile_document(play.case(), play.clock.now()), "markdown").decode()
    return text.split(f"\n## {title}\n", 1)[1].split("\n<!--", 1)[0].strip()


DAY = "2026-11-23"
FILLED = {
    "summary": f"Checkout is failing.\nThe impact began at {DAY} 12:00 UTC; it was resolved at {DAY} 12:30 UTC, "
    "30 min later.",
    "leadup": f"- {DAY} 11:40 UTC deploy of *v42* & <more> — Chandra Demo (#2)",
    "impact": f"The impact began at {DAY} 12:00 UTC: “errors climb” (Ana Demo, #3).\n"
    f"It was mitigated at {DAY} 12:20 UTC, 20 min after the impact began: “rolled back” (Ana Demo, #6).",
    "detection": f"It was detected at {DAY} 12:07 UTC, 7 min after the impact began: “the alarm fired” (Bo Demo, #4).",
    "response": "Bo Demo led the response.\n"
    f"It was acknowledged at {DAY} 12:10 UTC, 3 min after it was detected (Bo Demo, #5).\n"
    f"First in the timeline: Chandra Demo {DAY} 11:40 UTC, Ana Demo {DAY} 12:00 UTC, "
    f"Bo Demo {DAY} 12:07 UTC.",
    "recovery": f"It was mitigated at {DAY} 12:20 UTC, 20 min after the impact began: “rolled back” (Ana Demo, #6).\n"
    f"It was resolved at {DAY} 12:30 UTC, 30 min after the impact began (Ana Demo, #7).",
    "root_cause": "because nobody tests the pool",
    "fault": "",
    "lessons": "",
    "backlog_check": "",
    "recurrence": "",
}


async def test_what_the_record_knows_stands_in_the_fields(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        for slug, text in FILLED.items():
            view = await form(play, play.ana, slug)
            assert fields(view) == text, slug
            assert ("Prefilled from the timeline. Edit freely; your version replaces it." in view.plain) is bool(text)
            await play.slack.close(play.ana, view)
        assert play.case().sections == {}


@pytest.mark.parametrize("title", ["Impact", "Detection", "Response", "Recovery", "Root cause"])
async def test_saved_unchanged_it_is_theirs_and_the_document_says_it_once(sqlite_url: str, title: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        slug = title.lower().replace(" ", "_")
        before = section(play, title)
        await play.slack.submit(play.bo, await form(play, play.bo, slug))
        saved = play.case().sections[slug]
        assert (saved.text, saved.author, saved.version) == (FILLED[slug], play.bo, 1)
        after = section(play, title)
        assert before.startswith("- **")
        assert "- **" not in after
        assert [line.rstrip("\\") for line in after.splitlines()] == FILLED[slug].splitlines()


async def test_what_the_text_does_not_say_still_stands_below_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        view = await form(play, play.bo, "detection")
        await play.slack.submit(play.bo, view, {"text_0": "The alarm was late, at 2026-11-23 12:07 UTC."})
        assert section(play, "Detection") == "The alarm was late, at 2026-11-23 12:07 UTC."
        await type_command(play, play.bo, "/timeline edit 4 12:09 UTC")
        assert "- **Detected:** 12:09 UTC — Bo Demo (#4)" in section(play, "Detection")


async def test_what_somebody_wrote_is_never_filled_in_again_even_where_they_emptied_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        await play.slack.submit(play.bo, await form(play, play.bo, "impact"), {"text_0": "Nobody felt it."})
        again = await form(play, play.ana, "impact")
        assert fields(again) == "Nobody felt it."
        await play.slack.submit(play.ana, again, {"text_0": ""})
        assert "impact" not in play.case().sections
        emptied = await form(play, play.chandra, "impact")
        assert fields(emptied) == ""
        await play.slack.submit(play.chandra, emptied, {"text_0": "Everybody felt it."})
        assert play.case().sections["impact"].version == 3


async def test_a_section_that_was_emptied_meanwhile_shows_so_and_keeps_what_was_typed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        await play.slack.submit(play.bo, await form(play, play.bo, "impact"), {"text_0": "Nobody felt it."})
        slow = await form(play, play.ana, "impact")
        await play.slack.submit(play.bo, await form(play, play.bo, "impact"), {"text_0": ""})
        await play.slack.submit(play.ana, slow, {"text_0": "A few felt it."})
        (again,) = play.slack.views(play.ana)
        assert "Bo Demo left it empty." in again.plain
        await play.slack.submit(play.ana, again)
        assert play.case().sections["impact"].text == "A few felt it."


async def test_an_incident_with_another_cause_is_named_in_recurrence(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await past(play, play.slack.channel("payments", [play.ana, play.bo]))
        await open_incident(play, "Checkout fails: connection pool exhausted")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "recall_other")
        assert fields(await form(play, play.ana, "recurrence")) == "INC-1 was compared, and had another cause."


async def test_a_long_lead_up_runs_over_several_fields(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for number in range(14):
            await type_command(play, play.bo, f"/timeline 11:{number + 10} UTC " + f"step {number} " * 60)
        await type_command(play, play.ana, "/incident started 12:00 UTC")
        view = await form(play, play.ana, "leadup")
        assert fields(view).count("\n- 2026-11-23 11:") == 13
        await play.slack.submit(play.ana, view)
        assert play.case().sections["leadup"].text == fields(view)
        assert len(fields(view)) > 3_000
