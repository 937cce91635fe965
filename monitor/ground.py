"""What most parts of a worker stand on."""

from dataclasses import dataclass

from monitor.agents.publisher import TopicPublisher
from monitor.audit.leading import Leases
from monitor.audit.log import SqlAuditLog
from monitor.clock import WallClock
from monitor.health import Health
from monitor.metrics import Metrics
from monitor.notify.routing import Routing
from monitor.protocol.model import Protocol
from monitor.settings import ClockKind, Settings


@dataclass(frozen=True)
class Ground:
    """Made once for a worker, and handed to those that build its parts."""

    settings: Settings
    protocol: Protocol
    routing: Routing | None
    clock: WallClock
    metrics: Metrics
    health: Health
    log: SqlAuditLog
    leases: Leases
    publisher: TopicPublisher

    @property
    def lives(self) -> bool:
        """Whether it watches patients as time goes by; a back-fill does not."""
        return self.settings.clock is ClockKind.SYSTEM
