"""What tells of alerts about the system: records, the officer's queue and the outbox, in one transaction. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor.audit.batch import Batch
from monitor.core.alert import Change
from monitor.recorder.ports import Outbound
from monitor.recorder.records import change_record
from monitor.recorder.rows import alert_row


def telling_of(outbound: Outbound, changes: Sequence[Change], now: datetime) -> Batch:
    """The batch of these changes; `now` is the wall clock's time of it. Tried again, it is written once."""
    return Batch(
        recorded_at=now,
        records=tuple(replace(change_record(change, facts=0), dedupe_key=_key(change)) for change in changes),
        alerts=tuple({change.alert.alert_id: alert_row(change) for change in changes}.values()),
        outbox=tuple(outbound.of_changes(changes, now)),
    )


def _key(change: Change) -> str:
    return f"{change.alert.alert_id}/{change.alert.revision}/{change.kind}"
