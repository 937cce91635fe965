"""What becomes of an outbox row after an attempt: done, tried again, or somebody else is told in its place. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from monitor.audit.batch import OutboxRow, OutboxState, Outcome
from monitor.notify.backoff import wait_before
from monitor.notify.ports import Receipt, SendOutcome
from monitor.notify.queued import QueuedNotice
from monitor.notify.receipts import Then


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row's outcome, what the receipt says of it, and the row that takes its place, if one does."""

    outcome: Outcome
    then: Then
    successor: OutboxRow | None = None


def after_notice(
    row: OutboxRow, queued: QueuedNotice, receipt: Receipt, failures: int, *, now: datetime, chance: float
) -> Verdict:
    """Judge an attempt; `failures` counts those of this row with this one.

    A notice is never given up on: with nobody left to tell in this recipient's place it is tried for ever.
    """
    if receipt.outcome is SendOutcome.DELIVERED:
        return Verdict(Outcome(attempt=row.attempts, state=OutboxState.DELIVERED), Then.DONE)
    if receipt.retryable and failures < queued.attempts:
        return _again(row, Then.RETRY, failures, now, chance)
    if queued.fallback:
        abandoned = Outcome(attempt=row.attempts, state=OutboxState.ABANDONED)
        return Verdict(abandoned, Then.HANDED_OVER, _successor(row, queued, now))
    return _again(row, Then.STUCK, failures, now, chance)


def after_event(row: OutboxRow, receipt: Receipt, *, now: datetime, chance: float) -> Verdict:
    """Judge the writing of an alert event: it is tried until the broker takes it."""
    if receipt.outcome is SendOutcome.DELIVERED:
        return Verdict(Outcome(attempt=row.attempts, state=OutboxState.DELIVERED), Then.DONE)
    return _again(row, Then.RETRY, row.attempts, now, chance)


def _again(row: OutboxRow, then: Then, failures: int, now: datetime, chance: float) -> Verdict:
    retry_at = now + wait_before(failures, row.priority, chance)
    return Verdict(Outcome(attempt=row.attempts, state=OutboxState.PENDING, retry_at=retry_at), then)


def _successor(row: OutboxRow, queued: QueuedNotice, now: datetime) -> OutboxRow:
    (recipient, channel), *rest = queued.fallback
    instead = replace(queued, fallback=tuple(rest), first_for=queued.first_for or row.recipient)
    return replace(
        row,
        row_id=f"{row.row_id}>{recipient}",
        channel=channel,
        recipient=recipient,
        payload=instead.to_payload(),
        created_at=now,
        not_before=now,
        attempts=0,
    )
