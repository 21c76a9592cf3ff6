"""`afterword policy check`: the policy file, checked, and what it asks after an incident of each severity."""

import sys
from pathlib import Path

import click

from bot.cli.settings import load_settings
from bot.domain.reminders import ReminderRules, describe_policy
from bot.domain.text import to_one_line
from bot.errors import Misconfigured
from bot.policy import build_reminder_rules, build_severity_policies, list_checks
from bot.settings.config_file import ConfigWatch


@click.group()
def policy() -> None:
    """What is asked after an incident, by severity (docs/policy.md)."""


@policy.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path | None) -> None:
    """Check FILE (default: AFTERWORD_CONFIG), and show what it asks after an incident of each severity.

    Prints a line for each mistake, with its line in the file. Exit status 1 if there is one.
    """
    settings = load_settings()
    chosen = file or settings.config_path
    if chosen is None:
        raise click.UsageError("Name the file, as in: afterword policy check afterword.toml, or set AFTERWORD_CONFIG.")
    rules = build_reminder_rules(settings)
    try:
        _print_policies(chosen, settings.templates_folder, rules)
    except Misconfigured as error:
        for sentence in str(error).splitlines():
            click.echo(f"FAIL  {to_one_line(sentence)}")
        sys.exit(1)


def _print_policies(file: Path, folder: Path | None, rules: ReminderRules) -> None:
    policies = build_severity_policies(ConfigWatch(file, *list_checks(folder)).current)
    for policy in policies.policies:
        click.echo(f"ok    {policy.severity}: {to_one_line(describe_policy(policy, rules))}.")
    if not policies.policies:
        click.echo(f"note  {file.name} has no table [policy]: every severity is asked as the settings say.")
