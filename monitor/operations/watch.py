"""The watch over the system itself: checks are asked now and then, by the one worker that holds the lease.

It lives by the database alone, so it works while the broker is down. Its only memory is the log: what was told stands
in the stream `system/alerts`, and the next start takes it up from there.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.leading import Leases
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.core.alert import LIVE, Change
from monitor.errors import DatabaseUnavailable, VersionConflict
from monitor.operations.reconciling import reconcile
from monitor.operations.standing import Standing
from monitor.operations.telling import telling_of
from monitor.operations.trouble import Check, Trouble
from monitor.recorder.ports import Outbound
from monitor.stopping import Stopping

logger = logging.getLogger(__name__)

LEASE: Final = "operations"
OURS: Final = "ops."  # what is wrong with the monitor, be it for one patient alone
EVERY: Final = 10.0  # seconds: a feed that breaks is a matter of minutes


class OperationsObserver(Protocol):
    """What it tells the metrics."""

    def alert_changed(self, rule: str, priority: str, change: str) -> None: ...

    def system_alerts_are(self, live: Mapping[str, int]) -> None: ...


class OperationsWatch:
    """Looks until it is stopped. Every worker counts the open alerts; one of them asks the checks."""

    def __init__(
        self,
        log: AuditLog,
        leases: Leases,
        checks: Sequence[Check],
        outbound: Outbound,
        clock: Clock,
        observer: OperationsObserver,
        *,
        wake: Callable[[], None],
        every: float = EVERY,
    ) -> None:
        """`wake` is called when a notice waits; `every` in seconds."""
        self._log = log
        self._lease = leases.named(LEASE)
        self._checks = checks
        self._outbound = outbound
        self._clock = clock
        self._observer = observer
        self._wake = wake
        self._every = every
        self._standing = Standing(log)
        self._stopping = Stopping()

    async def run(self) -> None:
        """Look until `stop`. Neither the database's silence nor a mistake in a check ends it."""
        async for _ in self._stopping.rounds(self._every):
            try:
                await self.look()
            except DatabaseUnavailable as error:
                logger.warning("the watch over the system waits: %s", error)
            except VersionConflict:
                logger.info("another worker told of the system meanwhile")  # the next look goes by what it told
        await self._lease.give_up()

    def stop(self) -> None:
        """End `run` after the look under way."""
        self._stopping.tell()

    async def look(self) -> None:
        """Ask all checks once, and tell what has changed. Raises DatabaseUnavailable, VersionConflict."""
        now = self._clock.now()
        if await self._lease.taken(now):
            await self._take_up(now)
            await self._ask(now)
        else:
            self._standing = Standing(self._log)  # another follows the log now
        live = await self._log.open_by_rule()
        self._observer.system_alerts_are({rule: live[rule] for rule in live if rule.startswith(OURS)})

    async def _take_up(self, now: datetime) -> None:
        """Show and tell what people answered: their words stand on the log alone so far."""
        try:
            await self._show(await self._standing.follow(), now)
        except DatabaseUnavailable:
            self._standing = Standing(self._log)  # what was followed and not shown is taken up anew
            raise

    async def _show(self, changes: Sequence[Change], now: datetime) -> None:
        if not changes:
            return
        shown: dict[str, AlertRow] = {}
        for patient in {"", *(change.alert.patient for change in changes)}:
            shown |= {row.alert_id: row for row in await self._log.alerts(patient=patient)}
        new = [change for change in changes if _is_news(change, shown.get(change.alert.alert_id))]
        if new:
            told = telling_of(self._outbound, new, now)
            await self._log.append(replace(told, records=()))
            self._told(new)

    async def _ask(self, now: datetime) -> None:
        asked = {check.rule: await _asked(check, now) for check in self._checks}
        known = [rule for rule, found in asked.items() if found is not None]
        troubles = [trouble for found in asked.values() for trouble in found or ()]
        changes = reconcile(troubles, list(self._standing.rows.values()), known, now)
        if changes:
            expected = {kinds.SYSTEM_ALERTS: self._standing.version}
            await self._log.append(replace(telling_of(self._outbound, changes, now), expected=expected))
            self._told(changes)
            await self._standing.follow()

    def _told(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._observer.alert_changed(change.alert.rule, change.alert.priority, change.kind)
        self._wake()


def _is_news(change: Change, row: AlertRow | None) -> bool:
    """Whether the queue does not show it yet. What is said of an alert that has ended meanwhile is void."""
    if row is None:
        return not change.alert.patient  # of a patient of whom all was erased nothing is shown again
    return change.alert.revision > row.revision and row.status in LIVE


async def _asked(check: Check, now: datetime) -> Sequence[Trouble] | None:
    """What a check finds; None if it failed: then nothing is known of its rule, and nothing of it ends."""
    try:
        return await check.troubles(now)
    except DatabaseUnavailable:
        raise
    except Exception:  # a mistake of ours must not end the watch over patients
        logger.exception("the check of %s failed", check.rule)
        return None
