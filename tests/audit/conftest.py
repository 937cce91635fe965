"""The stores under test: each test that takes `log` runs in memory, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.schema import upgrade
from tests.support.memory_log import MemoryAuditLog


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'log.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest_asyncio.fixture
async def sql_log(url: str) -> AsyncIterator[SqlAuditLog]:
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    yield log
    await log.close()


@pytest_asyncio.fixture(params=["memory", "sqlite", "postgresql"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[AuditLog]:
    if request.param == "memory":
        yield MemoryAuditLog()
        return
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = str(request.getfixturevalue(name))
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    yield log
    await log.close()
