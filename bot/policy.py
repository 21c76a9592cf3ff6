"""Turns the operator's settings into the rules that services use."""

from datetime import timedelta

from bot.domain import masking as masking_rules
from bot.domain.actions import VAGUE_WORDS
from bot.domain.alerts.groups import AlertRules, parse_conditions
from bot.domain.masking import MaskRules
from bot.domain.reminders import QuietHours, ReminderRules
from bot.domain.whys import parse_blame_words
from bot.errors import Misconfigured
from bot.services.context import Policy
from bot.services.history.retention import RetentionRules
from bot.settings import Settings


def build_policy(settings: Settings) -> Policy:
    """All of them. Raises Misconfigured."""
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
    )


def build_reminder_rules(settings: Settings) -> ReminderRules:
    """When reminders are due, and when people are not to be disturbed."""
    hours, weekends = settings.quiet_hours, settings.quiet_weekends
    # Without quiet hours people want the exact minute, of the weekly reminders as of the others.
    quiet = QuietHours(hours, weekends is True, weekly_on_weekdays=weekends == "weekly" and hours is not None)
    return ReminderRules(
        settings.reminder_hours, settings.overdue_hour, settings.reminder_weeks, quiet, settings.nudges
    )


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
