"""A lease that cannot be given up ends by itself."""

from datetime import timedelta

import pytest

from monitor.audit.leading import Leases
from monitor.errors import DatabaseUnavailable
from tests.support.memory_log import MemoryAuditLog


class SilentLog(MemoryAuditLog):
    """A database that does not answer any more."""

    async def release_lease(self, name: str, holder: str) -> None:
        raise DatabaseUnavailable(f"no answer about {name} of {holder}")


async def test_a_service_ends_well_though_its_lease_cannot_be_given_up(caplog: pytest.LogCaptureFixture) -> None:
    await Leases(SilentLog(), "one", timedelta(seconds=15)).named("relay").give_up()

    assert "the lease of the relay was not given up" in caplog.text
