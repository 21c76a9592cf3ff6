"""Turns the operator's settings into the rules that services use."""

import difflib
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain import masking as masking_rules
from bot.domain.actions import VAGUE_WORDS
from bot.domain.alerts.groups import AlertRules, parse_conditions
from bot.domain.announcements.posts import AnnounceRules, parse_digest
from bot.domain.facets import fold
from bot.domain.masking import MaskRules
from bot.domain.outline import DEFAULT, STANDARD_NAME, OutlineRules
from bot.domain.policy import PostmortemRule, SeverityPolicies, SeverityPolicy
from bot.domain.reminders import QuietHours, ReminderRules
from bot.domain.sections import BY_SLUG
from bot.domain.whys import parse_blame_words
from bot.errors import Misconfigured
from bot.export.outlines import read_outlines
from bot.services.context import Policy
from bot.services.history.retention import RetentionRules
from bot.settings import Settings
from bot.settings.config_file import Check, ConfigFile, ConfigWatch, PolicyTable


def build_policy(settings: Settings, config: ConfigWatch | None = None) -> Policy:
    """All of them; `config` is the file with what depends on the incident. Raises Misconfigured."""
    by_severity = SeverityPolicies if config is None else PolicySource(config)
    return Policy(
        reminders=build_reminder_rules(settings),
        input_zone=settings.input_zone,
        allow_guests=settings.allow_guests,
        reaction=settings.reaction,
        blame_words=parse_blame_words(settings.blame_words),
        vague_words=parse_blame_words(settings.vague_words, VAGUE_WORDS),
        pin_card=settings.pin_card,
        alerts=build_alert_rules(settings),
        mask=build_mask_rules(settings),
        outline_rules=OutlineRules if config is None else lambda: build_outline_rules(config.current),
        library=settings.url if settings.has_library else "",
        find_severities=by_severity,
        announce=build_announce_rules(settings),
    )


def build_reminder_rules(settings: Settings) -> ReminderRules:
    """When reminders are due, and when people are not to be disturbed."""
    hours, weekends = settings.quiet_hours, settings.quiet_weekends
    # Without quiet hours people want the exact minute, of the weekly reminders as of the others.
    quiet = QuietHours(hours, weekends is True, weekly_on_weekdays=weekends == "weekly" and hours is not None)
    return ReminderRules(
        settings.reminder_hours,
        settings.overdue_hour,
        settings.reminder_weeks,
        quiet,
        settings.nudges,
        build_announce_rules(settings).digest,
    )


def build_announce_rules(settings: Settings) -> AnnounceRules:
    """Where incidents are announced, and when the weekly digest goes out. Raises Misconfigured."""
    channel = "" if settings.announce_channel == "none" else settings.announce_channel
    zone = UTC if settings.input_zone in ("author", "UTC") else ZoneInfo(settings.input_zone)
    try:
        return AnnounceRules(channel, parse_digest(settings.digest, channel, zone))
    except ValueError as error:
        raise Misconfigured(f"AFTERWORD_DIGEST can't be used: {error}.") from error


def build_retention_rules(settings: Settings) -> RetentionRules:
    """How long what is kept of an incident that is over."""
    days = (settings.retention_days, settings.retention_incident_days)
    return RetentionRules(*(timedelta(days=count) if count else None for count in days))


def build_alert_rules(settings: Settings) -> AlertRules:
    """In which channel alerts are suggested, and which of them open an incident."""
    channel = "" if settings.alerts_channel == "none" else settings.alerts_channel
    team = "" if settings.alerts_team == "own" else settings.alerts_team
    return AlertRules(channel, team, parse_conditions(settings.alerts_open))


def build_mask_rules(settings: Settings) -> MaskRules:
    """What a masked copy leaves out. Raises Misconfigured."""
    patterns = "" if settings.mask_patterns == "none" else settings.mask_patterns
    try:
        return masking_rules.parse_rules(settings.mask, patterns)
    except ValueError as error:
        raise Misconfigured(f"AFTERWORD_MASK or AFTERWORD_MASK_PATTERNS can't be used: {error}.") from error


def watch_config(settings: Settings) -> ConfigWatch:
    """The file that AFTERWORD_CONFIG names, read and checked. Raises Misconfigured for a mistake in it."""
    return ConfigWatch(settings.config_path, *list_checks(settings.templates_folder))


def list_checks(folder: Path | None) -> tuple[Check, ...]:
    """What else the file is checked for: its names must be those of sections and forms, ours or the template folder's.

    Each raises Misconfigured.
    """
    return partial(require_sections, folder), partial(require_forms, folder)


def require_sections(folder: Path | None, config: ConfigFile) -> None:
    """Raises Misconfigured for a section of `[policy]` that no form has."""
    tables = config.tables.policy
    if tables is None:
        return
    own = (section.slug for outline in read_outlines(folder).outlines.values() for section in outline.sections)
    known = list(dict.fromkeys((*BY_SLUG, *own)))
    mistakes = [
        config.mistake(("policy", name, "sections"), _describe_section(slug, known))
        for name in type(tables).model_fields
        for slug in getattr(tables, name).sections or ()
        if slug not in known
    ]
    if mistakes:
        raise Misconfigured("\n".join(mistakes))


def _describe_section(slug: str, known: list[str]) -> str:
    near = difflib.get_close_matches(slug, known, 1, 0.6)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
    return f"{slug} isn't a section. {hint}"


def require_forms(folder: Path | None, config: ConfigFile) -> None:
    """Raises Misconfigured for a form of `[sections]` that is no file of the template folder."""
    table = config.tables.sections
    if table is None:
        return
    names = sorted({*read_outlines(folder).names, STANDARD_NAME})
    used: list[tuple[tuple[str, ...], str]]
    used = [
        (("sections", name), form)
        for name in ("sev1", "sev2", "sev3", "sev4", "none", "default")
        if (form := getattr(table, name))
    ]
    used += [(("sections", "services", key), form) for key, form in table.services.items()]
    used += [(("sections", "tags", key), form) for key, form in table.tags.items()]
    mistakes = [config.mistake(keys, _describe_form(form, names)) for keys, form in used if form not in names]
    if mistakes:
        raise Misconfigured("\n".join(mistakes))


def _describe_form(form: str, names: list[str]) -> str:
    near = difflib.get_close_matches(form, names, 1, 0.6)
    hint = f"Did you mean {near[0]}?" if near else f"Its file would be {form}.toml in the template folder."
    return f"There's no form {form}. {hint}"


def build_outline_rules(config: ConfigFile) -> OutlineRules:
    """Which incidents get which sections."""
    table = config.tables.sections
    if table is None:
        return OutlineRules()
    named = {name: getattr(table, name) for name in ("sev1", "sev2", "sev3", "sev4", "none")}
    return OutlineRules(
        by_service={fold(name): form for name, form in table.services.items()},
        by_tag={fold(name): form for name, form in table.tags.items()},
        by_severity={name: form for name, form in named.items() if form},
        usual=table.default or DEFAULT,
    )


class PolicySource:
    """The policies by severity of the file that is in force, built once for each file."""

    def __init__(self, config: ConfigWatch) -> None:
        self._config = config
        self._file = config.current
        self._policies = build_severity_policies(self._file)

    def __call__(self) -> SeverityPolicies:
        """The policies in force."""
        if self._config.current is not self._file:
            self._file = self._config.current
            self._policies = build_severity_policies(self._file)
        return self._policies


def build_severity_policies(config: ConfigFile) -> SeverityPolicies:
    """The policy of each severity, with what it takes from `[policy.default]`; empty without `[policy]`."""
    tables = config.tables.policy
    if tables is None:
        return SeverityPolicies()
    named = ((name, getattr(tables, name)) for name in ("sev1", "sev2", "sev3", "sev4", "none"))
    return SeverityPolicies(tuple(_build_policy(name, table, tables.default) for name, table in named))


def _build_policy(severity: str, table: PolicyTable, default: PolicyTable) -> SeverityPolicy:
    values = default.model_dump(exclude_none=True) | table.model_dump(exclude_none=True)
    spans = {**values.get("due", {})}
    if default.due and table.due:
        spans = default.due.model_dump(exclude_none=True) | spans
    return SeverityPolicy(
        severity=severity,
        postmortem=PostmortemRule(values.get("postmortem", PostmortemRule.REQUIRED)),
        after_resolution=values.get("remind_after"),
        weeks=values.get("weeks"),
        also=values.get("also", ()),
        sections=values.get("sections"),
        due=tuple(spans.items()),
        rest_hours=values.get("rest_hours"),
        rest_days=values.get("rest_days"),
        owner=values.get("owner", ""),
        needs_review=values.get("review") == "required",
    )
