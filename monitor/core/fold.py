"""The fold: a patient's facts taken one by one in the order they were issued, with a tick at each deadline between.

What was known before is what stands earlier in this order (time, source, record_id, version), never what arrived
earlier: any delivery of the same set ends in the same fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from monitor.core.alert import Alert
from monitor.core.assess import Assessment, Memory, Stops, assess, find_stops
from monitor.core.context import Closure, Retraction
from monitor.core.growing import Growing
from monitor.core.history import History, RecordKey
from monitor.core.ledger import Ledger
from monitor.core.reconcile import Stamp, reconcile
from monitor.core.stops import Stop
from monitor.core.times import Effective
from monitor.events.command import AlertAcknowledged, AlertResolved, AlertShelved, Command
from monitor.events.envelope import Received, Refused
from monitor.events.record import Status
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Before:
    """What people were told before this step: a fold that begins anew does not make it later than it was."""

    ledger: Ledger = field(default_factory=Ledger)
    withdrawn: Mapping[str, Alert] = field(default_factory=dict)  # of a fold before that

    def raised_at(self, reference: str) -> datetime | None:
        alert = self.ledger.alerts.get(reference) or self.withdrawn.get(reference)
        return alert.raised_at if alert is not None else None


@dataclass(frozen=True)
class Fold:
    """A patient as of `now`: history, alerts and what the fold remembers. Immutable."""

    patient: str
    files: Timeline
    history: History
    now: datetime | None = None
    ledger: Ledger = field(default_factory=Ledger)
    memory: Memory = field(default_factory=Memory)
    pending: tuple[tuple[datetime, Command], ...] = ()  # commands for alerts that have not been raised yet
    assessment: Assessment | None = None

    @property
    def alerts(self) -> Growing[str, Alert]:
        """All that were ever raised, by their reference."""
        return self.ledger.alerts

    @property
    def protocol(self) -> Protocol:
        """The protocol file in force."""
        return self.files.in_force(self.now)

    @cached_property
    def deadline(self) -> datetime | None:
        """When a tick can change something: a rule's deadline, the end of a shelf, another protocol file."""
        ends = list(self.ledger.shelved.values())
        if self.assessment is not None and self.assessment.deadline is not None:
            ends.append(self.assessment.deadline)
        if (change := self.files.next_change(self.now)) is not None:
            ends.append(change)
        return min(ends, default=None)

    def take(self, event: Received | Refused, at: datetime, before: Before, clock: datetime) -> Fold:
        """The fold after one more event issued at `at`; alerts raised by it are raised at `clock`."""
        if isinstance(event, Refused):
            return self._step(self.history.refuse(event, at), at, before, clock, None)
        fold = self._step(self.history.add(event), at, before, clock, event)
        if isinstance(event.data, Command):
            return fold._obey(((at, event.data),), at)
        return fold

    def tick(self, due: datetime, before: Before, clock: datetime) -> Fold:
        """The fold when the clock reaches a deadline and nothing has arrived."""
        return self._step(self.history, due, before, clock, None)

    def _step(self, history: History, at: datetime, before: Before, clock: datetime, event: Received | None) -> Fold:
        protocol = self.files.in_force(at)
        last = self.assessment if protocol is self.protocol else None  # under another file everything is asked anew
        now = max(at, history.latest_at or at)  # a fact may be effective minutes after it was issued: it is so already
        stops = find_stops(history, protocol, now, last, self.files.superseded(at), self.memory.memo)
        memory = replace(self.memory, retractions=_retractions(self, stops, at, event))
        told = Raised(self.ledger, clock)
        assessment = assess(history, protocol, now, stops=stops, memory=memory, raised_at=told, last=last)
        ledger = self.ledger if last is not None else self.ledger.without_findings()
        if last is None or not assessment.says_the_same(last):
            stamp = Stamp(self.patient, protocol, clock, before.raised_at)
            ledger = reconcile(ledger, *assessment.news(last), stamp)
        memory = replace(memory, eligibility=assessment.eligibility or None)
        fold = replace(
            self, history=history, now=at, ledger=_unshelved(ledger, at), memory=memory, assessment=assessment
        )
        return fold._obey(fold.pending, at) if fold.pending else fold

    def _obey(self, commands: tuple[tuple[datetime, Command], ...], at: datetime) -> Fold:
        """Apply commands to their alerts; one whose alert is not there yet waits for it."""
        ledger, closures = self.ledger, list(self.memory.closures)
        waiting = tuple(p for p in self.pending if p not in commands)
        for issued, command in commands:
            alert = ledger.alerts.get(command.alert_id)
            if alert is None:
                waiting = (*waiting, (issued, command))
                continue
            obeyed = _commanded(alert, command, at)
            ledger = ledger.answer(obeyed)
            if obeyed.closed_at is not None and alert.closed_at is None:
                closures.append(Closure(alert.rule, alert.item, alert.keys, obeyed.closed_at))
        return replace(self, ledger=ledger, pending=waiting, memory=replace(self.memory, closures=tuple(closures)))


def _commanded(alert: Alert, command: Command, at: datetime) -> Alert:
    """What a command makes of an alert; on one that is not live it does nothing."""
    if not alert.live:
        return alert
    if isinstance(command, AlertAcknowledged):
        return replace(alert, status="acknowledged", shelved_until=None, revision=alert.revision + 1)
    if isinstance(command, AlertShelved) and command.until > at:
        return replace(alert, status="shelved", shelved_until=command.until, revision=alert.revision + 1)
    if isinstance(command, AlertResolved):
        details = {**alert.details, "outcome": "person"}
        return replace(alert, status="resolved", details=details, closed_at=at, revision=alert.revision + 1)
    return alert


def _unshelved(ledger: Ledger, at: datetime) -> Ledger:
    """A shelf that has run out puts its alert before people again."""
    over = [ledger.alerts[reference] for reference, until in ledger.shelved.items() if until <= at]
    return ledger.with_alerts(
        replace(alert, status="firing", shelved_until=None, revision=alert.revision + 1) for alert in over
    )


@dataclass(frozen=True, slots=True)
class Raised:
    """When people were told of a fact by a stop rule; who were not told yet are told by the clock.

    Once told it stays so, whatever becomes of the alert: what a rule has worked out from it needs no asking again.
    """

    ledger: Ledger
    clock: datetime

    def __call__(self, rule: str, key: RecordKey) -> datetime:
        return self.ledger.told.get((rule, key), self.clock)


def _retractions(fold: Fold, stops: Stops, at: datetime, event: Received | None) -> tuple[Retraction, ...]:
    """The stops that were there in the fold and no longer are: remembered until they come back.

    Not where a preliminary was only refuted by its own final. Which of them a decision had lifted already, and whether
    that decision still counts, the assessment sees.
    """
    if fold.assessment is not None and fold.assessment.stops is stops:
        return fold.memory.retractions
    left = set(map(id, stops.found))
    gone = [stop for stop in fold.assessment.stops.found if id(stop) not in left] if fold.assessment else []
    if not gone and not fold.memory.retractions:
        return ()
    rules = {stop.rule.id for stop in gone} | {retraction.rule for retraction in fold.memory.retractions}
    rested = {rule: stops.rested_on(rule) for rule in rules}
    kept = [r for r in fold.memory.retractions if rested[r.rule].isdisjoint(e.key for e in r.evidence)]
    if event is None or isinstance(event.data, Command):
        return tuple(kept)
    by = (event.source, event.data.record_id)
    there = set(map(_place, stops.found))  # by another fact, perhaps, but it is there
    lost = [stop for stop in gone if rested[stop.rule.id].isdisjoint(stop.keys)]
    lost = [stop for stop in lost if _place(stop) not in there]
    lost = [stop for stop in lost if not _only_refuted(stop, by, fold, event)]
    return (*kept, *(Retraction(stop.rule.id, stop.evidence, at, by) for stop in lost))


def _place(stop: Stop) -> tuple[str, Effective, bool]:
    """What a stop shares with another that is there in its place. One that was lifted is not, for one that was not."""
    return stop.rule.id, stop.first.effective, stop.lift is None


def _only_refuted(stop: Stop, by: RecordKey, fold: Fold, event: Received) -> bool:
    """Did a preliminary stop, and did nothing but its own final refute it? What is amended had been final before.

    Nor may the record have been more than preliminary since it first stopped: people may have acted on that.
    """
    record = fold.history.records.get(by)
    first = min(e.issued for e in stop.evidence)
    was_preliminary = record is not None and record.current is not None and record.current.preliminary
    never_more = record is not None and all(v.preliminary for v in record.versions if v.time >= first)
    is_final = not isinstance(event.data, Command) and event.data.status is Status.FINAL
    rested_on_it = all(by == e.key or by in e.also for e in stop.evidence)
    return rested_on_it and was_preliminary and never_more and is_final
