"""Alembic's scripts; see storage/migrate.py for what runs them."""
