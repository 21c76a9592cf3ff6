"""`afterword prune` and `forget`: what is deleted from the record, by age and by person."""

import re
from collections.abc import Iterator
from dataclasses import replace

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings
from bot.clock import SystemClock
from bot.domain.text import format_count
from bot.policy import build_retention_rules
from bot.services.history import people as people_service
from bot.services.history import retention as retention_service
from bot.services.history.people import ForgetReport
from bot.timeouts import Timeouts
from storage.database.lock import lock_database
from storage.database.store import open_store


@click.command()
@click.option("--now", help="The time to go by, in ISO format. Default: now.")
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and change nothing.")
def prune(now: str | None, *, dry_run: bool) -> None:
    """Delete what AFTERWORD_RETENTION_DAYS and AFTERWORD_RETENTION_INCIDENT_DAYS say. A running bot does so hourly.

    Only incidents that are published, or whose postmortem was waived, lose anything.
    """
    settings, moment = load_settings(), options_commands.parse_now(now) or SystemClock().now()
    rules = build_retention_rules(settings)
    store = open_store(settings.sqlalchemy_url, timeouts=_find_patience())
    try:
        report = (
            retention_service.rehearse(store, rules, moment)
            if dry_run
            else store.write_now(lambda tx: retention_service.prune(tx, rules, moment, most=1_000_000))
        )
    finally:
        store.close()
    for key, counts in report.leftovers.items():
        click.echo(f"{key}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    for key, rows in report.erased.items():
        click.echo(f"{key}: the whole incident, {format_count(rows, 'row')}")
    if not report.leftovers and not report.erased:
        click.echo(
            "Nothing is due. The settings AFTERWORD_RETENTION_… say how long things are kept.",
            err=True,
        )
    elif dry_run:
        click.echo("Nothing was changed.", err=True)


_USER_ID = re.compile(r"<?@?([UW][A-Z0-9]{2,20})>?")
_PATIENCE_SECONDS = 600.0
"""No one in Slack waits for these commands, and they go through whole tables."""


def _find_patience() -> Timeouts:
    return replace(options_commands.find_timeouts(), database_wait=_PATIENCE_SECONDS, database_answer=_PATIENCE_SECONDS)


@click.command()
@click.argument("user")
@click.option("--name", "names", multiple=True, help="Another name that people wrote for them. Can be repeated.")
@click.option("--dry-run", is_flag=True, help="Only count what would be replaced.")
def forget(user: str, names: tuple[str, ...], *, dry_run: bool) -> None:
    """Replace a person (USER is their Slack ID, U…) by a pseudonym in the whole record, while the bot is stopped.

    Their ID, their name in Slack and every --name are replaced in entries, whys, sections, actions, the history, the
    audit, messages and what waits to be sent. Their open actions and postmortems have no owner afterwards. Words that
    only describe them stay, and so do the contents of files.
    """
    found = _USER_ID.fullmatch(user.strip())
    if found is None:
        raise click.BadParameter(f"{user!r} isn't a Slack user ID. It begins with U or W: copy it from their profile.")
    settings = load_settings()
    with lock_database(settings.sqlalchemy_url):
        store = open_store(settings.sqlalchemy_url, timeouts=_find_patience())
        try:
            wanted = (name.strip() for name in names)
            now = SystemClock().now()
            report = people_service.forget(store, found[1], filter(None, wanted), now, is_dry=dry_run)
        finally:
            store.close()
    for line in _forget_lines(found[1], report, is_dry=dry_run):
        click.echo(line)


def _forget_lines(user: str, report: ForgetReport, *, is_dry: bool) -> Iterator[str]:
    if not report.rows:
        yield f"Nothing here mentions {user}."
        return
    counts = ", ".join(f"{table} {count:,}" for table, count in sorted(report.rows.items()))
    incidents = format_count(report.incidents, "incident")
    if is_dry:
        yield f"Would replace {user} in {incidents}. Rows by table: {counts}. Nothing was changed."
    else:
        yield f"{user} is now {report.pseudonym}, in {incidents}. Rows by table: {counts}."
    for incident in report.unowned:
        yield f"{incident.key}: an action or the postmortem has no owner now."
    for incident, copies in report.copies:
        yield f"{incident.key} was copied before. Make these again, or delete them: {', '.join(copies)}."
    if not is_dry:
        yield "Backups, the copies next to the database and messages in Slack still name them."
        yield "With PostgreSQL, restart every replica, because each one remembers names."
        yield "If they're still a member of the workspace, deactivate them: Slack tells Afterword their name again."
