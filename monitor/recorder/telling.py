"""What the metrics hear of a committed batch. No patient's number goes there."""

from collections.abc import Sequence
from datetime import datetime

from monitor.audit.records import Record
from monitor.events.envelope import Received
from monitor.events.plausible import FUTURE_ALLOWANCE
from monitor.recorder.draft import Plan
from monitor.recorder.ports import RecorderObserver


def tell(observer: RecorderObserver, plan: Plan, records: Sequence[Record], wall: datetime) -> None:
    """Count what a batch held and what came of it."""
    for taken in plan.taken:
        event = taken.entry.event
        if isinstance(event, Received):
            observer.event_seen(event.type, outcome(event, wall, waited=taken.entry.waited))
            observer.event_recorded_after((wall - event.time).total_seconds())
            if taken.message.input.key != event.subject.encode():
                observer.keyed_wrongly(taken.message.input.topic)
    for refused in plan.refused:
        observer.event_seen(refused.type or "", "refused")
        observer.message_quarantined(refused.reason)
    for heard in plan.batch.heard:
        observer.heard(heard.topic, heard.read, heard.refused, wall)
    for _ in range(plan.duplicates):
        observer.duplicate_dropped()
    for _ in range(plan.failures):
        observer.assessment_failed()
    for change in plan.changes:
        observer.alert_changed(change.alert.rule, change.alert.priority, change.kind)
    if plan.now is not None:
        observer.clock_is(plan.now)
    if records:
        observer.batch_committed(records[-1].sequence, wall)


def outcome(event: Received, wall: datetime, *, waited: bool) -> str:
    """What became of a fact: recorded, waiting for its time, or ahead of all clocks, so that it may wait for years."""
    if waited and event.time - wall > FUTURE_ALLOWANCE:
        return "ahead"
    return "waiting" if waited else "recorded"
