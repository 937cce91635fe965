"""Who of several workers does what only one may do: named leases, rows of the log's database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.audit.ports import AuditLog


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
        """Let others have it at once. Raises DatabaseUnavailable."""
        await self.log.release_lease(self.name, self.holder)


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of one worker, which `holder` names."""

    log: AuditLog
    holder: str
    ttl: timedelta

    def named(self, name: str) -> Lease:
        """The lease of this name."""
        return Lease(self.log, name, self.holder, self.ttl)
