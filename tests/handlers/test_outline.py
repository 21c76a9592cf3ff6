"""A team's own sections as people meet them: given by a rule, filled in forms, chosen anew, published, never lost."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.domain.facets import Facet, FacetKind
from bot.domain.outline import outline_of
from bot.rehearsal.screen import ShownView
from storage import facets as facets_store
from tests.handlers.test_postmortem import fill
from tests.support.interactions import export_text, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

SHORT = """
title = "Short form"

[summary]
title = "What happened"

[root_cause]
title = "Cause"

[costs]
question = "What did it cost us, in money and hours?"
required = true

[actions]
title = "What will change"
required = false
"""

RULES = """
[sections]
sev3 = "short"
sev4 = "short"

[sections.services]
billing = "short"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "templates"
    made.mkdir()
    (made / "short.toml").write_text(SHORT, encoding="utf-8")
    return made


@pytest.fixture
def environ(folder: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "afterword.toml").write_text(RULES, encoding="utf-8")
    return {"AFTERWORD_TEMPLATES": str(folder), "AFTERWORD_CONFIG": str(tmp_path / "afterword.toml")}


def stage(url: str, environ: dict[str, str]) -> AbstractAsyncContextManager[Play]:
    return on_stage(url, environ=environ)


async def over(play: Play, severity: int = 3) -> None:
    """A resolved incident of a severity, with one entry."""
    await open_incident(play)
    await type_command(play, play.ana, f"/incident sev {severity}")
    await type_command(play, play.ana, "/timeline 11:40 UTC pool exhausted")
    await type_command(play, play.ana, "/incident lead @Bo Demo")
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()


async def open_form(play: Play, section: str) -> ShownView:
    """The form of a section, named in a command."""
    await type_command(play, play.bo, f"/postmortem fill {section}")
    await play.settle()
    (view,) = play.slack.views(play.bo)
    return view


async def test_a_small_incident_is_written_in_the_short_form(database_url: str, environ: dict[str, str]) -> None:
    async with stage(database_url, environ) as play:
        await over(play)
        answer = await type_command(play, play.bo, "/postmortem")
        assert "0 of 4 sections filled" in answer
        assert "*Still empty:* What happened, Cause, Costs, What will change" in answer
        assert labels(last(play, play.bo))[0] == "Fill: What happened"
        refused = await type_command(play, play.bo, "/postmortem publish")
        assert "Not published: What happened, Cause and Costs are still empty" in refused
        view = await open_form(play, "costs")
        assert view.title == "Costs"
        assert "What did it cost us, in money and hours?" in view.plain
        await play.slack.submit(play.bo, view, {"text_0": "Six hours of two people."})
        await play.settle()
        assert "Saved *Costs* of INC-1. 1 of 4 sections filled." in last(play, play.bo).plain
        await fill(play, play.bo, "summary", "Checkout was down.")
        await fill(play, play.bo, "root_cause", "The pool was too small.")
        document = await export_text(play)
        assert [line for line in document.splitlines() if line.startswith("## ")] == [
            "## What happened", "## Cause", "## Costs", "## What will change"
        ]  # fmt: skip
        assert "Six hours of two people." in document
        await type_command(play, play.bo, "/postmortem publish")
        assert play.case().incident.published_at is not None


async def test_a_large_incident_keeps_the_14(sqlite_url: str, environ: dict[str, str]) -> None:
    async with stage(sqlite_url, environ) as play:
        await over(play, severity=1)
        assert "of 14 sections filled" in await type_command(play, play.bo, "/postmortem")
        assert play.case().incident.outline is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("cosst", "I don't know the section cosst. Did you mean `/postmortem fill costs`?"),
        ("nothing like it", "Sections: What happened, Cause, Costs, What will change."),
        (
            "detection",
            "The Short form has no section Detection. It has: What happened, Cause, Costs,",
        ),
        ("detection", "To choose another: `/postmortem form`"),
    ],
)
async def test_a_name_that_is_none_is_answered_with_those_there_are(
    sqlite_url: str, environ: dict[str, str], typed: str, answer: str
) -> None:
    async with stage(sqlite_url, environ) as play:
        await over(play)
        assert answer in await type_command(play, play.bo, f"/postmortem fill {typed}")


async def test_another_form_is_chosen_and_no_text_is_lost(database_url: str, environ: dict[str, str]) -> None:
    async with stage(database_url, environ) as play:
        await over(play, severity=2)
        await fill(play, play.bo, "detection", "A customer called.")
        shown = await type_command(play, play.bo, "/postmortem form")
        assert "INC-1 has this form: Standard form" in shown
        assert "*Short form* (`/postmortem form short`): What happened, Cause, Costs, What will change" in shown
        await press(play, play.bo, "outline_choose_short")
        answer = last(play, play.bo).plain
        assert "INC-1 has the *Short form* now: What happened, Cause, Costs, What will change. 0 of 4" in answer
        assert "Also written, and shown at the end of the document: Detection." in answer
        document = await export_text(play)
        assert document.rstrip().endswith("A customer called.")
        assert "\n## Also written: Detection\n" in document
        # What is written can still be edited, from the list and by its name.
        await fill(play, play.bo, "detection", "A customer called at noon.")
        view = await open_form(play, "costs")
        await type_command(play, play.ana, "/postmortem form standard")
        # Its form was open meanwhile: the text is kept, too, and its title with it.
        await play.slack.submit(play.bo, view, {"text_0": "Six hours."})
        await play.settle()
        assert "## Detection\n\nA customer called at noon." in (document := await export_text(play))
        assert "## Also written: Costs\n\nSix hours." in document
        assert "2 of 14 sections" in await type_command(play, play.bo, "/postmortem")


async def test_a_chosen_form_stays_whatever_the_severity(sqlite_url: str, environ: dict[str, str]) -> None:
    async with stage(sqlite_url, environ) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/postmortem form short")
        await type_command(play, play.ana, "/incident sev 1")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        assert outline_of(play.case().incident).name == "short"
        assert "these sections already" in await type_command(play, play.ana, "/postmortem form short")


async def test_a_resolved_incident_keeps_its_form_and_is_offered_the_one_of_its_severity(
    sqlite_url: str, environ: dict[str, str], folder: Path
) -> None:
    async with stage(sqlite_url, environ) as play:
        await over(play, severity=2)
        await type_command(play, play.ana, "/incident sev 4")
        answer = await type_command(play, play.bo, "/postmortem")
        assert "of 14 sections filled" in answer
        assert "For an incident like this your team uses the *Short form*. No text is lost." in answer
        await press(play, play.bo, "outline_choose_short")
        assert "0 of 4 sections" in (answer := await type_command(play, play.bo, "/postmortem"))
        assert "your team uses" not in answer
        # An edit of the file is for later incidents: this one keeps what it was given.
        (folder / "short.toml").write_text("[summary]\n[impact]\n", encoding="utf-8")
        await play.pass_time(minutes=6)
        assert "0 of 4 sections" in await type_command(play, play.bo, "/postmortem")
        await type_command(play, play.bo, "/postmortem form short")
        assert "0 of 2 sections" in await type_command(play, play.bo, "/postmortem")


async def test_while_a_file_is_broken_the_form_before_stays_in_force(
    sqlite_url: str, environ: dict[str, str], folder: Path
) -> None:
    async with stage(sqlite_url, environ) as play:
        (folder / "short.toml").write_text("[summary]\n\n[costs]\nrequird = true\n", encoding="utf-8")
        await over(play)
        assert "0 of 4 sections filled" in await type_command(play, play.bo, "/postmortem")
        shown = await type_command(play, play.bo, "/postmortem form")
        assert "short.toml, line 4: A section has no setting requird. Did you mean required?" in shown


async def test_a_service_has_its_form_before_the_severity(sqlite_url: str, environ: dict[str, str]) -> None:
    async with stage(sqlite_url, environ) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident sev 1")
        about, facet = play.case().incident, Facet(FacetKind.SERVICE, "Billing", play.ana, play.clock.now())
        play.bot.store.write_now(lambda tx: facets_store.add(tx, about, facet))
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        assert outline_of(play.case().incident).name == "short"


async def test_a_form_for_all_is_the_file_default(sqlite_url: str, folder: Path) -> None:
    (folder / "default.toml").write_text("[summary]\n\n[lessons]\n\n[actions]\n", encoding="utf-8")
    async with stage(sqlite_url, {"AFTERWORD_TEMPLATES": str(folder)}) as play:
        await over(play, severity=1)
        assert "0 of 3 sections filled" in await type_command(play, play.bo, "/postmortem")
        answer = await type_command(play, play.bo, "/postmortem form shrot")
        assert "I don't know the form shrot. Did you mean `/postmortem form short`?" in answer
        assert "*Standard form*" in await type_command(play, play.bo, "/postmortem form")


async def test_a_published_postmortem_keeps_its_form(sqlite_url: str, environ: dict[str, str]) -> None:
    async with stage(sqlite_url, environ) as play:
        await over(play)
        for slug in ("summary", "root_cause", "costs"):
            await fill(play, play.bo, slug, f"Text of {slug}.")
        await type_command(play, play.bo, "/postmortem publish")
        answer = await type_command(play, play.bo, "/postmortem form standard")
        assert "already published. Reopen it first: `/postmortem reopen INC-1`" in answer


async def test_without_forms_the_command_says_where_they_come_from(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await over(play)
        assert "A file in your template folder makes one" in await type_command(play, play.bo, "/postmortem form")


async def test_words_of_a_section_of_their_own_are_searched_and_stand_on_the_canvas(
    database_url: str, environ: dict[str, str]
) -> None:
    async with stage(database_url, environ) as play:
        await over(play)
        await fill(play, play.bo, "costs", "Forty thousand zlotys.")
        assert "1 match for *zlotys*" in await type_command(play, play.bo, "/incident search zlotys")
        await type_command(play, play.bo, "/postmortem export canvas")
        await play.settle()
        (canvas,) = play.slack.workspace.canvases.values()
        assert "## Costs\n\nForty thousand zlotys." in canvas.markdown
        await type_command(play, play.bo, "/postmortem form standard")
        await type_command(play, play.bo, "/postmortem export canvas")
        await play.settle()
        (canvas,) = play.slack.workspace.canvases.values()
        assert canvas.markdown.count("Forty thousand zlotys.") == 1
        assert "## Also written: Costs\n" in canvas.markdown
        assert "## Detection\n" in canvas.markdown
        # Its heading reads otherwise there: an edit of the same section with the same words, and of no other.
        assert {(one.section, one.markdown) for one in play.case().edited_sections} <= {
            ("costs", "Forty thousand zlotys.")
        }
