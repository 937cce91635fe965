"""What must not be overdue while we say that we live. Each is told by what the log shows, so it holds for all workers.

`after` is how long a thing may take before it counts: longer than the pauses and restarts of every day.
"""

from datetime import datetime, timedelta
from typing import Protocol

from monitor.audit.ports import AuditLog
from monitor.health import HealthReport
from monitor.notify.routing import TOPIC_CHANNELS
from monitor.operations.heartbeat import Overdue


class Checkpointed(Protocol):
    """The maker of checkpoints, as far as it is asked here."""

    async def behind_since(self) -> datetime | None:
        """Since when records have been without a signed checkpoint; None while there is one over the log's end."""


class ReportsHealth(Protocol):
    """Judges the worker now."""

    def __call__(self) -> HealthReport: ...


class Readiness:
    """The worker itself: broker, database, commits. Red for a moment is no matter; red for `after` is.

    Before it was ever ready it has not shown that it can work: one that starts and falls over, again and again, would
    else say at each start that all is well.
    """

    def __init__(self, report: ReportsHealth, after: timedelta) -> None:
        self._report = report
        self._after = after
        self._ready_at: datetime | None = None

    async def overdue(self, now: datetime) -> str | None:
        """What /readyz has been red for, for too long."""
        report = self._report()
        if report.ready:
            self._ready_at = now
        if self._ready_at is not None and now - self._ready_at <= self._after:
            return None
        return "; ".join(f"{name}: {check.reason}" for name, check in report.checks.items() if not check.ok)


def patients_due(log: AuditLog, after: timedelta) -> Overdue:
    """The clock: a patient whose deadline came so long ago was not looked at."""

    async def overdue(now: datetime) -> str | None:
        rows = await log.due_patients(now - after, limit=1)
        return "a deadline has passed and was not looked at" if rows else None

    return overdue


def notices_waiting(log: AuditLog, after: timedelta) -> Overdue:
    """The relay: a notice of high priority has waited so long, for whatever reason."""

    async def overdue(now: datetime) -> str | None:
        for backlog in await log.outbox_backlog():
            urgent = backlog.urgent_at
            if backlog.channel not in TOPIC_CHANNELS and urgent is not None and now - urgent > after:
                return f"a notice of high priority has not been delivered by {backlog.channel}"
        return None

    return overdue


def checkpoints_made(checkpoints: Checkpointed, after: timedelta) -> Overdue:
    """The checkpoints: the log's end has been unsigned for so long."""

    async def overdue(now: datetime) -> str | None:
        since = await checkpoints.behind_since()
        return None if since is None or now - since <= after else "no checkpoint has been made over the log's end"

    return overdue
