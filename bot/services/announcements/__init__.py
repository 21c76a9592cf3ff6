"""Telling those outside: the post of an incident in the announce channel, its followers, updates, the weekly digest."""
