"""Afterword: the incident scribe for Slack."""

__version__ = "0.1.0"
