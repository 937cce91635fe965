"""The logs that checks read: in memory, on SQLite and on PostgreSQL."""

from tests.audit.conftest import log, sqlite_url

__all__ = ["log", "sqlite_url"]
