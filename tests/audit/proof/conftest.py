"""A log on each database with what proofs need beside it; the stores come from the tests of the log."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.store import ProofStore
from monitor.audit.schema import upgrade


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'log.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate("example.org/trial")


@pytest_asyncio.fixture
async def sql_log(url: str) -> AsyncIterator[SqlAuditLog]:
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    yield log
    await log.close()


@pytest_asyncio.fixture
async def store(sql_log: SqlAuditLog) -> ProofStore:
    return ProofStore(sql_log)
