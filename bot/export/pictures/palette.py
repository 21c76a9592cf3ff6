"""The colours of the pictures: those of `templates/postmortem/page.css`, by day and by night."""

from typing import NamedTuple

from bot.incident.records import Milestone


class Tone(NamedTuple):
    """One colour on a light and on a dark page."""

    light: str
    dark: str


TONES = {
    "paper": Tone("#ffffff", "#14171c"),
    "panel": Tone("#f5f6f8", "#1d2127"),
    "ink": Tone("#1c2128", "#e4e7eb"),
    "soft": Tone("#5b6470", "#9aa4b0"),
    "line": Tone("#dde1e6", "#323842"),
    "accent": Tone("#1f5fa8", "#7db4f5"),
    "red": Tone("#b3261e", "#ff8a80"),
    "orange": Tone("#a84300", "#ffab70"),
    "amber": Tone("#7a5b00", "#e8c95a"),
    "blue": Tone("#1f5fa8", "#7db4f5"),
    "green": Tone("#1a6b3c", "#79d69d"),
}
"""By the names that they have in the style sheet."""

TINTS = {
    "quiet": Tone("#eceff2", "#262b33"),
    "pale-red": Tone("#f9e3e1", "#4a2725"),
    "pale-blue": Tone("#dfeaf7", "#1f3653"),
    "pale-green": Tone("#dcefe3", "#1c3d2b"),
}
"""Grounds on which ink and soft can be read."""

SEVERITIES = {1: "red", 2: "orange", 3: "amber", 4: "blue"}
MILESTONES = {
    Milestone.IMPACT_STARTED: "red",
    Milestone.DETECTED: "accent",
    Milestone.ACKNOWLEDGED: "accent",
    Milestone.MITIGATED: "green",
    Milestone.RESOLVED: "green",
}


def tone(name: str) -> Tone:
    """A colour or a ground by its name."""
    return TONES.get(name) or TINTS[name]
