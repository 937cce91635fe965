"""Who of several workers does what only one may do: named leases, rows of the log's database."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.audit.ports import AuditLog
from monitor.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's claim to one name. It ends by itself `ttl` after it was taken last."""

    log: AuditLog
    name: str
    holder: str
    ttl: timedelta

    async def taken(self, now: datetime) -> bool:
        """Take it, or renew it; False while another holds it. Raises DatabaseUnavailable."""
        return await self.log.acquire_lease(self.name, self.holder, ttl=self.ttl, now=now) is not None

    async def give_up(self) -> None:
        """Let others have it at once. Where the database does not answer, it ends by itself."""
        try:
            await self.log.release_lease(self.name, self.holder)
        except DatabaseUnavailable:
            logger.warning("the lease of the %s was not given up; it ends by itself", self.name)


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of one worker, which `holder` names."""

    log: AuditLog
    holder: str
    ttl: timedelta

    def named(self, name: str) -> Lease:
        """The lease of this name."""
        return Lease(self.log, name, self.holder, self.ttl)
