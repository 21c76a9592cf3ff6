"""`afterword import --draft`, as someone types it: an edited draft goes back, and nothing of either side is lost."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from bot import bounds
from bot.domain.records import Place
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.postmortem import sections as sections_store
from tests.support.command_line import invoke
from tests.support.storage.sample_records import NOW, PLACE, noting, open_incident
from tests.support.timeouts import PATIENT

SAVED = "2026-11-24T09:12:00Z"


class Desk:
    """One incident in a database, its drafts as files, and the command line."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.store: Store = open_store(url, timeouts=PATIENT)
        self.incident = self.store.write_now(open_incident)
        self.store.write_now(noting("The database is slow"))
        self.fill("leadup", "A release.")

    def fill(self, slug: str, text: str) -> None:
        """Save a section as in Slack."""
        saving = partial(sections_store.save, incident_id=self.incident.id, slug=slug, text=text, author="U1", now=NOW)
        self.store.write_now(saving)

    def draft(self, *edits: tuple[str, str], name: str = "draft.md") -> Path:
        """Export the draft, and edit the file."""
        file = self.folder / name
        result = invoke("export", "INC-1", "-o", str(file))
        assert result.exit_code == 0, result.output
        return self.edit(file, *edits)

    def edit(self, file: Path, *edits: tuple[str, str]) -> Path:
        text = file.read_text(encoding="utf-8")
        for before, after in edits:
            assert before in text
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        return file

    def give(self, file: Path, *options: str) -> Result:
        return invoke("import", "--draft", str(file), "--now", SAVED, *options)

    def import_file(self, file: Path, *options: str) -> str:
        result = self.give(file, *options)
        assert result.exit_code == 0, result.output
        return result.stdout

    def list_edits(self) -> list[tuple[str, int, str, str]]:
        case = self.store.read_now(lambda tx: case_store.load(tx, self.incident))
        return [(one.section, one.version, one.author, one.markdown) for one in case.edited_sections]


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    made = Desk(database_url, tmp_path)
    yield made
    made.store.close()


def test_an_edited_draft_is_kept_and_comes_out_again(desk: Desk) -> None:
    output = desk.import_file(desk.draft(("A release.", "A *large* release.")), "--by", "Ana Demo")
    assert output.splitlines() == [
        "INC-1 Checkout is down, compiled at revision 1; the record is at revision 2; 1 kept.",
        "Leadup: imported.",
        "13 of 14 sections untouched.",
    ]
    assert desk.list_edits() == [("leadup", 1, "Ana Demo", "A *large* release.")]
    desk.store.write_now(noting("Failed over"))
    again = desk.draft().read_text(encoding="utf-8")
    assert "A *large* release." in again
    assert "Failed over" in again
    audit = desk.store.read_now(lambda tx: case_store.load(tx, desk.incident, with_audit=True)).audit
    assert [(line.who, line.verb, line.what) for line in audit if line.verb == "drafts.take"] == [
        ("afterword-import", "drafts.take", "draft leadup")
    ]


def test_the_same_file_twice_changes_nothing(desk: Desk) -> None:
    file = desk.draft(("A release.", "A *large* release."))
    desk.import_file(file)
    before = desk.list_edits()
    assert "Leadup: nothing new, the document already says this." in desk.import_file(file)
    assert "the record is at revision 2; 0 kept." in desk.import_file(file, "--by", "Ana Demo")
    desk.fill("leadup", "Release 4.12.")
    assert "Leadup: already imported, nothing changed." in desk.import_file(file)
    assert desk.list_edits() == before


def test_where_the_record_changed_meanwhile_both_are_printed_and_both_are_in_the_next_draft(desk: Desk) -> None:
    file = desk.draft(("A release.", "A *large* release.\nOn a Monday."))
    desk.fill("leadup", "Release 4.12.")
    output = desk.import_file(file, "--by", "Ana Demo")
    assert "Leadup: imported, and changed elsewhere as well. Both texts are shown. Choose in Slack" in output
    assert [line.strip() for line in output.splitlines() if line.startswith("    ")] == [
        "--- the record now",
        "+++ this file",
        "@@ -1 +1,2 @@",
        "-Release 4.12.",
        "+A *large* release.",
        "+On a Monday.",
    ]
    again = desk.draft().read_text(encoding="utf-8")
    assert "### Edited by Ana Demo on 2026-11-24 09:12 UTC\n\nA *large* release.\nOn a Monday." in again
    assert "### What the record says now\n\nRelease 4.12." in again


def test_an_older_draft_does_not_overwrite_what_came_back_since(desk: Desk) -> None:
    older = desk.draft(("A release.", "Hers."), name="older.md")
    newer = desk.draft(("A release.", "His."), name="newer.md")
    desk.import_file(newer, "--by", "Bo Demo")
    output = desk.import_file(older, "--by", "Ana Demo")
    assert "--- what Bo Demo wrote" in output
    again = desk.draft()
    assert all(text in again.read_text(encoding="utf-8") for text in ("Hers.", "His."))
    both = again.read_text(encoding="utf-8")
    start, end = both.index("**This section has more"), both.index("<!-- afterword:fault")
    again.write_text(f"{both[:start]}Theirs.\n\n{both[end:]}", encoding="utf-8")
    assert "Leadup: imported." in desk.import_file(again, "--by", "Ana Demo")
    last = desk.draft().read_text(encoding="utf-8")
    assert "Theirs." in last
    assert not any(text in last for text in ("Hers.", "His.", "More than one text"))


def test_who_goes_on_in_the_same_file_replaces_their_own_words(desk: Desk) -> None:
    file = desk.draft(("A release.", "A *large* release."))
    desk.import_file(file, "--by", "Ana Demo")
    output = desk.import_file(desk.edit(file, ("*large*", "*huge*")), "--by", "Ana Demo")
    assert "Leadup: imported." in output
    again = desk.draft().read_text(encoding="utf-8")
    assert "A *huge* release." in again
    assert "*large*" not in again


def test_an_emptied_section_is_asked_about(desk: Desk) -> None:
    output = desk.import_file(desk.draft(("A release.", "")), "--by", "Ana Demo")
    assert "Leadup: emptied in the file. It isn't blank yet: both texts are shown. Choose in Slack" in output
    again = desk.draft().read_text(encoding="utf-8")
    assert "A release." in again
    assert "_Emptied: this section stays blank._" in again


def test_what_cannot_be_taken_is_told_and_the_rest_is_kept(desk: Desk) -> None:
    file = desk.draft(("A release.", "Hers."), ("| open |", "| over |"), ("## Fault", "## What broke"))
    file.write_text(file.read_text(encoding="utf-8") + "\n<!-- afterword:else -->\n## Else\n\nWords.", encoding="utf-8")
    result = desk.give(file)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "Before the first section: not imported. To change the title, severity, times or people, use /incident.",
        "Leadup: imported.",
        "Fault: its heading comes from the template, so “What broke” wasn't imported.",
        "else: not imported: the document doesn't have this section. Move the text into one that it has.",
        "13 of 15 sections untouched.",
    ]
    assert desk.list_edits() == [("leadup", 1, "", "Hers.")]


def test_a_lost_marker_is_told_and_what_differs_counts_as_an_edit(desk: Desk) -> None:
    output = desk.import_file(desk.draft(("<!-- afterword:leadup ", "<!-- "), ("A release.", "Hers.")))
    assert "Found by heading, because their markers are lost: Leadup. Differences there count as edits." in output
    again = desk.draft().read_text(encoding="utf-8")
    assert all(text in again for text in ("Hers.", "A release.", "### Edited on 2026-11-24 09:12 UTC"))


def test_a_file_of_a_program_that_drops_comments_brings_the_edit_and_nothing_else(desk: Desk) -> None:
    file = desk.draft(("A release.", "Hers."))
    file.write_text(re.sub("<!--.*-->\n", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    assert "Found by heading, because their markers are lost: Incident summary, Leadup, Fault" in desk.import_file(file)
    assert [one[0] for one in desk.list_edits()] == ["leadup"]
    desk.import_file(desk.edit(file, ("incident: INC-1\n", "")))
    assert [one[0] for one in desk.list_edits()] == ["leadup"]


def test_what_is_no_draft_is_a_sentence_and_writes_nothing(desk: Desk) -> None:
    file = desk.folder / "notes.md"
    for content, sentence in (
        (b"# Notes", "This isn't one of Afterword's drafts"),
        (b"\xff\xfe#\x00", "is not UTF-8 text (byte 0)"),
        (desk.draft(("incident: INC-1", "incident: INC-9")).read_bytes(), "There's no INC-9"),
        (b"x" * (bounds.DRAFT + 1), "at most 3,000,000 can be kept"),
    ):
        file.write_bytes(content)
        result = desk.give(file)
        assert (result.exit_code, result.stdout) == (1, "")
        assert sentence in result.stderr
    assert desk.list_edits() == []


def test_where_two_workspaces_have_the_incident_one_is_named(desk: Desk) -> None:
    file = desk.draft(("A release.", "Hers."))

    def elsewhere(tx: Transaction) -> None:
        incidents_store.open_new(tx, Place("T2", "C9"), "Something else", "U9", NOW)

    desk.store.write_now(elsewhere)
    assert "2 workspaces have INC-1. Choose one with --team." in desk.give(file).stderr
    assert "Leadup: imported." in desk.import_file(file, "--team", PLACE.team)


@pytest.mark.parametrize("options", [(), ("--draft", "draft.md", "INC-1.json")])
def test_an_import_takes_one_file(desk: Desk, options: tuple[str, ...]) -> None:
    for name in options[1:]:
        (desk.folder / name).touch()
    named = [str(desk.folder / word) if "." in word else word for word in options]
    result = invoke("import", *named)
    assert result.exit_code == 2
    assert "Give either the FILE of an incident, or an edited draft" in result.stderr


def test_what_came_back_is_in_the_whole_record_and_comes_in_again(desk: Desk) -> None:
    desk.import_file(desk.draft(("A release.", "A *large* release.")), "--by", "Dana from support")
    file = desk.folder / "INC-1.json"
    exporting = ["export", "INC-1", "--format", "json", "--now", SAVED, "-o", str(file)]
    assert invoke(*exporting).exit_code == 0
    before = file.read_bytes()
    assert b"Dana from support" in before
    again = invoke("import", str(file))
    assert "is already here, with the same content. Nothing was changed." in again.stdout
    elsewhere = invoke("import", str(file), "--team", "T2")
    assert "INC-1 was imported into T2" in elsewhere.stdout, elsewhere.output
    assert invoke(*exporting, "--team", "T2").exit_code == 0
    assert file.read_bytes() == before.replace(b'"workspace": "T1"', b'"workspace": "T2"')
