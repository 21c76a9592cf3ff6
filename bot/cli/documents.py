"""`afterword export`, `afterword import` and `afterword template`: documents out, records and drafts in, own templates.

Output files are written whole or not at all.
"""

import difflib
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bot import bounds
from bot.cli import options as options_commands
from bot.cli.settings import load_settings, open_configured_store, read_time
from bot.domain.document import Document
from bot.domain.masking import MaskRules
from bot.domain.records import AttachmentState, Incident
from bot.domain.samples import SAMPLES
from bot.domain.text import clean, to_one_line
from bot.errors import Refused
from bot.export import FORMATS, Exporter, pdf, templates
from bot.export.drafts import RegionEdits, RegionOutcome
from bot.export.json import reader as json_reader
from bot.export.outlines import describe_outline, read_outlines
from bot.export.templates import BrokenTemplateError
from bot.policy import build_mask_rules, build_reminder_rules
from bot.services.documents import compiler as compiler_service
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile, Imported, Report, SettledRegion
from storage.database.statements import Transaction
from storage.database.store import Store

MOST_LINES = 60
"""Lines of a difference that are printed: the draft has both texts."""

_NOT_TAKEN = {
    RegionOutcome.UNCHOSEN: "not imported: it still has more than one text. Keep only the right one, without the "
    "headings that say whose it is, and import the file again. Or choose in Slack with "
    "/postmortem.",
    RegionOutcome.TWICE: "not imported: the file has this section twice, and both were edited. Keep one of them.",
    RegionOutcome.DAMAGED: "not imported: a marker inside it is damaged (<!-- afterword:… -->). Restore it as the "
    "export wrote it, on its own line before the section's heading.",
    RegionOutcome.UNKNOWN: "not imported: the document doesn't have this section. Move the text into one that it has.",
}
_CHOOSE = "Choose in Slack with /postmortem, or keep only the right text in the next export and import that."


def import_draft(store: Store, exporter: Exporter, file: EditedDraftFile, team: str, now: datetime) -> bool:
    """Import a draft and print what became of it; whether everything in it was accepted."""
    try:
        report = drafts_service.import_draft(store, exporter, file, team, now)
    except BrokenTemplateError as error:
        raise Refused(
            f"The draft wasn't imported, because its templates can't be used. Fix them first: {error}"
        ) from error
    for line in _report_lines(report):
        click.echo(line)
    return not any(one.region.outcome in _NOT_TAKEN for one in report.settled)


def read_text(file: Path) -> str:
    """The text of a draft's file. Raises Refused for what is no text, or too long."""
    # Before it is read: a wrong path may name a disk image.
    if file.stat().st_size > bounds.DRAFT_FILE:
        raise Refused(f"{file} has more than {bounds.DRAFT_FILE // 1_000_000} MB: that's too large for a draft.")
    try:
        # With or without a mark of byte order: editors on Windows write one.
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{file} is not UTF-8 text (byte {error.start}). Save it as UTF-8, then import it again."
        ) from error


def _report_lines(report: Report) -> Iterator[str]:
    yield _summarize(report)
    if report.is_head_edited:
        yield "Before the first section: not imported. To change the title, severity, times or people, use /incident."
    if lost := [one.region.title for one in report.settled if one.region.is_marker_lost]:
        yield f"Found by heading, because their markers are lost: {', '.join(lost)}. Differences there count as edits."
    for one in report.settled:
        yield from _describe_region(one)
    untouched = sum(one.region.outcome is RegionOutcome.UNTOUCHED for one in report.settled)
    yield f"{untouched} of {len(report.settled)} sections untouched."


def _summarize(report: Report) -> str:
    before, now = report.paper.revision, report.revision
    new = sum(one.is_new for one in report.settled)
    compiled = "" if before is None else f", compiled at revision {before}"
    return f"{report.incident.key} {report.incident.title}{compiled}; the record is at revision {now}; {new} kept."


def _describe_region(one: SettledRegion) -> Iterator[str]:
    region = one.region
    if region.heading:
        yield f"{region.title}: its heading comes from the template, so “{region.heading}” wasn't imported."
    if region.outcome in _NOT_TAKEN:
        yield f"{region.title}: {_NOT_TAKEN[region.outcome]}"
    elif region.outcome is RegionOutcome.SAME:
        yield f"{region.title}: nothing new, the document already says this."
    elif region.outcome is RegionOutcome.ABSENT:
        yield f"{region.title}: not in the file, so nothing changed."
    elif region.outcome is RegionOutcome.EMPTIED and one.is_new:
        yield f"{region.title}: emptied in the file. It isn't blank yet: both texts are shown. {_CHOOSE}"
    elif region.outcome in (RegionOutcome.EDITED, RegionOutcome.EMPTIED):
        yield from _describe_edit(one)


def _describe_edit(one: SettledRegion) -> Iterator[str]:
    edits = one.edits
    if not one.is_new:
        yield f"{one.region.title}: already imported, nothing changed."
    elif edits is None or not edits.is_contested:
        yield f"{one.region.title}: imported."
    else:
        yield f"{one.region.title}: imported, and changed elsewhere as well. Both texts are shown. {_CHOOSE}"
        yield from _diff_lines(one, edits)


def _diff_lines(one: SettledRegion, edits: RegionEdits) -> Iterator[str]:
    others = {_describe_author(text.author.name if text.author else ""): text.markdown for text in edits.texts[:-1]}
    if edits.needs_record:
        others["the record now"] = edits.own.body
    for name, text in others.items():
        lines = difflib.unified_diff(text.splitlines(), one.region.text.splitlines(), name, "this file", "", "", 1, "")
        for count, line in enumerate(lines):
            if count == MOST_LINES:
                yield "    … The export has both texts in full."
                break
            yield f"    {clean(line)}"  # a file may contain control sequences of the terminal


def _describe_author(name: str) -> str:
    return f"what {name or 'an unnamed person'} wrote"


_LONGEST_NUMBER = 9
"""Digits that fit into an integer column of every database."""


@click.command()
@click.argument("key")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--team", "workspace", help="The workspace's ID, if the database has several.")
@click.option("--now", help="The time to show it as of, in ISO format. Default: now.")
@click.option("--masked", is_flag=True, help="Write a masked copy to share, and list what's masked on standard error.")
def export(key: str, form: str, output: Path | None, workspace: str | None, now: str | None, *, masked: bool) -> None:
    """Write the postmortem of an incident, such as INC-7; as json it is the whole record, for `afterword import`."""
    settings, moment = load_settings(), options_commands.parse_now(now)
    with open_configured_store(settings) as store:
        moment = moment or read_time(store)
        incident = _require_incident(store, key, workspace)
        rules = build_mask_rules(settings) if masked else None
        document = store.read_now(lambda tx: _compile(tx, incident, form, moment, rules))
    written = Exporter(settings.templates_folder, options_commands.find_timeouts()).write(document, form)
    if written.trouble:
        click.echo(f"Your templates couldn't be used, so this uses Afterword's own. {written.trouble}", err=True)
    if written.undrawn:
        click.echo(_describe_missing_fonts(written.undrawn), err=True)
    options_commands.write_output(written.content, output)


def _describe_missing_fonts(letters: str) -> str:
    return (
        "This machine has no font for some letters, so they show as boxes: "
        f"{pdf.describe_scripts(letters)}. Install such fonts (as the package fonts-noto-cjk) and export again. "
        f"Every other format shows them."
    )


def _compile(tx: Transaction, incident: Incident, form: str, moment: datetime, rules: MaskRules | None) -> Document:
    if rules is None:
        return compiler_service.compile_document(tx, incident, form, moment)
    document, finds = compiler_service.compile_masked(tx, incident, rules, moment)
    for find in finds:
        click.echo(f"Masked {find.kind} in {find.where}: {find.hint}", err=True)
    return document


def _require_incident(store: Store, key: str, workspace: str | None) -> Incident:
    number = key.upper().removeprefix("INC-")
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        raise click.BadParameter(f"{key!r} isn't an incident. Write it as INC-7.")
    return store.read_now(lambda tx: compiler_service.find_incident(tx, int(number), workspace or ""))


@click.command("import")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--team", default="", help="The workspace's ID: where to put the incident, or where a draft comes from.")
@click.option("--channel", default="", help="The ID of the channel to put the incident into. Default: the file's.")
@click.option("--as-new", is_flag=True, help="Take the next free key instead of the file's.")
@click.option(
    "--draft",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An edited Markdown draft to import. What people wrote is kept.",
)
@click.option("--by", default="", help="With --draft: who edited it, a name or a Slack user ID.")
@click.option("--now", help="With --draft: when it was edited, in ISO format. Default: now.")
def import_(*, file: Path | None, draft: Path | None, by: str, now: str | None, **wish: Any) -> None:
    """Import the incident in FILE, as written by `afterword export --format json`, or an edited draft (--draft).

    Everything is imported or nothing, and the bot may be running. Nothing is posted to Slack. An incident that's
    already there is left as it is, and importing the same draft twice changes nothing.
    """
    if (file is None) == (draft is None):
        raise click.UsageError(
            "Give either the FILE of an incident, or an edited draft: afterword import --draft FILE.md."
        )
    if draft is not None:
        sys.exit(0 if _import_draft(draft, by, wish["team"], options_commands.parse_now(now)) else 1)
    if file is not None:
        _import(file, drafts_service.ImportRequest(wish["team"], wish["channel"], is_new=wish["as_new"]))


def _import_draft(draft: Path, by: str, team: str, now: datetime | None) -> bool:
    settings = load_settings()
    exporter = Exporter(settings.templates_folder, options_commands.find_timeouts())
    with open_configured_store(settings) as store:
        return import_draft(
            store, exporter, EditedDraftFile(read_text(draft), by.strip()), team, now or read_time(store)
        )


def _import(file: Path, wish: drafts_service.ImportRequest) -> None:
    settings = load_settings()
    try:
        record = json_reader.read(_read_file(file))
    except Refused as error:
        raise click.ClickException(f"{file} wasn't imported. {error}") from error
    rules = build_reminder_rules(settings)
    with open_configured_store(settings) as store:
        imported = drafts_service.import_record(store, record, wish, rules, read_time(store))
    for line in _import_lines(imported):
        click.echo(line)


def _read_file(file: Path) -> bytes:
    # One byte more than the limit is enough for the reader to refuse the file.
    with file.open("rb") as opened:
        return opened.read(bounds.RECORD_FILE + 1)


def _import_lines(imported: Imported) -> list[str]:
    incident, case = imported.incident, imported.record.case
    if imported.added:
        return [
            f"{incident.key} was already here. What was recorded about {', '.join(imported.added)} was added to it."
        ]
    if imported.is_here:
        return [f"{incident.key} is already here, with the same content. Nothing was changed."]
    counts = {
        ("entry", "entries"): len(case.entries),
        ("struck entry", "struck entries"): len(imported.record.history.struck),
        ("why", "whys"): len(case.whys),
        ("section", "sections"): len(case.sections),
        ("action", "actions"): len(case.actions),
        ("file", "files"): sum(file.state is AttachmentState.STORED for file in case.attachments),
    }
    named = (f"{number} {one if number == 1 else many}" for (one, many), number in counts.items() if number)
    what = ", ".join(named) or "nothing in it yet"
    lines = [f"{incident.key} was imported into {incident.team}: {what}."]
    if incident.number != case.incident.number:
        lines.append(f"It was {case.incident.key} in the file. Its key is now {incident.key}.")
    if imported.left_out:
        lines.append(
            f"What was recorded about {', '.join(imported.left_out)} was left out, because that incident isn't here. "
            "Import it first, then this file again."
        )
    return lines


@click.group()
def template() -> None:
    """A team's own templates for the postmortem (docs/templates.md)."""


@template.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Try the templates and forms of FOLDER (default: AFTERWORD_TEMPLATES) on three invented incidents.

    Prints a line for each file that replaces ours, for each form, and for each finding. Exit status 1 if an export
    would fall back to ours, or a form is broken.
    """
    chosen = folder or load_settings().templates_folder
    if chosen is None:
        raise click.UsageError("Name the folder, as in: afterword template check FOLDER, or set AFTERWORD_TEMPLATES.")
    trial = templates.try_folder(chosen)
    for name in trial.used:
        _print_line("ok", f"{name} replaces ours.")
    for sentence in trial.notes:
        _print_line("note", sentence)
    for sentence in trial.broken:
        _print_line("FAIL", sentence)
    if trial.broken:
        click.echo("Until this is fixed, exports use Afterword's own templates, and say so.")
    if not _check_forms(chosen) or trial.broken:
        sys.exit(1)
    click.echo(f"{chosen} can be used: tried on {len(SAMPLES)} incidents ({', '.join(SAMPLES)}).")


def _check_forms(folder: Path) -> bool:
    """Print a line for each form of the folder, and for each mistake; whether there is none."""
    forms = read_outlines(folder)
    for outline in forms.outlines.values():
        _print_line("ok", describe_outline(outline))
    for sentence in forms.troubles:
        _print_line("FAIL", sentence)
    if forms.troubles:
        click.echo("Until this is fixed, a form stays as it was when it could be read last.")
    return not forms.troubles


def _print_line(sign: str, sentence: str) -> None:
    click.echo(f"{sign:4}  {to_one_line(sentence)}")  # a template must not steer the terminal


@template.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def copy(folder: Path) -> None:
    """Write our templates and style sheets into FOLDER, to start from. Existing files are left as they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*templates.TEMPLATES, *templates.STYLES):
            _copy_file(folder / name, name)
    except OSError as error:
        raise Refused(f"{error.filename} can't be written: {error.strerror}.") from error
    click.echo(f"Delete the files that you don't change, and set AFTERWORD_TEMPLATES={folder}")


def _copy_file(file: Path, name: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(templates.shipped_text(name) or "")
        _print_line("ok", f"{name} was written.")
    except FileExistsError:
        _print_line("note", f"{name} already exists and wasn't changed.")
