"""One outbox row from claim to settlement: sent outside any transaction, then outcome and row in one.

A notice may go twice, never zero times: whatever happens between the send and the settlement, the row comes again when
its lease ends. It then has the message id it had, and says that it may be a duplicate.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, OutboxRow, OutboxState, Outcome
from monitor.audit.ports import AuditLog
from monitor.clock import Clock
from monitor.core.alert import LIVE, Change
from monitor.errors import DatabaseUnavailable
from monitor.notify.deciding import Verdict, after_event, after_notice
from monitor.notify.ports import AlertPublisher, Notice, Receipt, RelayObserver, Sender, SendOutcome
from monitor.notify.queued import QueuedEvent, QueuedNotice, message_id
from monitor.notify.receipts import Attempt, Then, Told, attempts_in, told
from monitor.notify.routing import ALERT_CHANNEL
from monitor.notify.stuck import RULE as UNDELIVERED
from monitor.notify.stuck import delivered_after_all, undelivered

logger = logging.getLogger(__name__)

# A notice that waits for another of its alert looks again after so long.
LOOK_AGAIN = timedelta(seconds=5)
# How often, and after what pause in seconds, a settlement is tried while the database is away. The lease is the limit.
SETTLE_ATTEMPTS = 8
SETTLE_PAUSE = 0.25

_DUPLICATE_TITLE = "[possible duplicate] "
_DUPLICATE_BODY = "You may have had this notice before: it could not be seen whether it arrived.\n\n"

Tell = Callable[[Sequence[Change], datetime], Batch]


class Deliverer:
    """Delivers claimed rows. `tell` makes what is written of an alert about the system."""

    def __init__(
        self,
        log: AuditLog,
        sender: Sender,
        publisher: AlertPublisher,
        tell: Tell,
        clock: Clock,
        observer: RelayObserver,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._log = log
        self._sender = sender
        self._publisher = publisher
        self._tell = tell
        self._clock = clock
        self._observer = observer
        self._chance = chance
        self._put_off: dict[str, int] = {}
        self._topic_down_until: datetime | None = None
        self.sure_from: datetime | None = None
        """Until then rows that another process claimed may be under way, so nobody counts as not told."""

    async def deliver(self, rows: Sequence[OutboxRow]) -> None:
        """Deliver rows that must keep their order: after a failure the rest waits for the one that failed.

        Raises DatabaseUnavailable if the outcome could not be written in time.
        """
        for position, row in enumerate(rows):
            waits_until = await (self._event(row) if row.channel == ALERT_CHANNEL else self._notice(row))
            if waits_until is not None:
                for later in rows[position + 1 :]:
                    await self._wait(later, waits_until)
                return

    async def _event(self, row: OutboxRow) -> datetime | None:
        if self._topic_down_until is not None and self._clock.now() < self._topic_down_until:
            await self._wait(row, self._topic_down_until)
            return self._topic_down_until
        event = QueuedEvent.from_payload(row.payload)
        receipt = await self._publisher.publish(event.key, event.value.encode())
        verdict = after_event(row, receipt, now=self._clock.now(), chance=self._chance())
        attempt = _attempt(row, event.alert_id, event.change, receipt, verdict, digest="", duplicate=False)
        # Later events wait for this one, so that a consumer sees an alert's changes in their order.
        self._topic_down_until = verdict.outcome.retry_at
        await self._settle(row, verdict, attempt, receipt)
        return verdict.outcome.retry_at

    async def _notice(self, row: OutboxRow) -> datetime | None:
        queued = QueuedNotice.from_payload(row.payload)
        before = await self._attempts(row) if queued.only_if_told or row.attempts > 1 else []
        if queued.only_if_told and (heard := self._heard(row, queued, before)) is not Told.YES:
            return await self._not_sent(row, heard)
        mine = [attempt for attempt in before if attempt.row_id == row.row_id]
        was_stuck = queued.rule != UNDELIVERED and any(attempt.then == Then.STUCK for attempt in mine)
        # Asked before the send: a database that goes away here must not leave a notice sent and nothing written of it.
        live = await self._log.alerts(patient="", statuses=LIVE) if was_stuck else None
        duplicate = self._may_have_gone(row, mine)
        notice = _marked(queued.notice) if duplicate else queued.notice
        receipt = await self._sender.send(row.recipient, notice, message_id(row.row_id))
        failures = len(mine) + 1
        verdict = after_notice(row, queued, receipt, failures, now=self._clock.now(), chance=self._chance())
        attempt = replace(
            _attempt(row, queued.alert_id, queued.change, receipt, verdict, queued.digest, duplicate), also=queued.also
        )
        # One about such an alert would have no end itself.
        change = None if queued.rule == UNDELIVERED else self._own_alert(row, receipt, verdict, failures, live)
        await self._settle(row, verdict, attempt, receipt, change)
        return verdict.outcome.retry_at

    def _heard(self, row: OutboxRow, queued: QueuedNotice, before: Sequence[Attempt]) -> Told:
        """Whether this recipient was told of the alert whose end this notice brings."""
        others = [attempt for attempt in before if attempt.row_id != row.row_id]
        heard = told(others, queued.alert_id, row.recipient)
        unsure = self.sure_from is not None and self._clock.now() < self.sure_from
        return Told.NOT_YET if heard is Told.NO and unsure else heard

    async def _not_sent(self, row: OutboxRow, heard: Told) -> datetime | None:
        now = self._clock.now()
        if heard is Told.NOT_YET:
            await self._wait(row, now + LOOK_AGAIN)
            return now + LOOK_AGAIN
        await self._write(row, Outcome(attempt=row.attempts, state=OutboxState.ABANDONED), Batch(recorded_at=now))
        self._observer.notice_attempted(row.channel, "not_needed")
        return None

    def _may_have_gone(self, row: OutboxRow, mine: Sequence[Attempt]) -> bool:
        """True if an earlier try was ambiguous, or a claim has no receipt: killed between send and settlement."""
        silent = row.attempts - 1 - len(mine) - self._put_off.get(row.row_id, 0)
        return silent > 0 or any(attempt.may_have_arrived for attempt in mine)

    def _own_alert(
        self, row: OutboxRow, receipt: Receipt, verdict: Verdict, failures: int, live: Sequence[AlertRow] | None
    ) -> Change | None:
        """The alert that a notice got stuck, or its end; `live`: those about the system, if it was stuck before."""
        now = self._clock.now()
        if live is None and verdict.then is Then.STUCK:
            self._observer.notice_undelivered()
            return undelivered(row, receipt.detail, failures, now)
        if live is not None and verdict.then is Then.DONE:
            return delivered_after_all(row, live, now)
        return None

    async def _attempts(self, row: OutboxRow) -> list[Attempt]:
        return attempts_in(await self._log.stream(kinds.delivery_stream(row.patient)))

    async def _settle(
        self, row: OutboxRow, verdict: Verdict, attempt: Attempt, receipt: Receipt, change: Change | None = None
    ) -> None:
        now = self._clock.now()
        told = self._tell([change], now) if change is not None else Batch(recorded_at=now)
        rows = [verdict.successor] if verdict.successor else []
        batch = replace(told, records=(attempt.record(row, now), *told.records), outbox=(*rows, *told.outbox))
        await self._write(row, verdict.outcome, batch)
        self._put_off.pop(row.row_id, None)
        self._observer.notice_attempted(row.channel, receipt.outcome.value)
        if receipt.outcome is SendOutcome.DELIVERED:
            self._observer.notice_delivered_after(row.priority, (now - row.created_at).total_seconds())
        else:
            logger.warning("a notice to %s waits: %s (%s)", row.recipient, receipt.detail, verdict.then.value)

    async def _wait(self, row: OutboxRow, until: datetime) -> None:
        """Put a row off that was not tried; no receipt, for nothing was sent."""
        self._put_off[row.row_id] = self._put_off.get(row.row_id, 0) + 1
        outcome = Outcome(attempt=row.attempts, state=OutboxState.PENDING, retry_at=until)
        await self._write(row, outcome, Batch(recorded_at=self._clock.now()))

    async def _write(self, row: OutboxRow, outcome: Outcome, batch: Batch) -> None:
        """Settle, and stay at it for a while: what was sent should not be sent again for a hiccup of the database."""
        for left in range(SETTLE_ATTEMPTS - 1, -1, -1):
            try:
                await self._log.settle_outbox(row.row_id, outcome, batch)
            except DatabaseUnavailable:
                if not left:
                    raise
                await asyncio.sleep(SETTLE_PAUSE)
            else:
                return


def _marked(notice: Notice) -> Notice:
    return replace(notice, title=_DUPLICATE_TITLE + notice.title, body=_DUPLICATE_BODY + notice.body)


def _attempt(
    row: OutboxRow, alert_id: str, change: str, receipt: Receipt, verdict: Verdict, digest: str, duplicate: bool
) -> Attempt:
    successor = verdict.successor
    return Attempt(
        row_id=row.row_id,
        message_id=message_id(row.row_id),
        alert_id=alert_id,
        change=change,
        recipient=row.recipient,
        channel=row.channel,
        attempt=row.attempts,
        outcome=receipt.outcome.value,
        then=verdict.then.value,
        detail=receipt.detail,
        elapsed_ms=round(receipt.elapsed * 1000),
        digest=digest,
        possible_duplicate=duplicate,
        handed_to=successor.recipient if successor else None,
        handed_to_row=successor.row_id if successor else None,
    )
