"""Alembic's scripts; see storage/database/store.py for what runs them."""
