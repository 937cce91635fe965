"""Alembic's scripts: each step of the schema, as it was made."""
